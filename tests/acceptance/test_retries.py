"""Jobs that come back: how long they wait, what counts as what, and where it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import commands
import pytest
from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")

LIMITS = {"ODOO_QUEUE_JOB_CONFLICT_LIMIT": "2", "ODOO_QUEUE_JOB_LOST_LIMIT": "2"}


def attempts(jobs, uuids):
    """Return what is kept of the tries of a job: outcome and message."""
    return jobs.sql(
        "SELECT a.outcome, a.message FROM queue_job_attempt a JOIN queue_job q ON q.id = a.job_id "
        "WHERE q.uuid = %s ORDER BY a.id",
        uuids,
    )


def pauses(jobs, uuids):
    """Return the seconds between the end of each try and the beginning of the next."""
    rows = jobs.sql(
        "SELECT extract(epoch FROM lead(a.date_started) OVER (ORDER BY a.id) - a.date_ended) "
        "FROM queue_job_attempt a JOIN queue_job q ON q.id = a.job_id WHERE q.uuid = %s",
        uuids,
    )
    return [float(seconds) for (seconds,) in rows if seconds is not None]


def counters(jobs, uuids):
    """Return tries, conflicts, lost workers and snoozes of a job."""
    return jobs.sql(
        "SELECT retry, COALESCE(conflicts, 0), lost, COALESCE(snoozes, 0) FROM queue_job "
        "WHERE uuid = %s",
        uuids,
    )[0]


@contextmanager
def remote(retry_after: str, busy: int) -> Iterator[str]:
    """Serve somebody who is busy for so many requests, and says when not any more."""
    left = [busy]

    class Remote(BaseHTTPRequestHandler):
        def do_GET(self):
            left[0] -= 1
            self.send_response(503 if left[0] >= 0 else 200)
            if left[0] >= 0:
                self.send_header("Retry-After", retry_after)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"here")

        def log_message(self, *_args):
            """Say nothing."""

    served = ThreadingHTTPServer(("127.0.0.1", 0), Remote)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}/"
    finally:
        served.shutdown()
        served.server_close()
        thread.join(5)


def test_an_error_that_ends_the_transaction_is_tried_again_after(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("break_the_transaction", max_retries=2)
    assert jobs.wait(uuids) == ["failed"]
    assert [outcome for outcome, _message in attempts(jobs, uuids)] == ["postponed", "failed"]
    assert "division by zero" in jobs.one("exc_message", uuids)


# How long


def test_waits_grow_from_try_to_try_up_to_the_most(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("retry_longer_and_longer", max_retries=4)
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("retry", uuids) == 4
    first, second, third = pauses(jobs, uuids)
    # What is drawn, and then some time to be sent to a worker.
    assert 0.25 <= first < 0.75 + 0.5
    assert 0.5 <= second < 1.5 + 0.5
    assert 1 <= third < 2 + 0.5


def test_errors_of_a_class_below_the_one_named_wait_by_the_backoff(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("reach_nobody", max_retries=3)
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("retry", uuids) == 3
    assert "Max. retries (3) reached: ConnectionResetError: hung up" in jobs.one(
        "exc_message", uuids
    )
    assert all(0.2 <= seconds < 1 for seconds in pauses(jobs, uuids))


def test_what_has_failed_for_good_is_not_tried_again_whatever_is_named(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("fail_for_good")
    assert jobs.wait(uuids) == ["failed"]
    assert (jobs.one("retry", uuids), jobs.one("exc_message", uuids)) == (1, "no such order")


@pytest.mark.parametrize("method", ["ask_remote", "ask_remote_kindly"])
def test_a_job_comes_back_when_the_remote_says(shared_server, method):
    jobs = Jobs(shared_server)
    with remote("2", busy=1) as url:
        uuids = jobs.delay(method, url)
        assert jobs.wait(uuids) == ["done"]
    assert jobs.one("result", uuids) == "here"
    ((outcome, message),) = attempts(jobs, uuids)
    assert outcome == "postponed"
    assert "503" in message
    waited = jobs.sql(
        "SELECT extract(epoch FROM q.date_started - a.date_ended) FROM queue_job_attempt a "
        "JOIN queue_job q ON q.id = a.job_id WHERE q.uuid = %s",
        uuids,
    )[0][0]
    assert 2 <= float(waited) < 4


# What counts as what


def test_a_job_that_snoozes_uses_up_no_try(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("snooze", 3, max_retries=1)
    assert jobs.wait(uuids) == ["done"]
    assert counters(jobs, uuids) == (1, 0, 0, 3)
    assert attempts(jobs, uuids) == [("snoozed", "no file yet")] * 3
    assert jobs.one("result", uuids) == "1", "each time it was the first try"


def test_a_job_that_snoozes_too_often_is_failed_and_says_so(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("snooze", 1_000, 0.1, 2)
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("exc_message", uuids) == "Snoozed 2 times, and that is its limit: no file yet"
    assert [outcome for outcome, _message in attempts(jobs, uuids)] == [*["snoozed"] * 2, "failed"]
    assert jobs.one("snoozes", uuids) == 2


def test_what_does_not_count_as_a_try_is_seen_as_snoozed(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("retry_later", 3600, True, max_retries=1)
    wait_until(lambda: attempts(jobs, uuids), "its first attempt is kept")
    assert counters(jobs, uuids) == (0, 0, 0, 1)
    assert attempts(jobs, uuids) == [("snoozed", "not yet")]


def test_a_counter_that_can_count_no_further_stays_where_it_is(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("retry_later", 3600, True, eta=3600)
    jobs.sql("UPDATE queue_job SET snoozes = 2147483647, eta = NULL WHERE uuid = %s", uuids)
    wait_until(lambda: attempts(jobs, uuids), "its first attempt is kept")
    assert counters(jobs, uuids) == (0, 0, 0, 2**31 - 1)


def test_conflicts_in_a_row_end_with_a_try_that_gets_through(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("retry_later", 3600, eta=3600)
    jobs.sql("UPDATE queue_job SET conflicts = 9, lost = 2, eta = NULL WHERE uuid = %s", uuids)
    wait_until(lambda: attempts(jobs, uuids), "its first attempt is kept")
    assert counters(jobs, uuids) == (1, 0, 0, 0)


def test_conflicts_lost_workers_and_tries_have_counters_and_limits_of_their_own(server):
    jobs = Jobs(server(MODULES, workers=2, channels="root:1", env=LIMITS))
    jobs.sql("UPDATE test_queue_job SET value = 0")
    uuids = jobs.delay("conflict", 1_000, max_retries=1)
    assert jobs.wait(uuids, patience=60) == ["failed"]
    assert jobs.one("exc_message", uuids).startswith(
        "Max. conflicts (2) reached: could not serialize"
    )
    kept = [outcome for outcome, _message in attempts(jobs, uuids)]
    assert kept == ["conflict", "failed"]
    assert counters(jobs, uuids) == (1, 1, 0, 0), "the second one failed it"

    killers = jobs.delay("kill_worker", max_retries=1)
    assert jobs.wait(killers, patience=60) == ["failed"]
    assert jobs.one("exc_name", killers) == "JobFoundDead"
    assert [outcome for outcome, _message in attempts(jobs, killers)] == ["lost", "lost"]
    assert counters(jobs, killers) == (0, 0, 2, 0)

    tried = jobs.delay("retry_later", 0, max_retries=2)
    assert jobs.wait(tried) == ["failed"]
    assert counters(jobs, tried) == (2, 0, 0, 0)

    for uuid, expected in (
        (uuids[0], ("conflicts", "1/2")),
        (killers[0], ("lost", "2/2")),
        (tried[0], ("tries", "2/2")),
    ):
        shown = commands.ask(jobs.server, "show", uuid, channels="root:1")
        assert shown.returncode == 0, shown.stderr
        lines = [line.split() for line in shown.stdout.splitlines()]
        assert list(expected) in lines, shown.stdout
        told = commands.answer(jobs.server, "show", uuid)
        assert told["limits"] == {"conflicts": 2, "lost": 2}


def test_a_snooze_is_seen_on_the_command_line(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("snooze", 2)
    assert jobs.wait(uuids) == ["done"]
    shown = commands.ask(jobs.server, "show", uuids[0])
    assert ["snoozes", "2"] in [line.split() for line in shown.stdout.splitlines()], shown.stdout
    told = commands.answer(jobs.server, "show", uuids[0])
    assert (told["snoozes"], told["attempts"][0]["outcome"]) == (2, "snoozed")
