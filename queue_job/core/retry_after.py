"""The delay that a remote names in an answer over HTTP: ``Retry-After``, RFC 9110, 10.2.3.

It is either seconds or a date. What a remote sends is never trusted: rubbish counts as nothing, and
no delay is shorter or longer than what makes sense for a job.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

LEAST_SECONDS = 1.0
"""Who says *now*, or a time that has passed, is asked again after so long: not in a busy loop."""

MOST_SECONDS = 86_400.0
"""Who names a longer time is asked again after a day: by then it may have changed its mind."""

SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{0,9})?")
"""Whole seconds by the standard; some shops send ``2.0``."""

LONGEST = 64
"""Characters of the longest date that means anything."""


def read_delay(
    headers: Iterable[tuple[object, object]], now: datetime, most: float = MOST_SECONDS
) -> float | None:
    """Return the seconds that the headers of an answer ask for; ``None`` for nothing sensible.

    A date is compared with that of the answer itself, if it has one: the clock of the remote may be
    another.

    :param headers: names, in any case, and values
    :param now: aware; what counts when the answer has no date
    :param most: seconds that are never exceeded
    """
    found = {_text(name).lower(): _text(value) for name, value in headers}
    asked = found.get("retry-after", "")
    if SECONDS.fullmatch(asked):
        return _bounded(float(asked), most)
    until = _date(asked)
    if until is None:
        return None
    return _bounded((until - (_date(found.get("date", "")) or now)).total_seconds(), most)


def _bounded(seconds: float, most: float) -> float:
    return min(max(seconds, LEAST_SECONDS), most)


def _text(value: object) -> str:
    """Return a name or value as text; nothing for what is neither text nor a number."""
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value[: LONGEST + 1]).decode("latin-1")
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        value = format(value, "f" if isinstance(value, float) else "d") if abs(value) < 1e12 else ""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    return text if len(text) <= LONGEST else ""


def _date(text: str) -> datetime | None:
    """Return a date of one of the three forms of HTTP, all of them in UTC."""
    # What is not ASCII is no date, and digits of other scripts would pass for numbers.
    if not text.isascii():
        return None
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=timezone.utc) if date.tzinfo is None else date
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
