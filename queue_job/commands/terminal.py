"""What is written for those who read, in tables and colours, and for machines, in JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TextIO

COLOURS = {
    "done": "32",
    "failed": "31",
    "started": "36",
    "enqueued": "36",
    "cancelled": "2",
    "paused": "33",
    "problem": "31",
    "title": "1",
}
"""Codes of a terminal, by the meaning of a text."""

BAR = 30
"""Characters of a progress bar."""

REDRAW_SECONDS = 0.1
"""Least time between two drawings of it."""


def wants_colour(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether to colour: only on a terminal, and nowhere when NO_COLOR is set."""
    return bool(
        not environment.get("NO_COLOR") and environment.get("TERM") != "dumb" and stream.isatty()
    )


@dataclass(frozen=True)
class Column:
    """One column of a table.

    :param title: above it
    :param key: of the rows
    :param right: numbers stand at the right
    """

    title: str
    key: str
    right: bool = False


class Terminal:
    """Where a command writes.

    :param as_json: write JSON, and nothing else, to the standard output
    """

    def __init__(
        self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self.colour = wants_colour(self.out, os.environ)

    @property
    def is_interactive(self) -> bool:
        """Whether somebody is there to be asked."""
        return sys.stdin.isatty() and self.err.isatty()

    def say(self, text: str, meaning: str = "") -> None:
        """Write a line for those who read."""
        if not self.as_json:
            print(self.painted(text, meaning), file=self.out)

    def warn(self, text: str) -> None:
        """Write a line beside what the command puts out."""
        print(f"queue_job: {text}", file=self.err)

    def tell(self, value: Any) -> None:
        """Write a value for machines."""
        if self.as_json:
            print(json.dumps(plain(value), ensure_ascii=False, indent=2), file=self.out)

    def painted(self, text: str, meaning: str) -> str:
        """Return a text in the colour of a meaning, where there are colours."""
        code = COLOURS.get(meaning) if self.colour else None
        return f"\033[{code}m{text}\033[0m" if code else text

    def table(self, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows below their titles; ``meaning`` of a row gives its colour."""
        width = shutil.get_terminal_size().columns if self.out.isatty() else None
        title, *lines = table_lines(columns, rows, width)
        self.say(title, "title")
        for row, line in zip(rows, lines, strict=True):
            self.say(line, str(row.get("meaning", "")))

    def confirm(self, question: str) -> bool:
        """Ask who sits there; without anybody the answer is yes."""
        if not self.is_interactive:
            return True
        print(f"{question} [y/N] ", end="", file=self.err, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def progress(self, total: int) -> Progress:
        """Return a progress bar, which is only seen on a terminal."""
        return Progress(self.err, total)


class Progress:
    """How far a long piece of work is.

    :param total: of what
    """

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._total = total
        self._shown = stream.isatty()
        self._began = time.monotonic()
        self._drawn = 0.0
        self.done = 0

    def add(self, number: int) -> None:
        """Say that so many more are done."""
        self.done += number
        now = time.monotonic()
        if self._shown and (now - self._drawn > REDRAW_SECONDS or self.done >= self._total):
            self._drawn = now
            text = bar(self.done, self._total, now - self._began)
            print(f"\r{text}", end="", file=self._stream, flush=True)

    def end(self) -> None:
        """Leave the line of the bar."""
        if self._shown and self._drawn:
            print(file=self._stream)


def bar(done: int, total: int, seconds: float) -> str:
    """Return a progress bar as text."""
    share = min(1.0, done / total) if total else 1.0
    filled = "#" * round(BAR * share)
    return f"[{filled:-<{BAR}}] {done:,} of {total:,} ({seconds:.0f} s)"


def table_lines(
    columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], width: int | None = None
) -> list[str]:
    """Return the titles and the rows of a table as lines.

    :param width: characters that a line may have; ``None`` for no limit
    """
    cells = [[column.title for column in columns]]
    cells += [[shown(row.get(column.key)) for column in columns] for row in rows]
    widths = [max(map(len, cell)) for cell in zip(*cells, strict=True)]
    lines = (
        "  ".join(
            text.rjust(size) if column.right else text.ljust(size)
            for column, text, size in zip(columns, line, widths, strict=True)
        ).rstrip()
        for line in cells
    )
    return [line[:width] for line in lines]


def shown(value: Any) -> str:
    """Return a value in one line of text, without anything that a terminal would obey."""
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:.3f}" if value < 100 else f"{value:.0f}"
    text = " ".join(str(value).split())
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def paragraphs(text: str) -> str:
    """Return a text of many lines without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "?" for letter in text)


def plain(value: Any) -> Any:
    """Return a value in JSON's terms; times in UTC."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
