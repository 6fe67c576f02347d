"""A clock that can be set while a program runs: a small library that is loaded before the system's.

Only the time of day is set. The monotonic clock, by which this campaign measures, goes on as ever.
"""

from __future__ import annotations

import shutil
import struct
import sys
from pathlib import Path

from dev import process

SOURCE = Path(__file__).with_name("clock.c")
COMPILE_SECONDS = 60


def missing() -> str:
    """Return why clocks cannot be set here; nothing when they can."""
    if not sys.platform.startswith("linux"):
        return "a library is loaded before the system's on Linux only"
    return "" if shutil.which("cc") else "no C compiler"


class Clock:
    """What programs that were started with :attr:`env` take for the time of day.

    :param folder: where they may read, whoever they run as
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self._file.write_bytes(bytes(8))
        self._file.chmod(0o644)
        library = folder / "clock.so"
        process.capture(
            ["cc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE],
            timeout=COMPILE_SECONDS,
            remedy="leave these faults out by CHAOS_FAULTS",
        )
        self.env = {"LD_PRELOAD": str(library), "TEST_QUEUE_JOB_CLOCK": str(self._file)}

    def step(self, seconds: int) -> None:
        """Set the clock to so many seconds after the true time, or before, at once."""
        with self._file.open("r+b", buffering=0) as file:
            file.write(struct.pack("q", seconds))
