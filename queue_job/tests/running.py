"""Running jobs of a test in its own transaction, in the order in which a worker would."""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..core.backoff import draw_seconds, pattern_seconds
from ..exception import NothingToDoJob, RetryableError
from ..fields import decode, decode_records, encode, encode_records
from ..job import DONE, Job
from .calls import listed

if TYPE_CHECKING:
    from .trap import JobsTrap, TrappedJob


def in_order(jobs: Iterable[Job]) -> Iterator[Job]:
    """Yield jobs, parents before children, otherwise by priority and as they come."""
    places = {job: number for number, job in enumerate(jobs)}
    waits = {job: len(job.depends_on & places.keys()) for job in places}
    ready = [(job.priority, places[job], job) for job in places if not waits[job]]
    heapq.heapify(ready)
    while ready:
        job = heapq.heappop(ready)[-1]
        yield job
        for child in job.reverse_depends_on & places.keys():
            waits[child] -= 1
            if not waits[child]:
                heapq.heappush(ready, (child.priority, places[child], child))


def perform(job: Job) -> None:
    """Run a job and call it done; one that finds nothing to do is done as well."""
    try:
        job.perform()
        job.set_done()
    except NothingToDoJob as nothing:
        job.set_done(str(nothing) or None)


@contextmanager
def as_loaded(job: TrappedJob) -> Iterator[None]:
    """Give a job the records and arguments of one that was stored and is loaded.

    Arguments that the call changes are copies, and the next try gets others.

    :raises ArgumentError: naming what a job cannot carry
    """
    kept = job.args, job.kwargs
    job.recordset = decode_records(encode_records(job.recordset), job.env)
    job.args = tuple(decode(encode(list(job.args), "args"), job.env))
    job.kwargs = decode(encode(job.kwargs, "kwargs"), job.env)
    try:
        yield
    finally:
        job.args, job.kwargs = kept


def shortest(least: float, _most: float) -> float:
    """Draw the lower bound, so that a test runs the same way each time."""
    return least


class Drain:
    """One run through a trap until no job is left in it.

    :param trap: where the jobs are
    :param limit: number of tries
    """

    def __init__(self, trap: JobsTrap, limit: int) -> None:
        self._trap = trap
        self._left = limit
        self._limit = limit
        self._now = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
        """The time that the jobs are run at; it goes on to the next job instead of waiting."""

    def run(self) -> list[TrappedJob]:
        """Run the jobs; return those that are done, in this order.

        :raises AssertionError: when the tries do not suffice
        """
        # Whoever has the list of what waited before keeps it.
        self._trap.enqueued_jobs = list(self._trap.enqueued_jobs)
        done = []
        while job := self._next():
            if not self._left:
                waiting = [job.call for job in self._trap.enqueued_jobs]
                raise AssertionError(
                    f"Jobs are left after {self._limit} tries:\n{listed(waiting)}",
                )
            self._left -= 1
            if self._try(job):
                done.append(job)
        return done

    def _next(self) -> TrappedJob | None:
        """Return the job whose turn it is, if there is one that can run."""
        jobs = self._trap.enqueued_jobs
        # Those that were not to be delayed have run already.
        jobs[:] = [job for job in jobs if job.state != DONE]
        free = [job for job in jobs if all(parent.state == DONE for parent in job.depends_on)]
        if not free:
            return None
        self._now = max(self._now, min(job.eta or self._now for job in free))
        due = [job for job in free if not job.eta or job.eta <= self._now]
        return min(due, key=lambda job: (job.priority, job.age))

    def _try(self, job: TrappedJob) -> bool:
        """Run a job once; tell whether it is done, or comes back later."""
        trap = self._trap
        trap.enqueued_jobs.remove(job)
        before = list(trap.calls), list(trap.enqueued_jobs)
        trap._running = job
        try:
            with job.env.cr.savepoint(), as_loaded(job):
                perform(job)
        except Exception as error:
            # What was delayed is gone with the try.
            trap.calls[:], trap.enqueued_jobs[:] = before
            self._take_back(job, error)
            return False
        finally:
            trap._running = None
        return True

    def _take_back(self, job: TrappedJob, error: Exception) -> None:
        """Let a job wait for its next try.

        :raises Exception: the error, when it does not ask for that
        """
        if not isinstance(error, RetryableError):
            kind = type(error)
            job.set_failed(
                exc_name=f"{kind.__module__}.{kind.__name__}",
                exc_message=str(error),
            )
            raise error
        job.eta = self._now + dt.timedelta(seconds=self._seconds(job, error))
        job.result = str(error)
        self._trap.enqueued_jobs.append(job)

    def _seconds(self, job: TrappedJob, error: Any) -> float:
        if error.seconds is not None:
            return draw_seconds(error.seconds, shortest)
        return pattern_seconds(job.job_config.waits, job.retry, shortest)
