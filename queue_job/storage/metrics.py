"""Sums of what ran, by minute: written by the leader.

Whoever asks how much ran adds up these rows, and never counts finished jobs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ..core.metrics import Key, Sum

MINUTES_DAYS = 2
"""Minutes are kept for so long, then made into hours."""

HOURS_DAYS = 90
"""Hours are kept for so long."""

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
"""

COLUMNS = "minute, channel, function, done, failed, postponed, lost, seconds, run, wait"

ADDED = """
ON CONFLICT (minute, channel, function) DO UPDATE
   SET done = kept.done + excluded.done,
       failed = kept.failed + excluded.failed,
       postponed = kept.postponed + excluded.postponed,
       lost = kept.lost + excluded.lost,
       seconds = kept.seconds + excluded.seconds,
       run = queue_job_add(kept.run, excluded.run),
       wait = queue_job_add(kept.wait, excluded.wait)
"""

ADD_TEXT = """
INSERT INTO queue_job_metric AS kept ({columns})
SELECT to_timestamp(60 * minute) AT TIME ZONE 'UTC', channel, function,
       done, failed, postponed, lost, seconds, run, wait
  FROM jsonb_to_recordset(%s) AS sums (
       minute bigint, channel varchar, function varchar, done int, failed int, postponed int,
       lost int, seconds float, run int[], wait int[])
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
       sum(lost), sum(seconds), queue_job_sum(run), queue_job_sum(wait)
  FROM old GROUP BY 1, channel, function ORDER BY 1, channel, function
{added}
"""
ROLL_UP = ROLL_UP_TEXT.format(columns=COLUMNS, added=ADDED)

FORGET = """
DELETE FROM queue_job_metric WHERE minute < now() AT TIME ZONE 'UTC' - %s * interval '1 day'
"""


def create(cr: Any) -> None:
    """Create what the ORM does not know of."""
    cr.execute(SCHEMA)


def add(cr: Any, sums: Iterable[tuple[Key, Sum]]) -> None:
    """Add sums to what is stored."""
    rows = [
        {"minute": minute, "channel": channel, "function": function, **asdict(found)}
        for (minute, channel, function), found in sums
    ]
    cr.execute(ADD, (json.dumps(rows),))


def roll_up(cr: Any) -> None:
    """Make minutes into hours when they are old, and forget hours when they are."""
    cr.execute(ROLL_UP, (MINUTES_DAYS,))
    cr.execute(FORGET, (HOURS_DAYS,))
