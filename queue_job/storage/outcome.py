"""Writing down how a job ended, fenced by its attempt.

These run on the job's own cursor. Each returns whether the job was still ours; if not, the caller
must roll everything back, for another worker may be running it.
"""

from __future__ import annotations

from typing import Any

from . import plans

COMPLETE = """
UPDATE queue_job
   SET state = 'done', result = %s, exec_time = %s,
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
           eta = clock_timestamp() AT TIME ZONE 'UTC' + %(wait)s * interval '1 second',
           date_enqueued = NULL, date_started = NULL,
           exc_name = NULL, exc_message = NULL, exc_info = NULL
      FROM before WHERE queue_job.id = before.id
    RETURNING queue_job.id
)
INSERT INTO queue_job_attempt
       (job_id, attempt, outcome, date_started, date_ended, worker_host, worker_pid, message)
SELECT before.id, attempt, 'postponed', date_started, clock_timestamp() AT TIME ZONE 'UTC',
       worker_host, worker_pid, %(message)s
  FROM before JOIN postponed ON postponed.id = before.id
"""

FAIL = """
WITH failed AS (
    UPDATE queue_job
       SET state = 'failed', exec_time = %(seconds)s, identity_claim = NULL,
           exc_name = %(exc_name)s, exc_message = %(exc_message)s, exc_info = %(exc_info)s
     WHERE id = %(id)s AND attempt = %(attempt)s AND state = 'started'
    RETURNING id, attempt, date_started, worker_host, worker_pid
)
INSERT INTO queue_job_attempt
       (job_id, attempt, outcome, date_started, date_ended, worker_host, worker_pid,
        message, exc_name, exc_info)
SELECT id, attempt, 'failed', date_started, clock_timestamp() AT TIME ZONE 'UTC',
       worker_host, worker_pid, %(exc_message)s, %(exc_name)s, %(exc_info)s
  FROM failed
"""
# What an attempt came to is kept with the change of state, by one statement: there is never the one
# without the other.


def complete(cr: Any, job: int, attempt: int, *, result: str | None, seconds: float) -> bool:
    """Record the success of a job in its own transaction.

    :param seconds: how long it ran
    """
    plans.execute(cr, "queue_job_complete", COMPLETE, [result, seconds, job, attempt])
    return bool(cr.rowcount)


def postpone(cr: Any, job: int, attempt: int, *, message: str, wait: float, counted: bool) -> bool:
    """Send a job back for later.

    :param wait: seconds
    :param counted: whether the try counts towards its limit
    """
    cr.execute(
        POSTPONE,
        {
            "id": job,
            "attempt": attempt,
            "message": message,
            "wait": wait,
            "given_back": 0 if counted else 1,
        },
    )
    return bool(cr.rowcount)


def fail(cr: Any, job: int, attempt: int, *, seconds: float, error: dict[str, str]) -> bool:
    """Record the failure of a job.

    :param error: ``exc_name``, ``exc_message`` and ``exc_info``
    """
    cr.execute(FAIL, {"id": job, "attempt": attempt, "seconds": seconds, **error})
    return bool(cr.rowcount)
