"""Taking back the jobs whose worker is gone, and looking after those that run unasked.

A job is an orphan when a worker still holds it, and no request of ours is open in which it is: the
one who gave it out is gone. Nobody will tell how it ends, so it is looked for in the table.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..core.leases import JobRef
from ..core.report import Outcome, Report
from ..core.scheduler import Scheduler
from ..settings import settings
from ..storage import dispatch
from .deaths import Deaths
from .figures import Figures

_logger = logging.getLogger(__name__)

ORPHAN_SECONDS = 0.25
"""How often to look after jobs that run without a lease of ours."""

WORKER_GONE = "The worker ended before the job did"
"""What the screen says of a job that was taken back."""

WORKER_KILLED = f"{WORKER_GONE}, {{seconds:.1f}} s after it was given the lease"
"""The same, when the end of the request shows the time."""


class Reaper:
    """Takes back what nobody works on.

    The scheduler comes with each call: it is another one after channels were changed.

    :param cr: cursor of the leader's connection
    :param deaths: how workers of this server ended; none where there are no processes to end
    :param figures: where jobs are counted that lost their worker
    :param read_soon: called when jobs may be ready, or their channel have room, that did not before
    """

    def __init__(
        self, cr: Any, deaths: Deaths | None, figures: Figures, read_soon: Callable[[], None]
    ) -> None:
        self.due = math.inf
        """When :meth:`visit` is to be called, in seconds of a clock that never goes back."""
        self._cr = cr
        self._deaths = deaths
        self._figures = figures
        self._read_soon = read_soon
        self._orphans: dict[int, JobRef] = {}
        """By number of their lease: jobs that run, but not in a request of ours."""
        self._strays: dict[int, JobRef] = {}
        """Jobs that were given to a worker and not started, and whose row somebody holds."""

    @property
    def has_strays(self) -> bool:
        """Whether a job is to be taken back as soon as its row is free."""
        return bool(self._strays)

    def reap(self, jobs: Iterable[JobRef], reason: str, scheduler: Scheduler) -> bool:
        """Take back jobs whose worker is gone; adopt those that a worker still holds.

        :param reason: what the screen says of those that had been started
        :return: whether any of them had been started
        """
        jobs = list(jobs)
        taken = self._take_back(jobs, reason)
        left = dispatch.still_running(self._cr, jobs)
        for job in jobs:
            if left.get(job.id):
                self._adopt(job, scheduler)
            elif job.id in left:
                self._strays[job.id] = job
                self._visit_soon()
        self._read_soon()
        return any(left.values()) or any(taken.values())

    def reap_strange(self, scheduler: Scheduler) -> None:
        """Take back, or adopt, jobs that run in no lease that is known here."""
        known = {job.id for lease in scheduler.leases.values() for job in lease.jobs}
        known.update(self._strays)
        strange = [job for job in dispatch.read_running(self._cr) if job.id not in known]
        if strange:
            self.reap(strange, WORKER_GONE, scheduler)

    def visit(self, scheduler: Scheduler) -> list[JobRef]:
        """Take back the orphans whose worker is gone, and forget those that have ended.

        :return: the orphans that run no longer
        """
        strays, self._strays = self._strays, {}
        self.due = math.inf
        if strays:
            self.reap(strays.values(), WORKER_GONE, scheduler)
        if not self._orphans:
            return []
        orphans = list(self._orphans.values())
        self._take_back(orphans, WORKER_GONE)
        ended = self._forget_ended(dispatch.still_running(self._cr, orphans), scheduler)
        if self._orphans:
            self._visit_soon()
        return ended

    def _forget_ended(self, left: Mapping[int, bool], scheduler: Scheduler) -> list[JobRef]:
        """Close the leases of the orphans that are not among those that are left."""
        ended = {n: job for n, job in self._orphans.items() if job.id not in left}
        for number in ended:
            del self._orphans[number]
            scheduler.close(number)
            self._read_soon()
        return list(ended.values())

    def _take_back(self, jobs: list[JobRef], reason: str) -> dict[int, bool]:
        """Take back those of the jobs whose worker is gone, and count those that had been started.

        :return: by id of each job taken back, whether it had been
        """
        ids, deaths = [job.id for job in jobs], self._known_deaths()
        taken = dispatch.reap(self._cr, ids, reason, deaths, settings().lost_limit)
        for job in jobs:
            if taken.get(job.id):
                _logger.warning("job %s lost its worker", job.id, extra=_log_fields(job))
                self._figures.count(job, Report(job.id, Outcome.LOST, 0.0))
        return taken

    def _known_deaths(self) -> Mapping[int, str]:
        return self._deaths.known() if self._deaths else {}

    def _adopt(self, job: JobRef, scheduler: Scheduler) -> None:
        """Count a job that runs without a request of ours until it has ended."""
        self._orphans[scheduler.adopt(job, time.monotonic()).number] = job
        self._visit_soon()

    def _visit_soon(self) -> None:
        # Not put off by what comes later: that may go on and on.
        self.due = min(self.due, time.monotonic() + ORPHAN_SECONDS)


def _log_fields(job: JobRef) -> dict[str, Any]:
    """Return what a line of the log says of a job beside its text."""
    return {
        "job_id": job.id,
        "job_function": job.function,
        "job_channel": job.channel,
        "job_attempt": job.attempt,
    }
