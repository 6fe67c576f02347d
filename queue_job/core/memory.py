"""What a job takes of memory, and how much it may take."""

from __future__ import annotations

from dataclasses import dataclass

from .quoting import shown

MB = 2**20
"""Bytes of what is called a megabyte here, as in Odoo's own limits."""

MOST_MB = 2**24
"""No machine has more; whoever asks for it has written bytes."""


@dataclass(frozen=True)
class Usage:
    """What was resident of a worker while it ran a job.

    :param peak: most of it at a time, in bytes: the worker with all its libraries and caches
    :param before: what was there when the job began, in bytes
    """

    peak: int
    before: int

    @property
    def peak_mb(self) -> int:
        """The most at a time, in whole MB."""
        return round(self.peak / MB)

    @property
    def added_mb(self) -> int:
        """What the job had added to it by then, in whole MB."""
        return round(max(0, self.peak - self.before) / MB)

    def is_beyond(self, limit: float) -> bool:
        """Tell whether the job has added more than it may.

        :param limit: MB
        """
        return self.peak - self.before > limit * MB


def check_memory(limit: object) -> float | None:
    """Return a memory limit in MB, ``None`` for none.

    :raises ValueError: when it is no number above 0, or one of bytes
    """
    if limit is None or limit is False or limit == 0:
        return None
    if not isinstance(limit, (int, float)) or not 0 < limit <= MOST_MB:
        raise ValueError(f"memory limit: {shown(limit)} is no number of MB above 0")
    return float(limit)
