"""Writing down how a job ended, fenced by its attempt.

These run on the job's own cursor. Each returns whether the job was still ours; if not, the caller
must roll everything back, for another worker may be running it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..core.retry import Pause
from . import plans

COMPLETE = """
UPDATE queue_job
   SET state = 'done', result = %s, exec_time = %s, memory_peak = %s, memory_added = %s,
       date_done = clock_timestamp() AT TIME ZONE 'UTC', identity_claim = NULL,
       exc_name = NULL, exc_message = NULL, exc_info = NULL
 WHERE id = %s AND attempt = %s AND state = 'started'
"""
# Commits together with the job's work: its effects and its end are one.

POSTPONE = """
WITH before AS (
    SELECT id, attempt, date_started, worker_host, worker_pid FROM queue_job
     WHERE id = %(id)s AND attempt = %(attempt)s AND state = 'started'
), postponed AS (
    UPDATE queue_job
       SET state = 'pending', result = %(message)s, retry = retry - %(given_back)s, lost = 0,
           conflicts = CASE WHEN %(outcome)s = 'conflict'
                            THEN LEAST(COALESCE(conflicts, 0), 2147483646) + 1 ELSE 0 END,
           snoozes = CASE WHEN %(outcome)s = 'snoozed'
                          THEN LEAST(COALESCE(snoozes, 0), 2147483646) + 1 ELSE snoozes END,
           eta = clock_timestamp() AT TIME ZONE 'UTC' + %(wait)s * interval '1 second',
           date_enqueued = NULL, date_started = NULL,
           exc_name = NULL, exc_message = NULL, exc_info = NULL
      FROM before WHERE queue_job.id = before.id
    RETURNING queue_job.id
)
INSERT INTO queue_job_attempt
       (job_id, attempt, outcome, date_started, date_ended, worker_host, worker_pid, message,
        memory_peak, memory_added)
SELECT before.id, attempt, %(outcome)s, date_started, clock_timestamp() AT TIME ZONE 'UTC',
       worker_host, worker_pid, %(message)s, %(peak)s, %(added)s
  FROM before JOIN postponed ON postponed.id = before.id
"""
# Workers that were lost, and conflicts, count in a row: a try that came to its own end shows that
# the job is not what kills workers, and that it gets through. What was snoozed counts in all, since
# a row of these is what never ends. A counter stays where it can count no further.

FAIL = """
WITH failed AS (
    UPDATE queue_job
       SET state = 'failed', exec_time = %(seconds)s, identity_claim = NULL,
           memory_peak = %(peak)s, memory_added = %(added)s,
           exc_name = %(exc_name)s, exc_message = %(exc_message)s, exc_info = %(exc_info)s,
           failure_key = %(failure_key)s
     WHERE id = %(id)s AND attempt = %(attempt)s AND state = 'started'
    RETURNING id, attempt, date_started, worker_host, worker_pid
)
INSERT INTO queue_job_attempt
       (job_id, attempt, outcome, date_started, date_ended, worker_host, worker_pid,
        message, exc_name, exc_info, failure_key, memory_peak, memory_added)
SELECT id, attempt, 'failed', date_started, clock_timestamp() AT TIME ZONE 'UTC',
       worker_host, worker_pid, %(exc_message)s, %(exc_name)s, %(exc_info)s,
       %(failure_key)s, %(peak)s, %(added)s
  FROM failed
"""

CANCEL = """
WITH cancelled AS (
    UPDATE queue_job
       SET state = 'cancelled', exec_time = %(seconds)s, identity_claim = NULL,
           memory_peak = %(peak)s, memory_added = %(added)s,
           result = %(text)s, date_cancelled = clock_timestamp() AT TIME ZONE 'UTC',
           exc_name = NULL, exc_message = NULL, exc_info = NULL
     WHERE id = %(id)s AND attempt = %(attempt)s AND state = 'started'
    RETURNING id, attempt, date_started, worker_host, worker_pid
)
INSERT INTO queue_job_attempt
       (job_id, attempt, outcome, date_started, date_ended, worker_host, worker_pid, message,
        memory_peak, memory_added, date_asked)
SELECT id, cancelled.attempt, 'cancelled', date_started, clock_timestamp() AT TIME ZONE 'UTC',
       worker_host, worker_pid, %(text)s, %(peak)s, %(added)s, asked
  FROM cancelled LEFT JOIN queue_job_stop AS stop
    ON stop.job_id = cancelled.id AND stop.attempt = cancelled.attempt
"""
# What an attempt came to is kept with the change of state, by one statement: there is never the one
# without the other.


@dataclass(frozen=True)
class Spent:
    """What an attempt took.

    :param seconds: how long it ran
    :param peak: MB of the worker, when it was most
    :param added: MB that the job had added to it by then
    """

    seconds: float
    peak: int
    added: int


def complete(cr: Any, job: int, attempt: int, *, result: str | None, spent: Spent) -> bool:
    """Record the success of a job in its own transaction."""
    values = [result, spent.seconds, spent.peak, spent.added, job, attempt]
    plans.execute(cr, "queue_job_complete", COMPLETE, values)
    return bool(cr.rowcount)


def postpone(
    cr: Any, job: int, attempt: int, *, message: str, wait: float, pause: Pause, spent: Spent
) -> bool:
    """Send a job back for later, in the transaction that its try has left.

    :param wait: seconds
    :param pause: which counter it is for, and what the attempt is kept as
    """
    cr.execute(
        POSTPONE,
        {
            "id": job,
            "attempt": attempt,
            "message": message,
            "wait": wait,
            "outcome": pause.value,
            "given_back": 0 if pause.counted else 1,
            **asdict(spent),
        },
    )
    return bool(cr.rowcount)


def fail(cr: Any, job: int, attempt: int, *, spent: Spent, error: dict[str, str], key: str) -> bool:
    """Record the failure of a job.

    :param error: ``exc_name``, ``exc_message`` and ``exc_info``
    :param key: of its failure, see :mod:`..core.failure`
    """
    values = {"id": job, "attempt": attempt, "failure_key": key}
    cr.execute(FAIL, {**values, **asdict(spent), **error})
    return bool(cr.rowcount)


def cancel(cr: Any, job: int, attempt: int, *, spent: Spent, text: str) -> bool:
    """Record that a job was stopped because somebody asked for it.

    :param text: who asked
    """
    cr.execute(CANCEL, {"id": job, "attempt": attempt, "text": text, **asdict(spent)})
    return bool(cr.rowcount)
