"""Indexes and triggers of the job table, beside the columns that Odoo's ORM creates.

The hot indexes are partial: they hold the jobs that wait or run, and so stay small however much
history there is.
"""

from __future__ import annotations

from typing import Any

NOTIFY_CHANNEL = "queue_job"
"""What the jobrunner listens to. The payload is always empty, so that PostgreSQL folds all the
notifications of a transaction into one."""

IDENTITY_INDEX = "queue_job_identity_claim_index"
"""What refuses a second job with the same identity."""

INDEXES = (
    # The runner's window: the first ready jobs of a channel.
    """
    CREATE INDEX IF NOT EXISTS queue_job_ready_index ON queue_job (channel, priority, id)
     WHERE state = 'pending' AND NOT scheduled
    """,
    # Jobs whose ETA has not come, by the time at which it will.
    """
    CREATE INDEX IF NOT EXISTS queue_job_scheduled_index ON queue_job (eta)
     WHERE state = 'pending' AND scheduled
    """,
    # Jobs that wait for a retry, which hold back a sequential channel.
    """
    CREATE INDEX IF NOT EXISTS queue_job_retrying_index ON queue_job (channel, priority, id)
     WHERE state = 'pending' AND scheduled AND attempt > 0
    """,
    # What the reaper and a new leader look at.
    """
    CREATE INDEX IF NOT EXISTS queue_job_running_index ON queue_job (id)
     WHERE state IN ('enqueued', 'started')
    """,
    # Finished jobs by age, for their removal.
    """
    CREATE INDEX IF NOT EXISTS queue_job_finished_index
        ON queue_job (channel, (COALESCE(date_done, date_cancelled)))
     WHERE state IN ('done', 'cancelled')
    """,
    # What an operator looks for first.
    """
    CREATE INDEX IF NOT EXISTS queue_job_failed_index ON queue_job (id) WHERE state = 'failed'
    """,
    # Jobs that have failed in the same way, to be counted by who may see them without their rows.
    """
    CREATE INDEX IF NOT EXISTS queue_job_failure_index ON queue_job (failure_key, id)
           INCLUDE (company_id)
     WHERE state = 'failed' AND failure_key IS NOT NULL
    """,
    # Jobs of a graph that wait for others.
    """
    CREATE INDEX IF NOT EXISTS queue_job_waiting_index ON queue_job (id)
     WHERE state = 'wait_dependencies'
    """,
    # One job per identity, as long as its claim lasts.
    """
    CREATE UNIQUE INDEX IF NOT EXISTS queue_job_identity_claim_index ON queue_job (identity_claim)
     WHERE identity_claim IS NOT NULL
    """,
    # Jobs of models whose records show theirs, by their records; the jobs of others pass it by.
    """
    CREATE INDEX IF NOT EXISTS queue_job_linked_index
        ON queue_job USING gin ((records -> 'ids') jsonb_path_ops)
     WHERE linked
    """,
    # A waiting job with the same identity.
    """
    CREATE INDEX IF NOT EXISTS queue_job_identity_key_state_partial_index
        ON queue_job (identity_key)
     WHERE state IN ('pending', 'enqueued', 'wait_dependencies') AND identity_key IS NOT NULL
    """,
)

DROPPED = ("queue_job__job_function_id_index",)
"""Indexes of earlier versions: every one that is not partial gets four entries per job."""

TABLE = """
ALTER TABLE queue_job SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
    autovacuum_vacuum_insert_scale_factor = 0.2,
    autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000,
    vacuum_truncate = off
)
"""
# A job leaves three dead rows behind, however many finished ones there are: what calls for a vacuum
# is their number and not their share, and it must end before the next one is due. Truncating would
# lock out everybody, and the space is used again anyway. See docs/performance.rst.

SCHEDULE_TRIGGER = """
CREATE OR REPLACE FUNCTION queue_job_schedule() RETURNS trigger AS $$
BEGIN
    -- One rule for every writer: a job is scheduled while its ETA lies ahead. What PostgreSQL takes
    -- for a time and Python does not, such as infinity, becomes the nearest that both know.
    NEW.eta := CASE WHEN NEW.eta > '9000-01-01' THEN '9000-01-01'
                    WHEN NEW.eta < '1900-01-01' THEN '1900-01-01' ELSE NEW.eta END;
    NEW.scheduled := COALESCE(NEW.eta > now() AT TIME ZONE 'UTC', false);
    RETURN NEW;
END
$$ LANGUAGE plpgsql;

DROP TRIGGER IF EXISTS queue_job_schedule ON queue_job;
CREATE TRIGGER queue_job_schedule BEFORE INSERT OR UPDATE OF eta, scheduled ON queue_job
FOR EACH ROW WHEN (NEW.eta IS NOT NULL OR NEW.scheduled IS NOT false)
EXECUTE FUNCTION queue_job_schedule();
"""

NOTIFY_TRIGGERS = """
CREATE OR REPLACE FUNCTION queue_job_notify() RETURNS trigger AS $$
BEGIN
    PERFORM pg_notify('queue_job', '');
    RETURN NULL;
END
$$ LANGUAGE plpgsql;

DROP TRIGGER IF EXISTS queue_job_notify ON queue_job;
CREATE TRIGGER queue_job_notify AFTER INSERT ON queue_job
FOR EACH STATEMENT EXECUTE FUNCTION queue_job_notify();

-- What makes a waiting job ready, or moves it. The engine's own steps pass over it: they lead out
-- of 'pending', or back into it from a lease or from waiting, of which the runner knows.
DROP TRIGGER IF EXISTS queue_job_notify_ready ON queue_job;
CREATE TRIGGER queue_job_notify_ready AFTER UPDATE OF state, eta, priority, channel ON queue_job
FOR EACH ROW
WHEN (NEW.state = 'pending'
      AND OLD.state NOT IN ('enqueued', 'started', 'wait_dependencies'))
EXECUTE FUNCTION queue_job_notify();
"""


def create(cr: Any) -> None:
    """Create or replace what the job table needs beyond its columns."""
    dropped = (f"DROP INDEX IF EXISTS {name}" for name in DROPPED)
    for statement in (*dropped, *INDEXES, TABLE, SCHEDULE_TRIGGER, NOTIFY_TRIGGERS):
        cr.execute(statement)
