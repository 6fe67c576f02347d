"""Looking after a running job from beside it: was it asked to stop, or is it beyond a limit?"""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psycopg2

from ..core.memory import Usage
from ..core.quoting import storable
from ..core.stop import Cause, Escalation, Means, Stop
from ..exception import JobCancelled, JobStopped, JobTimedOut, JobTooLarge
from ..storage.liveness import Liveness
from ..storage.stops import Told
from .gauge import Gauge, begin
from .stage import Stage

_logger = logging.getLogger(__name__)

ASK_SECONDS = 0.3
"""How often the table is asked whether a job is to stop; a job that takes less asks nobody."""

ERRORS = {
    Cause.CANCELLED: JobCancelled,
    Cause.TIMEOUT: JobTimedOut,
    Cause.MEMORY: JobTooLarge,
}


@dataclass
class Watched:
    """A running job, as who looks after it sees it.

    :param id: number of the row
    :param attempt: number of the attempt
    :param stage: where it runs
    :param liveness: the worker's side connection
    :param limit: seconds that it may take; ``None`` for no limit
    :param memory_limit: MB that it may add to what its worker takes; ``None`` for no limit
    :param break_statement: ends the statement that its transaction waits for
    :param record: writes down its end in a transaction of its own, before its worker is ended
    """

    id: int
    attempt: int
    stage: Stage
    liveness: Liveness
    limit: float | None
    memory_limit: float | None
    break_statement: Callable[[], None]
    record: Callable[[Stop], None]
    thread: int = field(default_factory=threading.get_ident)
    began: float = field(default_factory=time.monotonic)
    stop: Stop | None = None
    _gauge: Gauge = field(init=False)
    _told: set[Means] = field(default_factory=set)
    _asked: float = 0.0
    _plan: Escalation | None = None
    _open: bool = False
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._gauge = begin(alone=self.stage.is_alone)

    @property
    def usage(self) -> Usage:
        """What it took of memory so far."""
        return self._gauge.usage()

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let the code inside be interrupted: the job's own, and none of ours."""
        self._open = True
        try:
            yield
        finally:
            self.shut()

    def shut(self) -> None:
        """Let nothing be interrupted from here on: what follows is ours.

        An interruption may come while this waits for the guard; it has done its part by then.
        """
        while self._open:
            with suppress(JobStopped), self._guard:
                self._open = False
                self.stage.calm(self.thread)

    def look(self) -> None:
        """See whether the job is to stop, and do what is due."""
        now = time.monotonic()
        if self.stop is None:
            self._ask(now)
        if self.stop is None and self.limit is not None:
            self.stage.keep_alive()
        if self.stop and self._plan and self._open:
            # What falls due while code of ours runs is done when the job's own goes on.
            for means in self._plan.due(now):
                self._apply(means, self.stop)

    def _ask(self, now: float) -> None:
        usage = self.usage
        if self.limit is not None and now - self.began >= self.limit:
            self._begin(Stop(Cause.TIMEOUT, f"It took longer than its limit of {self.limit:g} s"))
        elif self.memory_limit is not None and usage.is_beyond(self.memory_limit):
            self._begin(Stop(Cause.MEMORY, _too_much(usage, self.memory_limit)))
        elif now - max(self.began, self._asked) >= ASK_SECONDS:
            self._asked = now
            text = self._read_wish()
            if text is not None:
                self._begin(Stop(Cause.CANCELLED, text))

    def _read_wish(self) -> str | None:
        """Return why somebody wants the job to stop, if anybody does and we can still be told."""
        try:
            return self.liveness.asked_to_stop(self.id, self.attempt)
        except psycopg2.Error as error:
            if self.liveness.usable:
                raise
            self._asked = math.inf
            _logger.warning(
                "job %s cannot be asked to stop any more, its side connection is lost: %s",
                self.id,
                str(error).strip(),
            )
            return None

    def _begin(self, stop: Stop) -> None:
        self.stop, self._plan = stop, Escalation(time.monotonic())

    def _apply(self, means: Means, stop: Stop) -> None:
        with self._guard:
            if not self._open:
                return
            if means is Means.RAISE:
                self.stage.interrupt(self.thread, ERRORS[stop.cause])
            elif means is Means.BREAK_STATEMENT:
                self.break_statement()
            elif self.stage.can_end_worker:
                self._end_worker(stop)
            self._tell(means, stop)

    def _tell(self, means: Means, stop: Stop) -> None:
        """Say so once, for those who look at the job; nothing depends on it."""
        if means in self._told:
            return
        self._told.add(means)
        left = None
        if self.stage.can_end_worker and self._plan is not None:
            left = max(0.0, self._plan.worker_ends - time.monotonic())
        with suppress(psycopg2.Error):
            told = Told(storable(stop.text), means.value, left)
            self.liveness.tell_stop(self.id, self.attempt, told)

    def _end_worker(self, stop: Stop) -> None:
        _logger.error("job %s takes no notice: its worker is ended. %s", self.id, stop.text)
        try:
            self.record(stop)
        except Exception:
            _logger.exception("job %s: its end could not be recorded; it is found lost", self.id)
        finally:
            # Whatever became of the record: there is no further round, and nobody else ends it.
            logging.shutdown()
            os.kill(os.getpid(), signal.SIGKILL)


def _too_much(usage: Usage, limit: float) -> str:
    return f"It took {usage.added_mb} MB of memory, more than its limit of {limit:g} MB"


class Watch:
    """What looks after the jobs of a lease, one after the other."""

    def __init__(self) -> None:
        self.job: Watched | None = None

    def look(self) -> None:
        """Look after the job that runs, if one does."""
        job = self.job
        if job:
            job.look()
