"""How soon the screens have their data, with a million jobs done and a hundred thousand waiting."""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any

from dev import odoo
from dev.template import Templates
from dev.terminal import SetupError, say

from . import large, measures
from .campaign import Campaign, Sizes, machine, timed
from .run import own_cluster
from .sides import Side, ours

DONE = 1_000_000
WAITING = 100_000
FAILED = 5_000

SIZES = Sizes("screens", rounds=7, peer=1.0)
DRAINED = 20_000
"""No-ops of a round beside a dashboard."""

LONG = 50.0
"""Milliseconds from which a statement is named."""

BOARD_SECONDS = 10.0
"""Between two looks of a dashboard that is told the rest by messages."""

SCRAPE_SECONDS = 1.0

ASKED_WITH = "bench"
"""What opens the route for monitoring."""

CALLS = 30
STATEMENT_CALLS = 3
WARM = 4
"""Of each kind, after those that fill the caches of the workers."""

PAST = """
INSERT INTO {table} ({names})
SELECT {values} FROM (SELECT * FROM {table} ORDER BY id LIMIT 1) AS one,
       generate_series(1, {times}) AS n
"""

WEEK = 7 * 24 * 60
"""Minutes of which there are figures."""

FUNCTIONS = 10

NAMES = """
SELECT column_name FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = %s AND column_name <> 'id'
   AND is_generated = 'NEVER'
"""

FAILURES = {
    "state": "'failed'",
    "exc_name": "'odoo.exceptions.UserError'",
    "exc_message": "'not so: ' || n %% 7",
    "date_done": "now() AT TIME ZONE 'UTC' - n * interval '1 second'",
}

DURATION = re.compile(
    r"^\S+ \S+ \S+ \S+ \[odoo-\d+\] LOG:  duration: ([\d.]+) ms  (?:\S+: )?\s*(.*)", re.M
)

LISTED: dict[str, dict[str, Any]] = {
    name: {}
    for name in (
        *("name", "state", "channel", "channel_method_name", "record_link", "tries", "waited"),
        *("ran", "eta", "exc_name", "date_created", "runs_long"),
    )
}
"""Fields that the list asks for."""


def _listed(domain: list[Any]) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
    """Return the call by which the list shows its first page."""
    asked = {"domain": domain, "specification": LISTED, "count_limit": 10_001}
    return "queue.job", "web_search_read", [], {**asked, "limit": 80, "order": "id desc"}


LOOKS: dict[str, tuple[str, str, Sequence[Any], dict[str, Any]]] = {
    "dashboard, an hour": ("queue.job.board", "snapshot", ["1h"], {}),
    "dashboard, a day": ("queue.job.board", "snapshot", ["24h", "channel"], {}),
    "dashboard, a week": ("queue.job.board", "snapshot", ["7d", "function"], {}),
    "jobs, to do or failed": _listed([["is_live", "=", True]]),
    "jobs, all": _listed([]),
    "jobs, by argument": _listed([["argument", "ilike", "args.order_id:42"]]),
    "jobs, of a record": _listed([["record_ref", "ilike", "42"]]),
    "channels": ("queue.job.channel", "overview", [], {}),
    "systray": ("queue.job.tray", "look", [], {}),
}


def bench_screens() -> int:
    """Measure, write the figures down, and return the exit status."""
    found = odoo.find()
    with own_cluster() as cluster, timed("everything"):
        facts = {**machine(), "done": DONE, "waiting": WAITING, "command": "make bench-screens"}
        c = Campaign(SIZES, facts)
        facts.update(Odoo=found.version.split()[0], PostgreSQL=cluster.version)
        full, small = ours(found, cluster, "_screens"), ours(found, cluster, "_open")
        templates = Templates(found, cluster)
        for side in (full, small):
            side.install(templates)
        with timed("filling"):
            _fill(full)
        with full.serving():
            _look(c, full)
        _look_at_statements(c, full)
        with full.serving():
            _retry_all(c, full)
        _beside_who_looks(c, small)
    c.write()
    for row, kept in c.samples.items():
        for who, values in kept.items():
            middle, most = statistics.median(values), max(values)
            say(f"{row:<26} {who:<12} median {middle:8.1f} most {most:8.1f}")
    return 0


def _fill(side: Side) -> None:
    """Have all the rows, and figures of a week."""
    with side.serving():
        side.prepare("noop")
        side.store(1)
        side.wait_idle()
        side.server.rpc("queue.job.board", "watch")
        side.wait_until(_has_figures, "the first figures", 1.0)
    for _batch in range(DONE // large.BATCH):
        side.store(large.BATCH, columns=large.DONE_LONG_AGO)
    side.store(WAITING, columns={"channel": "'root.held'"})
    side.store(FAILED, columns=FAILURES)
    minute = {"minute": "one.minute - n * interval '1 minute'"}
    _multiply(side, "queue_job_pulse", WEEK, minute)
    functions = {
        "minute": f"one.minute - (n / {FUNCTIONS}) * interval '1 minute'",
        "function": f"'function ' || n % {FUNCTIONS}",
    }
    _multiply(side, "queue_job_metric", WEEK * FUNCTIONS, functions)
    with side.serving():
        _look_after(side)
    side.sql("VACUUM ANALYZE")
    side.sql("CHECKPOINT")


def _look_after(side: Side) -> None:
    """Let the cron keep by the hour what it does every ten minutes."""
    own = [["model", "=", "ir.cron"], ["name", "=", "ir_cron_failures"]]
    (found,) = side.server.rpc("ir.model.data", "search_read", [own, ["res_id"]])
    side.server.rpc("ir.cron", "method_direct_trigger", [[found["res_id"]]])


def _has_figures(cr: Any) -> bool:
    cr.execute(
        "SELECT EXISTS (SELECT FROM queue_job_metric) AND EXISTS (SELECT FROM queue_job_pulse)"
    )
    return bool(cr.fetchone()[0])


def _multiply(side: Side, table: str, times: int, columns: dict[str, str]) -> None:
    """Store a row again and again, with other values in some columns."""
    values = {name: f'one."{name}"' for (name,) in side.sql(NAMES, (table,))} | columns
    names = ", ".join(f'"{name}"' for name in values)
    side.sql(PAST.format(table=table, names=names, values=", ".join(values.values()), times=times))


def _asks(side: Side) -> dict[str, Callable[[], Any]]:
    """Return what is asked for each screen, and by monitoring."""
    asks: dict[str, Callable[[], Any]] = {
        row: partial(side.server.rpc, *call) for row, call in LOOKS.items()
    }
    return {**asks, "metrics": partial(_scrape, side)}


def _look(c: Campaign, side: Side) -> None:
    """Measure how long each screen waits for its data, in ms."""
    _set_token(side)
    for row, ask in _asks(side).items():
        _warm_up(ask)
        for _call in range(CALLS):
            began = time.perf_counter()
            ask()
            c.note(row, "ms", 1000 * (time.perf_counter() - began))


def _look_at_statements(c: Campaign, side: Side) -> None:
    """Measure the longest statement of each."""
    side.sql(f"ALTER DATABASE {side.database} SET log_min_duration_statement = 0")
    with side.serving():
        _set_token(side)
        for row, ask in _asks(side).items():
            _warm_up(ask)
            for _call in range(STATEMENT_CALLS):
                c.note(row, "statement ms", _slowest(side, ask))
    side.sql(f"ALTER DATABASE {side.database} RESET log_min_duration_statement")


def _warm_up(ask: Callable[[], Any]) -> None:
    for _call in range(WARM):
        ask()


def _slowest(side: Side, ask: Callable[[], Any]) -> float:
    """Return the ms of the longest statement of a call, and say which it is when it is long."""
    mark = side.cluster.log.stat().st_size
    ask()
    with side.cluster.log.open("rb") as log:
        log.seek(mark)
        found = [(float(ms), what) for ms, what in DURATION.findall(log.read().decode())]
    longest = max(found, default=(0.0, ""))
    if longest[0] > LONG:
        say(f"  {longest[0]:.0f} ms: {longest[1][:300]}")
    return longest[0]


def _retry_all(c: Campaign, side: Side) -> None:
    """Measure how long it takes to retry a hundred thousand jobs that failed, by a job."""
    side.sql("DELETE FROM queue_job WHERE channel = 'root.held' AND state = 'pending'")
    side.store(WAITING, columns={**FAILURES, "channel": "'root.held'"})
    domain = '[["channel", "=", "root.held"], ["state", "=", "failed"]]'
    values = {"action": "retry", "domain": domain}
    bulk = side.server.rpc("queue.job.bulk", "create", [values])
    began = time.monotonic()
    side.server.rpc("queue.job.bulk", "apply", [[bulk]])
    c.note("asking for 100,000 retries", "ms", 1000 * (time.monotonic() - began))

    def is_done(cr: Any) -> bool:
        cr.execute(
            "SELECT NOT EXISTS (SELECT FROM queue_job WHERE channel = 'root.held'"
            " AND state = 'failed')"
        )
        return bool(cr.fetchone()[0])

    c.note("retrying 100,000", "s", side.wait_until(is_done, "all retries", 0.5) - began)


# Beside who looks


def _beside_who_looks(c: Campaign, side: Side) -> None:
    """Measure the rate of no-ops with a dashboard open, with metrics scraped, and without."""
    with side.serving():
        measures.drain(side, DRAINED)
        _set_token(side)
        asks = {
            "alone": None,
            "dashboard": (partial(_look_at_board, side), BOARD_SECONDS),
            "scraped": (partial(_scrape, side), SCRAPE_SECONDS),
        }
        c.rounds(
            "no-ops a second", {who: partial(_drain_beside, side, ask) for who, ask in asks.items()}
        )


def _drain_beside(side: Side, ask: tuple[Callable[[], object], float] | None) -> float:
    if ask is None:
        return measures.drain(side, DRAINED)
    with _asking(*ask):
        return measures.drain(side, DRAINED)


@contextmanager
def _asking(ask: Callable[[], object], pause: float) -> Iterator[None]:
    """Ask again and again; who draws the answers is on another machine."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(pause):
            ask()

    ask()
    asking = threading.Thread(target=go_on)
    asking.start()
    try:
        yield
    finally:
        ended.set()
        asking.join()


def _look_at_board(side: Side) -> None:
    """Ask what an open dashboard asks that is told the rest by messages."""
    side.server.rpc("queue.job.board", "watch")
    side.server.rpc("queue.job.board", "snapshot")


def _set_token(side: Side) -> None:
    side.server.rpc("ir.config_parameter", "set_param", ["queue_job.metrics_token", ASKED_WITH])


def _scrape(side: Side) -> bytes:
    link = HTTPConnection(side.server.host, side.server.port, timeout=60)
    with closing(link):
        link.request("GET", "/queue_job/metrics", headers={"Authorization": f"Bearer {ASKED_WITH}"})
        answer = link.getresponse()
        text = answer.read()
    if answer.status != HTTPStatus.OK:
        raise SetupError(f"The metrics were answered with {answer.status}")
    return text
