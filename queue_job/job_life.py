"""The life of a job: the call is made, and its state is what came of it."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .core.backoff import draw_seconds, pattern_seconds
from .exception import FailedJobError, NothingToDoJob, RetryableError
from .job_states import CANCELLED, DONE, ENQUEUED, FAILED, PENDING, STARTED, WAIT_DEPENDENCIES
from .storage.liveness import is_free

if TYPE_CHECKING:
    from .job import Job


class JobLife:
    """The part of :class:`~.job.Job` that runs it, and knows of it what is set there.

    The engine does the same by SQL.
    """

    def perform(self, session: Any = None) -> Any:
        """Make the call, in the caller's transaction; count it as a try.

        :param session: what connector passes here; the job runs in its own user all the same
        :return: what the call returned
        :raises RetryableError: when it is to be tried again
        :raises FailedJobError: when it asked for that too often
        """
        self.retry += 1
        try:
            self.result = self.func(*self.args, **self.kwargs)
        except NothingToDoJob as nothing:
            self.result = str(nothing) or None
        except RetryableError as error:
            if error.ignore_retry:
                self.retry -= 1
            elif self.max_retries and self.retry >= self.max_retries:
                text = f"Max. retries ({self.max_retries}) reached: {error}"
                raise FailedJobError(text) from error
            raise
        return self.result

    def set_pending(self, result: str | None = None, reset_retry: bool = True) -> None:
        """Let it wait to be run."""
        waits = any(parent.state != DONE for parent in self.depends_on)
        self._reach(WAIT_DEPENDENCIES if waits else PENDING, result)
        self.date_enqueued = self.date_started = self.date_done = self.date_cancelled = None
        self.worker_pid = None
        if reset_retry:
            self.retry = 0

    def set_enqueued(self, worker: Any = None) -> None:
        """Note that it was given to a worker, whichever."""
        self._reach(ENQUEUED)
        self.date_enqueued, self.date_started, self.worker_pid = utcnow(), None, None

    def set_started(self) -> None:
        """Note that this process runs it."""
        self._reach(STARTED)
        self.date_started, self.worker_pid = utcnow(), os.getpid()

    def set_done(self, result: str | None = None) -> None:
        """Note that it is done."""
        self._reach(DONE, result)
        self.exc_name = self.exc_message = self.exc_info = None
        self.date_done = utcnow()
        if self.date_started:
            self.exec_time = (self.date_done - self.date_started).total_seconds()

    def set_cancelled(self, result: str | None = None) -> None:
        """Note that it was given up."""
        self._reach(CANCELLED, result)
        self.date_cancelled = utcnow()

    def cancel(self, msg: str | None = None) -> None:
        """Give it up, in connector's words.

        :param msg: why, shown as its result
        """
        self.set_cancelled(result=msg)

    def set_failed(self, **details: Any) -> None:
        """Note that it has failed.

        :param details: ``exc_name``, ``exc_message``, ``exc_info``
        """
        self._reach(FAILED)
        for name, value in details.items():
            setattr(self, name, value)

    def postpone(self, result: str | None = None, seconds: Any = None) -> None:
        """Set the time of the next try.

        :param seconds: time to wait, or two bounds; by the retry pattern when not given
        """
        self.eta = dt.timedelta(seconds=self._get_retry_seconds(seconds))
        self.exc_name = self.exc_message = self.exc_info = None
        if result is not None:
            self.result = result

    def _get_retry_seconds(self, seconds: Any = None) -> float:
        if not seconds:
            return pattern_seconds(self.job_config.waits, self.retry, random.uniform)
        return draw_seconds(seconds, random.uniform)

    def _reach(self, state: str, result: str | None = None) -> None:
        self.state = state
        if result is not None:
            self.result = result

    # Afterwards

    def should_check_dependents(self) -> bool:
        """Tell whether others wait for it."""
        return bool(self.reverse_depends_on)

    def enqueue_waiting(self) -> None:
        """Let the jobs go that waited for nothing but this one, which is done."""
        self.db_record()._release_dependents()

    def cancel_dependent_jobs(self) -> None:
        """Give up every job that waits for this one."""
        self.db_record()._cancel_dependents()

    def related_action(self, session: Any = None) -> dict | None:
        """Return the action that opens what the job is about.

        :param session: what connector passes here; the job's own environment counts
        """
        return self.db_record()._related_action()

    def on_fail(self, details: dict[str, str]) -> None:
        """Call the method that its function names for this case, if it names one.

        :param details: ``exc_name``, ``exc_message``, ``exc_info``
        """
        if self.on_fail_method_name:
            records = self.recordset.with_context(job_uuid=self.uuid)
            getattr(records, self.on_fail_method_name)(**details)

    # Kept for code that runs jobs by itself

    def lock(self) -> bool:
        """Tell whether no worker runs the job, and keep it so for this transaction."""
        record = self.db_record()
        return is_free(self.env.cr, record.id, record.attempt)

    def add_lock_record(self) -> None:
        """Do nothing: a worker's lock is not a record."""

    @contextmanager
    def in_temporary_env(self) -> Iterator[Job]:
        """Have records of a transaction of their own, committed at the end."""
        records = self.recordset
        with records.env.registry.cursor() as cr:
            self.recordset = records.with_env(records.env(cr=cr))
            try:
                yield self
                # The cursor was opened here, for this alone.
                cr.commit()
            finally:
                self.recordset = records


def utcnow() -> dt.datetime:
    """Return the present as jobs keep times: naive UTC."""
    return dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
