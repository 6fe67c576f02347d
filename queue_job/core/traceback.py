"""A stored traceback in parts: which frames are of the addons of the house, and which are not.

The parts joined are the text again, to the last character: nothing is lost by looking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>.+)$')


class Part(str, Enum):
    """What a part of a traceback is; the values are what the screen is sent."""

    OWN = "own"
    """A frame in an addon that is neither Odoo's nor the queue's."""
    FRAMEWORK = "framework"
    """A frame in Odoo, the queue, Python or a library."""
    TEXT = "text"
    """The error, how one led to another, and whatever else is there."""


@dataclass(frozen=True)
class Piece:
    """A part of a traceback.

    :param part: what it is
    :param text: as it stands in the traceback
    :param place: of a frame, the file below its folder of addons, and the line
    """

    part: Part
    text: str
    place: str = ""


@dataclass(frozen=True)
class Roots:
    """Folders in which code lives; of two that hold a file, the longer one says whose it is.

    :param own: folders of the house's addons
    :param others: folders of Odoo, of the queue and of the rest
    """

    own: Sequence[str]
    others: Sequence[str]

    def is_own(self, file: str) -> bool:
        """Tell whether a file is of the house."""
        return len(_within(file, self.own)) > len(_within(file, self.others))

    def shortened(self, file: str) -> str:
        """Return a file's path below the folder that it lives in."""
        root = max(_within(file, self.own), _within(file, self.others), key=len)
        return file[len(root) :].lstrip("/\\") if root else file


def _within(file: str, roots: Iterable[str]) -> str:
    """Return the longest of the folders that hold a file; empty for none."""
    holding = (root for root in roots if file.startswith((f"{root}/", f"{root}\\")))
    return max(holding, key=len, default="")


def parse_traceback(text: str, roots: Roots) -> list[Piece]:
    """Return the parts of a traceback, in order.

    :param text: as ``traceback.format_exception`` writes it; anything else is one part of text
    :param roots: whose code lives where
    """
    return [_piece(lines, roots) for lines in _blocks(text.splitlines(keepends=True))]


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the lines of each frame together, and those between frames as well.

    What is indented further than a frame belongs to it.
    """
    block: list[str] = []
    in_frame = False
    for line in lines:
        begins = _begins(line) is not None
        if block and (begins or (in_frame and not line.startswith("    "))):
            yield block
            block, in_frame = [], False
        block.append(line)
        in_frame = in_frame or begins
    if block:
        yield block


def _begins(line: str) -> re.Match[str] | None:
    return FRAME.match(line.rstrip("\r\n")) if line.startswith("  File ") else None


def _piece(lines: list[str], roots: Roots) -> Piece:
    text, found = "".join(lines), _begins(lines[0])
    if found is None:
        return Piece(Part.TEXT, text)
    part = Part.OWN if roots.is_own(found["file"]) else Part.FRAMEWORK
    return Piece(part, text, f"{roots.shortened(found['file'])}:{found['line']}")
