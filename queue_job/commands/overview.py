"""``stats``, ``nodes``, ``self-test`` and ``release``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from ..core.metrics import percentile
from ..status import Status, read_status
from ..storage import totals
from ..storage.totals import Period
from . import database
from .main import DONE, WRONG
from .terminal import Column, Terminal

FIGURES = (
    Column("DONE", "done", right=True),
    Column("FAILED", "failed", right=True),
    Column("RETRIED", "postponed", right=True),
    Column("LOST", "lost", right=True),
    Column("CANCELLED", "cancelled", right=True),
    Column("MEAN (s)", "mean", right=True),
    Column("RAN P50", "run_p50", right=True),
    Column("P95", "run_p95", right=True),
    Column("WAITED P50", "wait_p50", right=True),
    Column("P95", "wait_p95", right=True),
)

NODES = (
    Column("HOST", "host"),
    Column("ADDRESS", "url"),
    Column("WORKERS", "slots", right=True),
    Column("LEADS", "leads"),
    Column("VERSION", "version"),
    Column("SEEN (UTC)", "date_seen"),
    Column("PROBLEM", "problem"),
)


def stats(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write what waits and runs now, and what ran since a time, by the sums that are kept."""
    with database.reading(options) as cr:
        status = read_status(cr)
        sums = totals.read_sums(cr, options.since, options.by)
    rows = [_figures(row, options.by) for row in sums]
    terminal.tell({"now": _now(status), "since": options.since, options.by: rows})
    for line in _lines(status):
        terminal.say(line)
    terminal.table((Column(options.by.upper(), options.by), *FIGURES), rows)
    return DONE


def _figures(row: Period, by: str) -> dict[str, Any]:
    ran = row.done + row.failed + row.postponed + row.cancelled
    return {
        by: row.name,
        "done": row.done,
        "failed": row.failed,
        "postponed": row.postponed,
        "lost": row.lost,
        "cancelled": row.cancelled,
        "mean": row.seconds / ran if ran else None,
        "run_p50": percentile(row.run, 0.5),
        "run_p95": percentile(row.run, 0.95),
        "wait_p50": percentile(row.wait, 0.5),
        "wait_p95": percentile(row.wait, 0.95),
    }


def _now(status: Status) -> dict[str, Any]:
    return {
        "waiting": sum(channel.waiting for channel in status.channels),
        "running": status.started,
        **asdict(status.backlog),
        "workers": status.slots,
        "free": status.free,
        "held": status.hold.value if status.hold else None,
        **asdict(status.database),
    }


def _lines(status: Status) -> list[str]:
    now = _now(status)
    jobs = (
        ("waiting", "ready"),
        ("running", "running"),
        ("scheduled", "for later"),
        ("depending", "waiting for others"),
        ("failed", "failed"),
    )
    workers = f"{now['free']:,} of {now['workers']:,} workers free"
    database = (
        f"oldest transaction {now['oldest_transaction']:.0f} s, {now['dead_rows']:,} dead rows"
    )
    return [
        ", ".join(f"{now[name]:,} {words}" for name, words in jobs),
        f"{workers}; {database}",
    ]


def nodes(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write the servers that are there; wrong is when none is, or one cannot be used."""
    with database.reading(options) as cr:
        found = read_status(cr).nodes
    terminal.tell(found)
    if not found:
        terminal.say("No runner is connected: no job will run.", "problem")
        return WRONG
    lines = [{**node, "meaning": "problem" if node["problem"] else ""} for node in found]
    terminal.table(NODES, lines)
    return WRONG if any(node["problem"] for node in found) else DONE


def self_test(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write what is wrong with the installation; wrong is what stops all jobs."""
    with database.environment(options) as env:
        found = env["queue.job.health"].self_test()
    terminal.tell(found)
    for finding in found:
        terminal.say(finding["message"], "problem" if finding["stops"] else "paused")
        terminal.say(f"    {finding['remedy']}")
    if not found:
        terminal.say("All is well.", "done")
    return WRONG if any(finding["stops"] for finding in found) else DONE


def release(options: argparse.Namespace, terminal: Terminal) -> int:
    """Let the jobs of a copied, restored or neutralised database run."""
    with database.environment(options) as env:
        env["queue.job.health"].release()
        name = env.cr.dbname
    terminal.tell({"released": name})
    terminal.say(f"The jobs of {name} run here.")
    return DONE
