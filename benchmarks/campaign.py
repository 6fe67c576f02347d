"""The order of measurements: rounds in which the queues take turns, and what comes of them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev.terminal import say

RESULTS = Path(__file__).with_name("results")

Samples = dict[str, dict[str, list[float]]]
"""By name of a row, and by who was measured, one figure per round."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything.

    :param name: of the files that the results go to
    :param rounds: of the repeated measurements
    :param peer: part of the jobs of a drain that the peer is given, whose rate does not depend on
        their number; it would take most of an hour
    :param seconds: of the sessions that commit beside each other
    :param backlog: waiting and finished jobs of a full table; 0 leaves out all that needs one
    :param soak: jobs of the long run
    :param idle: seconds for which nothing happens
    """

    name: str
    rounds: int
    peer: float
    noops: int = 10_000
    writes: int = 5_000
    naps: int = 400
    mixed: int = 2_000
    latencies: int = 100
    urgent: int = 20
    stored: int = 2_000
    bulk: int = 50_000
    seconds: float = 8.0
    backlog: int = 0
    soak: int = 0
    idle: float = 0.0

    def share(self, side: str, number: int) -> int:
        """Return how many jobs a side is given."""
        return int(number * self.peer) if side == "peer" else number


FULL = Sizes("full", rounds=5, peer=0.2, backlog=1_000_000, soak=300_000, idle=180.0)
QUICK = Sizes(
    "quick",
    rounds=3,
    peer=0.2,
    noops=6_000,
    writes=4_000,
    naps=200,
    latencies=30,
    stored=1_000,
    bulk=20_000,
    seconds=3.0,
)


@dataclass
class Campaign:
    """What was measured so far; written down after every row, so that little can be lost.

    :param sizes: how much of everything
    :param facts: machine, versions and settings
    """

    sizes: Sizes
    facts: dict[str, Any]
    samples: Samples = field(default_factory=dict)
    series: dict[str, Any] = field(default_factory=dict)
    """What is drawn as a line rather than summed up in one figure."""

    def rounds(self, row: str, measures: Mapping[str, Callable[[], float]]) -> None:
        """Measure in turns: A B, B A, A B …, so that a slow minute of the machine is shared."""
        say(f"--- {row}")
        for number in range(self.sizes.rounds):
            order = list(measures)
            if number % 2:
                order.reverse()
            for who in order:
                self.note(row, who, measures[who]())
        self.write()

    def note(self, row: str, who: str, value: float) -> None:
        """Keep one figure."""
        self.samples.setdefault(row, {}).setdefault(who, []).append(value)
        say(f"{row:<22} {who:<14} {value:,.4g}")

    def write(self) -> Path:
        """Write everything down; return the file."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.sizes.name}.json"
        content = {"facts": self.facts, "samples": self.samples, "series": self.series}
        path.write_text(json.dumps(content, indent=1) + "\n")
        return path


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processors": os.cpu_count(),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "date": time.strftime("%Y-%m-%d"),
    }


def percentile(values: Iterable[float], part: float) -> float:
    """Return the value below which a part of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def paired_ratio(ours: list[float], other: list[float]) -> float:
    """Return the median of the ratios round by round."""
    return statistics.median(a / b for a, b in zip(ours, other, strict=False))


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long something took."""
    began = time.monotonic()
    yield
    say(f"=== {what}: {time.monotonic() - began:.0f} s")
