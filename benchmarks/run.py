"""The campaign as a whole: ``make bench`` and ``make bench-quick``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from dev import cache, odoo
from dev.postgres import Cluster
from dev.process import Command, capture, check, stop
from dev.template import Templates
from dev.terminal import say

from . import large, measures, report
from .campaign import FULL, QUICK, Campaign, Sizes, machine, percentile, timed
from .sides import LOOK, Side, ours, peer, versions

HERE = Path(__file__).parent

SETTINGS = {
    # A job's commit is on the disk when it is said to be.
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "max_connections": "200",
    "log_line_prefix": "%m %d [%a] ",
}

WARM_JOBS = 2_000
"""No-ops before anything is timed: workers load what they need."""

STATEMENT_JOBS = 1_000

LEFT = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"


class Elsewhere:
    """Procrastinate, in an environment and a database of its own.

    :param cluster: the PostgreSQL of all
    """

    def __init__(self, cluster: Cluster, python: Path) -> None:
        self.cluster = cluster
        self.database = "queue_job_dev_bench_elsewhere"
        parts = {**cluster.libpq, "dbname": self.database}
        conninfo = " ".join(f"{name}={value}" for name, value in parts.items() if value)
        self._command = [str(python), str(HERE / "elsewhere.py"), conninfo]

    def install(self) -> None:
        """Create the database."""
        self.cluster.drop_database(self.database)
        self.cluster.create_database(self.database)
        self._run("prepare", 0)

    def store(self, number: int, command: str) -> float:
        """Return the rate at which jobs are stored."""
        self._truncate()
        return number / float(self._run(command, number))

    def drain(self, number: int) -> float:
        """Return the rate at which two processes run no-ops."""
        self._truncate()
        worker = [*self._command, "work", "0"]
        with measures.child(worker, None) as one, measures.child(worker, None) as two:
            measures.answer(one)
            measures.answer(two)
            self._run("store_all", number)
            began = time.monotonic()
            with closing(self.cluster.connect(self.database)) as link, link.cursor() as cr:
                first = _left(cr)
                while _left(cr):
                    time.sleep(LOOK)
            rate = first / (time.monotonic() - began)
            stop(one)  # type: ignore[arg-type]
            stop(two)  # type: ignore[arg-type]
        return float(rate)

    def _truncate(self) -> None:
        self.cluster.execute(self.database, "TRUNCATE procrastinate_jobs CASCADE")

    def _run(self, command: str, number: int) -> str:
        call = [*self._command, command, str(number)]
        return subprocess.run(call, check=True, capture_output=True, text=True).stdout


def _left(cr: Any) -> int:
    cr.execute(LEFT)
    return int(cr.fetchone()[0])


def two_workers(c: Campaign, mine: Side, other: Side, elsewhere: Elsewhere) -> None:
    """Measure what two workers drain, what is stored, and how soon a single job starts."""
    size, sides = c.sizes, {"ours": mine, "peer": other}
    with mine.serving(), other.serving():
        for name, side in sides.items():
            measures.drain(side, size.share(name, WARM_JOBS))
        c.rounds(
            "noop",
            {
                **each(c, sides, measures.drain, size.noops),
                "bare": partial(measures.drain_bare, mine, size.noops),
                "elsewhere": partial(elsewhere.drain, size.noops // 4),
            },
        )
        write = partial(measures.drain, method="write_value")
        c.rounds(
            "write",
            {
                **each(c, sides, write, size.writes),
                "bare": partial(measures.drain_bare, mine, size.writes, "write_value"),
            },
        )
        c.rounds(
            "store",
            {
                **each(c, sides, measures.store, size.stored),
                "elsewhere": partial(elsewhere.store, size.stored, "store"),
            },
        )
        c.rounds(
            "bulk",
            {
                **each(c, sides, measures.store_all, size.bulk),
                "elsewhere": partial(elsewhere.store, size.bulk, "store_all"),
            },
        )
        c.rounds(
            "sessions",
            {
                name: partial(measures.commit_beside_others, s, size.seconds)
                for name, s in sides.items()
            },
        )
        note_latencies(c, sides)
        snapshot(c, mine)


def each(
    c: Campaign, sides: dict[str, Side], measure: Callable[[Side, int], float], number: int
) -> dict[str, Callable[[], float]]:
    """Return the measure of each side, with as many jobs as it is given."""
    return {
        name: partial(measure, side, c.sizes.share(name, number)) for name, side in sides.items()
    }


def note_latencies(c: Campaign, sides: dict[str, Side]) -> None:
    """Measure from commit to start, on an idle server."""
    kept: dict[str, list[float]] = {name: [] for name in sides}
    c.series["latency"] = kept
    for _round in range(c.sizes.rounds):
        for name, side in sides.items():
            values = measures.latencies(side, c.sizes.latencies)
            kept[name] += [round(value, 6) for value in values]
            c.note("latency_median", name, percentile(values, 0.5))
            c.note("latency_99", name, percentile(values, 0.99))
    c.write()


def snapshot(c: Campaign, mine: Side) -> None:
    """Measure under a foreign transaction that stays open, and without."""
    c.rounds(
        "snapshot",
        {
            "ours": partial(measures.drain_under_snapshot, mine, c.sizes.noops),
            "empty": partial(measures.drain, mine, c.sizes.noops),
        },
    )


def four_workers(c: Campaign, mine: Side, other: Side) -> None:
    """Measure jobs that last, and that one that lasts long is in nobody's way."""
    sides = {"ours": mine, "peer": other}
    with mine.serving(4), other.serving(4):
        for name, side in sides.items():
            measures.drain(side, c.sizes.share(name, WARM_JOBS))
        naps = {
            name: partial(measures.drain_naps, side, c.sizes.naps) for name, side in sides.items()
        }
        c.rounds("naps", naps)
        c.rounds(
            "mixed",
            {
                "ours": partial(measures.drain_beside, mine, c.sizes.mixed),
                "alone": partial(measures.drain_by_three, mine, c.sizes.mixed),
                "peer": partial(measures.drain_beside, other, c.sizes.share("peer", c.sizes.mixed)),
            },
        )


def backlog(c: Campaign, mine: Side, full: dict[str, Side]) -> None:
    """Measure starts, rates and urgent jobs with a million jobs waiting."""
    for name, side in full.items():
        with timed(f"filling {name}"):
            large.fill(side, c.sizes.backlog, c.sizes.backlog if name == "ours" else 0)
    for _round in range(c.sizes.rounds):
        for name, side in full.items():
            with side.serving():
                c.note("first_dispatch", name, large.first_dispatch(side))
                if name == "ours":
                    c.note("full_table", name, large.rate_from_backlog(side))
                c.note("runner_memory", name, large.runner_memory(side))
                urgent(c, name, side)
        c.note("full_table", "empty", rate_from_little(mine))
        c.write()


def urgent(c: Campaign, name: str, side: Side) -> None:
    """Measure urgent jobs into the backlog that is being drained."""
    values = measures.urgent_latencies(side, c.sizes.urgent)
    c.series.setdefault("urgent", {}).setdefault(name, []).extend(round(v, 6) for v in values)
    c.note("urgent_median", name, percentile(values, 0.5))
    c.note("urgent_worst", name, max(values))


def rate_from_little(side: Side) -> float:
    """Return the rate of the same number of jobs where nothing else is in the table."""
    with side.serving():
        side.clear()
        side.prepare("noop")
    side.store(large.WARM + 2 * large.COUNTED)
    with side.serving():
        return large.rate_from_backlog(side)


def small_memory(c: Campaign, sides: dict[str, Side]) -> None:
    """Measure the runner with a thousand jobs waiting."""
    for name, side in sides.items():
        with side.serving():
            side.clear()
            side.prepare("noop")
        side.store(1_000, columns={"channel": "'root.held'"})
        side.store(large.WARM)
        with side.serving():
            side.wait_idle(where="AND channel = 'root'")
            for _round in range(c.sizes.rounds):
                c.note("runner_memory", f"{name} small", large.runner_memory(side))


def long_run(c: Campaign, mine: Side) -> None:
    """Measure whether the last jobs are run as quickly as the first."""
    with mine.serving():
        found = large.soak(mine, c.sizes.soak)
    c.note("soak", "first", found["first"])
    c.note("soak", "last", found["last"])
    c.note("soak_dead_rows", "ours", found["dead"])
    c.note("soak_size", "ours", found["size"])
    c.series["soak"] = found["series"]
    c.write()


def statements(c: Campaign, mine: Side, other: Side) -> None:
    """Count statements: of a job, and of nothing to do."""
    for side in (mine, other):
        large.log_statements(side)
    with mine.serving(), other.serving():
        for side in (mine, other):
            number = c.sizes.share(side.name, STATEMENT_JOBS)
            total, commits = large.statements_per_job(side, number)
            c.note("statements", side.name, total)
            c.note("commits", side.name, commits)
            side.clear()
        if c.sizes.idle:
            for name, (count, cpu) in large.idle([mine, other], c.sizes.idle).items():
                c.note("idle_statements", name, count)
                c.note("idle_cpu", name, cpu)
    c.write()


def environment() -> Path:
    """Return the interpreter of the benchmark's own packages."""
    requirements = HERE / "requirements.txt"
    key = cache.key_of([sys.executable, requirements.read_bytes()])
    folder = cache.build(cache.cache_folder() / "bench-venv", key, partial(_install, requirements))
    return folder / "bin" / "python"


def _install(requirements: Path, folder: Path) -> None:
    remedy = "check the network and try again"
    check([sys.executable, "-m", "venv", folder], timeout=300, remedy=remedy)
    pip: Command = [folder / "bin" / "python", "-m", "pip", "install", "-r", requirements]
    capture(pip, timeout=1800, remedy=remedy)


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """Have a PostgreSQL for the benchmark alone."""
    with Cluster.private(cache.cache_folder() / "bench", settings=SETTINGS) as cluster:
        yield cluster


def run(sizes: Sizes) -> int:
    """Measure everything, and write table and plots."""
    python, found = environment(), odoo.find()
    with own_cluster() as cluster, timed("everything"):
        command = "make bench-quick" if sizes is QUICK else "make bench"
        facts = {**machine(), **versions(found, cluster), **SETTINGS, "rounds": sizes.rounds}
        c = Campaign(sizes, {**facts, "command": command})
        measure(c, cluster, found, python)
    path = c.write()
    say(f"Wrote {report.write(path)}")
    check([python, HERE / "plots.py", path], timeout=300, remedy="read what it says")
    return 0


def measure(c: Campaign, cluster: Cluster, found: odoo.Odoo, python: Path) -> None:
    """Go through all rows."""
    mine, other, elsewhere = ours(found, cluster), peer(found, cluster), Elsewhere(cluster, python)
    templates = Templates(found, cluster)
    full = {"ours": ours(found, cluster, "_full"), "peer": peer(found, cluster, "_full")}
    elsewhere.install()
    for side in (mine, other, *(full.values() if c.sizes.backlog else ())):
        side.install(templates)
    with timed("two workers"):
        two_workers(c, mine, other, elsewhere)
    with timed("four workers"):
        four_workers(c, mine, other)
    if c.sizes.backlog:
        with timed("backlog"):
            small_memory(c, {"ours": mine, "peer": other})
            backlog(c, mine, full)
    if c.sizes.soak:
        with timed("long run"):
            long_run(c, mine)
    with timed("statements"):
        statements(c, mine, other)


def bench() -> int:
    """Run the whole campaign, which takes most of an hour."""
    return run(FULL)


def bench_quick() -> int:
    """Run the core of it in a few minutes."""
    return run(QUICK)
