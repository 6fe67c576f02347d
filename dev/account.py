"""The unprivileged account as which root runs servers that refuse root, and what it can reach."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from . import cache, process
from .terminal import SetupError, say

UNPRIVILEGED = ("postgres", "nobody")
"""Users as whom root runs servers that refuse root, the first that exists."""

OWNER_RECORD = "home"
"""File in a folder of data that lies elsewhere: names the home it belongs to."""


def unprivileged_user() -> str | None:
    """Return the user to run the server as, or ``None`` for the one who runs this."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise SetupError(
        "PostgreSQL does not run as root and there is no user nobody; run this as another user"
    )


def write_private(path: Path, text: str, account: str | None) -> None:
    """Write what holds a password, for ``account`` alone; for who runs this when it is ``None``."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    if account:
        shutil.chown(path, account)


def may(account: str, test: str, path: Path) -> bool:
    """Tell whether ``account`` passes a shell test on ``path``, asked as that very user."""
    done = subprocess.run(
        ["/bin/sh", "-c", test, path],
        cwd="/",
        check=False,
        stderr=subprocess.DEVNULL,
        **process.as_user(account),
    )
    return done.returncode == 0


def reachable(home: Path, account: str | None) -> Path:
    """Return a folder for the data that ``account`` can enter: ``home``, or another, said aloud.

    The private home of root has mode 0700, which is right and stays so.
    """
    if account is None or may(account, 'cd "$0"', home):
        return home
    record = home / "elsewhere"
    place = Path(record.read_text()) if record.exists() else None
    if place is None or not place.is_dir():
        _remove_orphans()
        prefix = f"queue_job-{os.getuid()}-"
        place = Path(tempfile.mkdtemp(prefix=prefix, dir=parent_of_data(account)))
        place.chmod(0o755)
        (place / OWNER_RECORD).write_text(str(home))
        record.write_text(str(place))
        say(
            f"Servers that refuse root run as {account}, who cannot enter {home}: "
            f"their data goes to {place} until make clean"
        )
    return place


def _remove_orphans() -> None:
    """Remove the data of clusters whose home is gone, as that of a test that was killed."""
    for record in cache.SERVERS.glob(f"*/{OWNER_RECORD}"):
        if not Path(record.read_text()).is_dir():
            cache.remove(record.parent)


def parent_of_data(account: str) -> Path:
    """Return a folder of the checkout if ``account`` can enter it, else that of temporary files."""
    if not may(account, 'cd "$0"', cache.CHECKOUT):
        return Path(tempfile.gettempdir())
    cache.SERVERS.mkdir(mode=0o755, exist_ok=True)
    return cache.SERVERS


def copied_binaries(bin_dir: Path, place: Path) -> Path:
    """Return a copy of the server in ``place``, with the libraries it finds by relative paths."""
    package = bin_dir.parent.parent
    target = place / "server" / package.name / bin_dir.parent.name
    if not cache.stamped(target):
        cache.remove(target)
        shutil.copytree(bin_dir.parent, target, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            copied = place / "server" / libraries.name
            shutil.copytree(libraries, copied, symlinks=True, dirs_exist_ok=True)
        cache.stamp(target, str(bin_dir))
    return target / "bin"
