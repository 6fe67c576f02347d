"""When open dashboards are told: never when there is none, and once a second at most."""

import itertools
import math

from core.publishing import PACE_SECONDS, QUIET_SECONDS, SHARE, TROUBLE_SECONDS, Publishing
from hypothesis import given
from hypothesis import strategies as st


def watched(seconds=45.0):
    publishing = Publishing()
    publishing.watch(0.0, seconds)
    return publishing


def test_nobody_looks():
    publishing = Publishing()
    publishing.note()
    assert publishing.due(0.0) == math.inf
    publishing.watch(0.0, -5.0)
    assert publishing.due(0.0) == math.inf


def test_who_begins_to_look_is_told_at_once():
    assert watched().due(0.0) <= 0.0


def test_there_is_one_on_its_way_at_a_time():
    publishing = watched()
    publishing.sent(0.0)
    publishing.note()
    assert publishing.due(1.0) == math.inf
    publishing.answered(0.01, told=True)
    assert publishing.due(1.0) == PACE_SECONDS


def test_when_nothing_happens_there_is_one_now_and_then():
    publishing = watched()
    publishing.sent(0.0)
    publishing.answered(0.01, told=True)
    assert publishing.due(1.0) == QUIET_SECONDS
    publishing.note()
    assert publishing.due(1.0) == PACE_SECONDS


def test_the_lease_runs_out():
    publishing = watched(10.0)
    publishing.note()
    assert publishing.due(9.9) < math.inf
    assert publishing.due(10.0) == math.inf


def test_what_takes_long_is_done_less_often():
    publishing = watched()
    publishing.sent(0.0)
    publishing.note()
    publishing.answered(0.5, told=True)
    assert publishing.due(1.0) == SHARE * 0.5


def test_after_trouble_there_is_a_pause():
    publishing = watched(100.0)
    publishing.sent(0.0)
    publishing.answered(0.1, told=False)
    publishing.note()
    assert publishing.due(1.0) == 0.1 + TROUBLE_SECONDS


def test_the_answer_to_an_earlier_leader_changes_nothing():
    publishing = watched()
    publishing.answered(0.0, told=True)
    assert publishing.due(0.0) <= 0.0


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 2)), max_size=50))
def test_no_two_are_sent_within_a_second(steps):
    """Whatever happens in between, and however long each takes."""
    publishing, now, sent = watched(1e9), 0.0, []
    for pause, took in steps:
        now += pause
        publishing.note()
        if publishing.due(now) <= now:
            publishing.sent(now)
            sent.append(now)
            now += took
            publishing.answered(now, told=True)
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(sent))
