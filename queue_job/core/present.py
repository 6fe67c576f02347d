"""What the dashboard shows of this moment: what waits and runs in each channel."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .channels import ROOT, ChannelConfig, ancestors, running_below
from .series import MINUTE


@dataclass(frozen=True)
class Waiting:
    """The ready jobs of a channel.

    :param number: how many
    :param oldest: seconds since the first of them is ready
    """

    number: int
    oldest: float


NOTHING = Waiting(0, 0.0)


@dataclass(frozen=True)
class ChannelNow:
    """A channel at this moment, with all below it.

    :param name: full name
    :param waiting: jobs that are ready
    :param running: jobs that run
    :param oldest: seconds since the first ready one is
    :param own: ready jobs of the channel itself
    :param capacity: jobs that may run at a time; ``None`` is no limit of its own
    :param paused: it, or one above it
    :param throttled: it, or one above it, starts a job only now and then
    :param held: nothing may pass a job that waits for its retry, here or in one above it
    """

    name: str
    waiting: int = 0
    running: int = 0
    oldest: float = 0.0
    own: Waiting = NOTHING
    capacity: int | None = None
    paused: bool = False
    throttled: bool = False
    held: bool = False

    @property
    def is_full(self) -> bool:
        """Tell whether no further job may run in it."""
        return self.capacity is not None and self.running >= self.capacity


@dataclass(frozen=True)
class Recent:
    """Sums of the last day that the tiles and alerts are made of.

    :param failed_day: failures of the last 24 hours
    :param ended_day: jobs that ended in them, well or not
    :param failed_lately: failures of the last quarter of an hour
    :param ended_lately: jobs that ended in it
    :param done_before: jobs done in the minute before this one
    :param done_now: jobs done in this minute so far
    """

    failed_day: int = 0
    ended_day: int = 0
    failed_lately: int = 0
    ended_lately: int = 0
    done_before: int = 0
    done_now: int = 0


@dataclass(frozen=True)
class RunningNow:
    """A job that runs.

    :param id: number of its row
    :param function: what it calls
    :param seconds: since it started
    """

    id: int
    function: str
    seconds: float


def channels_now(
    configs: Mapping[str, ChannelConfig],
    waiting: Mapping[str, Waiting],
    running: Mapping[str, int],
    retrying: Collection[str] = (),
) -> list[ChannelNow]:
    """Return every channel that is configured or in use, and those above it, in the tree's order.

    :param configs: what is in force, by full name
    :param waiting: by the channel that jobs are stored with
    :param running: the same
    :param retrying: channels with a job that waits for its retry
    """
    used = {above for name in (*waiting, *running) for above in ancestors(name)}
    names = sorted({ROOT, *configs, *used}, key=lambda name: name.split("."))
    strict = {name for name in names if _is_strict(name, configs)}
    held = {above for name in retrying for above in ancestors(name)} & strict
    return [_channel_now(name, configs, waiting, running, held) for name in names]


def _is_strict(name: str, configs: Mapping[str, ChannelConfig]) -> bool:
    return name in configs and configs[name].sequential


def _channel_now(
    name: str,
    configs: Mapping[str, ChannelConfig],
    waiting: Mapping[str, Waiting],
    running: Mapping[str, int],
    held: Collection[str],
) -> ChannelNow:
    below = [found for other, found in waiting.items() if name in ancestors(other)]
    above = [configs[other] for other in ancestors(name) if other in configs]
    return ChannelNow(
        name,
        waiting=sum(found.number for found in below),
        running=running_below(running, name),
        oldest=max((found.oldest for found in below), default=0.0),
        own=waiting.get(name, NOTHING),
        capacity=configs[name].capacity if name in configs else None,
        paused=any(config.paused for config in above),
        throttled=any(config.throttle for config in above),
        held=any(config.name in held for config in above),
    )


def per_minute(now: float, recent: Recent) -> float:
    """Return how many jobs were done in the sixty seconds before ``now``.

    The minute before counts by the share of it that lies within them.
    """
    passed = now % MINUTE / MINUTE
    return recent.done_now + (1 - passed) * recent.done_before
