"""Jobs that leave a trace of each run, in their transaction and beside it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from jobs import Jobs

RUNS = 2
"""Runs of a job that one loss may cost: the one that was lost, and the one that counts."""

LOOK = "SELECT uuid, state FROM queue_job WHERE method_name = 'leave_a_trace'"
EFFECTS = "SELECT job_uuid FROM test_queue_job_ledger WHERE kind = 'trace'"


class Traces:
    """What a test delays while something is lost, and what became of it.

    :param jobs: the queue
    :param path: file in which jobs write that they ran
    """

    def __init__(self, jobs: Jobs, path: Path) -> None:
        self.jobs = jobs
        self.path = path
        self.path.touch()
        self.known: list[str] = []

    def delay(self, seconds: float = 0.0, times: int = 1, **options: Any) -> list[str]:
        """Delay jobs that last so long, and remember those whose transaction was committed."""
        uuids = self.jobs.delay("leave_a_trace", str(self.path), seconds, times=times, **options)
        self.known += uuids
        return uuids

    def done(self) -> int:
        """Return how many are done."""
        return sum(state == "done" for _uuid, state in self.jobs.sql(LOOK))

    def open(self) -> int:
        """Return how many have not ended."""
        return len(self.jobs.sql(f"{LOOK} AND state NOT IN ('done', 'failed', 'cancelled')"))

    def runs(self) -> Counter[str]:
        """Return how often each was run, the runs that came to nothing included."""
        return Counter(self.path.read_text().split())

    def check(self, runs: int = RUNS) -> None:
        """Check that none was lost, each took effect once, and none was run too often.

        :param runs: most runs of a job
        """
        states = dict(self.jobs.sql(LOOK))
        assert set(self.known) <= set(states), "a job that was committed is there"
        assert set(states.values()) == {"done"}
        effects = Counter(uuid for (uuid,) in self.jobs.sql(EFFECTS))
        assert effects == dict.fromkeys(states, 1), "each took effect once"
        counted = self.runs()
        assert set(counted) >= set(states), "whatever took effect was run"
        twice = sum(number > 1 for number in counted.values())
        print(f"{len(states)} jobs, {twice} run more than once, most runs {max(counted.values())}")
        assert max(counted.values()) <= runs
