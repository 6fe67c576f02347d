"""Waiting for a connection, and being woken from another thread meanwhile."""

from __future__ import annotations

import math
import os
import select
import threading
from contextlib import suppress
from typing import Any


class Waker:
    """A pipe that interrupts a wait; any thread may write, one waits."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # One that a signal handler may take again that interrupts its own thread here.
        self._guard = threading.RLock()
        self._closed = False

    def wake(self) -> None:
        """End the current wait, or the next one; do nothing when nobody waits any more."""
        with self._guard, suppress(BlockingIOError):  # A full pipe wakes as well.
            if not self._closed:
                os.write(self._write, b".")

    def wait(self, seconds: float, link: Any = None) -> None:
        """Wait until woken, until something arrives on a connection, or for so long.

        :param seconds: longest wait
        :param link: anything with ``fileno``
        """
        poll = select.poll()
        poll.register(self._read, select.POLLIN)
        if link is not None:
            poll.register(link, select.POLLIN)
        poll.poll(math.ceil(1000 * max(0.0, seconds)))
        with suppress(BlockingIOError):
            os.read(self._read, 65_536)

    def close(self) -> None:
        """Give the pipe back; nobody may wait afterwards."""
        with self._guard:
            self._closed = True
            os.close(self._read)
            os.close(self._write)
