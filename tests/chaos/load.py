"""What jobs a round asks for, and what is to become of each.

The jobs themselves are methods of ``test.queue.job.load``, called as the kinds here.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Kind(str, Enum):
    """A kind of job; the values are names of methods."""

    NOTHING = "nothing"
    PROBE = "probe"
    """Urgent, asked for after a fault to see when jobs run again."""
    WRITE_ONE = "write_one"
    SLOW = "slow"
    FAILING = "failing"
    RETRYING = "retrying"
    GRAPH = "graph"
    STRICT = "strict"
    """In a sequential channel."""
    MIDWAY = "midway"
    """Commits midway."""
    IDENTITY = "identity"
    """Asked for three times under one identity key."""
    CANCELLED = "cancelled"
    TOO_LONG = "too_long"
    TOO_BUSY = "too_busy"
    TOO_LARGE = "too_large"


@dataclass(frozen=True)
class Expected:
    """What is to become of a job.

    :param state: in which it ends
    :param effects: lines of each kind that it leaves in the ledger
    :param tries: how often it is to be begun when nothing goes wrong
    """

    state: str = "done"
    effects: Mapping[str, int] = field(default_factory=dict)
    tries: int = 1


EXPECTED: Mapping[Kind, Expected] = {
    Kind.NOTHING: Expected(),
    Kind.PROBE: Expected(),
    Kind.WRITE_ONE: Expected(effects={"write_one": 1}),
    Kind.SLOW: Expected(effects={"slow": 1}),
    Kind.FAILING: Expected("failed"),
    Kind.RETRYING: Expected(effects={"retrying": 1}, tries=3),
    Kind.GRAPH: Expected(effects={"graph": 1}),
    # Every second one takes two tries.
    Kind.STRICT: Expected(effects={"strict": 1}, tries=2),
    Kind.MIDWAY: Expected(effects={"midway": 1, "end": 1}),
    Kind.IDENTITY: Expected(effects={"identity": 1}),
    Kind.CANCELLED: Expected("cancelled", tries=0),
    # Begun once more than it may lose its worker without being failed.
    Kind.TOO_LONG: Expected("failed", tries=3),
    Kind.TOO_BUSY: Expected("failed", tries=1),
    Kind.TOO_LARGE: Expected("failed", tries=1),
}

CAUSES: Mapping[Kind, tuple[str, str]] = {
    Kind.FAILING: ("FailedJobError", "as it was asked to"),
    Kind.TOO_LONG: ("JobFoundDead", "limit_time_real"),
    Kind.TOO_BUSY: ("Exception", "CPU time limit"),
    Kind.TOO_LARGE: ("MemoryError", ""),
}
"""Parts of the name and of the text of the error with which a job has to be failed."""

JOBS_OF: Mapping[Kind, int] = {Kind.GRAPH: 4}
"""Jobs that asking once stores, where it is not one."""

Mix = Mapping[Kind, int]

USUAL: Mix = {
    Kind.NOTHING: 30,
    Kind.WRITE_ONE: 30,
    Kind.SLOW: 2,
    Kind.FAILING: 2,
    Kind.RETRYING: 3,
    Kind.GRAPH: 2,
    Kind.STRICT: 8,
    Kind.MIDWAY: 3,
    Kind.IDENTITY: 2,
    Kind.CANCELLED: 1,
}
"""What is under way when a fault strikes."""

DURING: Mix = {Kind.NOTHING: 3, Kind.WRITE_ONE: 3, Kind.GRAPH: 1, Kind.MIDWAY: 1}
"""What is asked for again and again while it lasts."""

ALONE: Mix = {Kind.SLOW: 1}
"""One long job on a server that is idle otherwise."""


def draw(mix: Mix, rng: random.Random) -> list[Kind]:
    """Return the kinds of a mix in an order of chance."""
    kinds = [kind for kind, number in mix.items() for _time in range(number)]
    rng.shuffle(kinds)
    return kinds


def jobs_of(kinds: list[Kind]) -> dict[Kind, int]:
    """Return how many jobs of each kind are stored when these are asked for."""
    return {kind: kinds.count(kind) * JOBS_OF.get(kind, 1) for kind in dict.fromkeys(kinds)}
