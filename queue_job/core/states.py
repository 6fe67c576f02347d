"""The states of a job and the one table of transitions between them.

Every statement that changes a state, on the screen or in the engine, takes its starting states
from here; nothing else may change a state.
"""

from __future__ import annotations

from enum import Enum


class JobState(str, Enum):
    """Where a job stands; the values are what the database stores."""

    WAIT_DEPENDENCIES = "wait_dependencies"
    """Stored, but a job it depends on is not done yet."""
    PENDING = "pending"
    """Ready, or waiting for its ETA."""
    ENQUEUED = "enqueued"
    """Part of a lease; no worker has started it."""
    STARTED = "started"
    """A worker holds its liveness lock and runs it."""
    DONE = "done"
    """Finished; its effects are committed."""
    CANCELLED = "cancelled"
    """Given up by an operator, or by what it depended on."""
    FAILED = "failed"
    """Ended by an error; an operator decides what happens next."""


KNOWN_STATES = frozenset(state.value for state in JobState)
"""What should stand in a row; whatever else does was written by hand, and leads nowhere."""

TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.WAIT_DEPENDENCIES: frozenset(
        {JobState.PENDING, JobState.DONE, JobState.CANCELLED},
    ),
    JobState.PENDING: frozenset(
        {JobState.ENQUEUED, JobState.WAIT_DEPENDENCIES, JobState.DONE, JobState.CANCELLED},
    ),
    JobState.ENQUEUED: frozenset(
        {JobState.STARTED, JobState.PENDING, JobState.DONE, JobState.CANCELLED},
    ),
    JobState.STARTED: frozenset(
        {JobState.DONE, JobState.PENDING, JobState.FAILED, JobState.CANCELLED},
    ),
    JobState.DONE: frozenset({JobState.PENDING, JobState.WAIT_DEPENDENCIES}),
    JobState.CANCELLED: frozenset({JobState.PENDING, JobState.WAIT_DEPENDENCIES}),
    JobState.FAILED: frozenset(
        {JobState.PENDING, JobState.WAIT_DEPENDENCIES, JobState.DONE, JobState.CANCELLED},
    ),
}

FINAL = frozenset({JobState.DONE, JobState.CANCELLED, JobState.FAILED})
"""States that a job leaves only when an operator says so."""

RUNNING = frozenset({JobState.ENQUEUED, JobState.STARTED})
"""States in which a lease or a worker owns the job; no operator may requeue it there."""


def may_become(current: JobState, target: JobState) -> bool:
    """Tell whether a job in ``current`` may go to ``target``."""
    return target in TRANSITIONS[current]


def sources(target: JobState) -> frozenset[JobState]:
    """Return the states from which a job may go to ``target``."""
    return frozenset(state for state, targets in TRANSITIONS.items() if target in targets)
