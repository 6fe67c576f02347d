"""``list``, ``show``, ``explain``, ``retry`` and ``cancel``."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg2
from psycopg2.errors import DeadlockDetected, LockNotAvailable, SerializationFailure

from odoo.exceptions import ConcurrencyError

from ..core.channels import ChannelError, full_name
from ..core.states import FINAL, JobState
from ..settings import retry_limits
from ..storage.listing import (
    NEWEST,
    JobDetails,
    JobFilter,
    has_older,
    read_details,
    read_ids,
    read_jobs,
)
from . import database
from .database import CommandError
from .finding import find
from .main import DONE, MISUNDERSTOOD, WRONG
from .terminal import Column, Terminal, paragraphs, shown

BATCH = 500
"""Jobs that are changed in one transaction: few enough that nobody waits for their locks."""

TRIES = 5
"""Of a batch that conflicts with what the engine does to the same jobs."""

PAUSE_SECONDS = 0.05
"""Longest pause before the second of them; doubles from try to try."""

CONFLICTS = (SerializationFailure, DeadlockDetected, LockNotAvailable, ConcurrencyError)

WAITING = (JobState.WAIT_DEPENDENCIES, JobState.PENDING, JobState.ENQUEUED)

COLUMNS = (
    Column("UUID", "uuid"),
    Column("STATE", "state"),
    Column("CHANNEL", "channel"),
    Column("FUNCTION", "function"),
    Column("CREATED (UTC)", "date_created"),
    Column("SECONDS", "exec_time", right=True),
    Column("TRY", "tries", right=True),
    Column("USER", "user"),
    Column("NOTE", "note"),
)

SHOWN = (
    *("uuid", "name", "state", "channel", "priority", "function", "user", "company"),
    *("records", "args", "kwargs", "tries", "lost", "conflicts", "snoozes", "attempt"),
    *("identity_key", "graph_uuid", "traceparent"),
    *("date_created", "eta", "date_enqueued", "date_started", "date_done", "date_cancelled"),
    *("exec_time", "memory_added", "memory_peak", "timeout", "memory_limit", "on_parent_stop"),
    *("worker_host", "worker_pid", "result", "exc_name", "exc_message"),
)
"""Columns of a job that ``show`` writes, in this order; empty ones are left out."""

Change = Callable[[Any], Any]


def list_jobs(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the newest jobs that match."""
    wanted, limit = job_filter(options), options.limit or None
    rows = find(options, wanted, limit, read_jobs, newest=True)
    if limit and len(rows) < limit and options.domain is None:
        _tell_of_older(options, terminal, wanted)
    terminal.tell(rows)
    if rows:
        terminal.table(COLUMNS, [_as_line(row) for row in rows])
    else:
        terminal.say("No job matches.")
    return DONE


def _tell_of_older(options: argparse.Namespace, terminal: Terminal, wanted: JobFilter) -> None:
    with database.reading(options) as cr:
        if has_older(cr, wanted):
            terminal.warn(
                f"of jobs that are done or cancelled the newest {NEWEST:,} were looked at; "
                "--limit 0 looks at all"
            )


def job_filter(options: argparse.Namespace, states: tuple[str, ...] | None = None) -> JobFilter:
    """Return which jobs are meant.

    :param states: those that are meant when the options name none
    """
    try:
        channel = full_name(options.channel) if options.channel else None
    except ChannelError as error:
        raise CommandError(str(error)) from error
    return JobFilter(
        states=tuple(options.state) if options.state else states,
        channel=channel,
        function=options.function,
        model=options.model,
        user=options.user,
        since=options.since,
        exception=options.exception,
    )


def _as_line(row: dict[str, Any]) -> dict[str, Any]:
    error = ": ".join(filter(None, (row["exc_name"], row["exc_message"])))
    note = error or (
        f"not before {shown(row['eta'])}" if row["state"] == "pending" and row["eta"] else ""
    )
    return {**row, "tries": _tries(row), "note": note[:200], "meaning": row["state"]}


def _tries(row: dict[str, Any]) -> str:
    return f"{row['retry']}/{row['max_retries'] or '∞'}"


def _counters(row: dict[str, Any]) -> dict[str, str]:
    """Return what counts beside the tries, with its limit; nothing for what has not happened."""
    limits = dict(zip(("conflicts", "lost"), retry_limits(), strict=True))
    found = {name: f"{row[name]}/{limit}" for name, limit in limits.items() if row.get(name)}
    return {**dict.fromkeys(limits, ""), **found, "snoozes": str(row.get("snoozes") or "")}


def show(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write all that is stored of a job."""
    with database.reading(options) as cr:
        details = read_details(cr, options.uuid)
    if details is None:
        raise CommandError(f"no job {options.uuid} in this database")
    terminal.tell(
        {
            **details.row,
            "limits": dict(zip(("conflicts", "lost"), retry_limits(), strict=True)),
            "attempts": details.attempts,
            "log": details.lines[::-1],
            "progress": details.progress,
        }
    )
    for line in _details(details, terminal):
        terminal.say(line)
    return DONE


def _details(details: JobDetails, terminal: Terminal) -> Iterator[str]:
    row = {**details.row, "tries": _tries(details.row), **_counters(details.row)}
    for name in SHOWN:
        if row.get(name) not in (None, "", False):
            meaning = row["state"] if name == "state" else ""
            yield f"{name.replace('_', ' '):15} {terminal.painted(shown(row[name]), meaning)}"
    for progress in details.progress:
        yield f"{'progress':15} {shown(progress['done'])} of {shown(progress['total'])}"
    for attempt in details.attempts:
        message = shown(attempt["message"])
        ended = shown(attempt["date_ended"])
        took = "" if attempt["memory_added"] is None else f"+{attempt['memory_added']} MB "
        said = f"{attempt['outcome']} {ended} {took}{message}"
        yield f"{'attempt ' + shown(attempt['attempt']):15} {said}"
    for line in details.lines[::-1]:
        yield f"{'log':15} {shown(line['date'])} {line['level']} {shown(line['message'])}"
    if row.get("exc_info"):
        yield paragraphs(row["exc_info"].rstrip())


def explain(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write one sentence that says why a job does not run."""
    with database.environment(options) as env:
        job = env["queue.job"].search([("uuid", "=", options.uuid)])
        if not job:
            raise CommandError(f"no job {options.uuid} in {env.cr.dbname}")
        sentence = job.explain()
    terminal.tell({"uuid": options.uuid, "explanation": sentence})
    terminal.say(sentence)
    return DONE


def retry(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run finished jobs again."""
    named = tuple(state.value for state in sorted(FINAL))
    unfit = sorted(set(options.state or ()).difference(named))
    if unfit:
        terminal.warn(f"only jobs that have ended are retried, and none that is {unfit[0]}")
        return MISUNDERSTOOD
    states = named if options.uuids else (JobState.FAILED.value,)
    return _change_many(options, terminal, states, "retried", lambda jobs: jobs.requeue())


def cancel(options: argparse.Namespace, terminal: Terminal) -> int:
    """Give jobs up."""
    states = tuple(state.value for state in WAITING)
    if options.uuids:
        # One that failed is not tried again then; one that runs is asked to stop.
        states += (JobState.FAILED.value, JobState.STARTED.value)
    return _change_many(
        options, terminal, states, "cancelled", lambda jobs: jobs.button_cancelled()
    )


def _change_many(
    options: argparse.Namespace,
    terminal: Terminal,
    states: tuple[str, ...],
    verb: str,
    change: Change,
) -> int:
    """Change the jobs that are named or match, batch by batch."""
    wanted = replace(job_filter(options, states), uuids=options.uuids or None)
    named = wanted != JobFilter(states=states) or options.domain is not None
    if not named and not options.all and not options.state:
        terminal.warn("which jobs? Name them, give a filter, or --all")
        return MISUNDERSTOOD
    ids = find(options, wanted, options.limit or None, read_ids)
    if options.dry_run or not ids or not _is_confirmed(terminal, options, len(ids), verb):
        return _tell(terminal, options, verb, {"found": len(ids), "changed": 0})
    changed = _in_batches(options, terminal, ids, change)
    return _tell(terminal, options, verb, {"found": len(ids), "changed": changed})


def _is_confirmed(terminal: Terminal, options: argparse.Namespace, number: int, verb: str) -> bool:
    return options.yes or number == 1 or terminal.confirm(f"{number:,} jobs are {verb}?")


def _tell(
    terminal: Terminal, options: argparse.Namespace, verb: str, numbers: dict[str, int]
) -> int:
    """Say what was done; wrong is a named job that was left alone."""
    found, changed = numbers["found"], numbers["changed"]
    terminal.tell({**numbers, "dry_run": options.dry_run})
    if options.dry_run:
        terminal.say(f"{found:,} jobs would be {verb}.")
        return DONE
    terminal.say(f"{changed:,} of {found:,} jobs {verb}.")
    named = len(set(options.uuids))
    return DONE if changed == found and found >= named else WRONG


def _in_batches(
    options: argparse.Namespace, terminal: Terminal, ids: list[int], change: Change
) -> int:
    """Change jobs, each batch in a transaction of its own; return how many were.

    One that is left alone went on meanwhile: it is counted as it stands then.
    """
    changed = 0
    progress = terminal.progress(len(ids))
    with database.environment(options) as env:
        for first in range(0, len(ids), BATCH):
            batch = ids[first : first + BATCH]
            changed += _through_conflicts(env, batch, change)
            progress.add(len(batch))
    progress.end()
    return changed


def _through_conflicts(env: Any, ids: list[int], change: Change) -> int:
    """Change a batch, again when the engine changed the same jobs at that moment."""
    for number in range(1, TRIES + 1):
        try:
            changed = _changed(env, ids, change)
            database.commit(env)
            return changed
        except CONFLICTS as error:
            database.undo(env)
            if number == TRIES:
                raise CommandError(f"the jobs are being changed by others: {error}") from error
        except psycopg2.Error:
            database.undo(env)
            raise
        time.sleep(random.uniform(0, PAUSE_SECONDS * 2**number))
    return 0


def _changed(env: Any, ids: list[int], change: Change) -> int:
    jobs = env["queue.job"].browse(ids).exists()
    before = {job.id: job.state for job in jobs}
    change(jobs)
    env.flush_all()
    asked = JobState.STARTED.value
    return sum(job.state != before[job.id] or before[job.id] == asked for job in jobs)
