"""What somebody should look at: an alert is raised only when something can be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from .channels import ROOT, ancestors
from .metrics import percentile
from .present import ChannelNow, Recent, RunningNow
from .series import SHARES

TARGET_SECONDS = 300.0
"""How long a job may be ready before somebody should look, where nothing else was set."""

STUCK_SECONDS = 30.0
"""A channel in which nothing runs although jobs are ready is left alone for so long: leases are
opened within a second, and a restart of the servers takes some."""

FAILURES_LEAST = 5
"""Failures of the last quarter of an hour below which no rate is made of them."""

FAILURES_TIMES = 3.0
"""Times of the usual share of failures from which there is something to look at."""

USUAL_LEAST = 0.01
"""Share of failures that is taken for usual where there are fewer: three in a hundred are news."""

LONG_TIMES = 5.0
"""Times of what hardly any run of a function goes beyond, from which one may hang."""

LONG_SECONDS = 60.0
"""No job hangs that runs for less than so long."""


class AlertKind(Enum):
    """What an alert is about."""

    STUCK = "stuck"
    OLDEST = "oldest"
    FAILURES = "failures"
    LONG = "long"


@dataclass(frozen=True)
class Alert:
    """Something that somebody should look at.

    :param kind: what it is about
    :param subject: name of the channel or function
    :param number: what there is
    :param limit: what is usual, or wanted
    :param ids: the jobs, where it is about some
    """

    kind: AlertKind
    subject: str = ""
    number: float = 0.0
    limit: float = 0.0
    ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What alerts are made of.

    :param stopped: nothing runs at all, and the self-test says why
    :param channels: as they are now
    :param slots: jobs that the workers take at a time
    :param recent: sums of the last day
    :param long: jobs that run for longer than hardly any of their function does
    :param target: seconds that a job may be ready
    """

    stopped: bool
    channels: tuple[ChannelNow, ...]
    slots: int
    recent: Recent
    long: tuple[RunningNow, ...] = ()
    target: float = TARGET_SECONDS


def long_running(
    running: Iterable[RunningNow], runs: Mapping[str, Sequence[int]]
) -> tuple[RunningNow, ...]:
    """Return the jobs that run for much longer than hardly any of their function did.

    :param runs: runs of the last day by the bucket of their duration, by function
    """
    usual = {name: percentile(counts, SHARES["p99"]) for name, counts in runs.items()}
    return tuple(
        job
        for job in running
        if job.seconds > LONG_SECONDS and job.seconds > LONG_TIMES * (usual.get(job.function) or 0)
        if usual.get(job.function) is not None
    )


def alerts(facts: Facts) -> list[Alert]:
    """Return what somebody should look at; nothing when all is as it should be."""
    found = []
    if not facts.stopped:
        # Else all of it is stuck, for a reason that is said already.
        found = [*_stuck(facts), *_oldest(facts)]
    return [*found, *_failures(facts.recent), *_long(facts.long)]


def _stuck(facts: Facts) -> list[Alert]:
    """Return channels with ready jobs in which nothing runs, though nothing keeps them back."""
    by_name = {channel.name: channel for channel in facts.channels}
    if by_name[ROOT].running >= facts.slots:
        return []
    return [
        Alert(AlertKind.STUCK, channel.name, channel.own.number, channel.own.oldest)
        for channel in facts.channels
        if _is_stuck(channel, by_name)
    ]


def _is_stuck(channel: ChannelNow, by_name: Mapping[str, ChannelNow]) -> bool:
    ready = channel.own.number and channel.own.oldest > STUCK_SECONDS
    kept = channel.paused or channel.throttled or channel.held
    if not ready or channel.running or kept:
        return False
    return not any(by_name[name].is_full for name in ancestors(channel.name))


def _oldest(facts: Facts) -> list[Alert]:
    """Return the channel whose first job has been ready for too long; paused ones may."""
    late = [
        channel
        for channel in facts.channels
        if channel.own.oldest > facts.target and not channel.paused
    ]
    worst = max(late, key=lambda channel: channel.own.oldest, default=None)
    if worst is None:
        return []
    return [Alert(AlertKind.OLDEST, worst.name, worst.own.oldest, facts.target)]


def _failures(recent: Recent) -> list[Alert]:
    if recent.failed_lately < FAILURES_LEAST:
        return []
    # Without what is compared with it.
    failed = recent.failed_day - recent.failed_lately
    ended = recent.ended_day - recent.ended_lately
    usual = max(USUAL_LEAST, failed / ended if ended > 0 else 0.0)
    share = recent.failed_lately / max(1, recent.ended_lately)
    if share <= FAILURES_TIMES * usual:
        return []
    return [Alert(AlertKind.FAILURES, number=share, limit=usual)]


def _long(long: Sequence[RunningNow]) -> list[Alert]:
    if not long:
        return []
    longest = max(long, key=lambda job: job.seconds)
    ids = tuple(job.id for job in long)
    return [Alert(AlertKind.LONG, longest.function, longest.seconds, len(long), ids)]
