"""Who is told of a job's end: its own method, its followers, who asked for it, and operators."""

from __future__ import annotations

import logging
from contextlib import suppress

from odoo import api

from ..core.failure import Signature
from ..core.quoting import storable
from ..core.retry import CONFLICT_TRIES
from .conflicts import is_conflict
from .loading import bound_method, records_of
from .run import Run

_logger = logging.getLogger(__name__)


def masked(run: Run, message: str) -> str:
    """Return a message for all who see the job: without the secrets that people write into one."""
    job = run.job
    return storable(run.env["queue.job"]._masked(message, job.model_name, job.method_name))


def make_known(run: Run, signature: Signature, function: str) -> None:
    """See that the failure is among those that operators look at.

    In a transaction of its own, after the job's end is recorded: what all jobs that fail alike
    share must neither be locked for as long as one of them needs, nor undo what became of it.
    """
    try:
        run.env["queue.job.failure"]._see(signature, function)
        run.cr.commit()
    except Exception as error:
        # Another worker was first, or the next failing job or the cron sees to it.
        _logger.info("job %s: its failure is made known later: %s", run.job.uuid, error)
        run.undo()


def tell_requester(run: Run, seconds: float) -> None:
    """Let whoever asked for a long job know that it has ended.

    In a transaction of its own, after the end was committed: nobody is told of what is rolled back,
    and that somebody cannot be told undoes nothing.
    """
    try:
        run.env["queue.job"].browse(run.job.id)._tell_requester(seconds)
        run.cr.commit()
    except Exception:
        _logger.exception("job %s: its end could not be told", run.job.uuid)
        with suppress(Exception):
            run.undo()


def tell_of_failure(run: Run, details: dict[str, str]) -> None:
    """Let the job's own method and its followers know, with the record of the failure.

    What they do is in the same transaction; when they fail themselves, the failure of the job is
    recorded all the same. Where they meet another transaction, all of it is recorded anew.

    :raises psycopg2.OperationalError: a conflict, but for the last time
    """
    record = run.env["queue.job"].browse(run.job.id)
    for tell in (lambda: _call_on_fail(run, details), record._after_failure):
        try:
            with run.cr.savepoint():
                tell()
        except Exception as error:
            if is_conflict(error) and run.failings < CONFLICT_TRIES:
                raise
            _logger.exception("job %s: its failure could not be told", run.job.uuid)


def _call_on_fail(run: Run, details: dict[str, str]) -> None:
    env = api.Environment(run.cr, None, {"job_uuid": run.job.uuid})
    method = env["queue.job.function"].job_config(run.job.function).on_fail_method_name
    if method:
        bound_method(records_of(run), method)(**details)
