"""Running a lease: each job is started, loaded, performed and recorded, in its own transaction.

Who asks for it is none of its business. It needs an idle Odoo cursor, of which it makes one
transaction per job, and keeps the liveness lock of the running job on a side connection.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2 import errorcodes

from odoo import SUPERUSER_ID, api
from odoo.exceptions import ConcurrencyError
from odoo.models import BaseModel
from odoo.modules.registry import Registry

from .core.codec import DamagedError
from .core.quoting import storable
from .core.report import Outcome, Report
from .core.retry import CONFLICT_INTERVAL, CONFLICT_TRIES, Exhausted, decide_retry
from .core.states import JobState
from .current import RunningJob, as_current
from .decorator import JOB_REGISTRY
from .exception import FailedJobError, NothingToDoJob, NotReadableJobError, RetryableError
from .fields import decode_call, decode_records, parse
from .settings import settings
from .storage import history, nodes, outcome
from .storage.liveness import Liveness, LivenessPool, StartedJob
from .storage.nodes import HOST
from .storage.pooler import PooledError

_logger = logging.getLogger(__name__)

LEASE_LIMIT_SECONDS = 1.0
"""A worker begins no further job of a lease after this long: it turned out slower than was
expected, and what is left is better off in another worker."""

CONFLICT_PAUSE_SECONDS = 0.05
"""Longest pause before the second try after a conflict; doubles from try to try."""

CONFLICTS = (
    errorcodes.SERIALIZATION_FAILURE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.LOCK_NOT_AVAILABLE,
)

ELSEWHERE_SECONDS = 3
"""Pause before another server is tried, when the code of a job is not on this one."""

ELSEWHERE_TRIES = 1_200
"""Attempts after which a job whose code no server has is failed: an hour of a rolling upgrade."""

_pool = LivenessPool()


class _Taken(Exception):
    """The job is not this worker's any more; whatever it did must not be committed."""


@dataclass(frozen=True)
class _Lease:
    """What the jobs of a lease share.

    :param cr: cursor, of which each job makes a transaction of its own
    :param liveness: side connection that holds the lock of the running job
    :param extended: whether another addon extends the writing of jobs
    """

    cr: Any
    liveness: Liveness
    extended: bool


@dataclass
class _Run:
    """One job in the hands of this worker.

    :param lease: what it shares with others
    :param job: the job as stored
    """

    lease: _Lease
    job: StartedJob
    began: float = field(default_factory=time.monotonic)
    current: RunningJob = field(init=False)

    def __post_init__(self) -> None:
        job = self.job
        self.current = RunningJob(job.uuid, job.id, job.attempt, self.lease.liveness)

    @property
    def cr(self) -> Any:
        return self.lease.cr

    @property
    def liveness(self) -> Liveness:
        return self.lease.liveness

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


def run_lease(cr: Any, jobs: Iterable[tuple[int, int]]) -> list[Report]:
    """Run the jobs of a lease, one after the other.

    :param cr: Odoo cursor without a transaction worth keeping
    :param jobs: id and attempt of each, in order
    :return: one report per job whose turn came; the others were not started
    """
    cr.rollback()
    try:
        liveness = _pool.take(cr.dbname, settings().database)
    except PooledError as error:
        # A job without its lock would be taken for dead, or a dead one for alive.
        _logger.error("no job runs here: %s", error)
        return [Report(number, Outcome.LOST, 0.0) for number, _attempt in jobs]
    try:
        return list(_run_each(_open_lease(cr, liveness), jobs))
    finally:
        _pool.give_back(liveness)


def _open_lease(cr: Any, liveness: Liveness) -> _Lease:
    """Do once what would else be done for each job."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    extended = env["queue.job"]._is_extended("write")
    return _Lease(cr, liveness, extended)


def _run_each(lease: _Lease, jobs: Iterable[tuple[int, int]]) -> Iterator[Report]:
    """Yield a report per job until the lease's time is up or what follows is not to be run here.

    A job that was taken back is followed by others that were: the runner has better use for them,
    or for this worker.
    """
    limit = time.monotonic() + LEASE_LIMIT_SECONDS
    for number, attempt in jobs:
        report = _run_job(lease, number, attempt)
        yield report
        if report.outcome in (Outcome.LOST, Outcome.TAKEN) or time.monotonic() > limit:
            return


def _run_job(lease: _Lease, number: int, attempt: int) -> Report:
    """Start, perform and record one job."""
    try:
        job = lease.liveness.start(number, attempt, host=HOST, pid=os.getpid())
        if job is None:
            return Report(number, Outcome.TAKEN, 0.0)
        run = _Run(lease, job)
        with _as_job(run), as_current(run.current):
            return Report(number, _bring_to_an_end(run), run.seconds, job.waited)
    except Exception:
        # A lost connection, or an end that could not be recorded. Closing the side connection
        # drops the lock, and with it any doubt whether somebody still works on the job.
        _logger.exception("job %s: the worker gives it up", number)
        lease.liveness.close()
        with suppress(Exception):
            # What the caches learned from work that is not committed is not true.
            Registry(lease.cr.dbname).reset_changes()
        return Report(number, Outcome.LOST, 0.0)


@contextmanager
def _as_job(run: _Run) -> Iterator[None]:
    """Give the job an ORM transaction and a thread name of its own for as long as it runs.

    Without one of its own, pending computations would be flushed as the user of the first job that
    the cursor has seen.
    """
    thread = threading.current_thread()
    outer, run.cr.transaction = run.cr.transaction, None
    name, thread.name = thread.name, f"job {run.job.uuid}"
    try:
        yield
    finally:
        run.cr.transaction, thread.name = outer, name


def _bring_to_an_end(run: _Run) -> Outcome:
    """Perform the job, and record whatever comes of it."""
    try:
        return _perform_or_postpone(run)
    except _Taken:
        _undo(run)
        _logger.warning("job %s was taken back: its work is rolled back", run.job.uuid)
        return Outcome.TAKEN
    except Exception as error:
        if _connection_lost(run, error):
            raise
        return _fail(run, error)


def _perform_or_postpone(run: _Run) -> Outcome:
    """Perform the job, or send it back for later when it asks for that."""
    try:
        return _perform_through_conflicts(run)
    except RetryableError as error:
        return _postpone(run, error)


def _perform_through_conflicts(run: _Run) -> Outcome:
    """Perform the job; try again at once when its transaction conflicts with another.

    :raises RetryableError: after the last such try
    """
    for number in range(1, CONFLICT_TRIES + 1):
        try:
            return _perform(run)
        except (psycopg2.OperationalError, ConcurrencyError) as error:
            if not _is_conflict(error):
                raise
            _undo(run)
            if not run.liveness.is_mine(run.job.id, run.job.attempt):
                # The conflict was with the one who took the job.
                raise _Taken from error
            message = str(error).strip()
        _logger.info("job %s: conflict, try %s: %s", run.job.uuid, number, message)
        time.sleep(random.uniform(0, CONFLICT_PAUSE_SECONDS * 2**number))
    raise RetryableError(message, seconds=CONFLICT_INTERVAL)


def _perform(run: _Run) -> Outcome:
    """Load and call; the job's end is committed with its work."""
    call = _load(run)
    try:
        result = call()
    except NothingToDoJob as nothing:
        result = str(nothing) or None
    run.cr.flush()
    text = None if result is None else storable(str(result))
    _keep_log(run)
    seconds = run.seconds
    if not outcome.complete(run.cr, run.job.id, run.job.attempt, result=text, seconds=seconds):
        raise _Taken
    _let_addons_notice(run)
    _commit(run)
    _logger.debug("job %s done in %.3f s", run.job.uuid, seconds)
    return Outcome.DONE


def _let_addons_notice(run: _Run) -> None:
    """Write the state by the ORM as well, when another addon extends that write."""
    if run.lease.extended:
        env = api.Environment(run.cr, SUPERUSER_ID, {})
        env["queue.job"].browse(run.job.id)._edit({"state": JobState.DONE.value})
        run.cr.flush()


def _load(run: _Run) -> Callable[[], Any]:
    """Return the stored call, ready to be made as the job's user.

    :raises NotReadableJobError: when the code, the model or an argument's type is gone, or the row
        was changed by hand
    :raises RetryableError: when another server may have what this one lacks
    """
    job = run.job
    name = job.function or job.method_name
    try:
        return _stored_call(run)
    except DamagedError as error:
        problem = f"{name} cannot be called, since the row of the job was changed by hand: {error}"
        raise NotReadableJobError(problem) from error
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        problem = f"{name} cannot be called: {error!r}"
        if job.attempt < ELSEWHERE_TRIES and nodes.count_nodes(run.cr) > 1:
            text = f"{problem}. It waits for a server that has it; {HOST} has not"
            raise RetryableError(text, seconds=ELSEWHERE_SECONDS, ignore_retry=True) from error
        raise NotReadableJobError(problem) from error


def _stored_call(run: _Run) -> Callable[[], Any]:
    job = run.job
    if not job.method_name:
        raise DamagedError("it names no method")
    records = _records(run)
    records.env["queue.job"]._check_user(records.env.uid)
    args, kwargs = decode_call(parse(job.args), parse(job.kwargs), records.env)
    if job.model_name is None:
        function = JOB_REGISTRY[job.method_name]
        return lambda: function.run(records.env, args, kwargs)
    if job.model_name != records._name:
        raise DamagedError(f"it is of {job.model_name}, and its records are of {records._name}")
    method = _bound_method(records, job.method_name)
    return lambda: method(*args, **kwargs)


def _records(run: _Run) -> Any:
    """Return the records of a job, in their own user and rights."""
    env = api.Environment(run.cr, None, {"job_uuid": run.job.uuid})
    return decode_records(parse(run.job.records), env)


def _bound_method(records: Any, name: str) -> Callable[..., Any]:
    """Return a method of records: the same that could have been delayed, and nothing else.

    :raises AttributeError: when it is not there
    """
    if name.startswith("__"):
        raise DamagedError(f"{name!r} is no method that can be delayed")
    method = getattr(records, name) if callable(getattr(type(records), name)) else None
    if not isinstance(getattr(method, "__self__", None), BaseModel):
        raise DamagedError(f"{records._name}.{name} is no method")
    return method


def _postpone(run: _Run, error: RetryableError) -> Outcome:
    """Send the job back for later, unless its tries are used up."""
    _undo(run)
    job = run.job
    env = api.Environment(run.cr, SUPERUSER_ID, {})
    decision = decide_retry(
        message=str(error),
        retry=job.retry,
        max_retries=job.max_retries,
        pattern=env["queue.job.function"].job_config(job.function).retry_pattern,
        draw=random.uniform,
        seconds=error.seconds,
        ignore_retry=error.ignore_retry,
    )
    if isinstance(decision, Exhausted):
        failure = FailedJobError(decision.message)
        failure.__cause__ = error
        return _fail(run, failure)
    wait, message = decision.seconds, storable(decision.message)
    _logger.info("job %s comes back in %.1f s: %s", job.uuid, wait, message)
    _keep_log(run)
    recorded = outcome.postpone(
        run.cr, job.id, job.attempt, message=message, wait=wait, counted=decision.counted
    )
    return _recorded(run, recorded, Outcome.POSTPONED)


def _fail(run: _Run, error: Exception) -> Outcome:
    """Record the error of a job; its work is rolled back."""
    seconds = run.seconds
    _undo(run)
    job = run.job
    text = "".join(traceback.format_exception(error))
    _logger.error("job %s %s failed\n%s", job.uuid, job.function or job.method_name, text)
    kind = type(error)
    details = {
        "exc_name": f"{kind.__module__}.{kind.__name__}",
        "exc_message": storable(str(error.args[0] if error.args else error)) or kind.__name__,
        "exc_info": storable(text),
    }
    _keep_log(run)
    recorded = outcome.fail(run.cr, job.id, job.attempt, seconds=seconds, error=details)
    if recorded:
        _tell_of_failure(run, details)
    return _recorded(run, recorded, Outcome.FAILED)


def _tell_of_failure(run: _Run, details: dict[str, str]) -> None:
    """Let the job's own method and its followers know, with the record of the failure.

    What they do is in the same transaction; when they fail themselves, the failure of the job is
    recorded all the same.
    """
    env = api.Environment(run.cr, SUPERUSER_ID, {})
    record = env["queue.job"].browse(run.job.id)
    for tell in (lambda: _call_on_fail(run, details), record._after_failure):
        try:
            with run.cr.savepoint():
                tell()
        except Exception:
            _logger.exception("job %s: its failure could not be told", run.job.uuid)


def _call_on_fail(run: _Run, details: dict[str, str]) -> None:
    env = api.Environment(run.cr, None, {"job_uuid": run.job.uuid})
    method = env["queue.job.function"].job_config(run.job.function).on_fail_method_name
    if method:
        _bound_method(_records(run), method)(**details)


def _keep_log(run: _Run) -> None:
    """Keep what the job has logged, with its end; most log nothing."""
    if run.current.lines:
        history.keep_log(run.cr, run.job.id, run.job.attempt, run.current.lines)


def _recorded(run: _Run, recorded: bool, result: Outcome) -> Outcome:
    """Commit what was recorded, or learn that the job was somebody else's by then."""
    if not recorded:
        run.cr.rollback()
        _logger.warning("job %s was not ours any more when it ended", run.job.uuid)
        return Outcome.TAKEN
    # The lease owns this cursor, and the record of a job's end must not wait for the next job.
    run.cr.commit()
    return result


def _commit(run: _Run) -> None:
    """Commit the job's work and tell other processes of the caches that it made stale."""
    # The job's own transaction ends here: its effects and its state become one fact.
    run.cr.commit()
    run.cr.transaction.registry.signal_changes()


def _undo(run: _Run) -> None:
    """Roll back the job's work, and what it did to the registry's caches."""
    run.cr.rollback()
    env = api.Environment(run.cr, None, {})
    env.transaction.reset()
    env.registry.reset_changes()


def _is_conflict(error: Exception) -> bool:
    return isinstance(error, ConcurrencyError) or getattr(error, "pgcode", None) in CONFLICTS


def _connection_lost(run: _Run, error: Exception) -> bool:
    lost = isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError))
    return lost and (run.cr.closed or not run.liveness.usable)
