"""What operators have set for channels: read by the leader, which hears of every change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..core.channels import Override

NOTICE = "channels"
"""Payload that tells the leader of a change."""

SCHEMA = """
CREATE SEQUENCE IF NOT EXISTS queue_job_channel_revision;

CREATE OR REPLACE FUNCTION queue_job_channel_changed() RETURNS trigger AS $$
BEGIN
    PERFORM nextval('queue_job_channel_revision');
    PERFORM pg_notify('queue_job', 'channels');
    RETURN NULL;
END
$$ LANGUAGE plpgsql;

DROP TRIGGER IF EXISTS queue_job_channel_changed ON queue_job_channel;
CREATE TRIGGER queue_job_channel_changed
AFTER INSERT OR DELETE OR UPDATE OF complete_name, capacity, throttle, paused, paused_until
ON queue_job_channel FOR EACH STATEMENT EXECUTE FUNCTION queue_job_channel_changed();
"""

READ = """
SELECT complete_name, capacity, throttle,
       paused AND COALESCE(paused_until > now() AT TIME ZONE 'UTC', true),
       CASE WHEN isfinite(paused_until)
            THEN EXTRACT(epoch FROM paused_until - now() AT TIME ZONE 'UTC') END
  FROM queue_job_channel
 WHERE capacity > 0 OR throttle > 0 OR paused
"""

# From an infinite time PostgreSQL before version 17 does not subtract.

REVISION = "SELECT last_value FROM queue_job_channel_revision"


@dataclass(frozen=True)
class Overrides:
    """What holds now.

    :param by_name: by full name of the channel
    :param lapse: seconds until the next pause ends by itself; ``None`` for never
    :param revision: number of the last change, as a screen compares it
    """

    by_name: dict[str, Override]
    lapse: float | None
    revision: int


def create(cr: Any) -> None:
    """Create or replace what tells the leader of a change."""
    cr.execute(SCHEMA)


def read_revision(cr: Any) -> int:
    """Return the number of the last change."""
    cr.execute(REVISION)
    return int(cr.fetchone()[0])


def read_overrides(cr: Any) -> Overrides:
    """Return what operators have set."""
    # First: a change in between makes the number too low, and is notified of all the same.
    revision = read_revision(cr)
    cr.execute(READ)
    rows = cr.fetchall()
    lapses = [float(row[4]) for row in rows if row[3] and row[4] is not None]
    by_name = {
        name: Override(capacity or None, throttle or None, bool(paused))
        for name, capacity, throttle, paused, _lapse in rows
    }
    return Overrides(by_name, min(lapses, default=None), revision)
