"""Channels are steered while they run: in force at once, kept over a restart, and explained."""

import time

import pytest
from jobs import Jobs, wait_until

SOON = 1.0
"""Seconds within which what an operator sets is in force."""


@pytest.fixture
def jobs(make_shared_server):
    return Jobs(make_shared_server(workers=4, channels="root:2,test:2"))


def channel(jobs, name="root.test"):
    known = jobs.server.rpc("queue.job.channel", "search", [[["complete_name", "=", name]]])
    if known:
        return known
    root = jobs.server.rpc("queue.job.channel", "search", [[["complete_name", "=", "root"]]])
    values = {"name": name.rpartition(".")[2], "parent_id": root[0]}
    return [jobs.server.rpc("queue.job.channel", "create", [values])]


def running(jobs, uuids):
    return jobs.column("state", uuids).count("started")


def explained(jobs, uuid):
    ids = jobs.server.rpc("queue.job", "search", [[["uuid", "=", uuid]]])
    return jobs.server.rpc("queue.job", "explain", [ids])


def revision_is_applied(jobs):
    rows = jobs.sql(
        "SELECT revision >= (SELECT last_value FROM queue_job_channel_revision) "
        "FROM queue_job_node WHERE date_leading IS NOT NULL"
    )
    return all(row[0] for row in rows)


def test_channels_are_paused_resumed_and_resized(jobs):
    ids = channel(jobs)
    jobs.server.rpc("queue.job.channel", "action_pause", [ids, "the shop is being upgraded"])
    wait_until(lambda: revision_is_applied(jobs), "the pause is in force", SOON)
    held = jobs.delay("sleep", 0, "held", times=5, channel="root.test")
    free = jobs.delay("noop", channel="root")
    assert jobs.wait(free) == ["done"], "other channels go on"
    assert set(jobs.column("state", held)) == {"pending"}
    assert "paused by" in explained(jobs, held[0])
    assert "the shop is being upgraded" in explained(jobs, held[0])

    jobs.server.stop()
    jobs.server.start()
    jobs.server.wait_ready()
    free = jobs.delay("noop", channel="root")
    assert jobs.wait(free) == ["done"]
    assert set(jobs.column("state", held)) == {"pending"}, "a pause outlives a restart"

    resumed = time.monotonic()
    jobs.server.rpc("queue.job.channel", "action_resume", [ids])
    assert set(jobs.wait(held)) == {"done"}
    print(f"done {time.monotonic() - resumed:.2f} s after the end of the pause")

    slow = jobs.delay("sleep", 2, "slow", times=3, channel="root.test")
    wait_until(lambda: running(jobs, slow) == 2, "as many run as are configured")
    root = channel(jobs, "root")
    jobs.server.rpc("queue.job.channel", "write", [ids + root, {"capacity": 3}])
    wait_until(lambda: running(jobs, slow) == 3, "one more runs at once", SOON)
    jobs.wait(slow)
    jobs.server.rpc("queue.job.channel", "write", [ids + root, {"capacity": 0}])


def test_a_pause_ends_by_itself(jobs):
    ids = channel(jobs)
    rows = jobs.sql("SELECT (now() AT TIME ZONE 'UTC' + interval '3 s')::timestamp(0)::text")
    jobs.server.rpc("queue.job.channel", "action_pause", [ids, "", rows[0][0]])
    wait_until(lambda: revision_is_applied(jobs), "the pause is in force", SOON)
    uuids = jobs.delay("noop", channel="root.test")
    assert jobs.wait(uuids) == ["done"]
    ended = jobs.sql(
        "SELECT q.date_started >= c.paused_until FROM queue_job q, queue_job_channel c "
        "WHERE q.uuid = %s AND c.complete_name = 'root.test'",
        uuids,
    )
    assert ended == [(True,)]
    jobs.server.rpc("queue.job.channel", "action_resume", [ids])


def overview(jobs):
    return jobs.server.rpc("queue.job.channel", "overview", [])


def row(jobs, name):
    return {row["name"]: row for row in overview(jobs)["channels"]}[name]


def test_a_channel_of_the_configuration_is_shown_and_paused_without_a_record(make_shared_server):
    jobs = Jobs(make_shared_server(workers=4, channels="root:2,bare:2:throttle=0.01"))
    found = row(jobs, "root.bare")
    assert (found["id"], found["configured"]) == (False, "root.bare:2:throttle=0.01")
    assert (found["capacity"], found["throttle"]) == (2, 0.01)

    ids = jobs.server.rpc("queue.job.channel", "for_names", [["root.bare"]])
    assert row(jobs, "root.bare")["capacity"] == 2, "a record changes nothing by itself"
    jobs.server.rpc("queue.job.channel", "action_pause", [ids, "upgrade"])
    wait_until(lambda: overview(jobs)["is_applied"], "the screen says that it is in force", SOON)
    held = jobs.delay("noop", times=3, channel="root.bare")
    assert jobs.wait(jobs.delay("noop", channel="root")) == ["done"]
    found = row(jobs, "root.bare")
    assert (found["waiting"], found["held_by"], found["pause"]["reason"]) == (
        3,
        "root.bare",
        "upgrade",
    )
    jobs.server.rpc("queue.job.channel", "action_resume", [ids])
    assert set(jobs.wait(held)) == {"done"}
    wait_until(
        lambda: sum(row(jobs, "root.bare")["done"]) == 3, "what was done is in the figures", 15
    )
