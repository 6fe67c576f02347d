"""The places in which leases run, shared by all databases of a runner.

Each server has as many as HTTP workers, so that a lease never waits behind another for a worker
while the jobs in it could run elsewhere. Databases get them in turn.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

PROMISE_SECONDS = 0.1
"""How long a free place is kept for the database whose turn it is. One that does not answer by then
is slow or stuck, and must not hold up the others."""

WAITS, LATE = 0.0, -1.0
"""What stands for the end of a promise where there is none: not promised anything yet, or promised
and not come. Who is late gets no further promise until it asks: it may be stuck for long."""

ERRANDS_LIMIT = 64
"""Threads at the most for what is asked without jobs."""


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
        self._known: dict[Owner, Counter[str]] = {}
        """By owner, how many places each server has that it knows."""
        self._counts: Counter[str] = Counter()
        self._free: Counter[str] = Counter()
        """By address; below zero while a server that got smaller has more leases than places."""
        self._line: dict[Owner, float] = {}
        """Who waits, first come first; until when a place is promised to them."""

    def resize(self, owner: Owner, counts: Mapping[str, int]) -> int:
        """Say how many places the servers have that an owner knows.

        A server that no owner knows any more has none; its leases may still come back.

        :return: how many leases may be out, those among them for which there is no place any more
        """
        with self._guard:
            self._known[owner] = Counter(counts)
            return self._recount()

    def leave(self, owner: Owner) -> None:
        """Forget an owner, and the servers that nobody else knows."""
        with self._guard:
            self._known.pop(owner, None)
            self._line.pop(owner, None)
            self._recount()

    def _recount(self) -> int:
        """Give each server as many places as whoever knows most of it says."""
        counts: Counter[str] = Counter()
        for known in self._known.values():
            counts |= known
        for server in {*counts, *self._counts}:
            self._free[server] += counts[server] - self._counts[server]
        self._counts = counts
        self._free = Counter({server: free for server, free in self._free.items() if free})
        self._call()
        return counts.total() - sum(min(0, free) for free in self._free.values())

    def errands(self) -> int:
        """Return how many questions without jobs may be out: one of each owner to each server that
        it knows, and the news of its dashboards.
        """
        with self._guard:
            known = sum(len(known) + 1 for known in self._known.values())
            return min(known, ERRANDS_LIMIT)

    def has_room(self, owner: Owner) -> bool:
        """Tell whether :meth:`take` would give anything now."""
        with self._guard:
            if self._line.get(owner) == LATE:
                self._line[owner] = WAITS
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
                self._line.setdefault(owner, WAITS)
            else:
                self._line.pop(owner, None)
            self._call()

    def give_back(self, server: str) -> None:
        """Free one place: a lease has ended."""
        with self._guard:
            self._free[server] += 1
            self._call()

    def remind(self) -> None:
        """Promise places anew that were not taken in time; somebody has to ask for it."""
        with self._guard:
            self._call()

    def lapse(self, owner: Owner) -> float:
        """Return when a place that is promised to another may be had; infinity for none."""
        with self._guard:
            now = time.monotonic()
            promises = [u for other, u in self._line.items() if u > now and other != owner]
            return min(promises, default=math.inf) if self._free_for(owner) else math.inf

    def _free_at(self, servers: Iterable[str]) -> list[int]:
        return [max(0, self._free[server]) for server in servers]

    def _free_for(self, owner: Owner) -> int:
        return sum(self._free_at(owner.servers))

    def _room(self, owner: Owner) -> int:
        now = time.monotonic()
        promised = sum(until > now for other, until in self._line.items() if other != owner)
        return max(0, self._free_for(owner) - promised)

    def _take_one(self, owner: Owner) -> str:
        """Take a place of any server, the more likely the more it has.

        Chance, and not always the one that has most: a job that one server cannot run, whose code
        is older, must come to another some time.
        """
        (server,) = random.choices(owner.servers, self._free_at(owner.servers))
        self._free[server] -= 1
        return server

    def _call(self) -> None:
        """Promise the free places to the first in line; who did not come goes to its end."""
        now = time.monotonic()
        late = [owner for owner, until in self._line.items() if WAITS < until <= now]
        for owner in late:
            del self._line[owner]
            self._line[owner] = LATE
            owner.wake()
        able = [owner for owner in self._line if self._free_for(owner)]
        # Places that nobody in line can use are none: each promise would keep a real one back.
        usable = {server for owner in able for server in owner.servers}
        for owner in able[: sum(self._free_at(usable))]:
            if self._line[owner] == WAITS:
                self._line[owner] = now + PROMISE_SECONDS
                owner.wake()
