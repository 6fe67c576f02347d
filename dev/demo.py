"""The demonstration: jobs import a real table while you watch, in terminal and browser."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from . import odoo, traffic
from .network import free_port
from .postgres import OWN_PREFIX, main_cluster
from .proxy import Proxy
from .server import LOGIN, PASSWORD, OdooServer, remove_logs
from .template import ADDONS_FOLDERS, Templates
from .terminal import ProgressLine, SetupError, say

DATABASE = f"{OWN_PREFIX}demo"
MODULE = "queue_job_example"
MODEL = "queue_job_example.bank_import"

WORKERS = 4
PORT = 8069
"""Wanted port; another one is taken when it is busy."""

CHANNELS = "root:3,root.csv:3,root.shop:1:sequential,root.statement:2,root.mail:1,root.report:1"

DASHBOARD = "queue"
JOBS = "queue-jobs"
"""Paths of the screens that it opens on, below ``/odoo/``: the first one that is there."""

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
"""Variables that name the desktop on which a browser opens."""

HONEST = {"fsync": "on", "full_page_writes": "on"}
"""The figures shown are those of a database that keeps its promises."""

POLL = 0.2
PATIENCE = 120.0
"""Seconds between two looks, and without any progress before giving up."""


@dataclass(frozen=True)
class Progress:
    """How far the import is."""

    total: int
    done: int
    failed: int
    imported: int

    @property
    def finished(self) -> bool:
        """Whether every job has ended."""
        return self.done + self.failed >= self.total

    def line(self, seconds: float) -> str:
        """Return what is shown while it runs."""
        rate = self.done / seconds if seconds else 0.0
        failed = f", {self.failed} failed" if self.failed else ""
        jobs = f"{self.done} of {self.total} jobs done{failed}"
        return f"{jobs}, {self.imported} lines imported, {rate:.0f} jobs/s"

    def summary(self, lines: int, seconds: float) -> str:
        """Return what is shown at the end."""
        rate = self.done / seconds if seconds else 0.0
        imported = f"{self.imported} of {lines} lines imported"
        return f"{imported} by {self.done} jobs in {seconds:.1f} s ({rate:.0f} jobs/s)"


def run() -> int:
    """Run the demonstration and return the exit status.

    It serves until Ctrl-C, with a gentle load, or, with ``DEMO_EXIT`` set, ends after the import.
    """
    with serving() as (server, url):
        return _demonstrate(server, url)


@contextmanager
def serving(modules: Sequence[str] = ()) -> Iterator[tuple[OdooServer, str]]:
    """Start an Odoo on a new database with the example, and yield it with the browser's address.

    :param modules: others to install
    """
    found = odoo.find()
    with main_cluster(HONEST) as cluster:
        remove_logs(cluster)
        Templates(found, cluster).create(DATABASE, [MODULE, *modules])
        server = OdooServer(
            found,
            cluster,
            DATABASE,
            workers=WORKERS,
            addons=ADDONS_FOLDERS,
            channels=CHANNELS,
        )
        proxy = Proxy(free_port(PORT), pages=server.port, websockets=server.gevent_port)
        with server, proxy:
            yield server, proxy.url


def _demonstrate(server: OdooServer, url: str) -> int:
    say(f"Odoo answers at {url} (login {LOGIN}, password {PASSWORD}); log: {server.log}")
    imported = _import(server)
    if os.environ.get("DEMO_EXIT"):
        return 0 if imported else 1
    traffic.seed_history(server)
    address = f"{url}/odoo/{first_screen(server)}"
    say(f"Open {address} (login {LOGIN}, password {PASSWORD}). Ctrl-C ends the demonstration")
    if may_open(sys.stdout.isatty(), sys.platform, os.environ):
        webbrowser.open(address)
    traffic.run_until_interrupt(traffic.traffic(server))
    return 0


def first_screen(server: OdooServer) -> str:
    """Return the path of the dashboard, or of the list of jobs where there is none."""
    found = server.rpc("ir.actions.actions", "search_count", [[("path", "=", DASHBOARD)]])
    return DASHBOARD if found else JOBS


def may_open(is_terminal: bool, platform: str, environ: Mapping[str, str]) -> bool:
    """Tell whether a browser can be opened for somebody who sees it.

    :param is_terminal: whether somebody watches
    :param platform: as ``sys.platform`` names it
    :param environ: environment variables
    """
    desktop = platform in ("darwin", "win32") or any(map(environ.get, DISPLAYS))
    return is_terminal and desktop and not environ.get("SSH_CONNECTION")


def _import(server: OdooServer) -> bool:
    """Start the import, show its progress, and tell whether all of it succeeded."""
    lines = int(server.rpc(MODEL, "start_demo")["total"])
    start = time.monotonic()
    progress = _follow(server, start)
    say(progress.summary(lines, time.monotonic() - start))
    return progress.imported == lines and not progress.failed


def _follow(server: OdooServer, start: float) -> Progress:
    """Show the progress until it is over.

    :raises SetupError: when nothing happens any more
    """
    line = ProgressLine()
    last, moved = None, start
    try:
        while True:
            progress = _progress(server)
            now = time.monotonic()
            line.show(progress.line(now - start))
            if progress.finished:
                return progress
            if progress != last:
                last, moved = progress, now
            if now - moved > PATIENCE:
                raise SetupError(f"No job has ended for {PATIENCE:.0f} s; read {server.log}")
            time.sleep(POLL)
    finally:
        line.close()


def _progress(server: OdooServer) -> Progress:
    answer: dict[str, Any] = server.rpc(MODEL, "progress")
    return Progress(**{name: int(answer[name]) for name in ("total", "done", "failed", "imported")})
