"""What is measured, each on one side at a time; a rate is in jobs per second, a time in seconds."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from dev.process import stop
from dev.terminal import SetupError

from .sides import Side

HERE = Path(__file__).parent

SLOW_SECONDS = 5.0
"""The job in a mixed load that everything else must not wait for."""

NAP_SECONDS = 0.05

LEARNED = 300
"""Runs by which a queue may learn how long a function lasts."""

PAUSE = 0.05
"""Between two jobs of an idle server: it is idle when the next one comes."""

WARM = 2
"""Jobs that are not counted: the first ones fill the caches of workers that never ran one."""

SESSION_PROCESSES = 4
SESSION_THREADS = 8
"""Together 32 sessions; threads alone would wait for each other's interpreter."""

PATIENCE = 900.0

BARE_TABLE = (
    "DROP TABLE IF EXISTS queue_job_bench_bare",
    """
    CREATE TABLE queue_job_bench_bare (
        id serial PRIMARY KEY, state varchar NOT NULL, model varchar, method varchar, record int)
    """,
    "CREATE INDEX ON queue_job_bench_bare (id) WHERE state = 'pending'",
    "ALTER TABLE queue_job_bench_bare OWNER TO {owner}",
)

BARE_JOBS = """
INSERT INTO queue_job_bench_bare (state, model, method, record)
SELECT 'pending', 'queue_job_bench.record', %s, %s + n FROM generate_series(0, %s - 1) AS n
"""

STARTED = "SELECT started FROM queue_job_bench_record WHERE id = %s AND started > 0"


# Draining


def drain(side: Side, number: int, method: str = "noop", args: Sequence[Any] = ()) -> float:
    """Return how many jobs a second end, from the commit that stores them to the last one."""
    side.clear()
    side.prepare(method, args)
    records = int(side.rpc("add", number)) if method == "write_value" else None
    side.store(number, method, args, records=records)
    began = time.monotonic()
    rate = number / (side.wait_idle(number) - began)
    _check_done(side, number)
    return rate


def drain_naps(side: Side, number: int) -> float:
    """Return the rate of jobs that last :data:`NAP_SECONDS`."""
    return drain(side, number, "nap", [NAP_SECONDS])


def drain_beside(side: Side, number: int) -> float:
    """Return the rate of no-ops of a function, one call of which lasts :data:`SLOW_SECONDS`."""
    _learn_nap(side)
    with side.cursor() as cr:
        cr.execute("BEGIN")
        side.store(1, "nap", [SLOW_SECONDS], cr=cr)
        cr.execute("SELECT max(id) FROM queue_job")
        slow = cr.fetchone()[0]
        side.store(number, "nap", [0], cr=cr)
        cr.execute("COMMIT")
    began = time.monotonic()
    rate = number / (side.wait_idle(number, f"AND id <> {slow}") - began)
    side.wait_idle(number)
    return rate


def drain_by_three(side: Side, number: int) -> float:
    """Return the rate of the same no-ops alone, with the capacity that the slow one leaves."""
    _learn_nap(side)
    side.store(number, "nap", [0], columns={"channel": "'root.three'"})
    began = time.monotonic()
    return number / (side.wait_idle(number) - began)


def _learn_nap(side: Side) -> None:
    """Have the function known as one that is quick."""
    side.clear()
    side.prepare("nap", [0])
    side.prepare("nap", [SLOW_SECONDS])
    side.store(LEARNED, "nap", [0])
    side.wait_idle(LEARNED)


def drain_under_snapshot(side: Side, number: int) -> float:
    """Return the rate of no-ops while a foreign transaction keeps every dead row."""
    with closing(side.cluster.connect(side.database)) as link, link.cursor() as cr:
        cr.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        cr.execute("SELECT count(*) FROM res_users")
        return drain(side, number)


def _check_done(side: Side, number: int) -> None:
    done = side.sql("SELECT count(*) FROM queue_job WHERE state = 'done'")[0][0]
    if done != number:
        raise SetupError(f"{side.name}: {done} of {number} jobs are done; read {side.server.log}")


# Waiting for a job to start


def latencies(side: Side, number: int) -> list[float]:
    """Return the time from commit to start of single jobs on an idle server."""
    side.clear()
    return _latencies(side, number, 10, idle=True)


def urgent_latencies(side: Side, number: int) -> list[float]:
    """Return the time from commit to start of urgent jobs, one after the other, in a backlog."""
    return _latencies(side, number, 1, idle=False)


def _latencies(side: Side, number: int, priority: int, *, idle: bool) -> list[float]:
    first = int(side.rpc("add", number + WARM))
    side.prepare("stamp")
    with side.cursor() as cr:
        records = range(first, first + number + WARM)
        return [_latency(side, cr, record, priority, idle=idle) for record in records][WARM:]


def _latency(side: Side, cr: Any, record: int, priority: int, *, idle: bool) -> float:
    cr.execute("BEGIN")
    side.store(1, "stamp", records=record, columns={"priority": str(priority)}, cr=cr)
    committed = time.time()
    cr.execute("COMMIT")

    def has_started(look: Any) -> bool:
        look.execute(STARTED, (record,))
        return bool(look.rowcount)

    side.wait_until(has_started, "a single job")
    if idle:
        side.wait_idle()
    time.sleep(PAUSE)
    return float(side.sql(STARTED, (record,))[0][0]) - committed


# Storing


def store(side: Side, number: int) -> float:
    """Return how many jobs a second are delayed, one at a time in one transaction."""
    side.clear()
    return number / float(side.rpc("store", number))


def store_all(side: Side, number: int) -> float:
    """Return how many jobs a second are stored by the quickest way there is."""
    side.clear()
    return number / float(side.rpc("store_all", number))


def commit_beside_others(side: Side, seconds: float) -> float:
    """Return the commits per second of 32 sessions that delay one job in each."""
    side.clear()
    side.rpc("add", 1)
    conf = side.server.folder / "odoo.conf"
    shape = [side.database, str(SESSION_THREADS), str(seconds)]
    command = [sys.executable, str(HERE / "sessions.py"), str(conf), *side.server.options, *shape]
    _began, counts = together([command] * SESSION_PROCESSES, side.server.env)
    return sum(counts) / seconds


def together(
    commands: Sequence[Sequence[str]], env: Mapping[str, str]
) -> tuple[float, list[float]]:
    """Start programs and let them begin when all are ready.

    :return: when they began, and what each printed at its end
    """
    with ExitStack() as stack:
        running = [stack.enter_context(child(command, env)) for command in commands]
        for process in running:
            answer(process)
        began = time.time()
        for process in running:
            process.stdin.write("go\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
        return began, [float(answer(process)) for process in running]


@contextmanager
def child(command: Sequence[str], env: Mapping[str, str] | None) -> Iterator[subprocess.Popen[str]]:
    """Have a program run that says when it is ready."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            yield process
        finally:
            stop(process)  # type: ignore[arg-type]


def answer(process: subprocess.Popen[str]) -> str:
    """Return the next line of a program; it ends by itself, or this raises."""
    line = process.stdout.readline()  # type: ignore[union-attr]
    if not line:
        raise SetupError(f"{process.args!r} ended without an answer")
    return line.strip()


# The limit, and elsewhere


def drain_bare(side: Side, number: int, method: str = "noop") -> float:
    """Return the rate of two Odoo processes in a bare loop, see ``bare.py``."""
    first = int(side.rpc("add", number))
    for statement in BARE_TABLE:
        side.sql(statement.format(owner=side.cluster.user))
    side.sql(BARE_JOBS, (method, first, number))
    conf = side.server.folder / "odoo.conf"
    command = [sys.executable, str(HERE / "bare.py"), str(conf), *side.server.options]
    began, ends = together([[*command, side.database, share] for share in "01"], side.server.env)
    return number / (max(ends) - began)
