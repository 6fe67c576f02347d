"""What waits and runs at this moment, for the dashboard, and who looks at it.

Jobs are counted in partial indexes that hold nothing but jobs that wait or run, and no more than a
fixed number of them: no statement here costs more when there is more history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..core.present import Waiting

COUNT_LIMIT = 100_000
"""Waiting jobs that a screen counts; beyond that it says that there are more."""

WATCH_SECONDS = 45
"""How long a dashboard counts as open after it has said so: twice as often as it says it."""

RENEW_SECONDS = 30
"""A lease that lasts for so much longer is left as it is, however many dashboards ask."""

NOTICE = "watch"
"""Payload that tells the leader that somebody looks."""

WAITING_BY_CHANNEL = """
WITH RECURSIVE ready (channel, number, id, rest) AS (
    SELECT ''::varchar, 0::bigint, 0, %(limit)s::bigint
    UNION ALL
    SELECT next.channel, found.number, found.id, ready.rest - found.number
      FROM ready CROSS JOIN LATERAL (
            SELECT q.channel FROM queue_job q
             WHERE q.state = 'pending' AND NOT q.scheduled AND q.channel > ready.channel
             ORDER BY q.channel LIMIT 1) AS next
     CROSS JOIN LATERAL (
            SELECT count(*) AS number, min(entry.id) AS id FROM (
                SELECT q.id FROM queue_job q
                 WHERE q.channel = next.channel AND q.state = 'pending' AND NOT q.scheduled
                 LIMIT ready.rest) AS entry) AS found
     WHERE ready.rest > 0
)
SELECT ready.channel, ready.number,
       EXTRACT(epoch FROM now() AT TIME ZONE 'UTC' - CASE WHEN isfinite(first.since)
               THEN LEAST(first.since, now() AT TIME ZONE 'UTC')
               ELSE now() AT TIME ZONE 'UTC' END)::float AS seconds
  FROM ready JOIN LATERAL (SELECT COALESCE(eta, date_created) AS since FROM queue_job AS job
                            WHERE job.id = ready.id) AS first ON true
"""
# Steps from channel to channel in the index of ready jobs, which has all that is counted, until
# the limit is used up. The first job of a channel is the one that was stored first, whatever its
# priority: those that are passed over for ever are the ones to see.

LATER = """
SELECT (SELECT count(*) FROM (SELECT FROM queue_job WHERE state = 'pending' AND scheduled
                               LIMIT %(limit)s) AS scheduled),
       (SELECT count(*) FROM (SELECT FROM queue_job WHERE state = 'wait_dependencies'
                               LIMIT %(limit)s) AS parents)
"""

UPGRADES = """
SELECT date_trunc('minute', write_date), array_agg(name ORDER BY name)
  FROM ir_module_module
 WHERE state = 'installed' AND write_date >= to_timestamp(%s) AT TIME ZONE 'UTC'
 GROUP BY 1 ORDER BY 1
"""

CREATE_WATCH = """
INSERT INTO queue_job_watch (id, seq, date_until, date_told)
SELECT 1, 0, '-infinity', '-infinity' WHERE NOT EXISTS (SELECT FROM queue_job_watch)
"""

RENEW = """
WITH renewed AS (
    UPDATE queue_job_watch
       SET date_until = clock_timestamp() AT TIME ZONE 'UTC' + %(seconds)s * interval '1 second'
     WHERE date_until < clock_timestamp() AT TIME ZONE 'UTC' + %(renew)s * interval '1 second'
    RETURNING id
)
SELECT pg_notify('queue_job', 'watch') FROM renewed
"""
# One row for all who look: most of them find that another has asked for enough. Two that write at
# the same moment conflict, and Odoo asks again for the second.

READ_WATCH = """
SELECT CASE WHEN isfinite(date_until)
            THEN EXTRACT(epoch FROM date_until - clock_timestamp() AT TIME ZONE 'UTC')::float
            ELSE 0 END
  FROM queue_job_watch
"""

READ_SEQ = "SELECT COALESCE(max(seq), 0) FROM queue_job_watch"

TELL = """
UPDATE queue_job_watch SET seq = mod(seq, 2147483647) + 1,
       date_told = clock_timestamp() AT TIME ZONE 'UTC'
 WHERE date_until > clock_timestamp() AT TIME ZONE 'UTC'
   AND date_told <= clock_timestamp() AT TIME ZONE 'UTC' - interval '1 second'
RETURNING seq
"""
# Whoever asks for a message, and however often: there is none when nobody looks, and one a second.
# Two that ask at the same moment conflict here, and the second finds that it is too early.


@dataclass(frozen=True)
class Later:
    """Jobs that are not ready.

    :param scheduled: whose time has not come
    :param parents: that wait for others
    """

    scheduled: int
    parents: int


def create(cr: Any) -> None:
    """Create the row that says who looks."""
    cr.execute(CREATE_WATCH)


def read_waiting(cr: Any, limit: int = COUNT_LIMIT) -> dict[str, Waiting]:
    """Return the ready jobs of each channel, no more than so many in all."""
    cr.execute(WAITING_BY_CHANNEL, {"limit": limit})
    return {name: Waiting(number, seconds) for name, number, seconds in cr.fetchall()}


def read_later(cr: Any, limit: int = COUNT_LIMIT) -> Later:
    """Return how many jobs are not ready, no more than so many of each kind."""
    cr.execute(LATER, {"limit": limit})
    return Later(*cr.fetchone())


def read_upgrades(cr: Any, since: float) -> list[tuple[datetime, list[str]]]:
    """Return when modules were last installed or upgraded, and which.

    :param since: seconds since 1970
    """
    cr.execute(UPGRADES, (since,))
    return [(at, names) for at, names in cr.fetchall()]


def renew_watch(cr: Any) -> None:
    """Say that somebody looks; the leader hears of it."""
    cr.execute(RENEW, {"seconds": WATCH_SECONDS, "renew": RENEW_SECONDS})


def read_watch(cr: Any) -> float:
    """Return for how many seconds to come somebody looks; 0 or less for nobody."""
    cr.execute(READ_WATCH)
    row = cr.fetchone()
    return float(row[0]) if row else 0.0


def read_seq(cr: Any) -> int:
    """Return the number of the last message."""
    cr.execute(READ_SEQ)
    return int(cr.fetchone()[0])


def tell(cr: Any) -> int | None:
    """Take the number of the next message; ``None`` when nobody looks or it is too early."""
    cr.execute(TELL)
    row = cr.fetchone()
    return int(row[0]) if row else None
