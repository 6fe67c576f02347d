"""From the row of a job to the call that it stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odoo import api
from odoo.models import BaseModel

from ..core.codec import DamagedError
from ..core.quoting import shown
from ..decorator import JOB_REGISTRY
from ..exception import NotReadableJobError, RetryableError
from ..fields import decode_call, decode_records, parse
from ..storage import nodes
from ..storage.nodes import HOST
from .run import Run

ELSEWHERE_SECONDS = 3
"""Pause before another server is tried, when the code of a job is not on this one."""

ELSEWHERE_TRIES = 1_200
"""Attempts after which a job whose code no server has is failed: an hour of a rolling upgrade."""


def load(run: Run) -> Callable[[], Any]:
    """Return the stored call, ready to be made as the job's user.

    :raises NotReadableJobError: when the code, the model or an argument's type is gone, or the row
        was changed by hand
    :raises RetryableError: when another server may have what this one lacks
    """
    job = run.job
    name = job.called
    try:
        return _stored_call(run)
    except DamagedError as error:
        problem = f"{name} cannot be called, since the row of the job was changed by hand: {error}"
        raise NotReadableJobError(problem) from error
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        problem = f"{name} cannot be called: {shown(error)}"
        if job.attempt < ELSEWHERE_TRIES and nodes.count_nodes(run.cr) > 1:
            text = f"{problem}. It waits for a server that has it; {HOST} has not"
            raise RetryableError(text, seconds=ELSEWHERE_SECONDS, ignore_retry=True) from error
        raise NotReadableJobError(problem) from error


def _stored_call(run: Run) -> Callable[[], Any]:
    job = run.job
    if not job.method_name:
        raise DamagedError("it names no method")
    records = records_of(run)
    records.env["queue.job"]._check_user(records.env.uid)
    args, kwargs = decode_call(parse(job.args), parse(job.kwargs), records.env)
    if job.model_name is None:
        function = JOB_REGISTRY[job.method_name]
        return lambda: function.run(records.env, args, kwargs)
    if job.model_name != records._name:
        raise DamagedError(f"it is of {job.model_name}, and its records are of {records._name}")
    method = bound_method(records, job.method_name)
    return lambda: method(*args, **kwargs)


def records_of(run: Run) -> Any:
    """Return the records of a job, in their own user and rights."""
    env = api.Environment(run.cr, None, {"job_uuid": run.job.uuid})
    return decode_records(parse(run.job.records), env)


def bound_method(records: Any, name: str) -> Callable[..., Any]:
    """Return a method of records: the same that could have been delayed, and nothing else.

    :raises AttributeError: when it is not there
    """
    if name.startswith("__"):
        raise DamagedError(f"{name!r} is no method that can be delayed")
    method = getattr(records, name) if callable(getattr(type(records), name)) else None
    if not isinstance(getattr(method, "__self__", None), BaseModel):
        raise DamagedError(f"{records._name}.{name} is no method")
    return method
