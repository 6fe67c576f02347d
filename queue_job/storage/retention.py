"""Deleting finished jobs, in batches that hold few locks for a short time."""

from __future__ import annotations

from typing import Any

READ_CHANNELS = """
WITH RECURSIVE channels AS (
    (SELECT channel FROM queue_job
      WHERE state IN ('done', 'cancelled') ORDER BY channel LIMIT 1)
    UNION ALL
    SELECT (SELECT q.channel FROM queue_job q
             WHERE q.state IN ('done', 'cancelled') AND q.channel > channels.channel
             ORDER BY q.channel LIMIT 1)
      FROM channels WHERE channels.channel IS NOT NULL
)
SELECT channel FROM channels WHERE channel IS NOT NULL
"""
# Steps from channel to channel in the index of finished jobs; a DISTINCT would read them all.

DELETE = """
WITH gone AS (
    DELETE FROM queue_job
     WHERE id IN (
        SELECT id FROM queue_job
         WHERE channel = %s AND state IN ('done', 'cancelled')
           AND COALESCE(date_done, date_cancelled)
               <= now() AT TIME ZONE 'UTC' - %s * interval '1 day'
           AND NOT EXISTS (
                SELECT FROM queue_job_dependency AS edge JOIN queue_job AS child
                    ON child.id = edge.child_id
                 WHERE edge.parent_id = queue_job.id AND edge.open
                   AND child.state = 'wait_dependencies')
         ORDER BY COALESCE(date_done, date_cancelled)
         LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING id
), attempts AS (
    DELETE FROM queue_job_attempt WHERE job_id IN (SELECT id FROM gone)
), lines AS (
    DELETE FROM queue_job_log WHERE job_id IN (SELECT id FROM gone)
), progress AS (
    DELETE FROM queue_job_progress WHERE job_id IN (SELECT id FROM gone)
), messages AS (
    DELETE FROM mail_message WHERE model = 'queue.job' AND res_id IN (SELECT id FROM gone)
), followers AS (
    DELETE FROM mail_followers WHERE res_model = 'queue.job' AND res_id IN (SELECT id FROM gone)
), activities AS (
    DELETE FROM mail_activity WHERE res_model = 'queue.job' AND res_id IN (SELECT id FROM gone)
)
SELECT count(*) FROM gone
"""
# What Odoo keeps beside a record goes as well: no ORM does it here, and no foreign key.
# One that was cancelled and is still waited for stays: without it, what waits would be free to go.
# SKIP LOCKED: a job that an operator requeues at this moment is theirs. now() is stable and bounds
# the walk through the index; clock_timestamp() would read all of the channel's history.


def finished_channels(cr: Any) -> list[str]:
    """Return the names of the channels that have finished jobs."""
    cr.execute(READ_CHANNELS)
    return [row[0] for row in cr.fetchall()]


def delete_finished(cr: Any, channel: str, days: int, most: int) -> int:
    """Delete the oldest finished jobs of a channel.

    :param days: age from which they go
    :param most: how many at a time
    :return: how many went
    """
    cr.execute(DELETE, (channel, days, most))
    return int(cr.fetchone()[0])
