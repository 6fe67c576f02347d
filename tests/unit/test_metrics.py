"""Counts by minute, and percentiles that can be read of any sum of them."""

import math

import pytest
from core.metrics import ALL, BOUNDS, BUCKETS, Metrics, Sum, bucket_of, by_channel, percentile
from core.report import Outcome
from hypothesis import given
from hypothesis import strategies as st

KEY = (1, "root", "function")


@given(st.floats(0, 1e7))
def test_a_duration_lies_within_the_bounds_of_its_bucket(seconds):
    number = bucket_of(seconds)
    low = BOUNDS[number - 1] if number else 0
    assert low * (1 - 1e-9) <= seconds
    assert number == BUCKETS - 1 or seconds <= BOUNDS[number] * (1 + 1e-9)


@given(st.lists(st.floats(0.001, 1000), min_size=1), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_right_within_a_factor_of_two(durations, share):
    counts = [0] * BUCKETS
    for seconds in durations:
        counts[bucket_of(seconds)] += 1
    exact = sorted(durations)[math.ceil(share * len(durations)) - 1]
    found = percentile(counts, share)
    assert exact / 2.0001 <= found <= exact * 2.0001


def test_nothing_has_no_percentile():
    assert percentile([0] * BUCKETS, 0.5) is None


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.DONE, (1, 0, 0, 0, 0)),
        (Outcome.FAILED, (0, 1, 0, 0, 0)),
        (Outcome.POSTPONED, (0, 0, 1, 0, 0)),
        (Outcome.LOST, (0, 0, 0, 1, 0)),
        (Outcome.CANCELLED, (0, 0, 0, 0, 1)),
    ],
)
def test_each_outcome_is_counted(outcome, expected):
    metrics = Metrics()
    metrics.observe(KEY, outcome, seconds=2, wait=1)
    ((key, found),) = metrics.take()
    assert key == KEY
    counted = (found.done, found.failed, found.postponed, found.lost, found.cancelled)
    assert counted == expected
    ran = int(outcome is not Outcome.LOST)
    assert (sum(found.run), sum(found.wait), found.seconds) == (ran, ran, 2 * ran)


def test_of_memory_the_most_is_kept():
    metrics = Metrics()
    for memory in (3, 90, None, 7):
        metrics.observe(KEY, Outcome.DONE, seconds=1, memory=memory)
    ((_key, found),) = metrics.take()
    assert found.memory == 90
    found.add(Sum(memory=12))
    assert found.memory == 90
    found.add(Sum(memory=120))
    assert found.memory == 120


def test_sums_by_channel_are_those_of_all_functions_and_of_all_channels():
    metrics = Metrics()
    for channel, function in (("root.a", "f"), ("root.a", "g"), ("root.b", "f"), ("", "f")):
        metrics.observe((1, channel, function), Outcome.DONE, seconds=1, wait=1)
    found = dict(by_channel(metrics.take()))
    done = {channel: found[1, channel].done for _minute, channel in found}
    assert done == {"root.a": 2, "root.b": 1, ALL: 4}
    assert sum(found[1, ALL].run) == sum(found[1, ALL].wait) == found[1, ALL].seconds == 4


def test_what_was_taken_back_did_not_run():
    metrics = Metrics()
    metrics.observe(KEY, Outcome.TAKEN, seconds=0)
    assert not metrics


def test_what_was_taken_is_counted_once():
    metrics = Metrics()
    metrics.observe(KEY, Outcome.DONE, seconds=1)
    assert len(list(metrics.take())) == 1
    assert not metrics
    assert list(metrics.take()) == []


def test_how_many_ran_and_how_well():
    assert (Sum(done=3, failed=1, postponed=9).calls, Sum(done=3, failed=1).success) == (4, 75.0)
    assert (Sum(lost=1).calls, Sum().success) == (0, 0.0)
