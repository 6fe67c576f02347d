"""What the person at the terminal reads: lines, one moving line, failures with their remedy."""

from __future__ import annotations

import sys
import time

PLAIN_INTERVAL = 2.0
"""Seconds between progress lines in a log file, where a line cannot be overwritten."""


class SetupError(Exception):
    """A step failed. The message says what happened and, in the same sentence, what to do."""


def say(text: str) -> None:
    """Print a line at once, also into a pipe, so that progress is seen while it happens."""
    print(text, flush=True)


class ProgressLine:
    """One line that is overwritten on a terminal and repeated seldom elsewhere."""

    def __init__(self) -> None:
        self._moving = sys.stdout.isatty()
        self._last = float("-inf")
        self._open = False

    def show(self, text: str) -> None:
        """Show the newest state; a file gets it at most every :data:`PLAIN_INTERVAL` seconds."""
        now = time.monotonic()
        if self._moving:
            print(f"\r\x1b[K{text}", end="", flush=True)
            self._open = True
        elif now - self._last >= PLAIN_INTERVAL:
            say(text)
            self._last = now

    def close(self) -> None:
        """End the line, so that what follows starts on its own."""
        if self._open:
            print(flush=True)
            self._open = False
