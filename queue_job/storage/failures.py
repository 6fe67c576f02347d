"""The failures that jobs share: what is known of each, and how often it happens.

A job that fails writes its key with its own end, and nothing else: a counter would be a row that
all failing jobs wait for, and under REPEATABLE READ most of them would lose what they recorded. So
how often a failure happens is counted of the attempts, by an index in which only failed attempts
are: by a cron for each hour that is over, and when somebody looks for what came since. The row of a
failure is written when it is new, when it comes back, and once in :data:`STALE_SECONDS`, each in a
short transaction of its own; whoever loses a race for it has nothing to add.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.trend import Counts

DAYS = 7
"""As far back as is counted."""

MOST = 10_000
"""Attempts of a failure that are counted when somebody looks: the cron counts all of an hour."""

AGAIN_HOURS = 3
"""Hours that are counted once more: so long may a transaction last that records a failure."""

STALE_SECONDS = 60
"""When a failure was seen last is right within this."""

KEPT_DAYS = 90
"""A failure that no job has any more, and that was not seen for so long, is forgotten."""

RETURNED = "state = 'solved' OR muted_until <= now() AT TIME ZONE 'UTC'"
"""Also where the end of its silence was noticed meanwhile: nobody has heard of it since."""

FIND_TEXT = """
SELECT id, {returned}, last_seen < now() AT TIME ZONE 'UTC' - %s * interval '1 second'
  FROM queue_job_failure WHERE key = %s
"""
FIND = FIND_TEXT.format(returned=f"({RETURNED}) IS TRUE")
# Locks nothing: nearly always there is nothing to do.

ADD = """
INSERT INTO queue_job_failure
       (key, name, exc_name, location, function, state, returns, first_seen, last_seen)
VALUES (%(key)s, %(name)s, %(exc_name)s, %(location)s, %(function)s, 'new', 0,
        now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
ON CONFLICT (key) DO NOTHING
RETURNING id
"""
# Waits for another worker that has just met the same failure, which then announces it.

REOPEN_TEXT = """
UPDATE queue_job_failure
   SET state = 'new', muted_until = NULL, returns = returns + 1,
       last_seen = now() AT TIME ZONE 'UTC'
 WHERE id = %s AND ({returned})
RETURNING id
"""
REOPEN = REOPEN_TEXT.format(returned=RETURNED)
# Of several workers one finds the row as it was; the transactions of the others hold nothing else.

TOUCH = "UPDATE queue_job_failure SET last_seen = now() AT TIME ZONE 'UTC' WHERE id = %s"

UNMUTE = """
UPDATE queue_job_failure SET state = 'seen'
 WHERE state = 'muted' AND muted_until <= now() AT TIME ZONE 'UTC'
"""

UNKNOWN = """
WITH RECURSIVE keys AS (
    (SELECT failure_key FROM queue_job
      WHERE state = 'failed' AND failure_key IS NOT NULL ORDER BY failure_key LIMIT 1)
    UNION ALL
    SELECT (SELECT q.failure_key FROM queue_job q
             WHERE q.state = 'failed' AND q.failure_key > keys.failure_key
             ORDER BY q.failure_key LIMIT 1)
      FROM keys WHERE keys.failure_key IS NOT NULL
)
SELECT newest.* FROM keys CROSS JOIN LATERAL (
    SELECT q.failure_key, q.exc_name, q.channel_method_name FROM queue_job q
     WHERE q.state = 'failed' AND q.failure_key = keys.failure_key
     ORDER BY q.id DESC LIMIT 1) AS newest
 WHERE NOT EXISTS (SELECT FROM queue_job_failure WHERE key = keys.failure_key)
"""
# Steps from key to key in the index of failed jobs, however many have the same.

COUNT = """
WITH begin AS MATERIALIZED (
    SELECT CASE WHEN max(hour) IS NULL
                THEN date_trunc('hour', now() AT TIME ZONE 'UTC') - %(days)s * interval '1 day'
                ELSE LEAST(max(hour), date_trunc('hour', now() AT TIME ZONE 'UTC')
                                      - %(again)s * interval '1 hour') END AS hour
      FROM queue_job_failure_count
), gone AS (
    DELETE FROM queue_job_failure_count
     WHERE hour >= (SELECT hour FROM begin)
        OR hour < now() AT TIME ZONE 'UTC' - %(kept)s * interval '1 day'
), counted AS (
    SELECT key, date_trunc('hour', date_ended) AS hour, count(*)::int AS number
      FROM queue_job_failure CROSS JOIN LATERAL (
        SELECT date_ended FROM queue_job_attempt
         WHERE failure_key = queue_job_failure.key
           AND date_ended >= (SELECT hour FROM begin)
           AND date_ended < date_trunc('hour', now() AT TIME ZONE 'UTC')) AS ended
     GROUP BY 1, 2
)
SELECT key, hour, number FROM counted
"""

KEEP = """
INSERT INTO queue_job_failure_count (key, hour, number)
SELECT * FROM unnest(%s::text[], %s::timestamp[], %s::int[])
"""
# Apart from the deletion of what it replaces, which one statement does not see. Run by one cron at
# a time; who reads meanwhile sees the one or the other.

HOURS = """
WITH since AS MATERIALIZED (
    SELECT COALESCE(max(hour) + interval '1 hour',
                    now() AT TIME ZONE 'UTC' - %(days)s * interval '1 day') AS hour
      FROM queue_job_failure_count
)
SELECT key, date_part('epoch', date_trunc('hour', now() AT TIME ZONE 'UTC') - hour) / 3600,
       number, 0
  FROM queue_job_failure_count
 WHERE key = ANY(%(keys)s) AND hour > now() AT TIME ZONE 'UTC' - %(days)s * interval '1 day'
UNION ALL
SELECT keys.key, fresh.hours, fresh.number, fresh.last
  FROM unnest(%(keys)s::text[]) AS keys (key) CROSS JOIN LATERAL (
    SELECT date_part('epoch', date_trunc('hour', now() AT TIME ZONE 'UTC')
                              - date_trunc('hour', date_ended)) / 3600 AS hours,
           count(*) FILTER (WHERE date_ended >= (SELECT hour FROM since)) AS number,
           count(*) FILTER (WHERE date_ended > now() AT TIME ZONE 'UTC' - interval '1 hour') AS last
      FROM (
        SELECT date_ended FROM queue_job_attempt
         WHERE failure_key = keys.key
           AND date_ended > LEAST((SELECT hour FROM since),
                                  now() AT TIME ZONE 'UTC' - interval '1 hour')
         ORDER BY date_ended DESC LIMIT %(most)s) AS ended
     GROUP BY 1) AS fresh
"""
# By the hour of the clock, and the last sixty minutes apart. What is counted already is not counted
# again; without the cron, everything is fresh.

NEWEST = """
SELECT keys.key, newest.id
  FROM unnest(%(keys)s::text[]) AS keys (key) CROSS JOIN LATERAL (
    SELECT id FROM queue_job_attempt
     WHERE failure_key = keys.key ORDER BY date_ended DESC LIMIT %(most)s) AS newest
"""

OLD = """
SELECT id FROM queue_job_failure
 WHERE last_seen < now() AT TIME ZONE 'UTC' - %s * interval '1 day'
   AND NOT EXISTS (
        SELECT FROM queue_job WHERE queue_job.state = 'failed' AND failure_key = key)
"""


@dataclass(frozen=True)
class Known:
    """What is known of a failure that has happened again.

    :param id: number of its row
    :param returned: it had been solved, or muted until now
    :param stale: when it was seen last is to be written
    """

    id: int
    returned: bool
    stale: bool


def find(cr: Any, key: str) -> Known | None:
    """Return what is known of a failure; ``None`` when it is new."""
    cr.execute(FIND, (STALE_SECONDS, key))
    row = cr.fetchone()
    return Known(*row) if row else None


def add(cr: Any, values: Mapping[str, str]) -> int | None:
    """Store a failure.

    :param values: ``key``, ``name``, ``exc_name``, ``location`` and ``function``
    :return: number of its row; ``None`` when it is there already
    """
    # A race is no error, and none is to be logged.
    cr.execute(ADD, dict(values), log_exceptions=False)
    row = cr.fetchone()
    return int(row[0]) if row else None


def reopen(cr: Any, failure: int) -> bool:
    """Make a failure that has come back a new one; tell whether nobody else did."""
    cr.execute(REOPEN, (failure,), log_exceptions=False)
    return bool(cr.fetchone())


def touch(cr: Any, failure: int) -> None:
    """Note that a failure happens now."""
    cr.execute(TOUCH, (failure,), log_exceptions=False)


def unmute(cr: Any) -> None:
    """Show failures again whose time of silence is over."""
    cr.execute(UNMUTE)


def unknown(cr: Any) -> list[tuple[str, str, str]]:
    """Return key, type of the error and function of failures that jobs have and nobody stored."""
    cr.execute(UNKNOWN)
    return [(key, exc_name or "", function or "") for key, exc_name, function in cr.fetchall()]


def count_hours(cr: Any) -> None:
    """Count what is over by the hour."""
    cr.execute(COUNT, {"again": AGAIN_HOURS, "days": DAYS, "kept": DAYS + 1})
    rows = cr.fetchall()
    if rows:
        cr.execute(KEEP, [list(column) for column in zip(*rows, strict=True)])


def read_hours(cr: Any, keys: Sequence[str]) -> dict[str, Counts]:
    """Return how often failures have happened."""
    cr.execute(HOURS, {"keys": list(keys), "days": DAYS, "most": MOST})
    found: dict[str, Counts] = defaultdict(Counts)
    for key, hour, number, last in cr.fetchall():
        found[key].add(max(0, int(hour)), number, last)
    return found


def read_newest(cr: Any, keys: Sequence[str], most: int) -> dict[str, list[int]]:
    """Return the ids of the last attempts that failed so, the newest first."""
    cr.execute(NEWEST, {"keys": list(keys), "most": most})
    found: dict[str, list[int]] = defaultdict(list)
    for key, number in cr.fetchall():
        found[key].append(number)
    return found


def old(cr: Any) -> list[int]:
    """Return the ids of failures that nobody needs any more."""
    cr.execute(OLD, (KEPT_DAYS,))
    return [row[0] for row in cr.fetchall()]
