"""What becomes of a job that asks for another try."""

import math

import pytest
from core.backoff import (
    MOST_SECONDS,
    RETRY_INTERVAL,
    Backoff,
    RetryPatternError,
    check_pattern,
    check_policy,
    draw_seconds,
    pattern_seconds,
)
from core.retry import (
    CONFLICT_LIMIT,
    Exhausted,
    Pause,
    Postpone,
    check_retry_on,
    decide_conflict,
    decide_retry,
    decide_snooze,
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
    assert decide(1) == Postpone(RETRY_INTERVAL, "remote is down", Pause.RETRY)
    assert decide(1).counted


def test_seconds_that_the_error_asks_for_go_before_the_pattern():
    assert decide(1, pattern={1: 10.0}, seconds=3).seconds == 3


def test_zero_seconds_that_the_error_asks_for_are_zero_seconds():
    assert decide(1, pattern={1: 10.0}, seconds=0).seconds == 0


def test_bounds_that_the_error_asks_for_are_drawn_between():
    assert decide(1, seconds=(2.0, 4.0), draw=most).seconds == 4.0


def test_explicit_seconds_do_not_give_another_try():
    assert isinstance(decide(5, seconds=3), Exhausted)


@given(st.integers(1, 100), st.integers(0, 100), PATTERNS, st.none() | SECONDS)
def test_a_job_is_exhausted_exactly_when_a_counted_try_was_the_last(
    retry,
    max_retries,
    pattern,
    seconds,
):
    decision = decide(retry, max_retries, pattern, draw=least, seconds=seconds)
    last = 0 < max_retries <= retry
    assert isinstance(decision, Exhausted) == last
    if isinstance(decision, Postpone):
        assert 0 <= decision.seconds < math.inf
        assert decision.counted


# Waits that grow


def snooze(snoozes, limit=3, **options):
    options = {"retry": 1, "pattern": {1: 7.0}, "draw": no_draw, **options}
    return decide_snooze(message="no file yet", snoozes=snoozes, limit=limit, **options)


def test_a_backoff_grows_by_its_factor_up_to_its_most():
    backoff = Backoff(first=10, factor=2, most=100, jitter=0)
    waits = [pattern_seconds(backoff, retry, no_draw) for retry in range(1, 7)]
    assert waits == [10, 20, 40, 80, 100, 100]


def test_jitter_is_drawn_around_the_wait_and_never_above_the_most():
    backoff = Backoff(first=10, factor=2, most=30, jitter=0.2)
    assert [backoff.bounds(retry) for retry in (1, 2, 3)] == [(8, 12), (16, 24), (24, 30)]
    assert pattern_seconds(backoff, 1, least) == 8
    assert pattern_seconds(backoff, 1, most) == 12


@given(
    st.floats(1e-3, 1e6),
    st.floats(1, 1e6),
    st.floats(0, 1e6),
    st.floats(0, 1),
    st.integers(-5, 2**31),
)
def test_whatever_the_try_a_backoff_stays_within_its_bounds(first, factor, more, jitter, retry):
    backoff = Backoff(first, factor, first + more, jitter)
    low, high = backoff.seconds(retry, least), backoff.seconds(retry, most)
    assert 0 <= low <= high <= backoff.most
    assert backoff.bounds(retry)[0] <= backoff.bounds(retry + 1)[0] * (1 + 1e-9), "it never shrinks"


@pytest.mark.parametrize(
    "values, expected",
    [
        ({"first": 0}, "first=0 cannot be: give seconds above 0"),
        ({"first": "10"}, "first='10' cannot be"),
        ({"first": True}, "first=True cannot be"),
        ({"first": math.nan}, "first=nan cannot be"),
        ({"first": 10**400}, "first=1000"),
        ({"factor": 0.5}, "factor=0.5 cannot be: give 1 or more"),
        ({"factor": math.inf}, "factor=inf cannot be"),
        ({"most": 5}, "most=5 cannot be: give seconds, not less than first"),
        ({"most": MOST_SECONDS * 2}, "up to a year"),
        ({"jitter": -0.1}, "jitter=-0.1 cannot be: give a share from 0 to 1"),
        ({"jitter": 20}, "jitter=20 cannot be"),
        ({"jitter": None}, "jitter=None cannot be"),
    ],
)
def test_a_value_that_no_backoff_can_have_is_named_with_what_it_can_be(values, expected):
    with pytest.raises(RetryPatternError) as caught:
        Backoff(**values)
    assert expected in str(caught.value)


def test_a_backoff_is_read_from_what_stands_in_a_pattern():
    assert check_policy({"backoff": {"first": 5, "jitter": 0}}) == Backoff(first=5, jitter=0)
    assert check_policy({"backoff": {}}) == Backoff()
    assert check_policy({"backoff": Backoff(7)}) == Backoff(7)
    assert check_policy({"1": 5}) == {1: 5.0}
    assert check_policy(None) == {}


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ({"backoff": {"frist": 5}}, "'frist' is none of first, factor, most, jitter"),
        ({"backoff": {5: 5}}, "5 is none of first, factor"),
        ({"backoff": 5}, "5 is neither a Backoff nor a dict such as"),
        ({"backoff": {}, 1: 10}, "1 stands beside backoff"),
        ({"backof": {}}, "'backof' is not the number of a try"),
        ([1], "[1] is no dict"),
    ],
)
def test_what_no_backoff_can_be_is_named(pattern, expected):
    with pytest.raises(RetryPatternError) as caught:
        check_policy(pattern)
    assert expected in str(caught.value)


def test_a_backoff_says_in_a_line_what_it_does():
    assert str(Backoff()) == "10 s, times 2 up to 3600 s, ± 20%"
    assert str(Backoff(5, 1.5, 60, 0)) == "5 s, times 1.5 up to 60 s"


# Errors after which a function is tried again


def test_one_class_or_several_are_accepted():
    assert check_retry_on(()) == ()
    assert check_retry_on(OSError) == (OSError,)
    assert check_retry_on([OSError, KeyError]) == (OSError, KeyError)


@pytest.mark.parametrize("wrong", ["OSError", None, 3, KeyboardInterrupt, int, OSError("x")])
def test_what_is_no_class_of_exceptions_is_named(wrong):
    for errors in (wrong, (OSError, wrong)):
        with pytest.raises(TypeError) as caught:
            check_retry_on(errors)
        assert repr(wrong) in str(caught.value)
        assert "ConnectionError" in str(caught.value)


# To come back later is no try


def test_a_snooze_waits_as_asked_and_does_not_count_as_a_try():
    assert snooze(1, seconds=60) == Postpone(60, "no file yet", Pause.SNOOZE)
    assert not snooze(1).counted
    assert snooze(1).seconds == 7.0, "by the pattern when nothing is asked for"


def test_a_limit_of_three_is_three_snoozes():
    decisions = [snooze(number) for number in range(1, 5)]
    assert [type(decision) for decision in decisions] == [Postpone] * 3 + [Exhausted]
    assert decisions[3] == Exhausted("Snoozed 3 times, and that is its limit: no file yet")


def test_a_limit_of_zero_is_none():
    assert isinstance(snooze(10**6, limit=0), Postpone)


# Conflicts have a counter of their own


def test_a_conflict_is_no_try_and_waits_longer_each_time():
    decisions = [
        decide_conflict(message="conflict", conflicts=number, draw=most) for number in (1, 2, 9)
    ]
    assert [decision.pause for decision in decisions] == [Pause.CONFLICT] * 3
    assert [round(decision.seconds, 1) for decision in decisions] == [5.0, 7.5, 60.0]
    assert decide_conflict(message="conflict", conflicts=1, draw=least).seconds == pytest.approx(1)


def test_the_last_conflict_fails_the_job():
    def decided(number):
        return decide_conflict(message="deadlock", conflicts=number, draw=least)

    assert isinstance(decided(CONFLICT_LIMIT - 1), Postpone)
    assert decided(CONFLICT_LIMIT) == Exhausted("Max. conflicts (10) reached: deadlock")
    assert isinstance(decided(CONFLICT_LIMIT + 1), Exhausted)
