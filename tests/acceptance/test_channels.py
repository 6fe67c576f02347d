"""Channels bound what runs, and keep order, in real workers."""

from itertools import pairwise

import pytest
from jobs import Jobs, wait_until

CHANNELS = (
    "root:4,root.one:1,root.strict:1:sequential,root.slowly:4:throttle=0.3,root.still:1:paused"
)


@pytest.fixture(scope="module")
def jobs(make_shared_server):
    return Jobs(make_shared_server(channels=CHANNELS, workers=4))


def overlap(jobs, uuids):
    """Return how many of the jobs ran at the same time, by their own times."""
    rows = jobs.sql(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM queue_job a JOIN queue_job b "
        "ON b.uuid = ANY(%s) AND b.date_started <= a.date_started AND b.date_done > a.date_started "
        "WHERE a.uuid = ANY(%s) GROUP BY a.id) AS together",
        [uuids, uuids],
    )
    return rows[0][0]


def order(jobs, uuids):
    """Return the positions of jobs in the order in which they started."""
    started = jobs.column("date_started", uuids)
    return sorted(range(len(uuids)), key=lambda number: started[number])


def test_a_channel_of_one_runs_one_at_a_time(jobs):
    uuids = jobs.delay("sleep", 0.1, times=6, channel="root.one")
    jobs.wait(uuids)
    assert overlap(jobs, uuids) == 1


def test_the_rest_of_the_tree_goes_on_meanwhile(jobs):
    slow = jobs.delay("sleep", 3, channel="one")
    quick = jobs.delay("noop", times=20)
    jobs.wait(quick, ["done"])
    assert jobs.column("state", slow) != ["done"]
    jobs.wait(slow)


def test_a_channel_nobody_configured_runs_below_its_nearest_ancestor(jobs):
    uuids = jobs.delay("sleep", 0.1, times=4, channel="root.one.deeper.still")
    jobs.wait(uuids)
    assert overlap(jobs, uuids) == 1
    assert set(jobs.column("channel", uuids)) == {"root.one.deeper.still"}


def test_priority_then_age(jobs):
    block = jobs.delay("sleep", 1, channel="one")
    jobs.wait(block, ["started"])
    uuids = [
        jobs.delay("noop", channel="one", priority=priority)[0] for priority in (30, 10, 20, 10, 5)
    ]
    jobs.wait(uuids)
    assert order(jobs, uuids) == [4, 1, 3, 2, 0]


def test_sequential_lets_nothing_pass_a_retry(jobs):
    first = jobs.delay("retry_until", 3, 0.5, channel="strict")
    others = jobs.delay("noop", times=5, channel="strict")
    jobs.wait(first + others)
    assert order(jobs, first + others) == list(range(6))


def test_throttle_spaces_the_starts(jobs):
    uuids = jobs.delay("noop", times=5, channel="slowly")
    jobs.wait(uuids)
    started = sorted(jobs.column("extract(epoch FROM date_enqueued)", uuids))
    gaps = [float(later - earlier) for earlier, later in pairwise(started)]
    assert min(gaps) >= 0.28


def test_paused_holds_its_jobs_and_nobody_elses(jobs):
    held = jobs.delay("noop", channel="still")
    jobs.wait(jobs.delay("noop", times=3), ["done"])
    assert jobs.column("state", held) == ["pending"]
    jobs.sql("UPDATE queue_job SET channel = 'root' WHERE uuid = %s", held)
    assert jobs.wait(held, patience=10) == ["done"], "moved to another channel it runs"


def test_root_bounds_the_whole(jobs):
    uuids = jobs.delay("sleep", 0.2, times=12)
    jobs.wait(uuids)
    assert overlap(jobs, uuids) <= 4


def test_a_slow_job_does_not_strand_those_behind_it(jobs):
    """Jobs of one function, quick at first, so that leases grow; then one that is slow."""
    jobs.wait(jobs.delay("sleep", 0, times=200))
    slow = jobs.delay("sleep", 6)
    quick = jobs.delay("sleep", 0, times=200)
    jobs.wait(quick, ["done"], patience=5)
    assert jobs.column("state", slow) == ["started"]
    jobs.wait(slow)


def test_a_cancelled_job_does_not_run(jobs):
    block = jobs.delay("sleep", 1, channel="one")
    jobs.wait(block, ["started"])
    uuids = jobs.delay("write_value", 1, channel="one")
    number = jobs.one("id", uuids)
    jobs.server.rpc("queue.job", "button_cancelled", [[number]])
    jobs.wait(block)
    after = jobs.delay("noop", channel="one")
    jobs.wait(after)
    assert jobs.column("state", uuids) == ["cancelled"]
    jobs.server.rpc("queue.job", "requeue", [[number]])
    wait_until(lambda: jobs.column("state", uuids) == ["done"], "requeued and done")
