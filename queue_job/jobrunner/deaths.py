"""What a prefork server knows of the end of its workers, told to its runner.

The server reaps its children, and the runner is one of them: it cannot ask how another ended. So
the server writes a line into a pipe, which both have.
"""

from __future__ import annotations

import os
import signal
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress

KNOWN = 100
"""Deaths that are remembered; a worker's number is not given again before long."""


class Deaths:
    """One pipe: the server writes, its runner reads."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._known: OrderedDict[int, str] = OrderedDict()

    def note(self, pid: int, cause: str) -> None:
        """Tell, in the server, why a worker ends or ended; the first cause told stands."""
        with suppress(BlockingIOError):  # Nobody reads: no runner is there.
            os.write(self._write, f"{pid} {cause}\n".encode())

    def peek(self, pid: int) -> None:
        """Note how a child ended, if it did, without taking that from the server."""
        with suppress(ChildProcessError):
            end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if end and end.si_code == os.CLD_EXITED:
                if end.si_status:
                    self.note(pid, f"exit status {end.si_status}")
            elif end:
                self.note(pid, _name(end.si_status))

    def known(self) -> Mapping[int, str]:
        """Return, in the runner, the causes by number of the process."""
        with suppress(BlockingIOError):
            for line in os.read(self._read, 65_536).decode().splitlines():
                pid, cause = line.split(" ", 1)
                self._known.setdefault(int(pid), cause)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return dict(self._known)


def _name(number: int) -> str:
    """Return the name of a signal; those between the first and the last real-time one have none."""
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"
