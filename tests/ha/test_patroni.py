"""Patroni changes the primary under jobs that run, orderly and by a loss."""

import threading
import time
from contextlib import contextmanager

import pytest
from jobs import Jobs, wait_until
from traces import Traces

MODULES = ("test_queue_job", "test_queue_job_override")

AGAIN_WITHIN = 5.0
"""Seconds from a database that answers to jobs that are dispatched."""

CHANGE_WITHIN = 90.0
"""Seconds that Patroni has for another primary: a lost one keeps the lead until its time is up."""


@pytest.fixture
def traces(patroni, template, server, tmp_path):
    """Return jobs on a server whose PostgreSQL is Patroni's."""
    template.create_on(patroni, "patroni", MODULES)
    odoo = server(cluster=patroni, database_name="patroni", workers=4, channels="root:3")
    return Traces(Jobs(odoo), tmp_path / "traces")


@contextmanager
def load(traces):
    """Delay jobs all the time, as users do, who see an error when the database is away."""
    stop = threading.Event()
    refused = []

    def work():
        while not stop.is_set():
            try:
                traces.delay(0.05, times=5)
            except Exception as error:
                refused.append(str(error).strip())
            stop.wait(0.2)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        print(f"{len(refused)} requests to delay ended in an error, such as {refused[-1:]}")


class Answering:
    """Notes when the database began to answer again: to be written to, where the address leads.

    :param cluster: the database's server
    """

    def __init__(self, cluster):
        self.cluster = cluster
        self.since = None
        self.away = 0.0
        self._last = time.monotonic()

    def look(self):
        """Look once; tell whether it answers after it was away."""
        now = time.monotonic()
        try:
            rows = self.cluster.execute("patroni", "SELECT pg_is_in_recovery()")
        except Exception:
            self.since, self.away = None, self.away + now - self._last
        else:
            if not rows[0][0] and self.since is None:
                self.since = now
        self._last = time.monotonic()
        return self.away > 0 and self.since is not None


def dispatched_again(traces, patroni, change):
    """Change the primary by ``change``, and return how long the database and the jobs were away."""
    answering = Answering(patroni)
    changed = time.monotonic()
    thread = threading.Thread(target=change)
    thread.start()
    wait_until(answering.look, "the database was away and answers", CHANGE_WITHIN)
    before = traces.done()
    wait_until(lambda: traces.done() > before, "jobs are dispatched", AGAIN_WITHIN)
    dispatched = time.monotonic()
    thread.join()
    print(
        f"the database answered {answering.since - changed:.1f} s after the change began, "
        f"a job was done {dispatched - answering.since:.2f} s later"
    )


def settle(traces):
    """Wait until everything has ended, and hold it against the bars."""
    wait_until(lambda: not traces.open(), "every job ends", 120)
    traces.check()


def test_a_switch_over_under_load(traces, patroni):
    leading = patroni.primary()
    slow = traces.delay(20, priority=1)
    traces.jobs.wait(slow, ["started"])
    with load(traces):
        wait_until(lambda: traces.done() > 20, "jobs run")
        dispatched_again(traces, patroni, patroni.switch_over)
        assert patroni.primary() is not leading
        done = traces.done()
        wait_until(lambda: traces.done() > done + 50, "jobs go on")
    settle(traces)
    assert traces.runs()[slow[0]] == 2


def test_a_fail_over_under_load(traces, patroni):
    leading = patroni.primary()
    slow = traces.delay(15, priority=1)
    traces.jobs.wait(slow, ["started"])
    with load(traces):
        wait_until(lambda: traces.done() > 20, "jobs run")
        dispatched_again(traces, patroni, leading.kill)
        assert patroni.primary() is not leading
        done = traces.done()
        wait_until(lambda: traces.done() > done + 50, "jobs go on")
        patroni.start_node(leading.name)
        patroni.wait_redundant()
    settle(traces)
    assert traces.runs()[slow[0]] == 2


def test_there_and_back_three_times(traces, patroni):
    """A job that is short enough to end between two changes is run twice at most, each time."""
    with load(traces):
        for _round in range(3):
            patroni.wait_redundant()
            wait_until(lambda: traces.done() > 0, "jobs run")
            dispatched_again(traces, patroni, patroni.switch_over)
    settle(traces)
