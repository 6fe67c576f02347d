"""What those who watch the queue from outside ask for: by SQL alone, and never of finished jobs.

Every statement reads a partial index, a table of as many rows as there are channels or functions,
or what PostgreSQL knows of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .dispatch import READY_CHANNELS
from .listing import rows_of

WAITING_LIMIT = 100_000
"""Ready jobs of a channel that are counted: a longer backlog is shown as one of so many."""

QUICK_LIMIT = 2_000
"""Ready jobs of a channel that are counted for those who ask every few seconds. Of a longer backlog
they get what the leader has noted in the last minutes."""

SAMPLED = """
SELECT DISTINCT ON (channel) channel, waiting FROM queue_job_pulse
 WHERE minute > now() AT TIME ZONE 'UTC' - interval '3 minutes' AND waiting IS NOT NULL
 ORDER BY channel, minute DESC
"""
# By the index of minutes; a few rows for each channel.

WAITING_TEXT = """
{ready_channels}
SELECT channels.channel, counted.number, first.seconds
  FROM channels
 CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM queue_job q
             WHERE q.channel = channels.channel AND q.state = 'pending' AND NOT q.scheduled
             LIMIT %s) AS ready) AS counted
 CROSS JOIN LATERAL (
        SELECT CASE WHEN isfinite(COALESCE(q.eta, q.date_created)) THEN GREATEST(0, EXTRACT(
               epoch FROM clock_timestamp() AT TIME ZONE 'UTC'
                          - COALESCE(q.eta, q.date_created))) END::float AS seconds
          FROM queue_job q
         WHERE q.channel = channels.channel AND q.state = 'pending' AND NOT q.scheduled
         ORDER BY q.priority, q.id LIMIT 1) AS first
"""
READ_WAITING = WAITING_TEXT.format(ready_channels=READY_CHANNELS)
# Steps from channel to channel in the index of ready jobs, and reads no row of the table but one.

PAUSES = """
SELECT complete_name AS channel, capacity, throttle, pause_reason AS reason,
       paused_until AS until, date_paused AS since,
       paused AND COALESCE(paused_until > now() AT TIME ZONE 'UTC', true) AS paused
  FROM queue_job_channel ORDER BY complete_name
"""

NODES = """
SELECT node.id, node.host, node.pid, node.url, node.slots, node.standalone, node.version,
       node.channels, node.problem, node.date_started, node.date_seen, node.date_leading,
       EXTRACT(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' - node.date_seen)::float AS silent,
       node.date_leading IS NOT NULL AND node.date_leading = max(node.date_leading) OVER ()
           AS leads
  FROM queue_job_node AS node JOIN queue_job_node_here USING (id) ORDER BY node.id
"""

FAILED = "SELECT count(*) FROM (SELECT FROM queue_job WHERE state = 'failed' LIMIT %s) AS failed"

SCHEDULED = """
SELECT count(*) FROM (
    SELECT FROM queue_job WHERE state = 'pending' AND scheduled LIMIT %s) AS scheduled
"""

DEPENDING = """
SELECT count(*) FROM (
    SELECT FROM queue_job WHERE state = 'wait_dependencies' LIMIT %s) AS depending
"""

DATABASE = """
SELECT COALESCE((
        SELECT max(EXTRACT(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND backend_type = 'client backend'), 0)::float,
       n_dead_tup, n_live_tup, pg_total_relation_size(relid)
  FROM pg_stat_user_tables WHERE relid = to_regclass('queue_job')
"""
# Sessions of other users show no times to a user without rights on them.


@dataclass(frozen=True)
class DatabaseFigures:
    """What PostgreSQL says of itself.

    :param oldest_transaction: seconds that the oldest open transaction lasts, which stops vacuum
    :param dead_rows: of the job table, that vacuum has not taken away yet
    :param live_rows: of the job table, as PostgreSQL estimates them
    :param size: bytes of the job table with its indexes
    """

    oldest_transaction: float = 0.0
    dead_rows: int = 0
    live_rows: int = 0
    size: int = 0


@dataclass(frozen=True)
class Backlog:
    """Jobs that do not run, :data:`WAITING_LIMIT` of each kind at the most.

    :param failed: that nobody has dealt with
    :param scheduled: whose time has not come
    :param depending: that wait for other jobs
    """

    failed: int = 0
    scheduled: int = 0
    depending: int = 0


Waiting = dict[str, tuple[int, float]]
"""Ready jobs, and seconds that the next one has been ready, by channel."""


def read_waiting(cr: Any, limit: int = WAITING_LIMIT) -> Waiting:
    """Return how many jobs are ready, and for how many seconds the next one is, by channel.

    :param limit: jobs of a channel that are counted
    """
    cr.execute(READ_WAITING, (limit,))
    return {channel: (count, seconds or 0.0) for channel, count, seconds in cr.fetchall()}


def estimate_waiting(cr: Any) -> Waiting:
    """Return the same at a price that does not follow the backlog, as long as a runner leads.

    A channel with :data:`QUICK_LIMIT` ready jobs and more has as many as the leader counted last.
    """
    found = read_waiting(cr, QUICK_LIMIT)
    long = [channel for channel, (count, _seconds) in found.items() if count >= QUICK_LIMIT]
    if not long:
        return found
    cr.execute(SAMPLED)
    sampled = dict(cr.fetchall())
    if not sampled.keys() >= set(long):
        return read_waiting(cr)
    for channel in long:
        count, seconds = found[channel]
        found[channel] = (max(count, sampled[channel]), seconds)
    return found


def read_channels(cr: Any) -> list[dict[str, Any]]:
    """Return what operators have set for channels."""
    cr.execute(PAUSES)
    return rows_of(cr)


def read_nodes(cr: Any) -> list[dict[str, Any]]:
    """Return the servers that are there, with the one that leads."""
    cr.execute(NODES)
    return rows_of(cr)


def read_backlog(cr: Any) -> Backlog:
    """Return how many jobs failed or wait for something."""
    cr.execute(FAILED, (WAITING_LIMIT,))
    (failed,) = cr.fetchone()
    cr.execute(SCHEDULED, (WAITING_LIMIT,))
    (scheduled,) = cr.fetchone()
    cr.execute(DEPENDING, (WAITING_LIMIT,))
    (depending,) = cr.fetchone()
    return Backlog(failed, scheduled, depending)


def read_database(cr: Any) -> DatabaseFigures:
    """Return what PostgreSQL says of itself."""
    cr.execute(DATABASE)
    row = cr.fetchone()
    return DatabaseFigures(*row) if row else DatabaseFigures()
