"""A trap for jobs: what is delayed while it is set comes here instead of into the database."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import TestCase, mock

from odoo import api

from .. import delay
from ..job import DONE, PENDING, Job
from .calls import PROPERTIES, JobCall, is_same_method, listed
from .retry_plan import check_plan
from .running import Drain, in_order, perform

DRAIN_LIMIT = 1000
"""Tries after which :meth:`JobsTrap.drain` takes it that jobs delay each other for ever."""


@contextmanager
def trap_jobs() -> Iterator[JobsTrap]:
    """Keep the jobs that are delayed in this block out of the database::

        with trap_jobs() as trap:
            order.action_confirm()
            trap.assert_jobs_count(1, only=order.export)
            trap.assert_enqueued_job(
                order.export, args=("new",), properties={"channel": "root.export"}
            )
            trap.perform_enqueued_jobs()

    It makes no difference how they are delayed: ``with_delay()``, ``delayable()`` with its chains
    and groups, or the ``delay`` of a method or function with ``@job``.

    :return: a context manager that gives the :class:`JobsTrap`
    """
    with JobsTrap() as trap:
        yield trap


class TrappedJob(Job):
    """A job that is kept in a trap; a subclass per trap says which.

    :param func: bound method, or a module-level job function
    :param options: what :class:`~..job.Job` takes
    """

    trap: JobsTrap
    is_plain = False  # Each is to be noted.

    def __init__(self, func: Callable, **options: Any) -> None:
        super().__init__(func, **options)
        self.call = JobCall(
            func,
            self.args,
            self.kwargs,
            {name: options[name] for name in PROPERTIES if name in options},
        )
        self.noted = False
        self.age = 0
        self._depends_on, self._reverse_depends_on = set(), set()

    def store(self) -> None:
        """Do nothing: the job is not to be stored."""

    def as_if_stored(self) -> None:
        """Give the records the context that they would have after storing and loading."""
        context = self.recordset._job_prepare_context_before_enqueue()
        self.recordset = self.recordset.with_context(context)

    def perform(self) -> Any:
        """Make the call, as every job does.

        One that must not be delayed comes here without having been stored: it is noted.
        """
        if self.noted:
            return super().perform()
        self.trap._note([self], [self])
        result = super().perform()
        self.set_done()
        return result


class JobsTrap:
    """Jobs that were delayed while the trap was set, and what tests want to know of them.

    :param job_mock: accepted from code that mocks the class of jobs by itself; not needed
    :ivar calls: a :class:`JobCall` for everything that was asked to be delayed, in this order
    :ivar enqueued_jobs: the jobs that this gave, as long as they were not run; calls with the
        same identity key give one job, as long as it waits
    """

    def __init__(self, job_mock: Any = None) -> None:
        self.job_mock = job_mock
        self.calls: list[JobCall] = []
        self.enqueued_jobs: list[TrappedJob] = []
        self._patches: list[ExitStack] = []
        self._ages = itertools.count()
        self._running: TrappedJob | None = None

    def __repr__(self) -> str:
        return repr(self.calls)

    def __enter__(self) -> JobsTrap:
        job_class = type(TrappedJob.__name__, (TrappedJob,), {"trap": self})
        with ExitStack() as stack:
            stack.enter_context(mock.patch.object(delay, "Job", job_class))
            stack.enter_context(mock.patch.object(delay, "store_jobs", self._store_jobs))
            self._patches.append(stack.pop_all())
        return self

    def __exit__(self, *_error: object) -> None:
        self._patches.pop().close()

    # What was delayed

    def jobs_count(self, only: Callable | None = None) -> int:
        """Return how many jobs wait.

        :param only: count those of this method, on the records it is bound to
        """
        if only is None:
            return len(self.enqueued_jobs)
        return sum(is_same_method(job.call.method, only) for job in self.enqueued_jobs)

    def assert_jobs_count(self, expected: int, only: Callable | None = None) -> None:
        """Check how many jobs wait.

        :param expected: the number
        :param only: count those of this method, on the records it is bound to
        :raises AssertionError: with the list of those that wait
        """
        waiting = listed(job.call for job in self.enqueued_jobs)
        message = f"\nActual enqueued jobs:\n{waiting}"
        TestCase().assertEqual(self.jobs_count(only), expected, message)

    def assert_enqueued_job(
        self,
        method: Callable,
        args: Sequence | None = None,
        kwargs: dict | None = None,
        properties: dict | None = None,
    ) -> None:
        """Check that a call was delayed, whether or not it was run since.

        :param method: the method, bound to the very records; or a module-level job function
        :param args: all its positional arguments
        :param kwargs: all its keyword arguments
        :param properties: options of the queue as they were given; others may be anything
        :raises AssertionError: with the list of the calls that were delayed instead
        """
        asked = properties or {}
        expected = JobCall(method, tuple(args or ()), kwargs or {}, asked)
        if not any(expected == call.only(asked) for call in self.calls):
            raise AssertionError(
                f"Job {expected!r} was not enqueued.\n"
                f"Actual enqueued jobs:\n{listed(self.calls, asked)}",
            )

    def assert_retry_plan(
        self, target: Any, expected: Sequence, max_retries: int | None = None
    ) -> None:
        """Check the seconds between the tries of a job that asks to be tried again each time.

        Nothing is run, and nothing is waited for. There is one number less than tries: after the
        last one the job has failed. Of a job without limit the first ones are compared, as many
        as are expected. Where seconds are drawn, the two bounds are expected, ``(60, 90)``.

        :param target: a bound method, a module-level job function, or a trapped job or call
        :param expected: seconds after the first try, after the second and so on
        :param max_retries: number of tries; those of the job, or 5, when not given
        :raises AssertionError: with the seconds that the retry pattern gives
        """
        check_plan(target, expected, max_retries)

    # Running

    def perform_enqueued_jobs(self) -> None:
        """Run the jobs that wait, in this transaction; parents first, then by priority.

        Those that they delay in turn wait for the next time. Whatever one raises ends it, a wish
        to be tried again as well.
        """
        jobs, self.enqueued_jobs = self.enqueued_jobs, []
        for job in in_order(jobs):
            if job.state != DONE:
                perform(job)

    def drain(self, limit: int = DRAIN_LIMIT) -> list[TrappedJob]:
        """Run the jobs that wait, those that they delay in turn, and so on until none is left.

        They run in this transaction one after the other, as a single worker would run them: none
        before those that it depends on, then by time, priority and age. Nothing is waited for: a
        job whose time is still to come runs after all those that are due. Each one gets its
        records and arguments as storing and loading would give them. One that asks to be tried
        again is tried again, at its time and up to its number of tries; what such a try did is
        rolled back, along with the jobs that it delayed. Jobs that wait for one that has failed
        before stay where they are.

        :param limit: number of tries, of all jobs together
        :return: the jobs that are done, in the order in which they ran, with their ``result``
        :raises AssertionError: when so many tries were not enough, with what is left
        :raises ArgumentError: naming an argument that a job cannot carry
        """
        with self:
            return Drain(self, limit).run()

    # In the place of the database

    def _store_jobs(
        self,
        _env: api.Environment,
        jobs: Sequence[TrappedJob],
        edges: Sequence = (),
        *,
        apart: bool = False,
    ) -> dict[TrappedJob, TrappedJob]:
        """Keep jobs; takes and returns what :func:`~..store.store_jobs` does."""
        places = self._places(jobs)
        keyed = [job for job in jobs if job.identity_key]
        refused = not apart and keyed and all(places[job] is not job for job in keyed)
        new = [] if refused else [job for job in jobs if places[job] is job]
        self._note(jobs, new)
        waiting = set(new)
        graph_uuid = str(uuid.uuid4()) if edges else None
        for job in new:
            job.graph_uuid, job.state = graph_uuid, PENDING
            job.as_if_stored()
        for parent, child in edges:
            if child in waiting and places[parent] is not child:
                child.add_depends({places[parent]})
        return places

    def _places(self, jobs: Sequence[TrappedJob]) -> dict[TrappedJob, TrappedJob]:
        """Return, by each job, the one that waits in its place: itself, or its like."""
        first = {job.identity_key: job for job in self._holders() if job.identity_key}
        places = {}
        for job in jobs:
            key = job.identity_key
            places[job] = first.setdefault(key, job) if key else job
        return places

    def _holders(self) -> list[TrappedJob]:
        """Return the jobs whose identity key keeps others out."""
        running = self._running
        if running is None or running.job_config.identity_scope != "running":
            return self.enqueued_jobs
        return [*self.enqueued_jobs, running]

    def _note(self, jobs: Sequence[TrappedJob], new: Sequence[TrappedJob]) -> None:
        """Remember what was asked for, and the jobs that it gave."""
        self.calls += [job.call for job in jobs]
        self.enqueued_jobs += new
        for job in new:
            job.noted, job.age = True, next(self._ages)
