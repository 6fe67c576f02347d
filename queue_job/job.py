"""A job: one call of a method or function, with what the queue needs to know of it.

``job_row.py`` says what is stored of it, ``job_life.py`` how it runs and what comes of that.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from odoo import api, models

from .core.backoff import RETRY_INTERVAL
from .core.channels import full_name
from .core.identifier import RANDOM_BYTES, time_ordered
from .core.stop import check_on_parent_stop, check_timeout
from .decorator import JOB_REGISTRY, Backoff, JobFunction, job, related_action
from .exception import NoSuchJobError
from .fields import decode_records
from .identity import identity_exact, identity_exact_hasher
from .job_life import JobLife, utcnow
from .job_row import STORED_ATTRIBUTES, JobRow
from .job_states import (
    CANCELLED,
    DONE,
    ENQUEUED,
    FAILED,
    PENDING,
    STARTED,
    STATES,
    WAIT_DEPENDENCIES,
)
from .job_storage import JobStorage, OpenERPJobStorage, whitelist_unpickle_global
from .storage import enqueue

__all__ = [
    "CANCELLED",
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_PRIORITY",
    "DONE",
    "ENQUEUED",
    "FAILED",
    "JOB_REGISTRY",
    "PENDING",
    "RETRY_INTERVAL",
    "STARTED",
    "STATES",
    "WAIT_DEPENDENCIES",
    "Backoff",
    "Job",
    "JobStorage",
    "OpenERPJobStorage",
    "identity_exact",
    "identity_exact_hasher",
    "job",
    "related_action",
    "whitelist_unpickle_global",
]

IDENTITY_SCOPES = [
    ("waiting", "While it waits to be run"),
    ("running", "Until it has ended"),
]
"""How long an identity key keeps other jobs with the same one out."""

TEXT_LIMIT = 10_000
"""Characters of a call as text: more than anybody reads, and a list of jobs stays quick."""

DEFAULT_PRIORITY = 10
DEFAULT_MAX_RETRIES = 5


class Job(JobLife, JobRow):
    """One call to be made in the background.

    :param func: bound method of records, or a module-level job function
    :param args: positional arguments
    :param kwargs: keyword arguments
    :param priority: lower first, 10 when not given
    :param eta: not before: datetime (aware, or naive in UTC), timedelta, or seconds from now
    :param job_uuid: for a job that exists
    :param max_retries: tries allowed, 5 when not given; 0 is no limit
    :param description: for the screen; the first line of the docstring when not given
    :param channel: full name; that of the function when not given
    :param identity_key: text, or a function of the job that returns it
    :param env: environment, for a module-level function
    :param timeout: seconds that it may take; that of the function when not given
    :param on_parent_stop: ``cancel`` or ``wait``, when a job that it waits for is stopped
    :raises TypeError: when ``func`` is neither, or ``kwargs`` is not a dict
    """

    def __init__(
        self,
        func: Any,
        args: tuple | list | None = None,
        kwargs: dict | None = None,
        priority: int | None = None,
        eta: Any = None,
        job_uuid: str | None = None,
        max_retries: int | None = None,
        description: str | None = None,
        channel: str | None = None,
        identity_key: Any = None,
        env: api.Environment | None = None,
        timeout: float | None = None,
        on_parent_stop: str | None = None,
    ) -> None:
        self.recordset, self.method_name = _target(func, env)
        if kwargs is not None and not isinstance(kwargs, dict):
            raise TypeError(f"kwargs of a job must be a dict, not {type(kwargs).__name__}")
        self._function = func
        self.args = tuple(args or ())
        self.kwargs = kwargs or {}
        self.uuid = job_uuid or new_uuids(1)[0]
        self.state = PENDING
        self.priority = DEFAULT_PRIORITY if priority is None else priority
        self.eta = eta
        self.max_retries = DEFAULT_MAX_RETRIES if max_retries is None else max_retries
        self.retry = 0
        self._description = description
        self._channel = full_name(channel) if channel else None
        self._identity_key = identity_key
        self._timeout = check_timeout(timeout)
        self._on_parent_stop = check_on_parent_stop(on_parent_stop)
        self._depends_on: set[Job] | None = None
        self._reverse_depends_on: set[Job] | None = None
        for name in STORED_ATTRIBUTES:
            setattr(self, name, None)
        self.date_created = utcnow()
        self.traceparent: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self.uuid == other.uuid

    def __hash__(self) -> int:
        return hash(self.uuid)

    def __repr__(self) -> str:
        return f"<Job {self.uuid}, priority:{self.priority}>"

    # What it is

    @property
    def env(self) -> api.Environment:
        """Environment of the records."""
        return self.recordset.env

    @property
    def id(self) -> int:
        """Id of the stored record, which code written for records asks for."""
        return self.db_record().id

    @property
    def name(self) -> str:
        """What the record calls the description."""
        return self.description

    @property
    def args(self) -> tuple:
        """Positional arguments; records among them are of the cursor of the job's own."""
        return _rebind_to_cr(self._args, self.env.cr)

    @args.setter
    def args(self, value: tuple) -> None:
        self._args = value

    @property
    def kwargs(self) -> dict:
        """Keyword arguments; records among them are of the cursor of the job's own."""
        return _rebind_to_cr(self._kwargs, self.env.cr)

    @kwargs.setter
    def kwargs(self, value: dict) -> None:
        self._kwargs = value

    @property
    def model_name(self) -> str | None:
        """Model of the records; none for a module-level function."""
        return None if isinstance(self._function, JobFunction) else self.recordset._name

    @property
    def func(self) -> Callable:
        """The call's target, with ``job_uuid`` in its context."""
        records = self.recordset.with_context(job_uuid=self.uuid)
        if isinstance(self._function, JobFunction):
            return lambda *args, **kwargs: self._function.run(records.env, args, kwargs)
        return getattr(records, self.method_name)

    @property
    def func_string(self) -> str:
        """The call as text."""
        parts = [repr(arg) for arg in self.args]
        parts += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        target = f"{self.recordset}." if self.model_name else ""
        return f"{target}{self.method_name}({', '.join(parts)})"[:TEXT_LIMIT]

    @property
    def job_function_name(self) -> str:
        """``<model>.method``, or ``module.function``."""
        return f"<{self.model_name}>.{self.method_name}" if self.model_name else self.method_name

    @property
    def func_name(self) -> str:
        """What connector calls the name of the function."""
        return self.job_function_name

    @property
    def canceled(self) -> bool:
        """Tell whether it was given up."""
        return self.state == CANCELLED

    @property
    def job_config(self) -> Any:
        """What declaration and record say of the function."""
        return self.env["queue.job.function"].job_config(self.job_function_name)

    @property
    def channel(self) -> str:
        """Full name of the channel: the job's own, or that of its function."""
        return self._channel or self.job_config.channel

    @property
    def description(self) -> str:
        """What the screen calls the job."""
        lines = (self._description or self._function.__doc__ or "").strip().splitlines()
        names = filter(None, (self.model_name, self.method_name))
        return lines[0] if lines else ".".join(names)

    @property
    def user_id(self) -> int:
        """Id of the user whose rights the job has."""
        return self.env.uid

    @property
    def company_id(self) -> int | None:
        """Id of the company it belongs to."""
        asked = self.env.context.get("company_id", self.env.company.id)
        if not asked or asked in self.env.companies.ids or self.env.su:
            return asked or None
        return self.env.company.id

    @property
    def identity_key(self) -> str | None:
        """Text that tells whether the same job waits already."""
        if callable(self._identity_key):
            self._identity_key = self._identity_key(self)
        return self._identity_key

    @identity_key.setter
    def identity_key(self, value: Any) -> None:
        self._identity_key = value

    @property
    def eta(self) -> dt.datetime | None:
        """Not before this time, naive UTC."""
        return self._eta

    @eta.setter
    def eta(self, value: Any) -> None:
        self._eta = _as_utc(value)

    @property
    def on_fail_method_name(self) -> str | None:
        """Name of the method of its model to be called when it has failed."""
        return self.job_config.on_fail_method_name

    # Dependencies

    @property
    def depends_on(self) -> set[Job]:
        """Jobs that it waits for."""
        if self._depends_on is None:
            self._depends_on = self._related("dependency_ids")
        return self._depends_on

    @property
    def reverse_depends_on(self) -> set[Job]:
        """Jobs that wait for it."""
        if self._reverse_depends_on is None:
            self._reverse_depends_on = self._related("dependent_ids")
        return self._reverse_depends_on

    def add_depends(self, jobs: Iterable[Job]) -> None:
        """Wait for other jobs.

        :raises ValueError: when the job is among them
        """
        jobs = set(jobs)
        if self in jobs:
            raise ValueError(f"{self} cannot wait for itself")
        self.depends_on.update(jobs)
        for parent in jobs:
            parent.reverse_depends_on.add(self)
        if any(parent.state != DONE for parent in jobs):
            self.state = WAIT_DEPENDENCIES

    def _related(self, field: str) -> set[Job]:
        return {self._load_from_db_record(record) for record in self.db_record()[field]}

    # Loading and storing

    @classmethod
    def load(cls, env: api.Environment, job_uuid: str) -> Job:
        """Return a stored job.

        :raises NoSuchJobError: when there is none with this uuid
        """
        found = cls.load_many(env, [job_uuid])
        if not found:
            raise NoSuchJobError(f"Job {job_uuid} does not exist in the database")
        return found.pop()

    @classmethod
    def load_many(cls, env: api.Environment, job_uuids: Iterable[str]) -> set[Job]:
        """Return those of the jobs that are stored."""
        records = cls.db_records_from_uuids(env, job_uuids)
        return {cls._load_from_db_record(record) for record in records}

    @classmethod
    def _load_from_db_record(cls, record: models.BaseModel) -> Job:
        """Return the job of a ``queue.job`` record.

        :raises AttributeError: when its method is gone
        :raises KeyError: when its model or function is gone
        """
        env = record.env(user=record.user_id.id or record.env.uid, context={}, su=False)
        records = decode_records(record._stored("records"), env)
        function = JOB_REGISTRY[record.method_name] if not record.model_name else None
        loaded = cls(
            function or getattr(records, record.method_name),
            args=record.args,
            kwargs=record.kwargs,
            priority=record.priority,
            eta=record.eta or None,
            job_uuid=record.uuid,
            max_retries=record.max_retries,
            description=record.name,
            channel=record.channel,
            identity_key=record.identity_key or None,
            env=records.env,
            timeout=record.timeout,
        )
        for name in STORED_ATTRIBUTES:
            setattr(loaded, name, record[name] or None)
        loaded.state, loaded.retry = record.state, record.retry
        return loaded

    @staticmethod
    def db_records_from_uuids(env: api.Environment, job_uuids: Iterable[str]) -> models.BaseModel:
        """Return the records of stored jobs, whoever asks."""
        return env["queue.job"].sudo().search([("uuid", "in", list(job_uuids))])

    @staticmethod
    def db_record_from_uuid(env: api.Environment, job_uuid: str) -> models.BaseModel:
        """Return the record of a stored job, whoever asks."""
        return Job.db_records_from_uuids(env, [job_uuid])

    def db_record(self) -> models.BaseModel:
        """Return the record of the job; empty when it is not stored."""
        return self.db_records_from_uuids(self.env, [self.uuid])

    def job_record_with_same_identity_key(self) -> models.BaseModel:
        """Return the record of a job that waits under the same identity key."""
        found = enqueue.find_identities(self.env.cr, filter(None, [self.identity_key]))
        return self.db_records_from_uuids(self.env, found.values())

    def store(self) -> None:
        """Store the job, or what has changed of it, in the caller's transaction.

        The followers of a job that has failed hear of it.
        """
        record = self.db_record()
        if not record:
            self.env["queue.job"]._insert([self])
            return
        has_failed = self.state == FAILED and record.state != FAILED
        record._edit(self._store_values())
        if has_failed:
            record._message_post_on_failure()


def new_uuids(number: int) -> list[str]:
    """Return so many UUIDs for jobs of this moment."""
    return time_ordered(time.time_ns() // 1_000_000, os.urandom(RANDOM_BYTES * number))


def _target(func: Any, env: api.Environment | None) -> tuple[models.BaseModel, str]:
    """Return the records that a job runs on and the name of what it calls."""
    if isinstance(func, JobFunction) and env is not None:
        return env["base"], func.job_function_name
    if not _is_model_method(func):
        raise TypeError("a job is a method of a model or a module-level function with @job")
    return func.__self__, func.__name__


def _is_model_method(func: Any) -> bool:
    """Tell whether this is a method bound to records."""
    return isinstance(getattr(func, "__self__", None), models.BaseModel)


def _rebind_to_cr(value: Any, cr: Any) -> Any:
    """Return a value with the records in it, at any depth, in another cursor."""
    if isinstance(value, models.BaseModel):
        return value if value.env.cr is cr else value.with_env(value.env(cr=cr))
    if isinstance(value, dict):
        return {_rebind_to_cr(key, cr): _rebind_to_cr(item, cr) for key, item in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_rebind_to_cr(item, cr) for item in value)
    return value


def _as_utc(value: Any) -> dt.datetime | None:
    """Return a time as naive UTC.

    :param value: datetime (aware, or naive in UTC), timedelta, seconds from now, or nothing
    """
    if not value:
        return None
    if isinstance(value, (int, float)):
        value = dt.timedelta(seconds=value)
    if isinstance(value, dt.timedelta):
        return utcnow() + value
    return value.astimezone(dt.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
