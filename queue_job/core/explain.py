"""Why a job does not run: the first thing, from the outside in, that keeps it from starting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from .channels import ROOT, ChannelConfig, ancestors, running_below
from .hold import Hold
from .states import JobState

NUMBER = re.compile(r"(?<![\w-])[0-9]{1,18}(?![\w-])")
"""Not one within a uuid."""

SMALLER = "\N{NO-BREAK SPACE}"
"""What stands before the smaller unit of a duration, as in 9 min 33 s."""

SMALLER_UNIT = re.compile(rf"{SMALLER}[0-9]+\s[^\W\d]+")


class Reason(Enum):
    """What keeps a job from running."""

    RUNS = "runs"
    ENDED = "ended"
    HELD = "held"
    NO_RUNNER = "no_runner"
    NO_LEADER = "no_leader"
    NO_SERVER = "no_server"
    PARENTS = "parents"
    ETA = "eta"
    RETRY = "retry"
    ENQUEUED = "enqueued"
    PAUSED = "paused"
    SEQUENTIAL = "sequential"
    FULL = "full"
    NO_WORKER = "no_worker"
    THROTTLED = "throttled"
    TURN = "turn"


@dataclass(frozen=True)
class JobFacts:
    """What is stored of the job.

    :param state: its state
    :param channel: full name
    :param seconds: until its ETA; ``None`` for none, negative when it has come
    :param retries: tries so far
    :param parents: jobs that it waits for
    :param parent: uuid of the first of them
    :param ahead: ready jobs of its channel with a place before it, counted up to a limit
    :param before: uuid of the job that a sequential channel runs, or has to run, before it
    """

    state: JobState
    channel: str
    seconds: float | None = None
    retries: int = 0
    parents: int = 0
    parent: str = ""
    ahead: int = 0
    before: str = ""


@dataclass(frozen=True)
class QueueFacts:
    """What is known of the queue.

    :param channels: configuration that the leader has
    :param running: jobs that run, by the channel that they are stored with
    :param runners: how many are connected
    :param leads: one of them dispatches
    :param slots: leases that the servers can take at a time; 0 when none can be used
    :param hold: what holds the whole database
    """

    channels: Mapping[str, ChannelConfig] = field(default_factory=dict)
    running: Mapping[str, int] = field(default_factory=dict)
    runners: int = 0
    leads: bool = False
    slots: int = 0
    hold: Hold | None = None


@dataclass(frozen=True)
class Explanation:
    """The answer.

    :param reason: what keeps the job
    :param channel: where, when it is a channel
    :param number: seconds, jobs or tries, as the reason has it
    :param limit: capacity or slots
    :param other: uuid of another job
    :param hold: what holds the database
    """

    reason: Reason
    channel: str = ""
    number: float = 0
    limit: float = 0
    other: str = ""
    hold: Hold | None = None


def gist_of(text: str) -> str:
    """Return a sentence without what changes by itself, to tell whether another is news.

    Of a number its order of magnitude is left, and of a duration its largest unit: a countdown is
    news when it has come to half.
    """
    rough = SMALLER_UNIT.sub("", text)
    return NUMBER.sub(lambda found: str(int(found[0]).bit_length()), rough)


def explain(job: JobFacts, queue: QueueFacts) -> Explanation:
    """Return why a job does not run now.

    :param job: the job
    :param queue: the queue
    """
    if job.state is JobState.STARTED:
        return Explanation(Reason.RUNS)
    if job.state in (JobState.DONE, JobState.CANCELLED, JobState.FAILED):
        return Explanation(Reason.ENDED)
    if job.state is JobState.WAIT_DEPENDENCIES:
        return Explanation(Reason.PARENTS, number=job.parents, other=job.parent)
    causes = (*_of_the_queue(queue), *_of_the_job(job), *_of_the_channels(job, queue))
    return next(iter(causes), Explanation(Reason.TURN, job.channel, number=job.ahead))


def _of_the_queue(queue: QueueFacts) -> Iterator[Explanation]:
    """Yield what keeps every job."""
    if not queue.runners:
        yield Explanation(Reason.NO_RUNNER)
    elif queue.hold:
        yield Explanation(Reason.HELD, hold=queue.hold)
    elif not queue.leads:
        yield Explanation(Reason.NO_LEADER)
    elif not queue.slots:
        yield Explanation(Reason.NO_SERVER)


def _of_the_job(job: JobFacts) -> Iterator[Explanation]:
    """Yield what keeps this job alone."""
    if job.seconds is not None and job.seconds > 0:
        reason = Reason.RETRY if job.retries else Reason.ETA
        yield Explanation(reason, number=job.seconds, limit=job.retries)
    elif job.state is JobState.ENQUEUED:
        yield Explanation(Reason.ENQUEUED)


def _of_the_channels(job: JobFacts, queue: QueueFacts) -> Iterator[Explanation]:
    """Yield what keeps the jobs of its channel, from the root down."""
    above = [*ancestors(job.channel)][::-1]
    configs = [queue.channels[name] for name in above if name in queue.channels]
    for config in configs:
        if config.paused:
            yield Explanation(Reason.PAUSED, config.name)
    for config in configs:
        if config.sequential and job.before:
            yield Explanation(Reason.SEQUENTIAL, config.name, other=job.before)
    for config in configs:
        running = running_below(queue.running, config.name)
        if config.capacity is not None and running >= config.capacity:
            yield Explanation(Reason.FULL, config.name, running, config.capacity)
    running = running_below(queue.running, ROOT)
    if running >= queue.slots:
        yield Explanation(Reason.NO_WORKER, number=running, limit=queue.slots)
    for config in configs:
        if config.throttle:
            yield Explanation(Reason.THROTTLED, config.name, config.throttle)
