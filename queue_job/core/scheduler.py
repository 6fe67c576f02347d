"""Which jobs may start now: the channel tree of one database.

The scheduler sees a window of ready jobs per channel and the open leases. It answers two questions:
which leases may open now, and when time alone will change that answer. It reads no clock and stores
nothing; a new leader builds it afresh from the table.
"""

from __future__ import annotations

import math
from bisect import insort
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from .channels import ROOT, ChannelConfig, ancestors
from .leases import Durations, JobRef, Lease, pack

WINDOW = 500
"""Ready jobs of a channel that the runner holds: enough for several leases, however many wait."""

Place = tuple[int, int]
"""Priority and id: where a job stands in the order of its channel."""


@dataclass
class Channel:
    """A node of the tree while the runner lives.

    :param config: what the configuration says; a channel it does not name has no limits
    :param parent: the channel above; an unknown channel hangs under its nearest configured one
    """

    config: ChannelConfig
    parent: Channel | None
    children: list[Channel] = field(default_factory=list)
    window: deque[JobRef] = field(default_factory=deque)
    truncated: bool = False
    """More jobs were ready than the window took."""
    held: Place | None = None
    """First place of a job that waits for its retry, or went back to the table."""
    running: int = 0
    """Open leases here and below."""
    started: float = -math.inf
    """When a lease was last opened here or below."""

    @property
    def room(self) -> float:
        """Leases that may still open, not asking the channels above."""
        if self.config.paused:
            return 0
        return math.inf if self.config.capacity is None else self.config.capacity - self.running

    @property
    def opens(self) -> float:
        """When the throttle lets the next job start."""
        return self.started + self.config.throttle if self.config.throttle else -math.inf

    @property
    def one_by_one(self) -> bool:
        """Tell whether each start has to be decided on its own."""
        return self.config.sequential or self.config.throttle > 0

    def upwards(self) -> Iterator[Channel]:
        """Yield the channel and those above it."""
        node: Channel | None = self
        while node:
            yield node
            node = node.parent

    def subtree(self) -> Iterator[Channel]:
        """Yield the channel and those below it."""
        yield self
        for child in self.children:
            yield from child.subtree()

    def firsts(self) -> Iterator[Place]:
        """Yield the first places of what is to run in the channel: ready, or after a retry."""
        if self.window:
            yield self.window[0].place
        if self.held is not None:
            yield self.held

    def hold(self, place: Place) -> None:
        """Let nothing pass this place where order is strict, until the windows are read again."""
        self.held = min(place, self.held or place)

    def best(self, now: float) -> Channel | None:
        """Return the channel, here or below, whose first job is next, of those that are open."""
        if self.room <= 0 or self.opens > now:
            return None
        open_below = (child.best(now) for child in self.children)
        choice = [channel for channel in (self, *open_below) if channel and channel.window]
        first = min(choice, key=lambda channel: channel.window[0], default=None)
        return None if first and self._keeps_back(first.window[0]) else first

    def _keeps_back(self, job: JobRef) -> bool:
        """Tell whether, where order is strict, the job would pass one that cannot start yet."""
        if not self.config.sequential:
            return False
        firsts = (place for below in self.subtree() for place in below.firsts())
        return any(place < job.place for place in firsts)


class Scheduler:
    """Decides leases from a window of ready jobs.

    :param channels: configuration by full name, parents first, ``root`` among them
    :param last: number of the newest lease of an earlier leader
    """

    def __init__(self, channels: Mapping[str, ChannelConfig], last: int = 0) -> None:
        self.durations = Durations()
        self.leases: dict[int, Lease] = {}
        self._channels: dict[str, Channel] = {}
        self._configured = frozenset(channels)
        self._numbers = last
        self._passed_over: set[int] = set()
        """Jobs that were read as ready while their lease was open."""
        for config in channels.values():
            self._add(config, self._channels.get(config.name.rpartition(".")[0]))

    # What the runner tells

    def fill(self, ready: Iterable[JobRef], held: Mapping[str, Place]) -> None:
        """Replace the windows by what was just read.

        :param ready: the first :data:`WINDOW` ready jobs of each channel; those of open leases are
            passed over
        :param held: by channel, the first place of a job that waits for its retry, which nothing
            may pass in a sequential channel
        """
        self._forget_windows()
        leased = self._leased()
        read: Counter[str] = Counter()
        for job in sorted(ready):
            channel = self._channel(job.channel)
            read[job.channel] += 1
            channel.truncated = read[job.channel] >= WINDOW
            if job.id in leased:
                self._passed_over.add(job.id)
            else:
                channel.window.append(job)
        for name, place in held.items():
            self._channel(name).held = place

    def add(self, ready: Iterable[JobRef]) -> None:
        """Put single ready jobs where they belong in the windows, between two refills.

        :param ready: jobs just read, known ones among them, or taken out of a lease
        """
        leased = self._leased()
        known = leased.union(job.id for job in self.ready())
        for job in ready:
            if job.id in leased:
                self._passed_over.add(job.id)
            elif job.id not in known:
                known.add(job.id)
                insort(self._channel(job.channel).window, job)

    def adopt(self, job: JobRef, now: float) -> Lease:
        """Count a job that runs already, begun under an earlier leader, as a lease of its own."""
        return self._open(self._channel(job.channel), [job], now)

    def inherit(self, leases: Iterable[Lease]) -> None:
        """Go on counting the leases of an earlier leader that are still out."""
        for lease in leases:
            self.leases[lease.number] = lease
            for node in self._channel(lease.channel).upwards():
                node.running += 1
                node.started = max(node.started, lease.opened)

    def reconfigured(self, channels: Mapping[str, ChannelConfig]) -> Scheduler:
        """Return a scheduler with other channels, which knows what runs; its windows are empty.

        :param channels: configuration by full name, parents first, ``root`` among them
        """
        other = Scheduler(channels, self._numbers)
        other.durations = self.durations
        other.inherit(self.leases.values())
        for name in self._configured & other._configured:
            other._channels[name].started = self._channels[name].started
        return other

    def confirm(self, lease: Lease, attempts: Mapping[int, int]) -> Lease | None:
        """Keep the jobs of a lease that the database really gave.

        :param attempts: number of the attempt by id of the job; an operator took the others
        :return: the lease with its attempts; ``None`` when no job is left, which closes it
        """
        jobs = [replace(job, attempt=attempts[job.id]) for job in lease.jobs if job.id in attempts]
        return self._keep(lease, jobs)

    def recall(self, lease: Lease, ids: Iterable[int], now: float) -> Lease | None:
        """Take the jobs that no worker has started out of a lease.

        :return: what is left of it; ``None`` when that is nothing, which closes it
        """
        gone = set(ids)
        jobs = [job for job in lease.jobs if job.id not in gone]
        return self._keep(replace(lease, recalled=now), jobs)

    def close(self, number: int) -> None:
        """End a lease; its place is free again, in its channel and all above."""
        lease = self.leases.pop(number, None)
        if lease:
            for node in self._channel(lease.channel).upwards():
                node.running -= 1

    # What the runner asks

    def decide(self, now: float, slots: int) -> Iterator[Lease]:
        """Yield the leases that may open now.

        :param now: seconds of a clock that never goes back
        :param slots: places that are free to run a lease
        """
        busy = len(self.leases)
        while slots > 0:
            channel = self._channels[ROOT].best(now)
            if channel is None:
                return
            yield self._open(channel, self._take(channel, slots, busy), now)
            slots -= 1

    def is_full(self) -> bool:
        """Tell whether no lease could open, whatever were ready."""
        return self._channels[ROOT].room <= 0

    def ready(self) -> Iterator[JobRef]:
        """Yield the jobs of every window."""
        for channel in self._channels.values():
            yield from channel.window

    def has_ready(self) -> bool:
        """Tell whether a window holds a job."""
        return any(channel.window for channel in self._channels.values())

    def is_hungry(self) -> bool:
        """Tell whether reading would find ready jobs that the windows should have.

        Half of a window is used up while more jobs were ready than it took, or a job was passed
        over that is not in a lease any more: it ended early in one, and was requeued since.
        """
        return self._has_passed_over() or any(
            channel.truncated and len(channel.window) <= WINDOW // 2
            for channel in self._channels.values()
        )

    def giving_way(self, now: float) -> Lease | None:
        """Return a lease whose end would let a more urgent job start than those it still holds.

        Asked when nothing can open. The one with the least urgent jobs is the first to give way.
        """
        held = [lease for lease in self.leases.values() if lease.has_waiting]
        for lease in sorted(held, key=lambda lease: lease.jobs[-1], reverse=True):
            first = self._first_without(lease, now)
            if first and first.priority < lease.jobs[-1].priority:
                return lease
        return None

    def overdue(self, now: float) -> list[Lease]:
        """Return the leases that last longer than was expected, with jobs behind the first."""
        return [lease for lease in self.leases.values() if lease.overdue <= now]

    def wake_up(self, now: float) -> float:
        """Return when time alone will allow or demand something; infinity for never."""
        overdue = (lease.overdue for lease in self.leases.values())
        return min([self._next_start(now), *overdue])

    # Inside

    def _has_passed_over(self) -> bool:
        return bool(self._passed_over) and not self._passed_over <= self._leased()

    def _leased(self) -> set[int]:
        return {job.id for lease in self.leases.values() for job in lease.jobs}

    def _first_without(self, lease: Lease, now: float) -> JobRef | None:
        """Return the job that could start if a lease were closed."""
        nodes = list(self._channel(lease.channel).upwards())
        for node in nodes:
            node.running -= 1
        channel = self._channels[ROOT].best(now)
        for node in nodes:
            node.running += 1
        return channel.window[0] if channel else None

    def _next_start(self, now: float) -> float:
        """Return when a throttle lets a job start that nothing else keeps from it."""
        root = self._channels[ROOT]
        times = {channel.opens for channel in self._channels.values() if channel.opens > now}
        return next((time for time in sorted(times) if root.best(time)), math.inf)

    def _add(self, config: ChannelConfig, parent: Channel | None) -> Channel:
        channel = Channel(config, parent)
        self._channels[config.name] = channel
        if parent:
            parent.children.append(channel)
        return channel

    def _channel(self, name: str) -> Channel:
        """Return a channel by its name; an unknown one keeps it, below what is configured."""
        if name in self._channels:
            return self._channels[name]
        above = (known for known in ancestors(name) if known in self._configured)
        return self._add(ChannelConfig(name), self._channels[next(above, ROOT)])

    def _forget_windows(self) -> None:
        """Empty the windows, and drop the unconfigured channels that nothing runs in."""
        self._passed_over.clear()
        for name, channel in list(self._channels.items()):
            channel.window.clear()
            channel.held = None
            channel.truncated = False
            if name not in self._configured and not channel.running:
                del self._channels[name]
                if channel.parent:
                    channel.parent.children.remove(channel)

    def _take(self, channel: Channel, slots: int, busy: int) -> list[JobRef]:
        """Take the first jobs of a channel: the share that one of its places should run."""
        if any(node.one_by_one for node in channel.upwards()):
            share = 1
        else:
            share = math.ceil(len(channel.window) / _places(channel, slots, busy))
        jobs = pack(channel.window, self.durations, share)
        for _job in jobs:
            channel.window.popleft()
        return jobs

    def _open(self, channel: Channel, jobs: list[JobRef], now: float) -> Lease:
        self._numbers += 1
        lease = Lease(self._numbers, channel.config.name, tuple(jobs), now)
        self.leases[lease.number] = lease
        for node in channel.upwards():
            node.running += 1
            node.started = now
        return lease

    def _keep(self, lease: Lease, jobs: list[JobRef]) -> Lease | None:
        """Reduce a lease; a job that leaves it keeps its turn until the windows are read again."""
        for job in set(lease.jobs).difference(jobs):
            self._channel(lease.channel).hold(job.place)
        if not jobs or lease.number not in self.leases:
            self.close(lease.number)
            return None
        kept = replace(lease, jobs=tuple(jobs))
        self.leases[lease.number] = kept
        return kept


def _places(channel: Channel, slots: int, busy: int) -> float:
    """Return how many places will share what is ready in a channel.

    :param slots: places that are free
    :param busy: places whose lease will end before long; they count when nothing comes after what
        is ready, or the last lease would still be long when all others have run out of jobs
    """
    soon = 0 if channel.truncated else busy
    return min(slots + soon, *(node.room + min(node.running, soon) for node in channel.upwards()))
