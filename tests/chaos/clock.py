"""A clock that can be set while a program runs, by Debian's libfaketime.

Only the time of day is set. The monotonic clock, by which this campaign measures, goes on as ever.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from dev import cache, debian
from dev.terminal import SetupError, say

PACKAGE = "libfaketime"
LIBRARY = "libfaketime.so.1"

REREAD_SECONDS = 1
"""How long a program may go on by the old clock: it does not look at the file at every call."""


def missing() -> str:
    """Return why clocks cannot be set here; nothing when they can."""
    try:
        _library()
    except SetupError as error:
        return str(error)
    return ""


class Clock:
    """What programs that were started with :attr:`env` take for the time of day.

    :param folder: where they may read, whoever they run as
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.step(0)
        library = folder / LIBRARY
        shutil.copy(_library(), library)
        self.env = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(REREAD_SECONDS),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: int) -> None:
        """Set the clock to so many seconds after the true time, or before."""
        partial = self._file.with_suffix(".new")
        partial.write_text(f"{seconds:+d}\n")
        partial.chmod(0o644)
        partial.replace(self._file)


def _library() -> Path:
    """Return the library, fetched once.

    :raises SetupError: where there is no Debian to fetch it from
    """
    if not debian.is_available():
        raise SetupError("libfaketime is fetched from Debian's packages, and this is no Debian")
    key = cache.key_of([debian.codename(), PACKAGE])
    folder = cache.build(cache.cache_folder() / PACKAGE, key, _unpack)
    found = next(folder.rglob(LIBRARY), None)
    if found is None:
        raise SetupError(f"Debian's package {PACKAGE} has no {LIBRARY}")
    return found


def _unpack(folder: Path) -> None:
    say("Fetching libfaketime from Debian's packages")
    sources = [debian.source(*repository) for repository in debian.repositories()]
    apt = debian.Apt(folder / "apt", sources)
    apt.update()
    apt.unpack([PACKAGE], folder / "root")
    cache.remove(folder / "apt")
