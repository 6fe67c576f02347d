"""The figures that a leader keeps: what ran, as it is reported, and what waits, once a minute.

They are stored now and then, and not with each answer: a job takes less time than its figures.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from ..core.leases import JobRef
from ..core.metrics import Metrics, by_channel
from ..core.report import Report
from ..core.series import next_sample
from ..storage import dispatch, metrics, pulse, totals

STORE_SECONDS = 5.0
"""How long counts of what ran are kept in memory; a leader that dies loses them, and no job."""


class Figures:
    """Counts what ran, and notes what waits and runs.

    :param cr: cursor of the leader's connection
    """

    def __init__(self, cr: Any) -> None:
        self._cr = cr
        self._metrics = Metrics()
        self._store_at, self._sample_at = math.inf, -math.inf

    @property
    def due(self) -> float:
        """When :meth:`keep` has something to do, in seconds of a clock that never goes back."""
        return min(self._store_at, self._sample_at)

    def keep(self, now: float) -> None:
        """Store and note what there is a time for."""
        if now >= self._store_at:
            self.store()
        if now >= self._sample_at:
            self._sample()

    def count(self, job: JobRef, report: Report) -> None:
        """Count a report; the sums are stored now and then."""
        key = (int(time.time() // 60), job.channel, job.function)
        self._metrics.observe(
            key, report.outcome, seconds=report.seconds, wait=report.wait, memory=report.memory
        )
        self._store_at = min(self._store_at, time.monotonic() + STORE_SECONDS)

    def count_ended(self, jobs: Sequence[JobRef]) -> None:
        """Count what ended in a lease whose worker did not live to tell of it."""
        by_id = {job.id: job for job in jobs}
        for report in dispatch.read_ended(self._cr, jobs):
            self.count(by_id[report.id], report)

    def store(self) -> None:
        """Store what was counted, and begin anew."""
        self._store_at = math.inf
        if self._metrics:
            sums = list(self._metrics.take())
            metrics.add(self._cr, sums)
            totals.add(self._cr, sums)
            pulse.add(self._cr, by_channel(sums))

    def _sample(self) -> None:
        """Note what waits and runs, once in each minute."""
        self._sample_at = time.monotonic() + next_sample(time.time())
        pulse.sample(self._cr)
