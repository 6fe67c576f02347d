"""Sums of the last hours, and the line that shows them."""

from core.trend import DAY, POINT, WEEK, Counts
from hypothesis import given
from hypothesis import strategies as st


def test_sums_of_the_last_hours():
    counts = Counts({0: 3, 5: 2, 23: 1, 24: 7, 167: 4})
    assert [counts.total(limit) for limit in (1, DAY, WEEK)] == [3, 6, 17]
    assert Counts().total(DAY) == 0


def test_what_is_kept_and_what_is_fresh_is_added():
    counts = Counts()
    for part in ((1, 5, 0), (1, 0, 2), (0, 3, 3)):
        counts.add(*part)
    assert counts == Counts({0: 3, 1: 5}, last=5)


def test_the_newest_point_is_the_last():
    points = Counts({0: 3, POINT - 1: 1, POINT: 5, WEEK - 1: 2, WEEK: 9}).line
    assert (points[0], points[-2], points[-1]) == (2, 5, 4)


@given(st.dictionaries(st.integers(0, WEEK - 1), st.integers(0, 1000)))
def test_nothing_is_lost_on_the_way(hours):
    counts = Counts(hours)
    assert sum(counts.line) == counts.total(WEEK)
    assert len(counts.line) == WEEK // POINT
