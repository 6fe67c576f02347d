"""The runner under prefork, under the threaded server, alone, twice, and for several databases."""

import os
import signal
import subprocess

import psutil
import pytest
from commands import ask, command_line
from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")


def test_threaded_server(server):
    odoo = server(MODULES, workers=0)
    jobs = Jobs(odoo)
    uuids = jobs.delay("sleep", 0, "threaded", times=200)
    assert set(jobs.wait(uuids)) == {"done"}
    assert jobs.ledger("threaded") == 200
    odoo.stop()


def test_root_of_zero_turns_the_runner_off(server):
    odoo = server(MODULES, channels="root:0")
    jobs = Jobs(odoo)
    uuids = jobs.delay("noop")
    assert odoo.runner_pid() == odoo.pid, "no process of its own"
    assert jobs.column("state", uuids) == ["pending"]
    assert "turned off by root:0" in odoo.log_text()


def test_a_bad_channel_string_is_named_and_the_server_lives(server):
    odoo = server(MODULES, channels="root:4,root.csv:many")
    assert "'many'" in odoo.log_text()
    uuids = Jobs(odoo).delay("noop")
    assert Jobs(odoo).column("state", uuids) == ["pending"]


def test_stand_alone(server):
    odoo = server(MODULES, channels="root:0")
    jobs = Jobs(odoo)
    uuids = jobs.delay("noop", times=20)
    words, env = command_line(odoo, "root:2", "run")
    log = odoo.folder / "alone.log"
    with log.open("wb") as output:
        runner = subprocess.Popen(words, env=env, stdout=output, stderr=output)
        try:
            assert set(jobs.wait(uuids)) == {"done"}, log.read_text()
            runner.send_signal(signal.SIGTERM)
            assert runner.wait(5) == 0
        finally:
            if runner.poll() is None:
                runner.kill()
                runner.wait()


def test_questions_from_a_terminal(server):
    odoo = server(MODULES, channels="root:0")
    (uuid,) = Jobs(odoo).delay("noop")
    explained = ask(odoo, "explain", uuid)
    assert explained.returncode == 0, explained.stderr
    assert "No runner is connected" in explained.stdout
    tested = ask(odoo, "self-test")
    assert tested.returncode == 1
    assert "--load=base,rpc,web,queue_job" in tested.stdout
    assert ask(odoo, "release").returncode == 0
    for wrong in (("explain",), ("explain", "no-such-job"), ("nonsense",)):
        assert ask(odoo, *wrong).returncode in (1, 2), wrong


def test_stand_alone_names_what_is_wrong(server):
    odoo = server(MODULES, channels="root:0", start=False)
    words, env = command_line(odoo, "root:x", "run")
    ended = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "'x'" in ended.stderr


def test_two_servers_have_one_leader_and_the_other_takes_over(server):
    first = server(MODULES, workers=1)
    second = server(database_name=first.database, workers=1)
    jobs = Jobs(first)
    wait_until(lambda: leaders(jobs) == 1, "one leader")
    assert set(jobs.wait(jobs.delay("sleep", 0, "both", times=100))) == {"done"}
    assert jobs.ledger("both") == 100
    first.kill()
    jobs = Jobs(second)
    uuids = jobs.delay("sleep", 0, "after", times=20)
    assert set(jobs.wait(uuids, patience=10)) == {"done"}
    assert jobs.ledger("after") == 20


def leaders(jobs):
    """Return how many sessions hold the leader's lock of the database."""
    rows = jobs.sql(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return rows[0][0]


@pytest.fixture
def two_databases(server, database):
    """Return one server for two databases, and the jobs of each."""
    names = [database(MODULES, name="multi_a"), database(MODULES, name="multi_b")]
    options = ["-d", ",".join(names), "--db-filter", "^multi_[ab]$"]
    return server(database_name=names[0], workers=2, options=options)


def test_several_databases_are_independent(two_databases):
    odoo = two_databases
    jobs = Jobs(odoo)
    other = "multi_b"
    cluster = odoo.cluster
    # The same uuid in both, as after a restore beside the original.
    uuids = jobs.delay("noop", eta=3600)
    cluster.execute(
        other,
        "INSERT INTO queue_job (uuid, name, model_name, method_name, channel_method_name, records, "
        "args, kwargs, state, priority, channel, retry, attempt, lost, max_retries, scheduled) "
        "SELECT %s, 'copy', 'test.queue.job', 'noop', '<test.queue.job>.noop', "
        '\'{"_type": "odoo_recordset", "model": "test.queue.job", "ids": [], "uid": 1}\', '
        "'[]', '{}', 'pending', 10, 'root', 0, 0, 0, 5, false",
        uuids,
    )
    wait_until(
        lambda: cluster.execute(other, "SELECT state FROM queue_job") == [("done",)],
        "the other database's job",
    )
    cluster.execute("postgres", "ALTER DATABASE multi_b ALLOW_CONNECTIONS false")
    cluster.execute(
        "postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'multi_b'",
    )
    try:
        assert set(jobs.wait(jobs.delay("noop", times=50))) == {"done"}, "one is broken, one runs"
    finally:
        cluster.execute("postgres", "ALTER DATABASE multi_b ALLOW_CONNECTIONS true")


def test_nothing_is_dispatched_while_modules_change(server):
    jobs = Jobs(server(MODULES))
    jobs.wait(jobs.delay("noop"))
    jobs.sql("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'web_tour'")
    held = jobs.delay("noop")
    other = jobs.sql("SELECT count(*) FROM queue_job WHERE state = 'done'")
    assert jobs.column("state", held) == ["pending"]
    jobs.sql("UPDATE ir_module_module SET state = 'installed' WHERE name = 'web_tour'")
    assert jobs.wait(held, patience=10) == ["done"]
    assert other == [(1,)]


def test_a_master_that_dies_takes_the_runner_with_it(server):
    odoo = server(MODULES, workers=1)
    wait_until(lambda: odoo.runner_pid() != odoo.pid, "a runner")
    runner = odoo.runner_pid()
    os.kill(odoo.pid, signal.SIGKILL)
    wait_until(lambda: not running(runner), "the runner ends", 15)


def running(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_an_addon_with_jobs_can_be_uninstalled(server):
    jobs = Jobs(server(MODULES))
    uuids = jobs.delay("noop")
    jobs.wait(uuids)
    module = [["name", "=", "test_queue_job"]]
    number = jobs.server.rpc("ir.module.module", "search", [module])
    jobs.server.rpc("ir.module.module", "button_immediate_uninstall", [number])
    assert jobs.sql("SELECT id FROM ir_model WHERE model = 'test.queue.job'") == []
    assert jobs.column("state", uuids) == ["done"], "its history stays"
    name = "SELECT name FROM queue_job_function WHERE name = '<test.queue.job>.noop'"
    assert len(jobs.sql(name)) == 1


ADDRESSES_MB = 350
"""What a runner with eight workers may take of what Odoo limits, beyond what its server does."""


def test_the_threads_of_the_runner_take_little_of_what_odoo_limits(server):
    """Odoo counts addresses: by itself each thread would reserve up to 72 MB of them."""
    odoo = server(MODULES, workers=8, channels="root:8")
    jobs = Jobs(odoo)
    assert set(jobs.wait(jobs.delay("noop", times=200))) == {"done"}
    runner, master = (
        psutil.Process(pid).memory_info().vms for pid in (odoo.runner_pid(), odoo.pid)
    )
    print(f"the runner takes {(runner - master) / 2**20:.0f} MB more than its server")
    assert runner - master < ADDRESSES_MB * 2**20
