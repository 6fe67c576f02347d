"""What a job may raise, and what the queue raises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from .core.quoting import shown
from .core.retry import SNOOZE_LIMIT
from .core.retry_after import MOST_SECONDS as MOST_RETRY_AFTER
from .core.retry_after import read_delay


class ConnectorException(RuntimeError):
    """Base of all errors here; the name that connector gave it."""


class NoConnectorUnitError(ConnectorException):
    """No class does what was asked for; raised by connectors."""


class InvalidDataError(ConnectorException):
    """Data of a remote cannot be used; raised by connectors."""


class MappingError(ConnectorException):
    """Data cannot be mapped to the other side; raised by connectors."""


class BaseQueueJobError(ConnectorException):
    """Base of all errors of the queue."""


class JobError(BaseQueueJobError):
    """A job cannot go on."""


class NoSuchJobError(JobError):
    """No job has this uuid."""


class NotReadableJobError(JobError):
    """The stored call cannot be carried out: its model, method or arguments are gone."""


class FailedJobError(JobError):
    """The job has failed and shall not be tried again."""


class NothingToDoJob(JobError):
    """There was nothing to do: the job is done, with the message as its result."""


class IDMissingInBackend(JobError):
    """The remote does not know this id; the job fails."""


class ManyIDSInBackend(JobError):
    """The remote has several records where one was expected; the job fails."""


class RetryableError(JobError):
    """The job could not do its work now and shall be tried again.

    :param message: why, shown as the job's result while it waits
    :param seconds: time to wait, or two bounds, or a timedelta; without it the function's backoff
        or retry pattern counts, else 600 s
    :param ignore_retry: whether this try does not count towards ``max_retries``; it is shown as
        snoozed then, and nothing bounds how often. :class:`JobSnoozed` is the same with a limit.
    """

    def __init__(self, message, seconds=None, ignore_retry=False):
        super().__init__(message)
        self.seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        self.ignore_retry = ignore_retry

    @classmethod
    def from_response(
        cls, response: Any, message: str = "", most: float = MOST_RETRY_AFTER
    ) -> RetryableError:
        """Return the error that waits for as long as the remote asks in ``Retry-After``.

        Where it asks for nothing, the function's backoff or retry pattern counts::

            if response.status_code in (429, 503):
                raise RetryableError.from_response(response)

        :param response: of ``requests``, or whatever :func:`retry_after` understands
        :param message: why; the status of the response when not given
        :param most: seconds that are never exceeded, however long the remote asks for
        """
        text = message or _status_of(response)
        return cls(text, seconds=retry_after(response, most))


RetryableJobError = RetryableError


def retry_after(response: Any, most: float = MOST_RETRY_AFTER) -> float | None:
    """Return the seconds that a remote asks to wait, in ``Retry-After``; never raises.

    Seconds and dates are understood, and kept between a second and ``most``.

    :param response: with ``headers``, as those of ``requests`` and ``urllib`` have; or an error
        with such a ``response``; or the headers themselves, as any mapping
    :param most: seconds that are never exceeded
    :return: ``None`` when it asks for nothing, or for nothing that can be understood
    """
    try:
        headers = _headers_of(response)
        return read_delay(headers.items(), datetime.now(timezone.utc), most) if headers else None
    except Exception:
        # Of classes that we do not know: whoever handles one error does not want another.
        return None


def _headers_of(response: Any) -> Any:
    """Return the headers of what may be them, a response, or an error with one."""
    if isinstance(response, Mapping):
        return response
    # A response that tells of an error is false, for requests.
    within = getattr(response, "response", None)
    return getattr(response if within is None else within, "headers", None)


def _status_of(response: Any) -> str:
    """Return what a response says of itself, in a few words."""
    try:
        within = getattr(response, "response", None)
        response = response if within is None else within
        status = getattr(response, "status_code", None) or getattr(response, "status", None)
        return f"The remote answers {shown(status)[:20]}" if status else "The remote asks to wait"
    except Exception:
        return "The remote asks to wait"


class JobSnoozed(RetryableError):
    """The job has nothing to do yet and comes back later; this is no try, and no error.

    :param message: what it waits for, shown while it waits
    :param seconds: time to wait, or two bounds, or a timedelta; as for :class:`RetryableError`
    :param limit: how often the job may do so in all; the next time it is failed. 0 is no limit
    """

    def __init__(self, message="Snoozed", seconds=None, limit=SNOOZE_LIMIT):
        super().__init__(message, seconds=seconds, ignore_retry=True)
        self.limit = limit


class NetworkRetryableError(RetryableError):
    """The remote could not be reached; try again."""


class NoExternalId(RetryableError):
    """A record that this one refers to has no id on the remote yet; try again."""


class ChannelNotFound(BaseQueueJobError):
    """No channel has this name."""


class JobStopped(BaseException):
    """The running job is to stop.

    It comes at any place in the job's own code, which may clean up and raise it on; its work is
    rolled back. No ``Exception``: code that goes on after errors does not go on after this.
    """


class JobCancelled(JobStopped):
    """Somebody asked for the job to be cancelled."""


class JobTimedOut(JobStopped):
    """The job is beyond its time limit."""


class JobTooLarge(JobStopped):
    """The job is beyond its memory limit."""


class JobMemoryLimitError(JobError):
    """The job took more memory than its limit; what is stored of one that failed for that."""


class JobTimeLimitError(JobError):
    """The job took longer than its limit; what is stored of one that failed for that."""
