"""What the leading jobrunner reads and writes, on its own autocommit connection.

Each statement is a transaction of its own in READ COMMITTED. None of them notifies: the runner
knows what it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.failure import KEY_LENGTH, LOST
from ..core.hold import Hold
from ..core.leases import JobRef
from ..core.report import Outcome, Report
from ..core.retry import LOST_LIMIT
from ..core.scheduler import WINDOW, Place
from ..core.stop import Cause, given_up_with
from . import dependency, nodes
from .home import HOLD
from .liveness import LOCK_SPACE, LOCK_SPACE_SIZE

LEADER_LOCK = 2293787760715711918
"""Key of the session-level advisory lock that makes a leader. It is the community addon's, so that
the two can never dispatch the same table at a time."""

HEADS = 10
"""Urgent jobs of a channel that are read while nothing can start; more come with the window."""

TRY_LEAD = "SELECT pg_try_advisory_lock(%s)"
# Not the waiting form: a statement that waits for the lock would hold back vacuum all that time.

IS_INSTALLED = """
SELECT to_regclass('queue_job') IS NOT NULL AND EXISTS (
    SELECT FROM ir_module_module
     WHERE name = 'queue_job' AND state NOT IN ('uninstalled', 'uninstallable', 'to install'))
"""

LISTEN = "LISTEN queue_job"

READ_SIGNING_KEY = "SELECT value FROM ir_config_parameter WHERE key = 'database.secret'"

NEXT_ATTEMPT = """
CASE WHEN queue_job.attempt < 2147483647 THEN queue_job.attempt + 1 ELSE 1 END"""
# Begins anew where a column of four bytes ends. Nothing that stands in a row may make a statement
# of the runner fail: no other job of the database would run any more.

READY_CHANNELS = """
WITH RECURSIVE channels AS (
    (SELECT channel FROM queue_job
      WHERE state = 'pending' AND NOT scheduled ORDER BY channel LIMIT 1)
    UNION ALL
    SELECT (SELECT q.channel FROM queue_job q
             WHERE q.state = 'pending' AND NOT q.scheduled AND q.channel > channels.channel
             ORDER BY q.channel LIMIT 1)
      FROM channels WHERE channels.channel IS NOT NULL
)
"""
# Steps from one channel to the next in the index instead of reading every row.

WINDOW_TEXT = """
PREPARE queue_job_window (int[], text) AS
{ready_channels}
SELECT ready.id, ready.priority, channels.channel, ready.channel_method_name,
       ready.graph_uuid IS NOT NULL, NULL, NULL
  FROM channels CROSS JOIN LATERAL (
        SELECT q.id, q.priority, q.channel_method_name, q.graph_uuid FROM queue_job q
         WHERE q.channel = channels.channel AND q.state = 'pending' AND NOT q.scheduled
           AND q.id <> ALL($1)
         ORDER BY q.priority, q.id LIMIT {window}) ready
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, (
    SELECT CASE WHEN q.eta <= now() AT TIME ZONE 'UTC' THEN -1
                WHEN isfinite(q.eta)
                THEN EXTRACT(epoch FROM q.eta - now() AT TIME ZONE 'UTC') END
      FROM queue_job q
     WHERE q.state = 'pending' AND q.scheduled ORDER BY q.eta LIMIT 1),
    {hold}
"""
READ_WINDOW = WINDOW_TEXT.format(
    ready_channels=READY_CHANNELS, window=WINDOW, hold=HOLD.format(home="$2")
)
# Its cost follows the number of channels and the size of the window, never the backlog. The limit
# is written into it: of one that it does not know the planner expects a tenth of all rows. The last
# row tells when the next ETA comes, and whether something holds the whole database. An ETA may be
# infinite, from which PostgreSQL before version 17 does not subtract.

HEADS_TEXT = """
{ready_channels}
SELECT heads.* FROM channels CROSS JOIN LATERAL (
    SELECT q.id, q.priority, q.channel, q.channel_method_name, q.graph_uuid IS NOT NULL
      FROM queue_job q
     WHERE q.channel = channels.channel AND q.state = 'pending' AND NOT q.scheduled
       AND q.priority < %s
     ORDER BY q.priority, q.id LIMIT %s) AS heads
"""
READ_HEADS = HEADS_TEXT.format(ready_channels=READY_CHANNELS)
# The urgent ones alone: a tenth of what the window costs while a long backlog waits.

LOOK_TEXT = """
WITH beat AS ({beat}), dead AS ({forget})
SELECT EXISTS (SELECT FROM queue_job WHERE state = 'pending' AND NOT scheduled)
    OR EXISTS (SELECT FROM queue_job WHERE state = 'pending' AND scheduled),
       EXISTS (SELECT FROM queue_job WHERE state IN ('enqueued', 'started')),
       EXISTS (SELECT FROM queue_job WHERE state = 'wait_dependencies')
"""
LOOK = LOOK_TEXT.format(beat=nodes.BEAT, forget=nodes.FORGET)
# Each finds its answer at the first entry of a partial index. The heartbeat rides along, and so
# does the end of the rows of dead servers.

READ_HELD = """
WITH RECURSIVE channels AS (
    (SELECT channel FROM queue_job
      WHERE state = 'pending' AND scheduled AND attempt > 0 ORDER BY channel LIMIT 1)
    UNION ALL
    SELECT (SELECT q.channel FROM queue_job q
             WHERE q.state = 'pending' AND q.scheduled AND q.attempt > 0
               AND q.channel > channels.channel
             ORDER BY q.channel LIMIT 1)
      FROM channels WHERE channels.channel IS NOT NULL
)
SELECT channels.channel, held.priority, held.id
  FROM channels CROSS JOIN LATERAL (
        SELECT q.priority, q.id FROM queue_job q
         WHERE q.channel = channels.channel
           AND q.state = 'pending' AND q.scheduled AND q.attempt > 0
         ORDER BY q.priority, q.id LIMIT 1) held
"""
# The same steps from channel to channel: a DISTINCT would read every job that waits for a retry.

PROMOTE = """
UPDATE queue_job SET scheduled = false
 WHERE id IN (
    SELECT id FROM queue_job
     WHERE state = 'pending' AND scheduled AND eta <= now() AT TIME ZONE 'UTC'
     ORDER BY eta LIMIT 5000 FOR NO KEY UPDATE SKIP LOCKED)
"""
# SKIP LOCKED: a job that an operator is editing is theirs until they commit. The time is now(),
# which is stable, and so bounds the walk through the index; clock_timestamp() would read all of it.

ENQUEUE_TEXT = """
PREPARE queue_job_enqueue (int[]) AS
UPDATE queue_job
   SET state = 'enqueued', attempt = {next_attempt},
       date_enqueued = clock_timestamp() AT TIME ZONE 'UTC'
 WHERE id IN (
    SELECT id FROM queue_job
     WHERE id = ANY($1) AND state = 'pending' AND scheduled IS NOT TRUE
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, attempt
"""
ENQUEUE = ENQUEUE_TEXT.format(next_attempt=NEXT_ATTEMPT)
# Locked in the order of their ids, and what somebody else holds is passed over: the runner can
# neither wait for an operator's transaction nor be half of a deadlock. A job that was cancelled
# since the window was read is not 'pending' any more, and stays cancelled. IS NOT TRUE keeps the
# planner, when its statistics are old, from walking through the index of ready jobs for a few ids.

READ_FREE = """
SELECT id FROM queue_job WHERE id = ANY(%s) AND state = 'pending'
   FOR NO KEY UPDATE SKIP LOCKED
"""
# The locks last as long as the statement. Asked for only when a job was not to be had.

RECALL_TEXT = """
UPDATE queue_job
   SET state = 'pending', attempt = {next_attempt}, date_enqueued = NULL
  FROM (SELECT q.id FROM queue_job q
          JOIN unnest(%s::int[], %s::int[]) AS seen (id, attempt)
            ON q.id = seen.id AND q.attempt = seen.attempt
         WHERE q.state = 'enqueued'
           FOR NO KEY UPDATE OF q SKIP LOCKED) AS waiting
 WHERE queue_job.id = waiting.id
RETURNING queue_job.id
"""
RECALL = RECALL_TEXT.format(next_attempt=NEXT_ATTEMPT)
# Races with a worker that starts the same job: whoever locks the row first wins, the other passes
# over it. A row that an operator holds is passed over too: it must not stop the runner.

READ_RUNNING = """
SELECT id, priority, channel, channel_method_name, graph_uuid IS NOT NULL, attempt FROM queue_job
 WHERE state IN ('enqueued', 'started')
"""

REAP_TEXT = """
WITH RECURSIVE running AS MATERIALIZED (
    SELECT id, attempt, state, LEAST(lost, 1000) + (state = 'started')::int AS lost,
           date_started, worker_pid, worker_host, channel_method_name
      FROM queue_job
     WHERE state IN ('enqueued', 'started') AND id = ANY(%(ids)s)
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
), dead AS MATERIALIZED (
    SELECT id, attempt, state, lost, date_started, worker_pid, worker_host,
           format('%%s (process %%s on %%s%%s)', %(reason)s,
           worker_pid, worker_host, (
                SELECT ': ' || cause FROM unnest(%(pids)s::int[], %(causes)s::text[])
                    AS death (pid, cause)
                 WHERE pid = worker_pid AND worker_host = %(host)s LIMIT 1)) AS reason,
           asked.text IS NOT NULL AS stopped, asked.text AS asked,
           asked.text IS NULL AND lost >= %(limit)s AS failed,
           CASE WHEN asked.text IS NULL AND lost >= %(limit)s THEN left(encode(sha256(convert_to(
                %(lost)s || COALESCE(channel_method_name, '') || E'\n', 'UTF8')), 'hex'),
                %(key_length)s) END AS failure_key
      FROM running LEFT JOIN LATERAL (
           SELECT text FROM queue_job_stop AS stop
            WHERE stop.job_id = running.id AND stop.attempt = running.attempt
              AND stop.user_id IS NOT NULL) AS asked ON true
     WHERE CASE WHEN pg_try_advisory_lock(%(space)s + (attempt & %(mask)s), id)
                THEN pg_advisory_unlock(%(space)s + (attempt & %(mask)s), id) END
), kept AS (
    INSERT INTO queue_job_attempt
           (job_id, attempt, outcome, date_started, date_ended, worker_host, worker_pid, message,
            failure_key)
    SELECT id, attempt, 'lost', date_started, clock_timestamp() AT TIME ZONE 'UTC',
           worker_host, worker_pid, reason, failure_key
      FROM dead WHERE state = 'started'
), below AS (
{given_up}
), given_up AS (
    UPDATE queue_job
       SET state = 'cancelled', date_cancelled = clock_timestamp() AT TIME ZONE 'UTC',
           identity_claim = NULL, result = 'Cancelled with a job that it waited for'
     WHERE id IN (
        SELECT id FROM queue_job
         WHERE id IN (SELECT child_id FROM below) AND state = 'wait_dependencies'
         ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
)
UPDATE queue_job
   SET attempt = {next_attempt}, lost = dead.lost,
       retry = GREATEST(queue_job.retry, -2147483647) - (dead.state = 'started')::int,
       state = CASE WHEN dead.stopped THEN 'cancelled' WHEN dead.failed THEN 'failed'
                    ELSE 'pending' END,
       exc_name = CASE WHEN dead.failed THEN 'JobFoundDead' END,
       exc_message = CASE WHEN dead.failed THEN dead.reason END,
       exc_info = CASE WHEN dead.failed THEN dead.reason END,
       failure_key = dead.failure_key,
       result = CASE WHEN dead.stopped THEN dead.asked
                     WHEN dead.state = 'started' AND NOT dead.failed THEN dead.reason
                     ELSE result END,
       identity_claim = CASE WHEN NOT (dead.stopped OR dead.failed) THEN identity_claim END,
       date_cancelled = CASE WHEN dead.stopped THEN clock_timestamp() AT TIME ZONE 'UTC' END,
       date_enqueued = CASE WHEN dead.stopped OR dead.failed THEN date_enqueued END,
       date_started = CASE WHEN dead.stopped OR dead.failed THEN queue_job.date_started END
  FROM dead
 WHERE queue_job.id = dead.id
RETURNING queue_job.id, dead.state = 'started'
"""
GIVEN_UP = dependency.GIVEN_UP_TEXT.format(parents="IN (SELECT id FROM dead WHERE stopped)")
REAP = REAP_TEXT.format(next_attempt=NEXT_ATTEMPT, given_up=GIVEN_UP)
# Dead is what no session holds the liveness lock of. The lock is tried for each job by itself while
# its row is locked, so that nobody can start it meanwhile: pg_locks is read once for all of them,
# when the first row is locked, and shows as dead what a worker has started since. A row that is
# being completed is passed over, as is one that an operator holds. The attempt is raised: a worker
# that is alive after all, but cut off, is refused by the fence. One that an operator wanted to stop
# is cancelled, with what waits for it: its worker died before it could be told, and it must not
# begin anew. The key of the failure is that of core.failure.lost_signature.

STILL_RUNNING = """
SELECT queue_job.id, queue_job.state = 'started' FROM queue_job
  JOIN unnest(%s::int[], %s::int[]) AS seen (id, attempt)
    ON queue_job.id = seen.id AND queue_job.attempt = seen.attempt
 WHERE queue_job.state IN ('enqueued', 'started')
"""

ENDED = """
SELECT queue_job.id, queue_job.state, queue_job.exec_time, queue_job.memory_added FROM queue_job
  JOIN unnest(%s::int[], %s::int[]) AS seen (id, attempt)
    ON queue_job.id = seen.id AND queue_job.attempt = seen.attempt
 WHERE queue_job.state IN ('done', 'failed', 'cancelled') AND queue_job.exec_time IS NOT NULL
"""
# What an operator has ended did not run, and has no such time.


@dataclass(frozen=True)
class Window:
    """What the runner reads at once.

    :param ready: the first ready jobs of each channel
    :param next_eta: seconds until the next ETA, negative when it has come, ``None`` for none
    :param hold: why nothing may start
    """

    ready: list[JobRef]
    next_eta: float | None
    hold: Hold | None


@dataclass(frozen=True)
class Sight:
    """What kinds of jobs there are.

    :param pending: some wait, for a slot or for their time
    :param running: a lease or a worker owns some
    :param waiting: some wait for others
    """

    pending: bool
    running: bool
    waiting: bool


def try_lead(cr: Any) -> bool:
    """Take the leader's lock of this database, or learn that another runner has it."""
    cr.execute(TRY_LEAD, (LEADER_LOCK,))
    return bool(cr.fetchone()[0])


def is_installed(cr: Any) -> bool:
    """Tell whether the addon is installed in this database."""
    cr.execute("SELECT to_regclass('ir_module_module') IS NOT NULL")
    if not cr.fetchone()[0]:
        return False
    cr.execute(IS_INSTALLED)
    return bool(cr.fetchone()[0])


def prepare(cr: Any) -> None:
    """Plan the two statements of every lease, once for the connection."""
    cr.execute(READ_WINDOW)
    cr.execute(ENQUEUE)


def listen(cr: Any) -> None:
    """Let the connection hear of what becomes ready, and of what operators set."""
    cr.execute(LISTEN)


def read_secret(cr: Any) -> str:
    """Return the database's own secret, with which run requests are signed.

    :raises LookupError: when it is not there
    """
    cr.execute(READ_SIGNING_KEY)
    row = cr.fetchone()
    if not row or not row[0]:
        raise LookupError("no system parameter database.secret: no worker would believe the runner")
    return str(row[0])


def read_window(cr: Any, home: str, missed: Iterable[int] = ()) -> Window:
    """Read the ready jobs, :data:`WINDOW` per channel, and the time of the next ETA.

    :param home: where this database is
    :param missed: jobs to leave out, because somebody holds a lock on them
    """
    cr.execute("EXECUTE queue_job_window (%s, %s)", (list(missed), home))
    *ready, last = cr.fetchall()
    next_eta = last[5]
    hold = Hold(last[6]) if last[6] else None
    jobs = [] if hold else [_reference(*row[:5]) for row in ready]
    return Window(jobs, None if next_eta is None else float(next_eta), hold)


def read_heads(cr: Any, priority: int) -> list[JobRef]:
    """Return the first :data:`HEADS` jobs of each channel that are more urgent than a priority."""
    cr.execute(READ_HEADS, (priority, HEADS))
    return [_reference(*row) for row in cr.fetchall()]


def look(cr: Any, node: int) -> Sight:
    """Return what kinds of jobs there are to care for, and show that the runner still turns.

    :param node: number by which the runner announced its server
    """
    cr.execute(LOOK, (node,))
    return Sight(*cr.fetchone())


def read_held(cr: Any) -> dict[str, Place]:
    """Return, by channel, the first place of a job that waits for its retry."""
    cr.execute(READ_HELD)
    return {channel: (priority, number) for channel, priority, number in cr.fetchall()}


def promote(cr: Any) -> int:
    """Let jobs whose ETA has come compete like any other; return how many."""
    cr.execute(PROMOTE)
    return int(cr.rowcount)


def enqueue(cr: Any, ids: Sequence[int]) -> dict[int, int]:
    """Mark jobs as leased; return the attempt of each that was still there to be had."""
    cr.execute("EXECUTE queue_job_enqueue (%s)", (list(ids),))
    return dict(cr.fetchall())


def read_free(cr: Any, ids: Iterable[int]) -> set[int]:
    """Return the ids of those waiting jobs that nobody holds a lock on."""
    cr.execute(READ_FREE, (list(ids),))
    return {row[0] for row in cr.fetchall()}


def recall(cr: Any, jobs: Iterable[JobRef]) -> list[int]:
    """Take back the jobs that no worker has started; return their ids."""
    cr.execute(RECALL, _columns(jobs))
    return [row[0] for row in cr.fetchall()]


def read_running(cr: Any) -> list[JobRef]:
    """Return every job that a lease or a worker owns."""
    cr.execute(READ_RUNNING)
    return [_reference(*row) for row in cr.fetchall()]


def reap(
    cr: Any,
    ids: Iterable[int],
    reason: str,
    deaths: Mapping[int, str],
    limit: int = LOST_LIMIT,
) -> dict[int, bool]:
    """Take back the jobs of the dead; give up those that an operator wanted to stop.

    :param ids: jobs whose lease is not open
    :param reason: what the screen says of a started one, beside which process it was, and where
    :param deaths: causes of death by number of the process, on this machine
    :param limit: a job that loses its worker for so many times is failed
    :return: by id of each job taken back, whether it had been started
    """
    cancelled = given_up_with(Cause.CANCELLED)
    cr.execute(
        REAP,
        {
            "ids": list(ids),
            "space": LOCK_SPACE,
            "mask": LOCK_SPACE_SIZE - 1,
            "limit": limit,
            "lost": f"{LOST}\n",
            "key_length": KEY_LENGTH,
            "reason": reason,
            "host": nodes.HOST,
            "pids": list(deaths),
            "causes": list(deaths.values()),
            "stopped": cancelled,
            "cancelled": cancelled,
        },
    )
    return dict(cr.fetchall())


def still_running(cr: Any, jobs: Iterable[JobRef]) -> dict[int, bool]:
    """Return, by the id of each job whose attempt is still enqueued or started, which it is."""
    cr.execute(STILL_RUNNING, _columns(jobs))
    return dict(cr.fetchall())


def read_ended(cr: Any, jobs: Iterable[JobRef]) -> list[Report]:
    """Return how those of the jobs ended that did so in the attempt that is known of them."""
    cr.execute(ENDED, _columns(jobs))
    return [
        Report(number, Outcome(state), max(0.0, seconds), memory=memory)
        for number, state, seconds, memory in cr.fetchall()
    ]


def _reference(
    number: int, priority: int, channel: str, function: str | None, linked: bool, attempt: int = 0
) -> JobRef:
    return JobRef(priority, number, channel, function or "", attempt, linked)


def _columns(jobs: Iterable[JobRef]) -> tuple[list[int], list[int]]:
    known = list(jobs)
    return [job.id for job in known], [job.attempt for job in known]
