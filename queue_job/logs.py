"""The log of a process that runs jobs: each line that a job causes says which job it was.

A record has ``job_uuid``, ``job_function``, ``job_channel`` and ``job_attempt`` then, whatever code
has logged it, so that any handler or formatter can use them. In Odoo's own lines the uuid stands at
the end; as JSON, when that is set, each line is an object of its own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .settings import logs_json

FIELDS = ("job_uuid", "job_id", "job_function", "job_channel", "job_attempt")
"""Attributes of a record that are of a job."""


@dataclass(frozen=True)
class JobFields:
    """What lines say of the job that caused them."""

    uuid: str
    id: int
    function: str
    channel: str
    attempt: int


_job: ContextVar[JobFields | None] = ContextVar("queue_job", default=None)


@contextmanager
def as_caused_by(job: JobFields) -> Iterator[None]:
    """Let what is logged in this context say which job caused it."""
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


class JobFilter(logging.Filter):
    """Gives records the fields of the job that runs; without one it looks, and that is all."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        job = _job.get()
        if job is not None and not hasattr(record, "job_uuid"):
            record.job_uuid = job.uuid
            record.job_id = job.id
            record.job_function = job.function
            record.job_channel = job.channel
            record.job_attempt = job.attempt
        return True


class JobFormatter(logging.Formatter):
    """Writes the uuid of the job behind a line that does not name it.

    :param inner: writes the line
    """

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        text = self._inner.format(record)
        uuid = getattr(record, "job_uuid", None)
        line, newline, rest = text.partition("\n")
        if uuid is None or uuid in line:
            return text
        return f"{line.rstrip()} [job {uuid}]{newline}{rest}"


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        found: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            # Not its name, which Odoo paints for a terminal.
            "level": logging.getLevelName(record.levelno),
            "logger": record.name,
            "message": record.getMessage(),
            "pid": record.process,
            "thread": record.threadName,
            "database": getattr(record, "dbname", None),
        }
        found.update((name, getattr(record, name)) for name in FIELDS if hasattr(record, name))
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(found, default=str)


def install() -> None:
    """Let the handlers of this process, as Odoo has made them, write what a job is to be known by.

    Called again it changes nothing.
    """
    for handler in logging.getLogger().handlers:
        if any(isinstance(known, JobFilter) for known in handler.filters):
            continue
        handler.addFilter(JobFilter())
        inner = handler.formatter
        handler.setFormatter(JsonFormatter() if logs_json() else JobFormatter(inner))
