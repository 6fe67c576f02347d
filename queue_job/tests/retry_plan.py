"""When a job comes back that asks to be tried again each time; nothing is run to know it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.backoff import Backoff, Interval, Policy, check_policy
from ..core.retry import Postpone, decide_retry
from ..decorator import JobFunction
from ..job import DEFAULT_MAX_RETRIES, Job
from .calls import JobCall


def retry_plan(
    pattern: Policy | None, max_retries: int = DEFAULT_MAX_RETRIES, length: int | None = None
) -> list[Interval]:
    """Return the seconds between the tries of a job: after the first try, the second and so on.

    :param pattern: seconds, or two bounds, by number of the try; or a backoff
    :param max_retries: number of tries; 0 is no limit
    :param length: how many to return at most; needed when there is no limit
    :return: one number less than tries, since after the last one the job has failed; bounds where
        seconds are drawn
    :raises ValueError: when neither a limit nor a length is given
    :raises RetryPatternError: when the pattern cannot be understood
    """
    if not max_retries and length is None:
        raise ValueError("the plan of a job without limit has no end: say how long it shall be")
    checked = pattern if isinstance(pattern, Backoff) else check_policy(pattern)
    plan: list[Interval] = []
    while length is None or len(plan) < length:
        decision = decide_retry(
            message="",
            retry=len(plan) + 1,
            max_retries=max_retries,
            pattern=checked,
            draw=lambda *bounds: bounds,
        )
        if not isinstance(decision, Postpone):
            break
        plan.append(decision.seconds)
    return plan


def check_plan(target: Any, expected: Sequence, max_retries: int | None = None) -> None:
    """Compare the retry plan of a job with what is expected.

    :param target: a bound method, a module-level job function, or a job or call
    :param expected: seconds, or two bounds, after each try
    :param max_retries: number of tries; those of the job, or 5, when not given
    :raises AssertionError: with the plan
    """
    pattern, tries = _pattern(target), _max_retries(target) if max_retries is None else max_retries
    plan = retry_plan(pattern, tries, length=None if tries else len(expected))
    wanted = [tuple(part) if isinstance(part, (list, tuple)) else part for part in expected]
    if plan != wanted:
        raise AssertionError(
            f"{_name(target)} comes back after {_text(plan)} seconds ({tries or 'unlimited'} tries:"
            f" after the last one it has failed), not after {_text(wanted)}",
        )


def _method(target: Any) -> Any:
    """Return the method or function that is called."""
    return target.method if isinstance(target, JobCall) else target


def _pattern(target: Any) -> Policy:
    """Return the waits that count; those of the record, where there is an environment."""
    if isinstance(target, Job):
        return target.job_config.waits
    method = _method(target)
    if isinstance(method, JobFunction):
        return method.backoff or method.retry_pattern
    records = method.__self__
    functions = records.env["queue.job.function"]
    name = functions.job_function_name(records._name, method.__name__)
    return functions.job_config(name).waits


def _max_retries(target: Any) -> int:
    """Return the number of tries that was asked for, or that counts without being asked for."""
    if isinstance(target, Job):
        return target.max_retries
    asked = target.properties.get("max_retries") if isinstance(target, JobCall) else None
    return DEFAULT_MAX_RETRIES if asked is None else asked


def _name(target: Any) -> str:
    return target.func_string if isinstance(target, Job) else _method(target).__name__


def _text(plan: Sequence) -> str:
    parts = (part if isinstance(part, tuple) else f"{part:g}" for part in plan)
    return f"[{', '.join(map(str, parts))}]"
