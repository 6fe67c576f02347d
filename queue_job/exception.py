"""What a job may raise, and what the queue raises."""

from datetime import timedelta


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
    :param seconds: time to wait, or two bounds, or a timedelta; without it the function's retry
        pattern counts, else 600 s
    :param ignore_retry: whether this try does not count towards ``max_retries``
    """

    def __init__(self, message, seconds=None, ignore_retry=False):
        super().__init__(message)
        self.seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        self.ignore_retry = ignore_retry


RetryableJobError = RetryableError


class NetworkRetryableError(RetryableError):
    """The remote could not be reached; try again."""


class NoExternalId(RetryableError):
    """A record that this one refers to has no id on the remote yet; try again."""


class ChannelNotFound(BaseQueueJobError):
    """No channel has this name."""
