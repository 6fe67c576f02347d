"""What the runner that leads a database does: read, decide, open leases, learn how they ended.

One thread, one connection. Nothing here is needed after a crash: a new leader reads the table,
takes back what nobody works on, and goes on.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.channels import ChannelConfig, override
from ..core.leases import JobRef, Lease
from ..core.publishing import Publishing
from ..core.report import Outcome, Report
from ..core.scheduler import Scheduler
from ..storage import board, dependency, dispatch, nodes, overrides
from .contact import GREETING, PUBLISHING, Contact
from .dependents import Dependents
from .dispatch import Answer
from .figures import Figures
from .fleet import Fleet
from .flights import Flights
from .means import Means
from .reading import Reading
from .reaper import WORKER_KILLED, Reaper
from .waker import Waker

_logger = logging.getLogger(__name__)

POLL_SECONDS = 60.0
"""How often the table is read although nothing was heard: a notification can get lost with a
connection that nobody saw break."""

NO_CONNECTION = "The worker lost its connection to PostgreSQL"
"""What is said of a job, and of a server, when that is all that came back."""


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
        self._link = place.link
        self._node = place.node
        self._waker = place.waker
        self._flights = place.flights
        self._answers = self._flights.answers
        self._slots = means.slots
        self._cr = place.link.cursor()
        dispatch.prepare(self._cr)
        self._contact = Contact(self._cr, place.database, fleet, means, self._hear_answer)
        self._reading = Reading(self._cr, channels)
        self._figures = Figures(self._cr)
        self._reaper = Reaper(self._cr, means.deaths, self._figures, self._reading.read_soon)
        self._dependents = Dependents(self._cr, self._reading.read_soon)
        self._publishing = Publishing()
        self._configured = channels
        self._scheduler = Scheduler(channels, self._flights.last)
        self._scheduler.inherit(self._flights.leases.values())
        self._closing = False
        """Nothing more is to start; what runs goes on to its end."""
        self._in_line = False
        """A slot is waited for, and whoever frees it wakes this thread."""
        self._poll_at, self._lapse_at = -math.inf, math.inf

    def lead(self, stopping: Callable[[], bool]) -> None:
        """Dispatch until told to stop, then take back what no worker has started.

        :raises psycopg2.Error: when the connection is lost, and with it the lead
        """
        nodes.lead(self._cr, self._node)
        try:
            self._read_nodes()
            self._inherit()
            self._read_overrides()
            self._read_watch()
            while not stopping():
                self._turn(time.monotonic())
                now = time.monotonic()
                if self.is_over(now):
                    break
                self._wait(now)
            self._recall(job for lease in self._leases() for job in lease.jobs)
            self._figures.store()
        finally:
            self._slots.leave(self)

    def wake(self) -> None:
        """Learn from another thread that there is something to do."""
        self._waker.wake()

    def _inherit(self) -> None:
        """Keep of the leases of an earlier leader what is still theirs by the table."""
        for lease in self._leases():
            left = dispatch.still_running(self._cr, lease.jobs)
            gone = [job.id for job in lease.jobs if job.id not in left]
            if gone:
                self._scheduler.recall(lease, gone, time.monotonic())

    # Coming to an end: what a leader may say otherwise that is not there for ever

    def close(self) -> None:
        """Start nothing more, from any thread or signal handler; what runs goes on to its end."""
        self._closing = True
        self.wake()

    def may_start(self) -> bool:
        """Tell, before anything starts, whether it may; the first no is the last word."""
        return True

    def is_over(self, now: float) -> bool:
        """Tell, after each turn, whether to lead no longer."""
        return False

    def is_idle(self, now: float) -> bool:
        """Tell whether neither a job nor time will bring anything."""
        if self._leases() or self._flights.leases or not self._answers.empty():
            return False
        if self._closing or self._reading.on_hold:
            return True
        waits = self._reading.missed or self._reaper.has_strays or self._dependents.are_due
        if waits or self._reading.is_outdated(self._scheduler):
            return False
        return self._scheduler.wake_up(now) == math.inf

    # One turn

    def _turn(self, now: float) -> None:
        """Do whatever there is to do now."""
        self._hear()
        self._take_answers()
        self._look_after(now)
        self._dependents.look_after(now)
        self._reading.pass_time(now)
        for lease in self._scheduler.overdue(now):
            self._relieve(lease)
        self._contact.greet(now)
        self.servers = self._contact.usable(now)
        if not self.servers:
            self._stand_in_line(False)
        elif self._scheduler.is_full():
            self._stand_in_line(False)
            self._make_way(now)
        else:
            self._dispatch(now)

    def _look_after(self, now: float) -> None:
        """Do what there is a time for."""
        if now >= self._poll_at:
            self._poll(now)
        if now >= self._reaper.due:
            self._dependents.note_ended(self._reaper.visit(self._scheduler))
        if now >= self._lapse_at:
            self._read_overrides()
        self._figures.keep(now)
        if self.servers and now >= self._publishing.due(now):
            self._publish(now)

    def _hear(self) -> None:
        """Note that something became ready; how much was notified does not matter."""
        self._link.poll()
        if self._link.notifies:
            told = {notice.payload for notice in self._link.notifies}
            self._link.notifies.clear()
            self._dependents.note(dependency.NOTICE in told)
            if nodes.NOTICE in told:
                self._read_nodes()
            if overrides.NOTICE in told:
                self._read_overrides()
            if board.NOTICE in told:
                self._read_watch()
            self._reading.hear()
            self._publishing.note()

    def _poll(self, now: float) -> None:
        """Compare the table with what is known: nothing may be stuck without anybody's care."""
        sight = dispatch.look(self._cr, self._node)
        if sight.running:
            self._reaper.reap_strange(self._scheduler)
        if sight.pending:
            self._reading.note()
        self._dependents.note(sight.waiting)
        self._poll_at = now + POLL_SECONDS * random.uniform(0.9, 1.1)

    # What starts

    def _dispatch(self, now: float) -> None:
        """Open as many leases as there are slots and jobs for."""
        if self._closing or not self.may_start():
            self._close_down()
            return
        if not self._slots.has_room(self):
            self._stand_in_line(self._wants_slots())
            self._make_way(now)
            return
        # Before any slot is taken: a database that is slow to answer must not keep them.
        self._reading.refresh(now, self._scheduler)
        taken = self._slots.take(self)
        leases = list(self._scheduler.decide(now, len(taken)))
        self._in_line = len(leases) == len(taken) and self._wants_slots()
        self._slots.settle(self, taken[len(leases) :], more=self._in_line)
        self._open(leases, taken)

    def _close_down(self) -> None:
        """Take the jobs back that no worker has started, but for the first of each lease."""
        self._closing = True
        self._stand_in_line(False)
        for lease in self._leases():
            if lease.has_waiting:
                self._relieve(lease)

    def _make_way(self, now: float) -> None:
        """Let a lease end after its current job when something more urgent has been heard of."""
        if not self._reading.read_urgent(now, self._scheduler):
            return
        lease = self._scheduler.giving_way(now)
        if lease:
            taken = set(dispatch.recall(self._cr, lease.jobs[1:]))
            self._scheduler.recall(lease, taken, now)
            self._scheduler.add(job for job in lease.jobs if job.id in taken)
            self._reading.keep_urgent(now)

    def _wants_slots(self) -> bool:
        """Tell whether a further lease might open if there were a slot for it."""
        wanted = self._reading.is_outdated(self._scheduler) or self._scheduler.has_ready()
        return wanted and not self._scheduler.is_full()

    def _stand_in_line(self, wanted: bool) -> None:
        """Wait for a slot, or wait no longer."""
        if wanted != self._in_line:
            self._in_line = wanted
            self._slots.settle(self, (), more=wanted)

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
            missed = (job for number, job in jobs.items() if number not in attempts)
            self._reading.miss(missed, self._scheduler)
        finally:
            for server in unsent.values():
                self._slots.give_back(server)

    def _send(self, lease: Lease, server: str) -> None:
        self._flights.depart(lease, server)
        self._contact.send(lease, server)

    # Answers

    def _hear_answer(self, answer: Answer) -> None:
        """Take an answer, in the thread of its slot."""
        self._answers.put(answer)
        self._waker.wake()

    def _take_answers(self) -> None:
        while not self._answers.empty():
            answer = self._answers.get()
            if answer.lease == GREETING:
                self._take_greeting(answer)
                continue
            if answer.lease == PUBLISHING:
                self._publishing.answered(time.monotonic(), told=answer.reports is not None)
                continue
            self._publishing.note()
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

    def _take_greeting(self, answer: Answer) -> None:
        if answer.reports is None:
            _logger.warning("no lease for %s: %s", answer.server, answer.problem)
            self._doubt(answer.server, answer.problem)
        else:
            self._contact.trust(answer.server)

    def _take_reports(self, lease: Lease, reports: list[Report]) -> None:
        """Learn from the outcomes of a lease; what was not started is ready again."""
        done = [report.id for report in reports if report.outcome is Outcome.DONE]
        self._dependents.release(lease.jobs, done)
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
            if report.outcome is not Outcome.LOST:
                # Counted when it is taken back: most that lose their worker tell of nothing.
                self._figures.count(job, report)
            if report.outcome is not Outcome.DONE:
                self._reading.read_soon()
        if jobs:
            taken = self._recall(jobs.values())
            lost += [job for number, job in jobs.items() if number not in taken]
        if lost:
            self._dependents.note_ended(lost)
            self._reaper.reap(lost, NO_CONNECTION, self._scheduler)

    def _take_loss(self, lease: Lease, answer: Answer) -> None:
        """Look at once after the jobs of a lease that was not answered."""
        _logger.warning("lease of %s job(s) not answered: %s", len(lease.jobs), answer.problem)
        seconds = time.monotonic() - lease.opened
        self._figures.count_ended(lease.jobs)
        # Some of them may have been done.
        self._dependents.note_ended(lease.jobs)
        reason = WORKER_KILLED.format(seconds=seconds)
        if not self._reaper.reap(lease.jobs, reason, self._scheduler):
            self._doubt(answer.server, answer.problem)

    def _judge(self, server: str, reports: list[Report]) -> None:
        """Learn from reports whether a server can run jobs."""
        outcomes = {report.outcome for report in reports}
        if outcomes == {Outcome.LOST}:
            # Whatever ails that worker, it should not be asked again and again at once.
            self._doubt(server, NO_CONNECTION)
        elif outcomes - {Outcome.LOST, Outcome.TAKEN}:
            self._contact.approve(server)

    def _doubt(self, server: str, problem: str) -> None:
        self._contact.doubt(server, problem)
        self._read_nodes()

    # What others have changed

    def _read_nodes(self) -> None:
        """Learn which servers there are; what one that is gone has not started is ready again."""
        gone = self._contact.read(self._node, self)
        servers = self._flights.servers
        left = [lease for lease in self._leases() if servers.get(lease.number) in gone]
        for lease in left:
            self._take_out(lease, lease.jobs)

    def _read_overrides(self) -> None:
        """Put in force what operators have set for channels; what runs goes on."""
        found = overrides.read_overrides(self._cr)
        channels = override(self._configured, found.by_name)
        self._reading.configure(channels)
        self._scheduler = self._scheduler.reconfigured(channels)
        self._lapse_at = math.inf if found.lapse is None else time.monotonic() + found.lapse
        nodes.tell_revision(self._cr, self._node, found.revision)
        self._reading.read_soon()

    # Dashboards

    def _read_watch(self) -> None:
        """Learn for how long to come somebody looks at a dashboard."""
        self._publishing.watch(time.monotonic(), board.read_watch(self._cr))

    def _publish(self, now: float) -> None:
        """Ask the nearest server to tell dashboards what is new; nobody waits for it."""
        self._publishing.sent(now)
        self._contact.publish(self.servers[0])

    # Taking leases back

    def _relieve(self, lease: Lease) -> None:
        """Take the waiting jobs out of a lease whose first ones last longer than was expected.

        The first stays: when workers are so busy that a request has to wait for long, each one that
        is taken up still runs a job.
        """
        self._take_out(lease, lease.jobs[1:])

    def _take_out(self, lease: Lease, jobs: Iterable[JobRef]) -> None:
        """Take those of the jobs out of a lease that no worker has started."""
        self._scheduler.recall(lease, self._recall(jobs), time.monotonic())

    def _recall(self, jobs: Iterable[JobRef]) -> list[int]:
        """Make jobs ready again that no worker has started; return their ids."""
        taken = dispatch.recall(self._cr, jobs)
        if taken:
            self._reading.read_soon()
        return taken

    def _leases(self) -> list[Lease]:
        return list(self._scheduler.leases.values())

    # Waiting

    def _wait(self, now: float) -> None:
        """Sleep until something arrives or time allows something."""
        if self._link.notifies or not self._answers.empty():
            return
        times = [self._poll_at, self._lapse_at]
        times += [self._reading.due, self._reaper.due, self._dependents.due, self._figures.due]
        times += [self._scheduler.wake_up(now), self._contact.next_change(now)]
        if self.servers:
            times.append(self._publishing.due(now))
        if self.servers and not self._closing:
            blocked = self._in_line or self._scheduler.is_full()
            times.append(self._reading.next_look(self._scheduler, blocked=blocked))
        if self._in_line:
            times.append(self._slots.lapse(self))
        self._waker.wait(min(times) - now, self._link)
