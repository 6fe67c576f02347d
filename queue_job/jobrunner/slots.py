"""The places in which leases run, shared by all databases of a runner.

There are as many as HTTP workers, so that a lease never waits behind another for a worker while the
jobs in it could run elsewhere. Databases get them in turn.
"""

from __future__ import annotations

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

    def take(self, owner: Owner) -> int:
        """Take every free place that is not promised to another, and leave the line."""
        with self._guard:
            self._line.pop(owner, None)
            now = time.monotonic()
            promised = sum(until > now for until in self._line.values())
            number = max(0, self._free - promised)
            self._free -= number
            return number

    def settle(self, owner: Owner, unused: int, *, more: bool) -> None:
        """Give back what was taken and not needed.

        :param more: wait in line for further places
        """
        with self._guard:
            self._free += unused
            if more:
                self._line[owner] = 0.0
            self._call()

    def give_back(self) -> None:
        """Free one place: a lease has ended."""
        with self._guard:
            self._free += 1
            self._call()

    def leave(self, owner: Owner) -> None:
        """Wait no longer."""
        with self._guard:
            self._line.pop(owner, None)
            self._call()

    def _call(self) -> None:
        """Promise the free places to the first in line."""
        now = time.monotonic()
        for owner in list(self._line)[: self._free]:
            if self._line[owner] <= now:
                self._line[owner] = now + PROMISE_SECONDS
                owner.wake()
