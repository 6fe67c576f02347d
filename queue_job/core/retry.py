"""What becomes of a job that ended with an error.

The decision is a value; the executor applies it. ``retry`` counts the tries begun, this one
included, so that ``max_retries=5`` means five executions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .quoting import shown

RETRY_INTERVAL = 600
"""Seconds before the next try when neither the error nor a pattern names any, as in connector."""

MOST_SECONDS = 366 * 86_400.0
"""Nothing waits longer for its next try: whoever asks for more has made a mistake."""

CONFLICT_TRIES = 5
"""Tries of one job in the worker, without giving its turn away, when PostgreSQL reports a conflict
between transactions. Odoo gives a request as many."""

CONFLICT_INTERVAL = (1.0, 5.0)
"""Seconds, drawn between these two, before a job comes back after its last such try."""

LOST_LIMIT = 3
"""Times that a job may lose its worker before it is failed: it may be what kills them."""

Interval: TypeAlias = "float | tuple[float, float]"
"""Seconds, or the two bounds between which they are drawn."""
Draw = Callable[[float, float], float]
"""``random.uniform`` or what a test puts in its place."""


class RetryPatternError(ValueError):
    """A retry pattern that cannot be understood; the message names the offending part."""


@dataclass(frozen=True)
class Postpone:
    """Come back later.

    :param seconds: time to wait
    :param message: why, for the screen
    :param counted: whether the try counts towards ``max_retries``
    """

    seconds: float
    message: str
    counted: bool = True


@dataclass(frozen=True)
class Exhausted:
    """No try is left.

    :param message: why, for the screen
    """

    message: str


def check_pattern(pattern: Mapping[object, object] | None) -> dict[int, Interval]:
    """Return a retry pattern with whole tries as keys and seconds, or bounds, as values.

    :param pattern: ``{try: seconds}`` or ``{try: (least, most)}``; text keys, as JSON gives them,
        are accepted
    :raises RetryPatternError: naming the part that is not a number
    """
    if not isinstance(pattern or {}, Mapping):
        raise RetryPatternError(f"retry pattern: {shown(pattern)} is no dict of seconds by try")
    return {_read_try(key): _read_interval(value) for key, value in (pattern or {}).items()}


def _read_try(key: object) -> int:
    # No other type: turning a number such as Decimal("1E+20000000") into an int takes for ever.
    try:
        number = int(key) if isinstance(key, (int, float, str)) else -1
    except (ValueError, OverflowError):
        number = -1
    # Zero means the same as one, and data files of other addons have it.
    if number < 0 or (isinstance(key, float) and key != number):
        raise RetryPatternError(
            f"retry pattern: {shown(key)} is not the number of a try, 1 or more"
        )
    return number


def _read_interval(value: object) -> Interval:
    parts = value if isinstance(value, (list, tuple)) else (value,)
    try:
        seconds = [float(part) for part in parts if isinstance(part, (int, float, str))]
    except (TypeError, ValueError, OverflowError):
        seconds = []
    sane = len(parts) == len(seconds) and all(0 <= part <= MOST_SECONDS for part in seconds)
    if len(seconds) not in (1, 2) or not sane or seconds != sorted(seconds):
        raise RetryPatternError(
            f"retry pattern: {shown(value)} is neither seconds nor (least, most) seconds, "
            "up to a year",
        )
    return seconds[0] if len(seconds) == 1 else (seconds[0], seconds[1])


def draw_seconds(interval: Interval, draw: Draw) -> float:
    """Return the seconds of an interval, drawn when it has two bounds; from 0 to a year."""
    if isinstance(interval, (tuple, list)):
        return draw(*(_bounded(seconds) for seconds in interval))
    return _bounded(interval)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MOST_SECONDS) if seconds == seconds else RETRY_INTERVAL


def pattern_seconds(pattern: Mapping[int, Interval], retry: int, draw: Draw) -> float:
    """Return the seconds that a pattern gives after try number ``retry``.

    The entry with the largest try not above ``retry`` counts; below the first one it is
    :data:`RETRY_INTERVAL`.
    """
    reached = [number for number in pattern if number <= retry]
    return draw_seconds(pattern[max(reached)], draw) if reached else float(RETRY_INTERVAL)


def decide_retry(
    *,
    message: str,
    retry: int,
    max_retries: int,
    pattern: Mapping[int, Interval],
    draw: Draw,
    seconds: Interval | None = None,
    ignore_retry: bool = False,
) -> Postpone | Exhausted:
    """Decide what follows a :class:`RetryableError`.

    :param message: the text of the error
    :param retry: tries begun, this one included
    :param max_retries: tries allowed; 0 is no limit
    :param pattern: seconds by try, see :func:`check_pattern`
    :param draw: draws a number between two bounds
    :param seconds: what the error itself asks for, before any pattern
    :param ignore_retry: the try does not count
    """
    if max_retries and retry >= max_retries and not ignore_retry:
        return Exhausted(f"Max. retries ({max_retries}) reached: {message}")
    asked = None if seconds is None else draw_seconds(seconds, draw)
    wait = pattern_seconds(pattern, retry, draw) if asked is None else asked
    return Postpone(wait, message, counted=not ignore_retry)
