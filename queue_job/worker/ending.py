"""Recording how a job ended, other than well: stopped, sent back for later, or failed.

Its work is rolled back first; what is recorded is committed at once, if the attempt is still ours.
"""

from __future__ import annotations

import logging
import random
import traceback
from typing import Any

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from ..core.failure import message_of, signature_of
from ..core.quoting import storable
from ..core.report import Outcome
from ..core.retry import (
    Exhausted,
    Postpone,
    decide_conflict,
    decide_retry,
    decide_snooze,
)
from ..core.stop import Cause, Stop
from ..exception import FailedJobError, JobMemoryLimitError, JobTimeLimitError, RetryableError
from ..settings import settings
from ..storage import history, outcome, stops
from .conflicts import through_conflicts
from .run import Conflict, Run
from .telling import make_known, masked, tell_of_failure

_logger = logging.getLogger(__name__)

LIMIT_ERRORS = {Cause.TIMEOUT: JobTimeLimitError, Cause.MEMORY: JobMemoryLimitError}
"""What is stored of a job that failed at a limit."""


def end_stopped(run: Run, error: BaseException) -> Outcome:
    """Record that the job was stopped; its work is rolled back."""
    stop = run.watched.stop
    if stop is None or stop.cause is not Cause.CANCELLED:
        return _end_at_limit(run, stop, error)
    run.undo()
    run.followed.failed(error)
    _logger.info("job %s stopped: %s", run.job.uuid, stop.text)
    keep_log(run)
    return _settle(run, _cancel(run, run.cr, stop), Outcome.CANCELLED)


def _end_at_limit(run: Run, stop: Stop | None, error: BaseException) -> Outcome:
    """Fail a job that is beyond a limit, or send it back for later if its function says so.

    :param stop: ``None`` when the job has raised the exception by itself
    """
    run.undo()
    text = stop.text if stop else str(error)
    limit = LIMIT_ERRORS[stop.cause if stop else Cause.TIMEOUT](text)
    limit.__cause__ = error
    config = run.env["queue.job.function"].job_config(run.job.function)
    if isinstance(limit, config.retry_on):
        return postpone(run, RetryableError(text))
    return fail(run, limit)


def _cancel(run: Run, cr: Any, stop: Stop) -> bool:
    """Write down that the job was cancelled, and give up what waits for it."""
    number, attempt = run.job.id, run.job.attempt
    recorded = outcome.cancel(cr, number, attempt, spent=run.spent, text=storable(stop.text))
    stops.forget(cr, number, attempt)
    if recorded:
        api.Environment(cr, SUPERUSER_ID, {})["queue.job"].browse(number)._after_cancel()
    return recorded


def record_from_beside(run: Run, stop: Stop) -> None:
    """Write down the end of a job whose worker is about to be ended."""
    through_conflicts(lambda: _record_once(run, stop), undo=lambda: None)


def _record_once(run: Run, stop: Stop) -> None:
    with Registry(run.lease.liveness.database).cursor() as cr:
        # The job itself may hold what is written here, and would wait for us as we for it.
        stops.wait_briefly(cr)
        if stop.cause is Cause.CANCELLED:
            _cancel(run, cr, stop)
            return
        signature = signature_of(LIMIT_ERRORS[stop.cause](stop.text), run.job.called)
        details = {"exc_name": signature.exception, "exc_message": storable(stop.text)}
        details["exc_info"] = f"{stop.text}; it took no notice, and its worker was ended"
        number, attempt = run.job.id, run.job.attempt
        key = signature.key
        if outcome.fail(cr, number, attempt, spent=run.spent, error=details, key=key):
            stops.forget(cr, number, attempt)
            api.Environment(cr, SUPERUSER_ID, {})["queue.job"].browse(number)._cancel_dependents(
                stop.cause
            )


def postpone(run: Run, error: RetryableError) -> Outcome:
    """Send the job back for later, unless its tries are used up."""
    run.undo()
    run.followed.failed(error)
    job = run.job
    asked = {
        "message": str(error),
        "retry": job.retry,
        "pattern": run.env["queue.job.function"].job_config(job.function).waits,
        "draw": random.uniform,
        "seconds": error.seconds,
    }
    if error.ignore_retry:
        limit = getattr(error, "limit", 0)
        decision = decide_snooze(snoozes=job.snoozes + 1, limit=limit, **asked)
    else:
        decision = decide_retry(max_retries=job.max_retries, **asked)
    return _follow(run, decision, error)


def give_turn_away(run: Run, error: Conflict) -> Outcome:
    """Send a job back that met conflicts in all its tries; its transaction is rolled back."""
    limit, number = settings().conflict_limit, run.job.conflicts + 1
    text = str(error)
    decision = decide_conflict(message=text, conflicts=number, limit=limit, draw=random.uniform)
    return _follow(run, decision, error)


def _follow(run: Run, decision: Postpone | Exhausted, error: Exception) -> Outcome:
    """Do what was decided about a job that is to come back later, or has done so too often."""
    job = run.job
    if isinstance(decision, Exhausted):
        failure = FailedJobError(decision.message)
        failure.__cause__ = error
        return fail(run, failure)
    wait, message = decision.seconds, masked(run, decision.message)
    _logger.info("job %s comes back in %.1f s: %s", job.uuid, wait, message)
    keep_log(run)
    recorded = outcome.postpone(
        run.cr,
        job.id,
        job.attempt,
        message=message,
        wait=wait,
        pause=decision.pause,
        spent=run.spent,
    )
    return _settle(run, recorded, Outcome.POSTPONED)


def fail(run: Run, error: BaseException) -> Outcome:
    """Record the error of a job; its work is rolled back."""
    spent = run.spent
    run.failings += 1
    run.undo()
    job, function = run.job, run.job.called
    text = "".join(traceback.format_exception(error))
    signature = signature_of(error, function)
    details = {
        "exc_name": signature.exception,
        "exc_message": masked(run, message_of(error)) or type(error).__name__,
        "exc_info": storable(text),
    }
    keep_log(run)
    recorded = outcome.fail(
        run.cr, job.id, job.attempt, spent=spent, error=details, key=signature.key
    )
    if recorded:
        _give_up_dependents(run)
        tell_of_failure(run, details)
    result = _settle(run, recorded, Outcome.FAILED)
    # Here and not before: what conflicts is done again, and has failed once.
    run.followed.failed(error)
    _logger.error("job %s %s failed\n%s", job.uuid, function, text)
    if recorded:
        make_known(run, signature, function)
    return result


def _give_up_dependents(run: Run) -> None:
    """Cancel what is to be cancelled when a job that it waits for fails at a limit."""
    stop = run.watched.stop
    if stop and stop.cause is not Cause.CANCELLED:
        run.env["queue.job"].browse(run.job.id)._cancel_dependents(stop.cause)


def keep_log(run: Run) -> None:
    """Keep what the job has logged, with its end; most log nothing."""
    if run.current.lines:
        history.keep_log(run.cr, run.job.id, run.job.attempt, run.current.lines)


def _settle(run: Run, recorded: bool, result: Outcome) -> Outcome:
    """Commit what was recorded, or learn that the job was somebody else's by then."""
    if not recorded:
        run.cr.rollback()
        _logger.warning("job %s was not ours any more when it ended", run.job.uuid)
        return Outcome.TAKEN
    if run.watched.stop:
        stops.forget(run.cr, run.job.id, run.job.attempt)
    # The lease owns this cursor, and the record of a job's end must not wait for the next job.
    run.cr.commit()
    return result
