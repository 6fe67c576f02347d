"""Jobs that a test has stored: how many there are, which are new, and running them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from odoo import api, models

from ..job import Job
from .running import in_order
from .trap import JobsTrap, trap_jobs


class JobCounter:
    """The stored jobs, and those among them that were there when the counter was made.

    :param env: environment of a user who may read jobs
    """

    def __init__(self, env: api.Environment) -> None:
        self.env = env
        self.existing = self.search_all()

    def count_all(self) -> int:
        """Return the number of all jobs."""
        return len(self.search_all())

    def count_created(self) -> int:
        """Return the number of jobs that were stored since."""
        return len(self.search_created())

    def count_existing(self) -> int:
        """Return the number of jobs that were there before."""
        return len(self.existing)

    def search_created(self) -> models.BaseModel:
        """Return the jobs that were stored since, the newest first."""
        return self.search_all() - self.existing

    def search_all(self) -> models.BaseModel:
        """Return all jobs, the newest first."""
        return self.env["queue.job"].search([])


class JobMixin:
    """For test cases that store jobs and look at them; needs ``env``."""

    env: api.Environment

    def job_counter(self) -> JobCounter:
        """Return a counter that begins now."""
        return JobCounter(self.env)

    def perform_jobs(self, jobs: JobCounter | models.BaseModel) -> None:
        """Run stored jobs in this transaction; parents first, then by priority and age.

        Their records are left as they are. Whatever one raises ends it, a wish to be tried again
        as well.

        :param jobs: a counter, for those that were stored since; or ``queue.job`` records
        """
        records = jobs.search_created() if isinstance(jobs, JobCounter) else jobs
        loaded = [Job.load(self.env, record.uuid) for record in records.sorted("id")]
        for job in list(in_order(loaded)):
            job.perform()

    def trap_jobs(self) -> AbstractContextManager[JobsTrap]:
        """Keep jobs out of the database; see :func:`.trap.trap_jobs`."""
        return trap_jobs()

    def _create_job(self, method: Callable | None = None, **options: Any) -> models.BaseModel:
        """Store a job and return its record.

        :param method: bound method; ``self.method`` when not given
        :param options: further arguments of :class:`~..job.Job`
        """
        job = Job(method or self.method, **options)
        job.store()
        return Job.db_records_from_uuids(self.env, [job.uuid])
