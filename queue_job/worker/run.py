"""A job in the hands of this worker, and the transaction in which it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg2

from odoo import SUPERUSER_ID, api

from .. import tracing
from ..core.stop import Stop
from ..current import RunningJob
from ..settings import settings
from ..storage import outcome
from ..storage.liveness import Liveness, StartedJob
from .stage import Stage
from .watch import Watch, Watched


class Taken(Exception):
    """The job is not this worker's any more; whatever it did must not be committed."""


class Conflict(Exception):
    """The job met conflicts in all its tries; the text is that of the last one."""


@dataclass(frozen=True)
class OpenLease:
    """What the jobs of a lease share.

    :param cr: cursor, of which each job makes a transaction of its own
    :param liveness: side connection that holds the lock of the running job
    :param extended: whether another addon extends the writing of jobs
    :param watch: what looks after the running job
    :param stage: where the jobs run
    """

    cr: Any
    liveness: Liveness
    extended: bool
    watch: Watch
    stage: Stage


@dataclass
class Run:
    """One job in the hands of this worker.

    :param lease: what it shares with others
    :param job: the job as stored
    :param record: writes down its end from beside, before the worker of a deaf job is ended
    """

    lease: OpenLease
    job: StartedJob
    record: Callable[[Run, Stop], None]
    began: float = field(default_factory=time.monotonic)
    followed: tracing.Attempt = tracing.UNFOLLOWED
    failings: int = 0
    """How often its failure was recorded; what was recorded before was rolled back."""
    current: RunningJob = field(init=False)
    watched: Watched = field(init=False)

    def __post_init__(self) -> None:
        job, lease = self.job, self.lease
        self.watched = Watched(
            job.id,
            job.attempt,
            lease.stage,
            lease.liveness,
            limit=job.timeout or settings().timeout,
            memory_limit=job.memory_limit or settings().memory,
            break_statement=lease.cr._cnx.cancel,
            record=lambda stop: self.record(self, stop),
        )
        self.current = RunningJob(job.uuid, job.id, job.attempt, lease.liveness, self.watched)

    @property
    def cr(self) -> Any:
        """The cursor of its transaction."""
        return self.lease.cr

    @property
    def env(self) -> api.Environment:
        """The engine's own environment in its transaction, as superuser."""
        return api.Environment(self.cr, SUPERUSER_ID, {})

    @property
    def liveness(self) -> Liveness:
        """The side connection that holds its lock."""
        return self.lease.liveness

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.began

    @property
    def spent(self) -> outcome.Spent:
        """What it took so far."""
        usage = self.watched.usage
        return outcome.Spent(self.seconds, usage.peak_mb, usage.added_mb)

    def commit(self) -> None:
        """Commit the job's work and tell other processes of the caches that it made stale."""
        # The job's own transaction ends here: its effects and its state become one fact.
        self.cr.commit()
        self.cr.transaction.registry.signal_changes()

    def undo(self) -> None:
        """Roll back the job's work, and what it did to the registry's caches."""
        self.cr.rollback()
        env = api.Environment(self.cr, None, {})
        env.transaction.reset()
        env.registry.reset_changes()

    def has_lost_connection(self, error: BaseException) -> bool:
        """Tell whether an error is that of a connection without which no end can be recorded."""
        lost = isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError))
        return lost and (self.cr.closed or not self.liveness.usable)
