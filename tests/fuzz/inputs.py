"""Bad input: drawn from nothing, or made by damaging what is good.

Every draw comes from one seeded source, so that the number of an input is all it takes to have it
again.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import math
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any

ODD_CHARACTERS = (
    "\0\t\n\r .,:=_-'\"{}[]()\\%$;/*\x7f\x85\xa0\u0661\u2028\ud800\udfff\ufeff\U0001f600"
)
"""Separators of our grammars, what databases and terminals trip over, and half of pairs."""

ODD_NUMBERS = (
    *(0, -1, 1, 2**15, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63, 2**64),
    *(10**20, 10**400, 0.1, -0.0, 1e-320, 1e308, 5e-324, 3.5),
)
ODD_VALUES = (None, True, False, "", [], {}, "null", "0", *ODD_NUMBERS)
DEEPEST = 3
BURIED = (120, 450, 2000)
"""Depths of nesting: harmless, near what Python reads, beyond it."""


class Chance(random.Random):
    """A seeded source of bad input."""

    def maybe(self, share: float) -> bool:
        """Tell yes in a share of all cases."""
        return self.random() < share

    def character(self) -> str:
        """Draw a character, often an odd one."""
        if self.maybe(0.4):
            return self.choice(ODD_CHARACTERS)
        return chr(self.randrange(0x20, 0x7F) if self.maybe(0.8) else self.randrange(0x110000))

    def text(self, most: int = 12) -> str:
        """Draw a text; one in a hundred is long."""
        length = self.randrange(5_000) if self.maybe(0.01) else self.randrange(most)
        return "".join(self.character() for _place in range(length))

    def number(self) -> int | float:
        """Draw a number, often one at the end of a range."""
        if self.maybe(0.6):
            return self.choice(ODD_NUMBERS)
        return self.randrange(-10, 1000) if self.maybe(0.7) else self.uniform(-10, 10)

    def json(self, depth: int = 0) -> Any:
        """Draw a value of JSON."""
        kind = self.randrange(8 if depth < DEEPEST else 5)
        if kind == 0:
            return self.choice(ODD_VALUES)
        if kind in (1, 2):
            return self.number()
        if kind in (3, 4):
            return self.text()
        if kind == 5:
            return {self.text(4): self.json(depth + 1) for _item in range(self.randrange(4))}
        return [self.json(depth + 1) for _item in range(self.randrange(4))]

    def buried(self, value: Any) -> Any:
        """Return a value at the bottom of many lists or objects."""
        wrap: Callable[[Any], Any] = self.choice(
            (lambda inner: [inner], lambda inner: {"a": inner})
        )
        for _level in range(self.choice(BURIED)):
            value = wrap(value)
        return value

    # Damage

    def damaged_text(self, text: str) -> str:
        """Return a text with a few characters removed, doubled, swapped or put in."""
        for _time in range(self.randrange(1, 4)):
            start = self.randrange(len(text) + 1)
            end = min(len(text), start + self.randrange(1, 6))
            piece = self.choice(
                (
                    "",
                    text[start:end] * 2,
                    text[start:end][::-1],
                    self.character(),
                    self.text(6),
                    str(self.number_of_text()),
                )
            )
            text = text[:start] + piece + text[end:]
        return text

    def number_of_text(self) -> str:
        """Draw what may stand where a number should."""
        return self.choice(
            (
                "0",
                "-1",
                "1e9",
                "nan",
                "inf",
                "1_0",
                "0x1",
                "9" * self.choice((3, 30, 5_000)),
                "\u0663",
            )
        )

    def damaged_bytes(self, body: bytes) -> bytes:
        """Return bytes of which a few were changed."""
        for _time in range(self.randrange(1, 4)):
            start = self.randrange(len(body) + 1)
            end = min(len(body), start + self.randrange(1, 6))
            piece = self.choice((b"", body[start:end] * 2, self.randbytes(self.randrange(1, 5))))
            body = body[:start] + piece + body[end:]
        return body

    def damaged_json(self, value: Any) -> Any:
        """Return a value of JSON of which one part was replaced, removed or renamed."""
        if isinstance(value, dict) and value and self.maybe(0.8):
            return self._damaged_object(value)
        if isinstance(value, list) and value and self.maybe(0.8):
            place = self.randrange(len(value))
            part = [self.damaged_json(value[place])] * self.randrange(3)
            return [*value[:place], *part, *value[place + 1 :]]
        if isinstance(value, str) and self.maybe(0.5):
            return self.damaged_text(value)
        return self.buried(value) if self.maybe(0.02) else self.json()

    def _damaged_object(self, value: dict[str, Any]) -> dict[str, Any]:
        key = self.choice(list(value))
        rest = {name: item for name, item in value.items() if name != key}
        if self.maybe(0.15):
            return rest
        if self.maybe(0.15):
            return {**rest, self.damaged_text(key): value[key]}
        return {**rest, key: self.damaged_json(value[key])}

    # Python values

    def argument(self, depth: int = 0) -> Any:
        """Draw an argument of a job, good or bad."""
        kind = self.randrange(10 if depth < DEEPEST else 4)
        inner = [self.argument(depth + 1) for _item in range(self.randrange(4))] if kind > 3 else []
        if kind < 3:
            return self.choice(PLAIN)(self)
        if kind == 3:
            return self.choice(STRANGE)(self)
        if kind in (4, 5):
            return self.choice((list, tuple))(inner)
        if kind == 6:
            return self.choice((set, frozenset))(filter(is_hashable, inner))
        keys = [self.argument(DEEPEST) for _item in inner]
        return {key: item for key, item in zip(keys, inner, strict=True) if is_hashable(key)}


def is_hashable(value: Any) -> bool:
    """Tell whether a value can be a key."""
    try:
        hash(value)
    except (TypeError, ValueError):
        return False
    return True


class Stranger:
    """An object that no job can carry."""


class Named(str):
    """Text that is more than text."""


class Counted(int):
    """A number that is more than a number."""


def circle() -> list[Any]:
    """Return a list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


PLAIN: Sequence[Callable[[Chance], Any]] = (
    lambda chance: chance.number(),
    lambda chance: chance.text(),
    lambda chance: chance.choice(ODD_VALUES),
    lambda chance: chance.randbytes(chance.randrange(6)),
    lambda chance: dt.datetime(1970, 1, 1) + dt.timedelta(seconds=chance.randrange(2**36)),
    lambda chance: dt.date.fromordinal(chance.randrange(1, 3_652_059)),
    lambda chance: dt.timedelta(chance.randrange(-9_999, 9_999), chance.randrange(10**6)),
    lambda chance: dt.time(chance.randrange(24), chance.randrange(60)),
    lambda chance: decimal.Decimal(chance.choice(("0", "-0", "1E+99", "NaN", "1.10", "Infinity"))),
    lambda chance: uuid.UUID(int=chance.getrandbits(128)),
)
STRANGE: Sequence[Callable[[Chance], Any]] = (
    lambda chance: Stranger(),
    lambda chance: Stranger,
    lambda chance: chance.choice((math.nan, math.inf, -math.inf)),
    lambda chance: Named(chance.text()),
    lambda chance: Counted(chance.randrange(99)),
    lambda chance: 10 ** chance.choice((4_000, 5_000, 20_000)),
    lambda chance: circle(),
    lambda chance: chance.buried(1),
    lambda chance: {"_type": chance.text(6)},
    lambda chance: bytearray(b"a"),
    lambda chance: 1j,
)


def as_text(value: Any) -> str:
    """Return JSON as text; what is nested too deeply for that becomes what is deeper still."""
    try:
        return json.dumps(value)
    except RecursionError:
        return "[" * 100_000


def as_base64(value: bytes) -> str:
    """Return bytes as arguments hold them."""
    return base64.b64encode(value).decode()
