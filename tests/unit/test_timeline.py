"""The life of a job as stretches of time."""

from datetime import datetime, timedelta

import pytest
from core.states import JobState
from core.timeline import MOST_ROWS, Attempt, JobDates, Stretch, draw_timeline
from hypothesis import given
from hypothesis import strategies as st

BEGIN = datetime(2026, 3, 1, 12)


def at(seconds):
    return None if seconds is None else BEGIN + timedelta(seconds=seconds)


def job(state, number=1, created=0, **dates):
    plain = {name: at(value) for name, value in dates.items() if name != "has_parents"}
    has_parents = dates.get("has_parents", False)
    return JobDates(JobState(state), number, at(created), **{**plain, "has_parents": has_parents})


def tried(number, outcome, started, ended):
    return Attempt(number, outcome, at(started), at(ended))


def drawn(job, *attempts, now=1000):
    """Return the rows as number, outcome and the stretches with their ends."""
    timeline = draw_timeline(job, attempts, at(now))
    return [
        (
            row.number,
            row.outcome,
            [(segment.stretch.value, segment.begin, segment.end) for segment in row.segments],
        )
        for row in timeline.rows
    ]


def test_a_job_that_was_done_at_the_first_try():
    assert drawn(job("done", enqueued=3, started=4, done=9)) == [
        (1, "done", [("waiting", 0, 3), ("dispatched", 3, 4), ("running", 4, 9)])
    ]


def test_what_it_waited_for_comes_first():
    dates = {"freed": 5, "has_parents": True, "enqueued": 6, "started": 7, "done": 8}
    assert drawn(job("done", **dates))[0][2] == [
        ("parents", 0, 5),
        ("waiting", 5, 6),
        ("dispatched", 6, 7),
        ("running", 7, 8),
    ]
    waits = draw_timeline(job("wait_dependencies", 0, has_parents=True), (), at(4))
    assert [(s.stretch, s.end, s.live) for s in waits.rows[0].segments] == [
        (Stretch.PARENTS, 4, True)
    ]


def test_its_time_comes_before_its_turn():
    assert drawn(job("done", eta=10, enqueued=12, started=12, done=20))[0][2] == [
        ("scheduled", 0, 10),
        ("waiting", 10, 12),
        ("running", 12, 20),
    ]
    assert drawn(job("pending", 0, eta=50), now=20) == [(0, "pending", [("scheduled", 0, 20)])]
    assert drawn(job("pending", 0, eta=50), now=60)[0][2] == [
        ("scheduled", 0, 50),
        ("waiting", 50, 60),
    ]


def test_each_try_is_a_row_and_what_is_between_them_backoff():
    attempts = [tried(1, "postponed", 1, 2), tried(2, "postponed", 12, 13)]
    assert drawn(job("done", 3, eta=33, enqueued=34, started=35, done=40), *attempts) == [
        (1, "postponed", [("waiting", 0, 1), ("running", 1, 2)]),
        (2, "postponed", [("backoff", 2, 12), ("running", 12, 13)]),
        (
            3,
            "done",
            [
                ("backoff", 13, 33),
                ("waiting", 33, 34),
                ("dispatched", 34, 35),
                ("running", 35, 40),
            ],
        ),
    ]
    assert drawn(job("pending", 2, eta=33), *attempts, now=20)[-1] == (
        0,
        "pending",
        [("backoff", 13, 20)],
    )


def test_what_was_snoozed_is_told_from_a_backoff_and_conflicts_are_one():
    attempts = [tried(1, "snoozed", 1, 2), tried(2, "conflict", 12, 13)]
    rows = drawn(job("pending", 2, eta=33), *attempts, now=20)
    assert rows[1:] == [
        (2, "conflict", [("snoozed", 2, 12), ("running", 12, 13)]),
        (0, "pending", [("backoff", 13, 20)]),
    ]
    rows = drawn(job("pending", 1, eta=33), attempts[0], now=20)
    assert rows[-1] == (0, "pending", [("snoozed", 2, 20)])
    done = drawn(job("done", 2, eta=33, enqueued=34, started=35, done=40), attempts[0])
    assert done[1][2][0] == ("snoozed", 2, 33)


def test_the_time_of_the_next_try_is_not_that_of_the_one_before():
    rows = drawn(job("pending", 1, eta=10), tried(1, "postponed", 15, 16), now=30)
    assert rows[0] == (1, "postponed", [("waiting", 0, 15), ("running", 15, 16)])


def test_a_failure_is_its_own_row_and_what_follows_is_rest():
    failed = tried(1, "failed", 2, 5)
    assert drawn(job("failed", enqueued=1, started=2), failed) == [
        (1, "failed", [("waiting", 0, 1), ("dispatched", 1, 2), ("running", 2, 5)])
    ]
    requeued = drawn(job("done", 2, enqueued=100, started=101, done=103), failed)
    assert requeued[1] == (
        2,
        "done",
        [("resting", 5, 100), ("dispatched", 100, 101), ("running", 101, 103)],
    )
    assert drawn(job("done", 1, started=2, done=50), failed)[1] == (
        0,
        "done",
        [("resting", 5, 50)],
    )
    assert drawn(job("cancelled", 1, cancelled=50), failed)[1][:2] == (0, "cancelled")


def test_a_lost_worker_is_followed_by_waiting():
    lost = tried(1, "lost", 1, 3)
    rows = drawn(job("started", 2, enqueued=5, started=6), lost, now=10)
    assert rows[1] == (2, "started", [("waiting", 3, 5), ("dispatched", 5, 6), ("running", 6, 10)])
    assert len(drawn(job("failed", 2), lost)) == 1


def test_what_was_given_up_while_it_waited():
    assert drawn(job("cancelled", 0, cancelled=7)) == [(0, "cancelled", [("waiting", 0, 7)])]
    waited = job("cancelled", 0, cancelled=7, has_parents=True)
    assert drawn(waited)[0][2] == [("parents", 0, 7)]
    assert drawn(job("done", 0, done=7)) == [(0, "done", [("waiting", 0, 7)])]


def test_what_was_stopped_while_it_ran_ends_with_its_attempt():
    stopped = tried(1, "cancelled", 1, 3)
    assert drawn(job("cancelled", started=1, cancelled=3.1), stopped) == [
        (1, "cancelled", [("waiting", 0, 1), ("running", 1, 3)])
    ]
    again = drawn(job("cancelled", cancelled=9), stopped)
    assert again[1] == (0, "cancelled", [("waiting", 3, 9)])


def test_one_that_is_on_its_way_grows():
    timeline = draw_timeline(job("enqueued", 1, enqueued=3), (), at(5))
    assert [(s.stretch.value, s.live) for s in timeline.rows[0].segments] == [
        ("waiting", False),
        ("dispatched", True),
    ]
    assert (timeline.rows[0].number, timeline.seconds) == (1, 5)


@pytest.mark.parametrize("state", [state.value for state in JobState])
def test_of_a_job_without_dates_there_is_nothing_to_draw(state):
    timeline = draw_timeline(JobDates(JobState(state)), (), at(0))
    assert (timeline.begin, timeline.seconds, timeline.rows) == (None, 0, ())


def test_dates_that_are_missing_are_left_out():
    assert drawn(job("done", started=None, done=5)) == [(0, "done", [("waiting", 0, 5)])]
    assert drawn(job("done", created=None, started=2, done=5))[0][2] == [("running", 0, 3)]
    assert drawn(job("started", 1, started=2), now=3)[0][2] == [
        ("waiting", 0, 2),
        ("running", 2, 3),
    ]
    assert drawn(job("failed"), tried(1, "failed", None, 5)) == [(1, "failed", [("waiting", 0, 5)])]
    assert drawn(job("failed"), tried(1, "failed", 5, None))[0][2] == [("waiting", 0, 5)]
    assert drawn(job("failed", started=5)) == [(0, "failed", [("waiting", 0, 5)])]


def test_clocks_that_disagree_never_run_backwards():
    ahead = draw_timeline(job("done", created=10, enqueued=5, started=4, done=3), (), at(0))
    assert ahead.seconds == 0
    running = draw_timeline(job("started", created=10, started=12), (), at(0))
    assert [(s.begin, s.end) for s in running.rows[0].segments] == [(0, 2), (2, 2)]


def test_of_many_attempts_the_first_and_the_last_are_drawn():
    attempts = [tried(number, "postponed", number, number) for number in range(1, 501)]
    timeline = draw_timeline(job("pending", 500, eta=2000), attempts, at(600))
    assert (len(timeline.rows), timeline.left_out) == (MOST_ROWS, 501 - MOST_ROWS)
    assert (timeline.rows[0].number, timeline.rows[-2].number) == (1, 500)


DATES = ("created", "enqueued", "started", "done", "cancelled", "eta", "freed")
SECONDS = st.none() | st.integers(-50, 50)


@given(
    st.sampled_from(JobState),
    st.fixed_dictionaries(dict.fromkeys(DATES, SECONDS)),
    st.booleans(),
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from(["failed", "postponed", "snoozed", "conflict", "lost"]),
            SECONDS,
            SECONDS,
        ),
        max_size=5,
    ),
    st.integers(-50, 50),
)
def test_stretches_follow_one_another_whatever_the_dates(state, dates, parents, attempts, now):
    row = JobDates(state, 3, **{k: at(v) for k, v in dates.items()}, has_parents=parents)
    timeline = draw_timeline(row, [tried(*values) for values in attempts], at(now))
    reached = 0.0
    for segment in (segment for row in timeline.rows for segment in row.segments):
        assert segment.begin == reached <= segment.end <= timeline.seconds
        reached = segment.end
    assert reached == timeline.seconds
