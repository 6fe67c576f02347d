"""``with_delay``: the community addon's way to write a job.

Both ways meet in :class:`~.job.Job` and are stored by the same statement.
"""

from __future__ import annotations

from typing import Any

from odoo import models


class DelayableRecordset:
    """Records whose method calls become jobs.

    :param recordset: the records
    :param options: options of the queue, see :meth:`~.decorator.JobFunction.delay`
    """

    __slots__ = ("_options", "recordset")

    def __init__(self, recordset: models.BaseModel, **options: Any) -> None:
        self.recordset = recordset
        self._options = options

    def __getattr__(self, name: str) -> Any:
        if name in self.recordset._fields:
            raise AttributeError(f"only methods can be delayed, {name!r} is a field")
        method = getattr(self.recordset, name)
        if not callable(method):
            raise AttributeError(f"only methods can be delayed, {name!r} is not callable")

        def delay(*args: Any, **kwargs: Any) -> Any:
            return self.recordset.env["queue.job"]._delay(method, args, kwargs, self._options)

        return delay

    def __repr__(self) -> str:
        return f"DelayableRecordset({self.recordset})"
