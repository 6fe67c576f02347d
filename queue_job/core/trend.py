"""Counts by hour made into what a screen shows: sums of the last hours, and a line of them."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 24
WEEK = 7 * DAY
"""Hours."""

POINT = 6
"""Hours of a point of the line."""


@dataclass
class Counts:
    """How often something happened.

    :param hours: by hours ago; 0 is the one that has begun
    :param last: in the last sixty minutes
    """

    hours: dict[int, int] = field(default_factory=dict)
    last: int = 0

    def add(self, hour: int, number: int, last: int) -> None:
        """Add what happened in an hour, and so many of it in the last sixty minutes."""
        self.hours[hour] = self.hours.get(hour, 0) + number
        self.last += last

    def total(self, limit: int) -> int:
        """Return the sum of the last hours, the one that has begun among them."""
        return sum(count for hour, count in self.hours.items() if hour < limit)

    @property
    def line(self) -> list[int]:
        """The sums of a week, the oldest first."""
        points = [0] * (WEEK // POINT)
        for hour, count in self.hours.items():
            if 0 <= hour < WEEK:
                points[-1 - hour // POINT] += count
        return points
