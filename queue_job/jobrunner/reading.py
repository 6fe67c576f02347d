"""When a leader reads which jobs are ready: as often as something may have changed, and no more.

Reading costs more than starting a job. What was read goes into the windows of the scheduler, which
decides.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.channels import ChannelConfig
from ..core.hold import HOLD_REASONS, Hold
from ..core.leases import JobRef
from ..core.scheduler import Place, Scheduler
from ..storage import dispatch, home

_logger = logging.getLogger(__name__)

READ_SHARE = 10
"""Reading the window may take one part in so many of the runner's time."""

MISSED_SECONDS = 0.5
"""Pause before asking again for jobs that somebody else holds a lock on."""

HOLD_SECONDS = 1.0
"""How often to look whether what holds the whole database is over."""

WAY_SECONDS = 0.025
"""Least time between two leases that give way: taking jobs back costs as much as starting them."""

TELL_SECONDS = 60.0
"""How often the log says that something holds the whole database."""


class Reading:
    """Knows whether the window may not be what the table says, and reads it again.

    The scheduler comes with each call: it is another one after channels were changed.

    :param cr: cursor of the leader's connection
    :param channels: configuration by full name
    """

    def __init__(self, cr: Any, channels: Mapping[str, ChannelConfig]) -> None:
        self.on_hold = False
        """Nothing is to start in the whole database."""
        self.missed: dict[int, tuple[JobRef, float]] = {}
        """Jobs that somebody else holds a lock on, and until when they are left alone."""
        self._cr = cr
        self._home = home.read_home(cr)
        self._stale = False
        """The window may not be what the table says."""
        self._heard = False
        """Something became ready, and may be more urgent than what runs."""
        self._read_at = self._way_at = self._tell_at = -math.inf
        self._eta_at = math.inf
        self.configure(channels)

    @property
    def due(self) -> float:
        """When :meth:`pass_time` has something to note, by a clock that never goes back."""
        return min([self._eta_at, *(until for _job, until in self.missed.values())])

    def configure(self, channels: Mapping[str, ChannelConfig]) -> None:
        """Learn whether there are channels whose order is strict."""
        self._strict = any(config.sequential for config in channels.values())

    def note(self) -> None:
        """Note that the table may have jobs to start."""
        self._stale = True

    def hear(self) -> None:
        """Note that something became ready; it may be urgent."""
        self._stale = self._heard = True

    def read_soon(self) -> None:
        """Read the window before anything else is decided."""
        self._stale, self._read_at = True, -math.inf

    def pass_time(self, now: float) -> None:
        """Note that the time of a job has come, or that one was passed over for long enough."""
        if now >= self._eta_at:
            self._stale, self._eta_at = True, math.inf
        kept = {number: miss for number, miss in self.missed.items() if miss[1] > now}
        self._stale |= len(kept) < len(self.missed)
        self.missed = kept

    def is_outdated(self, scheduler: Scheduler) -> bool:
        """Tell whether the table may have jobs that the window has not."""
        return self._stale or scheduler.is_hungry()

    def next_look(self, scheduler: Scheduler, *, blocked: bool) -> float:
        """Return when to look at the table for what may start; infinity for never.

        :param blocked: no lease can open; who waits in line for a slot is woken for it
        """
        if blocked:
            return self._way_at if self._heard and not self.on_hold else math.inf
        return self._read_at if self.is_outdated(scheduler) else math.inf

    def refresh(self, now: float, scheduler: Scheduler) -> None:
        """Read the window again when it is out of date, but not all the time."""
        if not self.is_outdated(scheduler) or now < self._read_at:
            return
        began = time.monotonic()
        window = dispatch.read_window(self._cr, self._home, self.missed)
        if window.next_eta is not None and window.next_eta <= 0:
            dispatch.promote(self._cr)
            window = dispatch.read_window(self._cr, self._home, self.missed)
        scheduler.fill(window.ready, self._held())
        done = time.monotonic()
        self._stale = self.on_hold = window.hold is not None
        self._heard = False
        self._read_at = done + (HOLD_SECONDS if window.hold else READ_SHARE * (done - began))
        self._eta_at = math.inf if window.next_eta is None else done + max(0, window.next_eta)
        self._tell_of_hold(window.hold, done)

    def read_urgent(self, now: float, scheduler: Scheduler) -> bool:
        """Add to the window what may be more urgent than jobs that wait behind others in a lease.

        :return: whether it is time to give way to that; it is not when nothing was heard of
        """
        if not self._heard or self.on_hold or now < self._way_at:
            return False
        self._heard = False
        self._way_at = now + WAY_SECONDS
        leases = scheduler.leases.values()
        held = [lease.jobs[-1].priority for lease in leases if lease.has_waiting]
        urgent = dispatch.read_heads(self._cr, max(held)) if held else []
        scheduler.add(job for job in urgent if job.id not in self.missed)
        return True

    def keep_urgent(self, now: float) -> None:
        """Leave what was added where it is for the moment: a lease gives way to it."""
        # There may be more of them than one slot can take.
        self._heard = True
        if self._read_at > -math.inf:
            # Reading would keep the urgent one; where it was asked for, order depends on it.
            self._read_at = max(self._read_at, now + WAY_SECONDS)

    def miss(self, jobs: Iterable[JobRef], scheduler: Scheduler) -> None:
        """Pass over jobs for a while that were not to be had: somebody else holds them."""
        missed = {job.id: job for job in jobs}
        if not missed:
            return
        # Where one is held others are, by an operator who changes many: find them all at once.
        missed.update((job.id, job) for job in scheduler.ready())
        free = dispatch.read_free(self._cr, missed)
        until = time.monotonic() + MISSED_SECONDS
        self.missed.update((n, (job, until)) for n, job in missed.items() if n not in free)
        self.read_soon()

    def _held(self) -> dict[str, Place]:
        """Return, by channel, the first place that nothing may pass where order is strict."""
        if not self._strict:
            return {}
        held = dispatch.read_held(self._cr)
        for job, _until in self.missed.values():
            held[job.channel] = min(job.place, held.get(job.channel, job.place))
        return held

    def _tell_of_hold(self, hold: Hold | None, now: float) -> None:
        """Say, once a minute, why nothing runs in the whole database."""
        if hold and now >= self._tell_at:
            _logger.warning("held: %s", HOLD_REASONS[hold])
            self._tell_at = now + TELL_SECONDS
        elif not hold and self._tell_at > 0:
            _logger.info("no longer held")
            self._tell_at = -math.inf
