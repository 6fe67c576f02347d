"""The ground that the other tests stand on: servers start, obey, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import time

import psutil
import psycopg2
import pytest

from dev.cache import CHECKOUT
from dev.postgres import Cluster, installed_versions

PATIENCE = 20
VERSIONS = sorted(installed_versions(), key=int)


def wait_until(condition):
    """Wait for ``condition`` to hold, and fail when it does not."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid):
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_odoo_answers_and_knows_its_processes(server):
    odoo = server(workers=2)
    assert odoo.rpc("res.users", "search_count", [[["login", "=", "admin"]]]) == 1
    wait_until(lambda: len(odoo.http_workers()) == 2)
    wait_until(odoo.gevent_pid)
    assert odoo.pid not in odoo.http_workers()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_odoo_leaves_no_process(server, end):
    odoo = server(workers=2)
    family = odoo.pids()
    getattr(odoo, end)()
    assert len(family) > 2
    assert not any(is_alive(member.pid) for member in family)


def test_odoo_leaves_no_process_although_its_main_process_was_killed(server):
    odoo = server(workers=2)
    wait_until(odoo.gevent_pid)
    gevent = odoo.gevent_pid()
    os.kill(gevent, signal.SIGSTOP)
    os.kill(odoo.pid, signal.SIGKILL)
    wait_until(lambda: odoo.pid is None)
    assert is_alive(gevent)
    odoo.stop()
    assert not is_alive(gevent)


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_postgresql_restarts_with_what_it_knew(own_cluster, mode):
    cluster = own_cluster()
    cluster.execute("postgres", "CREATE TABLE kept AS SELECT 1 AS number")
    port = cluster.port
    cluster.restart(mode)
    assert cluster.port == port
    assert cluster.execute("postgres", "SELECT number FROM kept") == [(1,)]


def test_postgresql_starts_again_after_it_was_killed(own_cluster):
    cluster = own_cluster()
    cluster.create_database("kept")
    cluster.kill()
    with pytest.raises(psycopg2.OperationalError):
        cluster.execute("postgres", "SELECT 1")
    cluster.start()
    assert "kept" in cluster.databases()


def test_postgresql_takes_settings(own_cluster):
    cluster = own_cluster(settings={"log_statement": "all"})
    cluster.execute("postgres", "SELECT 'a statement to be found'")
    assert "a statement to be found" in cluster.log_text()


@pytest.mark.parametrize("version", sorted({VERSIONS[0], VERSIONS[-1]}))
def test_the_oldest_and_the_newest_version_can_have_the_database(own_cluster, template, version):
    target = own_cluster(version)
    assert target.version.split(".")[0] == version
    name = template.create_on(target, "carried")
    modules = target.execute(name, "SELECT state FROM ir_module_module WHERE name = 'queue_job'")
    assert modules == [("installed",)]


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux ties a child to its parent"
)
def test_postgresql_ends_with_an_owner_that_was_killed(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from dev.postgres import Cluster\n"
        "cluster = Cluster.private(Path(sys.argv[1])); cluster.start()\n"
        "print(cluster.pid, flush=True)\n"
        "time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "postgres")]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as owner:
        lines = iter(owner.stdout.readline, "")
        pid = int(next(line for line in lines if line.strip().isdigit()))
        assert is_alive(pid)
        os.kill(owner.pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))
    Cluster.private(tmp_path / "postgres").remove()
