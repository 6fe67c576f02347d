"""Sums of what ran, by minute: written by the leader.

Whoever asks how much ran adds up these rows, and never counts finished jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ..core.metrics import BUCKETS, Key, Sum
from ..core.overview import Recent

MINUTES_DAYS = 2
"""Minutes are kept for so long, then made into hours."""

HOURS_DAYS = 90
"""Hours are kept for so long."""

AGAIN_HOURS = 3
"""Hours that are summed once more: the leader may be late with what it has counted."""

SCHEMA = """
CREATE OR REPLACE FUNCTION queue_job_add(a int[], b int[]) RETURNS int[] AS $$
    SELECT array_agg(COALESCE(x, 0) + COALESCE(y, 0) ORDER BY place)
      FROM unnest(a, b) WITH ORDINALITY AS pair (x, y, place)
$$ LANGUAGE sql IMMUTABLE;

CREATE OR REPLACE AGGREGATE queue_job_sum (int[]) (
    sfunc = queue_job_add, stype = int[], initcond = '{}');

ALTER TABLE queue_job_metric ADD COLUMN IF NOT EXISTS run int[] NOT NULL DEFAULT '{}';
ALTER TABLE queue_job_metric ADD COLUMN IF NOT EXISTS wait int[] NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX IF NOT EXISTS queue_job_metric_key_index
    ON queue_job_metric (minute, channel, function);
CREATE INDEX IF NOT EXISTS queue_job_metric_minute_index
    ON queue_job_metric (minute) INCLUDE (function, done, failed);
"""

HOUR_SCHEMA = """
ALTER TABLE queue_job_metric_hour ADD COLUMN IF NOT EXISTS run int[] NOT NULL DEFAULT '{}';
ALTER TABLE queue_job_metric_hour ADD COLUMN IF NOT EXISTS wait int[] NOT NULL DEFAULT '{}';
"""

COLUMNS = """
minute, channel, function, done, failed, postponed, lost, seconds, run, wait, waited, cancelled,
memory
"""

ADDED = """
ON CONFLICT (minute, channel, function) DO UPDATE
   SET done = kept.done + excluded.done,
       failed = kept.failed + excluded.failed,
       postponed = kept.postponed + excluded.postponed,
       lost = kept.lost + excluded.lost,
       seconds = kept.seconds + excluded.seconds,
       run = queue_job_add(kept.run, excluded.run),
       wait = queue_job_add(kept.wait, excluded.wait),
       waited = COALESCE(kept.waited, 0) + COALESCE(excluded.waited, 0),
       cancelled = COALESCE(kept.cancelled, 0) + COALESCE(excluded.cancelled, 0),
       memory = GREATEST(kept.memory, excluded.memory)
"""

ADD_TEXT = """
INSERT INTO queue_job_metric AS kept ({columns})
SELECT to_timestamp(60 * minute) AT TIME ZONE 'UTC', channel, function,
       done, failed, postponed, lost, seconds, run, wait, waited, cancelled, memory
  FROM jsonb_to_recordset(%s) AS sums (
       minute bigint, channel varchar, function varchar, done int, failed int, postponed int,
       lost int, seconds float, run int[], wait int[], waited float, cancelled int, memory int)
 ORDER BY minute, channel, function
{added}
"""
ADD = ADD_TEXT.format(columns=COLUMNS, added=ADDED)
# In the order of the key: two leaders, the old one on its way out, wait for each other in turn.

ROLL_UP_TEXT = """
WITH old AS (
    DELETE FROM queue_job_metric
     WHERE minute < date_trunc('hour', now() AT TIME ZONE 'UTC') - %s * interval '1 day'
       AND minute <> date_trunc('hour', minute)
    RETURNING *
)
INSERT INTO queue_job_metric AS kept ({columns})
SELECT date_trunc('hour', minute), channel, function, sum(done), sum(failed), sum(postponed),
       sum(lost), sum(seconds), queue_job_sum(run), queue_job_sum(wait), sum(waited),
       sum(cancelled), max(memory)
  FROM old GROUP BY 1, channel, function ORDER BY 1, channel, function
{added}
"""
ROLL_UP = ROLL_UP_TEXT.format(columns=COLUMNS, added=ADDED)

FORGET_HOURS = """
DELETE FROM queue_job_metric_hour
 WHERE hour >= LEAST((SELECT max(hour) FROM queue_job_metric_hour),
                     date_trunc('hour', now() AT TIME ZONE 'UTC') - %s * interval '1 hour')
    OR hour < now() AT TIME ZONE 'UTC' - %s * interval '1 day'
"""

SUMS_TEXT = """
       sum(done)::int AS done, sum(failed)::int AS failed, sum(postponed)::int AS postponed,
       sum(lost)::int AS lost, sum(seconds) AS seconds,
       ARRAY[{run}]::int[] AS run, ARRAY[{wait}]::int[] AS wait,
       COALESCE(sum(cancelled), 0)::int AS cancelled, COALESCE(max(memory), 0)::int AS memory
"""
SUMS = SUMS_TEXT.format(
    run=", ".join(f"sum(run[{number}])" for number in range(1, BUCKETS + 1)),
    wait=", ".join(f"sum(wait[{number}])" for number in range(1, BUCKETS + 1)),
)
# Bucket by bucket: to add up arrays as such takes some ten times as long.

SINCE = """
SELECT COALESCE(max(hour) + interval '1 hour', '2000-01-01') FROM queue_job_metric_hour
"""
# Asked for apart, and bound: of what it does not know the planner expects a third of all rows.

KEEP_HOURS_TEXT = """
INSERT INTO queue_job_metric_hour
       (hour, function, done, failed, postponed, lost, seconds, run, wait, cancelled, memory)
SELECT date_trunc('hour', minute), function, {sums}
  FROM queue_job_metric
 WHERE minute >= %s AND minute < date_trunc('hour', now() AT TIME ZONE 'UTC')
 GROUP BY 1, 2
"""
KEEP_HOURS = KEEP_HOURS_TEXT.format(sums=SUMS)

BY_FUNCTION_TEXT = """
SELECT function, {sums}
  FROM (
    SELECT function, done, failed, postponed, lost, seconds, run, wait, cancelled, memory
      FROM queue_job_metric_hour
     WHERE hour > now() AT TIME ZONE 'UTC' - %(hours)s * interval '1 hour'
    UNION ALL
    SELECT function, done, failed, postponed, lost, seconds, run, wait, cancelled, memory
      FROM queue_job_metric
     WHERE minute > now() AT TIME ZONE 'UTC' - %(hours)s * interval '1 hour'
       AND minute >= %(since)s) AS known
 GROUP BY function
"""
BY_FUNCTION = BY_FUNCTION_TEXT.format(sums=SUMS)
# Hours that are over, and the minutes since: a sixtieth of the rows.

LAST_HOUR_TEXT = """
SELECT function, {sums}
  FROM queue_job_metric
 WHERE minute > now() AT TIME ZONE 'UTC' - interval '1 hour'
 GROUP BY function
"""
LAST_HOUR = LAST_HOUR_TEXT.format(sums=SUMS)

RAN = """
WITH RECURSIVE known AS (
    (SELECT function FROM queue_job_metric_hour ORDER BY function LIMIT 1)
    UNION ALL
    SELECT (SELECT function FROM queue_job_metric_hour AS next
             WHERE next.function > known.function ORDER BY function LIMIT 1)
      FROM known WHERE known.function IS NOT NULL
)
SELECT function FROM known WHERE function IS NOT NULL
UNION
SELECT function FROM queue_job_metric WHERE minute >= %s
"""
# Steps from function to function in the index.

FAILURE_RATE = """
SELECT COALESCE(100.0 * sum(failed) / NULLIF(sum(done + failed), 0), 0)
  FROM queue_job_metric WHERE minute > now() AT TIME ZONE 'UTC' - interval '1 hour'
"""

FAILED_SHARE = "100.0 * sum(failed) / NULLIF(sum(done + failed), 0)"
MEAN_TEXT = "sum({seconds}) / NULLIF(sum(done + failed + postponed + COALESCE(cancelled, 0)), 0)"
MEAN_RUN = MEAN_TEXT.format(seconds="seconds")
MEAN_WAIT = MEAN_TEXT.format(seconds="waited")
# What a group of rows comes to: a mean of rows would give a minute with one job the weight of one
# with a thousand.

FORGET = """
DELETE FROM queue_job_metric WHERE minute < now() AT TIME ZONE 'UTC' - %s * interval '1 day'
"""

RECENT = """
SELECT channel,
       (EXTRACT(epoch FROM date_trunc('minute', now() AT TIME ZONE 'UTC') - minute) / 60)::int,
       sum(done), sum(failed)
  FROM queue_job_metric
 WHERE minute > date_trunc('minute', now() AT TIME ZONE 'UTC') - interval '1 hour'
 GROUP BY 1, 2
"""
# By the index of the key, which begins with the minute.


def create(cr: Any) -> None:
    """Create what the ORM does not know of."""
    cr.execute(SCHEMA)


def create_hours(cr: Any) -> None:
    """Create what the ORM does not know of the sums by the hour."""
    cr.execute(HOUR_SCHEMA)


def add(cr: Any, sums: Iterable[tuple[Key, Sum]]) -> None:
    """Add sums to what is stored."""
    rows = [
        {"minute": minute, "channel": channel, "function": function, **asdict(found)}
        for (minute, channel, function), found in sums
    ]
    cr.execute(ADD, (json.dumps(rows),))


def keep_hours(cr: Any) -> None:
    """Sum up by function the hours that are over."""
    cr.execute(FORGET_HOURS, (AGAIN_HOURS, HOURS_DAYS))
    cr.execute(KEEP_HOURS, (_since(cr),))


def read_functions(cr: Any, hours: int) -> dict[str, Sum]:
    """Return what ran in the last hours, by the name of the function."""
    if hours == 1:
        cr.execute(LAST_HOUR)
    else:
        cr.execute(BY_FUNCTION, {"hours": hours, "since": _since(cr)})
    return {
        function: Sum(*sums, cancelled=cancelled, memory=memory)
        for function, *sums, cancelled, memory in cr.fetchall()
    }


def ran(cr: Any) -> set[str]:
    """Return the names of the functions that ran as far back as figures are kept."""
    cr.execute(RAN, (_since(cr),))
    return {row[0] for row in cr.fetchall()}


def _since(cr: Any) -> Any:
    """Return the time from which minutes are not summed up by the hour yet."""
    cr.execute(SINCE)
    return cr.fetchone()[0]


def read_failure_rate(cr: Any) -> float:
    """Return how many percent of the jobs that ended in the last hour failed."""
    cr.execute(FAILURE_RATE)
    return float(cr.fetchone()[0])


def roll_up(cr: Any) -> None:
    """Make minutes into hours when they are old, and forget hours when they are."""
    cr.execute(ROLL_UP, (MINUTES_DAYS,))
    cr.execute(FORGET, (HOURS_DAYS,))


def read_recent(cr: Any) -> dict[str, Recent]:
    """Return what ended in the last hour, by the channel that the jobs were stored with."""
    cr.execute(RECENT)
    found: dict[str, Recent] = {}
    for channel, age, done, failed in cr.fetchall():
        found.setdefault(channel, Recent()).count(age, done, failed)
    return found
