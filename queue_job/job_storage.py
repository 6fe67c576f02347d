"""The storage of connector: jobs as ``OpenERPJobStorage`` stored and loaded them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from odoo import models

from .session import ConnectorSession

if TYPE_CHECKING:
    from .decorator import JobFunction
    from .job import Job


class JobStorage:
    """What keeps jobs."""

    def store(self, job: Job) -> None:
        """Store a job, or what has changed of it."""
        raise NotImplementedError

    def load(self, job_uuid: str) -> Job:
        """Return a stored job."""
        raise NotImplementedError

    def exists(self, job_uuid: str) -> bool:
        """Tell whether a job is stored."""
        raise NotImplementedError


class OpenERPJobStorage(JobStorage):
    """Keeps jobs in the database of a session.

    :param session: whose transaction and user it uses
    """

    def __init__(self, session: ConnectorSession) -> None:
        self.session = session

    def enqueue(
        self,
        func: JobFunction,
        model_name: str | None = None,
        args: tuple | None = None,
        kwargs: dict | None = None,
        priority: int | None = None,
        eta: Any = None,
        max_retries: int | None = None,
        description: str | None = None,
    ) -> str:
        """Store a call of a job function.

        :param func: a function with ``@job``
        :param model_name: put before ``args``, when given
        :param args: positional arguments
        :param kwargs: keyword arguments
        :param priority: lower first
        :param eta: not before: seconds, timedelta or datetime
        :param max_retries: tries allowed; 0 is no limit
        :param description: for the screen
        :return: uuid of the job
        """
        options = {
            "priority": priority,
            "eta": eta,
            "max_retries": max_retries,
            "description": description,
        }
        args = ((model_name,) if model_name else ()) + tuple(args or ())
        return self.session.env["queue.job"]._delay(func, args, kwargs or {}, options).uuid

    def enqueue_resolve_args(self, func: JobFunction, *args: Any, **kwargs: Any) -> str:
        """Store a call of a job function; the options of the queue are among ``kwargs``.

        :return: uuid of the job
        """
        return func.delay(self.session, *args, **kwargs).uuid

    def exists(self, job_uuid: str) -> bool:
        """Tell whether a job is stored."""
        return bool(self.db_record_from_uuid(job_uuid))

    def db_record_from_uuid(self, job_uuid: str) -> models.BaseModel:
        """Return the record of a job, empty when it is not stored."""
        return self.session.env["queue.job"].sudo().search([("uuid", "=", job_uuid)], limit=1)

    def db_record(self, job: Job) -> models.BaseModel:
        """Return the record of a job, empty when it is not stored."""
        return self.db_record_from_uuid(job.uuid)

    def store(self, job: Job) -> None:
        """Store a job, or what has changed of it."""
        job.store()

    def load(self, job_uuid: str) -> Job:
        """Return a stored job.

        :raises NoSuchJobError: when there is none with this uuid
        """
        # The module of jobs has this one's names as well.
        from .job import Job

        return Job.load(self.session.env, job_uuid)


def whitelist_unpickle_global(fn_or_class: Any) -> Any:
    """Return what it is given: nothing is unpickled any more, so there is nothing to allow.

    Arguments are JSON; what it cannot carry is refused by ``delay``, with its place.
    """
    return fn_or_class
