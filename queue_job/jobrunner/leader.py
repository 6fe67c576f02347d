"""What the runner that leads a database does: read, decide, open leases, learn how they ended.

One thread, one connection. Nothing here is needed after a crash: a new leader reads the table,
takes back what nobody works on, and goes on.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.channels import ChannelConfig, override
from ..core.hold import HOLD_REASONS, Hold
from ..core.leases import JobRef, Lease
from ..core.metrics import Metrics
from ..core.report import Outcome, Report
from ..core.scheduler import Place as JobPlace
from ..core.scheduler import Scheduler
from ..storage import dependency, dispatch, home, metrics, nodes, overrides
from .dispatch import Answer, Order
from .fleet import Fleet
from .flights import Flights
from .means import Means
from .waker import Waker

_logger = logging.getLogger(__name__)

POLL_SECONDS = 60.0
"""How often the table is read although nothing was heard: a notification can get lost with a
connection that nobody saw break."""

READ_SHARE = 10
"""Reading the window may take one part in so many of the runner's time."""

MISSED_SECONDS = 0.5
"""Pause before asking again for jobs that somebody else holds a lock on."""

WAY_SECONDS = 0.025
"""Least time between two leases that give way: taking jobs back costs as much as starting them."""

STORE_SECONDS = 5.0
"""How long counts of what ran are kept in memory; a leader that dies loses them, and no job."""

HOLD_SECONDS = 1.0
"""How often to look whether what holds the whole database is over."""

ORPHAN_SECONDS = 0.25
"""How often to look after jobs that run without a lease of ours."""

WORKER_GONE = "The worker ended before the job did"
"""What the screen says of a job that was taken back."""

WORKER_KILLED = f"{WORKER_GONE}, {{seconds:.1f}} s after it was given the lease"
"""The same, when the end of the request shows the time."""

NO_CONNECTION = "The worker lost its connection to PostgreSQL"
"""What is said of a job, and of a server, when that is all that came back."""

GREETING = 0
"""Number of the lease without jobs that asks a server whether it would take any."""


@dataclass(frozen=True)
class Place:
    """Where a leader leads.

    :param database: name of the database
    :param link: connection that holds the lock and listens
    :param node: number by which this runner announced its server
    :param waker: what the leader's thread waits on
    :param flights: leases that are out, an earlier leader's among them
    """

    database: str
    link: Any
    node: int
    waker: Waker
    flights: Flights


class Leader:
    """Dispatches the jobs of one database while it holds the leader's lock.

    :param place: database and connection
    :param channels: configuration by full name
    :param fleet: servers that take leases
    :param means: slots and senders, shared with other databases
    """

    def __init__(
        self, place: Place, channels: Mapping[str, ChannelConfig], fleet: Fleet, means: Means
    ) -> None:
        self.servers: tuple[str, ...] = ()
        self._database = place.database
        self._link = place.link
        self._node = place.node
        self._waker = place.waker
        self._fleet = fleet
        self._slots = means.slots
        self._dispatcher = means.dispatcher
        self._deaths = means.deaths
        self._cr = place.link.cursor()
        dispatch.prepare(self._cr)
        self._secret = dispatch.read_secret(self._cr)
        self._home = home.read_home(self._cr)
        self._flights = place.flights
        self._configured = channels
        self._scheduler = Scheduler(channels, self._flights.last)
        self._scheduler.inherit(self._flights.leases.values())
        self._strict = any(config.sequential for config in channels.values())
        self._answers = self._flights.answers
        self._orphans: dict[int, JobRef] = {}
        """By number of their lease: jobs that run, but not in a request of ours."""
        self._strays: dict[int, JobRef] = {}
        """Jobs that were given to a worker and not started, and whose row somebody holds."""
        self._stale = False
        """The window may not be what the table says."""
        self._on_hold = False
        """Nothing is to start in the whole database."""
        self._heard = False
        """Something became ready, and may be more urgent than what runs."""
        self._in_line = False
        """A slot is waited for, and whoever frees it wakes this thread."""
        self._missed: dict[int, tuple[JobRef, float]] = {}
        """Jobs that somebody else holds a lock on, and until when they are left alone."""
        self._sweep = False
        """Jobs may wait for others that are done."""
        self._read_at = self._poll_at = self._tell_at = -math.inf
        self._way_at = -math.inf
        self._eta_at = self._orphans_at = self._lapse_at = self._store_at = math.inf
        self._metrics = Metrics()

    def lead(self, stopping: Callable[[], bool]) -> None:
        """Dispatch until told to stop, then take back what no worker has started.

        :raises psycopg2.Error: when the connection is lost, and with it the lead
        """
        nodes.lead(self._cr, self._node)
        self._read_nodes()
        self._inherit()
        self._read_overrides()
        try:
            while not stopping():
                self._turn(time.monotonic())
                self._wait(time.monotonic())
            self._recall(job for lease in self._leases() for job in lease.jobs)
            self._store_metrics()
        finally:
            self._slots.settle(self, (), more=False)

    def _inherit(self) -> None:
        """Keep of the leases of an earlier leader what is still theirs by the table."""
        for lease in self._leases():
            left = dispatch.still_running(self._cr, lease.jobs)
            gone = [job.id for job in lease.jobs if job.id not in left]
            if gone:
                self._scheduler.recall(lease, gone)

    def _read_overrides(self) -> None:
        """Put in force what operators have set for channels; what runs goes on."""
        found = overrides.read_overrides(self._cr)
        channels = override(self._configured, found.by_name)
        self._strict = any(config.sequential for config in channels.values())
        self._scheduler = self._scheduler.reconfigured(channels)
        self._lapse_at = math.inf if found.lapse is None else time.monotonic() + found.lapse
        nodes.tell_revision(self._cr, self._node, found.revision)
        self._read_soon()

    def wake(self) -> None:
        """Learn from another thread that there is something to do."""
        self._waker.wake()

    # One turn

    def _turn(self, now: float) -> None:
        """Do whatever there is to do now."""
        self._hear()
        self._take_answers()
        if now >= self._poll_at:
            self._poll(now)
        if now >= self._orphans_at:
            self._visit_orphans()
        if now >= self._lapse_at:
            self._read_overrides()
        if now >= self._store_at:
            self._store_metrics()
        if self._sweep:
            self._sweep = False
            dependency.sweep(self._cr)
        if now >= self._eta_at:
            self._stale, self._eta_at = True, math.inf
        for lease in self._scheduler.overdue(now):
            self._relieve(lease)
        self._forget_missed(now)
        self._greet(now)
        self.servers = self._fleet.usable(now)
        if not self.servers:
            self._stand_in_line(False)
        elif self._scheduler.is_full():
            self._stand_in_line(False)
            self._make_way(now)
        else:
            self._dispatch(now)

    def _hear(self) -> None:
        """Note that something became ready; how much was notified does not matter."""
        self._link.poll()
        if self._link.notifies:
            told = {notice.payload for notice in self._link.notifies}
            self._link.notifies.clear()
            self._sweep |= dependency.NOTICE in told
            if nodes.NOTICE in told:
                self._read_nodes()
            if overrides.NOTICE in told:
                self._read_overrides()
            self._stale = self._heard = True

    def _dispatch(self, now: float) -> None:
        """Open as many leases as there are slots and jobs for."""
        if not self._slots.has_room(self):
            self._stand_in_line(self._wants_slots())
            self._make_way(now)
            return
        # Before any slot is taken: a database that is slow to answer must not keep them.
        self._refresh(now)
        taken = self._slots.take(self)
        leases = list(self._scheduler.decide(now, len(taken)))
        self._in_line = len(leases) == len(taken) and self._wants_slots()
        self._slots.settle(self, taken[len(leases) :], more=self._in_line)
        self._open(leases, taken)

    def _make_way(self, now: float) -> None:
        """Let a lease end after its current job when something more urgent has been heard of."""
        if not self._heard or self._on_hold or now < self._way_at:
            return
        self._heard = False
        self._way_at = now + WAY_SECONDS
        held = [lease.jobs[-1].priority for lease in self._leases() if lease.has_waiting]
        urgent = dispatch.read_heads(self._cr, max(held)) if held else []
        self._scheduler.add(job for job in urgent if job.id not in self._missed)
        lease = self._scheduler.giving_way(now)
        if lease:
            taken = set(dispatch.recall(self._cr, lease.jobs[1:]))
            self._scheduler.recall(lease, taken)
            self._scheduler.add(job for job in lease.jobs if job.id in taken)
            # There may be more of them than one slot can take.
            self._heard = True
            if self._read_at > -math.inf:
                # Reading would keep the urgent one; where it was asked for, order depends on it.
                self._read_at = max(self._read_at, now + WAY_SECONDS)

    def _wants_slots(self) -> bool:
        """Tell whether a further lease might open if there were a slot for it."""
        wanted = self._is_outdated() or self._scheduler.has_ready()
        return wanted and not self._scheduler.is_full()

    def _stand_in_line(self, wanted: bool) -> None:
        """Wait for a slot, or wait no longer."""
        if wanted != self._in_line:
            self._in_line = wanted
            self._slots.settle(self, (), more=wanted)

    def _wants_to_read(self) -> bool:
        """Tell whether reading could open a lease; one who waits in line is woken for it."""
        return self._is_outdated() and not self._in_line and not self._scheduler.is_full()

    def _is_outdated(self) -> bool:
        """Tell whether the table may have jobs that the window has not."""
        return self._stale or self._scheduler.is_hungry()

    def _refresh(self, now: float) -> None:
        """Read the window again when it is out of date, but not all the time."""
        if not self._is_outdated() or now < self._read_at:
            return
        began = time.monotonic()
        window = dispatch.read_window(self._cr, self._home, self._missed)
        if window.next_eta is not None and window.next_eta <= 0:
            dispatch.promote(self._cr)
            window = dispatch.read_window(self._cr, self._home, self._missed)
        self._scheduler.fill(window.ready, self._held())
        done = time.monotonic()
        self._stale = self._on_hold = window.hold is not None
        self._heard = False
        self._read_at = done + (HOLD_SECONDS if window.hold else READ_SHARE * (done - began))
        self._eta_at = math.inf if window.next_eta is None else done + max(0, window.next_eta)
        self._tell_of_hold(window.hold, done)

    def _held(self) -> dict[str, JobPlace]:
        """Return, by channel, the first place that nothing may pass where order is strict."""
        if not self._strict:
            return {}
        held = dispatch.read_held(self._cr)
        for job, _until in self._missed.values():
            held[job.channel] = min(job.place, held.get(job.channel, job.place))
        return held

    def _tell_of_hold(self, hold: Hold | None, now: float) -> None:
        """Say, once a minute, why nothing runs in the whole database."""
        if hold and now >= self._tell_at:
            _logger.warning("held: %s", HOLD_REASONS[hold])
            self._tell_at = now + POLL_SECONDS
        elif not hold and self._tell_at > 0:
            _logger.info("no longer held")
            self._tell_at = -math.inf

    def _open(self, leases: list[Lease], places: list[str]) -> None:
        """Mark the jobs of leases as enqueued and send them, each to its place."""
        unsent = dict(zip((lease.number for lease in leases), places, strict=False))
        try:
            jobs = {job.id: job for lease in leases for job in lease.jobs}
            attempts = dispatch.enqueue(self._cr, list(jobs)) if jobs else {}
            for lease in leases:
                kept = self._scheduler.confirm(lease, attempts)
                if kept:
                    self._send(kept, unsent.pop(lease.number))
            self._miss(job for number, job in jobs.items() if number not in attempts)
        finally:
            for server in unsent.values():
                self._slots.give_back(server)

    def _send(self, lease: Lease, server: str) -> None:
        self._flights.depart(lease, server)
        jobs = tuple((job.id, job.attempt) for job in lease.jobs)
        self._dispatcher.send(self._order(server, lease.number, jobs, self._answered))

    def _order(
        self,
        server: str,
        number: int,
        jobs: tuple[tuple[int, int], ...],
        done: Callable[[Answer], None],
    ) -> Order:
        return Order(self._database, self._secret, server, number, jobs, done)

    def _miss(self, jobs: Iterable[JobRef]) -> None:
        """Pass over jobs for a while that were not to be had: somebody else holds them."""
        missed = {job.id: job for job in jobs}
        if not missed:
            return
        # Where one is held others are, by an operator who changes many: find them all at once.
        missed.update((job.id, job) for job in self._scheduler.ready())
        free = dispatch.read_free(self._cr, missed)
        until = time.monotonic() + MISSED_SECONDS
        self._missed.update((n, (job, until)) for n, job in missed.items() if n not in free)
        self._read_soon()

    def _forget_missed(self, now: float) -> None:
        """Read again what was passed over for long enough."""
        kept = {number: miss for number, miss in self._missed.items() if miss[1] > now}
        self._stale |= len(kept) < len(self._missed)
        self._missed = kept

    # Servers

    def _read_nodes(self) -> None:
        """Learn which servers there are; what one that is gone has not started is ready again."""
        gone = self._fleet.update(nodes.read_nodes(self._cr), self._node)
        total = 0
        for server, count in self._fleet.slots().items():
            total = self._slots.resize(server, count)
        self._dispatcher.grow(total + len(self._fleet.slots()))
        servers = self._flights.servers
        left = [lease for lease in self._leases() if servers.get(lease.number) in gone]
        for lease in left:
            self._scheduler.recall(lease, self._recall(lease.jobs))

    def _greet(self, now: float) -> None:
        """Ask servers that are new, or were in trouble, whether they would take leases."""
        for server in self._fleet.to_greet(now):
            self._dispatcher.send(self._order(server, GREETING, (), self._greeted))

    def _greeted(self, answer: Answer) -> None:
        """Take the answer to a greeting, in the thread of its slot."""
        self._answers.put(answer)
        self._waker.wake()

    def _take_greeting(self, answer: Answer) -> None:
        if answer.reports is None:
            _logger.warning("no lease for %s: %s", answer.server, answer.problem)
            self._doubt(answer.server, answer.problem)
        else:
            self._fleet.greeted(answer.server)
            nodes.tell_trouble(self._cr, self._fleet.nodes_at(answer.server), None)

    def _doubt(self, server: str, problem: str) -> None:
        """Send nothing to a server for a while, longer from time to time, until jobs ran there."""
        self._fleet.failed(server, time.monotonic())
        nodes.tell_trouble(self._cr, self._fleet.nodes_at(server), problem)
        # Signed with another secret than the database has by now, perhaps.
        self._secret = dispatch.read_secret(self._cr)
        self._read_nodes()

    # Answers

    def _answered(self, answer: Answer) -> None:
        """Take an answer, in the thread of its slot."""
        self._slots.give_back(answer.server)
        self._greeted(answer)

    def _take_answers(self) -> None:
        while not self._answers.empty():
            answer = self._answers.get()
            if answer.lease == GREETING:
                self._take_greeting(answer)
                continue
            self._flights.land(answer.lease)
            lease = self._scheduler.leases.get(answer.lease)
            if lease is None:
                continue
            self._scheduler.close(lease.number)
            if answer.reports is None:
                self._take_loss(lease, answer)
            else:
                self._take_reports(lease, answer.reports)
                self._judge(answer.server, answer.reports)

    def _judge(self, server: str, reports: list[Report]) -> None:
        """Learn from reports whether a server can run jobs."""
        outcomes = {report.outcome for report in reports}
        if outcomes == {Outcome.LOST}:
            # Whatever ails that worker, it should not be asked again and again at once.
            self._doubt(server, NO_CONNECTION)
        elif outcomes - {Outcome.LOST, Outcome.TAKEN}:
            self._fleet.answered(server)

    def _take_reports(self, lease: Lease, reports: list[Report]) -> None:
        """Learn from the outcomes of a lease; what was not started is ready again."""
        self._release(lease, reports)
        jobs = {job.id: job for job in lease.jobs}
        lost = []
        for report in reports:
            job = jobs.pop(report.id, None)
            if job is None:
                continue
            if report.outcome in (Outcome.LOST, Outcome.TAKEN):
                lost.append(job)
            else:
                self._scheduler.durations.observe(job.function, report.seconds)
            self._count(job, report)
            if report.outcome is not Outcome.DONE:
                self._read_soon()
        if jobs:
            taken = self._recall(jobs.values())
            lost += [job for number, job in jobs.items() if number not in taken]
        if lost:
            self._reap(lost, NO_CONNECTION)

    def _count(self, job: JobRef, report: Report) -> None:
        """Count a report; the sums are stored now and then."""
        key = (int(time.time() // 60), job.channel, job.function)
        self._metrics.observe(key, report.outcome, seconds=report.seconds, wait=report.wait)
        self._store_at = min(self._store_at, time.monotonic() + STORE_SECONDS)

    def _store_metrics(self) -> None:
        self._store_at = math.inf
        if self._metrics:
            metrics.add(self._cr, self._metrics.take())

    def _release(self, lease: Lease, reports: list[Report]) -> None:
        """Let the jobs go that waited for those of a lease that are done."""
        linked = {job.id for job in lease.jobs if job.linked}
        done = [report.id for report in reports if report.outcome is Outcome.DONE]
        parents = linked.intersection(done)
        if parents and dependency.release(self._cr, parents):
            self._read_soon()

    def _take_loss(self, lease: Lease, answer: Answer) -> None:
        """Look at once after the jobs of a lease that was not answered."""
        _logger.warning("lease of %s job(s) not answered: %s", len(lease.jobs), answer.problem)
        seconds = time.monotonic() - lease.opened
        if not self._reap(lease.jobs, WORKER_KILLED.format(seconds=seconds)):
            self._doubt(answer.server, answer.problem)

    # Taking back

    def _reap(self, jobs: Iterable[JobRef], reason: str) -> bool:
        """Take back jobs whose worker is gone; adopt those that a worker still holds.

        :return: whether any of them had been started
        """
        jobs = list(jobs)
        taken = dispatch.reap(self._cr, [job.id for job in jobs], reason, self._known_deaths())
        for number, started in taken.items():
            if started:
                _logger.warning("job %s lost its worker", number)
        left = dispatch.still_running(self._cr, jobs)
        for job in jobs:
            if left.get(job.id):
                self._adopt(job)
            elif job.id in left:
                self._strays[job.id] = job
                self._visit_soon()
        self._read_soon()
        return any(left.values()) or any(taken.values())

    def _known_deaths(self) -> Mapping[int, str]:
        return self._deaths.known() if self._deaths else {}

    def _adopt(self, job: JobRef) -> None:
        """Count a job that runs without a request of ours until it has ended."""
        self._orphans[self._scheduler.adopt(job, time.monotonic()).number] = job
        self._visit_soon()

    def _visit_soon(self) -> None:
        self._orphans_at = time.monotonic() + ORPHAN_SECONDS

    def _visit_orphans(self) -> None:
        """Take back the orphans whose worker is gone, and forget those that have ended."""
        strays, self._strays = self._strays, {}
        self._orphans_at = math.inf
        if strays:
            self._reap(strays.values(), WORKER_GONE)
        known = list(self._orphans.items())
        if not known:
            return
        ids = [job.id for _n, job in known]
        dispatch.reap(self._cr, ids, WORKER_GONE, self._known_deaths())
        left = dispatch.still_running(self._cr, [job for _n, job in known])
        for number, job in known:
            if job.id not in left:
                del self._orphans[number]
                self._scheduler.close(number)
                self._sweep |= job.linked
                self._read_soon()
        if self._orphans:
            self._visit_soon()

    def _relieve(self, lease: Lease) -> None:
        """Take the waiting jobs out of a lease whose first ones last longer than was expected.

        The first stays: when workers are so busy that a request has to wait for long, each one that
        is taken up still runs a job.
        """
        self._scheduler.recall(lease, self._recall(lease.jobs[1:]))

    def _recall(self, jobs: Iterable[JobRef]) -> list[int]:
        """Make jobs ready again that no worker has started; return their ids."""
        taken = dispatch.recall(self._cr, jobs)
        if taken:
            self._read_soon()
        return taken

    def _poll(self, now: float) -> None:
        """Compare the table with what is known: nothing may be stuck without anybody's care."""
        sight = dispatch.look(self._cr, self._node)
        if sight.running:
            self._reap_strange()
        self._stale |= sight.pending
        self._sweep |= sight.waiting
        self._poll_at = now + POLL_SECONDS * random.uniform(0.9, 1.1)

    def _reap_strange(self) -> None:
        """Take back, or adopt, jobs that run in no lease that is known here."""
        known = {job.id for lease in self._leases() for job in lease.jobs}.union(self._strays)
        strange = [job for job in dispatch.read_running(self._cr) if job.id not in known]
        if strange:
            self._reap(strange, WORKER_GONE)

    def _read_soon(self) -> None:
        """Read the window before anything else is decided."""
        self._stale, self._read_at = True, -math.inf

    def _leases(self) -> list[Lease]:
        return list(self._scheduler.leases.values())

    # Waiting

    def _wait(self, now: float) -> None:
        """Sleep until something arrives or time allows something."""
        if self._link.notifies or not self._answers.empty():
            return
        times = [self._poll_at, self._eta_at, self._orphans_at, self._lapse_at, self._store_at]
        times.append(self._scheduler.wake_up(now))
        times.append(self._fleet.next_change(now))
        if self.servers:
            times += self._next_looks()
        if self._in_line:
            times.append(self._slots.lapse(self))
        times += [until for _job, until in self._missed.values()]
        self._waker.wait(min(times) - now, self._link)

    def _next_looks(self) -> Iterator[float]:
        """Yield when to look at the table again for what may start."""
        if self._wants_to_read():
            yield self._read_at
        blocked = self._in_line or self._scheduler.is_full()
        if self._heard and blocked and not self._on_hold:
            yield self._way_at
