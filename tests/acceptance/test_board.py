"""The dashboard of a real server: its pulse, and messages on the bus only while somebody looks."""

import json
import time
from itertools import pairwise

import pytest
from core.report import write_lease
from core.signature import sign
from jobs import Jobs, wait_until
from test_signed_route import post, secret_of

TOPIC = "queue_job.board"

UNHEARD = 3.0
"""Seconds in which a message would have come, if there were any: thrice the time between two."""


@pytest.fixture(scope="module")
def jobs(make_shared_server):
    """Return the jobs of a server that runs them."""
    return Jobs(make_shared_server(channels="root:2", workers=3))


def messages(jobs):
    """Return when each message was sent, and what it said; the oldest first."""
    rows = jobs.sql(
        "SELECT EXTRACT(epoch FROM create_date)::float, message FROM bus_bus "
        "WHERE message LIKE %s ORDER BY id",
        [f"%{TOPIC}%"],
    )
    return [(at, json.loads(message)["payload"]) for at, message in rows]


def end_watch(jobs):
    jobs.sql("UPDATE queue_job_watch SET date_until = '-infinity'")


def keep_busy(jobs, seconds):
    """Run jobs for so long; return how many ended."""
    deadline, ended = time.monotonic() + seconds, 0
    while time.monotonic() < deadline:
        ended += len(jobs.wait(jobs.delay("noop", times=20)))
    return ended


def test_nobody_looks_and_nothing_is_sent(jobs):
    end_watch(jobs)
    before = jobs.sql("SELECT count(*) FROM bus_bus")
    assert keep_busy(jobs, UNHEARD) > 0
    assert jobs.sql("SELECT count(*) FROM bus_bus") == before
    assert "/queue_job/publish" not in jobs.server.log_text()


def test_somebody_looks_and_is_told_once_a_second_at_most(jobs):
    before = len(messages(jobs))
    for _dashboard in range(5):
        jobs.server.rpc("queue.job.board", "watch", [])
    keep_busy(jobs, 6)
    found = wait_until(
        lambda: len(messages(jobs)) >= before + 3 and messages(jobs)[before:], "messages"
    )
    times = [at for at, _payload in found]
    assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    numbers = [payload["seq"] for _at, payload in found]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none is missing"
    assert set(found[0][1]) == {"seq", "now", "counts"}, "figures, and nothing of any job"
    seq = jobs.server.rpc("queue.job.board", "snapshot", [])["seq"]
    assert seq >= numbers[-1]


def test_when_nothing_happens_there_is_a_sign_of_life_now_and_then(jobs):
    jobs.server.rpc("queue.job.board", "watch", [])
    before = len(messages(jobs))
    found = wait_until(
        lambda: len(messages(jobs)) >= before + 3 and messages(jobs)[before:], "signs of life"
    )
    assert found[2][0] - found[1][0] > 3


def test_the_last_one_leaves_and_it_is_quiet(jobs):
    jobs.server.rpc("queue.job.board", "watch", [])
    before = len(messages(jobs))
    wait_until(lambda: len(messages(jobs)) > before, "it is told")
    end_watch(jobs)
    sent = len(messages(jobs))
    keep_busy(jobs, UNHEARD)
    # One may have been on its way.
    assert len(messages(jobs)) <= sent + 1


def test_who_overhears_a_request_cannot_make_more_of_them(jobs):
    """Asked again and again, by a signature that is good: one a second, or none."""
    secret = secret_of(jobs.server.cluster, jobs.server.database)

    def ask(body):
        now = time.time()
        signature = sign(secret, jobs.server.database, body, now)
        return post(jobs.server, body, signature, path="/queue_job/publish")

    end_watch(jobs)
    before = len(messages(jobs))
    for _again in range(5):
        assert ask(write_lease([])) == (200, {"jobs": []})
    assert len(messages(jobs)) <= before + 1, "nobody looks"
    assert ask(write_lease([(1, 1)]))[0] == 400
    assert ask(b"{}")[0] == 400
    body = write_lease([])
    assert post(jobs.server, body, "x", path="/queue_job/publish")[0] == 403


def test_the_pulse_is_that_of_the_figures(jobs):
    ended = keep_busy(jobs, 0.1) + len(jobs.wait(jobs.delay("fail", "x", times=3)))

    def counted():
        query = "SELECT sum(done), sum(failed) FROM queue_job_{}"
        figures = jobs.sql(query.format("metric"))
        whole = jobs.sql(query.format("pulse WHERE channel = ''"))
        parts = jobs.sql(query.format("pulse WHERE channel <> ''"))
        done, failed = whole[0]
        return figures == whole == parts and (done or 0) + (failed or 0) >= ended and failed >= 3

    wait_until(counted, "what ended is stored")


def test_what_waits_is_noted_each_minute(jobs):
    """A leader that begins notes it at once, so that no minute is waited for."""
    rows = wait_until(
        lambda: jobs.sql(
            "SELECT waiting, running, oldest FROM queue_job_pulse "
            "WHERE channel = '' AND waiting IS NOT NULL"
        ),
        "the leader has looked",
    )
    assert rows
    assert all(value is not None for row in rows for value in row)
