"""How many jobs go into a lease, what durations are remembered, and when a lease is overdue."""

import math

import pytest
from core.leases import (
    LEASE_JOBS,
    LEASE_SECONDS,
    OVERDUE_SECONDS,
    SMOOTHING,
    Durations,
    JobRef,
    Lease,
    pack,
)
from hypothesis import given
from hypothesis import strategies as st

SECONDS = st.floats(0, 3600, allow_nan=False)
FUNCTIONS = st.sampled_from(["quick", "slow", "unknown", ""])


def jobs_of(function, count):
    return [JobRef(10, number, "root", function) for number in range(1, count + 1)]


def durations_of(**seconds):
    durations = Durations()
    for function, mean in seconds.items():
        durations.observe(function, mean)
    return durations


# The order of jobs


def test_jobs_sort_by_priority_then_by_id_and_by_nothing_else():
    late, early, urgent = JobRef(10, 2, "root.a"), JobRef(10, 1, "root.z"), JobRef(1, 9, "root.b")
    assert sorted([late, early, urgent]) == [urgent, early, late]
    assert urgent.place == (1, 9)


# How many jobs a lease takes


def test_a_lease_of_nothing_is_empty():
    assert pack([], Durations(), 10) == []


def test_an_unknown_function_fills_a_lease_alone():
    assert len(pack(jobs_of("unknown", 5), Durations(), 10)) == 1


def test_a_slow_function_fills_a_lease_alone():
    assert len(pack(jobs_of("slow", 5), durations_of(slow=60), 10)) == 1


def test_short_jobs_fill_the_time_of_a_lease():
    packed = pack(jobs_of("quick", 50), durations_of(quick=LEASE_SECONDS / 8.5), 50)
    assert len(packed) == 8


@pytest.mark.parametrize("most, packed", [(0, 1), (1, 1), (2, 2), (10**9, LEASE_JOBS)])
def test_the_shortest_jobs_are_limited_by_number(most, packed):
    jobs = jobs_of("quick", LEASE_JOBS + 50)
    assert len(pack(jobs, durations_of(quick=0), most)) == packed


def test_a_long_job_is_not_put_behind_short_ones():
    jobs = [*jobs_of("quick", 3), JobRef(10, 9, "root", "slow")]
    assert pack(jobs, durations_of(quick=0.01, slow=5), 10) == jobs[:3]


def test_short_jobs_are_not_put_behind_a_long_one():
    jobs = [JobRef(1, 9, "root", "slow"), *jobs_of("quick", 3)]
    assert pack(jobs, durations_of(quick=0.01, slow=5), 10) == jobs[:1]


def test_no_more_jobs_are_looked_at_than_needed():
    endless = iter(lambda: JobRef(1, 1, "root", "quick"), None)
    assert len(pack(endless, durations_of(quick=0), 7)) == 7


@given(
    st.lists(FUNCTIONS, max_size=30),
    st.dictionaries(FUNCTIONS, st.floats(0, 1, allow_nan=False)),
    st.integers(0, 200),
)
def test_a_lease_is_the_beginning_of_the_order_and_fits(functions, means, most):
    jobs = [JobRef(10, number, "root", function) for number, function in enumerate(functions)]
    durations = durations_of(**means)
    packed = pack(jobs, durations, most)
    assert packed == jobs[: len(packed)]
    assert bool(packed) == bool(jobs)
    if len(packed) > 1:
        assert len(packed) <= min(most, LEASE_JOBS)
        assert sum(durations.expected(job.function) for job in packed) <= LEASE_SECONDS + 1e-9


# What durations are remembered


def test_a_function_never_seen_is_expected_to_fill_a_lease():
    assert Durations().expected("unknown") == LEASE_SECONDS


def test_the_first_duration_is_believed():
    assert durations_of(quick=0.05).expected("quick") == 0.05


def test_quick_durations_count_by_and_by():
    durations = durations_of(quick=0.1)
    durations.observe("quick", 0.0)
    assert durations.expected("quick") == pytest.approx(0.1 * (1 - SMOOTHING))


def test_a_slow_duration_counts_at_once():
    durations = durations_of(quick=0.001)
    durations.observe("quick", 30)
    assert durations.expected("quick") == 30


def test_a_function_that_was_slow_once_is_trusted_again_by_and_by():
    durations = durations_of(quick=30)
    for _run in range(30):
        durations.observe("quick", 0.001)
    assert durations.expected("quick") < LEASE_SECONDS / 10


def test_functions_are_remembered_apart():
    durations = durations_of(quick=0.01, slow=9)
    assert (durations.expected("quick"), durations.expected("slow")) == (0.01, 9)


@given(st.lists(SECONDS, min_size=1))
def test_what_is_expected_lies_within_what_was_observed(observed):
    durations = Durations()
    for seconds in observed:
        durations.observe("quick", seconds)
    expected = durations.expected("quick")
    assert min(observed) <= expected + 1e-9 and expected <= max(observed) + 1e-9
    if observed[-1] > LEASE_SECONDS:
        assert expected >= observed[-1]


# When a lease is overdue


def test_a_lease_with_jobs_behind_the_first_is_overdue_after_its_time():
    lease = Lease(1, "root", tuple(jobs_of("quick", 2)), opened=100.0)
    assert lease.overdue == 100.0 + OVERDUE_SECONDS


def test_a_lease_of_one_job_is_never_overdue_because_nothing_waits_behind_it():
    assert Lease(1, "root", tuple(jobs_of("slow", 1)), opened=100.0).overdue == math.inf


@pytest.mark.parametrize(
    ("recalled", "again"),
    [
        (100.1, 100.1 + OVERDUE_SECONDS),
        (100.0 + OVERDUE_SECONDS, 100.0 + 2 * OVERDUE_SECONDS),
        (160.0, 220.0),
    ],
)
def test_a_lease_is_recalled_again_for_what_somebody_held_but_ever_more_rarely(recalled, again):
    lease = Lease(1, "root", tuple(jobs_of("quick", 2)), opened=100.0, recalled=recalled)
    assert lease.overdue == again
    assert not lease.has_waiting, "it gives way no second time"


def test_a_lease_is_given_more_time_than_it_was_packed_for():
    assert OVERDUE_SECONDS > LEASE_SECONDS
