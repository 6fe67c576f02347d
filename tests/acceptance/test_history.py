"""What is kept of a job beside its row: attempts, log lines, and how far it is."""

import os
import signal

from jobs import Jobs, wait_until


def attempts(jobs, uuids):
    return jobs.sql(
        "SELECT a.outcome, a.message, a.exc_name, a.worker_pid, a.date_ended >= a.date_started "
        "FROM queue_job_attempt a JOIN queue_job q ON q.id = a.job_id "
        "WHERE q.uuid = ANY(%s) ORDER BY a.attempt",
        [uuids],
    )


def test_progress_is_seen_while_the_job_runs(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("report", 4, 0.7)

    def told():
        return jobs.sql(
            "SELECT p.done, p.total, p.message FROM queue_job_progress p "
            "JOIN queue_job q ON q.id = p.job_id WHERE q.uuid = %s AND q.state = 'started'",
            [uuids[0]],
        )

    (row,) = wait_until(told, "the job tells how far it is")
    assert row[1:] == (4, "step")
    assert jobs.wait(uuids) == ["done"]
    lines = jobs.sql(
        "SELECT l.level, l.message FROM queue_job_log l JOIN queue_job q ON q.id = l.job_id "
        "WHERE q.uuid = %s ORDER BY l.id",
        uuids,
    )
    assert lines == [("INFO", f"step {number} of 4") for number in range(1, 5)]
    assert attempts(jobs, uuids) == [], "a job that is well at once leaves no attempt behind"


def test_what_no_column_can_hold_is_logged_all_the_same(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("log_oddly")
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("lost", uuids) == 0
    lines = jobs.sql(
        "SELECT l.message FROM queue_job_log l JOIN queue_job q ON q.id = l.job_id "
        "WHERE q.uuid = %s",
        uuids,
    )
    assert lines == [("zero \N{REPLACEMENT CHARACTER} byte ? surrogate",)]


def test_each_try_is_kept(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("retry_until", 3)
    assert jobs.wait(uuids) == ["done"]
    kept = attempts(jobs, uuids)
    assert [row[:2] for row in kept] == [("postponed", "try 1"), ("postponed", "try 2")]
    assert all(row[3] and row[4] for row in kept)


def test_the_traceback_of_each_failure_is_kept_through_a_requeue(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("fail", "the reason")
    for number in (1, 2):
        assert jobs.wait(uuids) == ["failed"]
        kept = attempts(jobs, uuids)
        assert [row[:2] for row in kept] == [("failed", "the reason")] * number
        ids = shared_server.rpc("queue.job", "search", [[["uuid", "=", uuids[0]]]])
        shared_server.rpc("queue.job", "requeue", [ids])
    jobs.wait(uuids, ["failed"])


def test_a_lost_worker_is_an_attempt(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("sleep", 1, "lost")
    pid = jobs.worker(uuids)
    os.kill(pid, signal.SIGKILL)
    assert jobs.wait(uuids) == ["done"]
    ((outcome, message, _name, worker, _order),) = attempts(jobs, uuids)
    assert (outcome, worker) == ("lost", pid)
    assert "SIGKILL" in message


def test_what_a_long_job_logs_is_seen_at_once_and_outlives_its_worker(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("report", 30, 0.1)

    def lines(attempt, state):
        return jobs.sql(
            "SELECT l.message FROM queue_job_log l JOIN queue_job q ON q.id = l.job_id "
            "WHERE q.uuid = %s AND l.attempt = %s AND q.state = %s ORDER BY l.id",
            [uuids[0], attempt, state],
        )

    seen = wait_until(lambda: lines(1, "started"), "the job shows what it logs")
    os.kill(jobs.worker(uuids), signal.SIGKILL)
    assert jobs.wait(uuids) == ["done"]
    kept = lines(1, "done")
    assert kept[: len(seen)] == seen
    (last,) = jobs.sql("SELECT attempt FROM queue_job WHERE uuid = %s", uuids)
    all_of_it = [(f"step {number} of 30",) for number in range(1, 31)]
    assert kept == all_of_it[: len(kept)]
    assert len(kept) < len(all_of_it)
    assert lines(last[0], "done") == all_of_it
