"""Mocks in the place of ``with_delay``, for tests written that way; others set a trap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from odoo import api

from ..decorator import LATER_OPTIONS
from ..delay import Delayable

ADDON = __name__.rpartition(".tests.")[0]


@contextmanager
def mock_with_delay() -> Iterator[tuple[mock.MagicMock, mock.MagicMock]]:
    """Replace what ``with_delay()`` and the ``delay`` of ``@job`` do by mocks (deprecated).

    Use :func:`.trap.trap_jobs`, which knows graphs too and can run what was delayed. ::

        with mock_with_delay() as (delayable_cls, delayable):
            partner.with_delay(priority=15).export("all")
            args, options = delayable_cls.call_args
            # (partner,), {"priority": 15, "eta": None, and so on}
            args, kwargs = delayable.export.call_args
            # ("all",), {}

    :return: a context manager that gives two mocks: of what takes the records and the options, and
        of what takes the call
    """
    delayable = mock.MagicMock(name="delayable")
    recordset = mock.patch(
        f"{ADDON}.models.base.DelayableRecordset",
        name="DelayableRecordset",
        spec=True,
    )
    with recordset as delayable_cls:
        delayable_cls.return_value = delayable
        instead = _delay_call(delayable_cls)
        with mock.patch(f"{ADDON}.models.queue_job_storing.delay_call", instead):
            yield delayable_cls, delayable


SHOWN = tuple(name for name in Delayable._properties if name not in LATER_OPTIONS)
"""Options that a test of another addon expects to see, given or not."""


def _delay_call(delayable_cls: Callable) -> Callable:
    """Return what takes the place of the function behind ``delay``, and does as ``with_delay``."""

    def delay_call(
        env: api.Environment, func: Any, args: tuple, kwargs: dict, options: dict
    ) -> Any:
        records = getattr(func, "__self__", None)
        delayed = delayable_cls(
            env["base"] if records is None else records,
            **{**dict.fromkeys(SHOWN), **options},
        )
        return getattr(delayed, func.__name__)(*args, **kwargs)

    return delay_call
