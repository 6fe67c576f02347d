"""What takes long or needs a large table: a backlog of a million, a long run, and doing nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil

from .measures import drain
from .sides import Side

BATCH = 250_000
"""Rows per statement that fills a table."""

DONE_LONG_AGO = {
    "state": "'done'",
    "date_done": "now() AT TIME ZONE 'UTC' - interval '1 day'",
    "retry": "1",
}

BEGUN = """
SELECT EXISTS (SELECT FROM queue_job
                WHERE state IN ('enqueued', 'started') AND date_enqueued > %s)
"""

FIRST_WAITING = """
SELECT id FROM queue_job
 WHERE state = 'pending' AND NOT scheduled AND channel = 'root' AND priority = 10
 ORDER BY id LIMIT 1
"""
"""How far a backlog is drained, by one entry of an index: to count what is done would read a table
of millions, and slow down what is measured to a third."""

NOW = "SELECT now() AT TIME ZONE 'UTC' - interval '1 s'"

CONNECTED = """
SELECT EXTRACT(epoch FROM min(backend_start)) FROM pg_stat_activity
 WHERE datname = %s AND application_name IN ('queue_job runner', %s)
"""

WARM = 1_000
"""Jobs after which counting begins: the server has just started."""

COUNTED = 10_000
"""Jobs that are counted."""

SETTLED = 70.0
"""Seconds after which a server that has nothing to do does nothing any more."""

FEED = 3_000
"""Jobs that wait in the long run, and how many are stored at a time."""

LINE = re.compile(r"^\S+ \S+ \S+ (\S+) \[(.*?)\] LOG:  (?:statement|execute \S+): (.*)", re.M)
"""A statement in the log: database, application, and how it begins."""

WRITES = ("UPDATE", "INSERT", "DELETE", "EXECUTE")


# A backlog


def fill(side: Side, waiting: int, done: int) -> None:
    """Have so many jobs that wait and so many that are done, with statistics of them."""
    with side.serving():
        side.clear()
        side.prepare("stamp")
        side.store(1, columns={"channel": "'root.held'"})  # So that there is one to be copied.
    for _batch in range(done // BATCH):
        side.store(BATCH, columns=DONE_LONG_AGO)
    for _batch in range(waiting // BATCH):
        side.store(BATCH)
    side.sql("VACUUM ANALYZE queue_job")
    side.sql("CHECKPOINT")


def first_dispatch(side: Side) -> float:
    """Return the seconds from the connection of the runner to its first job."""
    since = side.sql(NOW)[0]

    def has_begun(cr: Any) -> bool:
        cr.execute(BEGUN, since)
        return bool(cr.fetchone()[0])

    side.wait_until(has_begun, "the first job")
    seen = time.time()
    name = f"odoo-{side.server.runner_pid()}"
    return seen - float(side.sql(CONNECTED, (side.database, name))[0][0])


def runner_memory(side: Side) -> float:
    """Return the bytes that the process of the runner has for itself."""
    runner = psutil.Process(side.server.runner_pid())
    return float(runner.memory_full_info().uss)


def rate_from_backlog(side: Side) -> float:
    """Return the rate of no-ops that were waiting when the server started."""
    first = int(side.sql(FIRST_WAITING)[0][0])

    def reaches(number: int) -> Callable[[Any], bool]:
        def is_reached(cr: Any) -> bool:
            cr.execute(FIRST_WAITING)
            return bool(cr.fetchone()[0] >= first + number)

        return is_reached

    began = side.wait_until(reaches(WARM), "warming up", 0.05)
    return COUNTED / (side.wait_until(reaches(WARM + COUNTED), "counting", 0.05) - began)


# A long run


def soak(side: Side, number: int) -> dict[str, Any]:
    """Run jobs for long, stored as they are needed; return rates, dead rows, size, series."""
    side.clear()
    side.prepare("noop")
    stored, dead, series, began = 0, 0, [], time.monotonic()
    with side.cursor() as cr:
        while True:
            cr.execute("SELECT count(*) FROM queue_job WHERE state = 'pending' AND NOT scheduled")
            waiting = cr.fetchone()[0]
            series.append([round(time.monotonic() - began, 1), stored - waiting])
            if stored >= number and not waiting:
                break
            if stored < number and waiting < FEED:
                side.store(FEED, cr=cr)
                stored += FEED
            cr.execute("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'queue_job'")
            dead = max(dead, cr.fetchone()[0])
            time.sleep(0.5)
    side.wait_idle(number)
    return {**_rates(side), "dead": dead, "size": _size_to_packed(side), "series": series}


def _rates(side: Side) -> dict[str, float]:
    """Return the rate of the first and of the last tenth."""
    rows = side.sql("SELECT EXTRACT(epoch FROM date_done) FROM queue_job WHERE state = 'done'")
    times = sorted(float(row[0]) for row in rows)
    tenth = len(times) // 10
    return {
        "first": tenth / (times[tenth - 1] - times[0]),
        "last": tenth / (times[-1] - times[-tenth]),
    }


def _size_to_packed(side: Side) -> float:
    size = "SELECT pg_total_relation_size('queue_job')"
    before = side.sql(size)[0][0]
    side.sql("VACUUM FULL queue_job")
    return float(before / side.sql(size)[0][0])


# Statements


def log_statements(side: Side) -> None:
    """Have PostgreSQL log every statement of sessions that begin from now on."""
    side.sql(f"ALTER DATABASE {side.database} SET log_statement = 'all'")


def statements_per_job(side: Side, number: int) -> tuple[float, float]:
    """Return the statements and the commits per no-op job."""
    drain(side, number)
    mark = len(_log(side))
    drain(side, number)
    found = [
        (who, what) for base, who, what in LINE.findall(_log(side)[mark:]) if base == side.database
    ]
    runner = f"odoo-{side.server.runner_pid()}"
    counted = [(who, what) for who, what in found if who.startswith(("odoo-", "queue_job"))]
    commits = [what for who, what in counted if _commits(who, what, runner)]
    return len(counted) / number, len(commits) / number


def _commits(who: str, what: str, runner: str) -> bool:
    """Tell whether a statement is a commit, or one that writes in autocommit mode."""
    if who == runner or who.startswith("queue_job"):
        return what.lstrip().upper().startswith((*WRITES, "WITH RUNNING"))
    return what.startswith("COMMIT")


def idle(sides: list[Side], seconds: float) -> dict[str, tuple[float, float]]:
    """Return statements and seconds of CPU per minute, by the name of each side."""
    time.sleep(SETTLED)
    mark = len(_log(sides[0]))
    before = {side.name: _cpu(side) for side in sides}
    time.sleep(seconds)
    log = LINE.findall(_log(sides[0])[mark:])
    minutes = seconds / 60
    return {
        side.name: (
            sum(base == side.database and bool(who) for base, who, _what in log) / minutes,
            (_cpu(side) - before[side.name]) / minutes,
        )
        for side in sides
    }


def _cpu(side: Side) -> float:
    """Return the CPU seconds of the runner's process so far."""
    total = 0.0
    with suppress(psutil.Error):
        times = psutil.Process(side.server.runner_pid()).cpu_times()
        total = times.user + times.system
    return total


def _log(side: Side) -> str:
    return str(side.cluster.log.read_text(errors="replace"))
