"""Figures of what ran: counted as it is reported, summed by minute, channel and function.

Durations go into buckets whose bounds never change, so that sums of minutes are sums of hours, and
a percentile can be read of any sum. Each bound is twice the one before: a percentile is right
within a factor of two, and closer by the place within its bucket.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .report import Outcome

FIRST_BOUND = 0.001
"""Seconds; the first bucket holds what is quicker."""

BUCKETS = 26
"""The last one is open; it begins at about 4.7 hours."""

NAME_LIMIT = 200
"""Characters of a channel or function that figures are kept by: the key of a row has an end."""

BOUNDS = tuple(FIRST_BOUND * 2**number for number in range(BUCKETS - 1))

ALL = ""
"""Stands where the name of a channel does, for the whole database."""

Key = tuple[int, str, str]
"""Minute since the epoch, full name of the channel, name of the function."""


def bucket_of(seconds: float) -> int:
    """Return the number of the bucket that a duration falls into."""
    if seconds < FIRST_BOUND:
        return 0
    return min(BUCKETS - 1, 1 + math.floor(math.log2(seconds / FIRST_BOUND)))


def percentile(counts: Sequence[int], share: float) -> float | None:
    """Return the duration that a share of all does not go beyond.

    :param counts: by bucket
    :param share: from 0 to 1
    :return: seconds; ``None`` of nothing
    """
    total = sum(counts)
    wanted, seen = share * total, 0
    for number, count in enumerate(counts):
        if count and seen + count >= wanted:
            low = BOUNDS[number - 1] if number else 0.0
            high = BOUNDS[number] if number < len(BOUNDS) else 2 * low
            return low + (high - low) * max(0.0, wanted - seen) / count
        seen += count
    return None


def _buckets() -> list[int]:
    return [0] * BUCKETS


ADDED = ("done", "failed", "postponed", "lost", "cancelled", "seconds", "waited")
"""What of two sums adds up."""


@dataclass
class Sum:
    """What was reported of one minute, channel and function.

    :param run: runs by the bucket of their duration
    :param wait: starts by the bucket of how long the job had been ready
    :param seconds: run in all
    :param waited: seconds that jobs had been ready, in all
    :param memory: MB, the most that one of them has added to its worker
    """

    done: int = 0
    failed: int = 0
    postponed: int = 0
    lost: int = 0
    seconds: float = 0.0
    run: list[int] = field(default_factory=_buckets)
    wait: list[int] = field(default_factory=_buckets)
    waited: float = 0.0
    cancelled: int = 0
    memory: int = 0

    @property
    def calls(self) -> int:
        """Runs that ended for good."""
        return self.done + self.failed

    @property
    def success(self) -> float:
        """Percent of those that were well; 0 of none."""
        return 100 * self.done / self.calls if self.calls else 0.0

    def add(self, other: Sum) -> None:
        """Add another sum to this one."""
        for name in ADDED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.memory = max(self.memory, other.memory)
        self.run = [one + two for one, two in zip(self.run, other.run, strict=True)]
        self.wait = [one + two for one, two in zip(self.wait, other.wait, strict=True)]


def by_channel(sums: Iterable[tuple[Key, Sum]]) -> Iterator[tuple[tuple[int, str], Sum]]:
    """Yield sums by minute and channel, whatever the function, and by minute alone."""
    found: dict[tuple[int, str], Sum] = {}
    for (minute, channel, _function), part in sums:
        for name in {channel, ALL}:
            found.setdefault((minute, name), Sum()).add(part)
    yield from found.items()


COUNTED = {
    Outcome.DONE: "done",
    Outcome.FAILED: "failed",
    Outcome.POSTPONED: "postponed",
    Outcome.LOST: "lost",
    Outcome.CANCELLED: "cancelled",
}
"""Outcomes that are counted; a job that was taken back did not run."""


class Metrics:
    """Sums that were not stored yet."""

    def __init__(self) -> None:
        self._sums: dict[Key, Sum] = {}

    def __bool__(self) -> bool:
        return bool(self._sums)

    def observe(
        self,
        key: Key,
        outcome: Outcome,
        *,
        seconds: float,
        wait: float | None = None,
        memory: int | None = None,
    ) -> None:
        """Count one report.

        :param seconds: how long the job ran
        :param wait: how long it had been ready before; ``None`` when that is not known
        :param memory: MB that it had added to its worker; ``None`` when that is not known
        """
        name = COUNTED.get(outcome)
        if name is None:
            return
        minute, channel, function = key
        key = (minute, channel[:NAME_LIMIT], function[:NAME_LIMIT])
        found = self._sums.setdefault(key, Sum())
        setattr(found, name, getattr(found, name) + 1)
        if outcome is Outcome.LOST:
            return
        found.seconds += seconds
        found.memory = max(found.memory, memory or 0)
        found.run[bucket_of(seconds)] += 1
        if wait is not None:
            found.wait[bucket_of(max(0.0, wait))] += 1
            found.waited += max(0.0, wait)

    def take(self) -> Iterator[tuple[Key, Sum]]:
        """Yield what was counted, and begin anew."""
        sums, self._sums = self._sums, {}
        yield from sums.items()
