"""How a running job is stopped: gently at first, by force in the end; and what becomes of others.

Who stops it stands beside it and acts by the clock: an exception in the job, then the end of the
statement that it waits for, both again while the job takes no notice, and after a time of grace the
end of its worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from .backoff import MOST_SECONDS
from .quoting import shown

ROUND_SECONDS = 1.0
"""After which a job that swallowed the exception is given it again."""

STATEMENT_SECONDS = 0.3
"""How long in each round the exception has before the statement is broken off: code that is in
PostgreSQL does not see it."""

GRACE_SECONDS = 10.0
"""How long a job may clean up, or take no notice, before its worker is ended."""


class Cause(str, Enum):
    """Why a running job is stopped."""

    CANCELLED = "cancelled"
    """Somebody asked for it."""
    TIMEOUT = "timeout"
    """It is beyond its time limit."""
    MEMORY = "memory"
    """It is beyond its memory limit."""


class OnParentStop(str, Enum):
    """What a job does when one that it waits for is stopped."""

    CANCEL = "cancel"
    """It is cancelled with it, also when it was stopped at a limit."""
    WAIT = "wait"
    """It goes on waiting, also when it was cancelled, until somebody sees to that one."""


DEFAULT = ""
"""Stands for a job that says nothing: it is cancelled with one that somebody cancels, and waits for
one that was stopped at a limit, which is failed and may be requeued."""


def check_timeout(seconds: object) -> float | None:
    """Return a time limit in seconds, ``None`` for none.

    :raises ValueError: when it is no number above 0
    """
    if seconds is None or seconds is False or seconds == 0:
        return None
    if not isinstance(seconds, (int, float)) or not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f"time limit: {shown(seconds)} is no number of seconds above 0")
    return float(seconds)


def check_on_parent_stop(value: object) -> str | None:
    """Return what a job does when one that it waits for is stopped; ``None`` when it says nothing.

    :raises ValueError: when it is neither ``cancel`` nor ``wait``
    """
    if value is None or value is False or value == DEFAULT:
        return None
    try:
        return OnParentStop(value).value
    except ValueError:
        raise ValueError(f"on_parent_stop: {shown(value)} is neither 'cancel' nor 'wait'") from None


def given_up_with(cause: Cause) -> list[str]:
    """Return what those jobs say that are cancelled with one they wait for.

    :param cause: why that one was stopped
    """
    if cause is Cause.CANCELLED:
        return [DEFAULT, OnParentStop.CANCEL.value]
    return [OnParentStop.CANCEL.value]


@dataclass(frozen=True)
class Stop:
    """That a job is to stop.

    :param cause: why
    :param text: the same in words, with who asked for it or which limit it is
    """

    cause: Cause
    text: str


class Means(Enum):
    """What is done about a job that is to stop."""

    RAISE = "raise"
    """An exception in its code."""
    BREAK_STATEMENT = "break statement"
    """PostgreSQL ends the statement that it waits for."""
    END_WORKER = "end worker"
    """Its process is killed."""


class Escalation:
    """The means that are due, one after the other.

    :param began: seconds, of any clock that does not go back, when the job was to stop
    :param grace: seconds until the worker is ended
    :ivar worker_ends: when that is, by the same clock
    """

    def __init__(self, began: float, grace: float = GRACE_SECONDS) -> None:
        rounds = max(1, int(grace / ROUND_SECONDS))
        self.worker_ends = began + max(grace, rounds * ROUND_SECONDS)
        self._plan = _plan(began, rounds, self.worker_ends)
        self._next = next(self._plan)

    def due(self, now: float) -> list[Means]:
        """Return what is to be done now; what was due earlier and not asked for is done once."""
        means: dict[Means, None] = {}
        while self._next[0] <= now:
            means[self._next[1]] = None
            self._next = next(self._plan)
        return list(means)


def _plan(began: float, rounds: int, worker_ends: float) -> Iterator[tuple[float, Means]]:
    for number in range(rounds):
        yield began + number * ROUND_SECONDS, Means.RAISE
        yield began + number * ROUND_SECONDS + STATEMENT_SECONDS, Means.BREAK_STATEMENT
    yield worker_ends, Means.END_WORKER
    yield float("inf"), Means.END_WORKER
