"""What running jobs are asked to stop for.

Not in the row of the job: while it runs, its own transaction writes that, and would be rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

KEPT_DAYS = 1
"""A request that nobody took, since its job ended by itself, is forgotten then."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS queue_job_stop (
    job_id int PRIMARY KEY,
    attempt int NOT NULL,
    text varchar NOT NULL,
    asked timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')
);
ALTER TABLE queue_job_stop ADD COLUMN IF NOT EXISTS user_id int;
ALTER TABLE queue_job_stop ADD COLUMN IF NOT EXISTS stage varchar;
ALTER TABLE queue_job_stop ADD COLUMN IF NOT EXISTS ends timestamp;
"""

ASK = """
INSERT INTO queue_job_stop AS known (job_id, attempt, text, user_id)
SELECT id, attempt, %(text)s, %(user)s FROM queue_job WHERE state = 'started' AND id = ANY(%(ids)s)
 ORDER BY id
ON CONFLICT (job_id) DO UPDATE
   SET attempt = excluded.attempt, text = excluded.text, asked = excluded.asked,
       user_id = excluded.user_id, stage = NULL, ends = NULL
 WHERE known.attempt <> excluded.attempt
RETURNING job_id
"""
# In the order of the key, so that two who ask for many jobs wait for each other in turn.

WAIT_BRIEFLY = "SET LOCAL lock_timeout = '1s'"

READ = "SELECT text FROM queue_job_stop WHERE job_id = %s AND attempt = %s"

TELL = """
INSERT INTO queue_job_stop AS known (job_id, attempt, text, stage, ends)
VALUES (%(job)s, %(attempt)s, %(text)s, %(stage)s,
        clock_timestamp() AT TIME ZONE 'UTC' + %(left)s * interval '1 second')
ON CONFLICT (job_id) DO UPDATE
   SET stage = excluded.stage, ends = excluded.ends,
       attempt = excluded.attempt, text = excluded.text,
       asked = CASE WHEN known.attempt = excluded.attempt THEN known.asked ELSE excluded.asked END,
       user_id = CASE WHEN known.attempt = excluded.attempt THEN known.user_id END
"""
# On the worker's side connection, while nobody else has to do with the attempt but who looks.

READ_ASKED = """
SELECT stop.job_id, stop.text, stop.asked, stop.user_id, stop.stage, stop.ends
  FROM queue_job_stop AS stop
  JOIN queue_job AS job ON job.id = stop.job_id AND job.attempt = stop.attempt
 WHERE job.state = 'started' AND job.id = ANY(%s)
"""

FORGET = "DELETE FROM queue_job_stop WHERE job_id = %s AND attempt = %s"

FORGET_OLD = """
DELETE FROM queue_job_stop
 WHERE asked < clock_timestamp() AT TIME ZONE 'UTC' - %s * interval '1 day'
"""


@dataclass(frozen=True)
class Asked:
    """A running job that is to stop.

    :param text: why
    :param asked: when somebody asked for it, or its worker found it beyond a limit; UTC
    :param user: id of who asked
    :param stage: what its worker has done about it; ``None`` before it has seen it
    :param ends: when the worker itself is ended; UTC
    """

    text: str
    asked: datetime
    user: int | None
    stage: str | None
    ends: datetime | None


@dataclass(frozen=True)
class Told:
    """What a worker says of a job that is to stop.

    :param text: why
    :param stage: what it has done about it
    :param left: seconds until it is ended; ``None`` for never
    """

    text: str
    stage: str
    left: float | None


def create(cr: Any) -> None:
    """Create the table."""
    cr.execute(SCHEMA)


def wait_briefly(cr: Any) -> None:
    """Let a transaction give up soon where somebody else holds a lock."""
    cr.execute(WAIT_BRIEFLY)


def ask(cr: Any, jobs: Iterable[int], text: str, user: int) -> list[int]:
    """Ask those of the jobs to stop that run, in the attempt that they are in.

    :param text: what the job will say of its end
    :param user: id of who asks
    :return: the ids of those that had not been asked before
    """
    cr.execute(ASK, {"ids": sorted(jobs), "text": text, "user": user})
    return [row[0] for row in cr.fetchall()]


def read(cr: Any, job: int, attempt: int) -> str | None:
    """Return the text with which a job was asked to stop, if it was."""
    cr.execute(READ, (job, attempt))
    row = cr.fetchone()
    return str(row[0]) if row else None


def tell(cr: Any, job: int, attempt: int, told: Told) -> None:
    """Say what is done about a job that is to stop."""
    cr.execute(TELL, {"job": job, "attempt": attempt, **asdict(told)})


def read_asked(cr: Any, jobs: Iterable[int]) -> dict[int, Asked]:
    """Return those of the jobs that are to stop and still run."""
    cr.execute(READ_ASKED, (list(jobs),))
    return {job: Asked(*values) for job, *values in cr.fetchall()}


def forget(cr: Any, job: int, attempt: int) -> None:
    """Forget what was asked of a job that has stopped."""
    cr.execute(FORGET, (job, attempt))


def forget_old(cr: Any) -> None:
    """Forget what nobody took."""
    cr.execute(FORGET_OLD, (KEPT_DAYS,))
