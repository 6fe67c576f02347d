"""The pulse of the queue, by minute: what ended, and what waited and ran.

The leader writes one row per minute and channel, and one of the whole database, whose name is
empty and which alone has the buckets of durations. However many functions there are, a chart of a
week reads some thousand small rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..core.metrics import BUCKETS, NAME_LIMIT, Sum
from ..core.present import Recent
from ..core.series import Bucket, Part, Span
from .board import COUNT_LIMIT, WAITING_BY_CHANNEL
from .metrics import HOURS_DAYS
from .sight import RUNNING

MINUTES_DAYS = 1
"""Minutes are kept for so long, then made into hours: as long as a chart draws less than hours. A
chart of a week then reads 1,700 rows, where minutes would be 10,080."""

SCHEMA = """
ALTER TABLE queue_job_pulse ADD COLUMN IF NOT EXISTS run int[] NOT NULL DEFAULT '{}';
ALTER TABLE queue_job_pulse ADD COLUMN IF NOT EXISTS wait int[] NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX IF NOT EXISTS queue_job_pulse_key_index ON queue_job_pulse (channel, minute);
CREATE INDEX IF NOT EXISTS queue_job_pulse_minute_index
    ON queue_job_pulse (minute) INCLUDE (channel, done, failed, waiting);
"""

ADD = """
INSERT INTO queue_job_pulse AS kept (channel, minute, done, failed, run, wait)
SELECT channel, to_timestamp(60 * minute) AT TIME ZONE 'UTC', done, failed, run, wait
  FROM jsonb_to_recordset(%s) AS sums (
       minute bigint, channel varchar, done int, failed int, run int[], wait int[])
 ORDER BY channel, minute
ON CONFLICT (channel, minute) DO UPDATE
   SET done = COALESCE(kept.done, 0) + excluded.done,
       failed = COALESCE(kept.failed, 0) + excluded.failed,
       run = queue_job_add(kept.run, excluded.run),
       wait = queue_job_add(kept.wait, excluded.wait)
"""
# In the order of the key, as the figures by function are.

SAMPLE_TEXT = """
INSERT INTO queue_job_pulse AS kept (channel, minute, waiting, running, oldest)
WITH waiting AS ({waiting}), running AS ({running}), now AS (
    SELECT channel, number AS waiting, 0 AS running, seconds AS oldest FROM waiting
    UNION ALL SELECT channel, 0, number, 0 FROM running
), named AS (
    SELECT * FROM now WHERE channel > ''
)
SELECT COALESCE(left(channel, {name_limit}), ''), date_trunc('minute', now() AT TIME ZONE 'UTC'),
       COALESCE(sum(waiting), 0), COALESCE(sum(running), 0), COALESCE(max(oldest), 0)
  FROM named GROUP BY GROUPING SETS ((left(channel, {name_limit})), ())
ON CONFLICT (channel, minute) DO UPDATE
   SET waiting = GREATEST(kept.waiting, excluded.waiting),
       running = GREATEST(kept.running, excluded.running),
       oldest = GREATEST(kept.oldest, excluded.oldest)
"""
SAMPLE = SAMPLE_TEXT.format(waiting=WAITING_BY_CHANNEL, running=RUNNING, name_limit=NAME_LIMIT)
# Two leaders, the old one on its way out, may look in the same minute: the higher number is kept. A
# channel without a name, which only a row that was changed by hand has, would be the database.

ROLL_UP = """
WITH old AS (
    DELETE FROM queue_job_pulse
     WHERE minute < date_trunc('hour', now() AT TIME ZONE 'UTC') - %s * interval '1 day'
       AND minute <> date_trunc('hour', minute)
    RETURNING *
)
INSERT INTO queue_job_pulse AS kept
       (channel, minute, done, failed, waiting, running, oldest, run, wait)
SELECT channel, date_trunc('hour', minute), sum(done), sum(failed), max(waiting), max(running),
       max(oldest), queue_job_sum(run), queue_job_sum(wait)
  FROM old GROUP BY channel, 2 ORDER BY channel, 2
ON CONFLICT (channel, minute) DO UPDATE
   SET done = COALESCE(kept.done, 0) + COALESCE(excluded.done, 0),
       failed = COALESCE(kept.failed, 0) + COALESCE(excluded.failed, 0),
       waiting = GREATEST(kept.waiting, excluded.waiting),
       running = GREATEST(kept.running, excluded.running),
       oldest = GREATEST(kept.oldest, excluded.oldest),
       run = queue_job_add(kept.run, excluded.run),
       wait = queue_job_add(kept.wait, excluded.wait)
"""

FORGET = """
DELETE FROM queue_job_pulse WHERE minute < now() AT TIME ZONE 'UTC' - %s * interval '1 day'
"""

BUCKET = "date_part('epoch', minute)::bigint / %(size)s * %(size)s"

SINCE = "minute >= to_timestamp(%(since)s) AT TIME ZONE 'UTC'"

SUM_OF_RUN = "ARRAY[" + ", ".join(f"sum(run[{n}])" for n in range(1, BUCKETS + 1)) + "]"
SUM_OF_WAIT = "ARRAY[" + ", ".join(f"sum(wait[{n}])" for n in range(1, BUCKETS + 1)) + "]"
# One by one: an aggregate that takes arrays apart and makes new ones costs ten times as much.

READ_TEXT = """
SELECT {bucket}, sum(done), sum(failed), max(waiting), max(running), max(oldest), {run}, {wait}
  FROM queue_job_pulse WHERE channel = '' AND {since} GROUP BY 1
"""
READ = READ_TEXT.format(bucket=BUCKET, run=SUM_OF_RUN, wait=SUM_OF_WAIT, since=SINCE)

STRETCHES = """
SELECT at, to_timestamp(at) AT TIME ZONE 'UTC' AS first,
       to_timestamp(at + %(size)s) AT TIME ZONE 'UTC' AS next
  FROM generate_series(%(since)s::bigint, %(last)s::bigint, %(size)s::bigint) AS at
"""

READ_CHANNELS_TEXT = """
SELECT bucket.at, part.channel, part.ended, part.waiting
  FROM ({stretches}) AS bucket CROSS JOIN LATERAL (
       SELECT channel, COALESCE(sum(COALESCE(done, 0) + COALESCE(failed, 0)), 0) AS ended,
              max(waiting) AS waiting
         FROM queue_job_pulse
        WHERE minute >= bucket.first AND minute < bucket.next AND channel > ''
        GROUP BY channel) AS part
"""
READ_CHANNELS = READ_CHANNELS_TEXT.format(stretches=STRETCHES)

READ_FUNCTIONS_TEXT = """
SELECT bucket.at, part.function, part.ended, NULL
  FROM ({stretches}) AS bucket CROSS JOIN LATERAL (
       SELECT function, sum(done + failed) AS ended FROM queue_job_metric
        WHERE minute >= bucket.first AND minute < bucket.next GROUP BY function) AS part
"""
READ_FUNCTIONS = READ_FUNCTIONS_TEXT.format(stretches=STRETCHES)
# Bucket by bucket out of an index that has all of it: a third of the time of a GROUP BY of both.

READ_RECENT = """
WITH clock AS (SELECT date_trunc('minute', now() AT TIME ZONE 'UTC') AS minute)
SELECT COALESCE(sum(failed), 0),
       COALESCE(sum(COALESCE(done, 0) + COALESCE(failed, 0)), 0),
       COALESCE(sum(failed) FILTER (WHERE late), 0),
       COALESCE(sum(COALESCE(done, 0) + COALESCE(failed, 0)) FILTER (WHERE late), 0),
       COALESCE(sum(done) FILTER (WHERE at = clock.minute - interval '1 minute'), 0),
       COALESCE(sum(done) FILTER (WHERE at = clock.minute), 0)
  FROM clock CROSS JOIN LATERAL (
    SELECT minute AS at, done, failed, minute > clock.minute - interval '15 minutes' AS late
      FROM queue_job_pulse
     WHERE channel = '' AND minute > clock.minute - interval '1 day') AS day
"""

READ_RUNS_TEXT = """
SELECT function, {run} FROM queue_job_metric
 WHERE minute > now() AT TIME ZONE 'UTC' - interval '1 day' AND function = ANY(%s)
 GROUP BY function
"""
READ_RUNS = READ_RUNS_TEXT.format(run=SUM_OF_RUN)


def create(cr: Any) -> None:
    """Create what the ORM does not know of."""
    cr.execute(SCHEMA)


def add(cr: Any, sums: Iterable[tuple[tuple[int, str], Sum]]) -> None:
    """Add sums by minute and channel to what is stored."""
    rows = [_row(minute, channel, found) for (minute, channel), found in sums]
    cr.execute(ADD, (json.dumps(rows),))


def _row(minute: int, channel: str, found: Sum) -> dict[str, Any]:
    row = {"minute": minute, "channel": channel, "done": found.done, "failed": found.failed}
    buckets = {"run": [], "wait": []} if channel else {"run": found.run, "wait": found.wait}
    return {**row, **buckets}


def sample(cr: Any) -> None:
    """Note what waits and runs at this moment, as far as a screen counts it.

    The leader's thread does it, which starts no job meanwhile: it takes some ten milliseconds.
    """
    cr.execute(SAMPLE, {"limit": COUNT_LIMIT})


def roll_up(cr: Any) -> None:
    """Make minutes into hours when they are old, and forget hours when they are."""
    cr.execute(ROLL_UP, (MINUTES_DAYS,))
    cr.execute(FORGET, (HOURS_DAYS,))


def read_buckets(cr: Any, span: Span, now: float) -> list[Bucket]:
    """Return the buckets of the whole database in which there was anything."""
    cr.execute(READ, _range(span, now))
    return [
        Bucket(at, done or 0, failed or 0, waiting, running, oldest, _counts(run), _counts(wait))
        for at, done, failed, waiting, running, oldest, run, wait in cr.fetchall()
    ]


def read_channels(cr: Any, span: Span, now: float) -> list[Part]:
    """Return the same by channel, without durations."""
    cr.execute(READ_CHANNELS, _range(span, now))
    return [Part(*row) for row in cr.fetchall()]


def read_functions(cr: Any, span: Span, now: float) -> list[Part]:
    """Return the same by function; of what waits only channels are known."""
    cr.execute(READ_FUNCTIONS, _range(span, now))
    return [Part(*row) for row in cr.fetchall()]


def read_recent(cr: Any) -> Recent:
    """Return the sums of the last day, of which some are of the last minutes."""
    cr.execute(READ_RECENT)
    return Recent(*map(int, cr.fetchone()))


def read_runs(cr: Any, functions: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return how long the runs of functions took in the last day: counts by bucket."""
    cr.execute(READ_RUNS, (list(functions),))
    return {function: _counts(run) for function, run in cr.fetchall()}


def _range(span: Span, now: float) -> dict[str, int]:
    return {"size": span.size, "since": span.since(now), "last": span.last(now)}


def _counts(row: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(int(count or 0) for count in row)
