"""The table of transitions between the states of a job."""

import pytest
from core.states import FINAL, RUNNING, TRANSITIONS, JobState, may_become, sources

NEW = {JobState.PENDING, JobState.WAIT_DEPENDENCIES}
"""States in which a job is stored."""

UNFINISHED = set(JobState) - FINAL


def test_the_stored_values_are_those_that_databases_hold_already():
    assert [state.value for state in JobState] == [
        "wait_dependencies",
        "pending",
        "enqueued",
        "started",
        "done",
        "cancelled",
        "failed",
    ]


def test_a_state_equals_its_stored_value():
    assert JobState("pending") is JobState.PENDING
    assert JobState.PENDING == "pending"


def test_every_state_has_its_transitions():
    assert set(TRANSITIONS) == set(JobState)


def test_every_state_is_reached_from_a_new_job():
    reached = set(NEW)
    while True:
        further = reached.union(*(TRANSITIONS[state] for state in reached))
        if further == reached:
            break
        reached = further
    assert reached == set(JobState)


def test_from_every_state_a_job_can_still_be_done():
    for state in JobState:
        reached = {state}
        for _step in JobState:
            reached = reached.union(*(TRANSITIONS[known] for known in reached))
        assert JobState.DONE in reached


def test_no_state_leads_to_itself():
    assert not any(may_become(state, state) for state in JobState)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_finished_job_never_goes_straight_to_a_worker(state):
    assert not TRANSITIONS[state] & RUNNING


@pytest.mark.parametrize("state", [JobState.DONE, JobState.CANCELLED])
def test_what_is_done_or_cancelled_leaves_only_to_run_again(state):
    assert TRANSITIONS[state] == NEW


def test_what_failed_can_be_run_again_or_be_settled_by_an_operator():
    assert TRANSITIONS[JobState.FAILED] == NEW | {JobState.DONE, JobState.CANCELLED}


def test_only_a_lease_leads_to_a_start():
    assert sources(JobState.ENQUEUED) == {JobState.PENDING}
    assert sources(JobState.STARTED) == {JobState.ENQUEUED}


def test_only_what_was_started_can_fail():
    assert sources(JobState.FAILED) == {JobState.STARTED}


def test_a_started_job_belongs_to_its_worker_who_may_stop_it():
    assert may_become(JobState.STARTED, JobState.CANCELLED)


def test_a_lease_and_a_worker_can_give_a_job_back():
    assert all(may_become(state, JobState.PENDING) for state in RUNNING)


def test_everything_that_waits_can_be_cancelled_or_set_done():
    for state in UNFINISHED - {JobState.STARTED}:
        assert may_become(state, JobState.CANCELLED)
        assert may_become(state, JobState.DONE)


def test_nothing_is_both_running_and_finished():
    assert not RUNNING & FINAL


@pytest.mark.parametrize("target", JobState)
def test_sources_are_the_table_read_backwards(target):
    assert sources(target) == {state for state in JobState if target in TRANSITIONS[state]}
    for state in JobState:
        assert may_become(state, target) == (state in sources(target))
