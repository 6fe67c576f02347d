"""A job: one call of a method or function, with what the queue needs to know of it."""

from __future__ import annotations

import datetime as dt
import uuid as uuids
from typing import Any

from odoo import api, models

from .core.channels import full_name
from .core.retry import RETRY_INTERVAL
from .core.states import JobState
from .decorator import JOB_REGISTRY, JobFunction, job
from .exception import NoSuchJobError
from .fields import decode_records, encode, encode_records
from .identity import identity_exact, identity_exact_hasher
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
    "Job",
    "identity_exact",
    "identity_exact_hasher",
    "job",
]

WAIT_DEPENDENCIES = JobState.WAIT_DEPENDENCIES.value
PENDING = JobState.PENDING.value
ENQUEUED = JobState.ENQUEUED.value
STARTED = JobState.STARTED.value
DONE = JobState.DONE.value
CANCELLED = JobState.CANCELLED.value
FAILED = JobState.FAILED.value

STATES = [
    (WAIT_DEPENDENCIES, "Wait Dependencies"),
    (PENDING, "Pending"),
    (ENQUEUED, "Enqueued"),
    (STARTED, "Started"),
    (DONE, "Done"),
    (CANCELLED, "Cancelled"),
    (FAILED, "Failed"),
]

STORED_ATTRIBUTES = (
    "graph_uuid",
    "date_created",
    "date_enqueued",
    "date_started",
    "date_done",
    "date_cancelled",
    "exec_time",
    "worker_pid",
    "result",
    "exc_name",
    "exc_message",
    "exc_info",
)
"""What the engine writes on a job, and a loaded one shows."""

TEXT_LIMIT = 10_000
"""Characters of a call as text: more than anybody reads, and a list of jobs stays quick."""

DEFAULT_PRIORITY = 10
DEFAULT_MAX_RETRIES = 5


class Job:
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
    ) -> None:
        self.recordset, self.method_name = _target(func, env)
        if kwargs is not None and not isinstance(kwargs, dict):
            raise TypeError(f"kwargs of a job must be a dict, not {type(kwargs).__name__}")
        self._function = func
        self.args = tuple(args or ())
        self.kwargs = kwargs or {}
        self.uuid = job_uuid or str(uuids.uuid4())
        self.state = PENDING
        self.priority = DEFAULT_PRIORITY if priority is None else priority
        self.eta = eta
        self.max_retries = DEFAULT_MAX_RETRIES if max_retries is None else max_retries
        self.retry = 0
        self._description = description
        self._channel = full_name(channel) if channel else None
        self._identity_key = identity_key
        for name in STORED_ATTRIBUTES:
            setattr(self, name, None)
        self.date_created = _utcnow()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self.uuid == other.uuid

    def __hash__(self) -> int:
        return hash(self.uuid)

    def __repr__(self) -> str:
        return f"<Job {self.uuid}, priority:{self.priority}>"

    @property
    def env(self) -> api.Environment:
        """Environment of the records."""
        return self.recordset.env

    @property
    def model_name(self) -> str | None:
        """Model of the records; none for a module-level function."""
        return None if isinstance(self._function, JobFunction) else self.recordset._name

    @property
    def job_function_name(self) -> str:
        """``<model>.method``, or ``module.function``."""
        return f"<{self.model_name}>.{self.method_name}" if self.model_name else self.method_name

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
        return lines[0] if lines else self.job_function_name

    @property
    def func_string(self) -> str:
        """The call as text."""
        parts = [repr(arg) for arg in self.args]
        parts += [f"{name}={value!r}" for name, value in self.kwargs.items()]
        target = f"{self.recordset}." if self.model_name else ""
        return f"{target}{self.method_name}({', '.join(parts)})"[:TEXT_LIMIT]

    @property
    def user_id(self) -> int:
        """Id of the user whose rights the job has."""
        return self.env.uid

    @property
    def company_id(self) -> int:
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

    @property
    def eta(self) -> dt.datetime | None:
        """Not before this time, naive UTC."""
        return self._eta

    @eta.setter
    def eta(self, value: Any) -> None:
        self._eta = _as_utc(value)

    @classmethod
    def load(cls, env: api.Environment, job_uuid: str) -> Job:
        """Return a stored job.

        :raises NoSuchJobError: when there is none with this uuid
        """
        record = cls.db_records_from_uuids(env, [job_uuid])
        if not record:
            raise NoSuchJobError(f"Job {job_uuid} does not exist in the database")
        return cls._load_from_db_record(record)

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
        )
        for name in STORED_ATTRIBUTES:
            setattr(loaded, name, record[name] or None)
        loaded.state, loaded.retry = record.state, record.retry
        return loaded

    @staticmethod
    def db_records_from_uuids(env: api.Environment, job_uuids: list[str]) -> models.BaseModel:
        """Return the records of stored jobs."""
        return env["queue.job"].sudo().search([("uuid", "in", list(job_uuids))])

    def db_record(self) -> models.BaseModel:
        """Return the record of the job."""
        return self.db_records_from_uuids(self.env, [self.uuid])

    def store(self) -> None:
        """Store the job in the caller's transaction."""
        enqueue.insert(self.env.cr, [self._store_values()])

    def _store_values(self) -> dict[str, Any]:
        """Return the columns of a new row."""
        config = self.job_config
        extra = self.recordset._job_store_values(self)
        return {
            **extra,
            "uuid": self.uuid,
            "graph_uuid": self.graph_uuid,
            "name": self.description,
            "model_name": self.model_name,
            "method_name": self.method_name,
            "channel_method_name": self.job_function_name,
            "job_function_id": config.job_function_id,
            "func_string": self.func_string,
            "records": enqueue.json(encode_records(self.recordset)),
            "args": enqueue.json(encode(list(self.args), "args")),
            "kwargs": enqueue.json(encode(self.kwargs, "kwargs")),
            "state": self.state,
            "priority": self.priority,
            "eta": self.eta,
            "scheduled": False,
            "date_created": self.date_created,
            "retry": 0,
            "attempt": 0,
            "lost": 0,
            "max_retries": self.max_retries,
            "user_id": self.user_id,
            "company_id": self.company_id,
            "channel": self._channel or config.channel,
            "identity_key": self.identity_key,
        }


def _target(func: Any, env: api.Environment | None) -> tuple[models.BaseModel, str]:
    """Return the records that a job runs on and the name of what it calls."""
    if isinstance(func, JobFunction) and env is not None:
        return env["base"], func.job_function_name
    records = getattr(func, "__self__", None)
    if not isinstance(records, models.BaseModel):
        raise TypeError("a job is a method of a model or a module-level function with @job")
    return records, func.__name__


def _as_utc(value: Any) -> dt.datetime | None:
    """Return a time as naive UTC.

    :param value: datetime (aware, or naive in UTC), timedelta, seconds from now, or nothing
    """
    if not value:
        return None
    if isinstance(value, (int, float)):
        value = dt.timedelta(seconds=value)
    if isinstance(value, dt.timedelta):
        return _utcnow() + value
    return value.astimezone(dt.timezone.utc).replace(tzinfo=None) if value.tzinfo else value


def _utcnow() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
