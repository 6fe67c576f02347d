"""Several Odoo servers share the jobs of one database; they come, go, and are killed."""

import os
import signal
import time

import pytest
from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")
HAND_OVER_SECONDS = 3.0


@pytest.fixture
def pair(server):
    """Return two servers on one database; the first leads."""
    first = server(MODULES, workers=2, channels="root:4")
    leads(first)
    second = server(database_name=first.database, workers=2, channels="root:4")
    wait_until(lambda: len(nodes(first)) == 2, "both are there")
    return first, second


def nodes(odoo, here=True):
    """Return the rows of the nodes; by SQL, since the workers may all be busy."""
    columns = "host", "url", "slots", "here", "leads", "pid", "problem", "channels", "version"
    rows = odoo.cluster.execute(
        odoo.database,
        "SELECT host, url, slots, id IN (SELECT id FROM queue_job_node_here), date_leading, pid, "
        "problem, channels, version FROM queue_job_node ORDER BY id",
    )
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    since = [row["leads"] for row in found if row["here"] and row["leads"]]
    for row in found:
        row["leads"] = row["here"] and row["leads"] is not None and row["leads"] == max(since)
    return [row for row in found if row["here"] or not here]


def leads(odoo):
    return wait_until(
        lambda: [node for node in nodes(odoo) if node["leads"] and node["pid"] == runner(odoo)],
        f"the runner of {odoo.url} leads",
    )


def runner(odoo):
    return odoo.runner_pid()


def workers_of(jobs, uuids):
    return set(jobs.column("worker_pid", uuids))


def test_a_node_says_what_it_is(pair):
    first, second = pair
    rows = {row["url"]: row for row in nodes(first)}
    assert set(rows) == {first.url, second.url}
    assert [row["slots"] for row in rows.values()] == [2, 2]
    assert {row["channels"] for row in rows.values()} == {"root:4"}
    assert all(row["version"] and row["host"] for row in rows.values())
    assert [row["leads"] for row in rows.values()].count(True) == 1


def test_jobs_run_on_the_workers_of_both(pair):
    first, second = pair
    jobs = Jobs(first)
    uuids = jobs.delay("sleep", 3, "slow", times=4)
    wait_until(
        lambda: jobs.column("state", uuids) == ["started"] * 4, "as many run as there are workers"
    )
    both = workers_of(jobs, uuids)
    assert both == {*first.http_workers(), *second.http_workers()}
    assert jobs.wait(uuids) == ["done"] * 4
    assert jobs.ledger("slow") == 4


@pytest.mark.parametrize("round_", range(3))
def test_the_other_leads_soon_when_the_leading_server_is_killed(pair, round_):
    first, second = pair
    jobs = Jobs(second)
    slow = jobs.delay("sleep", 6, "slow", times=4)
    jobs.wait(slow, ["started"])
    on_second = [uuid for uuid in slow if jobs.one("worker_pid", [uuid]) in second.http_workers()]
    assert len(on_second) == 2
    killed = time.monotonic()
    first.kill()
    leads(second)
    waited = time.monotonic() - killed
    print(f"led again after {waited:.2f} s")
    assert waited < HAND_OVER_SECONDS
    assert set(jobs.wait(slow)) == {"done"}
    assert jobs.ledger("slow") == 4
    assert set(jobs.column("attempt", on_second)) == {1}, "what ran elsewhere was left alone"
    wait_until(lambda: len(nodes(second, here=False)) == 1, "the row of the dead is gone")


@pytest.mark.parametrize("leaving", [0, 1])
def test_a_node_that_leaves_fails_no_job(pair, leaving):
    gone, staying = pair[leaving], pair[1 - leaving]
    jobs = Jobs(staying)
    uuids = jobs.delay("sleep", 0.5, "steady", times=60)
    wait_until(
        lambda: workers_of(jobs, uuids) & set(gone.http_workers()), "the one to leave runs jobs"
    )
    os.kill(gone.pid, signal.SIGTERM)
    assert set(jobs.wait(uuids, patience=90)) == {"done"}
    assert jobs.ledger("steady") == 60
    assert set(jobs.column("lost", uuids)) == {0}, "no job was lost with a worker"
    gone.stop()
    assert [node["url"] for node in nodes(staying, here=False)] == [staying.url]


def test_a_rolling_restart_fails_no_job(pair):
    jobs = Jobs(pair[1])
    uuids = jobs.delay("sleep", 0.3, "rolling", times=80)
    for odoo in pair:
        jobs.server = pair[0] if odoo is pair[1] else pair[1]
        odoo.stop()
        odoo.start()
        odoo.wait_ready()
        wait_until(lambda: len(nodes(jobs.server)) == 2, "both are there again")
    assert set(jobs.wait(uuids, patience=90)) == {"done"}
    assert jobs.ledger("rolling") == 80
    assert set(jobs.column("lost", uuids)) == {0}


def test_no_job_is_given_to_an_address_that_leads_nowhere(server):
    first = server(MODULES, workers=2, channels="root:4")
    leads(first)
    server(
        database_name=first.database,
        workers=2,
        channels="root:4",
        env={"ODOO_QUEUE_JOB_HOST": "127.0.0.1", "ODOO_QUEUE_JOB_PORT": "9"},
    )
    wait_until(lambda: any(node["problem"] for node in nodes(first)), "the leader says it")
    jobs = Jobs(first)
    uuids = jobs.delay("sleep", 0.1, "here", times=20)
    assert set(jobs.wait(uuids)) == {"done"}
    assert set(jobs.column("attempt", uuids)) == {1}
    assert workers_of(jobs, uuids) <= set(first.http_workers())
    (found,) = [
        finding
        for finding in first.rpc("queue.job.health", "self_test")
        if finding["problem"] == "unreachable"
    ]
    assert "127.0.0.1:9" in found["message"]
    assert "ODOO_QUEUE_JOB_HOST" in found["remedy"]


def test_a_job_waits_for_the_node_that_has_its_code(server):
    """A rolling upgrade: one server knows the model already, the other does not."""
    new = server(MODULES, workers=2, channels="root:4")
    leads(new)
    jobs = Jobs(new)
    old = server(database_name=new.database, workers=4, channels="root:4", addons=())
    wait_until(lambda: len(nodes(new)) == 2, "both are there")
    uuids = jobs.delay("sleep", 0.5, "upgraded", times=6)
    wait_until(
        lambda: any("waits for a server" in (text or "") for text in jobs.column("result", uuids)),
        "one was given to the old server",
    )
    assert set(jobs.wait(uuids, patience=90)) == {"done"}
    assert jobs.ledger("upgraded") == 6
    assert workers_of(jobs, uuids).isdisjoint(old.http_workers())
    assert set(jobs.column("retry", uuids)) == {1}, "that is no try of the job"


def test_a_frozen_runner_is_replaced(server):
    """The server's watchdog ends a runner that does not turn; its locks go with it."""
    odoo = server(MODULES, workers=2)
    leads(odoo)
    frozen = runner(odoo)
    os.kill(frozen, signal.SIGSTOP)
    jobs = Jobs(odoo)
    uuids = jobs.delay("noop", times=5)
    assert set(jobs.wait(uuids, patience=60)) == {"done"}
    assert runner(odoo) != frozen


def test_a_lost_job_says_which_process_it_was_and_what_killed_it(server):
    odoo = server(MODULES, workers=2)
    jobs = Jobs(odoo)
    uuids = jobs.delay("kill_worker")
    assert jobs.wait(uuids) == ["failed"]
    message = jobs.one("exc_message", uuids)
    assert f"process {jobs.one('worker_pid', uuids)} on {jobs.one('worker_host', uuids)}" in message
    assert "SIGKILL" in message


def test_a_job_beyond_the_time_limit_says_so(server):
    odoo = server(MODULES, workers=2, options=["--limit-time-real=10"])
    jobs = Jobs(odoo)
    long = jobs.delay("sleep", 600, "long")
    quick = jobs.delay("noop", times=50)
    assert set(jobs.wait(quick)) == {"done"}
    assert jobs.wait(long, patience=120) == ["failed"]
    assert "limit_time_real, 10 s" in jobs.one("exc_message", long)
    assert jobs.ledger("long") == 0


@pytest.fixture
def copied(server, template):
    """Return a server on a copy of a database in which jobs wait."""
    original = server(MODULES, workers=2)
    jobs = Jobs(original)
    uuids = jobs.delay("sleep", 0, "original", times=5, eta=3600)
    original.stop()
    copy = f"{original.database}_copy"
    template.drop(copy)
    original.cluster.create_database(copy, original.database)
    jobs.server = server(database_name=copy, workers=2, start=False)
    jobs.sql("UPDATE queue_job SET eta = NULL WHERE uuid = ANY(%s)", [uuids])
    yield jobs, uuids
    jobs.server.stop()
    template.drop(copy)


def test_a_copy_runs_nothing_until_it_is_released(copied):
    jobs, uuids = copied
    odoo = jobs.server
    odoo.start()
    odoo.wait_ready()
    wait_until(lambda: "held: this database is a copy" in odoo.log_text(), "the log says it")
    new = jobs.delay("noop")
    (banner,) = odoo.rpc("queue.job.health", "banner")
    assert (banner["problem"], banner["releasable"]) == ("held", True)
    assert set(jobs.column("state", uuids + new)) == {"pending"}
    assert "copy" in explain(odoo, new[0])
    odoo.rpc("queue.job.health", "release")
    assert set(jobs.wait(uuids + new)) == {"done"}
    assert odoo.rpc("queue.job.health", "banner") == []


def explain(odoo, uuid):
    ids = odoo.rpc("queue.job", "search", [[["uuid", "=", uuid]]])
    return odoo.rpc("queue.job", "explain", [ids])


def seconds_of(jobs, naps, nap):
    """Return how long many short jobs took, and see that none was begun twice or given back."""
    began = time.monotonic()
    uuids = jobs.delay("sleep", nap, "nap", times=naps)
    assert set(jobs.wait(uuids, patience=120)) == {"done"}
    seconds = time.monotonic() - began
    assert set(jobs.column("attempt", uuids)) == {1}, "nothing was sent and taken back"
    assert set(jobs.column("lost", uuids)) == {0}
    return seconds


def test_more_capacity_than_workers_sends_nothing_twice(server):
    """Jobs wait for a worker in the table, and not in front of one until they count as lost."""
    exact = server(MODULES, workers=4, channels="root:3", env={"ODOO_QUEUE_JOB_SLOTS": "3"})
    wide = server(MODULES, workers=4, channels="root:40", env={"ODOO_QUEUE_JOB_SLOTS": "3"})
    sides = {"root:3": Jobs(exact), "root:40": Jobs(wide)}
    for jobs in sides.values():
        seconds_of(jobs, 30, 0.05)
    took = {name: [] for name in sides}
    for _round in range(3):
        for name, jobs in sides.items():
            took[name].append(seconds_of(jobs, 90, 0.1))
    for name, seconds in took.items():
        print(f"{name} with 3 workers: {90 / sorted(seconds)[1]:.1f} naps of 0.1 s in a second")


def test_a_second_node_adds_its_workers(pair):
    first, second = pair
    jobs = Jobs(first)
    both = [seconds_of(jobs, 80, 0.2) for _round in range(3)]
    second.stop()
    alone = [seconds_of(jobs, 80, 0.2) for _round in range(3)]
    for nodes_there, seconds in (("two nodes", both), ("one node", alone)):
        print(f"{nodes_there}: {80 / sorted(seconds)[1]:.1f} naps of 0.2 s in a second")
