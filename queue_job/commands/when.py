"""Reading a point in time as an administrator types it: a distance from now, or a date."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Seconds by the letter that follows a number."""

DISTANCE = re.compile(r"([0-9]{1,9})([smhdw])\Z")

FARTHEST_SECONDS = 100 * 366 * 86_400
"""Nobody means a time that is farther away, and a date has an end."""


def read_distance(text: str) -> timedelta | None:
    """Return what ``30m``, ``2h`` or ``7d`` says; ``None`` of anything else.

    :raises ValueError: when it is longer than a century
    """
    found = DISTANCE.match(text.strip())
    if not found:
        return None
    seconds = int(found[1]) * UNITS[found[2]]
    if seconds > FARTHEST_SECONDS:
        raise ValueError(f"{text!r} is more than a century")
    return timedelta(seconds=seconds)


def read_past(text: str, now: datetime) -> datetime:
    """Return the point in time that is so long ago, or is written down.

    :param text: ``2h``, ``2026-01-31`` or ``2026-01-31T12:00``, in UTC unless it says otherwise
    :param now: in UTC, without a zone
    :raises ValueError: when it is neither
    """
    distance = read_distance(text)
    return _read_date(text) if distance is None else now - distance


def read_future(text: str, now: datetime) -> datetime:
    """Return the point in time that is so far ahead, or is written down.

    :raises ValueError: when it is neither, or is over
    """
    distance = read_distance(text)
    moment = _read_date(text) if distance is None else now + distance
    if moment <= now:
        raise ValueError(f"{text!r} is over")
    return moment


def _read_date(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(
            f"{text!r} is no time: write 30m, 2h, 7d, 2026-01-31 or 2026-01-31T12:00"
        ) from None
    if moment.tzinfo:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment
