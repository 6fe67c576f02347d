"""The places in which leases run, shared by all databases of a runner.

Each server has as many as HTTP workers, so that a lease never waits behind another for a worker
while the jobs in it could run elsewhere. Databases get them in turn.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Iterable
from typing import Protocol

PROMISE_SECONDS = 0.1
"""How long a free place is kept for the database whose turn it is. One that does not answer by then
is slow or stuck, and must not hold up the others."""


class Owner(Protocol):
    """Who asks for slots."""

    servers: tuple[str, ...]
    """Addresses of the servers that it may use; replaced as a whole, for other threads read it."""

    def wake(self) -> None:
        """Learn that a slot is free."""


class Slots:
    """Counts the free places of each server, and who waits for one."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._counts: dict[str, int] = {}
        self._free: dict[str, int] = {}
        """By address; below zero while a server that got smaller has more leases than places."""
        self._line: dict[Owner, float] = {}
        """Who waits, first come first; until when a place is promised to them."""

    def resize(self, server: str, count: int) -> int:
        """Say how many places a server has; return how many there are in all."""
        with self._guard:
            more = count - self._counts.get(server, 0)
            self._counts[server] = count
            self._free[server] = self._free.get(server, 0) + more
            self._call()
            return sum(self._counts.values())

    def has_room(self, owner: Owner) -> bool:
        """Tell whether :meth:`take` would give anything now."""
        with self._guard:
            return self._room(owner) > 0

    def take(self, owner: Owner) -> list[str]:
        """Take every free place that is not promised to another, and leave the line.

        :return: the server of each, so that few leases are spread over many servers
        """
        with self._guard:
            number = self._room(owner)
            self._line.pop(owner, None)
            return [self._take_one(owner) for _place in range(number)]

    def settle(self, owner: Owner, unused: Iterable[str], *, more: bool) -> None:
        """Give back what was taken and not needed.

        :param more: wait in line for further places
        """
        with self._guard:
            for server in unused:
                self._free[server] += 1
            if more:
                self._line.setdefault(owner, 0.0)
            else:
                self._line.pop(owner, None)
            self._call()

    def give_back(self, server: str) -> None:
        """Free one place: a lease has ended."""
        with self._guard:
            self._free[server] += 1
            self._call()

    def lapse(self, owner: Owner) -> float:
        """Return when a place that is promised to another may be had; infinity for none."""
        with self._guard:
            now = time.monotonic()
            promises = [u for other, u in self._line.items() if u > now and other != owner]
            return min(promises, default=math.inf) if self._free_for(owner) else math.inf

    def _free_for(self, owner: Owner) -> int:
        return sum(max(0, self._free.get(server, 0)) for server in owner.servers)

    def _room(self, owner: Owner) -> int:
        now = time.monotonic()
        promised = sum(until > now for other, until in self._line.items() if other != owner)
        return max(0, self._free_for(owner) - promised)

    def _take_one(self, owner: Owner) -> str:
        """Take a place of any server, the more likely the more it has.

        Chance, and not always the one that has most: a job that one server cannot run, whose code
        is older, must come to another some time.
        """
        free = [max(0, self._free.get(server, 0)) for server in owner.servers]
        (server,) = random.choices(owner.servers, free)
        self._free[server] -= 1
        return server

    def _call(self) -> None:
        """Promise the free places to the first in line; who did not come goes to its end."""
        now = time.monotonic()
        late = [owner for owner, until in self._line.items() if 0.0 < until <= now]
        for owner in late:
            del self._line[owner]
            self._line[owner] = 0.0
        free = sum(max(0, number) for number in self._free.values())
        able = [owner for owner in self._line if self._free_for(owner)]
        for owner in able[:free]:
            if not self._line[owner]:
                self._line[owner] = now + PROMISE_SECONDS
                owner.wake()
