"""Figures of what ran: counted as it is reported, summed by minute, channel and function.

Durations go into buckets whose bounds never change, so that sums of minutes are sums of hours, and
a percentile can be read of any sum. Each bound is twice the one before: a percentile is right
within a factor of two, and closer by the place within its bucket.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .report import Outcome

FIRST_BOUND = 0.001
"""Seconds; the first bucket holds what is quicker."""

BUCKETS = 26
"""The last one is open; it begins at about 4.7 hours."""

NAME_LIMIT = 200
"""Characters of a channel or function that figures are kept by: the key of a row has an end."""

BOUNDS = tuple(FIRST_BOUND * 2**number for number in range(BUCKETS - 1))

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


@dataclass
class Sum:
    """What was reported of one minute, channel and function.

    :param run: runs by the bucket of their duration
    :param wait: starts by the bucket of how long the job had been ready
    :param seconds: run in all
    """

    done: int = 0
    failed: int = 0
    postponed: int = 0
    lost: int = 0
    seconds: float = 0.0
    run: list[int] = field(default_factory=_buckets)
    wait: list[int] = field(default_factory=_buckets)


COUNTED = {
    Outcome.DONE: "done",
    Outcome.FAILED: "failed",
    Outcome.POSTPONED: "postponed",
    Outcome.LOST: "lost",
}
"""Outcomes that are counted; a job that was taken back did not run."""


class Metrics:
    """Sums that were not stored yet."""

    def __init__(self) -> None:
        self._sums: dict[Key, Sum] = {}

    def __bool__(self) -> bool:
        return bool(self._sums)

    def observe(
        self, key: Key, outcome: Outcome, *, seconds: float, wait: float | None = None
    ) -> None:
        """Count one report.

        :param seconds: how long the job ran
        :param wait: how long it had been ready before; ``None`` when that is not known
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
        found.run[bucket_of(seconds)] += 1
        if wait is not None:
            found.wait[bucket_of(max(0.0, wait))] += 1

    def take(self) -> Iterator[tuple[Key, Sum]]:
        """Yield what was counted, and begin anew."""
        sums, self._sums = self._sums, {}
        yield from sums.items()
