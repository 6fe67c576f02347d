"""What a failure is called, so that the same error has the same name wherever it happens again.

A signature is made of the type of the error, of the functions of our users' code that it came
through, and of its message without what differs from job to job. Line numbers are left out: an
upgrade that moves code does not make a new error of an old one. Nothing here raises: it is asked
while a job fails, and must not be the reason why that is not recorded.
"""

from __future__ import annotations

import hashlib
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import FrameType

from .quoting import storable

FRAMEWORK_ADDONS = frozenset({"base", "bus", "mail", "queue_job", "web"})
"""Addons of Odoo, and this one, that every call goes through: they do not tell errors apart."""

INSTALLED = ("/site-packages/", "/dist-packages/")
"""Parts of the path of what was installed and not written here."""

MOST_WALKED = 20_000
"""Frames of a traceback that are looked at."""

MOST_FRAMES = 20
"""Functions of a signature: the innermost ones."""

MESSAGE_LIMIT = 10_000
"""Characters of a message that are looked at."""

PATTERN_LIMIT = 300
"""Characters that are kept of a message without what differs."""

KEY_LENGTH = 12
"""Hexadecimal digits of a key: two of a hundred thousand signatures agree once in 50,000 times."""

LOST = "JobFoundDead"
"""Stands for the type of the error when a job has lost its worker too often."""

VALUE, NUMBER = "<value>", "<n>"

DIFFERING = tuple(
    (re.compile(pattern, re.IGNORECASE), placeholder)
    for pattern, placeholder in (
        (r'"[^"]*"|«[^»]*»|“[^”]*”|`[^`]*`', VALUE),
        (r"(?<!\w)'[^'\n]*'(?!\w)", VALUE),
        # How PostgreSQL names the value that a constraint is about.
        (r"=\([^()]*\)", f"=({VALUE})"),
        (r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", "<uuid>"),
        (
            r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
            "<date>",
        ),
        (r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b", "<hex>"),
        # With its sign, where it has one: no dash between words, nor from one to another.
        (r"(?:(?<![\w>])[-+\u2212])?\d+(?:[.,:]\d+)*", NUMBER),
        # However many there are of them.
        (r"(<value>|<uuid>|<date>|<hex>|<n>)(?:\s*[,;]\s*\1)+", r"\1"),
    )
)
"""What differs from job to job, and what stands for it; in this order."""


@dataclass(frozen=True)
class Signature:
    """What tells a failure apart from others.

    :param exception: type of the error, with its module
    :param frames: functions of own code that it came through, each with its module, the innermost
        last; without any, the function of the job
    :param message: what was said, without what differs
    """

    exception: str
    frames: tuple[str, ...]
    message: str

    @property
    def key(self) -> str:
        """The short name of the failure."""
        return key_of("\n".join((self.exception, *self.frames, self.message)))

    @property
    def location(self) -> str:
        """Where it happened: the innermost function of own code."""
        return self.frames[-1] if self.frames else ""


def signature_of(error: BaseException, function: str = "") -> Signature:
    """Return the signature of an error; of a chain of them it is the last one that counts.

    :param error: what was raised
    :param function: name of the job function, which counts when no own code was on the way
    """
    kind = type(error)
    frames = _own_frames(_raised(error)) or (storable(function),)
    return Signature(storable(f"{kind.__module__}.{kind.__name__}"), frames, pattern_of(error))


def lost_signature(function: str) -> Signature:
    """Return the signature of jobs of a function that have lost their worker too often."""
    return Signature(LOST, (function,), "")


def key_of(text: str) -> str:
    """Return the key of what makes up a signature."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:KEY_LENGTH]


def message_of(error: BaseException) -> str:
    """Return what an error says, or that it cannot be said."""
    try:
        return str(error.args[0] if error.args else error)
    except Exception as problem:
        return f"the error cannot be written: {type(problem).__name__}"


def pattern_of(error: BaseException) -> str:
    """Return what an error says, without what differs from job to job."""
    return normalised(message_of(error))


def normalised(message: str) -> str:
    """Return a message with placeholders for numbers, dates, identifiers and quoted values."""
    text = storable(message[:MESSAGE_LIMIT])
    for pattern, placeholder in DIFFERING:
        text = pattern.sub(placeholder, text)
    return " ".join(text.split())[:PATTERN_LIMIT]


def _raised(error: BaseException) -> BaseException:
    """Return the error of a chain that has been raised last: one may only tell of another."""
    seen: set[int] = set()
    while error.__traceback__ is None and id(error) not in seen:
        seen.add(id(error))
        error = error.__cause__ or error.__context__ or error
    return error


def _own_frames(error: BaseException) -> tuple[str, ...]:
    """Return the functions of own code in a traceback, each once, however deep it recurses."""
    walked = islice(traceback.walk_tb(error.__traceback__), MOST_WALKED)
    names = _names(frame for frame, _line in walked)
    # The place of its last call is what counts, so that the innermost one is the last.
    innermost = dict.fromkeys(reversed(list(names)))
    return tuple(reversed(list(islice(innermost, MOST_FRAMES))))


def _names(frames: Iterable[FrameType]) -> Iterator[str]:
    for frame in frames:
        name, path = frame.f_code.co_name, frame.f_code.co_filename
        module = frame.f_globals.get("__name__")
        # Of comprehensions, some versions of Python have frames and others have not.
        if not name.startswith("<") and isinstance(module, str) and is_own(module, path):
            yield storable(f"{module}.{name}")


def is_own(module: str, path: str) -> bool:
    """Tell whether code was written for this installation: addons are, libraries are not.

    :param module: full name
    :param path: of its file
    """
    parts = module.split(".")
    if parts[:2] == ["odoo", "addons"]:
        return len(parts) > 2 and parts[2] not in FRAMEWORK_ADDONS
    if parts[0] == "odoo" or parts[0] in sys.stdlib_module_names:
        return False
    return not any(part in path.replace("\\", "/") for part in INSTALLED)
