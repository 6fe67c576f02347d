"""The row of a job: what is stored of a call, and what other addons have to say about that."""

from __future__ import annotations

from typing import Any

from .fields import encode, encode_records
from .storage import enqueue

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

BASE_MODULE = "odoo.addons.queue_job.models.base"
"""Where the hooks are that do nothing."""

HOOKS = ("_job_store_values", "_job_prepare_context_before_enqueue")
"""What other addons may have to say about a single job."""


class JobRow:
    """The part of :class:`~.job.Job` that knows its columns; the values are set there."""

    def _store_values(self, create: bool = False) -> dict[str, Any]:
        """Return the columns of the row: of a new one, or those that change with time."""
        names = ("state", "priority", "retry", "max_retries", "eta", *STORED_ATTRIBUTES)
        values = {name: getattr(self, name) for name in names}
        if not create:
            return values
        return {**self._store_values_from_model(), **self._call_values(), **values}

    def _call_values(self) -> dict[str, Any]:
        """Return the columns that never change."""
        config = self.job_config
        self._check_on_fail(config.on_fail_method_name)
        key = self.identity_key or None
        return {
            "uuid": self.uuid,
            "name": self.description,
            "model_name": self.model_name,
            "method_name": self.method_name,
            "channel_method_name": self.job_function_name,
            "job_function_id": config.job_function_id,
            "func_string": self.func_string,
            "records": enqueue.as_json(encode_records(self.recordset)),
            "args": enqueue.as_json(encode(list(self._args), "args")),
            "kwargs": enqueue.as_json(encode(self._kwargs, "kwargs", ordered=False)),
            "scheduled": False,
            "attempt": 0,
            "lost": 0,
            "user_id": self.user_id,
            "company_id": self.company_id,
            "channel": self._channel or config.channel,
            "identity_key": key,
            "identity_claim": key,
            "identity_scope": config.identity_scope,
            "timeout": self._timeout or config.timeout,
            "memory_limit": config.memory,
            "on_parent_stop": self._on_parent_stop,
            "traceparent": self.traceparent,
            "linked": self.env["queue.job"]._is_linked(self.recordset) or None,
        }

    @property
    def is_plain(self) -> bool:
        """Tell whether a job that differs in its record or arguments differs in nothing else.

        A key, a hook or an extension of another addon wants to see each.
        """
        own = f"_job_store_values_for_{self.method_name}"
        found = (getattr(type(self.recordset), name, None) for name in (own, *HOOKS))
        hooked = any(hook and hook.__module__ != BASE_MODULE for hook in found)
        extended = self.env["queue.job"]._is_extended("create")
        return self._identity_key is None and not hooked and not extended

    def _check_on_fail(self, name: str | None) -> None:
        """See that the method to be called on failure is there, before it is needed.

        :raises TypeError: when it is not
        """
        if name and not callable(getattr(self.recordset, name, None)):
            raise TypeError(
                f"{self.job_function_name}: {name!r}, to be called on failure, "
                f"is no method of {self.recordset._name}"
            )

    def _store_values_from_model(self) -> dict[str, Any]:
        """Return further columns: what the hook for all jobs says, then that for this method."""
        values = self.recordset._job_store_values(self)
        hook = getattr(self.recordset, f"_job_store_values_for_{self.method_name}", None)
        return {**values, **hook(self)} if hook else values
