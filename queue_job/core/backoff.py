"""How long a job waits for its next try: by a table, or growing from try to try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TypeAlias

from .quoting import shown

RETRY_INTERVAL = 600
"""Seconds before the next try when neither the error nor a pattern names any, as in connector."""

MOST_SECONDS = 366 * 86_400.0
"""Nothing waits longer for its next try: whoever asks for more has made a mistake."""

Interval: TypeAlias = "float | tuple[float, float]"
"""Seconds, or the two bounds between which they are drawn."""

Draw = Callable[[float, float], float]
"""``random.uniform`` or what a test puts in its place."""


class RetryPatternError(ValueError):
    """A retry pattern that cannot be understood; the message names the offending part."""


@dataclass(frozen=True)
class Backoff:
    """Waits that grow from try to try, and are drawn so that jobs do not come back all at once.

    After the first try it is ``first`` seconds, and after each further one ``factor`` times as
    long, up to ``most``. What is waited is drawn around that: ``jitter=0.2`` is up to a fifth less
    or more, but never more than ``most``.

    :param first: seconds after the first try
    :param factor: by which they grow; 1 for the same each time
    :param most: seconds that are never exceeded
    :param jitter: share of the seconds by which they differ, from 0 for not at all to 1
    :raises RetryPatternError: naming the value that makes no sense, and what would
    """

    first: float = 10
    factor: float = 2
    most: float = 3600
    jitter: float = 0.2

    def __post_init__(self) -> None:
        remedies = (
            ("first", 0 < _number(self.first) <= MOST_SECONDS, "seconds above 0, up to a year"),
            ("factor", 1 <= _number(self.factor) <= MOST_SECONDS, "1 or more; 2 doubles the wait"),
            (
                "most",
                _number(self.first) <= _number(self.most) <= MOST_SECONDS,
                "seconds, not less than first, up to a year",
            ),
            ("jitter", 0 <= _number(self.jitter) <= 1, "a share from 0 to 1, such as 0.2"),
        )
        for name, is_sane, remedy in remedies:
            if not is_sane:
                value = shown(getattr(self, name))
                raise RetryPatternError(f"backoff: {name}={value} cannot be: give {remedy}")

    @classmethod
    def read(cls, value: object) -> Backoff:
        """Return a backoff, as it is or from a dict, which is how it is stored.

        :raises RetryPatternError: naming what no backoff has
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise RetryPatternError(
                f"backoff: {shown(value)} is neither a Backoff nor a dict such as "
                "{'first': 10, 'factor': 2, 'most': 3600, 'jitter': 0.2}"
            )
        known = [field.name for field in fields(cls)]
        for name in value:
            if name not in known:
                raise RetryPatternError(
                    f"backoff: {shown(name)} is none of {', '.join(known)}: leave it out"
                )
        return cls(**value)

    def bounds(self, retry: int) -> tuple[float, float]:
        """Return the least and the most seconds after try number ``retry``."""
        try:
            grown = min(self.first * float(self.factor) ** max(0, retry - 1), self.most)
        except OverflowError:
            grown = self.most
        return grown * (1 - self.jitter), min(grown * (1 + self.jitter), self.most)

    def seconds(self, retry: int, draw: Draw) -> float:
        """Return the seconds after try number ``retry``, drawn if there is jitter."""
        least, most = self.bounds(retry)
        return draw(least, most) if self.jitter else most

    def __str__(self) -> str:
        spread = f", ± {self.jitter:.0%}" if self.jitter else ""
        return f"{self.first:g} s, times {self.factor:g} up to {self.most:g} s{spread}"


Policy: TypeAlias = "Mapping[int, Interval] | Backoff"
"""How long to wait after which try: by a table, or growing."""


def _number(value: object) -> float:
    """Return a number; one that is within no bounds for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def check_policy(pattern: object) -> Policy:
    """Return a retry pattern as :func:`check_pattern` does, or the backoff that stands in one.

    :param pattern: seconds by try, or ``{"backoff": {…}}`` with what :class:`Backoff` has
    :raises RetryPatternError: naming the part that cannot be understood
    """
    if not isinstance(pattern, Mapping) or "backoff" not in pattern:
        return check_pattern(pattern)  # type: ignore[arg-type]
    others = [key for key in pattern if key != "backoff"]
    if others:
        raise RetryPatternError(
            f"retry pattern: {shown(others[0])} stands beside backoff: give either seconds by try "
            "or a backoff"
        )
    return Backoff.read(pattern["backoff"])


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


def pattern_seconds(pattern: Policy, retry: int, draw: Draw) -> float:
    """Return the seconds that a pattern, or a backoff, gives after try number ``retry``.

    Of a pattern the entry with the largest try not above ``retry`` counts; below the first one it
    is :data:`RETRY_INTERVAL`.
    """
    if isinstance(pattern, Backoff):
        return pattern.seconds(retry, draw)
    reached = [number for number in pattern if number <= retry]
    return draw_seconds(pattern[max(reached)], draw) if reached else float(RETRY_INTERVAL)
