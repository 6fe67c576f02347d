"""What a worker tells the jobrunner about the jobs of a lease."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .memory import MOST_MB
from .quoting import shown

MOST_NEGATIVE = -(2**31)
"""Least number of a column of four bytes."""

MOST_SECONDS = 1e9
"""A job that lasted longer would have begun before there was any Odoo."""


class Outcome(str, Enum):
    """How a worker's turn with one job ended."""

    DONE = "done"
    """Its effects are committed."""
    POSTPONED = "postponed"
    """It comes back later."""
    FAILED = "failed"
    """It ended with an error, which is stored."""
    CANCELLED = "cancelled"
    """It was stopped, since somebody asked for that."""
    TAKEN = "taken"
    """It was not, or no longer, this worker's: nothing was committed."""
    LOST = "lost"
    """The worker lost its connection; what is stored tells the rest."""


@dataclass(frozen=True)
class Report:
    """The outcome of one job.

    :param id: number of the row
    :param outcome: how it ended
    :param seconds: how long its call took
    :param wait: seconds that it had been ready before; ``None`` when that is not known
    :param memory: MB that it had added to its worker; ``None`` when that is not known
    """

    id: int
    outcome: Outcome
    seconds: float
    wait: float | None = None
    memory: int | None = None


def write_lease(jobs: Iterable[tuple[int, int]]) -> bytes:
    """Return the body of a run request: id and attempt of each job, in order."""
    return json.dumps({"jobs": [list(job) for job in jobs]}).encode()


def read_lease(body: bytes) -> list[tuple[int, int]]:
    """Return the jobs of a run request.

    :raises ValueError: when it is not one
    """
    try:
        answer = json.loads(body)
    except RecursionError:
        raise ValueError("the JSON of a lease is nested too deeply") from None
    return [(_whole(number), _whole(attempt)) for number, attempt in _rows(answer, 2)]


def write_reports(reports: Iterable[Report]) -> dict[str, Any]:
    """Return the answer to a run request, for JSON.

    Memory stands beside the jobs: a leader of an earlier version reads these, and passes it over.
    """
    told = list(reports)
    memory = [item.memory for item in told]
    known = {} if memory.count(None) == len(memory) else {"memory": memory}
    return {"jobs": [_written(item) for item in told], **known}


def _written(item: Report) -> list[Any]:
    wait = [] if item.wait is None else [round(item.wait, 6)]
    return [item.id, item.outcome.value, round(item.seconds, 6), *wait]


def read_reports(answer: Any) -> list[Report]:
    """Return the outcomes of a run request.

    :param answer: parsed JSON
    :raises ValueError: when it is not the answer to one
    """
    rows = _rows(answer, 3, 4)
    return [
        Report(
            _whole(number), _outcome(outcome), _seconds(ran), _seconds(*wait) if wait else None, mb
        )
        for (number, outcome, ran, *wait), mb in zip(rows, _memory(answer, len(rows)), strict=True)
    ]


def _memory(answer: Mapping[str, Any], number: int) -> list[int | None]:
    """Return the memory of each job; of none when it is not told, as by an earlier version."""
    told = answer.get("memory")
    if not isinstance(told, list) or len(told) != number:
        return [None] * number
    return [value if type(value) is int and 0 <= value <= MOST_MB else None for value in told]


def _rows(value: Any, *widths: int) -> list[list[Any]]:
    """Return the jobs of a message, each a list of so many values."""
    rows = value.get("jobs") if isinstance(value, Mapping) else None
    if not isinstance(rows, list):
        raise ValueError(f"no list of jobs in {type(value).__name__}")
    if any(not isinstance(row, list) or len(row) not in widths for row in rows):
        raise ValueError(f"a job is not a list of {widths[0]} values")
    return rows


def _whole(value: Any) -> int:
    """Read an id or an attempt, which the table has four bytes for."""
    if type(value) is not int or not MOST_NEGATIVE <= value < -MOST_NEGATIVE:
        raise ValueError(f"{shown(value)} is not a whole number of four bytes")
    return value


def _outcome(value: Any) -> Outcome:
    try:
        return Outcome(value) if isinstance(value, str) else Outcome("")
    except ValueError:
        raise ValueError(f"{shown(value)} is no outcome") from None


def _seconds(value: Any) -> float:
    """Read a duration; one that is none would spoil the means of all further runs."""
    if type(value) not in (int, float) or not 0 <= value < MOST_SECONDS:
        raise ValueError(f"{shown(value)} is not a number of seconds")
    return float(value)
