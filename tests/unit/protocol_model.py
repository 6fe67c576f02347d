"""The protocol that gives a job to one worker at a time, small enough to try every interleaving.

::

    LEADER, two of them              ROW                     WORKER, two of them
    ----------------------           ---                     -------------------------------------
    enqueue  ----------------------> enqueued, attempt + 1
    send     - - - - - - - - - - - - request - - - - - - ->  receive
                                                             lock      job and attempt, by session
                                     started   <-----------  start     where enqueued, its attempt
                                                             snapshot  of the job's transaction
                                                             work
                                     (row lock) <----------  complete  where started, its attempt
                                     done      <-----------  commit    the work and its end are one
    recall   ----------------------> pending, attempt + 1    from enqueued
    reap     ----------------------> pending, attempt + 1    from both, where nobody has the lock

    OPERATOR   writes (row lock), then commits or rolls back: cancel, requeue, set to done, edit
    FAULTS     a worker dies, its side connection breaks, a leader forgets what it knew, a request
               is lost or comes twice

:class:`Protocol` has a method for each actor, which yields the steps that it can take, and one for
each guard, which is the condition that the SQL of ``queue_job/storage`` puts on a step. A broken
protocol overrides one of them. What must hold whatever happens is in :func:`broken_law`;
:func:`explore` tries everything.

Nothing is counted that could grow: any failure may be the last try, any loss the last worker that
a job may lose. Attempts are compared for being equal and in no other way, so that states which
differ only by their numbers, or by which worker is the first, are one: see :func:`canonical`. The
states are finite then without a limit on crashes, retries or what an operator wants.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import cache
from typing import Any, NamedTuple

from core.states import FINAL, RUNNING, JobState, may_become, sources

PENDING, ENQUEUED, STARTED = JobState.PENDING, JobState.ENQUEUED, JobState.STARTED
DONE, CANCELLED, FAILED = JobState.DONE, JobState.CANCELLED, JobState.FAILED

NOW = 9
"""What :func:`canonical` calls the attempt of the row: more than there can be others."""


class Row(NamedTuple):
    """What the table says of the job, and what an onlooker counts.

    :param effects: commits of its work since somebody asked for it
    """

    state: JobState
    attempt: int
    effects: int


class At(IntEnum):
    """Where a worker stands."""

    __hash__ = int.__hash__
    """Most of the time goes into looking states up."""

    IDLE = 0
    RECEIVED = 1
    LOCKED = 2
    """START has the lock, and not yet the row."""
    STARTED = 3
    """The row says started; the job's own transaction has not begun."""
    WORKING = 4
    WRITTEN = 5
    """COMPLETE has written to the row, and holds it until the commit."""
    ENDING = 6
    """The work is rolled back, and a new transaction is to record why."""
    RECORDED = 7
    """FAIL or POSTPONE has written to the row, and holds it until the commit."""


HAS_SNAPSHOT = (At.WORKING, At.ENDING)
HOLDS_ROW = (At.WRITTEN, At.RECORDED)


class Worker(NamedTuple):
    """A process that takes requests.

    :param attempt: what the request in its hands says
    :param lock: attempt whose lock its side connection holds; 0 for none
    :param side: the side connection is there, or will be opened when it is wanted
    :param mine: its snapshot shows the row as started by its attempt
    :param stale: the row was changed after that snapshot
    """

    at: At = At.IDLE
    attempt: int = 0
    lock: int = 0
    side: bool = True
    mine: bool = False
    stale: bool = False


class Leader(NamedTuple):
    """A runner that believes that it leads.

    :param attempt: of its open lease; 0 when it knows of none
    :param sent: the request is out
    :param saw: what a broken reaper remembers
    """

    attempt: int = 0
    sent: bool = False
    saw: bool = False


class State(NamedTuple):
    """Everything at one moment.

    :param operator: a user's transaction has written to the row and not ended
    :param flight: attempt of the request that is on its way; 0 for none
    :param kept: what is on the disk of the row, when that is asked; ``None`` is the row itself
    """

    row: Row = Row(PENDING, 1, 0)
    workers: tuple[Worker, ...] = (Worker(), Worker())
    leaders: tuple[Leader, ...] = (Leader(), Leader())
    operator: bool = False
    flight: int = 0
    kept: Row | None = None


class Kind(Enum):
    """Whether a step may be relied on."""

    PROGRESS = "somebody does the next thing"
    CHOICE = "a user wants something, or a job ends in one of several ways"
    FAULT = "something breaks"


class Step(NamedTuple):
    """What one actor does.

    :param number: which of the workers or leaders it is
    :param after: the state that it leads to
    """

    actor: str
    number: int | None
    action: str
    kind: Kind
    after: State


Moves = Iterator[tuple[str, Kind, Worker, "Row | None"]]
"""What a worker can do: its name, what the worker becomes, and the row if that is changed."""


class Protocol:
    """The steps of every actor in a state."""

    start = State()

    def steps(self, state: State) -> Iterator[Step]:
        """Yield every step that can be next."""
        for number, leader in distinct(state.leaders):
            yield from self.leader(state, number, leader)
        for number, worker in distinct(state.workers):
            for action, kind, after, row in self.moves[worker.at](self, state, worker):
                changed = state if row is None else change(state, row)
                yield Step("worker", number, action, kind, set_worker(changed, number, after))
        yield from self.network(state)
        yield from self.operator(state)
        yield from self.faults(state)

    # The guards

    def may_start(self, row: Row, attempt: int) -> bool:
        """``liveness.PREPARE``: it is enqueued, and by the attempt of the request."""
        return row.state is ENQUEUED and row.attempt == attempt

    def is_mine(self, row: Row, attempt: int) -> bool:
        """``outcome.COMPLETE``, ``FAIL``, ``POSTPONE``, ``liveness.IS_MINE``: the fence."""
        return row.state is STARTED and row.attempt == attempt

    def is_dead(self, state: State) -> bool:
        """``dispatch.REAP``: no session holds the lock of the attempt."""
        return all(worker.lock != state.row.attempt for worker in state.workers)

    def next_attempt(self, row: Row) -> int:
        """``dispatch.ENQUEUE``, ``RECALL`` and ``REAP``: each raises it."""
        return row.attempt + 1

    # A leader: every step is a statement on its autocommit connection

    def leader(self, state: State, number: int, me: Leader) -> Iterator[Step]:
        """Yield what a runner can do; a row that somebody holds is passed over."""
        row, free = state.row, not is_held(state)
        if not me.attempt:
            if row.state is PENDING and free:
                taken = Row(ENQUEUED, self.next_attempt(row), row.effects)
                after = set_leader(change(state, taken), number, Leader(taken.attempt))
                yield Step("leader", number, "enqueues", Kind.PROGRESS, after)
            for action, kind, after in self.reap(state, number) if free else ():
                yield Step("leader", number, action, kind, after)
            return
        if not me.sent and not state.flight:
            after = set_leader(state, number, Leader(me.attempt, sent=True))
            after = after._replace(flight=me.attempt)
            yield Step("leader", number, "sends", Kind.PROGRESS, after)
        if me.sent and not is_out(state, me.attempt):
            # The answer, whatever it says; what is left to do, the reaper finds.
            after = set_leader(state, number, Leader())
            yield Step("leader", number, "hears the answer", Kind.PROGRESS, after)
        if row.state is ENQUEUED and row.attempt == me.attempt and free:
            back = Row(PENDING, self.next_attempt(row), row.effects)
            after = set_leader(change(state, back), number, Leader())
            yield Step("leader", number, "recalls", Kind.PROGRESS, after)

    def reap(self, state: State, number: int) -> Iterator[tuple[str, Kind, State]]:
        """Yield the taking back of a job that is in no lease of this runner."""
        if state.row.state in RUNNING and self.is_dead(state):
            yield from self.take_back(state, number)

    def take_back(self, state: State, number: int) -> Iterator[tuple[str, Kind, State]]:
        """Yield what becomes of a job whose worker is gone."""
        back = Row(PENDING, self.next_attempt(state.row), state.row.effects)
        known = set_leader(state, number, Leader())
        yield "reaps", Kind.PROGRESS, change(known, back)
        if state.row.state is STARTED:
            # Its third loss, perhaps.
            yield "reaps for good", Kind.CHOICE, change(known, back._replace(state=FAILED))

    # A worker, wherever it stands

    def idle(self, _state: State, me: Worker) -> Moves:
        """The lock of the last job goes with the start of the next one, or in a while."""
        if me.lock:
            yield "frees its lock", Kind.PROGRESS, Worker(), None

    def received(self, state: State, me: Worker) -> Moves:
        """START: first the lock; the one of before goes in the same breath."""
        # Its lease has lasted long enough, with the jobs before this one.
        yield "answers without a start", Kind.CHOICE, rest(me), None
        if any(other.lock == me.attempt for other in state.workers):
            yield "finds the lock taken", Kind.PROGRESS, Worker(), None
        else:
            yield "locks", Kind.PROGRESS, Worker(At.LOCKED, me.attempt, me.attempt), None

    def locked(self, state: State, me: Worker) -> Moves:
        """START: then the row; it waits for a moment, and gives up."""
        if is_held(state):
            yield "does not get the row", Kind.PROGRESS, Worker(), None
        elif self.may_start(state.row, me.attempt):
            row = state.row._replace(state=STARTED)
            yield "starts", Kind.PROGRESS, me._replace(at=At.STARTED), row
            yield "starts, and is not told", Kind.FAULT, Worker(), row
        else:
            yield "finds nothing to start", Kind.PROGRESS, Worker(), None

    def started(self, state: State, me: Worker) -> Moves:
        """The job's own transaction begins when the start is committed, never before."""
        yield "begins", Kind.PROGRESS, self.snapshot(state, me, At.WORKING), None
        yield "begins to record a failure", Kind.CHOICE, self.snapshot(state, me, At.ENDING), None

    def snapshot(self, state: State, me: Worker, at: At) -> Worker:
        """Return the worker in a transaction that sees the row as it is now."""
        mine = self.is_mine(state.row, me.attempt)
        return Worker(at, me.attempt, me.lock, me.side, mine)

    def working(self, state: State, me: Worker) -> Moves:
        """COMPLETE: finds the row of its snapshot, and fails if that was changed since."""
        yield "commits midway", Kind.CHOICE, self.snapshot(state, me, At.WORKING), None
        yield "raises", Kind.CHOICE, roll_back(me), None
        if not me.mine:
            yield "is refused by the fence", Kind.PROGRESS, rest(me), None
        elif me.stale:
            yield from self.conflict(state, me, Kind.PROGRESS)
        elif not is_held(state):
            yield "completes", Kind.PROGRESS, me._replace(at=At.WRITTEN), None
            # With somebody else, about something else.
            yield from self.conflict(state, me, Kind.CHOICE)

    def conflict(self, state: State, me: Worker, kind: Kind) -> Moves:
        """Rolled back, it asks on the side connection before it tries again."""
        if not me.side:
            yield "conflicts, and cannot ask", kind, Worker(), None
        elif self.is_mine(state.row, me.attempt):
            yield "conflicts, and tries again", kind, roll_back(me), None
        else:
            yield "conflicts, and is told why", kind, rest(me), None

    def written(self, state: State, me: Worker) -> Moves:
        """One commit for both; that it dies before it hears of it is a death while idle."""
        done = state.row._replace(state=DONE, effects=state.row.effects + 1)
        yield "commits", Kind.PROGRESS, rest(me), done

    def ending(self, state: State, me: Worker) -> Moves:
        """FAIL and POSTPONE: the same fence; a conflict makes the worker give the job up."""
        if not me.mine:
            yield "is refused by the fence", Kind.PROGRESS, rest(me), None
        elif me.stale:
            yield "conflicts, and gives up", Kind.PROGRESS, Worker(), None
        elif not is_held(state):
            yield "records its end", Kind.PROGRESS, me._replace(at=At.RECORDED), None

    def recorded(self, state: State, me: Worker) -> Moves:
        """A postponed job keeps its attempt until it is enqueued again."""
        yield "commits: failed", Kind.PROGRESS, rest(me), state.row._replace(state=FAILED)
        yield "commits: postponed", Kind.PROGRESS, rest(me), state.row._replace(state=PENDING)

    moves = {
        At.IDLE: lambda self, *now: self.idle(*now),
        At.RECEIVED: lambda self, *now: self.received(*now),
        At.LOCKED: lambda self, *now: self.locked(*now),
        At.STARTED: lambda self, *now: self.started(*now),
        At.WORKING: lambda self, *now: self.working(*now),
        At.WRITTEN: lambda self, *now: self.written(*now),
        At.ENDING: lambda self, *now: self.ending(*now),
        At.RECORDED: lambda self, *now: self.recorded(*now),
    }

    # The others

    def network(self, state: State) -> Iterator[Step]:
        """Yield what becomes of a request."""
        if not state.flight:
            return
        landed = state._replace(flight=0)
        for number, worker in distinct(state.workers):
            if worker.at is At.IDLE:
                # Its lock of before is still there.
                busy = Worker(At.RECEIVED, state.flight, worker.lock)
                after = set_worker(landed, number, busy)
                yield Step("worker", number, "receives", Kind.PROGRESS, after)
                # A proxy may have sent it again.
                after = set_worker(state, number, busy)
                yield Step("worker", number, "receives the first of two", Kind.FAULT, after)
        yield Step("network", None, "loses a request", Kind.FAULT, landed)

    def operator(self, state: State) -> Iterator[Step]:
        """Yield what a user can do: ``QueueJob._change_state`` and ``QueueJob.write``.

        To read and to write are one step: under REPEATABLE READ nobody writes to what was changed
        since it was read, and Odoo asks again. What is wanted may be chosen at the commit, since
        nobody changes the row meanwhile.
        """
        if state.operator:
            ended = state._replace(operator=False)
            yield Step("operator", None, "rolls back", Kind.PROGRESS, ended)
            for wish, row in self.wishes(state.row):
                yield Step("operator", None, f"commits: {wish}", Kind.CHOICE, change(ended, row))
        elif not is_held(state) and state.row.state is not STARTED:
            after = state._replace(operator=True)
            yield Step("operator", None, "writes", Kind.CHOICE, after)

    def wishes(self, row: Row) -> Iterator[tuple[str, Row]]:
        """Yield what may be wanted of a job, by the table of which the buttons are made."""
        yield "edit", row
        if row.state in sources(CANCELLED):
            yield "cancel", row._replace(state=CANCELLED)
        if row.state in sources(DONE) - {STARTED}:
            yield "set to done", row._replace(state=DONE)
        if row.state in sources(PENDING) & FINAL:
            # Who asks for the work again wants its effects again.
            yield "requeue", row._replace(state=PENDING, effects=0)

    def faults(self, state: State) -> Iterator[Step]:
        """Yield what can break."""
        for number, worker in distinct(state.workers):
            if worker != Worker():
                # Its sessions end with it: the lock is gone, and what was not committed.
                after = set_worker(state, number, Worker())
                yield Step("worker", number, "dies", Kind.FAULT, after)
            if worker.side and worker.at >= At.LOCKED:
                # The job's own connection is another: what has started goes on.
                cut = worker._replace(lock=0, side=False) if worker.at > At.LOCKED else Worker()
                after = set_worker(state, number, cut)
                yield Step("worker", number, "loses its side connection", Kind.FAULT, after)
        for number, leader in distinct(state.leaders):
            if leader.attempt:
                # It is another one, or lost the connection of the request.
                after = set_leader(state, number, Leader())
                yield Step("leader", number, "forgets", Kind.FAULT, after)


class LosingPower(Protocol):
    """The machine of PostgreSQL stops as well, and its last asynchronous commits are lost.

    The queue's own sessions do not wait for the disk (``connection.SESSION``), but every commit of
    a job does, and the log is written in order. Here the attempt can go back: by then every
    connection is gone, and with it whatever a worker could have committed.
    """

    start = State(leaders=(Leader(),), kept=Row(PENDING, 1, 0))

    def steps(self, state: State) -> Iterator[Step]:
        """Yield the steps of before, and what becomes of the disk."""
        kept = state.kept
        assert kept
        for step in super().steps(state):
            if step.actor == "worker" and step.action.startswith("commits"):
                yield step._replace(after=step.after._replace(kept=step.after.row))
            elif step.after.row.attempt - kept.attempt <= UNWRITTEN:
                yield step
        if kept != state.row:
            yield Step("disk", None, "is written", Kind.PROGRESS, state._replace(kept=state.row))
        # What is out, a runner still knows when it leads again; it may as well forget it.
        after = state._replace(row=kept, workers=self.survivors(state), operator=False)
        yield Step("disk", None, "loses power", Kind.FAULT, after)

    def survivors(self, state: State) -> tuple[Worker, ...]:
        """Return what is left of the workers: who has not begun yet finds a new connection."""
        return tuple(
            worker._replace(lock=0) if worker.at is At.RECEIVED else Worker()
            for worker in state.workers
        )

    def operator(self, _state: State) -> Iterator[Step]:
        """Nobody interferes, which saves half of the states."""
        return iter(())


UNWRITTEN = 2
"""Attempts that may be given before the disk is written."""


# What must hold


def broken_law(before: State, step: Step) -> str | None:
    """Return which law a step breaks, if any."""
    old, new = before.row, step.after.row
    if old == new or step.actor == "disk":
        return None
    if new.attempt < old.attempt:
        return "the attempt goes back"
    if not _may_become(old.state, new.state):
        return f"a job goes from {old.state.value} to {new.state.value}"
    if new.effects > 1:
        return "the effects are committed twice"
    if sum(may_commit(worker, new) for worker in step.after.workers) > 1:
        return "two runs can both commit"
    return _broken_end(before, step) if old.state is STARTED else None


def _broken_end(before: State, step: Step) -> str | None:
    """Return which law is broken by what happens to a started job."""
    old, new = before.row, step.after.row
    if step.actor == "leader" and is_live(before):
        return "a job is taken from a worker that lives"
    if step.actor == "worker" and before.workers[step.number or 0].attempt != old.attempt:
        return "a worker ends what was taken back from it"
    if step.actor == "worker" and new.state is DONE and not new.effects:
        return "a job is done without its effects"
    return None


@cache
def _may_become(old: JobState, new: JobState) -> bool:
    return old is new or may_become(old, new)


def is_live(state: State) -> bool:
    """Tell whether a worker runs the attempt of the row, and can show that it lives."""
    return any(
        worker.at > At.LOCKED and worker.side and worker.attempt == state.row.attempt
        for worker in state.workers
    )


def may_commit(worker: Worker, row: Row) -> bool:
    """Tell whether the fence would let a run end the job, sooner or later."""
    return worker.at > At.LOCKED and worker.attempt == row.attempt and row.state is STARTED


# Trying everything


@dataclass
class Exploration:
    """What was found.

    :ivar states: every state that is reached, and its number
    :ivar before: by the number of a state, that of the one from which it was reached first
    :ivar actions: everything that somebody did
    :ivar steps: how many ways there are from one state to another
    :ivar law: which was broken
    :ivar trace: the shortest way there
    """

    states: dict[State, int]
    before: list[int] = field(default_factory=lambda: [0])
    actions: set[tuple[str, str]] = field(default_factory=set)
    steps: int = 0
    law: str | None = None
    trace: list[str] = field(default_factory=list)


def explore(protocol: Protocol) -> Exploration:
    """Try every interleaving, breadth first; stop at the first law that is broken.

    The last law is looked at in the end: from every state, if nothing more breaks and nobody wants
    anything else, the job comes to its end.
    """
    todo = [canonical(protocol.start)]
    found = Exploration({todo[0]: 0})
    ways_in: list[list[int]] = [[]]
    for number, state in enumerate(todo):
        for step in protocol.steps(state):
            found.steps += 1
            found.actions.add((step.actor, step.action))
            after = canonical(step.after)
            found.law = broken_law(state, step)
            if found.law:
                way = [todo[place] for place in _way_to(found, number)]
                found.trace = _trace(protocol, [*way, after], found.law)
                return found
            place = found.states.setdefault(after, len(todo))
            if place == len(todo):
                todo.append(after)
                found.before.append(number)
                ways_in.append([])
            if step.kind is Kind.PROGRESS:
                ways_in[place].append(number)
    stuck = set(range(len(todo))) - _reaching_an_end(todo, ways_in)
    if stuck:
        found.law = "a job never comes to its end"
        found.trace = _trace(protocol, [todo[place] for place in _way_to(found, min(stuck))], None)
    return found


def _way_to(found: Exploration, number: int) -> list[int]:
    """Return the numbers of the states on the way to one, its own among them."""
    way = [number]
    while way[-1]:
        way.append(found.before[way[-1]])
    return way[::-1]


def _trace(protocol: Protocol, way: list[State], law: str | None) -> list[str]:
    """Return in words what is done on a way, with the names and numbers that all keep."""
    state, told = protocol.start, []
    for number, target in enumerate(way[1:], 2):
        last = law if number == len(way) else None
        step = next(
            step
            for step in protocol.steps(state)
            if canonical(step.after) == target and broken_law(state, step) == last
        )
        state = step.after
        who = f"{step.actor} {step.number + 1}" if step.number is not None else step.actor
        told.append(f"{who:9} {step.action:27} {state.row.state.value}, {state.row.attempt}")
    return told


def _reaching_an_end(states: list[State], ways_in: list[list[int]]) -> set[int]:
    """Return the numbers of the states from which steps of progress alone lead to an end."""
    todo = [number for number, state in enumerate(states) if state.row.state in FINAL]
    reaching = set(todo)
    while todo:
        for number in ways_in[todo.pop()]:
            if number not in reaching:
                reaching.add(number)
                todo.append(number)
    return reaching


def canonical(state: State) -> State:
    """Return the one that stands for all states that differ by names and numbers only.

    The attempt of the row is called :data:`NOW`, and the earlier ones 1, 2, ... in the order in
    which they are met. A lock that nobody else names is as good as none: no attempt comes back.
    """
    row, workers, leaders, operator, flight, kept = state
    now = kept.attempt if kept else row.attempt
    workers, leaders, flight = _rename(now, workers, leaders, flight)
    row = Row(row.state, row.attempt - now + NOW, row.effects)
    if kept:
        kept = Row(kept.state, NOW, kept.effects)
    return State(row, workers, leaders, operator, flight, kept)


@cache
def _rename(
    now: int, workers: tuple[Worker, ...], leaders: tuple[Leader, ...], flight: int
) -> tuple[tuple[Worker, ...], tuple[Leader, ...], int]:
    workers = tuple(sorted(workers, key=lambda worker: _order(worker, now)))
    leaders = tuple(sorted(leaders, key=lambda leader: leader[1:]))
    attempts = (*(one.attempt for one in workers), flight, *(one.attempt for one in leaders))
    names = {0: 0}
    for attempt in attempts:
        names.setdefault(attempt, _name(attempt, now, len(names)))
    return (
        tuple(
            Worker(at, names[attempt], names.get(lock, _name(lock, now, 0)), *sight)
            for at, attempt, lock, *sight in workers
        ),
        tuple(sorted(Leader(names[one.attempt], one.sent, one.saw) for one in leaders)),
        names[flight],
    )


def _order(worker: Worker, now: int) -> tuple[int, ...]:
    """Return what sorts workers, whatever their earlier attempts are called."""
    at, attempt, lock, *sight = worker
    return (at, _name(attempt, now, 0), _name(lock, now, 0), *sight)


def _name(attempt: int, now: int, name: int) -> int:
    return name if attempt < now else NOW + attempt - now


# Parts of a state


def distinct(actors: tuple[Any, ...]) -> Iterator[tuple[int, Any]]:
    """Yield the actors with their numbers; of two that stand at the same place one will do."""
    for number, actor in enumerate(actors):
        if actor not in actors[:number]:
            yield number, actor


def is_held(state: State) -> bool:
    """Tell whether a transaction has written to the row and not ended."""
    return state.operator or any(worker.at in HOLDS_ROW for worker in state.workers)


def is_out(state: State, attempt: int) -> bool:
    """Tell whether a request is on its way or in the hands of a worker."""
    return attempt == state.flight or any(
        worker.at and worker.attempt == attempt for worker in state.workers
    )


def change(state: State, row: Row) -> State:
    """Return the state with the row changed, after the snapshots that others have of it."""
    workers = [
        worker._replace(stale=True) if worker.mine and worker.at in HAS_SNAPSHOT else worker
        for worker in state.workers
    ]
    return State(row, tuple(workers), *state[2:])


def set_worker(state: State, number: int, worker: Worker) -> State:
    """Return the state with another worker."""
    workers = list(state.workers)
    workers[number] = worker
    return State(state.row, tuple(workers), *state[2:])


def set_leader(state: State, number: int, leader: Leader) -> State:
    """Return the state with another leader."""
    leaders = list(state.leaders)
    leaders[number] = leader
    return State(state.row, state.workers, tuple(leaders), *state[3:])


def rest(worker: Worker) -> Worker:
    """Return a worker that has answered; its session keeps the lock for now."""
    return Worker(lock=worker.lock)


def roll_back(worker: Worker) -> Worker:
    """Return a worker whose job has no transaction any more."""
    return Worker(At.STARTED, worker.attempt, worker.lock, worker.side)
