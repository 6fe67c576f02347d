"""Graphs of jobs in real workers: order, size, faults, and identity keys that race."""

import os
import signal
import threading

import pytest
from jobs import Jobs, wait_until


@pytest.fixture(scope="module")
def jobs(shared_server):
    return Jobs(shared_server)


def launch(jobs, *layers):
    """Delay layers of jobs, each waiting for the one before; return the uuids of each."""
    return jobs.server.rpc("test.queue.job", "launch_graph", [[jobs.record], *layers])


def times(jobs, uuids):
    """Return when the first of the jobs started and when the last was done."""
    query = "SELECT min(date_started), max(date_done) FROM queue_job WHERE uuid = ANY(%s)"
    return jobs.sql(query, [uuids])[0]


def test_each_layer_waits_for_the_one_before(jobs):
    (first, second, third), _statements, _seconds = launch(jobs, 5, 5, 5)
    assert set(jobs.wait(first + second + third)) == {"done"}
    assert times(jobs, second)[0] >= times(jobs, first)[1]
    assert times(jobs, third)[0] >= times(jobs, second)[1]


def test_fan_out_and_fan_in_of_ten_thousand_vertices(jobs):
    """One job, 9,998 that wait for it, and one that waits for them: 19,996 edges."""
    (first, second, third), statements, seconds = launch(jobs, 1, 9998, 1)
    print(f"10,000 vertices stored by {statements} statements in {seconds:.2f} s")
    assert statements <= 12, "a worker that was not asked before also reads what it will cache"
    assert jobs.wait(third, patience=120) == ["done"]
    started, done = times(jobs, first + second + third)
    print(f"run in {(done - started).total_seconds():.1f} s")
    assert set(jobs.column("state", second)) == {"done"}
    assert times(jobs, second)[0] >= times(jobs, first)[1]
    assert times(jobs, third)[0] >= times(jobs, second)[1]
    assert jobs.sql("SELECT count(*) FROM queue_job_dependency WHERE open") == [(0,)]


def test_what_waits_for_a_job_of_no_graph_follows_it_at_once(jobs):
    """The first of the chain has an identity that waits already; only its own row is there."""
    older = jobs.delay("noop", eta=3, identity_key="adopted")
    younger = jobs.server.rpc("test.queue.job", "launch_chain_after", [[jobs.record], "adopted"])
    assert set(jobs.column("state", younger)) == {"wait_dependencies"}
    assert jobs.column("graph_uuid", older) == [None]
    assert jobs.wait(younger, patience=15) == ["done", "done"]
    assert times(jobs, younger)[0] >= times(jobs, older)[1]


def test_a_parent_that_fails_holds_its_children_until_it_is_set_done(jobs):
    failing = jobs.delay("fail", eta=3600)
    child = jobs.delay("noop", eta=3600)
    numbers = jobs.column("id", failing + child)
    jobs.sql("INSERT INTO queue_job_dependency (parent_id, child_id) VALUES (%s, %s)", numbers)
    jobs.sql(
        "UPDATE queue_job SET graph_uuid = 'g', eta = NULL, scheduled = false, "
        "state = CASE WHEN id = %s THEN 'pending' ELSE 'wait_dependencies' END WHERE id = ANY(%s)",
        [numbers[0], numbers],
    )
    assert jobs.wait(failing) == ["failed"]
    assert jobs.column("state", child) == ["wait_dependencies"]
    jobs.server.rpc("queue.job", "button_done", [numbers[:1]])
    assert jobs.wait(child) == ["done"]


def test_the_runner_is_killed_while_children_are_released(server):
    odoo = server(("test_queue_job", "test_queue_job_override"), workers=2)
    jobs = Jobs(odoo)
    (first, second, third), _statements, _seconds = launch(jobs, 300, 1, 300)
    wait_until(lambda: "done" in jobs.column("state", first), "some are done")
    for _kill in range(3):
        runner = odoo.runner_pid()
        os.kill(runner, signal.SIGKILL)
        wait_until(lambda gone=runner: odoo.runner_pid() not in (gone, odoo.pid), "a new runner")
    assert set(jobs.wait(first + second + third, patience=90)) == {"done"}


def test_an_identity_is_stored_once_by_many_at_a_time(jobs):
    """Real requests in parallel: each gets a job, and all get the same."""
    found, errors = [], []

    def delay():
        try:
            found.extend(jobs.delay("noop", eta=3600, identity_key="only one"))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=delay) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert len(found) == 8
    assert len(set(found)) == 1
    query = "SELECT count(*) FROM queue_job WHERE identity_key = 'only one'"
    assert jobs.sql(query) == [(1,)]


def test_a_retry_may_meet_a_new_job_of_the_same_identity(jobs):
    """The first has started and comes back; the second was stored meanwhile; both run."""
    first = jobs.delay("retry_until", 2, 1.0, identity_key="again")
    wait_until(lambda: jobs.one("retry", first) == 1, "the first try")
    second = jobs.delay("retry_until", 1, identity_key="again")
    assert set(jobs.wait(first + second)) == {"done"}
