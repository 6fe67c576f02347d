"""The states of a job under the names that other addons import, and what the screen calls them."""

from __future__ import annotations

from .core.states import JobState

WAIT_DEPENDENCIES = JobState.WAIT_DEPENDENCIES.value
PENDING = JobState.PENDING.value
ENQUEUED = JobState.ENQUEUED.value
STARTED = JobState.STARTED.value
DONE = JobState.DONE.value
CANCELLED = JobState.CANCELLED.value
FAILED = JobState.FAILED.value

STATES = [
    (WAIT_DEPENDENCIES, "Wait Dependencies"),
    (PENDING, "Pending"),
    (ENQUEUED, "Enqueued"),
    (STARTED, "Started"),
    (DONE, "Done"),
    (CANCELLED, "Cancelled"),
    (FAILED, "Failed"),
]

_LIFE = {state: place for place, (state, _label) in enumerate(STATES)}


def by_life(_jobs, states, _domain):
    """Return states in the order in which a job has them, for columns; unknown ones come last."""
    return sorted(states, key=lambda state: _LIFE.get(state, len(_LIFE)))
