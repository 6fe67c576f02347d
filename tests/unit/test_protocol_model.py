"""The protocol of leases, attempts and locks: every interleaving of the right one, and the way to
harm in each of the wrong ones.

The wrong ones show that the model sees: a check that never fails checks nothing. Each changes one
thing that somebody might take for a detail.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from core.states import JobState
from protocol_model import (
    CANCELLED,
    DONE,
    ENQUEUED,
    STARTED,
    At,
    Kind,
    Leader,
    LosingPower,
    Protocol,
    State,
    Step,
    change,
    explore,
    is_held,
    rest,
    set_leader,
)

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.rst"

ACTIONS = 39
"""Things that somebody can do, in the model. That a job is taken from a worker that can still be
told so is not among them: its lock is there, and nobody takes it."""


def check(protocol, actions):
    """Try everything, and hold the document to what it says of that."""
    found = explore(protocol)
    assert found.law is None, "\n".join([found.law, *found.trace])
    size = f"{len(found.states):,} states and {found.steps:,} steps"
    print(size)
    assert len(found.actions) == actions, sorted(found.actions)
    assert size in " ".join(DOCUMENT.read_text().split())
    return found


def test_the_protocol_keeps_every_law():
    found = check(Protocol(), ACTIONS)
    assert {worker.at for state in found.states for worker in state.workers} == set(At)
    states = set(JobState) - {JobState.WAIT_DEPENDENCIES}
    assert {state.row.state for state in found.states} == states


def test_it_keeps_them_when_the_last_commits_are_lost():
    check(LosingPower(), ACTIONS - 6 + 2)


class CompletesWithoutAttempt(Protocol):
    """``WHERE id = … AND state = 'started'``: whoever has it."""

    start = State(leaders=(Leader(),))

    def is_mine(self, row, attempt):
        return row.state is STARTED


class CompletesWhateverTheState(Protocol):
    """``WHERE id = …``"""

    def is_mine(self, row, attempt):
        return True


class StartsWhateverTheState(Protocol):
    """``WHERE id = … AND attempt = …``: an operator does not raise the attempt."""

    def may_start(self, row, attempt):
        return row.attempt == attempt


class StartsWhateverTheAttempt(Protocol):
    """``WHERE id = … AND state = 'enqueued'``: whichever request comes first, it runs the job."""

    def may_start(self, row, attempt):
        return row.state is ENQUEUED

    def locked(self, state, me):
        for action, kind, after, row in super().locked(state, me):
            # As the row says that was started.
            yield action, kind, after._replace(attempt=state.row.attempt) if row else after, row


class ReapsWithoutLooking(Protocol):
    """No lock is looked for: what lasts for too long must be dead."""

    def is_dead(self, state):
        return True


class LooksBeforeTheRowIsLocked(Protocol):
    """The locks are read first, and then the row is locked."""

    def reap(self, state, number):
        me = state.leaders[number]
        if me.saw and state.row.state in (ENQUEUED, STARTED):
            yield from self.take_back(state, number)
        elif self.is_dead(state):
            yield "looks at the locks", Kind.PROGRESS, set_leader(state, number, Leader(saw=True))


class ReapsWithoutLockingTheRow(Protocol):
    """Row and locks are read, and what is dead is taken back by its id."""

    def reap(self, state, number):
        if state.leaders[number].saw:
            yield from self.take_back(state, number)
        elif state.row.state in (ENQUEUED, STARTED) and self.is_dead(state):
            yield "reads", Kind.PROGRESS, set_leader(state, number, Leader(saw=True))


class KeepsTheAttempt(Protocol):
    """The attempt counts tries and is no fence: it stays when a job is taken back or given out."""

    def next_attempt(self, row):
        return row.attempt


class RecallsTheAttempt(Protocol):
    """A job that was taken back before it was started was not tried: its attempt is given back."""

    def leader(self, state, number, me):
        for step in super().leader(state, number, me):
            after = step.after
            if step.action == "recalls":
                after = after._replace(row=after.row._replace(attempt=state.row.attempt - 1))
            yield step._replace(after=after)


class LocksAfterTheStart(Protocol):
    """Two statements: the job is started, and then its lock is taken."""

    def received(self, _state, me):
        yield "gets ready", Kind.PROGRESS, me._replace(at=At.LOCKED, lock=0), None

    def started(self, state, me):
        if me.side and not me.lock:
            yield "locks", Kind.PROGRESS, me._replace(lock=me.attempt), None
        else:
            yield from super().started(state, me)


class LocksInTheJobsTransaction(Protocol):
    """``pg_advisory_xact_lock``: it ends with the first commit of a job that commits midway."""

    def working(self, state, me):
        for action, kind, after, row in super().working(state, me):
            lock = 0 if action == "commits midway" else after.lock
            yield action, kind, after._replace(lock=lock), row


class BeginsBeforeTheStart(Protocol):
    """The job's own transaction takes its snapshot first, and then the job is started."""

    start = State(leaders=(Leader(),))

    def started(self, _state, me):
        yield "works", Kind.PROGRESS, me._replace(at=At.WORKING), None


class CommitsTheWorkFirst(Protocol):
    """The work, and then its end in a transaction of its own."""

    start = State(leaders=(Leader(),))

    def written(self, state, me):
        row = state.row
        if me.stale:
            yield "commits its end", Kind.PROGRESS, rest(me), row._replace(state=DONE)
        else:
            worked = row._replace(effects=row.effects + 1)
            yield "commits its work", Kind.PROGRESS, me._replace(stale=True), worked


class CommitsTheEndFirst(Protocol):
    """The job is done when it is started, as a queue does that acknowledges what it hands out."""

    def written(self, state, me):
        yield "commits its end", Kind.PROGRESS, rest(me), state.row._replace(state=DONE)


class OperatorDoesNotLookAgain(Protocol):
    """READ COMMITTED: what is cancelled was pending when it was read."""

    def operator(self, state):
        yield from super().operator(state)
        if not is_held(state):
            after = change(state, state.row._replace(state=CANCELLED))
            yield Step("operator", None, "cancels what it saw", Kind.CHOICE, after)


class KeepsNoLock(Protocol):
    """The side connection is closed when the job is started."""

    def locked(self, state, me):
        for action, kind, after, row in super().locked(state, me):
            yield action, kind, after._replace(lock=0), row


class SurvivesTheLossOfPower(LosingPower):
    """The job's own connection outlives the server that it goes to, as through some proxy."""

    def survivors(self, state):
        return tuple(worker._replace(lock=0, side=False) for worker in state.workers)


TAKEN = "a job is taken from a worker that lives"

BROKEN = {
    CompletesWithoutAttempt: "a worker ends what was taken back from it",
    CompletesWhateverTheState: "a job goes from pending to failed",
    StartsWhateverTheState: "a job goes from cancelled to started",
    StartsWhateverTheAttempt: TAKEN,
    ReapsWithoutLooking: TAKEN,
    LooksBeforeTheRowIsLocked: TAKEN,
    ReapsWithoutLockingTheRow: TAKEN,
    KeepsTheAttempt: "two runs can both commit",
    RecallsTheAttempt: "the attempt goes back",
    LocksAfterTheStart: TAKEN,
    LocksInTheJobsTransaction: TAKEN,
    KeepsNoLock: TAKEN,
    BeginsBeforeTheStart: "a job never comes to its end",
    CommitsTheWorkFirst: "the effects are committed twice",
    CommitsTheEndFirst: "a job is done without its effects",
    OperatorDoesNotLookAgain: "a job goes from done to cancelled",
    SurvivesTheLossOfPower: "a job goes from pending to failed",
}


@pytest.mark.parametrize("protocol", BROKEN, ids=lambda protocol: protocol.__name__)
def test_a_broken_protocol_is_found_out(protocol):
    found = explore(protocol())
    print("\n".join(found.trace))
    assert found.law == BROKEN[protocol]
