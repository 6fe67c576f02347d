"""The faults: one function each, and one table of them.

A function strikes, and mends what does not mend by itself. It returns when it struck, since when
things could work again at best, and which job it hit. To add a fault is to write a function and
an entry of :data:`FAULTS`.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
import psycopg2

from dev.odoo import Odoo
from dev.template import Templates

from . import clock, disk
from .ledger import Excuse
from .load import ALONE, USUAL, Kind, Mix
from .pairs import PairOfClusters, PairOfServers
from .stage import PLACES, Impatience, Setting, Stage, wait_for

KILLS = 20
RESTARTS = 5
"""Rounds of what is quick, and of what takes long."""

STOPPED_SECONDS = (0.5, 2.5)
SILENT_SECONDS = (2.0, 6.0)
FULL_SECONDS = (2.0, 4.0)
"""How long what lasts for a while lasts."""

CLOCK_STEP = 3600
"""Seconds by which a clock is set forward or back: the hour of a wrong time zone."""

CUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE %s
"""
RUNNER = "queue_job runner"
LIVENESS = "queue_job worker"
ANYBODY = "%"

NO_SPACE = "No space left on device"
"""What PostgreSQL's log says of a full disk."""

CUT_PORTS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND client_port = ANY(%s) AND application_name <> %s
"""
"""The sessions of a process: Odoo gives all of them the number of its main one."""

CUT_HOLDER = """
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 2
   AND objid = (SELECT id FROM queue_job WHERE uuid = %s)
"""
"""The session that shows that the worker of a job lives."""


@dataclass(frozen=True)
class Struck:
    """What a fault did.

    :param since: seconds, of the monotonic clock, from which the recovery is counted
    :param hit: uuid of the job whose run it ended, if it meant one
    """

    since: float
    hit: str = ""


Strike = Callable[[Stage, random.Random, str], Struck]


@dataclass(frozen=True)
class Fault:
    """An entry of the table.

    :param title: what the results call it
    :param strike: given the stage, the chance of this round and the tag of its jobs
    :param rounds: in a full campaign
    :param mix: what is under way when it strikes
    :param excuse: further runs that it explains
    :param bar: seconds in which a job has to run again, if that was promised
    :param setting: what it needs of the server
    :param missing: tells why it cannot be done on this machine
    :param patience: seconds until a job that has not ended counts as stuck
    :param requeue: error whose jobs an operator requeues once it is over
    :param stage: where it strikes, made as :class:`Stage` is
    """

    title: str
    strike: Strike
    rounds: int = KILLS
    mix: Mix = field(default_factory=lambda: USUAL)
    excuse: Excuse = field(default_factory=Excuse)
    bar: float | None = None
    setting: Setting = field(default_factory=Setting)
    missing: Callable[[], str] = str
    patience: float = 90.0
    requeue: str = ""
    stage: Callable[[Odoo, Templates, Path, Setting], Stage] = Stage


ONE = Excuse(1)
"""One job was hit."""
RUNNING = Excuse(PLACES)
"""All that ran were hit."""

UNTIMED: Mix = {
    kind: number for kind, number in USUAL.items() if kind not in (Kind.STRICT, Kind.RETRYING)
}
"""A retry is given a time by PostgreSQL's clock: while that is wrong, the time is."""

LOOSE: Mix = {kind: number for kind, number in USUAL.items() if kind is not Kind.STRICT}
"""Where jobs fail, those of a sequential channel do not hold back what follows."""


# Processes


def signal_worker(
    stage: Stage, rng: random.Random, tag: str, *, number: signal.Signals = signal.SIGKILL
) -> Struck:
    """Signal a worker that runs a long job."""
    uuid, pid = stage.hit(tag, rng.choice)
    os.kill(pid, number)
    return Struck(time.monotonic(), uuid)


def freeze_worker(stage: Stage, rng: random.Random, tag: str) -> Struck:
    """Stop a worker that runs a long job for a while."""
    _uuid, pid = stage.hit(tag, rng.choice)
    return _freeze([pid], rng)


def signal_runner(
    stage: Stage, _rng: random.Random, _tag: str, *, number: signal.Signals = signal.SIGKILL
) -> Struck:
    """Signal the process of the jobrunner."""
    os.kill(_runner(stage), number)
    return Struck(time.monotonic())


def freeze_runner(stage: Stage, rng: random.Random, _tag: str) -> Struck:
    """Stop the jobrunner for a while."""
    return _freeze([_runner(stage)], rng)


def kill_server(stage: Stage, _rng: random.Random, _tag: str) -> Struck:
    """Kill the server with all its processes, and start it again."""
    stage.server.kill()
    return _start_server(stage)


def stop_server(stage: Stage, _rng: random.Random, _tag: str) -> Struck:
    """Stop the server as an administrator does, and start it again."""
    stage.server.stop()
    return _start_server(stage)


def kill_leading_server(stage: Stage, _rng: random.Random, _tag: str) -> Struck:
    """Kill that of two servers whose jobrunner leads."""
    assert isinstance(stage, PairOfServers)
    stage.kill_leader()
    return Struck(time.monotonic())


def freeze_server(stage: Stage, rng: random.Random, _tag: str) -> Struck:
    """Stop every process of the server for a while, as a virtual machine that is moved."""
    return _freeze([process.pid for process in stage.server.pids()], rng)


def _start_server(stage: Stage) -> Struck:
    stage.start_server()
    return Struck(time.monotonic())


def _runner(stage: Stage) -> int:
    """Return the process of the jobrunner, which is another than that of the server."""

    def own() -> int | None:
        pid = stage.server.runner_pid()
        return None if pid == stage.server.pid else pid

    pid: int = wait_for(own, "the jobrunner has a process")
    return pid


def _freeze(pids: list[int], rng: random.Random) -> Struck:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(rng.uniform(*STOPPED_SECONDS))
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    return Struck(time.monotonic())


# Connections


def cut(stage: Stage, _rng: random.Random, _tag: str, *, whose: str = ANYBODY) -> Struck:
    """Have PostgreSQL end connections, by the name under which they were opened."""
    _cut(stage, whose)
    return Struck(time.monotonic())


def _cut(stage: Stage, whose: str) -> None:
    if not stage.sql(CUT, [whose])[0][0]:
        raise Impatience(f"no connection of {whose} to cut")


def cut_liveness(stage: Stage, rng: random.Random, tag: str) -> Struck:
    """End the connection that shows that the worker of a long job lives."""
    uuid, _pid = stage.hit(tag, rng.choice)
    if not stage.sql(CUT_HOLDER, [uuid])[0][0]:
        raise Impatience(f"nobody holds the lock of {uuid}")
    return Struck(time.monotonic())


def cut_job(stage: Stage, rng: random.Random, tag: str) -> Struck:
    """End the connection on which a long job works."""
    uuid, pid = stage.hit(tag, rng.choice)
    ports = [link.laddr.port for link in psutil.Process(pid).net_connections() if link.laddr]
    if not stage.sql(CUT_PORTS, [ports, LIVENESS])[0][0]:
        raise Impatience(f"process {pid} works on no connection")
    return Struck(time.monotonic(), uuid)


def use_up_connections(stage: Stage, rng: random.Random, _tag: str) -> Struck:
    """End every connection and take all that PostgreSQL has to give, for a while."""
    with ExitStack() as taken:
        stage.sql(CUT, [ANYBODY])
        until = time.monotonic() + rng.uniform(*FULL_SECONDS)
        while time.monotonic() < until:
            try:
                taken.enter_context(closing(stage.cluster.connect("postgres")))
            except psycopg2.OperationalError:
                # Nothing left: whatever is given back is taken at once.
                time.sleep(0.01)
    return Struck(time.monotonic())


def silence(stage: Stage, rng: random.Random, _tag: str) -> Struck:
    """Let connections fall silent for a while; then they go on, or are found to be dead."""
    assert stage.relay
    stage.relay.stall()
    time.sleep(rng.uniform(*SILENT_SECONDS))
    rng.choice((stage.relay.resume, stage.relay.drop))()
    return Struck(time.monotonic())


# PostgreSQL


def restart_postgres(stage: Stage, _rng: random.Random, _tag: str, *, mode: str = "fast") -> Struck:
    """Restart PostgreSQL."""
    stage.cluster.restart(mode)
    return _answering(stage)


def kill_postgres(stage: Stage, _rng: random.Random, _tag: str) -> Struck:
    """Kill the postmaster, and start it again."""
    stage.cluster.kill()
    stage.cluster.restart()
    return _answering(stage)


def fail_over(stage: Stage, _rng: random.Random, _tag: str) -> Struck:
    """Kill the primary, and go on with the standby."""
    assert isinstance(stage, PairOfClusters)
    stage.fail_over()
    return _answering(stage)


def _answering(stage: Stage) -> Struck:
    wait_for(stage.answers, "PostgreSQL answers")
    return Struck(time.monotonic())


def full_at_commit(stage: Stage, rng: random.Random, _tag: str) -> Struck:
    """Have every commit of a line of the ledger fail as on a full disk, for a while."""
    stage.sql(disk.FULL_AT_COMMIT)
    try:
        time.sleep(rng.uniform(*FULL_SECONDS))
    finally:
        stage.sql(disk.NOT_FULL_AT_COMMIT)
    return Struck(time.monotonic())


def fill_disk(stage: Stage, rng: random.Random, _tag: str) -> Struck:
    """Fill the disk on which the tables of jobs and ledger are, for a while."""
    assert stage.disk
    before = _count_no_space(stage)
    stage.disk.fill()
    try:
        time.sleep(rng.uniform(*FULL_SECONDS))
        wait_for(lambda: _count_no_space(stage) > before, "something finds the disk full")
    finally:
        stage.disk.free()
    return Struck(time.monotonic())


def _count_no_space(stage: Stage) -> int:
    return stage.cluster.log_text().count(NO_SPACE)


# Clocks


def step_clock(stage: Stage, rng: random.Random, _tag: str) -> Struck:
    """Set a clock an hour forward or back, and to the true time again after a while."""
    assert stage.clock
    stage.clock.step(rng.choice((-CLOCK_STEP, CLOCK_STEP)))
    try:
        time.sleep(rng.uniform(*FULL_SECONDS))
    finally:
        stage.clock.step(0)
    return Struck(time.monotonic())


# Limits


def wait_for_limit(stage: Stage, _rng: random.Random, tag: str, *, kind: Kind) -> Struck:
    """Wait until the job that goes beyond a limit has ended."""

    def ended() -> bool:
        return all(row.state == "failed" for row in stage.rows(tag) if row.kind is kind)

    wait_for(ended, f"{kind.value} is failed", 90.0)
    return Struck(time.monotonic())


def nothing(_stage: Stage, _rng: random.Random, _tag: str) -> Struck:
    """Do nothing: the fault is in the server's settings."""
    return Struck(time.monotonic())


def _limited(option: str) -> Setting:
    return Setting(options=(option,))


FAULTS: Mapping[str, Fault] = {
    "worker-kill": Fault("worker killed (SIGKILL)", signal_worker, excuse=ONE),
    "worker-kill-idle": Fault(
        "worker killed (SIGKILL) under the only job", signal_worker, mix=ALONE, excuse=ONE, bar=3.0
    ),
    "worker-freeze": Fault("worker stopped and continued (SIGSTOP, SIGCONT)", freeze_worker),
    "worker-term": Fault(
        "worker ended (SIGTERM)", partial(signal_worker, number=signal.SIGTERM), excuse=ONE
    ),
    "runner-kill": Fault("jobrunner killed (SIGKILL)", signal_runner),
    "runner-kill-idle": Fault(
        "jobrunner killed (SIGKILL), one job running", signal_runner, mix=ALONE, bar=3.0
    ),
    "runner-freeze": Fault("jobrunner stopped and continued (SIGSTOP, SIGCONT)", freeze_runner),
    "runner-term": Fault(
        "jobrunner ended (SIGTERM)", partial(signal_runner, number=signal.SIGTERM)
    ),
    "server-kill": Fault("server killed and started", kill_server, excuse=RUNNING),
    "node-kill": Fault(
        "leading one of two servers killed (SIGKILL)",
        kill_leading_server,
        mix=ALONE,
        excuse=RUNNING,
        bar=3.0,
        stage=PairOfServers,
    ),
    "node-kill-load": Fault(
        "leading one of two servers killed (SIGKILL), under load",
        kill_leading_server,
        excuse=RUNNING,
        stage=PairOfServers,
    ),
    "server-freeze": Fault("server stopped and continued (SIGSTOP, SIGCONT)", freeze_server),
    "server-term": Fault("server ended (SIGTERM) and started", stop_server, excuse=RUNNING),
    "cut-runner": Fault("connection of the jobrunner cut", partial(cut, whose=RUNNER)),
    "cut-liveness": Fault("connection cut that shows that a worker lives", cut_liveness),
    "cut-job": Fault("connection cut on which a job works", cut_job, excuse=ONE),
    "cut-all": Fault("every connection cut", cut, excuse=RUNNING),
    "postgres-fast": Fault(
        "PostgreSQL restarted, fast", restart_postgres, RESTARTS, excuse=RUNNING, bar=5.0
    ),
    "postgres-immediate": Fault(
        "PostgreSQL restarted, immediate",
        partial(restart_postgres, mode="immediate"),
        RESTARTS,
        excuse=RUNNING,
        bar=5.0,
    ),
    "postgres-kill": Fault(
        "PostgreSQL killed (SIGKILL) and started", kill_postgres, RESTARTS, excuse=RUNNING, bar=5.0
    ),
    "failover": Fault(
        "primary killed, standby promoted, address moved",
        fail_over,
        RESTARTS,
        excuse=RUNNING,
        bar=5.0,
        setting=Setting(standby=True),
        stage=PairOfClusters,
    ),
    "connections": Fault(
        "connections of PostgreSQL used up", use_up_connections, RESTARTS, excuse=RUNNING
    ),
    "disk-commit": Fault(
        "disk full at commit (SQLSTATE 53100, by a trigger)",
        full_at_commit,
        RESTARTS,
        mix=LOOSE,
        excuse=Excuse(None, 3),
        requeue="DiskFull",
    ),
    "disk": Fault(
        "disk of the tables full",
        fill_disk,
        RESTARTS,
        mix=LOOSE,
        excuse=Excuse(None, 5),
        setting=Setting(tablespace=True),
        missing=disk.missing,
        requeue="DiskFull",
    ),
    "silent-direct": Fault(
        "direct connections silent, then going on or cut",
        silence,
        RESTARTS,
        excuse=RUNNING,
        setting=Setting(relay="direct"),
    ),
    "silent-all": Fault(
        "all connections silent, then going on or cut",
        silence,
        RESTARTS,
        excuse=RUNNING,
        setting=Setting(relay="all"),
    ),
    "clock-odoo": Fault(
        "clock of Odoo set by an hour and back",
        step_clock,
        RESTARTS,
        excuse=Excuse(2 * PLACES, 2),
        setting=Setting(clock="odoo"),
        missing=clock.missing,
    ),
    "clock-postgres": Fault(
        "clock of PostgreSQL set by an hour and back",
        step_clock,
        RESTARTS,
        mix=UNTIMED,
        setting=Setting(clock="postgres"),
        missing=clock.missing,
        patience=150.0,
    ),
    "limit-time-real": Fault(
        "a job beyond limit_time_real",
        partial(wait_for_limit, kind=Kind.TOO_LONG),
        RESTARTS,
        mix={**USUAL, Kind.TOO_LONG: 1},
        setting=_limited("--limit-time-real=4"),
    ),
    "limit-time-cpu": Fault(
        "a job beyond limit_time_cpu",
        partial(wait_for_limit, kind=Kind.TOO_BUSY),
        RESTARTS,
        mix={**USUAL, Kind.TOO_BUSY: 1},
        setting=_limited("--limit-time-cpu=3"),
    ),
    "limit-memory-hard": Fault(
        "a job beyond limit_memory_hard",
        partial(wait_for_limit, kind=Kind.TOO_LARGE),
        RESTARTS,
        mix={**USUAL, Kind.TOO_LARGE: 1},
        setting=_limited(f"--limit-memory-hard={2 * 2**30}"),
    ),
    "limit-request": Fault(
        "workers replaced after every 5 requests (limit_request)",
        nothing,
        RESTARTS,
        setting=_limited("--limit-request=5"),
    ),
}
