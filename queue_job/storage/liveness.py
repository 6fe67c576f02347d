"""The side connection of a worker: what shows that it lives, and starts its jobs.

PostgreSQL drops a session's advisory locks when the session ends, so a worker that is killed frees
its jobs at once, and one that commits midway does not look dead.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2.errors import LockNotAvailable

from . import history, stops
from .connection import connect

LOCK_SPACE = 0x514A0000
LOCK_SPACE_SIZE = 0x10000
"""First part of a liveness lock's two-part key: ``QJ`` and the low bits of the attempt; the second
is the job's id. With the attempt in it, a lock that is still held after its job has ended is in
nobody's way and its release can ride along with the next start."""

IDLE_SECONDS = 60
"""A side connection that no lease used for so long is closed."""

LOCK_TIMEOUT = "50ms"
"""How long a start waits for whoever holds the job's row: they have the job."""

PREPARE = """
PREPARE queue_job_start (int, int, int, text, int, int, int) AS
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_lock($5, $1) AS locked, pg_advisory_unlock($6, $7) AS unlocked
)
UPDATE queue_job
   SET state = 'started', retry = LEAST(retry, 2147483646) + 1,
       date_started = clock_timestamp() AT TIME ZONE 'UTC',
       worker_pid = $3, worker_host = $4,
       identity_claim = CASE WHEN identity_scope = 'running' THEN identity_claim END
  FROM turn
 WHERE turn.locked AND id = $1 AND state = 'enqueued' AND attempt = $2
RETURNING id, attempt, uuid, model_name, method_name, channel_method_name, records::text,
          args::text, kwargs::text, retry, max_retries, COALESCE(conflicts, 0),
          COALESCE(snoozes, 0), company_id, channel, timeout, memory_limit, traceparent,
          CASE WHEN isfinite(COALESCE(eta, date_created)) THEN LEAST(1e8, GREATEST(0,
               EXTRACT(epoch FROM date_started - COALESCE(eta, date_created)))) END::float
"""
# One statement takes the lock and starts the job, so that there is no moment in which a started
# job is not locked. It must run here and be committed before the job's own transaction takes its
# snapshot, which would otherwise still show the job as enqueued. Two workers with the same attempt
# cannot be: one of them finds the lock taken or the state changed. Whoever holds the row, the
# runner that takes it back or an operator, has the job: this waits for LOCK_TIMEOUT and gives up,
# which costs a third less than to look with SKIP LOCKED first. Prepared, since to plan it takes
# longer than to run it. Nothing that stands in a row may make it fail: the job would be sent again
# and again. So a counter stays where it can count no further, and JSON is parsed where an error is
# the job's alone.

START = "EXECUTE queue_job_start (%s, %s, %s, %s, %s, %s, %s)"

TRY_LOCK = "SELECT pg_try_advisory_xact_lock(%s, %s)"

UNLOCK_ALL = "SELECT pg_advisory_unlock_all()"

IS_MINE = """
SELECT EXISTS (SELECT FROM queue_job WHERE id = %s AND attempt = %s AND state = 'started')
"""


def is_free(cr: Any, job: int, attempt: int) -> bool:
    """Take the liveness lock of a job for this transaction, or learn that a worker has it."""
    cr.execute(TRY_LOCK, (LOCK_SPACE + attempt % LOCK_SPACE_SIZE, job))
    return bool(cr.fetchone()[0])


@dataclass(frozen=True)
class StartedJob:
    """The row of a job that this worker has just started, as stored; JSON as text."""

    id: int
    attempt: int
    uuid: str
    model_name: str | None
    method_name: str | None
    function: str | None
    records: str | None
    args: str | None
    kwargs: str | None
    retry: int
    max_retries: int
    conflicts: int
    snoozes: int
    company_id: int | None
    channel: str | None
    timeout: float | None
    memory_limit: float | None
    traceparent: str | None
    waited: float | None
    """Seconds since it was ready; ``None`` where a row that was changed by hand does not tell."""

    @property
    def called(self) -> str:
        """Name of what it calls, by which failures and figures know it."""
        return self.function or self.method_name or ""


class Liveness:
    """One side connection; used by one lease at a time.

    :param database: name of the database
    :param overrides: libpq parameters of the direct connection
    """

    def __init__(self, database: str, overrides: Mapping[str, Any]) -> None:
        self._link = connect(database, overrides, "queue_job worker", lock_timeout=LOCK_TIMEOUT)
        self._cr = self._link.cursor()
        self._cr.execute(PREPARE)
        self._held: tuple[int | None, int | None] = (None, None)
        self._beside = threading.Lock()
        self.database = database
        self.last_used = time.monotonic()

    @property
    def usable(self) -> bool:
        """Tell whether the connection is there: one that is idle has nothing to say but its end."""
        if self._link.closed:
            return False
        poll = select.poll()
        poll.register(self._link, select.POLLIN)
        # An answer to who looks after the job is not the end of the connection.
        with self._beside:
            return not poll.poll(0)

    def start(self, job: int, attempt: int, *, host: str, pid: int) -> StartedJob | None:
        """Take the liveness lock of a job and start it.

        :return: the job, or ``None`` when it was taken back, cancelled or is run by another
        """
        lock = LOCK_SPACE + attempt % LOCK_SPACE_SIZE
        try:
            row = self._one(START, (job, attempt, pid, host, lock, *self._held))
        except LockNotAvailable:
            row = None
        if row is None:
            self.release()
            return None
        self._held = (lock, job)
        return StartedJob(*row)

    def tell_progress(
        self, job: int, attempt: int, done: float, total: float, message: str
    ) -> None:
        """Say how far the job is, outside of its transaction."""
        history.tell_progress(self._cr, job, attempt, done=done, total=total, message=message)

    def asked_to_stop(self, job: int, attempt: int) -> str | None:
        """Return the text with which a job was asked to stop, if it was.

        From another thread than all else here: of a connection both may make use, of a cursor not.
        """
        with self._beside, self._link.cursor() as cr:
            return stops.read(cr, job, attempt)

    def tell_stop(self, job: int, attempt: int, told: stops.Told) -> None:
        """Say what is done about a job that is to stop; from another thread as well."""
        with self._beside, self._link.cursor() as cr:
            stops.tell(cr, job, attempt, told)

    def tell_log(self, job: int, attempt: int, lines: Sequence[history.LogLine]) -> None:
        """Keep what a job has logged so far, outside of its transaction."""
        history.keep_log(self._cr, job, attempt, lines)

    def trim_log(self, job: int, attempt: int, *, first: int, last: int) -> None:
        """Keep so many of the first and of the last lines that are kept outside of it."""
        history.trim_log(self._cr, job, attempt, first=first, last=last)

    def is_mine(self, job: int, attempt: int) -> bool:
        """Tell whether this attempt still owns the job, which its own snapshot cannot know."""
        row = self._one(IS_MINE, (job, attempt))
        return bool(row and row[0])

    def release(self) -> None:
        """Free every lock that is still held."""
        self._one(UNLOCK_ALL, ())
        self._held = (None, None)

    def close(self) -> None:
        """End the session, and with it its locks."""
        with suppress(psycopg2.Error):
            self._link.close()

    def _one(self, query: str, params: Any) -> tuple[Any, ...] | None:
        self._cr.execute(query, params)
        row: tuple[Any, ...] | None = self._cr.fetchone()
        self.last_used = time.monotonic()
        return row


class LivenessPool:
    """The side connections of this process that no lease uses, closed when idle."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._free: list[Liveness] = []
        self._sweeper: threading.Timer | None = None

    def take(self, database: str, overrides: Mapping[str, Any]) -> Liveness:
        """Return a free connection to the database, or a new one."""
        with self._guard:
            for known in self._free:
                if known.database == database and known.usable:
                    self._free.remove(known)
                    return known
        return Liveness(database, overrides)

    def give_back(self, liveness: Liveness) -> None:
        """Keep a connection for the next lease."""
        with self._guard:
            if liveness.usable:
                self._free.append(liveness)
            if self._sweeper is None:
                self._watch()

    def _watch(self) -> None:
        self._sweeper = threading.Timer(IDLE_SECONDS, self._sweep)
        self._sweeper.daemon = True
        self._sweeper.start()

    def _sweep(self) -> None:
        """Close what was idle too long; look again while anything is left."""
        oldest = time.monotonic() - IDLE_SECONDS
        with self._guard:
            idle = [known for known in self._free if known.last_used <= oldest]
            self._free = [known for known in self._free if known.last_used > oldest]
            self._sweeper = None
            if self._free:
                self._watch()
        for known in idle:
            known.close()
