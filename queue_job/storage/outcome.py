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
UPDATE queue_job
   SET state = 'pending', result = %(message)s, retry = retry - %(given_back)s, lost = 0,
       eta = clock_timestamp() AT TIME ZONE 'UTC' + %(wait)s * interval '1 second',
       date_enqueued = NULL, date_started = NULL,
       exc_name = NULL, exc_message = NULL, exc_info = NULL
 WHERE id = %(id)s AND attempt = %(attempt)s AND state = 'started'
"""

FAIL = """
UPDATE queue_job
   SET state = 'failed', exec_time = %(seconds)s, identity_claim = NULL,
       exc_name = %(exc_name)s, exc_message = %(exc_message)s, exc_info = %(exc_info)s
 WHERE id = %(id)s AND attempt = %(attempt)s AND state = 'started'
"""


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
