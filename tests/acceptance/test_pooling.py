"""Odoo behind PgBouncer, which gives each transaction another session."""

import os
import signal
import subprocess
import threading
import time
from contextlib import closing, contextmanager

import psycopg2
import pytest
from commands import command_line
from jobs import Jobs, wait_until
from storage import pooler
from traces import Traces

from dev.network import LOOPBACK
from dev.pgbouncer import PgBouncer

MODULES = ("test_queue_job", "test_queue_job_override")

REMEDY = "jobrunner_db_host"
"""What the log has to name."""

LENIENT = {"ignore_startup_parameters": "options"}
"""A pooler that takes the connections of the runner without applying their settings."""


@pytest.fixture
def bouncer(cluster, tmp_path):
    """Return a function that starts a PgBouncer in front of the shared cluster."""
    running = []

    def start(**settings):
        running.append(PgBouncer(tmp_path / f"pgbouncer-{len(running)}", cluster, settings))
        return running[-1].__enter__()

    yield start
    for started in running:
        started.__exit__()


def direct(cluster):
    """Return the settings of the direct connection, as odoo.conf has them."""
    names = {"host": LOOPBACK, "port": cluster.port, "user": cluster.user}
    names["password"] = cluster.password
    return {f"jobrunner_db_{name}": str(value) for name, value in names.items()}


def in_environment(settings):
    return {"env": {f"ODOO_QUEUE_JOB_{name.upper()}": value for name, value in settings.items()}}


def in_file(settings):
    return {"settings": settings}


@pytest.mark.parametrize("place", [in_environment, in_file])
def test_jobs_run_behind_a_transaction_pool(server, bouncer, cluster, tmp_path, place):
    pool = bouncer()
    odoo = server(
        MODULES, workers=4, channels="root:3", options=pool.options, **place(direct(cluster))
    )
    jobs = Jobs(odoo)
    traces = Traces(jobs, tmp_path / "traces")
    before = pool.transactions(odoo.database)
    traces.delay(0, times=300)
    wait_until(lambda: not traces.open(), "every job ends")
    assert pool.transactions(odoo.database) - before >= 300, "their transactions went through it"
    assert direct_sessions(jobs) >= 2, "runner and locks did not"

    retried = jobs.delay("retry_until", 3)
    failed = jobs.delay("fail")
    midway = jobs.delay("commit_and_sleep", 0.5)
    layers = odoo.rpc("test.queue.job", "launch_graph", [[jobs.record], 2, 2, 2])[0]
    assert jobs.wait(retried + failed + midway) == ["done", "failed", "done"]
    assert jobs.one("retry", retried) == 3
    assert set(jobs.wait([uuid for layer in layers for uuid in layer])) == {"done"}

    slow = traces.delay(1)
    os.kill(jobs.worker(slow), signal.SIGKILL)
    assert jobs.wait(slow) == ["done"]
    assert traces.runs()[slow[0]] == 2
    assert jobs.one("lost", slow) == 1
    traces.check()


def direct_sessions(jobs):
    """Return how many sessions of runner and workers there are."""
    rows = jobs.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'queue_job %%' "
        "AND datname = current_database()"
    )
    return rows[0][0]


@pytest.mark.parametrize("settings", [{}, LENIENT], ids=["strict", "lenient"])
def test_a_runner_behind_a_transaction_pool_names_the_remedy(server, bouncer, cluster, settings):
    pool = bouncer(**settings)
    odoo = server(MODULES, options=pool.options)
    jobs = Jobs(odoo)
    uuids = jobs.delay("noop")
    wait_until(lambda: REMEDY in odoo.log_text(), "the log names the remedy")
    lines = [line for line in odoo.log_text().splitlines() if REMEDY in line]
    assert all(" ERROR " in line for line in lines)
    runner = odoo.runner_pid()
    wait_until(lambda: odoo.log_text().count(REMEDY) > 1, "it tries again")
    assert odoo.runner_pid() == runner, "its process lives"
    assert "Traceback" not in odoo.log_text()
    assert jobs.column("state", uuids) == ["pending"]

    odoo.stop()
    odoo.settings = direct(cluster)
    odoo.start()
    odoo.wait_ready()
    assert jobs.wait(uuids) == ["done"]


def test_a_worker_without_locks_runs_nothing_and_names_the_remedy(server, bouncer, cluster):
    """The runner has its direct way, the workers have not."""
    pool = bouncer(**LENIENT)
    odoo = server(MODULES, channels="root:0", options=pool.options)
    jobs = Jobs(odoo)
    uuids = jobs.delay("sleep", 0, "unlocked", times=3)
    with runner_beside(odoo, in_environment(direct(cluster))["env"]) as log:
        wait_until(lambda: odoo.log_text().count(REMEDY) > 2, "the workers' log names the remedy")
        assert "not answered" not in log.read_text(), "the runner is told"
        assert set(jobs.column("lost", uuids)) == {0}, "nothing was lost, nothing was started"
        odoo.stop()
        odoo.settings = direct(cluster)
        odoo.start()
        odoo.wait_ready()
        assert set(jobs.wait(uuids)) == {"done"}
    assert jobs.ledger("unlocked") == 3


@contextmanager
def runner_beside(odoo, env):
    """Run a jobrunner of its own beside a server, and return its log."""
    words, environ = command_line(odoo, "root:2", "run")
    log = odoo.folder / "alone.log"
    with log.open("wb") as output:
        runner = subprocess.Popen(words, env={**environ, **env}, stdout=output, stderr=output)
        try:
            yield log
        finally:
            runner.terminate()
            runner.wait(10)


def test_a_pooler_in_session_mode_will_do(server, bouncer):
    pool = bouncer(pool_mode="session", **LENIENT)
    odoo = server(MODULES, workers=3, channels="root:2", options=pool.options)
    jobs = Jobs(odoo)
    uuids = jobs.delay("sleep", 0, "session", times=100)
    assert set(jobs.wait(uuids)) == {"done"}
    slow = jobs.delay("sleep", 1, "slow")
    os.kill(jobs.worker(slow), signal.SIGKILL)
    assert jobs.wait(slow) == ["done"]
    assert (jobs.ledger("session"), jobs.ledger("slow")) == (100, 1)


# What tells a pooler, by itself


def parameters(pool):
    return {**pool.cluster.libpq, "dbname": "postgres", "port": pool.port}


def link_to(info):
    link = psycopg2.connect(**info)
    link.autocommit = True
    return closing(link)


def test_a_direct_connection_is_told_from_a_pooled_one(bouncer, cluster):
    with link_to({**cluster.libpq, "dbname": "postgres"}) as link:
        assert pooler.is_direct(link)
    with link_to(parameters(bouncer())) as link:
        assert not pooler.is_direct(link)


def test_a_busy_transaction_pool_is_told_every_time(bouncer):
    info = parameters(bouncer(default_pool_size="5"))
    with others(info, 4):
        for _try in range(40):
            with link_to(info) as link, pytest.raises(pooler.PooledError, match=REMEDY):
                pooler.check(link, info, {})


@contextmanager
def others(info, number):
    """Have other clients that use the pool all the time."""
    stop = threading.Event()

    def work():
        with link_to(info) as link, link.cursor() as cr:
            while not stop.is_set():
                cr.execute("SELECT pg_sleep(0.001)")

    threads = [threading.Thread(target=work) for _number in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("size", ["1", "5"])
def test_a_session_pool_is_accepted_and_given_the_settings(bouncer, size):
    info = parameters(bouncer(pool_mode="session", default_pool_size=size))
    with link_to(info) as link:
        began = time.monotonic()
        pooler.check(link, info, {"statement_timeout": "31s", "jit": "off"})
        assert time.monotonic() - began < 2 * pooler.LOOK_SECONDS
        with link.cursor() as cr:
            cr.execute("SHOW statement_timeout")
            assert cr.fetchone() == ("31s",)
