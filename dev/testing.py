"""The kinds of tests, and their sum.

``lint`` and ``unit`` need the virtual environment only; ``addons`` runs Odoo's own test loader;
``acceptance`` starts real servers, and kills them. ``ha`` lets Patroni change the primary.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import cache, chromium, counts, odoo, process
from .counts import Counts
from .postgres import OWN_PREFIX, main_cluster
from .server import OdooServer, remove_logs
from .template import ADDONS_FOLDERS, Templates, checkout_addons
from .terminal import SetupError, say

TEST_DATABASE = f"{OWN_PREFIX}test"

LINT_TIMEOUT = 600
UNIT_TIMEOUT = 600
ADDONS_TIMEOUT = 2400
ACCEPTANCE_TIMEOUT = 4200
HA_TIMEOUT = 1800
"""Seconds; together well below an hour and a half."""

LINTERS: dict[str, Sequence[str]] = {
    "ruff check": ("ruff", "check", "."),
    "ruff format": ("ruff", "format", "--check", "."),
    "mypy": ("mypy",),
}

NO_TESTS = 5
"""Pytest's exit status when it found nothing to run."""

SHOWN_LINE = (" ERROR ", " CRITICAL ", "tests when loading database")
"""Parts of the lines of Odoo's log that are shown when it has ended."""


def lint() -> Counts:
    """Check style, layout and types; each tool counts as one test."""
    total = Counts()
    for name, command in LINTERS.items():
        say(f"--- {name}")
        status = process.run(
            [sys.executable, "-m", *command], cwd=cache.CHECKOUT, timeout=LINT_TIMEOUT
        )
        total += counts.from_check(status)
    return total


def unit() -> Counts:
    """Run the tests of the pure code, without Odoo and without a database."""
    return _pytest("tests/unit", UNIT_TIMEOUT)


def acceptance() -> Counts:
    """Run the tests that start real servers; they make their own database cluster."""
    odoo.find()
    return _pytest("tests/acceptance", ACCEPTANCE_TIMEOUT)


def ha() -> Counts:
    """Run the tests that let Patroni change the primary; it is fetched for them alone."""
    odoo.find()
    return _pytest("tests/ha", HA_TIMEOUT)


def addons() -> Counts:
    """Run the addons' tests by Odoo's loader, in a copy of a database with Odoo's own modules."""
    found = odoo.find()
    browser = chromium.folder_on_path()
    path = os.pathsep.join(filter(None, [str(browser or ""), os.environ.get("PATH")]))
    with main_cluster() as cluster:
        remove_logs(cluster)
        templates = Templates(found, cluster)
        templates.copy(templates.base(), TEST_DATABASE)
        server = OdooServer(
            found, cluster, TEST_DATABASE, workers=0, addons=ADDONS_FOLDERS, env={"PATH": path}
        )
        try:
            return _run_odoo_tests(server, checkout_addons())
        finally:
            templates.drop(TEST_DATABASE)


def _run_odoo_tests(server: OdooServer, modules: Sequence[str]) -> Counts:
    say(f"Testing {', '.join(modules)}; log: {server.log}")
    tags = os.environ.get("TEST_TAGS") or ",".join(f"/{module}" for module in modules)
    options = ["-i", ",".join(modules), "--test-enable", "--test-tags", tags, "--stop-after-init"]
    # The browser leaves files behind, and its sockets need a path that is short.
    with tempfile.TemporaryDirectory(prefix="queue_job-") as scratch, server.log.open("ab") as log:
        status = process.run(
            server.command(*options, "--without-demo=all"),
            env={**server.env, "TMPDIR": scratch},
            timeout=ADDONS_TIMEOUT,
            output=log,
        )
    _show_failures(server.log)
    return counts.from_odoo_log(server.log_text(), status)


def _show_failures(log: Path) -> None:
    """Print the lines that matter, with the traceback that follows a line of error."""
    shown = False
    for line in log.read_text(errors="replace").splitlines():
        begins = line[:4].isdigit()
        if begins:
            shown = any(part in line for part in SHOWN_LINE)
        if shown or " skipped " in line:
            say(line)


def _pytest(folder: str, timeout: float) -> Counts:
    if not (cache.CHECKOUT / folder).is_dir():
        say(f"{folder} is not there")
        return Counts()
    scratch = cache.cache_folder() / f"pytest-{os.getpid()}"
    scratch.mkdir(parents=True)
    report = scratch / "report.xml"
    options = [f"--junit-xml={report}", f"--basetemp={scratch / 'tmp'}"]
    try:
        command = [sys.executable, "-m", "pytest", folder, *options]
        status = process.run(command, cwd=cache.CHECKOUT, timeout=timeout)
        return Counts() if status == NO_TESTS else counts.from_junit(report, status)
    finally:
        cache.remove(scratch)


KINDS: dict[str, Callable[[], Counts]] = {
    "lint": lint,
    "unit": unit,
    "addons": addons,
    "acceptance": acceptance,
    "ha": ha,
}
"""In the order in which a mistake is found soonest."""

GATE = ("lint", "unit", "addons", "acceptance")
"""Those that every change has to pass; the others need more than most changes are worth."""


def run(kinds: Sequence[str]) -> int:
    """Run kinds of tests, all of them even when one fails, and return the exit status.

    The last line is the sum.
    """
    total = Counts()
    for kind in kinds:
        result = _timed(kind)
        total += result
    say(str(total))
    return 1 if total.failed else 0


def _timed(kind: str) -> Counts:
    say(f"=== {kind}")
    start = time.monotonic()
    try:
        result = KINDS[kind]()
    except SetupError as error:
        say(f"{kind}: {error}")
        result = counts.FAILURE
    say(f"=== {kind}: {result} in {time.monotonic() - start:.0f} s")
    return result
