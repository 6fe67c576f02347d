import pytest
from core.memory import MB, Usage, check_memory
from hypothesis import given
from hypothesis import strategies as st

BYTES = st.integers(0, 2**44)


@given(BYTES, BYTES, st.floats(0.1, 2**20))
def test_a_job_is_beyond_its_limit_by_what_it_has_added(before, added, limit):
    usage = Usage(before + added, before)
    assert usage.is_beyond(limit) == (added > limit * MB)
    assert abs(usage.added_mb * MB - added) <= MB / 2


def test_what_the_worker_had_already_is_not_the_job_s():
    usage = Usage(peak=500 * MB, before=450 * MB)
    assert (usage.peak_mb, usage.added_mb) == (500, 50)
    assert not usage.is_beyond(50)


def test_a_worker_that_became_smaller_has_added_nothing():
    usage = Usage(peak=100 * MB, before=200 * MB)
    assert usage.added_mb == 0
    assert not usage.is_beyond(1)


@pytest.mark.parametrize("nothing", [None, False, 0, 0.0])
def test_nothing_is_no_limit(nothing):
    assert check_memory(nothing) is None


@pytest.mark.parametrize("wrong", [-1, "64", float("nan"), float("inf"), 512 * MB, [64]])
def test_what_is_no_number_of_mb_is_refused(wrong):
    with pytest.raises(ValueError, match="MB"):
        check_memory(wrong)
