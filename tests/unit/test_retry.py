"""What becomes of a job that asks for another try."""

import math

import pytest
from core.retry import (
    RETRY_INTERVAL,
    Exhausted,
    Postpone,
    RetryPatternError,
    check_pattern,
    decide_retry,
    draw_seconds,
    pattern_seconds,
)
from hypothesis import given
from hypothesis import strategies as st

SECONDS = st.floats(0, 1e6, allow_nan=False)
BOUNDS = st.tuples(SECONDS, SECONDS).map(lambda two: (min(two), max(two)))
PATTERNS = st.dictionaries(st.integers(1, 50), SECONDS | BOUNDS)


def no_draw(least, most):
    raise AssertionError(f"nothing was to be drawn between {least} and {most}")


def least(low, high):
    assert low <= high
    return low


def most(low, high):
    assert low <= high
    return high


def decide(retry, max_retries=5, pattern=None, draw=no_draw, **options):
    return decide_retry(
        message="remote is down",
        retry=retry,
        max_retries=max_retries,
        pattern=pattern or {},
        draw=draw,
        **options,
    )


# What a pattern says


@pytest.mark.parametrize(
    "retry, seconds",
    [(1, 10), (2, 10), (4, 10), (5, 20), (9, 20), (10, 3600), (999, 3600)],
)
def test_the_entry_with_the_largest_try_not_above_this_one_counts(retry, seconds):
    assert pattern_seconds({10: 3600.0, 1: 10.0, 5: 20.0}, retry, no_draw) == seconds


def test_before_the_first_entry_the_default_interval_counts():
    assert pattern_seconds({5: 20.0}, 4, no_draw) == RETRY_INTERVAL
    assert pattern_seconds({5: 20.0}, 5, no_draw) == 20.0


def test_without_a_pattern_the_default_interval_counts():
    assert pattern_seconds({}, 1, no_draw) == RETRY_INTERVAL


def test_two_bounds_are_drawn_between():
    assert pattern_seconds({1: (5.0, 9.0)}, 1, least) == 5.0
    assert pattern_seconds({1: (5.0, 9.0)}, 1, most) == 9.0
    assert draw_seconds((5.0, 9.0), most) == 9.0


def test_plain_seconds_are_not_drawn():
    assert draw_seconds(7.0, no_draw) == 7.0


@given(PATTERNS, st.integers(1, 60))
def test_the_seconds_of_a_pattern_are_those_of_one_of_its_entries(pattern, retry):
    low, high = pattern_seconds(pattern, retry, least), pattern_seconds(pattern, retry, most)
    known = [value if isinstance(value, tuple) else (value, value) for value in pattern.values()]
    assert (low, high) in [*known, (RETRY_INTERVAL, RETRY_INTERVAL)]
    assert ((low, high) in known) == any(number <= retry for number in pattern) or (
        (RETRY_INTERVAL, RETRY_INTERVAL) in known
    )


# Which patterns are accepted


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_pattern_is_an_empty_one(nothing):
    assert check_pattern(nothing) == {}


def test_text_keys_as_json_gives_them_are_accepted():
    assert check_pattern({"1": 10, "5": [20, 30]}) == {1: 10.0, 5: (20.0, 30.0)}


def test_a_sequence_of_one_is_plain_seconds():
    assert check_pattern({1: (10,)}) == {1: 10.0}


def test_a_try_of_zero_is_the_first():
    assert pattern_seconds(check_pattern({"0": 7, 2: 9}), 1, no_draw) == 7.0
    assert pattern_seconds(check_pattern({0: 7, 2: 9}), 2, no_draw) == 9.0


def test_equal_bounds_and_zero_are_accepted():
    assert check_pattern({1: (0, 0), 2: 0}) == {1: (0.0, 0.0), 2: 0.0}


@pytest.mark.parametrize("key", [-1, "-2", "one", "", None, (1, 2), 1.5, math.inf, math.nan])
def test_a_key_that_is_no_try_is_named(key):
    with pytest.raises(RetryPatternError) as caught:
        check_pattern({1: 10, key: 20})
    assert repr(key) in str(caught.value)
    assert "1 or more" in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        *("soon", None, -1, {}, math.nan, math.inf, "nan", 10**400),
        *([], [1, 2, 3], [None, 1], (9, 5), (-1, 5), (1, math.inf), (math.nan, 1), (1, math.nan)),
    ],
    ids=str,
)
def test_a_value_that_is_no_seconds_is_named(value):
    with pytest.raises(RetryPatternError) as caught:
        check_pattern({1: value})
    assert repr(value) in str(caught.value)
    assert "(least, most)" in str(caught.value)


def test_a_pattern_error_is_a_value_error():
    assert issubclass(RetryPatternError, ValueError)


@given(PATTERNS)
def test_a_checked_pattern_is_accepted_again_unchanged(pattern):
    assert check_pattern(pattern) == pattern
    assert check_pattern({str(number): value for number, value in pattern.items()}) == pattern


# What is decided


def test_max_retries_of_five_means_five_executions():
    decisions = [decide(retry) for retry in range(1, 6)]
    assert [type(decision) for decision in decisions] == [Postpone] * 4 + [Exhausted]


def test_what_is_exhausted_says_so_with_its_limit_and_reason():
    assert decide(5) == Exhausted("Max. retries (5) reached: remote is down")


def test_beyond_the_limit_is_exhausted_too():
    assert isinstance(decide(6), Exhausted)


def test_a_single_try_is_exhausted_at_once():
    assert isinstance(decide(1, max_retries=1), Exhausted)


def test_no_limit_is_never_exhausted():
    assert isinstance(decide(10**6, max_retries=0), Postpone)


def test_a_postponed_job_keeps_its_message_and_its_try_counts():
    assert decide(1) == Postpone(RETRY_INTERVAL, "remote is down", counted=True)


def test_a_try_that_does_not_count_is_never_the_last():
    assert decide(5, ignore_retry=True) == Postpone(RETRY_INTERVAL, "remote is down", counted=False)


def test_seconds_that_the_error_asks_for_go_before_the_pattern():
    assert decide(1, pattern={1: 10.0}, seconds=3).seconds == 3


def test_zero_seconds_that_the_error_asks_for_are_zero_seconds():
    assert decide(1, pattern={1: 10.0}, seconds=0).seconds == 0


def test_bounds_that_the_error_asks_for_are_drawn_between():
    assert decide(1, seconds=(2.0, 4.0), draw=most).seconds == 4.0


def test_explicit_seconds_do_not_give_another_try():
    assert isinstance(decide(5, seconds=3), Exhausted)


@given(st.integers(1, 100), st.integers(0, 100), PATTERNS, st.none() | SECONDS, st.booleans())
def test_a_job_is_exhausted_exactly_when_a_counted_try_was_the_last(
    retry,
    max_retries,
    pattern,
    seconds,
    ignored,
):
    decision = decide(
        retry, max_retries, pattern, draw=least, seconds=seconds, ignore_retry=ignored
    )
    last = 0 < max_retries <= retry and not ignored
    assert isinstance(decision, Exhausted) == last
    if isinstance(decision, Postpone):
        assert 0 <= decision.seconds < math.inf
        assert decision.counted is not ignored
