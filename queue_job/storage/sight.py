"""What an operator asks of the queue: why a job does not run, and what could be wrong.

Every statement costs the same however many jobs there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .dispatch import READY_CHANNELS

AHEAD_LIMIT = 1_000
"""Jobs before one that are counted; that there are more is all that anybody wants to know."""

WAITING_LIMIT = 10_000
"""Ready jobs of a channel that are counted."""

READY_LIMIT = 120_000
"""Ready jobs of all channels that are counted one by one: about 20 ms of an idle server."""

CAPPED_LIMIT = 500
"""Ready jobs of a channel that are counted when there are more than that in all."""

CHANNELS_LIMIT = 500
"""Channels that are listed by the jobs in them; who has more of them looks for one by its name."""

LAST_JOBS = 1_000
"""Newest jobs that are asked for how long they took."""

RUNNING = """
SELECT channel, count(*) AS number FROM queue_job WHERE state = 'started' GROUP BY channel
"""
# By the partial index of what runs: as many rows as there are workers.

BEFORE = """
SELECT uuid FROM (
    (SELECT uuid, 0 AS rank, priority, id FROM queue_job
      WHERE state IN ('enqueued', 'started') AND channel = %(channel)s AND id <> %(id)s
      ORDER BY priority, id LIMIT 1)
    UNION ALL
    (SELECT uuid, 1, priority, id FROM queue_job
      WHERE state = 'pending' AND NOT scheduled AND channel = %(channel)s
        AND (priority, id) < (%(priority)s, %(id)s)
      ORDER BY priority, id LIMIT 1)
    UNION ALL
    (SELECT uuid, 1, priority, id FROM queue_job
      WHERE state = 'pending' AND scheduled AND attempt > 0 AND channel = %(channel)s
        AND (priority, id) < (%(priority)s, %(id)s)
      ORDER BY priority, id LIMIT 1)) AS before
 ORDER BY rank, priority, id LIMIT 1
"""

AHEAD = """
SELECT count(*) FROM (
    SELECT FROM queue_job
     WHERE state = 'pending' AND NOT scheduled AND channel = %(channel)s
       AND (priority, id) < (%(priority)s, %(id)s)
     LIMIT %(limit)s) AS ahead
"""

WAITING = """
SELECT channel.id, counted.number, oldest.seconds
  FROM unnest(%(ids)s::int[], %(names)s::text[]) AS channel (id, name)
 CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM queue_job
             WHERE queue_job.channel = channel.name AND state = 'pending' AND NOT scheduled
             LIMIT %(limit)s) AS ready) AS counted
 CROSS JOIN LATERAL (
        SELECT EXTRACT(epoch FROM now() AT TIME ZONE 'UTC' - min(COALESCE(eta, date_created)))
            AS seconds
          FROM (
            SELECT eta, date_created FROM queue_job
             WHERE queue_job.channel = channel.name AND state = 'pending' AND NOT scheduled
             ORDER BY priority, id LIMIT 1) AS first) AS oldest
"""
# By the index of ready jobs, which is in this order; no more entries are read than are counted.

READY = """
SELECT channel, count(*), EXTRACT(epoch FROM now() AT TIME ZONE 'UTC' - min(since))
  FROM (SELECT channel, COALESCE(eta, date_created) AS since FROM queue_job
         WHERE state = 'pending' AND NOT scheduled
         LIMIT %s) AS ready
 GROUP BY channel
"""
# One walk over the ready jobs visits each page once, which a walk for each channel does not.

READ_READY_CHANNELS_TEXT = """
{ready_channels}
SELECT channel FROM channels WHERE channel IS NOT NULL LIMIT %s
"""
READ_READY_CHANNELS = READ_READY_CHANNELS_TEXT.format(ready_channels=READY_CHANNELS)

ALL_WAITING = """
SELECT count(*) FROM (
    SELECT FROM queue_job WHERE state = 'pending' AND NOT scheduled LIMIT %s) AS ready
"""

LONGEST = """
SELECT COALESCE(max(exec_time), 0)
  FROM (SELECT exec_time FROM queue_job ORDER BY id DESC LIMIT %s) AS newest
"""


def read_running(cr: Any) -> dict[str, int]:
    """Return how many jobs run, by the channel that they are stored with."""
    cr.execute(RUNNING)
    return dict(cr.fetchall())


def read_before(cr: Any, job: int, channel: str, priority: int) -> str:
    """Return the uuid of the job of a channel that is to run before another; empty for none."""
    cr.execute(BEFORE, {"id": job, "channel": channel, "priority": priority})
    row = cr.fetchone()
    return str(row[0]) if row else ""


def count_ahead(cr: Any, job: int, channel: str, priority: int) -> int:
    """Return how many ready jobs of a channel come before one, :data:`AHEAD_LIMIT` at the most."""
    parameters = {"id": job, "channel": channel, "priority": priority, "limit": AHEAD_LIMIT}
    cr.execute(AHEAD, parameters)
    return int(cr.fetchone()[0])


def read_ready(cr: Any, limit: int | None = None) -> dict[str, tuple[int, float]] | None:
    """Return how many jobs are ready in each channel, and since when the first of them is.

    :param limit: jobs that are counted, :data:`READY_LIMIT` if not given
    :return: count and seconds by channel; ``None`` when there are more jobs than that
    """
    limit = READY_LIMIT if limit is None else limit
    cr.execute(READY, (limit + 1,))
    found = {channel: (number, float(seconds or 0)) for channel, number, seconds in cr.fetchall()}
    return found if sum(number for number, _seconds in found.values()) <= limit else None


def read_ready_channels(cr: Any) -> list[str]:
    """Return the channels that have ready jobs, :data:`CHANNELS_LIMIT` at the most."""
    cr.execute(READ_READY_CHANNELS, (CHANNELS_LIMIT,))
    return [row[0] for row in cr.fetchall()]


def read_waiting(
    cr: Any, names: Mapping[int, str], limit: int = WAITING_LIMIT
) -> dict[int, tuple[int, float]]:
    """Return how many jobs are ready in channels, and since when the first of them is.

    :param names: full names by any number, which keys what is returned
    :param limit: jobs of a channel that are counted
    :return: count, and seconds
    """
    parameters = {"ids": list(names), "names": list(names.values()), "limit": limit}
    cr.execute(WAITING, parameters)
    return {number: (count, float(seconds or 0)) for number, count, seconds in cr.fetchall()}


def count_waiting(cr: Any) -> int:
    """Return how many jobs are ready, :data:`WAITING_LIMIT` at the most."""
    cr.execute(ALL_WAITING, (WAITING_LIMIT,))
    return int(cr.fetchone()[0])


def read_longest(cr: Any) -> float:
    """Return the seconds that the longest of the newest jobs took."""
    cr.execute(LONGEST, (LAST_JOBS,))
    return float(cr.fetchone()[0])
