"""Real processes are killed with real signals, and each job's effects are there once."""

import os
import signal
import time

import psutil
import pytest
from jobs import Jobs, wait_until

AGAIN_WITHIN = 5.0
"""Seconds within which a job whose worker was killed runs again."""


def gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("round_", range(20))
def test_a_killed_worker_gives_its_job_back_at_once(shared_server, round_):
    jobs = Jobs(shared_server)
    kind = f"killed {round_}"
    uuids = jobs.delay("sleep", 0.5, kind)
    pid = jobs.worker(uuids)
    assert pid in shared_server.http_workers()
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_until(
        lambda: (
            jobs.one("state", uuids) == "done"
            or (jobs.one("state", uuids) == "started" and jobs.one("worker_pid", uuids) != pid)
        ),
        "the job runs again",
        AGAIN_WITHIN,
    )
    print(f"runs again after {time.monotonic() - killed:.2f} s")
    assert jobs.wait(uuids) == ["done"]
    assert jobs.ledger(kind) == 1
    assert jobs.one("lost", uuids) == 1
    assert jobs.one("retry", uuids) == 1, "a try that the worker lost is not the job's fault"


FORKED_SECONDS = 40


def test_a_process_that_a_job_has_forked_does_not_keep_it_running(server, tmp_path):
    """Nor does it keep the rows that the job has written: it runs again, and writes them."""
    jobs = Jobs(server(TEST_MODULES, workers=2))
    uuids = jobs.delay("fork_once", str(tmp_path / "word"), FORKED_SECONDS)
    pid = jobs.worker(uuids)
    (child,) = wait_until(lambda: psutil.Process(pid).children(), "it has forked")
    os.kill(pid, signal.SIGKILL)
    assert jobs.wait(uuids, patience=FORKED_SECONDS / 2) == ["done"]
    assert jobs.one("lost", uuids) == 1
    assert child.is_running(), "what was forked still lives"


def test_a_process_that_a_job_has_forked_does_not_keep_the_lead(server, tmp_path):
    """In a server of threads the connection of the runner is among those of the job's process."""
    jobs = Jobs(server(TEST_MODULES, workers=0))
    uuids = jobs.delay("fork_once", str(tmp_path / "word"), FORKED_SECONDS)
    pid = jobs.worker(uuids)
    (child,) = wait_until(lambda: psutil.Process(pid).children(), "it has forked")
    ours = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND starts_with(application_name, 'queue_job ')"
    )
    assert jobs.sql(ours) == [(2,)], "the runner's and the worker's"
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: jobs.sql(ours) == [(0,)], "another may lead", AGAIN_WITHIN)
    assert child.is_running(), "what was forked still lives"


def test_a_job_that_kills_its_workers_is_failed_in_the_end(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("kill_worker")
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("lost", uuids) == 3
    assert jobs.one("exc_name", uuids) == "JobFoundDead"
    assert "worker" in jobs.one("exc_message", uuids)
    assert jobs.ledger("killed") == 0


def test_the_rest_of_a_lease_of_a_killed_worker_is_not_lost(server):
    jobs = Jobs(server(TEST_MODULES, workers=2))
    jobs.wait(jobs.delay("sleep", 0, "warm", times=100))
    uuids = jobs.delay("sleep", 0, "ok", times=300) + jobs.delay("sleep", 2, "slow", priority=1)
    pid = jobs.worker(uuids[-1:])
    os.kill(pid, signal.SIGKILL)
    assert set(jobs.wait(uuids)) == {"done"}
    assert (jobs.ledger("ok"), jobs.ledger("slow")) == (300, 1)


def test_a_killed_runner_is_replaced_and_nothing_runs_twice(server):
    odoo = server(TEST_MODULES, workers=2)
    jobs = Jobs(odoo)
    slow = jobs.delay("sleep", 8, "slow")
    jobs.worker(slow)
    before = odoo.runner_pid()
    assert before != odoo.pid
    os.kill(before, signal.SIGKILL)
    uuids = jobs.delay("noop", times=50)
    assert set(jobs.wait(uuids)) == {"done"}, "the new runner dispatches"
    assert odoo.runner_pid() != before
    assert jobs.wait(slow) == ["done"]
    assert jobs.ledger("slow") == 1
    assert jobs.one("attempt", slow) == 1, "the job went on while the runner was away"


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_postgresql_restarts_under_running_jobs(server, own_cluster, template, mode):
    cluster = own_cluster()
    template.create_on(cluster, "restarted", TEST_MODULES)
    # More workers than may run jobs: the others take the calls of this test.
    odoo = server(cluster=cluster, database_name="restarted", workers=4, channels="root:2")
    jobs = Jobs(odoo)
    slow = jobs.delay("sleep", 4, "slow")
    midway = jobs.delay("commit_and_sleep", 4)
    queued = jobs.delay("sleep", 0, "queued", times=50)
    jobs.wait(slow + midway, ["started"])
    cluster.restart(mode)
    wait_until(lambda: answers(jobs), "PostgreSQL answers")
    assert set(jobs.wait(slow + midway + queued, patience=60)) == {"done"}
    assert (jobs.ledger("slow"), jobs.ledger("queued"), jobs.ledger("end")) == (1, 50, 1)


def answers(jobs):
    try:
        return jobs.sql("SELECT 1")
    except Exception:
        return None


def test_the_connection_of_the_runner_is_cut(server):
    jobs = Jobs(server(TEST_MODULES, workers=2))
    slow = jobs.delay("sleep", 2, "slow")
    jobs.worker(slow)
    jobs.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'queue_job runner' AND datname = current_database()"
    )
    uuids = jobs.delay("noop", times=20)
    assert set(jobs.wait(uuids + slow)) == {"done"}
    assert jobs.ledger("slow") == 1
    assert jobs.one("attempt", slow) == 1


def test_the_liveness_connection_of_a_worker_is_cut(server):
    """Nobody takes a job whose request is open: it ends as if nothing had happened, once."""
    jobs = Jobs(server(TEST_MODULES, workers=2))
    slow = jobs.delay("sleep", 3, "slow")
    jobs.worker(slow)
    jobs.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'queue_job worker' AND datname = current_database()"
    )
    assert jobs.wait(slow, patience=90) == ["done"]
    assert jobs.ledger("slow") == 1


def test_a_job_that_notices_the_cut_leaves_nothing_behind(server):
    """It cannot go on, and runs again: what it has done so far must not be there twice."""
    jobs = Jobs(server(TEST_MODULES, workers=2))
    told = jobs.delay("report_at_the_end", 2)
    jobs.worker(told)
    jobs.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'queue_job worker' AND datname = current_database()"
    )
    assert jobs.wait(told, patience=90) == ["done"]
    assert jobs.one("attempt", told) > 1, "it was given up"
    assert jobs.ledger("told late") == 1


def test_a_job_that_ends_its_process_has_failed(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("exit")
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("exc_name", uuids) == "builtins.SystemExit"
    assert jobs.one("lost", uuids) == 0


def test_stop_lets_running_jobs_finish_and_gives_the_rest_back(server):
    odoo = server(TEST_MODULES, workers=4, channels="root:2")
    jobs = Jobs(odoo)
    running = jobs.delay("sleep", 4, "running", times=2)
    jobs.wait(running, ["started"])
    waiting = jobs.delay("sleep", 0, "waiting", times=20)
    runner = odoo.runner_pid()
    os.kill(odoo.pid, signal.SIGTERM)
    wait_until(lambda: gone(runner), "the runner ends", 1.0)
    assert set(jobs.column("state", waiting)) == {"pending"}
    jobs.wait(running, ["done"])
    odoo.stop()
    assert jobs.ledger("running") == 2
    odoo.start()
    odoo.wait_ready()
    assert set(jobs.wait(waiting)) == {"done"}
    assert jobs.ledger("waiting") == 20


def test_the_whole_server_is_killed(server):
    odoo = server(TEST_MODULES, workers=4, channels="root:2")
    jobs = Jobs(odoo)
    running = jobs.delay("sleep", 3, "running", times=2)
    waiting = jobs.delay("sleep", 0, "waiting", times=100)
    jobs.wait(running, ["started"])
    odoo.kill()
    odoo.start()
    odoo.wait_ready()
    assert set(jobs.wait(running + waiting)) == {"done"}
    assert (jobs.ledger("running"), jobs.ledger("waiting")) == (2, 100)


TEST_MODULES = ("test_queue_job", "test_queue_job_override")
