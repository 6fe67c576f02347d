"""Laws of the scheduler, whatever happens: a random tree, random jobs, and everything that can come
between: refills, partial confirmations, ends, losses, recalls, adoptions, operators, time, and new
leaders with other channels.

:class:`Rules` says in the plainest way which job is next; :class:`Runner` plays the table and the
jobrunner and holds the scheduler to it after every step.
"""

import math
from dataclasses import dataclass, field, replace
from unittest import mock

from core import scheduler as scheduler_module
from core.channels import parse_channels
from core.leases import LEASE_JOBS, OVERDUE_SECONDS, JobRef
from core.scheduler import Scheduler
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

WINDOW = 4
"""Small, so that windows are often truncated."""

CONFIGURED = ["a", "a.x", "a.y", "b", "b.z"]
CHANNELS = ["root", *(f"root.{name}" for name in CONFIGURED)]
UNKNOWN = ["root.a.new", "root.a.x.new", "root.b.new.deep", "root.new", "elsewhere"]
FUNCTIONS = ["quick", "quick", "quick", "slow", "unknown"]
BATCHES = st.tuples(
    st.sampled_from(CHANNELS + UNKNOWN),
    st.integers(0, 2),
    st.sampled_from(FUNCTIONS),
    st.sampled_from([1, 2, 5, 9]),
)
"""Channel, priority, function and number of jobs stored at once."""

PENDING, WAITING, LEASED, GONE = "pending", "waiting", "leased", "gone"


@st.composite
def channel_strings(draw):
    """A channel string with every kind of limit; each one leans to one kind."""
    leaning = draw(st.sampled_from(["plain", "sequential", "throttle", "paused"]))

    def limits(name, capacity):
        def has(key):
            return not draw(st.integers(0, 2 if leaning == key else 11))

        entry = f"{name}:1:sequential" if has("sequential") else f"{name}:{capacity}"
        if has("throttle"):
            entry += f":throttle={draw(st.sampled_from([0.25, 0.5, 2.5]))}"
        return entry + (":paused" if name != "root" and has("paused") else "")

    named = draw(st.lists(st.sampled_from(CONFIGURED), unique=True))
    entries = [limits(name, draw(st.integers(1, 3))) for name in named]
    return ",".join([limits("root", draw(st.integers(1, 4))), *entries])


@dataclass
class Held:
    """An open lease as the model remembers it."""

    channel: str
    jobs: list
    opened: float
    recalled: float | None = None

    @property
    def overdue(self):
        """After its time, then each time when twice as much has passed."""
        if len(self.jobs) < 2:
            return math.inf
        last = self.opened if self.recalled is None else self.recalled
        return last + max(OVERDUE_SECONDS, last - self.opened)


@dataclass
class Rules:
    """What the scheduler was told, and which job is next by the letter of the rules."""

    channels: dict
    windows: dict = field(default_factory=dict)
    truncated: set = field(default_factory=set)
    passed_over: set = field(default_factory=set)
    waiting: dict = field(default_factory=dict)
    leases: dict = field(default_factory=dict)
    started: dict = field(default_factory=dict)

    def opens(self, config):
        """Return when the throttle of a channel lets the next job start."""
        return self.started.get(config.name, -math.inf) + config.throttle if config.throttle else 0

    def above(self, channel):
        """Return the configured channels that a job has to pass."""
        return [
            config
            for name, config in self.channels.items()
            if name == "root" or channel == name or channel.startswith(name + ".")
        ]

    def is_below(self, channel, name):
        return self.channels[name] in self.above(channel)

    def leased(self):
        return {job.id for lease in self.leases.values() for job in lease.jobs}

    def running(self, name):
        return sum(self.is_below(lease.channel, name) for lease in self.leases.values())

    def admits(self, config, job, now):
        """Tell whether one channel lets the job start."""
        if config.paused or now < self.opens(config):
            return False
        if config.capacity is not None and self.running(config.name) >= config.capacity:
            return False
        return not config.sequential or not self.is_passed_by(job, config.name)

    def is_passed_by(self, job, name):
        """Tell whether something before the job is still to be run in or below a channel."""
        heads = [(channel, window[0].place) for channel, window in self.windows.items() if window]
        return any(
            self.is_below(channel, name) and place < job.place
            for channel, place in [*heads, *self.waiting.items()]
        )

    def next_job(self, now):
        """Return the job that has to be first in the next lease, if any may start."""
        heads = [window[0] for window in self.windows.values() if window]
        ready = [
            job
            for job in heads
            if all(self.admits(config, job, now) for config in self.above(job.channel))
        ]
        return min(ready, default=None)

    def next_start(self, now):
        """Return when time alone lets a job start."""
        times = {self.opens(config) for config in self.channels.values()}
        return next(
            (time for time in sorted(times) if time > now and self.next_job(time)), math.inf
        )

    def most(self, channel, slots):
        """Return the share of a window that a lease may take."""
        above = self.above(channel)
        if any(config.sequential or config.throttle for config in above):
            return 1
        rooms = [
            config.capacity - self.running(config.name)
            for config in above
            if config.capacity is not None
        ]
        return min(LEASE_JOBS, math.ceil(len(self.windows[channel]) / min([slots, *rooms])))

    def go_back(self, jobs):
        """Note that jobs left a lease: they keep their turn until the next refill."""
        for job in jobs:
            self.waiting[job.channel] = min(job.place, self.waiting.get(job.channel, job.place))

    def open(self, lease, now):
        self.leases[lease.number] = Held(lease.channel, list(lease.jobs), now)
        self.note_start(lease.channel, now)

    def note_start(self, channel, time):
        for config in self.above(channel):
            self.started[config.name] = max(time, self.started.get(config.name, time))


class Runner(RuleBasedStateMachine):
    """A table of jobs and a jobrunner that does everything it is allowed to do."""

    def __init__(self):
        super().__init__()
        patch = mock.patch.object(scheduler_module, "WINDOW", WINDOW)
        patch.start()
        self.stop_patch = patch.stop
        self.rules = None
        self.now = 1000.0
        self.jobs = {}
        self.states = {}
        self.unread = set()
        """Jobs that became ready after the windows were read, of which the runner was told."""
        self.urgency = 0
        self.last_places = {}
        """By sequential channel, the place that was last given away since then."""

    @initialize(text=channel_strings(), stored=st.lists(BATCHES, min_size=2, max_size=6))
    def start(self, text, stored):
        self.text = text
        self.lead(text)
        for batch in stored:
            self.store(*batch)

    def lead(self, text):
        """Begin as every leader does: with an empty memory."""
        channels = parse_channels(text)
        self.rules = Rules(channels)
        self.scheduler = Scheduler(channels)
        self.scheduler.durations.observe("quick", 0.01)
        self.scheduler.durations.observe("slow", 5)
        self.unread.update(job.id for job in self.in_state(PENDING))
        self.last_places = {}

    # The table

    @rule(batch=BATCHES)
    def store_more(self, batch):
        self.store(*batch)

    def store(self, channel, priority, function, count):
        for _job in range(count):
            self.new_job(channel, priority, function, PENDING)

    def new_job(self, channel, priority, function, state):
        number = len(self.jobs) + 1
        self.jobs[number] = JobRef(priority, number, channel, function)
        self.become(state, [number])
        return self.jobs[number]

    def become(self, state, numbers):
        """Change the state of jobs in the table; of what becomes ready the runner is told."""
        self.states.update(dict.fromkeys(numbers, state))
        if state == PENDING:
            self.unread.update(numbers)

    def in_state(self, state):
        return [job for number, job in self.jobs.items() if self.states[number] == state]

    @precondition(lambda self: self.in_state(PENDING))
    @rule(data=st.data())
    def operator_cancels(self, data):
        self.states[data.draw(st.sampled_from(self.in_state(PENDING))).id] = GONE

    @precondition(lambda self: self.in_state(WAITING))
    @rule(data=st.data())
    def retry_comes(self, data):
        self.become(PENDING, [data.draw(st.sampled_from(self.in_state(WAITING))).id])

    # What the scheduler is told

    @rule()
    def fill(self):
        ready, waiting, rules = [], {}, self.rules
        leased = rules.leased()
        rules.windows, rules.truncated, rules.passed_over = {}, set(), set()
        for channel in CHANNELS + UNKNOWN:
            first = sorted(job for job in self.in_state(PENDING) if job.channel == channel)[:WINDOW]
            ready += first
            rules.windows[channel] = [job for job in first if job.id not in leased]
            rules.passed_over.update(job.id for job in first if job.id in leased)
            if len(first) == WINDOW:
                rules.truncated.add(channel)
        for job in sorted(self.in_state(WAITING)):
            waiting.setdefault(job.channel, job.place)
        rules.waiting = waiting
        self.scheduler.fill(reversed(ready), waiting)
        self.unread.clear()
        self.last_places = {}

    @precondition(lambda self: self.in_state(PENDING))
    @rule(data=st.data())
    def hear_of_some(self, data):
        self.hear(data.draw(st.lists(st.sampled_from(self.in_state(PENDING)), max_size=4)))

    def hear(self, heard):
        self.scheduler.add(heard)
        self.unread.difference_update(job.id for job in heard)
        self.last_places = {}
        leased = self.rules.leased()
        for job in heard:
            window = self.rules.windows.setdefault(job.channel, [])
            if job.id in leased:
                self.rules.passed_over.add(job.id)
            elif job not in window:
                window.append(job)
                window.sort()

    @precondition(lambda self: len(self.rules.leases) < 2)
    @rule(channel=st.sampled_from(CHANNELS + UNKNOWN), priority=st.integers(0, 2))
    def adopt(self, channel, priority):
        job = self.new_job(channel, priority, "unknown", LEASED)
        self.take_over(job)

    def take_over(self, job):
        lease = self.scheduler.adopt(job, self.now)
        assert lease.jobs == (job,)
        self.rules.open(lease, self.now)

    @rule(text=st.one_of(st.none(), channel_strings()), data=st.data())
    def another_leads(self, text, data):
        """A new leader, or the same one with other channels: what runs is adopted."""
        running = self.in_state(LEASED)
        started = data.draw(st.sets(st.sampled_from(running))) if running else ()
        self.become(PENDING, [job.id for job in running if job not in started])
        self.text = text or self.text
        self.lead(self.text)
        for job in sorted(started):
            self.take_over(job)

    @rule(text=st.one_of(st.none(), channel_strings()), leads_again=st.booleans())
    def channels_are_edited(self, text, leads_again):
        """What is out stays out: under other channels, or another leader of the same process."""
        rules = self.rules
        known = {} if leads_again else rules.started
        before, durations = self.scheduler, self.scheduler.durations
        self.text = text or self.text
        self.lead(self.text)
        if leads_again:
            self.scheduler = Scheduler(self.rules.channels, last=max(before.leases, default=0))
            self.scheduler.durations = durations
            self.scheduler.inherit(before.leases.values())
        else:
            self.scheduler = before.reconfigured(self.rules.channels)
        self.rules.leases = rules.leases
        self.rules.started.update(
            (name, time) for name, time in known.items() if name in self.rules.channels
        )
        for lease in rules.leases.values():
            self.rules.note_start(lease.channel, lease.opened)
        self.fill()
        self.a_turn(2)

    @precondition(lambda self: self.rules.leases)
    @rule(data=st.data())
    def a_request_breaks(self, data):
        """What a worker still holds goes on without a request; the rest is ready again."""
        number = data.draw(st.sampled_from(sorted(self.rules.leases)))
        jobs = [job for job in self.rules.leases[number].jobs if self.states[job.id] == LEASED]
        held = data.draw(st.sampled_from([None, *jobs]))
        self.become(PENDING, [job.id for job in jobs if job is not held])
        self.end(number, GONE)
        if held:
            self.become(LEASED, [held.id])
            self.take_over(held)

    @precondition(lambda self: self.rules.leases)
    @rule(data=st.data())
    def job_ends_while_its_lease_is_open(self, data):
        lease = self.rules.leases[data.draw(st.sampled_from(sorted(self.rules.leases)))]
        number = data.draw(st.sampled_from([job.id for job in lease.jobs]))
        self.become(data.draw(st.sampled_from([PENDING, WAITING, GONE])), [number])

    @precondition(lambda self: self.rules.leases)
    @rule(data=st.data(), again=st.booleans())
    def close(self, data, again):
        outcome = data.draw(st.sampled_from([GONE, PENDING, WAITING]))
        for number in data.draw(st.sets(st.sampled_from(sorted(self.rules.leases)), min_size=1)):
            self.end(number, outcome)
            if again:
                self.scheduler.close(number)

    def end(self, number, outcome):
        jobs = self.rules.leases.pop(number).jobs
        self.become(outcome, [job.id for job in jobs if self.states[job.id] == LEASED])
        self.scheduler.close(number)

    @precondition(lambda self: self.rules.leases)
    @rule(data=st.data(), overdue_only=st.booleans())
    def recall(self, data, overdue_only):
        leases = self.scheduler.leases.values()
        if overdue_only:
            leases = self.scheduler.overdue(self.now)
        for lease in list(leases)[:1]:
            self.take_out(lease, data.draw(st.integers(0, len(lease.jobs))))

    def take_out(self, lease, started):
        """Take back what is behind the started jobs of a lease; return it."""
        taken = [job for job in lease.jobs[started:] if self.states[job.id] == LEASED]
        left = self.scheduler.recall(lease, [job.id for job in taken], self.now)
        kept = [job for job in lease.jobs if job not in taken]
        assert (list(left.jobs) if left else []) == kept
        self.become(PENDING, [job.id for job in taken])
        self.keep(lease, kept, recalled=self.now)
        return taken

    @rule(backlog=BATCHES, urgent=BATCHES, data=st.data())
    def something_urgent_comes(self, backlog, urgent, data):
        """More urgent than all that is there: first some, and when they run, others."""
        self.urgency -= 2
        self.store(backlog[0], self.urgency + 1, backlog[2], backlog[3])
        self.fill()
        self.a_turn(1)
        self.store(urgent[0], self.urgency, urgent[2], urgent[3])
        self.make_way(data)

    def make_way(self, data):
        """Hear of what is urgent, and let a lease give way to it."""
        held = [lease.jobs[-1].priority for lease in self.scheduler.leases.values()]
        self.hear([job for job in self.in_state(PENDING) if job.priority < max(held, default=0)])
        lease = self.scheduler.giving_way(self.now)
        if lease:
            self.hear(self.take_out(lease, data.draw(st.integers(1, len(lease.jobs)))))

    def keep(self, lease, jobs, recalled=None):
        self.rules.go_back(job for job in lease.jobs if job not in jobs)
        if jobs:
            self.rules.leases[lease.number].jobs = jobs
            held = self.rules.leases[lease.number]
            held.recalled = held.recalled if recalled is None else recalled
        else:
            del self.rules.leases[lease.number]

    @rule(
        quarters=st.integers(0, 12),
        function=st.sampled_from(FUNCTIONS),
        seconds=st.sampled_from([0, 0.01, 0.01, 0.01, 0.01, 0.1, 1]),
    )
    def time_passes(self, quarters, function, seconds):
        self.now += quarters / 4
        self.scheduler.durations.observe(function, seconds)

    @rule()
    def the_machine_was_asleep(self):
        self.now += 3600

    @precondition(lambda self: self.rules.next_job(self.now) is None)
    @rule(part=st.sampled_from([0.01, 0.5, 0.99]), slots=st.integers(1, 5))
    def sleep_until_woken(self, part, slots):
        """Nothing may start before the time that was promised, and at that time something may."""
        wake_up = self.scheduler.wake_up(self.now)
        if wake_up == math.inf:
            assert next(self.scheduler.decide(self.now + 1e6, slots), None) is None
        elif wake_up > self.now:
            between = self.now + part * (wake_up - self.now)
            if between < wake_up:
                assert next(self.scheduler.decide(between, slots), None) is None
                assert self.scheduler.overdue(between) == []
            self.now = wake_up
            assert self.scheduler.overdue(wake_up) or self.rules.next_job(wake_up)
            self.a_turn(slots)

    # What the scheduler decides

    @rule(
        ended=st.sampled_from([None, GONE, PENDING, WAITING]),
        quarters=st.integers(0, 4),
        slots=st.integers(1, 5),
    )
    def a_turn_without_trouble(self, ended, quarters, slots):
        for number in list(self.rules.leases) if ended else ():
            self.end(number, ended)
        self.now += quarters / 4
        self.fill()
        self.a_turn(slots)

    def a_turn(self, slots):
        """Open what may open; of what was ready, all is still there to be had."""
        for lease in self.decided(slots):
            there = [job.id for job in lease.jobs if self.states[job.id] == PENDING]
            self.confirm(lease, there)

    @rule(slots=st.integers(0, 5), data=st.data())
    def a_turn_against_operators(self, slots, data):
        for lease in self.decided(slots):
            there = [job.id for job in lease.jobs if self.states[job.id] == PENDING]
            given = data.draw(st.sets(st.sampled_from(there))) if there else ()
            self.confirm(lease, [number for number in there if number in given])

    def decided(self, slots):
        """Yield the decided leases, each one held against the rules."""
        decided = self.scheduler.decide(self.now, slots)
        for left in range(slots, 0, -1):
            expected = self.rules.next_job(self.now)
            lease = next(decided, None)
            if lease is None:
                assert expected is None, f"{expected} was forgotten"
                return
            self.check(lease, expected, left)
            yield lease
        assert next(decided, None) is None, "more leases than slots"

    def check(self, lease, expected, slots):
        """Hold a new lease against the rules: whose turn, which jobs, how many, no limit passed."""
        assert lease.jobs[0] == expected, "not the turn of this job"
        window = self.rules.windows[lease.channel]
        assert list(lease.jobs) == window[: len(lease.jobs)], "not the order of the channel"
        assert {job.channel for job in lease.jobs} == {lease.channel}
        assert len({job.priority for job in lease.jobs}) == 1, "slowed down by what it passes"
        assert len(lease.jobs) <= self.rules.most(lease.channel, slots)
        assert lease.number not in self.rules.leases
        del window[: len(lease.jobs)]
        self.rules.open(lease, self.now)
        for config in self.rules.above(lease.channel):
            running = self.rules.running(config.name)
            assert not config.paused
            assert config.capacity is None or running <= config.capacity
            if config.sequential:
                assert running == 1 == len(lease.jobs)
                assert lease.jobs[0].place > self.last_places.get(config.name, (-math.inf, 0))
                self.last_places[config.name] = lease.jobs[0].place

    def confirm(self, lease, given):
        """Let the table give some jobs of a lease."""
        kept = self.scheduler.confirm(lease, dict.fromkeys([*given, 10**6], 7))
        jobs = [job for job in lease.jobs if job.id in given]
        assert (list(kept.jobs) if kept else []) == jobs
        assert all(job.attempt == 7 for job in (kept.jobs if kept else ()))
        self.become(LEASED, given)
        # The runner reads again what it did not get.
        self.unread.update(job.id for job in lease.jobs if job.id not in given)
        self.keep(lease, jobs)

    # What holds after every step

    @invariant()
    def the_open_leases_are_known(self):
        if self.rules:
            known = {number: list(lease.jobs) for number, lease in self.scheduler.leases.items()}
            assert known == {number: lease.jobs for number, lease in self.rules.leases.items()}

    @invariant()
    def every_job_is_in_one_place(self):
        """Ready or in a lease, and never twice; what is nowhere is going to be read."""
        if not self.rules:
            return
        ready = [job.id for job in self.scheduler.ready()]
        leased = [job.id for lease in self.scheduler.leases.values() for job in lease.jobs]
        assert len({*ready, *leased}) == len(ready) + len(leased), "a job is in two places"
        for job in self.in_state(PENDING):
            known = job.id in ready or job.id in leased or job.id in self.unread
            left = job.channel in self.rules.truncated or self.scheduler.is_hungry()
            assert known or left, f"{job} forgotten"

    @invariant()
    def the_shares_sum_up(self):
        """What runs in a channel is what runs below it and in itself."""
        if not self.rules:
            return
        for channel in self.scheduler._channels["root"].subtree():
            own = [
                lease
                for lease in self.rules.leases.values()
                if self.scheduler._channels[lease.channel] is channel
            ]
            assert channel.running == len(own) + sum(below.running for below in channel.children)
            assert all(job.channel == channel.config.name for job in channel.window)
        assert self.scheduler._channels["root"].running == len(self.rules.leases)

    @invariant()
    def overdue_leases_are_told(self):
        if self.rules:
            told = {lease.number for lease in self.scheduler.overdue(self.now)}
            leases = self.rules.leases.items()
            assert told == {number for number, lease in leases if lease.overdue <= self.now}

    @invariant()
    def a_lease_gives_way_to_what_is_more_urgent_and_to_nothing_else(self):
        if not self.rules:
            return
        told = self.scheduler.giving_way(self.now)
        held = {
            n: lease
            for n, lease in self.rules.leases.items()
            if len(lease.jobs) > 1 and lease.recalled is None
        }
        right = {number for number, lease in held.items() if self.is_passed_over(number, lease)}
        assert (told.number in right) if told else not right

    def is_passed_over(self, number, lease):
        """Tell whether something more urgent could start if a lease were not there."""
        others = {n: other for n, other in self.rules.leases.items() if n != number}
        first = replace(self.rules, leases=others).next_job(self.now)
        return first is not None and first.priority < lease.jobs[-1].priority

    @invariant()
    def hunger_is_told_when_reading_would_find_more(self):
        if self.rules:
            low = {name for name, jobs in self.rules.windows.items() if len(jobs) <= WINDOW // 2}
            left = self.rules.passed_over - self.rules.leased()
            assert self.scheduler.is_hungry() == bool(left or low & self.rules.truncated)

    @invariant()
    def the_next_wake_up_is_neither_late_nor_in_vain(self):
        if not self.rules:
            return
        wake_up = self.scheduler.wake_up(self.now)
        overdue = min((lease.overdue for lease in self.rules.leases.values()), default=math.inf)
        assert wake_up > self.now or overdue <= self.now, "the runner would spin"
        assert wake_up <= overdue
        if self.rules.next_job(self.now) is None:
            assert wake_up == min(overdue, self.rules.next_start(self.now))

    # In the end nothing is forgotten

    def teardown(self):
        try:
            if self.rules:
                self.run_to_the_end()
        finally:
            self.stop_patch()

    def run_to_the_end(self):
        """Let everything end well and look at what is left."""
        self.become(PENDING, [job.id for job in self.in_state(WAITING)])
        for _round in range(5 * len(self.jobs) + 20):
            for number in list(self.rules.leases):
                self.end(number, GONE)
            self.fill()
            self.a_turn(3)
            if not self.rules.leases:
                wake_up = self.scheduler.wake_up(self.now)
                if wake_up == math.inf:
                    break
                self.now = wake_up
        for job in self.in_state(PENDING):
            above = self.rules.above(job.channel)
            assert any(config.paused or config.sequential for config in above), f"{job} forgotten"
        assert self.rules.next_job(math.inf) is None


TestScheduler = Runner.TestCase
TestScheduler.settings = settings(
    max_examples=2 * settings.default.max_examples,
    stateful_step_count=40,
)
