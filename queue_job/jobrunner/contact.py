"""What a leader asks of servers: to run leases, whether they would, and to tell the news.

A server answers in the thread of a slot; the leader takes the answers in its own, and says here
what they show of the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..core.leases import Lease
from ..storage import dispatch, nodes
from .dispatch import PATH, PUBLISH_PATH, Answer, Order
from .fleet import Fleet
from .means import Means
from .slots import Owner

GREETING = 0
"""Number of the lease without jobs that asks a server whether it would take any."""

PUBLISHING = -1
"""Number of the one that asks a server to tell open dashboards what is new."""


class Contact:
    """Sends to the servers of one database, and knows which of them can be used.

    :param cr: cursor of the leader's connection
    :param database: its name
    :param fleet: servers that take leases
    :param means: slots and senders, shared with other databases
    :param heard: called with each answer, in the thread of its slot
    """

    def __init__(
        self, cr: Any, database: str, fleet: Fleet, means: Means, heard: Callable[[Answer], None]
    ) -> None:
        self._cr = cr
        self._database = database
        self._fleet = fleet
        self._slots = means.slots
        self._dispatcher = means.dispatcher
        self._errands = means.errands
        self._heard = heard
        self._secret = dispatch.read_secret(cr)

    # Which servers there are

    def read(self, own: int, owner: Owner) -> set[str]:
        """Learn which servers there are.

        :param own: number by which this runner announced its server
        :param owner: who takes their places
        :return: the addresses that are gone
        """
        gone = self._fleet.update(nodes.read_nodes(self._cr), own)
        # A thread for each lease.
        self._dispatcher.grow(self._slots.resize(owner, self._fleet.slots()))
        self._errands.grow(self._slots.errands())
        return gone

    def usable(self, now: float) -> tuple[str, ...]:
        """Return the addresses that leases may be sent to, the nearest first."""
        return self._fleet.usable(now)

    def next_change(self, now: float) -> float:
        """Return when a server may be asked again; infinity for never."""
        return self._fleet.next_change(now)

    # What is sent

    def greet(self, now: float) -> None:
        """Ask servers that are new, or were in trouble, whether they would take leases."""
        for server in self._fleet.to_greet(now):
            self._errands.send(self._order(server, GREETING, (), self._heard))

    def send(self, lease: Lease, server: str) -> None:
        """Send a lease to the place that was taken for it, which its answer frees."""
        jobs = tuple((job.id, job.attempt) for job in lease.jobs)
        self._dispatcher.send(self._order(server, lease.number, jobs, self._answered))

    def publish(self, server: str) -> None:
        """Ask a server to tell dashboards what is new."""
        order = self._order(server, PUBLISHING, (), self._heard, PUBLISH_PATH)
        self._errands.send(order)

    def _order(
        self,
        server: str,
        number: int,
        jobs: tuple[tuple[int, int], ...],
        done: Callable[[Answer], None],
        path: str = PATH,
    ) -> Order:
        return Order(self._database, self._secret, server, number, jobs, done, path)

    def _answered(self, answer: Answer) -> None:
        """Take the answer to a lease, in the thread of its slot."""
        self._slots.give_back(answer.server)
        self._heard(answer)

    # What the answers show

    def trust(self, server: str) -> None:
        """Give jobs to a server: it has answered to a greeting."""
        self._fleet.greeted(server)
        nodes.tell_trouble(self._cr, self._fleet.nodes_at(server), None)

    def doubt(self, server: str, problem: str) -> None:
        """Send nothing to a server for a while, longer from time to time, until jobs ran there."""
        self._fleet.failed(server, time.monotonic())
        nodes.tell_trouble(self._cr, self._fleet.nodes_at(server), problem)
        # Signed with another secret than the database has by now, perhaps.
        self._secret = dispatch.read_secret(self._cr)

    def approve(self, server: str) -> None:
        """Note that jobs ran on a server."""
        self._fleet.answered(server)
