"""The job that the running code is part of: how far it is, and what it logs.

Code that may run in a job or without one asks for it all the same; without one nothing happens::

    current_job(self.env).progress(done, total, "customers")
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from .core.quoting import storable
from .core.retry import SNOOZE_LIMIT
from .exception import JobSnoozed
from .storage.history import LogLine
from .storage.liveness import Liveness
from .worker.watch import Watched

PROGRESS_SECONDS = 0.5
"""Least time between two reports of progress that are stored; the last one always is."""

LOG_LINES = 200
"""Lines that are kept of an attempt; of a longer log, the first and the last half."""

LOG_SECONDS = 1.0
"""A job that has run for so long shows what it logs while it runs, as often; a shorter one writes
all of it with its end, which costs nothing of its own."""

LOG_TEXT = 2_000
"""Characters that are kept of a line."""

PASSED_OVER = ("odoo.sql_db", "odoo.addons.queue_job.worker")
"""Loggers whose lines are of the server, and say nothing of the job that its screen does not."""

_threads = threading.local()


class CurrentJob:
    """What the code of a job may ask and tell; made by the engine.

    :param uuid: of the job; empty outside of any
    """

    def __init__(self, uuid: str = "") -> None:
        self.uuid = uuid

    def __bool__(self) -> bool:
        return bool(self.uuid)

    def progress(self, done: float, total: float = 0, message: str = "") -> None:
        """Say how far the job is; it is seen at once, also while the job's work is not committed.

        :param done: what is done, in any unit
        :param total: of how many; 0 when that is not known
        :param message: what is being done
        """

    def cancelled(self) -> bool:
        """Tell whether the job is to stop, for code that has caught the exception which says so."""
        return False

    def snooze(
        self, seconds: Any = None, message: str = "Snoozed", limit: int = SNOOZE_LIMIT
    ) -> NoReturn:
        """Leave the job and let it come back later, without counting as a try.

        Its work so far is rolled back. Outside of a job the error is for the caller.

        :param seconds: time to wait, two bounds or a timedelta; else what the function says
        :param message: what it waits for
        :param limit: how often it may do so; 0 is no limit
        :raises JobSnoozed: always
        """
        raise JobSnoozed(message, seconds=seconds, limit=limit)


class RunningJob(CurrentJob):
    """The same, in a worker.

    :param number: id of the row
    :param attempt: number of the attempt
    :param liveness: the worker's side connection
    :param watched: the same job, as who looks after it sees it
    """

    def __init__(
        self, uuid: str, number: int, attempt: int, liveness: Liveness, watched: Watched
    ) -> None:
        super().__init__(uuid)
        self._watched = watched
        self._number = number
        self._attempt = attempt
        self._liveness = liveness
        self._told_at = 0.0
        self._shown_at = time.monotonic()
        self._shown = 0
        self.lines: list[LogLine] = []

    def progress(self, done: float, total: float = 0, message: str = "") -> None:
        now = time.monotonic()
        if now - self._told_at < PROGRESS_SECONDS and done != total:
            return
        self._told_at = now
        text = storable(message[:LOG_TEXT])
        self._liveness.tell_progress(self._number, self._attempt, done, total, text)

    def cancelled(self) -> bool:
        return self._watched.stop is not None

    def keep(self, record: logging.LogRecord) -> None:
        """Keep a line that was logged; show it with those before it, if that is due."""
        if len(self.lines) >= LOG_LINES:
            del self.lines[LOG_LINES // 2]
        message = storable(record.getMessage()[:LOG_TEXT])
        line = LogLine(record.created, record.levelname, storable(record.name), message)
        self.lines.append(line)
        if time.monotonic() - self._shown_at >= LOG_SECONDS:
            self._show()

    def _show(self) -> None:
        """Write what was not shown yet; what cannot be written now is written with the next."""
        self._shown_at = time.monotonic()
        self._liveness.tell_log(self._number, self._attempt, self.lines)
        self._shown += len(self.lines)
        self.lines.clear()
        if self._shown > LOG_LINES:
            half = LOG_LINES // 2
            self._liveness.trim_log(self._number, self._attempt, first=half, last=half)
            self._shown = LOG_LINES


class _Capture(logging.Handler):
    """Gives what a thread logs to the job that it runs."""

    def createLock(self) -> None:  # noqa: N802 - the name that logging calls
        """Have none: a job's lines are its thread's alone, and no other waits for their writing."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record, if it is of a job."""
        running = getattr(_threads, "job", None)
        if running is None or record.name.startswith(PASSED_OVER):
            return
        try:
            running.keep(record)
        except Exception:
            # As every handler does: a line that cannot be written is not the end of who logs it.
            self.handleError(record)


_capture = _Capture(logging.INFO)


@contextmanager
def as_current(job: RunningJob) -> Iterator[None]:
    """Let this thread's code find its job, and keep what it logs."""
    root = logging.getLogger()
    if _capture not in root.handlers:
        root.addHandler(_capture)
    _threads.job = job
    try:
        yield
    finally:
        _threads.job = None


def current_job(env: Any) -> CurrentJob:
    """Return the job that the code runs in; one that is false, and does nothing, outside of any.

    :param env: of the running code
    """
    running = getattr(_threads, "job", None)
    if running is not None and running.uuid == env.context.get("job_uuid"):
        return running
    return CurrentJob()
