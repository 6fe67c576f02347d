"""Durations as people say them, in the language of who reads."""

from __future__ import annotations

from datetime import datetime

from odoo import api
from odoo.tools.translate import LazyTranslate

from .core.explain import SMALLER

_lt = LazyTranslate(__name__)

UNITS = (
    (24 * 3600, _lt("%s d")),
    (3600, _lt("%s h")),
    (60, _lt("%s min")),
    (1, _lt("%s s")),
)


def seconds_between(since: datetime | None, until: datetime | None) -> float:
    """Return how long it is from one time to another; nothing where one is missing.

    Never less than nothing: what is stored has parts of a second, and what Odoo takes for now has
    none.
    """
    return max(0.0, (until - since).total_seconds()) if since and until else 0.0


def duration_text(env: api.Environment, seconds: float) -> str:
    """Return a duration in its largest unit and the next: 9 min 33 s; no less than a second."""
    rest = max(1, round(seconds))
    place = next(place for place, (length, _unit) in enumerate(UNITS) if rest >= length)
    parts = []
    for length, unit in UNITS[place : place + 2]:
        count, rest = divmod(rest, length)
        if count:
            parts.append(env._(unit) % count)
    return SMALLER.join(parts)
