"""What the charts of the dashboard show: sums by minute, cut into buckets, of which nothing is
counted again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from .metrics import percentile

MINUTE = 60
"""Seconds: the finest that history is kept."""

SAMPLE_LATE = 1.0
"""Seconds into a minute at which it is noted what waits and runs."""

KEYS_SHOWN = 6
"""Channels or functions that a chart tells apart; what is left is one series more."""

OTHERS = ""
"""Key of the series of what is left."""

SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
"""Percentiles that are drawn, by their name."""


class Range(Enum):
    """How far back the charts go."""

    QUARTER = "15m"
    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"


class Group(Enum):
    """What the charts tell apart."""

    STATE = "state"
    CHANNEL = "channel"
    FUNCTION = "function"


@dataclass(frozen=True)
class Span:
    """A range, cut into buckets that begin at the same times for everybody.

    :param seconds: in all
    :param size: seconds of a bucket
    """

    seconds: int
    size: int

    def since(self, now: float) -> int:
        """Return when the first bucket begins."""
        return self.last(now) - self.seconds + self.size

    def last(self, now: float) -> int:
        """Return when the bucket begins that is not over yet."""
        return int(now) // self.size * self.size

    def buckets(self, now: float) -> range:
        """Return when each bucket begins."""
        return range(self.since(now), self.last(now) + 1, self.size)


SPANS = {
    Range.QUARTER: Span(15 * MINUTE, MINUTE),
    Range.HOUR: Span(60 * MINUTE, MINUTE),
    Range.SIX_HOURS: Span(6 * 3600, 5 * MINUTE),
    Range.DAY: Span(24 * 3600, 15 * MINUTE),
    # Older minutes have become hours by then: buckets are whole hours.
    Range.WEEK: Span(7 * 24 * 3600, 2 * 3600),
}


@dataclass(frozen=True)
class Bucket:
    """Sums of the whole database over some minutes.

    :param at: when it begins, in seconds since 1970
    :param done: jobs that ended well
    :param failed: jobs that failed
    :param waiting: most jobs that were ready at a time; ``None`` when nobody looked
    :param running: most jobs that ran at a time
    :param oldest: most seconds that a job had been ready
    :param run: runs by the bucket of their duration
    :param wait: starts by the bucket of how long the job had been ready
    """

    at: int
    done: int = 0
    failed: int = 0
    waiting: int | None = None
    running: int | None = None
    oldest: float | None = None
    run: tuple[int, ...] = ()
    wait: tuple[int, ...] = ()


@dataclass(frozen=True)
class Part:
    """What one channel or function had to do with a bucket.

    :param at: when the bucket begins
    :param key: name of the channel or function
    :param ended: jobs that ended, well or not
    :param waiting: most jobs that were ready at a time; ``None`` when nobody looked
    """

    at: int
    key: str
    ended: int
    waiting: int | None = None


def next_sample(now: float) -> float:
    """Return in how many seconds to look again, so that each minute is looked at.

    :data:`SAMPLE_LATE` into the next one: a timer that is a little early is still in it.
    """
    return MINUTE - now % MINUTE + SAMPLE_LATE


def complete(now: float, span: Span, found: Iterable[Bucket]) -> list[Bucket]:
    """Return a bucket for each of a span: where nothing ended there is one of zeros."""
    known = {bucket.at: bucket for bucket in found}
    return [known.get(at) or Bucket(at) for at in span.buckets(now)]


def with_the_present(buckets: Sequence[Bucket], present: Bucket) -> list[Bucket]:
    """Return buckets whose last one knows what waits and runs at this moment."""
    *past, last = buckets
    return [
        *past,
        Bucket(
            last.at,
            last.done,
            last.failed,
            max(last.waiting or 0, present.waiting or 0),
            max(last.running or 0, present.running or 0),
            max(last.oldest or 0.0, present.oldest or 0.0),
            last.run,
            last.wait,
        ),
    ]


def percentiles(counts: Iterable[Sequence[int]]) -> dict[str, list[float | None]]:
    """Return the percentiles of each bucket; nothing for one in which nothing was measured."""
    counted = [tuple(bucket) for bucket in counts]
    return {
        name: [percentile(bucket, share) for bucket in counted] for name, share in SHARES.items()
    }


def merged(counts: Iterable[Sequence[int]]) -> list[int]:
    """Return the sum of several buckets of durations."""
    rows = [tuple(row) for row in counts]
    longest = max((len(row) for row in rows), default=0)
    return [sum(row[place] for row in rows if place < len(row)) for place in range(longest)]


def by_key(
    now: float, span: Span, parts: Iterable[Part], value: str
) -> list[tuple[str, list[int | None]]]:
    """Return a series per key, the largest first, and one of what is left.

    :param value: ``ended``, where a gap is zero, or ``waiting``, where it is unknown
    """
    found = list(parts)
    sizes: Counter[str] = Counter()
    for part in found:
        sizes[part.key] += getattr(part, value) or 0
    shown = [key for key, size in sizes.most_common(KEYS_SHOWN) if size]
    keys = [*shown, OTHERS] if len(+sizes) > len(shown) else shown
    places = {at: place for place, at in enumerate(span.buckets(now))}
    seen = {part.at for part in found if getattr(part, value) is not None}
    blank: list[int | None] = [0 if value == "ended" or at in seen else None for at in places]
    lines = {key: list(blank) for key in keys}
    for part in found:
        line, place = lines.get(part.key, lines.get(OTHERS)), places.get(part.at)
        if line is not None and place is not None:
            line[place] = (line[place] or 0) + (getattr(part, value) or 0)
    return list(lines.items())
