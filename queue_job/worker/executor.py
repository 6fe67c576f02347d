"""Running a lease: each job is started, loaded, performed and recorded, in its own transaction.

Who asks for it is none of its business. It needs an idle Odoo cursor, of which it makes one
transaction per job, and keeps the liveness lock of the running job on a side connection.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from .. import tracing
from ..core.quoting import storable
from ..core.report import Outcome, Report
from ..core.retry import CONFLICT_TRIES
from ..core.states import JobState
from ..current import as_current
from ..exception import (
    FailedJobError,
    JobStopped,
    NothingToDoJob,
    NotReadableJobError,
    RetryableError,
    retry_after,
)
from ..logs import JobFields, as_caused_by
from ..settings import settings
from ..storage import outcome
from ..storage.forks import kept_from_children
from ..storage.liveness import Liveness, LivenessPool, StartedJob
from ..storage.nodes import HOST
from ..storage.pooler import PooledError
from .conflicts import ERRORS as CONFLICT_ERRORS
from .conflicts import is_conflict, pause, through_conflicts
from .ending import end_stopped, fail, give_turn_away, keep_log, postpone, record_from_beside
from .loading import load
from .run import Conflict, OpenLease, Run, Taken
from .stage import stage
from .telling import tell_requester
from .watch import Watch

_logger = logging.getLogger(__name__)

LEASE_LIMIT_SECONDS = 1.0
"""A worker begins no further job of a lease after this long: it turned out slower than was
expected, and what is left is better off in another worker."""

TOLD_FROM_SECONDS = 1.0
"""Of what ran for less nobody is told, whatever is set: it does not even ask what is."""

FINAL_ERRORS = (FailedJobError, NotReadableJobError)
"""What no list of errors to try again after means, though it may name a class that these are of."""

_pool = LivenessPool()


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
        lease = _open_lease(cr, liveness)
        with kept_from_children(cr._cnx.fileno()):
            return lease.stage.run(lambda: list(_run_each(lease, jobs)), lease.watch.look)
    finally:
        _pool.give_back(liveness)


def _open_lease(cr: Any, liveness: Liveness) -> OpenLease:
    """Do once what would else be done for each job."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    extended = env["queue.job"]._is_extended("write")
    return OpenLease(cr, liveness, extended, Watch(), stage())


def _run_each(lease: OpenLease, jobs: Iterable[tuple[int, int]]) -> Iterator[Report]:
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


def _run_job(lease: OpenLease, number: int, attempt: int) -> Report:
    """Start, perform and record one job."""
    try:
        job = lease.liveness.start(number, attempt, host=HOST, pid=os.getpid())
        if job is None:
            return Report(number, Outcome.TAKEN, 0.0)
        run = Run(lease, job, record_from_beside)
        fields = _log_fields(job)
        with (
            as_caused_by(fields),
            _as_job(run),
            as_current(run.current),
            _watched(run),
            tracing.running(job) as run.followed,
        ):
            ended, seconds = _bring_to_an_end(run), run.seconds
            run.followed.ended(ended)
            if seconds >= TOLD_FROM_SECONDS and ended in (Outcome.DONE, Outcome.FAILED):
                tell_requester(run, seconds)
            return Report(number, ended, seconds, job.waited, run.watched.usage.added_mb)
    except Exception:
        # A lost connection, or an end that could not be recorded.
        known = {"job_id": number, "job_attempt": attempt}
        _logger.exception("job %s: the worker gives it up", number, extra=known)
        _give_up(lease)
        return Report(number, Outcome.LOST, 0.0)
    except BaseException:
        # This process or thread comes to its end, and its connections may live on in a pool.
        _give_up(lease)
        raise


def _give_up(lease: OpenLease) -> None:
    """Leave nothing of a job whose end is not recorded.

    The work is rolled back first: whoever opened the cursor would commit it, and the job is going
    to run again. Then the side connection is closed, which drops the lock, and with it any doubt
    whether somebody still works on the job.
    """
    with suppress(Exception):
        lease.cr.rollback()
    lease.liveness.close()
    with suppress(Exception):
        # What the caches learned from work that is not committed is not true.
        Registry(lease.cr.dbname).reset_changes()


def _log_fields(job: StartedJob) -> JobFields:
    """Return what each line of the log says of the job that caused it."""
    return JobFields(job.uuid, job.id, job.called, job.channel or "", job.attempt)


@contextmanager
def _as_job(run: Run) -> Iterator[None]:
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


@contextmanager
def _watched(run: Run) -> Iterator[None]:
    """Let the job be looked after for as long as it runs."""
    run.lease.watch.job = run.watched
    try:
        yield
    finally:
        run.lease.watch.job = None


def _bring_to_an_end(run: Run) -> Outcome:
    """Perform the job, and record whatever comes of it."""
    try:
        return _perform_or_postpone(run)
    except JobStopped as error:
        return _record(run, partial(end_stopped, run, error))
    except Taken:
        run.undo()
        _logger.warning("job %s was taken back: its work is rolled back", run.job.uuid)
        return Outcome.TAKEN
    except BaseException as error:
        # No exception of Odoo's own comes here: what a job raises to end its process is a failure.
        if run.has_lost_connection(error):
            raise
        # A stopped one raises what it makes of that, such as the end of a statement.
        end = end_stopped if run.watched.stop else fail
        return _record(run, partial(end, run, error))


def _record(run: Run, end: Callable[[], Outcome]) -> Outcome:
    """Record an end, which may meet that of another job for which the same ones wait."""
    run.watched.shut()
    return through_conflicts(end, run.undo)


def _perform_or_postpone(run: Run) -> Outcome:
    """Perform the job, or send it back for later when it asks for that."""
    try:
        return _perform_through_conflicts(run)
    except RetryableError as error:
        if run.watched.stop:
            raise
        return _record(run, partial(postpone, run, error))
    except Conflict as error:
        return _record(run, partial(give_turn_away, run, error))
    except Exception as error:
        retryable = _as_retryable(run, error)
        if retryable is None:
            raise
        return _record(run, partial(postpone, run, retryable))


def _as_retryable(run: Run, error: Exception) -> RetryableError | None:
    """Return what stands for an error after which the function is tried again.

    It waits for as long as the remote asks, where the error has the answer of one.
    """
    if run.watched.stop or isinstance(error, FINAL_ERRORS) or run.has_lost_connection(error):
        return None
    # The error may have ended the transaction, in which nothing can be looked up any more.
    run.undo()
    config = run.env["queue.job.function"].job_config
    if not isinstance(error, config(run.job.function).retry_on):
        return None
    text = "".join(traceback.format_exception_only(error)).strip()
    retryable = RetryableError(text, seconds=retry_after(error))
    retryable.__cause__ = error
    return retryable


def _perform_through_conflicts(run: Run) -> Outcome:
    """Perform the job; try again at once when its transaction conflicts with another.

    :raises Conflict: after the last such try
    """
    for number in range(1, CONFLICT_TRIES + 1):
        try:
            return _perform(run)
        except CONFLICT_ERRORS as error:
            if not is_conflict(error) or run.watched.stop:
                raise
            run.undo()
            if not run.liveness.is_mine(run.job.id, run.job.attempt):
                # The conflict was with the one who took the job.
                raise Taken from error
            conflict = error
        _logger.info("job %s: conflict, try %s: %s", run.job.uuid, number, conflict)
        if number < CONFLICT_TRIES:
            pause(number)
            if run.watched.stop:
                raise conflict
    raise Conflict(str(conflict).strip())


def _perform(run: Run) -> Outcome:
    """Load and call; the job's end is committed with its work."""
    call = load(run)
    with run.watched.interruptible():
        try:
            result = call()
        except NothingToDoJob as nothing:
            result = str(nothing) or None
        run.cr.flush()
    text = None if result is None else storable(str(result))
    keep_log(run)
    spent = run.spent
    if not outcome.complete(run.cr, run.job.id, run.job.attempt, result=text, spent=spent):
        raise Taken
    _let_addons_notice(run)
    run.commit()
    _logger.debug("job %s done in %.3f s", run.job.uuid, spent.seconds)
    return Outcome.DONE


def _let_addons_notice(run: Run) -> None:
    """Write the state by the ORM as well, when another addon extends that write."""
    if run.lease.extended:
        run.env["queue.job"].browse(run.job.id)._edit({"state": JobState.DONE.value})
        run.cr.flush()
