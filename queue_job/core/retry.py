"""What becomes of a job that ended with an error.

The decision is a value; the executor applies it. ``retry`` counts the tries begun, this one
included, so that ``max_retries=5`` means five executions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

RETRY_INTERVAL = 600
"""Seconds before the next try when neither the error nor a pattern names any, as in connector."""

CONFLICT_TRIES = 5
"""Tries of one job in the worker, without giving its turn away, when PostgreSQL reports a conflict
between transactions. Odoo gives a request as many."""

CONFLICT_INTERVAL = (1.0, 5.0)
"""Seconds, drawn between these two, before a job comes back after its last such try."""

LOST_LIMIT = 3
"""Times that a job may lose its worker before it is failed: it may be what kills them."""

Interval: TypeAlias = "float | tuple[float, float]"
"""Seconds, or the two bounds between which they are drawn."""
Draw = Callable[[float, float], float]
"""``random.uniform`` or what a test puts in its place."""


class RetryPatternError(ValueError):
    """A retry pattern that cannot be understood; the message names the offending part."""


@dataclass(frozen=True)
class Postpone:
    """Come back later.

    :param seconds: time to wait
    :param message: why, for the screen
    :param counted: whether the try counts towards ``max_retries``
    """

    seconds: float
    message: str
    counted: bool = True


@dataclass(frozen=True)
class Exhausted:
    """No try is left.

    :param message: why, for the screen
    """

    message: str


def check_pattern(pattern: Mapping[object, object] | None) -> dict[int, Interval]:
    """Return a retry pattern with whole tries as keys and seconds, or bounds, as values.

    :param pattern: ``{try: seconds}`` or ``{try: (least, most)}``; text keys, as JSON gives them,
        are accepted
    :raises RetryPatternError: naming the part that is not a number
    """
    return {_read_try(key): _read_interval(value) for key, value in (pattern or {}).items()}


def _read_try(key: object) -> int:
    try:
        number = int(key)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        number = 0
    if number < 1 or (isinstance(key, float) and key != number):
        raise RetryPatternError(f"retry pattern: {key!r} is not the number of a try, 1 or more")
    return int(number)


def _read_interval(value: object) -> Interval:
    parts = value if isinstance(value, (list, tuple)) else (value,)
    try:
        seconds = [float(part) for part in parts]
    except (TypeError, ValueError, OverflowError):
        seconds = []
    finite = all(0 <= part < math.inf for part in seconds)
    if len(seconds) not in (1, 2) or not finite or seconds != sorted(seconds):
        raise RetryPatternError(
            f"retry pattern: {value!r} is neither seconds nor (least, most) seconds",
        )
    return seconds[0] if len(seconds) == 1 else (seconds[0], seconds[1])


def draw_seconds(interval: Interval, draw: Draw) -> float:
    """Return the seconds of an interval, drawn when it has two bounds."""
    return draw(*interval) if isinstance(interval, (tuple, list)) else interval


def pattern_seconds(pattern: Mapping[int, Interval], retry: int, draw: Draw) -> float:
    """Return the seconds that a pattern gives after try number ``retry``.

    The entry with the largest try not above ``retry`` counts; below the first one it is
    :data:`RETRY_INTERVAL`.
    """
    reached = [number for number in pattern if number <= retry]
    return draw_seconds(pattern[max(reached)], draw) if reached else float(RETRY_INTERVAL)


def decide_retry(
    *,
    message: str,
    retry: int,
    max_retries: int,
    pattern: Mapping[int, Interval],
    draw: Draw,
    seconds: Interval | None = None,
    ignore_retry: bool = False,
) -> Postpone | Exhausted:
    """Decide what follows a :class:`RetryableError`.

    :param message: the text of the error
    :param retry: tries begun, this one included
    :param max_retries: tries allowed; 0 is no limit
    :param pattern: seconds by try, see :func:`check_pattern`
    :param draw: draws a number between two bounds
    :param seconds: what the error itself asks for, before any pattern
    :param ignore_retry: the try does not count
    """
    if max_retries and retry >= max_retries and not ignore_retry:
        return Exhausted(f"Max. retries ({max_retries}) reached: {message}")
    asked = None if seconds is None else draw_seconds(seconds, draw)
    wait = pattern_seconds(pattern, retry, draw) if asked is None else asked
    return Postpone(wait, message, counted=not ignore_retry)
