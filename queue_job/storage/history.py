"""What is kept of a job beside its row: attempts that did not end well, log lines, progress.

While a job runs only its own transaction writes its row, so none of this is there. Jobs that
succeed at the first try, quietly, leave nothing here: their own row says it all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = """
CREATE UNIQUE INDEX IF NOT EXISTS queue_job_progress_job_index ON queue_job_progress (job_id);
"""

KEEP_LOG = """
INSERT INTO queue_job_log (job_id, attempt, date, level, logger, message)
SELECT %(job)s, %(attempt)s, to_timestamp(line.at) AT TIME ZONE 'UTC', line.level, line.logger,
       line.message
  FROM unnest(%(at)s::float[], %(levels)s::text[], %(loggers)s::text[], %(messages)s::text[])
    AS line (at, level, logger, message)
"""

TRIM_LOG = """
DELETE FROM queue_job_log
 WHERE id IN (SELECT id FROM queue_job_log WHERE job_id = %(job)s AND attempt = %(attempt)s
               ORDER BY id OFFSET %(first)s
               LIMIT (SELECT GREATEST(0, count(*) - %(first)s - %(last)s) FROM queue_job_log
                       WHERE job_id = %(job)s AND attempt = %(attempt)s))
"""
# The lines of one attempt, which is alone in writing them: there is nobody to wait for.

TELL_PROGRESS = """
INSERT INTO queue_job_progress (job_id, attempt, done, total, message, date)
VALUES (%(job)s, %(attempt)s, %(done)s, %(total)s, %(message)s,
        clock_timestamp() AT TIME ZONE 'UTC')
ON CONFLICT (job_id) DO UPDATE
   SET attempt = excluded.attempt, done = excluded.done, total = excluded.total,
       message = excluded.message, date = excluded.date
"""
# On the worker's side connection, outside of the job's transaction: it is seen while the job runs.


@dataclass(frozen=True)
class LogLine:
    """A line that was logged while a job ran.

    :param at: seconds since the epoch
    :param level: ``INFO`` and so on
    :param logger: its name
    :param message: the text
    """

    at: float
    level: str
    logger: str
    message: str


def create(cr: Any) -> None:
    """Create the index by which the progress of a job is replaced."""
    cr.execute(SCHEMA)


def keep_log(cr: Any, job: int, attempt: int, lines: Sequence[LogLine]) -> None:
    """Keep what was logged during an attempt."""
    cr.execute(
        KEEP_LOG,
        {
            "job": job,
            "attempt": attempt,
            "at": [line.at for line in lines],
            "levels": [line.level for line in lines],
            "loggers": [line.logger for line in lines],
            "messages": [line.message for line in lines],
        },
    )


def trim_log(cr: Any, job: int, attempt: int, *, first: int, last: int) -> None:
    """Keep so many of the first and of the last lines of an attempt."""
    cr.execute(TRIM_LOG, {"job": job, "attempt": attempt, "first": first, "last": last})


def tell_progress(
    cr: Any, job: int, attempt: int, *, done: float, total: float, message: str
) -> None:
    """Replace what is known of how far a job is."""
    parameters = {"job": job, "attempt": attempt, "done": done, "total": total, "message": message}
    cr.execute(TELL_PROGRESS, parameters)
