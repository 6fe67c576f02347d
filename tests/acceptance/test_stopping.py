"""Jobs that run are stopped, whatever they wait for; by processes of their own, as users do."""

import os
import signal
import time
from contextlib import closing
from statistics import median

import pytest
from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")

ROUNDS = int(os.environ.get("STOP_ROUNDS", "2"))
LONG = 120

BAR_SECONDS = 10 if ROUNDS < 20 else 2
"""Within which a job stops; a run of few rounds is none on a machine that is kept for it."""

KINDS = ("compute", "sleep", "wait_for_socket", "sleep_in_sql", "compute_in_sql")


def cancel(jobs, uuids):
    """Press the button of jobs."""
    jobs.server.rpc("queue.job", "button_cancelled", [jobs.column("id", uuids)])


@pytest.fixture
def jobs(server):
    return Jobs(server(MODULES, workers=4, channels="root:3"))


def tell(what, took):
    """Write down how long jobs took to stop."""
    largest = f"largest {max(took):.2f} s in round {took.index(max(took)) + 1}"
    print(f"\n{what}: {len(took)}, median {median(took):.2f} s, {largest}")


def asked_to_ended(jobs):
    """Return the seconds from each request in the database to the end of its job."""
    query = """
        SELECT extract(epoch FROM date_ended - date_asked)::float FROM queue_job_attempt
         WHERE outcome = 'cancelled'
    """
    return [seconds for (seconds,) in jobs.sql(query)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_cancelled_whatever_it_waits_for(jobs, kind):
    workers = set(jobs.server.http_workers())
    other = jobs.delay("sleep", 10 + ROUNDS, "other")
    jobs.wait(other, ["started"])
    took = []
    for _round in range(ROUNDS):
        uuids = jobs.delay(kind, LONG)
        jobs.wait(uuids, ["started"])
        asked = time.monotonic()
        cancel(jobs, uuids)
        assert jobs.wait(uuids) == ["cancelled"]
        took.append(time.monotonic() - asked)
        assert "Cancelled by" in jobs.one("result", uuids)
    tell(f"button to end, {kind}", took)
    # Without what Odoo needs for a worker's first request.
    stopping = asked_to_ended(jobs)
    tell(f"asked to end, {kind}", stopping)
    assert len(stopping) == ROUNDS
    assert max(stopping) < BAR_SECONDS
    assert jobs.ledger("sleep") == 0, "their work is rolled back"
    assert set(jobs.server.http_workers()) == workers, "no worker was lost"
    assert jobs.wait(other, patience=60) == ["done"], "and no other job harmed"
    assert jobs.ledger("other") == 1


def test_a_job_that_takes_no_notice_loses_its_worker(jobs):
    uuids = jobs.delay("take_no_notice", LONG)
    worker = jobs.worker(uuids)
    cancel(jobs, uuids)
    assert jobs.wait(uuids) == ["cancelled"]
    wait_until(lambda: worker not in jobs.server.http_workers(), "its worker is gone")
    assert jobs.wait(jobs.delay("noop", times=20)) == ["done"] * 20
    assert jobs.one("state", uuids) == "cancelled", "nobody runs it again"
    assert jobs.ledger("sleep") == 0
    counted = "SELECT COALESCE(sum(cancelled), 0) FROM queue_job_total"
    wait_until(lambda: jobs.sql(counted)[0][0] == 1, "it is counted, though nobody told of it")


def test_a_deaf_job_that_holds_what_waits_for_it_loses_its_worker(jobs):
    """Its end cannot be recorded while it lives; whoever takes it back knows what was wanted."""
    uuids = launch_chain(jobs, LONG, "hold_dependents")
    worker = jobs.worker(uuids[:1])
    cancel(jobs, uuids[:1])
    assert jobs.wait(uuids, patience=60) == ["cancelled"] * 3
    wait_until(lambda: worker not in jobs.server.http_workers(), "its worker is gone")
    assert jobs.one("lost", uuids[:1]) == 1, "nobody ran it again"
    assert jobs.ledger("sleep") == 0


def test_a_job_may_clean_up(jobs, tmp_path):
    word = tmp_path / "word"
    uuids = jobs.delay("clean_up", LONG, str(word))
    jobs.wait(uuids, ["started"])
    cancel(jobs, uuids)
    assert jobs.wait(uuids) == ["cancelled"]
    assert word.read_text() == "cleaned up, True"


def launch_chain(jobs, *args):
    """Delay a chain of three, the first of which lasts; return their uuids."""
    return jobs.server.rpc("test.queue.job", "launch_chain_of", [[jobs.record], *args])


@pytest.mark.parametrize(
    ("policy", "cancelled", "limited"),
    [
        (None, ["cancelled"] * 3, ["failed", "wait_dependencies", "wait_dependencies"]),
        ("cancel", ["cancelled"] * 3, ["failed", "cancelled", "cancelled"]),
        (
            "wait",
            ["cancelled", "wait_dependencies", "wait_dependencies"],
            ["failed", "wait_dependencies", "wait_dependencies"],
        ),
    ],
)
def test_what_waits_for_a_stopped_job_follows_its_policy(jobs, policy, cancelled, limited):
    options = {"on_parent_stop": policy}
    uuids = launch_chain(jobs, LONG, "sleep", options)
    jobs.wait(uuids[:1], ["started"])
    cancel(jobs, uuids[:1])
    jobs.wait(uuids[:1])
    assert jobs.column("state", uuids) == cancelled
    uuids = launch_chain(jobs, LONG, "sleep_limited", options)
    jobs.wait(uuids[:1])
    assert jobs.column("state", uuids) == limited


def test_a_job_that_was_cancelled_does_not_run_again_when_its_worker_dies(jobs):
    """Its worker cannot be asked any more; whoever takes the job back knows what was wanted."""
    uuids = launch_chain(jobs, 60)
    worker = jobs.worker(uuids[:1])
    os.kill(worker, signal.SIGSTOP)
    cancel(jobs, uuids[:1])
    os.kill(worker, signal.SIGKILL)
    assert jobs.wait(uuids) == ["cancelled"] * 3
    assert "Cancelled by" in jobs.one("result", uuids[:1])
    assert jobs.one("lost", uuids[:1]) == 1
    assert jobs.ledger("sleep") == 0


def test_two_jobs_that_one_waits_for_are_stopped_at_the_same_moment(jobs):
    """Both give it up, and conflict; neither runs again for that."""
    launched = jobs.server.rpc("test.queue.job", "launch_pair", [[jobs.record], 30])
    *parents, child = launched
    jobs.wait(parents, ["started"])
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database() AND strpos(query, 'date_cancelled') > 0"
    )
    with closing(jobs.server.cluster.connect(jobs.server.database)) as link, link.cursor() as cr:
        cr.execute("BEGIN")
        cr.execute("UPDATE queue_job SET name = name WHERE uuid = %s", [child])
        jobs.server.rpc("queue.job", "button_cancelled", [jobs.column("id", parents)])
        wait_until(lambda: jobs.sql(waiting) == [(2,)], "both want to give it up")
        cr.execute("COMMIT")
    assert jobs.wait(launched) == ["cancelled"] * 3
    assert jobs.column("attempt", parents) == [1, 1]


def test_what_waits_on_goes_on_when_the_stopped_job_is_done_after_all(jobs):
    uuids = launch_chain(jobs, 8, "sleep", {"on_parent_stop": "wait"})
    jobs.wait(uuids[:1], ["started"])
    cancel(jobs, uuids[:1])
    assert jobs.wait(uuids[:1]) == ["cancelled"]
    jobs.server.rpc("queue.job", "requeue", [jobs.column("id", uuids[:1])])
    assert jobs.wait(uuids) == ["done"] * 3


def read(jobs, uuid, *names):
    """Return fields of a job as its form reads them."""
    return jobs.server.rpc("queue.job", "read", [jobs.column("id", [uuid]), list(names)])[0]


def test_the_form_says_who_asked_and_what_is_waited_for(jobs):
    (uuid,) = jobs.delay("take_no_notice", LONG)
    jobs.wait([uuid], ["started"])
    assert not read(jobs, uuid, "stopping")["stopping"]
    (number,) = jobs.column("id", [uuid])
    before = jobs.server.rpc("queue.job", "pulse", [[number]])
    cancel(jobs, [uuid])
    name = jobs.server.rpc("res.users", "search_read", [[("login", "=", "admin")], ["name"]])
    said = wait_until(
        lambda: "broken off" in (text := read(jobs, uuid, "stopping")["stopping"] or "") and text,
        "its worker has told of the second stage",
    )
    assert f"Stop requested by {name[0]['name']} at " in said
    assert "its worker is ended at" in said
    assert jobs.server.rpc("queue.job", "pulse", [[number]]) != before, "the form reads anew"
    assert jobs.wait([uuid]) == ["cancelled"]
    after = read(jobs, uuid, "stopping", "stopped")
    assert not after["stopping"]
    assert after["stopped"].startswith(f"Cancelled by {name[0]['name']} while it ran: asked at")
    assert jobs.sql("SELECT count(*) FROM queue_job_stop") == [(0,)]


def test_many_are_cancelled_and_those_that_run_are_stopped(jobs):
    running = [*jobs.delay("sleep", LONG), *jobs.delay("sleep_in_sql", LONG)]
    jobs.wait(running, ["started"])
    waiting = jobs.delay("noop", eta=3600, times=3)
    numbers = jobs.column("id", running + waiting)
    values = {"action": "cancel", "domain": f'[["id", "in", {numbers}]]'}
    bulk = jobs.server.rpc("queue.job.bulk", "create", [values])
    (seen,) = jobs.server.rpc("queue.job.bulk", "read", [[bulk], ["summary", "running"]])
    assert seen["summary"].startswith("5 jobs")
    assert seen["running"].startswith("2 of them run")
    said = jobs.server.rpc("queue.job.bulk", "apply", [[bulk]])["params"]["message"]
    assert said == "3 jobs were changed. 2 jobs that run were asked to stop."
    assert set(jobs.wait(running + waiting)) == {"cancelled"}


def test_what_was_cancelled_while_it_ran_is_counted(jobs):
    uuids = jobs.delay("sleep", LONG)
    jobs.wait(uuids, ["started"])
    cancel(jobs, uuids)
    jobs.wait(uuids)
    for table in ("queue_job_metric", "queue_job_total"):
        query = f"SELECT COALESCE(sum(cancelled), 0), sum(done) FROM {table}"
        wait_until(lambda query=query: jobs.sql(query)[0][0] == 1, f"it is in {table}")


def test_a_server_of_threads_stops_what_computes_and_what_waits_for_sql(server):
    jobs = Jobs(server(MODULES, workers=0, channels="root:2"))
    for kind in ("compute", "sleep_in_sql"):
        uuids = jobs.delay(kind, LONG)
        jobs.wait(uuids, ["started"])
        cancel(jobs, uuids)
        assert jobs.wait(uuids) == ["cancelled"]
    assert jobs.ledger("sleep") == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_stopped_at_its_limit_whatever_it_waits_for(jobs, kind):
    workers = set(jobs.server.http_workers())
    took = []
    for _round in range(ROUNDS):
        uuids = jobs.delay(kind, LONG, timeout=0.5)
        assert jobs.wait(uuids) == ["failed"]
        assert "limit of 0.5 s" in jobs.one("exc_message", uuids)
        took.append(float(jobs.one("exec_time", uuids)) - 0.5)
    tell(f"beyond the limit, {kind}", took)
    assert max(took) < BAR_SECONDS
    assert jobs.ledger("sleep") == 0, "their work is rolled back"
    assert set(jobs.server.http_workers()) == workers, "no worker was lost"


def test_a_job_beyond_its_limit_is_failed_and_names_it(jobs):
    workers = set(jobs.server.http_workers())
    uuids = [*jobs.delay("sleep_limited", LONG), *jobs.delay("sleep_in_sql", LONG, timeout=1)]
    assert jobs.wait(uuids) == ["failed"] * 2
    for uuid in uuids:
        assert "JobTimeLimitError" in jobs.one("exc_name", [uuid])
        assert "limit of 1 s" in jobs.one("exc_message", [uuid])
    assert jobs.ledger("sleep") == 0
    assert set(jobs.server.http_workers()) == workers


def test_a_job_beyond_its_limit_that_takes_no_notice_loses_its_worker(jobs):
    uuids = jobs.delay("take_no_notice", LONG, timeout=1)
    worker = jobs.worker(uuids)
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("exc_name", uuids).endswith("JobTimeLimitError")
    assert "limit of 1 s" in jobs.one("exc_message", uuids)
    assert jobs.one("failure_key", uuids), "it is among the failures that operators look at"
    wait_until(lambda: worker not in jobs.server.http_workers(), "its worker is gone")
    wait_until(lambda: len(jobs.server.http_workers()) == 4, "and replaced")
    assert jobs.wait(jobs.delay("noop", times=20)) == ["done"] * 20
    assert jobs.one("state", uuids) == "failed", "nobody runs it again"
    assert jobs.ledger("sleep") == 0


def test_a_worker_is_ended_when_the_end_of_its_job_cannot_be_recorded(jobs):
    jobs.sql("ALTER TABLE queue_job_attempt RENAME TO not_there")
    uuids = jobs.delay("take_no_notice", LONG, timeout=1)
    worker = jobs.worker(uuids)
    wait_until(lambda: worker not in jobs.server.http_workers(), "its worker is gone")
    jobs.sql("ALTER TABLE not_there RENAME TO queue_job_attempt")
    assert "its end could not be recorded" in jobs.server.log_text()


def test_a_job_beyond_its_limit_is_tried_again_when_its_function_says_so(jobs):
    uuids = jobs.delay("sleep_limited_again", LONG, max_retries=2)
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("retry", uuids) == 2
    assert "Max. retries (2) reached" in jobs.one("exc_message", uuids)


def test_errors_that_a_function_names_are_tried_again(jobs):
    uuids = jobs.delay("connect", max_retries=3)
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("retry", uuids) == 3
    assert "nobody answers" in jobs.one("exc_message", uuids)


def test_within_its_own_limit_a_job_may_take_longer_than_odoo_allows(server):
    limits = ["--limit-time-real=4", "--limit-time-cpu=3"]
    jobs = Jobs(server(MODULES, workers=2, options=limits))
    uuids = jobs.delay("compute_for_long", 12)
    assert jobs.wait(uuids, patience=60) == ["done"]
    assert jobs.one("attempt", uuids) == 1


def test_a_default_limit_is_for_jobs_without_one(server):
    jobs = Jobs(server(MODULES, workers=2, env={"ODOO_QUEUE_JOB_TIMEOUT": "2"}))
    assert jobs.wait(jobs.delay("sleep", LONG)) == ["failed"]
    assert jobs.wait(jobs.delay("compute_for_long", 4), patience=60) == ["done"]
