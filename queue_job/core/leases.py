"""A lease, and how many jobs go into one.

A request to Odoo costs milliseconds before any job runs, so a lease carries several jobs when they
are known to be short, and one when they are long or unknown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

LEASE_SECONDS = 0.5
"""How long a lease should last: long enough to pay for its request, short enough that an urgent
job never waits noticeably for a slot."""

LEASE_JOBS = 100
"""Most jobs in a lease, however short they are; beyond this the request costs next to nothing."""

OVERDUE_SECONDS = 2 * LEASE_SECONDS
"""Age at which the jobs of a lease that no worker has started are taken back: one of them is
slower than was expected, and those behind it must not wait for it."""

SMOOTHING = 0.3
"""Weight of the newest duration in the running mean of a function."""


@dataclass(frozen=True, order=True)
class JobRef:
    """What the scheduler knows of a job; sorts in the order in which jobs are to run.

    :param priority: lower first
    :param id: number of the row, which stands for its age
    :param channel: full name, as stored
    :param function: name of the job function, by which durations are remembered
    :param attempt: number of the attempt, the fence
    :param linked: others may wait for it
    :param key: reserved for limits per company, record or shop
    """

    priority: int
    id: int
    channel: str = field(compare=False)
    function: str = field(compare=False, default="")
    attempt: int = field(compare=False, default=0)
    linked: bool = field(compare=False, default=False)
    key: str | None = field(compare=False, default=None)

    @property
    def place(self) -> tuple[int, int]:
        """Where the job stands in the order of its channel."""
        return (self.priority, self.id)


@dataclass(frozen=True)
class Lease:
    """Jobs of one channel, given to one slot in one request.

    :param number: distinguishes the leases of one scheduler
    :param channel: full name of the channel that they share
    :param jobs: in the order in which they are to run
    :param opened: when it was decided, in seconds of the caller's clock
    :param recalled: when what no worker had started was last taken back, by the same clock
    """

    number: int
    channel: str
    jobs: tuple[JobRef, ...]
    opened: float
    recalled: float | None = None

    @property
    def has_waiting(self) -> bool:
        """Tell whether jobs behind the first may not have been started, and can be taken back."""
        return len(self.jobs) > 1 and self.recalled is None

    @property
    def overdue(self) -> float:
        """When the lease is to be recalled; never, when nothing waits behind its first job.

        Again and again, for somebody may have held what waits, but each time after twice as long:
        jobs that have ended in it are not known here, and look the same.
        """
        if len(self.jobs) < 2:
            return math.inf
        last = self.opened if self.recalled is None else self.recalled
        return last + max(OVERDUE_SECONDS, last - self.opened)


class Durations:
    """The observed duration of each job function, as a running mean in seconds."""

    def __init__(self) -> None:
        self._means: dict[str, float] = {}

    def observe(self, function: str, seconds: float) -> None:
        """Take a finished run into account; a slow one counts at once, quick ones by and by."""
        mean = self._means.get(function, seconds)
        smoothed = mean + SMOOTHING * (seconds - mean)
        self._means[function] = max(seconds, smoothed) if seconds > LEASE_SECONDS else smoothed

    def expected(self, function: str) -> float:
        """Return the seconds that a run should take; an unknown one fills a lease alone."""
        return self._means.get(function, LEASE_SECONDS)


def pack(jobs: Iterable[JobRef], durations: Durations, most: int) -> list[JobRef]:
    """Return the first of ``jobs`` that fit into one lease.

    They are of one priority: an urgent job is not slowed down by what it passes.

    :param jobs: ready jobs of one channel, in order
    :param most: upper limit on their number; at least one job is returned if there is any
    """
    packed: list[JobRef] = []
    budget = LEASE_SECONDS
    for job in jobs:
        budget -= durations.expected(job.function)
        full = budget < 0 or len(packed) >= min(most, LEASE_JOBS)
        if packed and (full or job.priority != packed[0].priority):
            break
        packed.append(job)
    return packed
