"""Sums of all that ever ran, by channel and function: for counters that only rise.

The sums by minute are made into hours and forgotten in time, which a counter must not show. So the
leader adds what it counted here as well: one row for each channel and function, whoever leads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extras import Json

from ..core.metrics import ADDED, BUCKETS, Key, Sum

SCHEMA = """
CREATE TABLE IF NOT EXISTS queue_job_total (
    channel varchar NOT NULL,
    function varchar NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    postponed bigint NOT NULL DEFAULT 0,
    lost bigint NOT NULL DEFAULT 0,
    cancelled bigint NOT NULL DEFAULT 0,
    seconds float NOT NULL DEFAULT 0,
    waited float NOT NULL DEFAULT 0,
    run bigint[] NOT NULL,
    wait bigint[] NOT NULL,
    PRIMARY KEY (channel, function)
)
"""
# Eight bytes: a busy queue counts to the end of four in some weeks.

CANCELLED = """
ALTER TABLE queue_job_total ADD COLUMN IF NOT EXISTS cancelled bigint NOT NULL DEFAULT 0
"""

CREATED = "SELECT to_regclass('queue_job_total') IS NULL"


def _by_bucket(expression: str) -> str:
    """Return an array of an expression, bucket by bucket.

    A function for each row would take some ten times as long.
    """
    return f"ARRAY[{', '.join(expression.format(n=n) for n in range(1, BUCKETS + 1))}]::bigint[]"


SEED_TEXT = """
INSERT INTO queue_job_total
       (channel, function, done, failed, postponed, lost, cancelled, seconds, run, wait)
SELECT channel, function, sum(done), sum(failed), sum(postponed), sum(lost),
       COALESCE(sum(cancelled), 0), sum(seconds), {run}, {wait}
  FROM queue_job_metric GROUP BY channel, function
"""
RUN = _by_bucket("COALESCE(sum(run[{n}]), 0)")
WAIT = _by_bucket("COALESCE(sum(wait[{n}]), 0)")
SEED = SEED_TEXT.format(run=RUN, wait=WAIT)

ADD_TEXT = """
INSERT INTO queue_job_total AS kept
       (channel, function, done, failed, postponed, lost, cancelled, seconds, waited, run, wait)
SELECT channel, function, done, failed, postponed, lost, cancelled, seconds, waited, run, wait
  FROM jsonb_to_recordset(%s) AS sums (
       channel varchar, function varchar, done bigint, failed bigint, postponed bigint,
       lost bigint, cancelled bigint, seconds float, waited float, run bigint[], wait bigint[])
 ORDER BY channel, function
ON CONFLICT (channel, function) DO UPDATE
   SET done = kept.done + excluded.done,
       failed = kept.failed + excluded.failed,
       postponed = kept.postponed + excluded.postponed,
       lost = kept.lost + excluded.lost,
       cancelled = kept.cancelled + excluded.cancelled,
       seconds = kept.seconds + excluded.seconds,
       waited = kept.waited + excluded.waited,
       run = {run},
       wait = {wait}
"""
ADD = ADD_TEXT.format(
    run=_by_bucket("kept.run[{n}] + excluded.run[{n}]"),
    wait=_by_bucket("kept.wait[{n}] + excluded.wait[{n}]"),
)
# In the order of the key: two leaders, the old one on its way out, wait for each other in turn.

READ = """
SELECT channel, function, done, failed, postponed, lost, cancelled, seconds, waited, run, wait
  FROM queue_job_total ORDER BY channel, function
"""

SUMS_TEXT = """
SELECT CASE WHEN %(by)s = 'channel' THEN channel ELSE function END AS name,
       sum(done), sum(failed), sum(postponed), sum(lost), COALESCE(sum(cancelled), 0),
       sum(seconds), {run}, {wait}
  FROM queue_job_metric WHERE minute >= %(since)s
 GROUP BY 1 ORDER BY sum(done) + sum(failed) DESC, 1
"""
READ_SUMS = SUMS_TEXT.format(run=RUN, wait=WAIT)


@dataclass(frozen=True)
class Total:
    """All that ever ran of a channel and function; times in seconds, buckets as in the core."""

    channel: str
    function: str
    done: int
    failed: int
    postponed: int
    lost: int
    cancelled: int
    seconds: float
    waited: float
    run: Sequence[int]
    wait: Sequence[int]


@dataclass(frozen=True)
class Period:
    """What ran in a while, of a channel or of a function."""

    name: str
    done: int
    failed: int
    postponed: int
    lost: int
    cancelled: int
    seconds: float
    run: Sequence[int]
    wait: Sequence[int]


def create(cr: Any) -> None:
    """Create the table; what was counted before is where it begins."""
    cr.execute(CREATED)
    if cr.fetchone()[0]:
        cr.execute(SCHEMA)
        cr.execute(SEED)
    cr.execute(CANCELLED)


def add(cr: Any, sums: Iterable[tuple[Key, Sum]]) -> None:
    """Add sums of any minutes to what is stored."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (_minute, channel, function), part in sums:
        row = found.setdefault((channel, function), {"channel": channel, "function": function})
        for name in ADDED:
            row[name] = row.get(name, 0) + getattr(part, name)
        for name in ("run", "wait"):
            known = row.get(name, [0] * BUCKETS)
            row[name] = [a + b for a, b in zip(known, getattr(part, name), strict=True)]
    if found:
        cr.execute(ADD, (Json(list(found.values())),))


def read(cr: Any) -> list[Total]:
    """Return the totals of every channel and function."""
    cr.execute(READ)
    return [Total(*row) for row in cr.fetchall()]


def read_sums(cr: Any, since: datetime, by: str) -> list[Period]:
    """Return what ran since a time, which is rounded to a minute, or an hour long ago.

    :param since: in UTC
    :param by: ``channel`` or ``function``
    """
    cr.execute(READ_SUMS, {"since": since, "by": by})
    return [
        Period(name, *map(int, counts), float(seconds or 0), run, wait)
        for name, *counts, seconds, run, wait in cr.fetchall()
    ]
