"""The servers to which a leader sends leases, and how they answered.

A server that announced itself, or failed, is greeted first: a lease without jobs. Only when it has
answered does it get any, so that no job waits for an address that leads nowhere.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..storage.nodes import Node

AWAY_SECONDS = (0.2, 10.0)
"""Pause after a server could not be used, doubling from the first to the second."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Another machine that answers here only cannot be reached: this would be our own."""


@dataclass
class Server:
    """What the leader knows of one address.

    :param slots: how many leases its workers take at a time
    :param trusted: it has answered since it was last in doubt
    """

    slots: int
    trusted: bool = False
    again: float = -math.inf
    """When it may be asked again."""
    failures: int = 0
    """In a row."""


class Fleet:
    """The servers of one database, as one leader knows them.

    :param own: address at which this runner reaches the workers of its own server
    :param slots: how many there are
    """

    def __init__(self, own: str, slots: int) -> None:
        self._own = own
        self._servers = {own: Server(slots, trusted=True)}
        self._nodes: dict[int, str] = {}
        """Address by number of the node."""

    def update(self, nodes: Iterable[Node], own: int) -> set[str]:
        """Take note of who is there.

        Several servers at one address are behind a load balancer.

        :param nodes: those that have announced themselves
        :param own: number of this one
        :return: the addresses that are gone
        """
        known = list(nodes)
        wanted = self._add_up(known, own)
        self._nodes = {node.id: self._own if node.id == own else node.url for node in known}
        gone = set(self._servers) - set(wanted)
        for url in gone:
            del self._servers[url]
        for url, count in wanted.items():
            self._servers.setdefault(url, Server(count, trusted=url == self._own)).slots = count
        return gone

    def _add_up(self, known: list[Node], own: int) -> dict[str, int]:
        """Return the slots by address; runners that speak for one server count once."""
        hosts = {node.host for node in known if node.id == own}
        slots: Counter[str] = Counter()
        spoken_for: Counter[str] = Counter()
        for node in known:
            url = self._own if node.id == own else node.url
            if node.host not in hosts and urlsplit(url).hostname in LOOPBACK:
                continue
            if node.standalone:
                spoken_for[url] = max(spoken_for[url], node.slots)
            else:
                slots[url] += node.slots
        return {**spoken_for, **slots}

    def nodes_at(self, url: str) -> list[int]:
        """Return the numbers of the nodes at an address."""
        return [number for number, known in self._nodes.items() if known == url]

    def slots(self) -> dict[str, int]:
        """Return how many places each server has."""
        return {url: server.slots for url, server in self._servers.items()}

    def usable(self, now: float) -> tuple[str, ...]:
        """Return the addresses that leases may be sent to, the nearest first."""
        urls = (url for url, s in self._servers.items() if s.trusted and s.again <= now)
        return tuple(sorted(urls, key=lambda url: url != self._own))

    def to_greet(self, now: float) -> list[str]:
        """Return the addresses that are to be greeted now; the answer is waited for."""
        urls = [url for url, s in self._servers.items() if not s.trusted and s.again <= now]
        for url in urls:
            self._servers[url].again = math.inf
        return urls

    def greeted(self, url: str) -> None:
        """Note that a server answered to a greeting, and may be given jobs."""
        server = self._servers.get(url)
        if server:
            server.trusted, server.again = True, -math.inf

    def answered(self, url: str) -> None:
        """Note that a server ran jobs."""
        server = self._servers.get(url)
        if server:
            server.failures = 0

    def failed(self, url: str, now: float) -> None:
        """Note that a server could not be used: it is left alone for a while, then greeted."""
        server = self._servers.get(url)
        if server:
            first, last = AWAY_SECONDS
            server.trusted = False
            server.again = now + min(last, first * 2**server.failures)
            server.failures = min(server.failures + 1, 10)

    def next_change(self, now: float) -> float:
        """Return when a server may be asked again; infinity for never."""
        return min((s.again for s in self._servers.values() if s.again > now), default=math.inf)
