"""The places in which leases run, shared by all databases of a runner.

There are as many as HTTP workers, so that a lease never waits behind another for a worker while the
jobs in it could run elsewhere. Databases get them in turn.
"""

from __future__ import annotations

import math
import threading
import time
from typing import Protocol

PROMISE_SECONDS = 0.1
"""How long a free place is kept for the database whose turn it is. One that does not answer by then
is slow or stuck, and must not hold up the others."""


class Owner(Protocol):
    """Who asks for slots."""

    def wake(self) -> None:
        """Learn that a slot is free."""


class Slots:
    """Counts free places, and who waits for one.

    :param count: places in all
    """

    def __init__(self, count: int) -> None:
        self._guard = threading.Lock()
        self._free = count
        self._line: dict[Owner, float] = {}
        """Who waits, first come first; until when a place is promised to them."""

    def has_room(self, owner: Owner) -> bool:
        """Tell whether :meth:`take` would give anything now."""
        with self._guard:
            return self._room(owner) > 0

    def take(self, owner: Owner) -> int:
        """Take every free place that is not promised to another, and leave the line."""
        with self._guard:
            number = self._room(owner)
            self._line.pop(owner, None)
            self._free -= number
            return number

    def settle(self, owner: Owner, unused: int, *, more: bool) -> None:
        """Give back what was taken and not needed.

        :param more: wait in line for further places
        """
        with self._guard:
            self._free += unused
            if more:
                self._line.setdefault(owner, 0.0)
            else:
                self._line.pop(owner, None)
            self._call()

    def give_back(self) -> None:
        """Free one place: a lease has ended."""
        with self._guard:
            self._free += 1
            self._call()

    def lapse(self, owner: Owner) -> float:
        """Return when a place that is promised to another may be had; infinity for none."""
        with self._guard:
            now = time.monotonic()
            promises = [u for other, u in self._line.items() if u > now and other != owner]
            return min(promises, default=math.inf) if self._free else math.inf

    def _room(self, owner: Owner) -> int:
        now = time.monotonic()
        promised = sum(until > now for other, until in self._line.items() if other != owner)
        return max(0, self._free - promised)

    def _call(self) -> None:
        """Promise the free places to the first in line; who did not come goes to its end."""
        now = time.monotonic()
        late = [owner for owner, until in self._line.items() if 0.0 < until <= now]
        for owner in late:
            del self._line[owner]
            self._line[owner] = 0.0
        for owner in list(self._line)[: self._free]:
            if not self._line[owner]:
                self._line[owner] = now + PROMISE_SECONDS
                owner.wake()
