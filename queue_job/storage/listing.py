"""Jobs for the command line: read by SQL, which needs no registry and so no time to load one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from .searching import first_since

NEWEST = 50_000
"""Jobs that are done or cancelled that a list looks at when it looks for something: beyond them it
would read the whole table."""

MATCHES = """
       (%(ids)s::int[] IS NULL OR job.id = ANY(%(ids)s))
   AND (%(first)s::bigint IS NULL OR job.id >= %(first)s)
   AND (%(uuids)s::text[] IS NULL OR job.uuid = ANY(%(uuids)s))
   AND (%(states)s::text[] IS NULL OR job.state = ANY(%(states)s))
   AND (%(channel)s::text IS NULL OR job.channel = %(channel)s
        OR starts_with(job.channel, %(channel)s || '.'))
   AND (%(function)s::text IS NULL OR strpos(job.channel_method_name, %(function)s) > 0)
   AND (%(model)s::text IS NULL OR job.model_name = %(model)s)
   AND (%(user)s::text IS NULL OR job.user_id IN (SELECT id FROM res_users WHERE login = %(user)s))
   AND (%(since)s::timestamp IS NULL OR job.date_created >= %(since)s)
   AND (%(exception)s::text IS NULL OR strpos(
        lower(concat_ws(' ', job.exc_name, job.exc_message)), lower(%(exception)s)) > 0)
"""
# What is not asked for is a constant that is true, which the planner takes away: what is left can
# use the partial index of a state.

IDS_TEXT = "SELECT job.id FROM queue_job AS job WHERE {matches} ORDER BY job.id LIMIT %(limit)s"
IDS = IDS_TEXT.format(matches=MATCHES)

NEWEST_IDS_TEXT = """
(SELECT job.id FROM queue_job AS job WHERE {matches} ORDER BY job.id DESC LIMIT %(limit)s)
"""
NEWEST_IDS = NEWEST_IDS_TEXT.format(matches=MATCHES)

PARTS = (
    (("pending",), "job.state = 'pending' AND NOT job.scheduled"),
    (("pending",), "job.state = 'pending' AND job.scheduled"),
    (("enqueued", "started"), "job.state IN ('enqueued', 'started')"),
    (("wait_dependencies",), "job.state = 'wait_dependencies'"),
    (("failed",), "job.state = 'failed'"),
)
"""States, and the condition of the partial index that has the jobs in them."""

LIVE_IDS = """
(SELECT job.id FROM queue_job AS job WHERE {part} AND {matches}
  ORDER BY job.id + 0 DESC LIMIT %(limit)s)
"""
# Not by the id itself: PostgreSQL would go through the whole table in its order, in the hope of
# many that match, instead of through the index of the part.

FINISHED_STATES = ("done", "cancelled")

FINISHED = """
state NOT IN ('pending', 'enqueued', 'started', 'wait_dependencies', 'failed')
   AND (%(first)s::bigint IS NULL OR id >= %(first)s)
"""

FINISHED_IDS_TEXT = """
(SELECT job.id FROM (
    SELECT * FROM queue_job WHERE {finished} ORDER BY id DESC LIMIT %(newest)s) AS job
  WHERE {matches} ORDER BY job.id DESC LIMIT %(limit)s)
"""
FINISHED_IDS = FINISHED_IDS_TEXT.format(finished=FINISHED, matches=MATCHES)

NEWEST_OF_TEXT = "SELECT id FROM ({parts}) AS found ORDER BY id DESC LIMIT %(limit)s"

HAS_OLDER_TEXT = """
SELECT EXISTS (SELECT FROM queue_job WHERE {finished} ORDER BY id DESC OFFSET %(newest)s)
"""
HAS_OLDER = HAS_OLDER_TEXT.format(finished=FINISHED)

LIST_TEXT = """
SELECT found.*, users.login AS "user", company.name AS company
  FROM (
    SELECT job.id, job.uuid, job.state, job.channel, job.channel_method_name AS function,
           job.name, job.model_name AS model, job.priority, job.retry, job.max_retries, job.lost,
           COALESCE(job.conflicts, 0) AS conflicts, COALESCE(job.snoozes, 0) AS snoozes,
           job.eta, job.date_created, job.date_started, job.date_done, job.date_cancelled,
           job.exec_time, job.exc_name, job.exc_message, job.worker_host, job.worker_pid,
           job.user_id, job.company_id
      FROM queue_job AS job
     WHERE job.id = ANY (ARRAY({ids}))
     ORDER BY job.id DESC LIMIT %(limit)s) AS found
  LEFT JOIN res_users AS users ON users.id = found.user_id
  LEFT JOIN res_company AS company ON company.id = found.company_id
 ORDER BY found.id DESC
"""

SHOW = """
SELECT job.*, job.channel_method_name AS function, job.records::text AS records,
       job.args::text AS args, job.kwargs::text AS kwargs,
       users.login AS "user", company.name AS company
  FROM queue_job AS job
  LEFT JOIN res_users AS users ON users.id = job.user_id
  LEFT JOIN res_company AS company ON company.id = job.company_id
 WHERE job.uuid = %s
"""

ATTEMPTS = """
SELECT attempt, outcome, date_started, date_ended, worker_host, worker_pid, message, exc_name,
       memory_added, memory_peak, date_asked
  FROM queue_job_attempt WHERE job_id = %s ORDER BY attempt DESC, id DESC LIMIT 100
"""

LINES = """
SELECT date, attempt, level, logger, message
  FROM queue_job_log WHERE job_id = %s ORDER BY id DESC LIMIT 200
"""

PROGRESS = "SELECT done, total, message, date FROM queue_job_progress WHERE job_id = %s"


@dataclass(frozen=True)
class JobFilter:
    """Which jobs are meant; what is ``None`` is not asked for.

    :param ids: numbers of rows
    :param uuids: of the jobs themselves
    :param states: any of them
    :param channel: full name of a channel; those below it as well
    :param function: part of the name of a function
    :param model: name of a model
    :param user: login
    :param since: made at that time, in UTC, or later
    :param exception: part of the exception's name or message, in small or capital letters
    """

    ids: Sequence[int] | None = None
    uuids: Sequence[str] | None = None
    states: Sequence[str] | None = None
    channel: str | None = None
    function: str | None = None
    model: str | None = None
    user: str | None = None
    since: datetime | None = None
    exception: str | None = None

    @property
    def looks_for_few(self) -> bool:
        """Tell whether jobs that match may be far between: it asks for more than an age."""
        others = (self.states, self.channel, self.function, self.model, self.user, self.exception)
        return self.ids is None and any(value is not None for value in others)

    def parameters(self, limit: int | None, first: int | None = None) -> dict[str, Any]:
        """Return what the statements are given.

        :param first: id before which no job is young enough
        """
        values = asdict(self)
        for name in ("ids", "uuids", "states"):
            values[name] = None if values[name] is None else list(values[name])
        return {**values, "limit": limit, "first": first, "newest": NEWEST}


@dataclass(frozen=True)
class JobDetails:
    """All that is stored of one job.

    :param row: its columns
    :param attempts: tries that did not end well, the last first
    :param lines: what it logged, the last first
    :param progress: how far it said it was
    """

    row: dict[str, Any]
    attempts: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    progress: list[dict[str, Any]] = field(default_factory=list)


def read_jobs(cr: Any, wanted: JobFilter, limit: int | None) -> list[dict[str, Any]]:
    """Return the newest jobs that a filter finds.

    :param limit: how many at the most, among those that wait, run or have failed and the
        :data:`NEWEST` others; ``None`` for all there are
    """
    statement, values = newest(cr, wanted, limit)
    cr.execute(statement, values)
    return rows_of(cr)


def newest(cr: Any, wanted: JobFilter, limit: int | None) -> tuple[str, dict[str, Any]]:
    """Return the statement of :func:`read_jobs`, and its values."""
    if limit is None:
        return LIST_TEXT.format(ids=NEWEST_IDS), wanted.parameters(None)
    ids = _ids_of_parts(wanted.states) if wanted.looks_for_few else NEWEST_IDS
    return LIST_TEXT.format(ids=ids), wanted.parameters(limit, _first(cr, wanted))


def has_older(cr: Any, wanted: JobFilter) -> bool:
    """Tell whether there are jobs at which a list with a limit does not look."""
    if not wanted.looks_for_few or not _asks_for(wanted.states, FINISHED_STATES):
        return False
    cr.execute(HAS_OLDER, wanted.parameters(None, _first(cr, wanted)))
    return bool(cr.fetchone()[0])


def read_ids(cr: Any, wanted: JobFilter, limit: int | None) -> list[int]:
    """Return the ids of the jobs that a filter finds, the oldest first."""
    cr.execute(IDS, wanted.parameters(limit))
    return [row[0] for row in cr.fetchall()]


def read_details(cr: Any, uuid: str) -> JobDetails | None:
    """Return all that is stored of a job; ``None`` when there is none."""
    cr.execute(SHOW, (uuid,))
    found = rows_of(cr)
    if not found:
        return None
    key = (found[0]["id"],)
    cr.execute(ATTEMPTS, key)
    attempts = rows_of(cr)
    cr.execute(LINES, key)
    lines = rows_of(cr)
    cr.execute(PROGRESS, key)
    return JobDetails(found[0], attempts, lines, rows_of(cr))


def _ids_of_parts(states: Sequence[str] | None) -> str:
    """Return the statement that looks through the indexes of these states, or of all."""
    parts = [
        LIVE_IDS.format(part=part, matches=MATCHES)
        for found_in, part in PARTS
        if _asks_for(states, found_in)
    ]
    if _asks_for(states, FINISHED_STATES):
        parts.append(FINISHED_IDS)
    return NEWEST_OF_TEXT.format(parts=" UNION ALL ".join(parts))


def _asks_for(states: Sequence[str] | None, among: Sequence[str]) -> bool:
    return states is None or any(state in among for state in states)


def _first(cr: Any, wanted: JobFilter) -> int | None:
    """Return an id before which no job is as young as is asked for."""
    return None if wanted.since is None else first_since(cr, wanted.since)


def rows_of(cr: Any) -> list[dict[str, Any]]:
    """Return what a statement found, by the names of the columns."""
    names = [column.name for column in cr.description]
    return [dict(zip(names, row, strict=True)) for row in cr.fetchall()]
