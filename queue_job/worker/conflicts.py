"""What to do when a transaction met another: the same again, after a moment."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import psycopg2
from psycopg2 import errorcodes

from odoo.exceptions import ConcurrencyError

from ..core.retry import CONFLICT_TRIES

Result = TypeVar("Result")

PAUSE_SECONDS = 0.1
"""Longest pause before the second try; doubles from try to try."""

CONFLICTS = (
    errorcodes.SERIALIZATION_FAILURE,
    errorcodes.DEADLOCK_DETECTED,
    errorcodes.LOCK_NOT_AVAILABLE,
)

ERRORS = (psycopg2.OperationalError, ConcurrencyError)
"""Errors among which conflicts are."""


def is_conflict(error: BaseException) -> bool:
    """Tell whether the same may go well when it is done again."""
    return isinstance(error, ConcurrencyError) or getattr(error, "pgcode", None) in CONFLICTS


def pause(tries: int) -> None:
    """Wait before the next try, by chance, so that those who met do not meet again.

    :param tries: how many there were
    """
    time.sleep(random.uniform(0, PAUSE_SECONDS * 2 ** (tries - 1)))


def through_conflicts(act: Callable[[], Result], undo: Callable[[], None]) -> Result:
    """Do something; again when it meets another transaction, some times at the most.

    :param act: begins anew each time
    :param undo: rolls back what was done of it
    :raises psycopg2.OperationalError: the last conflict, or what is none
    """
    for number in range(1, CONFLICT_TRIES):
        try:
            return act()
        except ERRORS as error:
            if not is_conflict(error):
                raise
            undo()
        pause(number)
    return act()
