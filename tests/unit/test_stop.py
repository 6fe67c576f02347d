import pytest
from core.stop import (
    GRACE_SECONDS,
    Cause,
    Escalation,
    Means,
    OnParentStop,
    check_on_parent_stop,
    given_up_with,
)
from hypothesis import given
from hypothesis import strategies as st


def steps(plan, times):
    return [plan.due(now) for now in times]


def test_it_begins_with_an_exception_and_goes_on_to_the_statement():
    plan = Escalation(100.0)
    assert steps(plan, [100.0, 100.1, 100.3, 100.4]) == [
        [Means.RAISE],
        [],
        [Means.BREAK_STATEMENT],
        [],
    ]


def test_who_takes_no_notice_is_told_again():
    plan = Escalation(0.0)
    steps(plan, [0.0, 0.3])
    assert steps(plan, [1.0, 1.3]) == [[Means.RAISE], [Means.BREAK_STATEMENT]]


def test_the_worker_ends_after_the_time_of_grace_and_once():
    plan = Escalation(0.0)
    seen = [means for number in range(10 * int(GRACE_SECONDS)) for means in plan.due(number / 10)]
    assert Means.END_WORKER not in seen
    assert plan.due(GRACE_SECONDS)[-1] is Means.END_WORKER
    assert plan.due(GRACE_SECONDS + 100) == []


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 30))
def test_however_seldom_somebody_looks_nothing_is_done_early_or_twice_at_a_time(times, grace):
    plan = Escalation(0.0, grace)
    ended = 0
    for now in sorted(times):
        due = plan.due(now)
        assert len(set(due)) == len(due)
        ended += due.count(Means.END_WORKER)
        assert not ended or now >= grace
    assert ended <= 1


@pytest.mark.parametrize("cause", list(Cause))
def test_who_says_cancel_is_given_up_and_who_says_wait_never_is(cause):
    assert OnParentStop.CANCEL.value in given_up_with(cause)
    assert OnParentStop.WAIT.value not in given_up_with(cause)
    assert ("" in given_up_with(cause)) == (cause is Cause.CANCELLED)


def test_a_policy_is_one_of_two_or_none():
    assert check_on_parent_stop("cancel") == "cancel"
    assert check_on_parent_stop(OnParentStop.WAIT) == "wait"
    assert check_on_parent_stop(None) is check_on_parent_stop(False) is None
    for wrong in ("ignore", 1, ["cancel"]):
        with pytest.raises(ValueError, match="neither"):
            check_on_parent_stop(wrong)
