"""What becomes of a job that ended with an error.

The decision is a value; the executor applies it. Three things send a job back, and each has a
counter and a limit of its own: a try that asked for another one, a conflict between transactions,
and the job's own wish to come back later, which is no try at all. The loss of a worker is the
fourth, of which the runner learns. ``retry`` counts the tries begun, this one included, so that
``max_retries=5`` means five executions; the other numbers count this time as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .backoff import Backoff, Draw, Interval, Policy, draw_seconds, pattern_seconds
from .quoting import shown

CONFLICT_TRIES = 5
"""Tries of one job in the worker, without giving its turn away, when PostgreSQL reports a conflict
between transactions. Odoo gives a request as many."""

CONFLICT_LIMIT = 10
"""Times in a row that a job may give its turn away after all these tries; the last one fails it."""

LOST_LIMIT = 3
"""Times that a job may lose its worker before it is failed: it may be what kills them."""

SNOOZE_LIMIT = 1_000
"""Times that a job may ask to come back later, unless it names another limit; the last one fails
it, so that none goes round for ever unseen."""


class Pause(str, Enum):
    """Why a job comes back later; the values are what its attempt is stored as."""

    RETRY = "postponed"
    """It asked for another try."""
    SNOOZE = "snoozed"
    """It asked to come back later, which is no try."""
    CONFLICT = "conflict"
    """Its transaction conflicted with others, again and again."""

    @property
    def counted(self) -> bool:
        """Tell whether the try counts towards ``max_retries``."""
        return self is Pause.RETRY


@dataclass(frozen=True)
class Postpone:
    """Come back later.

    :param seconds: time to wait
    :param message: why, for the screen
    :param pause: what it counts as
    """

    seconds: float
    message: str
    pause: Pause = Pause.RETRY

    @property
    def counted(self) -> bool:
        """Tell whether the try counts towards ``max_retries``."""
        return self.pause.counted


@dataclass(frozen=True)
class Exhausted:
    """No try is left.

    :param message: why, for the screen
    """

    message: str


CONFLICT_BACKOFF = Backoff(first=3, factor=1.5, most=60, jitter=2 / 3)
"""Before a job comes back after its last try in the worker: one to five seconds the first time,
some minutes in all."""


def check_retry_on(errors: object) -> tuple[type[Exception], ...]:
    """Return the classes of errors after which a job is tried again.

    :param errors: a class of exceptions, or several
    :raises TypeError: naming what is no such class
    """
    found = tuple(errors) if isinstance(errors, (tuple, list, set, frozenset)) else (errors,)
    for error in found:
        if not (isinstance(error, type) and issubclass(error, Exception)):
            raise TypeError(
                f"retry_on: {shown(error)} is no class of exceptions: "
                "give some, such as (ConnectionError, TimeoutError)"
            )
    return found


def decide_retry(
    *,
    message: str,
    retry: int,
    max_retries: int,
    pattern: Policy,
    draw: Draw,
    seconds: Interval | None = None,
) -> Postpone | Exhausted:
    """Decide what follows a :class:`RetryableError`.

    :param message: the text of the error
    :param retry: tries begun, this one included
    :param max_retries: tries allowed; 0 is no limit
    :param pattern: how long to wait after which try
    :param draw: draws a number between two bounds
    :param seconds: what the error itself asks for, before any pattern
    """
    if max_retries and retry >= max_retries:
        return Exhausted(f"Max. retries ({max_retries}) reached: {message}")
    return Postpone(_asked(seconds, pattern, retry, draw), message)


def decide_snooze(
    *,
    message: str,
    snoozes: int,
    limit: int,
    retry: int,
    pattern: Policy,
    draw: Draw,
    seconds: Interval | None = None,
) -> Postpone | Exhausted:
    """Decide what follows a job's wish to come back later.

    :param message: why it has the wish
    :param snoozes: how often it had it, this time included
    :param limit: how often it may; 0 is no limit
    :param retry: tries begun, this one included, which is given back
    :param pattern: how long to wait after which try
    :param draw: draws a number between two bounds
    :param seconds: what the job asks for, before any pattern
    """
    if limit and snoozes > limit:
        return Exhausted(f"Snoozed {limit} times, and that is its limit: {message}")
    return Postpone(_asked(seconds, pattern, retry, draw), message, Pause.SNOOZE)


def decide_conflict(
    *, message: str, conflicts: int, draw: Draw, limit: int = CONFLICT_LIMIT
) -> Postpone | Exhausted:
    """Decide what follows when all the tries in the worker have met a conflict.

    :param message: what PostgreSQL says
    :param conflicts: how often that has happened, one time after the other, this time included
    :param limit: how often it may
    :param draw: draws a number between two bounds
    """
    if conflicts >= limit:
        return Exhausted(f"Max. conflicts ({limit}) reached: {message}")
    return Postpone(CONFLICT_BACKOFF.seconds(conflicts, draw), message, Pause.CONFLICT)


def _asked(seconds: Interval | None, pattern: Policy, retry: int, draw: Draw) -> float:
    """Return the seconds that an error asks for, else those that the pattern gives."""
    if seconds is None:
        return pattern_seconds(pattern, retry, draw)
    return draw_seconds(seconds, draw)
