"""What a worker tells the jobrunner about the jobs of a lease."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Outcome(str, Enum):
    """How a worker's turn with one job ended."""

    DONE = "done"
    """Its effects are committed."""
    POSTPONED = "postponed"
    """It comes back later."""
    FAILED = "failed"
    """It ended with an error, which is stored."""
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
    """

    id: int
    outcome: Outcome
    seconds: float
    wait: float | None = None


def write_lease(jobs: Iterable[tuple[int, int]]) -> bytes:
    """Return the body of a run request: id and attempt of each job, in order."""
    return json.dumps({"jobs": [list(job) for job in jobs]}).encode()


def read_lease(body: bytes) -> list[tuple[int, int]]:
    """Return the jobs of a run request.

    :raises ValueError: when it is not one
    """
    jobs = _member(json.loads(body), "jobs")
    return [(_whole(number), _whole(attempt)) for number, attempt in jobs]


def write_reports(reports: Iterable[Report]) -> dict[str, Any]:
    """Return the answer to a run request, for JSON."""
    return {"jobs": [_written(item) for item in reports]}


def _written(item: Report) -> list[Any]:
    wait = [] if item.wait is None else [round(item.wait, 6)]
    return [item.id, item.outcome.value, round(item.seconds, 6), *wait]


def read_reports(answer: Any) -> list[Report]:
    """Return the outcomes of a run request.

    :param answer: parsed JSON
    :raises ValueError: when it is not the answer to one
    """
    return [
        Report(_whole(number), Outcome(outcome), *map(float, times))
        for number, outcome, *times in _member(answer, "jobs")
        if _are_times(times)
    ]


def _are_times(times: list[Any]) -> bool:
    """Tell that there are one or two times: a worker of an earlier version does not say the wait.

    :raises ValueError: when there are not
    """
    if len(times) not in (1, 2):
        raise ValueError(f"{len(times)} times in a report, where there are one or two")
    return True


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping) or not isinstance(value.get(name), list):
        raise ValueError(f"no list of {name} in {type(value).__name__}")
    return value[name]


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise ValueError(f"{value!r} is not a whole number")
    return value
