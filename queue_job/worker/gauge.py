"""How much memory this process takes while a job runs.

What counts is what is resident, in all of the process: Linux keeps the peak of it, sets that back
when asked to, and tells both in some microseconds, so that not even a short job gets by. Where a
process runs several jobs at a time none of them may set it back, and elsewhere than on Linux there
is no such thing: there, whoever looks after the job takes samples, which miss a peak between two.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import psutil

from ..core.memory import Usage

if os.name == "posix":
    import resource

RESET_PATH = "/proc/self/clear_refs"
RESET = b"5"
"""What sets the peak back, see proc(5); the kernel does nothing else then."""

KB = 1024
"""Linux tells of the peak in these."""


class Gauge:
    """Samples what this process takes; begun when it is made."""

    def __init__(self) -> None:
        self._before = self._peak = _resident()

    def usage(self) -> Usage:
        """Return what was taken so far, this moment included."""
        self._peak = max(self._peak, _resident())
        return Usage(self._peak, self._before)


class ExactGauge(Gauge):
    """Asks Linux for the peak, for a process that runs one job at a time.

    :param handle: by which the peak is set back
    """

    def __init__(self, handle: int) -> None:
        os.write(handle, RESET)
        self._before = _kept_peak()

    def usage(self) -> Usage:
        """Return what was taken so far, however short."""
        return Usage(max(self._before, _kept_peak()), self._before)


_handles: dict[int, int | None] = {}


def begin(*, alone: bool) -> Gauge:
    """Return what measures a job that begins now.

    :param alone: whether no other job runs in this process meanwhile
    """
    handle = _handle() if alone else None
    if handle is not None:
        with suppress(OSError):
            return ExactGauge(handle)
    return Gauge()


def _handle() -> int | None:
    """Return the file of this process, opened once, by which its peak is set back."""
    pid = os.getpid()
    if pid not in _handles:
        # What a process has opened before a fork speaks of that one.
        _handles.clear()
        _handles[pid] = None
        if sys.platform == "linux":
            with suppress(OSError):
                _handles[pid] = os.open(RESET_PATH, os.O_WRONLY | os.O_CLOEXEC)
    return _handles[pid]


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _kept_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KB
