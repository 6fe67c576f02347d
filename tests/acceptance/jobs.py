"""Jobs as a test sees them from outside: delayed by RPC, looked at in the table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

PATIENCE = 30.0
"""Seconds until a condition that should hold soon is given up; ten times what it ever takes."""

ENDED = ("done", "failed", "cancelled")


def wait_until(
    condition: Callable[[], Any], what: str | Callable[[], str], patience: float = PATIENCE
) -> Any:
    """Wait for ``condition`` to hold and return its value; fail when it does not in time.

    :param what: is waited for; called when the time is over, where it says how things are then
    """
    deadline = time.monotonic() + patience
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what() if callable(what) else what}")
        time.sleep(0.02)
    return value


class Jobs:
    """The queue of one server.

    :param server: a running Odoo with ``test_queue_job``
    """

    def __init__(self, server: Any) -> None:
        self.server = server
        self.record = server.rpc("test.queue.job", "create", [{"name": "target"}])

    def sql(self, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement beside the server."""
        return self.server.cluster.execute(self.server.database, query, params)

    def delay(self, method: str, *args: Any, times: int = 1, **options: Any) -> list[str]:
        """Delay a method of the target, so many times in one transaction; return the uuids."""
        return self.server.rpc(
            "test.queue.job", "launch", [[self.record], method, args, options, times]
        )

    def function(self, name: str, *args: Any, **options: Any) -> str:
        """Delay a module-level function; return its uuid."""
        return self.server.rpc("test.queue.job", "launch_function", [name, args, options])

    def column(self, name: str, uuids: Sequence[str]) -> list[Any]:
        """Return a column of jobs, in the order of ``uuids``."""
        rows = dict(
            self.sql(f"SELECT uuid, {name} FROM queue_job WHERE uuid = ANY(%s)", [list(uuids)])
        )
        return [rows[uuid] for uuid in uuids]

    def one(self, name: str, uuids: Sequence[str]) -> Any:
        """Return a column of a single job."""
        return self.column(name, uuids)[0]

    def wait(
        self, uuids: Sequence[str], states: Sequence[str] = ENDED, patience: float = PATIENCE
    ) -> list[str]:
        """Wait until every job is in one of ``states``; return their states."""
        wait_until(
            lambda: all(state in states for state in self.column("state", uuids)),
            lambda: f"{len(uuids)} job(s) in {states}, they are {self.column('state', uuids)}",
            patience,
        )
        return self.column("state", uuids)

    def ledger(self, kind: str) -> int:
        """Return how many lines of a kind were committed by jobs."""
        rows = self.sql("SELECT count(*) FROM test_queue_job_ledger WHERE kind = %s", [kind])
        return int(rows[0][0])

    def worker(self, uuids: Sequence[str]) -> int:
        """Wait until a job runs, and return the id of its process."""
        self.wait(uuids, ["started"])
        return int(self.one("worker_pid", uuids))
