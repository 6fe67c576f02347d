"""Jobs that wait for others, which the leader lets go when nothing keeps them any more."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from ..core.leases import JobRef
from ..storage import dependency

SWEEP_SHARE = 10
"""After one look at all that waits the next comes no sooner than so many times what it took: every
graph that is delayed may ask for one."""


class Dependents:
    """Releases the jobs that wait for those that are done.

    :param cr: cursor of the leader's connection
    :param read_soon: called when jobs became ready by that, of which no notification tells
    """

    def __init__(self, cr: Any, read_soon: Callable[[], None]) -> None:
        self._cr = cr
        self._read_soon = read_soon
        self._adopted: set[int] = set()
        """Jobs of no graph for which those of one wait."""
        self.are_due = False
        """Jobs may wait for others that are done."""
        self._again = -math.inf

    def of(self, jobs: Iterable[JobRef]) -> set[int]:
        """Return those of the jobs for which others may wait."""
        return {job.id for job in jobs if job.linked or job.id in self._adopted}

    def note(self, wanted: bool = True) -> None:
        """Look at all of them soon, if that is wanted."""
        self.are_due |= wanted

    def note_ended(self, jobs: Iterable[JobRef]) -> None:
        """Look at all of them soon when some may wait for these, which may have been done."""
        self.note(bool(self.of(jobs)))

    def release(self, jobs: Iterable[JobRef], done: Iterable[int]) -> None:
        """Let the jobs go that waited for those of a lease that are done.

        :param jobs: of the lease
        :param done: ids of those that are
        """
        parents = self.of(jobs).intersection(done)
        if parents and dependency.release(self._cr, parents):
            self._read_soon()

    @property
    def due(self) -> float:
        """When to look at all of them; infinity for never."""
        return self._again if self.are_due else math.inf

    def look_after(self, now: float) -> None:
        """Let all go that wait for nothing any more, when it is time for that."""
        if now < self.due:
            return
        self.are_due = False
        began = time.monotonic()
        if dependency.sweep(self._cr):
            self._read_soon()
        self._adopted = dependency.read_adopted(self._cr)
        done = time.monotonic()
        self._again = done + SWEEP_SHARE * (done - began)
