"""The cache folder: what was fetched and built once, and the stamps that say it is whole.

A step builds under a temporary name, writes its stamp last and is then renamed, or removes its
stamp before it changes anything; either way an interrupted step has no stamp and is done again by
the next run.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .terminal import say

CHECKOUT = Path(__file__).resolve().parent.parent
"""The folder that contains ``queue_job``; it is an addons folder at the same time."""

SERVERS = CHECKOUT / ".postgres"
"""Data of servers that run as another user than the one who owns the cache folder."""

STAMP = ".stamp"
"""File inside a finished folder that holds the key of what it was built from."""

PARTIAL = ".partial"
"""Suffix of a folder that is being built."""

LOCK = ".lock"
"""Suffix of the file that whoever builds the folder holds."""

CLAIM = "lock"
"""File in a numbered folder that its holder locks and writes its process id to."""

KEY_LENGTH = 16
"""Hexadecimal digits of a key: 64 bits, short enough for names of databases and folders."""


def cache_folder() -> Path:
    """Return the one folder outside of the checkout that may be written."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "queue_job"


def key_of(parts: Iterable[str | bytes]) -> str:
    """Return a short hash of ``parts``, that changes when any of them does."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:KEY_LENGTH]


def key_of_files(folders: Iterable[Path]) -> str:
    """Return a short hash of the names and contents of every source file below ``folders``."""
    files = sorted(path for folder in folders for path in folder.rglob("*") if _is_source(path))
    return key_of(part for path in files for part in (str(path), path.read_bytes()))


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def stamped(folder: Path) -> str:
    """Return the key that a finished folder was built from, or an empty string."""
    try:
        return (folder / STAMP).read_text()
    except OSError:
        return ""


def stamp(folder: Path, key: str) -> None:
    """Declare the folder finished; the stamp appears whole or not at all."""
    partial = folder / (STAMP + PARTIAL)
    partial.write_text(key)
    partial.replace(folder / STAMP)


def unstamp(folder: Path) -> None:
    """Declare the folder unfinished, before it is changed in place."""
    (folder / STAMP).unlink(missing_ok=True)


def build(folder: Path, key: str, builder: Callable[[Path], None]) -> Path:
    """Return ``folder``, built by ``builder`` unless it holds ``key`` already.

    :param builder: fills the empty folder it is given, which is not ``folder`` yet
    """
    if stamped(folder) != key:
        with exclusive(folder.with_name(folder.name + LOCK)):
            if stamped(folder) != key:
                _rebuild(folder, key, builder)
    return folder


def _rebuild(folder: Path, key: str, builder: Callable[[Path], None]) -> None:
    partial = folder.with_name(folder.name + PARTIAL)
    remove(partial)
    partial.mkdir(parents=True)
    builder(partial)
    stamp(partial, key)
    remove(folder)
    partial.replace(folder)


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock that dies with this process, so that two commands do not build the same thing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        if not _try_lock(file.fileno()):
            say("Waiting for another command that is setting up the same cache folder")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def claim_slot(folder: Path, slots: int) -> tuple[Path, int]:
    """Return the first numbered folder that no living process has claimed, and its lock.

    Each holder keeps a database cluster there, so that two commands may run at the same time.

    :raises BlockingIOError: when all are claimed
    """
    for number in range(slots):
        slot = folder / str(number)
        slot.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(slot / CLAIM, os.O_RDWR | os.O_CREAT, 0o600)
        if _try_lock(descriptor):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            return slot, descriptor
        os.close(descriptor)
    raise BlockingIOError(f"{slots} other commands are running")


def claimant(claim: Path) -> int | None:
    """Return the living process that holds a numbered folder, by its lock file."""
    with claim.open() as file:
        if _try_lock(file.fileno()):
            return None
        return int(file.read() or 0) or None
