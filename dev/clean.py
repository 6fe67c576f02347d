"""Undoing everything: the cache folder, what lies elsewhere, what tools left in the checkout."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from . import cache, process, venv
from .terminal import say

LEFT_BY_TOOLS = (
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    "build",
    "dist",
    "queue_job.egg-info",
)
"""Names in the checkout that tools write without being asked."""

FORGET = "from dev.postgres import forget_given; forget_given()"
"""What is run in the environment, since talking to a database needs a package from there."""

FORGET_TIMEOUT = 120
END_WAIT = 60.0
STOP_WAIT = 10.0
"""Seconds to drop databases, for another command to end, and for a private PostgreSQL to end."""

POLL = 0.1


def clean() -> int:
    """Stop the private database servers and remove all that was fetched and built."""
    folder = cache.cache_folder()
    if cache.stamped(venv.folder()):
        process.run([venv.python(), "-c", FORGET], cwd=cache.CHECKOUT, timeout=FORGET_TIMEOUT)
    for claim in folder.glob(f"postgres/*/{cache.CLAIM}"):
        _end_command(claim)
    places = [folder, *_elsewhere(folder)]
    for place in places:
        for pid_file in place.rglob("postmaster.pid"):
            _stop(pid_file)
    for place in [*places, *_leavings()]:
        if place.exists():
            say(f"Removing {place}")
            cache.remove(place)
    # Other cache folders may have their servers' data there.
    with suppress(OSError):
        cache.SERVERS.rmdir()
    return 0


def _end_command(claim: Path) -> None:
    """End a command that still runs, by its own way to end: servers first, then PostgreSQL."""
    pid = cache.claimant(claim)
    if pid and pid != os.getpid():
        say(f"Ending the command that runs as process {pid}")
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + END_WAIT
        while cache.claimant(claim) and time.monotonic() < deadline:
            time.sleep(POLL)


def _elsewhere(folder: Path) -> list[Path]:
    """Return the folders outside of the cache that it has records of."""
    return [Path(record.read_text()) for record in folder.glob("postgres/*/elsewhere")]


def _leavings() -> list[Path]:
    caches = cache.CHECKOUT.rglob("__pycache__")
    return [*(cache.CHECKOUT / name for name in LEFT_BY_TOOLS), *caches]


def _stop(pid_file: Path) -> None:
    """Stop the PostgreSQL that wrote the file, unless its number is another program's by now."""
    pid = int(pid_file.read_text().split()[0])
    if not _is_server(pid, pid_file.parent):
        return
    say(f"Stopping PostgreSQL {pid}")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + STOP_WAIT
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(POLL)


def _is_server(pid: int, data: Path) -> bool:
    """Tell by its command line, where the system shows it."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(data).encode() in command
