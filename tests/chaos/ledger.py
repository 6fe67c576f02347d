"""The check after a round: is every job where it belongs, and every effect there once?

It is given what was asked for, what the table says, what the jobs have committed, and when they ran
by their own account. It reads no clock and no database, so that a test can hand it a bad ledger.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from .load import CAUSES, EXPECTED, Expected, Kind

ENDED = frozenset({"done", "failed", "cancelled"})


class Wrong(str, Enum):
    """What can be wrong; the values are the columns of the results."""

    LOST = "lost"
    """A job or an effect is missing."""
    TWICE = "twice"
    """A job or an effect is there too often, or one that was not to be."""
    OVERLAP = "overlaps"
    """Two runs of a job, or two jobs of a sequential channel, at the same time."""
    STUCK = "stuck"
    """A job has not ended in time."""
    STATE = "wrong end"
    """A job ended in another state than it should, or without its cause."""
    ORDER = "wrong order"
    """A job ran before one that it has to follow."""
    RUNS = "unexplained runs"
    """A job was begun more often than its tries and the fault explain."""


@dataclass(frozen=True)
class Batch:
    """Jobs that were asked for in one transaction.

    :param name: what its jobs are called
    :param jobs: how many of each kind
    :param known: its commit was acknowledged; if not, it is there as a whole or not at all
    """

    name: str
    jobs: Mapping[Kind, int]
    known: bool = True


@dataclass(frozen=True)
class Row:
    """A job as it is in the table.

    :param number: its id, which stands for its age
    :param parents: uuids of the jobs it had to wait for
    :param tries: as counted by the queue
    """

    uuid: str
    number: int
    batch: str
    kind: Kind
    state: str
    error: str = ""
    message: str = ""
    parents: tuple[str, ...] = ()
    tries: int = 1


@dataclass(frozen=True)
class Run:
    """One run of a job, by its own account.

    :param began: seconds
    :param ended: seconds; none when its process was killed
    :param alone: nothing ran that should not run beside it
    """

    uuid: str
    began: float
    ended: float | None
    alone: bool = True


@dataclass(frozen=True)
class Excuse:
    """What a fault explains.

    :param runs: further runs of all jobs of the round together; none for any number
    :param per_job: further runs of one job
    """

    runs: int | None = 0
    per_job: int = 1


@dataclass(frozen=True)
class Account:
    """All that is known of the jobs of a round.

    :param effects: uuid of the job and kind, for each line of the ledger
    """

    batches: Sequence[Batch]
    rows: Sequence[Row]
    effects: Sequence[tuple[str, str]]
    runs: Sequence[Run]
    excuse: Excuse = field(default_factory=Excuse)

    def runs_of(self, uuid: str) -> list[Run]:
        """Return the runs of a job, the first one first."""
        return sorted((run for run in self.runs if run.uuid == uuid), key=lambda run: run.began)


Finding = tuple[Wrong, str]
"""What is wrong, and of which job or batch."""


def check(account: Account) -> list[Finding]:
    """Return all that is wrong."""
    return [
        *_check_batches(account),
        *_check_states(account),
        *_check_effects(account),
        *_check_overlaps(account),
        *_check_graphs(account),
        *_check_strict(account),
        *_check_runs(account),
    ]


def count(findings: Iterable[Finding]) -> dict[str, int]:
    """Return how often each kind of wrong was found, also when never."""
    found = Counter(wrong for wrong, _text in findings)
    return {wrong.value: found[wrong] for wrong in Wrong}


def _check_batches(account: Account) -> Iterable[Finding]:
    """A transaction is there as a whole, or not at all."""
    stored: dict[str, Counter[Kind]] = defaultdict(Counter)
    for row in account.rows:
        stored[row.batch][row.kind] += 1
    for batch in account.batches:
        there = stored.pop(batch.name, Counter())
        if not there and not batch.known:
            continue
        wanted = Counter(dict(batch.jobs))
        for kind, number in (wanted - there).items():
            yield Wrong.LOST, f"{number} {kind.value} of {batch.name} are not stored"
        for kind, number in (there - wanted).items():
            yield Wrong.TWICE, f"{number} {kind.value} of {batch.name} too many"
    for name in stored:
        yield Wrong.TWICE, f"nobody asked for {name}"


def _check_states(account: Account) -> Iterable[Finding]:
    for row in account.rows:
        expected = EXPECTED[row.kind]
        if row.state not in ENDED:
            yield Wrong.STUCK, f"{_name(row)} is {row.state}"
        elif row.state != expected.state:
            yield Wrong.STATE, f"{_name(row)} is {row.state}: {row.error} {row.message}"
        elif row.state == "failed":
            error, text = CAUSES[row.kind]
            if error not in row.error or text not in row.message:
                yield Wrong.STATE, f"{_name(row)} failed by {row.error}: {row.message}"


def _check_effects(account: Account) -> Iterable[Finding]:
    """Effects of a job that is done are there once, those of another not at all."""
    left = Counter(account.effects)
    for row in account.rows:
        done = row.state == "done"
        wanted = EXPECTED[row.kind].effects if done else {}
        for kind, number in wanted.items():
            there = left.pop((row.uuid, kind), 0)
            if there < number:
                yield Wrong.LOST, f"{_name(row)} is done without its {kind}"
            elif there > number:
                yield Wrong.TWICE, f"{_name(row)} has left {there} of {kind}"
    rows = {row.uuid: row for row in account.rows}
    for (uuid, kind), number in left.items():
        # What is committed midway stands, whatever becomes of the job.
        if not (kind == "midway" and uuid in rows and rows[uuid].kind is Kind.MIDWAY):
            yield Wrong.TWICE, f"{number} of {kind} by {uuid}, which should not be there"


def _check_overlaps(account: Account) -> Iterable[Finding]:
    for run in account.runs:
        if not run.alone:
            yield Wrong.OVERLAP, f"{run.uuid} began at {run.began:.3f} beside another run"
    for uuid in {run.uuid for run in account.runs}:
        for first, second in pairwise(account.runs_of(uuid)):
            if first.ended is not None and first.ended > second.began:
                yield Wrong.OVERLAP, f"{uuid} began at {second.began:.3f} before it had ended"


def _check_graphs(account: Account) -> Iterable[Finding]:
    """A job begins after the last run of each job that it waits for."""
    for row in account.rows:
        begun = account.runs_of(row.uuid)
        for parent in row.parents:
            runs = account.runs_of(parent)
            ended = runs[-1].ended if runs else None
            if begun and (ended is None or begun[0].began < ended):
                yield Wrong.ORDER, f"{_name(row)} began before {parent} was done"


def _check_strict(account: Account) -> Iterable[Finding]:
    """In a sequential channel nothing begins before what is older has begun for the last time."""
    numbers = {row.uuid: row.number for row in account.rows if row.kind is Kind.STRICT}
    runs = sorted((run.began, numbers[run.uuid]) for run in account.runs if run.uuid in numbers)
    for (_began, first), (began, second) in pairwise(runs):
        if second < first:
            yield Wrong.ORDER, f"job {second} began at {began:.3f} after job {first}"


def _check_runs(account: Account) -> Iterable[Finding]:
    """No more runs than tries, and those that the fault explains."""
    begun = Counter(run.uuid for run in account.runs)
    total = 0
    for row in account.rows:
        further = begun.pop(row.uuid, 0) - _tries(row, EXPECTED[row.kind])
        total += max(0, further)
        if further > account.excuse.per_job:
            yield Wrong.RUNS, f"{_name(row)}: {further} runs beyond its tries"
        elif further < 0 and row.state == "done":
            yield Wrong.RUNS, f"{_name(row)} is done and was not seen to run"
        if row.state == "done" and row.tries != _tries(row, EXPECTED[row.kind]):
            yield Wrong.RUNS, f"{_name(row)} was counted {row.tries} tries"
    if account.excuse.runs is not None and total > account.excuse.runs:
        yield Wrong.RUNS, f"{total} further runs, where {account.excuse.runs} are explained"
    for uuid in begun:
        yield Wrong.TWICE, f"{uuid} ran and is in no table"


def _tries(row: Row, expected: Expected) -> int:
    """Return how often a job was to be begun if nothing had gone wrong."""
    either = row.kind is Kind.STRICT and 1 <= row.tries <= expected.tries
    return row.tries if either else expected.tries


def _name(row: Row) -> str:
    return f"{row.kind.value} {row.number} ({row.uuid})"
