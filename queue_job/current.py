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
from typing import Any

from .core.quoting import storable
from .storage.history import LogLine
from .storage.liveness import Liveness

PROGRESS_SECONDS = 0.5
"""Least time between two reports of progress that are stored; the last one always is."""

LOG_LINES = 200
"""Lines that are kept of an attempt; of a longer log, the first and the last half."""

LOG_TEXT = 2_000
"""Characters that are kept of a line."""

PASSED_OVER = ("odoo.sql_db", "odoo.addons.queue_job.executor")
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


class RunningJob(CurrentJob):
    """The same, in a worker.

    :param number: id of the row
    :param attempt: number of the attempt
    :param liveness: the worker's side connection
    """

    def __init__(self, uuid: str, number: int, attempt: int, liveness: Liveness) -> None:
        super().__init__(uuid)
        self._number = number
        self._attempt = attempt
        self._liveness = liveness
        self._told_at = 0.0
        self.lines: list[LogLine] = []

    def progress(self, done: float, total: float = 0, message: str = "") -> None:
        now = time.monotonic()
        if now - self._told_at < PROGRESS_SECONDS and done != total:
            return
        self._told_at = now
        text = storable(message[:LOG_TEXT])
        self._liveness.tell_progress(self._number, self._attempt, done, total, text)

    def keep(self, record: logging.LogRecord) -> None:
        """Keep a line that was logged."""
        if len(self.lines) >= LOG_LINES:
            del self.lines[LOG_LINES // 2]
        message = storable(record.getMessage()[:LOG_TEXT])
        line = LogLine(record.created, record.levelname, storable(record.name), message)
        self.lines.append(line)


class _Capture(logging.Handler):
    """Gives what a thread logs to the job that it runs."""

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
