"""The leases of a database that are out, which outlive the connection of the one who sent them.

When PostgreSQL restarts, the locks of all workers are gone, and none of the methods that run has
noticed yet. Their requests are still open: as long as one is, nobody else may run its jobs.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass, field

from ..core.leases import Lease
from .dispatch import Answer


@dataclass
class Flights:
    """What a runner has sent for a database and not heard of again.

    :param leases: by number, as they were decided
    :param servers: by number of the lease, the address to which it was sent
    :param answers: put there by the threads of the slots
    """

    leases: dict[int, Lease] = field(default_factory=dict)
    servers: dict[int, str] = field(default_factory=dict)
    answers: queue.SimpleQueue[Answer] = field(default_factory=queue.SimpleQueue)
    last: int = 0
    """Number of the newest lease; the next leader goes on counting from there."""

    def depart(self, lease: Lease, server: str) -> None:
        """Note that a lease is being sent."""
        self.leases[lease.number] = lease
        self.servers[lease.number] = server
        self.last = max(self.last, lease.number)

    def land(self, number: int) -> None:
        """Note that the request of a lease has ended."""
        self.leases.pop(number, None)
        self.servers.pop(number, None)
