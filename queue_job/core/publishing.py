"""When the leader asks Odoo to tell open dashboards what is new.

Nobody looks: never. Somebody does: when something has happened, once a second at most, and less
often where telling takes long; and now and then although nothing has, so that who looks knows that
the queue is alive.
"""

from __future__ import annotations

import math

PACE_SECONDS = 1.05
"""Least time between two messages; a little more than the second below which they are refused."""

QUIET_SECONDS = 5.0
"""Time between two messages while nothing happens."""

SHARE = 10
"""Telling may take one part in so many of an HTTP worker's time."""

TROUBLE_SECONDS = 30.0
"""Pause after it could not be told; dashboards ask by themselves meanwhile."""


class Publishing:
    """Decides when to tell; the caller tells, and says how it went."""

    def __init__(self) -> None:
        self._until = -math.inf
        self._sent = -math.inf
        self._earliest = -math.inf
        self._news = False
        self._out = False

    def watch(self, now: float, seconds: float) -> None:
        """Learn that somebody looks, for so many seconds at least."""
        self._news |= now >= self._until
        self._until = now + seconds

    def note(self) -> None:
        """Note that something has happened."""
        self._news = True

    def due(self, now: float) -> float:
        """Return when to tell next; infinity for never."""
        if self._out or now >= self._until:
            return math.inf
        quiet = 0.0 if self._news else QUIET_SECONDS
        return max(self._earliest, self._sent + quiet)

    def sent(self, now: float) -> None:
        """Note that a message is on its way: there is none beside it."""
        self._sent, self._out, self._news = now, True, False

    def answered(self, now: float, *, told: bool) -> None:
        """Note that it arrived, or did not."""
        if not self._out:
            # It was an earlier leader's.
            return
        self._out = False
        took = now - self._sent
        self._earliest = self._sent + max(PACE_SECONDS, SHARE * took)
        if not told:
            self._earliest = now + TROUBLE_SECONDS
