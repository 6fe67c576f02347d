"""Where faults strike: a PostgreSQL of our own, an Odoo server on it, and what is seen of both."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from dev import cache
from dev.network import LOOPBACK
from dev.odoo import Odoo
from dev.postgres import OWN_PREFIX, Cluster
from dev.server import OdooServer, RpcError
from dev.template import ADDONS_FOLDERS, Templates

from .clock import Clock
from .disk import Disk
from .ledger import Batch, Row, Run
from .load import Kind, jobs_of
from .relay import Relay

MODULES = ("test_queue_job",)
DATABASE = f"{OWN_PREFIX}chaos"

WITNESS = "TEST_QUEUE_JOB_WITNESS"
"""Variable that names the folder in which jobs write down when they run."""

WORKERS = 4
PLACES = 3
"""Of the workers, those that may run jobs at a time: one is left for those who ask for them."""

CHANNELS = f"root:{PLACES},root.slow:2,root.strict:1:sequential"

RPC_SECONDS = 20.0
"""How long one call may take while there is trouble."""

PATIENCE = 60.0
"""Seconds until what should be possible again soon is given up."""

POLL = 0.02

SETTINGS = {"max_connections": "60"}
"""Few enough to be used up."""

READ_JOBS = """
SELECT uuid, id, name, method_name, state, COALESCE(exc_name, ''), COALESCE(exc_message, ''), retry
  FROM queue_job WHERE name LIKE %s AND model_name = 'test.queue.job.load'
"""
READ_PARENTS = """
SELECT child.uuid, parent.uuid FROM queue_job_dependency AS edge
  JOIN queue_job AS child ON child.id = edge.child_id
  JOIN queue_job AS parent ON parent.id = edge.parent_id
 WHERE child.name LIKE %s
"""
READ_EFFECTS = """
SELECT line.job_uuid, line.kind FROM test_queue_job_ledger AS line
  JOIN queue_job AS job ON job.uuid = line.job_uuid WHERE job.name LIKE %s
"""
RUNNING = """
SELECT uuid, worker_pid, method_name FROM queue_job
 WHERE state = 'started' AND name LIKE %s ORDER BY id
"""
OPEN = """
SELECT count(*) FROM queue_job
 WHERE name LIKE %s AND state NOT IN ('done', 'failed', 'cancelled')
"""


TROUBLE = (OSError, http.client.HTTPException, RpcError, ValueError)
"""What a call ends with when its server does, or answers half."""


class Impatience(AssertionError):
    """Something did not happen in time."""


def wait_for(condition: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait for a condition to hold and return its value; trouble with PostgreSQL is waited out.

    :raises Impatience: when it does not hold in time
    """
    deadline = time.monotonic() + patience
    while True:
        value = None
        with suppress(psycopg2.Error, *TROUBLE):
            value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Impatience(f"not within {patience:.0f} s: {what}")
        time.sleep(POLL)


@dataclass(frozen=True)
class Setting:
    """What a fault needs of the server.

    :param options: of Odoo's command line
    :param relay: connections that pass through the relay: none, ``direct`` or ``all``
    :param clock: whose clock can be set: nobody's, ``odoo`` or ``postgres``
    :param tablespace: the tables of jobs and ledger are on a disk that can be filled
    :param standby: a standby follows the database, and Odoo reaches either by an address that moves
    """

    options: tuple[str, ...] = ()
    relay: str = ""
    clock: str = ""
    tablespace: bool = False
    standby: bool = False

    @property
    def own_cluster(self) -> bool:
        """Whether what is done to the cluster spares no other fault's."""
        return self.tablespace or self.standby


class Stage:
    """A cluster, a database and a server, as one kind of fault needs them.

    Another kind of stage, with a standby or a pooler, has the same names.

    :param odoo: the Odoo to start
    :param templates: of the cluster that databases are made from
    :param folder: for all that belongs to it
    :param setting: what the fault needs
    """

    def __init__(self, odoo: Odoo, templates: Templates, folder: Path, setting: Setting) -> None:
        self.setting = setting
        self.folder = folder
        self.witness = folder / "witness"
        self._odoo = odoo
        self._templates = templates
        home = folder if setting.own_cluster else folder.parent
        self.cluster = Cluster.private(home / "postgres", settings=SETTINGS)
        self.clock = Clock(self.cluster.data.parent) if setting.clock else None
        if self.clock and setting.clock == "postgres":
            self.cluster.env |= self.clock.env
        self.disk = Disk(self.cluster.data.parent / "disk") if setting.tablespace else None
        self.relay: Relay | None = None
        self.server: OdooServer

    def __enter__(self) -> Stage:
        try:
            self._set_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _set_up(self) -> None:
        self.witness.mkdir(parents=True)
        self.cluster.start()
        self.cluster.drop_database(DATABASE)
        self._templates.create_on(self.cluster, DATABASE, MODULES)
        if self.disk:
            self.disk.mount(self.cluster.account)
            self.disk.hold_tables(self.sql)
        if self.setting.relay:
            self.relay = Relay(self.cluster.port)
            self.relay.start()
        self.server = self._new_server()
        self.start_server()

    def _new_server(self) -> OdooServer:
        return OdooServer(
            self._odoo,
            self.cluster,
            DATABASE,
            workers=WORKERS,
            channels=CHANNELS,
            addons=ADDONS_FOLDERS,
            env=self._environment(),
            options=self._options(),
        )

    def close(self) -> None:
        """Stop everything and leave only the server's log."""
        if hasattr(self, "server"):
            self.server.stop()
        if self.relay:
            self.relay.close()
        self.cluster.stop("immediate")
        if self.disk:
            self.disk.unmount()

    def remove(self) -> None:
        """Delete what is left, but for a cluster that others use."""
        if self.setting.own_cluster:
            self.cluster.remove()
        cache.remove(self.folder)

    def _environment(self) -> dict[str, str]:
        env = {WITNESS: str(self.witness), "ODOO_QUEUE_JOB_SLOTS": str(PLACES)}
        if self.relay:
            env["ODOO_QUEUE_JOB_JOBRUNNER_DB_HOST"] = LOOPBACK
            env["ODOO_QUEUE_JOB_JOBRUNNER_DB_PORT"] = str(self.relay.port)
        if self.clock and self.setting.clock == "odoo":
            env |= self.clock.env
        return env

    def _options(self) -> list[str]:
        options = list(self.setting.options)
        if self.relay and self.setting.relay == "all":
            options.append(f"--db_port={self.relay.port}")
        return options

    def start_server(self) -> None:
        """Start the server, and wait until it answers and jobs run."""
        self.server.start()
        self.server.wait_ready()

    # What is seen

    def sql(self, query: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement as PostgreSQL's superuser, beside the server."""
        return self.cluster.execute(DATABASE, query, params)

    def answers(self) -> bool:
        """Tell whether PostgreSQL answers."""
        with suppress(psycopg2.Error):
            return bool(self.sql("SELECT 1"))
        return False

    def running(self, tag: str) -> list[tuple[str, int, str]]:
        """Return uuid, process and kind of the jobs that run."""
        return [(uuid, int(pid), kind) for uuid, pid, kind in self.sql(RUNNING, [f"{tag}/%"])]

    def hit(self, tag: str, pick: Callable[[Sequence[Any]], Any]) -> tuple[str, int]:
        """Wait for a job that runs for long, and return it with its process."""

        def long_ones() -> list[tuple[str, int]]:
            found = self.running(tag)
            return [(u, p) for u, p, kind in found if kind == "slow" and psutil.pid_exists(p)]

        uuid, pid = pick(wait_for(long_ones, "a long job runs"))
        return uuid, pid

    def open_jobs(self, tag: str) -> int:
        """Return how many jobs have not ended."""
        return int(self.sql(OPEN, [f"{tag}/%"])[0][0])

    def rows(self, tag: str) -> list[Row]:
        """Return the jobs of a round."""
        like = [f"{tag}/%"]
        parents: dict[str, list[str]] = {}
        for child, parent in self.sql(READ_PARENTS, like):
            parents.setdefault(child, []).append(parent)
        return [
            Row(u, i, b, Kind(k), s, e, m, tuple(parents.get(u, ())), tries)
            for u, i, b, k, s, e, m, tries in self.sql(READ_JOBS, like)
        ]

    def effects(self, tag: str) -> list[tuple[str, str]]:
        """Return what the jobs of a round have committed."""
        return [(uuid, kind) for uuid, kind in self.sql(READ_EFFECTS, [f"{tag}/%"])]

    def runs(self) -> list[Run]:
        """Return every run that was written down since :meth:`forget`."""
        files = [path for path in self.witness.iterdir() if not path.name.startswith("line-")]
        return [run for path in files for run in read_runs(path)]

    def runs_of(self, uuid: str) -> list[Run]:
        """Return the runs of one job so far."""
        path = self.witness / uuid
        return read_runs(path) if path.exists() else []

    def forget(self) -> None:
        """Begin a new account."""
        for path in self.witness.iterdir():
            path.unlink()

    # What is asked for

    def ask(self, name: str, kinds: Sequence[Kind], seconds: float = 0.0) -> Batch:
        """Delay a job of each kind in one transaction; without an answer it may be there or not."""
        known = True
        try:
            self.call("launch", [name, [kind.value for kind in kinds], seconds])
        except TROUBLE:
            known = False
        return Batch(name, jobs_of(list(kinds)), known)

    def call(self, method: str, args: Sequence[Any], timeout: float = RPC_SECONDS) -> Any:
        """Call a method of the load's model."""
        return self.server.rpc("test.queue.job.load", method, args, timeout=timeout)

    def insist(self, method: str, args: Sequence[Any]) -> None:
        """Call a method that may be repeated, until it succeeds."""

        def called() -> bool:
            self.call(method, args)
            return True

        wait_for(called, f"{method} is answered")


def read_runs(path: Path) -> list[Run]:
    """Return the runs that a job has written down; each end belongs to the begin of its process."""
    runs: list[Run] = []
    open_runs: dict[str, int] = {}
    # The last line may not be whole yet.
    for line in path.read_text().rpartition("\n")[0].splitlines():
        event, at, pid, alone = line.split()
        if event == "begin":
            open_runs[pid] = len(runs)
            runs.append(Run(path.name, float(at), None, alone == "1"))
        else:
            number = open_runs.pop(pid)
            runs[number] = Run(path.name, runs[number].began, float(at), runs[number].alone)
    return runs


class Feeder:
    """Goes on asking for jobs while there is trouble, in a thread of its own.

    :param ask: asks for one batch of the given name
    :param pause: seconds between two
    :param most: batches
    """

    def __init__(self, ask: Callable[[str], Batch], tag: str, pause: float, most: int) -> None:
        self.batches: list[Batch] = []
        self._ask = ask
        self._tag = tag
        self._pause = pause
        self._most = most
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def __enter__(self) -> Feeder:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        for number in range(self._most):
            if self._stop.wait(self._pause):
                return
            self.batches.append(self._ask(f"{self._tag}/{number}"))
