"""The tree of channels as an operator sees it: what goes on in each, and what holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .channels import ROOT, ChannelConfig, ancestors

MINUTES = 15
"""Of which the figures are shown one by one."""

RATE_MINUTES = 5
"""Over which the rate is taken, the minute that has just begun left out."""


@dataclass
class Recent:
    """What ended of a channel lately.

    :param done: by minute, the one that goes on last
    :param failed: in the last hour
    """

    done: list[int] = field(default_factory=lambda: [0] * MINUTES)
    failed: int = 0

    @property
    def rate(self) -> float:
        """Jobs done per minute."""
        whole = self.done[-1 - RATE_MINUTES : -1]
        return sum(whole) / len(whole)

    def count(self, age: int, done: int, failed: int) -> None:
        """Add what ended in a minute of the last hour.

        :param age: minutes that it lies back
        """
        self.failed += failed
        if 0 <= age < MINUTES:
            self.done[MINUTES - 1 - age] += done


@dataclass(frozen=True)
class Figures:
    """What is known of the queue as a whole, each by the full name of a channel.

    :param configured: what the configuration of the server says
    :param in_force: the same with what operators have set
    :param running: jobs that run
    :param waiting: ready jobs, and the seconds since the first of them is
    """

    configured: Mapping[str, ChannelConfig]
    in_force: Mapping[str, ChannelConfig]
    running: Mapping[str, int]
    waiting: Mapping[str, tuple[int, float]]
    recent: Mapping[str, Recent]


@dataclass(frozen=True)
class Row:
    """A channel; figures are of it and all below it.

    :param waiting_here: ready jobs of the channel alone
    :param oldest: seconds
    :param held_by: the channel that is paused, itself or above; empty when none is
    """

    name: str
    depth: int
    running: int
    waiting: int
    waiting_here: int
    oldest: float
    recent: Recent
    config: ChannelConfig
    configured: ChannelConfig | None
    held_by: str


def overview(names: Iterable[str], figures: Figures) -> list[Row]:
    """Return the channels of the tree, each followed by those below it.

    :param names: further ones that are shown
    """
    known = {ROOT, *names, *figures.in_force, *figures.running, *figures.waiting, *figures.recent}
    # Of no tree: a row whose channel was changed by hand.
    known = {name for name in known if ROOT in ancestors(name)}
    every = {above for name in known for above in ancestors(name)}
    below = _below(every)
    return [_row(name, below[name], figures) for name in sorted(every, key=_place)]


def _place(name: str) -> list[str]:
    return name.split(".")


def _below(names: Iterable[str]) -> dict[str, list[str]]:
    """Return each channel and those below it, by its name."""
    found: dict[str, list[str]] = {}
    for name in names:
        for above in ancestors(name):
            found.setdefault(above, []).append(name)
    return found


def _row(name: str, below: list[str], figures: Figures) -> Row:
    waiting = [figures.waiting.get(channel, (0, 0.0)) for channel in below]
    in_force = figures.in_force
    held = [above for above in ancestors(name) if above in in_force and in_force[above].paused]
    return Row(
        name=name,
        depth=name.count("."),
        running=sum(figures.running.get(channel, 0) for channel in below),
        waiting=sum(number for number, _seconds in waiting),
        waiting_here=figures.waiting.get(name, (0, 0.0))[0],
        # The clocks of servers differ.
        oldest=max(0.0, *(seconds for _number, seconds in waiting)),
        recent=_sum(figures.recent[channel] for channel in below if channel in figures.recent),
        config=in_force.get(name, ChannelConfig(name)),
        configured=figures.configured.get(name),
        held_by=held[0] if held else "",
    )


def _sum(several: Iterable[Recent]) -> Recent:
    total = Recent()
    for recent in several:
        total.failed += recent.failed
        total.done = [one + other for one, other in zip(total.done, recent.done, strict=True)]
    return total
