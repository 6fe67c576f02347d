"""The life of a job as stretches of time, one row for each attempt.

Dates come from the clocks of several machines, and from rows that people have changed: a stretch
never ends before it begins, none overlaps the one before, and what is not known is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from .states import FINAL, JobState

MOST_ROWS = 60
"""Attempts that are drawn: the first one and the last ones; what is between them is counted."""


class Stretch(str, Enum):
    """What a job did for a while; the values are what the screen is sent."""

    PARENTS = "parents"
    """It waited for the jobs that it depends on."""
    SCHEDULED = "scheduled"
    """Its time had not come."""
    WAITING = "waiting"
    """It could have run."""
    DISPATCHED = "dispatched"
    """It was sent to a worker, which had others to run first."""
    RUNNING = "running"
    """A worker ran it."""
    BACKOFF = "backoff"
    """It waited for its next try."""
    SNOOZED = "snoozed"
    """It had asked to come back later."""
    RESTING = "resting"
    """It had failed, and nobody had asked for it yet."""


PAUSES = {
    "postponed": Stretch.BACKOFF,
    "conflict": Stretch.BACKOFF,
    "snoozed": Stretch.SNOOZED,
}
"""What an attempt that sent the job back for later is followed by."""


@dataclass(frozen=True)
class Attempt:
    """A try that did not end well.

    :param number: of the attempt
    :param outcome: ``failed``, ``postponed``, ``snoozed``, ``conflict``, ``lost`` or ``cancelled``
    :param started: when, if that is known
    :param ended: the same
    """

    number: int
    outcome: str
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True)
class JobDates:
    """What the row of a job says of its time; of a date that is not known, ``None``.

    :param state: its state
    :param number: of the last attempt
    :param eta: before which it does not run
    :param freed: when the last of the jobs that it waited for was done
    :param has_parents: whether it waited for others
    """

    state: JobState
    number: int = 0
    created: datetime | None = None
    enqueued: datetime | None = None
    started: datetime | None = None
    done: datetime | None = None
    cancelled: datetime | None = None
    eta: datetime | None = None
    freed: datetime | None = None
    has_parents: bool = False


@dataclass(frozen=True)
class Segment:
    """A stretch of time, in seconds since the beginning of the timeline.

    :param stretch: what the job did
    :param begin: seconds
    :param end: seconds, of one that goes on the present
    :param live: whether it goes on
    """

    stretch: Stretch
    begin: float
    end: float
    live: bool = False


@dataclass(frozen=True)
class Row:
    """An attempt with what was before it.

    :param number: of the attempt; 0 for what leads to none
    :param outcome: how it ended; the state of the job for one that has not
    :param segments: in the order of time
    """

    number: int
    outcome: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Timeline:
    """What is drawn.

    :param begin: of all, if it is known
    :param seconds: length of all
    :param rows: one for each attempt
    :param left_out: attempts between the first row and the second that are not drawn
    """

    begin: datetime | None
    seconds: float
    rows: tuple[Row, ...]
    left_out: int = 0


class _Pen:
    """Draws stretches one after the other; where the last one ended the next begins."""

    def __init__(self, begin: datetime) -> None:
        self._begin = begin
        self._at = 0.0
        self._segments: list[Segment] = []

    def draw(self, stretch: Stretch, until: datetime | None, live: bool = False) -> None:
        """Go on to a time; nowhere when it is not known, or lies before what is drawn."""
        if until is None:
            return
        end = max(self._at, (until - self._begin).total_seconds())
        if end > self._at or live or stretch is Stretch.RUNNING:
            self._segments.append(Segment(stretch, self._at, end, live))
        self._at = end

    def row(self, number: int, outcome: str) -> Row:
        """Return what was drawn since the last row."""
        segments, self._segments = tuple(self._segments), []
        return Row(number, outcome, segments)

    @property
    def has_drawn(self) -> bool:
        return bool(self._segments)

    @property
    def at(self) -> float:
        return self._at


def draw_timeline(job: JobDates, attempts: Sequence[Attempt], now: datetime) -> Timeline:
    """Return the timeline of a job.

    :param job: what its row says
    :param attempts: those that did not end well, in any order
    :param now: the present, by the clock of the database
    """
    attempts = sorted(attempts, key=lambda attempt: attempt.number)
    begin = _beginning(job, attempts)
    if begin is None:
        return Timeline(None, 0.0, ())
    pen = _Pen(begin)
    rows = [
        _draw_attempt(pen, job, attempt, attempts[number - 1] if number else None)
        for number, attempt in enumerate(attempts)
    ]
    rows += _draw_rest(pen, job, attempts[-1] if attempts else None, now)
    if len(rows) <= MOST_ROWS:
        return Timeline(begin, pen.at, tuple(rows))
    kept = (rows[0], *rows[1 - MOST_ROWS :])
    return Timeline(begin, pen.at, kept, len(rows) - len(kept))


def _beginning(job: JobDates, attempts: Sequence[Attempt]) -> datetime | None:
    """Return when the job was stored, or the first that is known of it."""
    dates = [job.enqueued, job.started, job.done, job.cancelled]
    dates += [attempt.started or attempt.ended for attempt in attempts]
    return job.created or min(filter(None, dates), default=None)


def _draw_attempt(pen: _Pen, job: JobDates, attempt: Attempt, before: Attempt | None) -> Row:
    # Of an attempt before the last nothing is kept but when it started and ended.
    is_last = attempt.number == job.number
    started = attempt.started or (job.started if is_last else None)
    # The time of one that was postponed is that of the try after it.
    eta = job.eta if is_last and attempt.outcome not in PAUSES else None
    _draw_wait(pen, job, before, until=started or attempt.ended, eta=eta)
    if is_last:
        _draw_dispatch(pen, job, before, started)
    _draw_gap(pen, before, started or attempt.ended)
    if started:
        pen.draw(Stretch.RUNNING, attempt.ended)
    return pen.row(attempt.number, attempt.outcome)


def _draw_wait(
    pen: _Pen,
    job: JobDates,
    before: Attempt | None,
    until: datetime | None,
    eta: datetime | None = None,
) -> None:
    """Draw what is known of the time before an attempt, as far as it could have run."""
    if before is None and job.has_parents:
        pen.draw(Stretch.PARENTS, _earlier(job.freed or until, until))
    # A later one is of another try, or was set when it did not count any more.
    if eta and until and eta <= until:
        pen.draw(_until_eta(before), eta)


def _until_eta(before: Attempt | None) -> Stretch:
    """Return what waiting for the next time is called after an attempt."""
    return PAUSES.get(before.outcome, Stretch.SCHEDULED) if before else Stretch.SCHEDULED


def _draw_dispatch(
    pen: _Pen, job: JobDates, before: Attempt | None, started: datetime | None
) -> None:
    """Draw the way to the worker of the last attempt, which alone is known."""
    if job.enqueued is None or (started and job.enqueued > started):
        return
    # When somebody asked for it again is not kept.
    rested = before is not None and before.outcome == "failed"
    pen.draw(Stretch.RESTING if rested else Stretch.WAITING, job.enqueued)
    pen.draw(Stretch.DISPATCHED, started)


def _draw_gap(pen: _Pen, before: Attempt | None, until: datetime | None) -> None:
    """Draw what is not known better between an attempt and what came after it."""
    gaps = {**PAUSES, "failed": Stretch.RESTING}
    pen.draw(gaps.get(before.outcome, Stretch.WAITING) if before else Stretch.WAITING, until)


def _draw_rest(pen: _Pen, job: JobDates, last: Attempt | None, now: datetime) -> list[Row]:
    """Draw what came after the attempts that did not end well, if anything did."""
    number = 0
    if _has_run_well(job, last):
        number = job.number
        _draw_run(pen, job, last, job.done, live=False)
    elif job.state is JobState.STARTED:
        number = job.number
        _draw_run(pen, job, last, now, live=True)
    elif job.state in FINAL:
        _draw_end_by_hand(pen, job, last)
    else:
        number = job.number if job.state is JobState.ENQUEUED else 0
        _draw_present(pen, job, last, now)
    return [pen.row(number, job.state.value)] if pen.has_drawn else []


def _has_run_well(job: JobDates, last: Attempt | None) -> bool:
    """Tell whether the job is done by its own doing."""
    known = last is not None and last.number == job.number
    return job.state is JobState.DONE and job.started is not None and not known


def _draw_run(
    pen: _Pen, job: JobDates, last: Attempt | None, until: datetime | None, *, live: bool
) -> None:
    """Draw an attempt of which only the row of the job tells."""
    _draw_wait(pen, job, last, until=job.started, eta=job.eta)
    _draw_dispatch(pen, job, last, job.started)
    _draw_gap(pen, last, job.started)
    pen.draw(Stretch.RUNNING, until, live)


def _draw_end_by_hand(pen: _Pen, job: JobDates, last: Attempt | None) -> None:
    """Draw what came before somebody ended the job, or before an end of which no attempt tells."""
    if last is not None and (job.state is JobState.FAILED or _was_stopped(job, last)):
        return
    ends = {JobState.CANCELLED: job.cancelled, JobState.DONE: job.done}
    ended = ends.get(job.state, job.started)
    _draw_wait(pen, job, last, until=ended)
    _draw_gap(pen, last, ended)


def _was_stopped(job: JobDates, last: Attempt) -> bool:
    """Tell whether the job was cancelled while it ran, and not while it waited again."""
    return last.outcome == job.state.value and job.started is not None


def _draw_present(pen: _Pen, job: JobDates, last: Attempt | None, now: datetime) -> None:
    """Draw what a job does that has neither ended nor is running."""
    if job.state is JobState.WAIT_DEPENDENCIES:
        pen.draw(Stretch.PARENTS, now, live=True)
    elif job.state is JobState.ENQUEUED:
        _draw_wait(pen, job, last, until=job.enqueued, eta=job.eta)
        _draw_dispatch(pen, job, last, None)
        pen.draw(Stretch.DISPATCHED, now, live=True)
    elif job.eta and job.eta > now:
        _draw_wait(pen, job, last, until=job.freed)
        pen.draw(_until_eta(last), now, live=True)
    else:
        _draw_wait(pen, job, last, until=now, eta=job.eta)
        pen.draw(Stretch.WAITING, now, live=True)


def _earlier(date: datetime | None, bound: datetime | None) -> datetime | None:
    """Return a date, the bound when it lies behind that; nothing when it is not known."""
    return min(date, bound) if date and bound else date
