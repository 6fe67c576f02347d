"""Two PostgreSQL nodes kept by Patroni, one etcd, and an address that leads to the primary.

Patroni comes from the registry of Python packages, etcd from Debian; both are fetched for ``make
ha`` alone. A switch-over is asked for by Patroni's own interface. To lose a node, its processes are
killed outright.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from psycopg2 import sql

from . import account, cache, debian, process
from .address import Follower, MovingAddress, answers
from .network import LOOPBACK, free_port
from .postgres import OWNER, POLL, SUPERUSER, Cluster, default_bin_dir
from .process import check
from .terminal import SetupError

REQUIREMENTS = Path(__file__).with_name("patroni.txt")
PIP_TIMEOUT = 900
SYSTEM_PYTHON = Path("/usr/bin/python3")
"""An interpreter that every account can reach, where this one is in a private home."""

ETCD = "etcd-server"
ETCD_PROGRAM = "etcd"

NAMES = ("one", "two")
REPLICATOR = "replicator"

SETTINGS: Mapping[str, Any] = {
    # The least that Patroni allows: a node that is silent so long has lost the lead.
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 5,
    # No commit is lost with the node that it was made on.
    "synchronous_mode": True,
}
"""Seconds, where they are numbers."""

PARAMETERS: Mapping[str, str] = {
    "max_connections": "200",
    "unix_socket_directories": "",
    "fsync": "off",
    # Without these a node that comes back cannot be rewound.
    "full_page_writes": "on",
    "wal_log_hints": "on",
}

START_TIMEOUT = 90.0
SWITCH_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
"""Seconds."""

TAIL = 4000
"""Characters of a log that are shown when something went wrong."""


class Node:
    """One PostgreSQL with the Patroni that keeps it.

    :param name: what Patroni calls it
    :param place: folder that the servers' account can reach
    """

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self.port = free_port()
        self.rest = f"{LOOPBACK}:{free_port()}"
        self.data = place / f"data-{name}"
        self.configuration = place / f"{name}.json"
        self.log = place / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def says(self, role: str) -> bool:
        """Tell whether Patroni answers that the node has a role, such as ``primary``."""
        return answers(f"http://{self.rest}/{role}")

    def kill(self) -> None:
        """Lose the node: its Patroni and its PostgreSQL end without a last word."""
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        if self.process:
            self.process.kill()
        with suppress(ProcessLookupError):
            os.kill(postmaster, signal.SIGKILL)
        if self.process:
            self.process.wait()

    def stop(self) -> None:
        """End both in order."""
        if self.process:
            process.stop(self.process, grace=STOP_TIMEOUT)

    def evidence(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(errors="replace")[-TAIL:] if self.log.exists() else ""


class Patroni(Cluster):
    """The two nodes as one server, reached where the primary is.

    :param folder: its home, made if it is not there
    """

    host = LOOPBACK
    user = OWNER

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.home.mkdir(parents=True, exist_ok=True)
        self.password = secrets.token_hex(16)
        self.address = MovingAddress()
        self.port = self.address.port
        self._account = account.unprivileged_user()
        self._place = account.reachable(self.home, self._account)
        self.nodes = {name: Node(name, self._place) for name in NAMES}
        self._etcd_port = free_port()
        self._stack = ExitStack()

    @property
    def administration(self) -> dict[str, Any]:
        """Connection parameters of the superuser."""
        return {**self.libpq, "user": SUPERUSER}

    def start(self) -> None:
        """Start etcd and both nodes, and wait until one leads and the other is waited for.

        :raises SetupError: when they do not get that far
        """
        try:
            self._start_etcd()
            for node in self.nodes.values():
                self._stack.callback(node.stop)
                self.start_node(node.name)
                self._wait(partial(_is_member, node), f"node {node.name} to start")
            self._stack.enter_context(self.address)
            nodes = {node.port: f"http://{node.rest}/primary" for node in self.nodes.values()}
            self._stack.enter_context(Follower(self.address, nodes))
            self.wait_redundant()
            self._create_owner()
        except BaseException:
            self.stop()
            raise

    def stop(self, mode: str = "fast") -> None:
        """End everything and remove the data."""
        self._stack.close()
        if self._place != self.home:
            cache.remove(self._place)

    def start_node(self, name: str) -> None:
        """Start a node, or start it again after it was lost."""
        node = self.nodes[name]
        account.write_private(
            node.configuration, json.dumps(self._configuration(node)), self._account
        )
        python, packages = _interpreter(self._place, self._account)
        with node.log.open("ab") as log:
            node.process = process.serve(
                [python, "-m", "patroni", node.configuration],
                log=log,
                death_signal=signal.SIGTERM,
                user=self._account,
                env={"PATH": os.defpath, "PYTHONPATH": str(packages), "HOME": str(self._place)},
            )

    def primary(self) -> Node | None:
        """Return the node that leads, if one does."""
        return next((node for node in self.nodes.values() if node.says("primary")), None)

    def wait_primary(self, *, but: Node) -> Node:
        """Wait until another node leads, and return it."""
        others = [node for node in self.nodes.values() if node is not but]
        self._wait(lambda: any(node.says("primary") for node in others), "another primary")
        return next(node for node in others if node.says("primary"))

    def wait_redundant(self) -> None:
        """Wait until one node leads and commits wait for the other."""
        self._wait(self._is_redundant, "a primary and a synchronous standby")

    def _is_redundant(self) -> bool:
        standbys = [node for node in self.nodes.values() if node.says("synchronous")]
        return self.primary() is not None and bool(standbys)

    def switch_over(self) -> None:
        """Change the roles of the two, orderly.

        :raises SetupError: when Patroni refuses
        """
        leading = self.primary()
        if leading is None:
            raise SetupError("No node leads, so that there is nothing to switch over")
        other = next(node for node in self.nodes.values() if node is not leading)
        body = json.dumps({"leader": leading.name, "candidate": other.name}).encode()
        request = urllib.request.Request(f"http://{leading.rest}/switchover", body)
        try:
            with urllib.request.urlopen(request, timeout=SWITCH_TIMEOUT):  # noqa: S310
                pass
        except OSError as error:
            raise SetupError(f"Patroni did not switch over: {error}") from error

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not condition():
            if time.monotonic() > deadline:
                logs = "\n".join(node.evidence() for node in self.nodes.values())
                raise SetupError(f"Waited in vain for {what}; logs:\n{logs}")
            time.sleep(POLL)

    def _start_etcd(self) -> None:
        urls = [f"http://{LOOPBACK}:{port}" for port in (self._etcd_port, free_port())]
        program = debian.unpacked(ETCD) / "root" / "usr" / "bin" / ETCD_PROGRAM
        options = {
            "data-dir": self.home / "etcd",
            "listen-client-urls": urls[0],
            "advertise-client-urls": urls[0],
            "listen-peer-urls": urls[1],
            "initial-advertise-peer-urls": urls[1],
            "initial-cluster": f"default={urls[1]}",
        }
        command: process.Command = [
            program,
            *(f"--{name}={value}" for name, value in options.items()),
        ]
        with (self.home / "etcd.log").open("ab") as log:
            started = process.serve(command, log=log, death_signal=signal.SIGKILL)
        self._stack.callback(process.stop, started)
        self._wait(lambda: answers(f"{urls[0]}/health"), "etcd")

    def _create_owner(self) -> None:
        rights = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
        self.execute("postgres", rights.format(sql.Identifier(OWNER), sql.Literal(self.password)))

    def _configuration(self, node: Node) -> dict[str, Any]:
        bin_dir = default_bin_dir()
        if self._account and not account.may(self._account, 'test -x "$0"', bin_dir / "postgres"):
            bin_dir = account.copied_binaries(bin_dir, self._place)
        where = f"{LOOPBACK}:{node.port}"
        return {
            "scope": "queue_job",
            "name": node.name,
            "restapi": {"listen": node.rest, "connect_address": node.rest},
            "etcd3": {"hosts": f"{LOOPBACK}:{self._etcd_port}"},
            "watchdog": {"mode": "off"},
            "bootstrap": {
                "dcs": {
                    **SETTINGS,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "use_slots": True,
                        "parameters": dict(PARAMETERS),
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "no-sync"],
            },
            "postgresql": {
                "listen": where,
                "connect_address": where,
                "data_dir": str(self._data(node)),
                "bin_dir": str(bin_dir),
                "pgpass": str(node.data.with_name(f"pgpass-{node.name}") / "file"),
                "pg_hba": [
                    f"host {database} all {LOOPBACK}/32 scram-sha-256"
                    for database in ("all", "replication")
                ],
                "authentication": {
                    "superuser": {"username": SUPERUSER, "password": self.password},
                    "replication": {"username": REPLICATOR, "password": self.password},
                },
            },
        }

    def _data(self, node: Node) -> Path:
        """Return the data folder of a node, which its account may write to, and so its pgpass."""
        for folder in (node.data, node.data.with_name(f"pgpass-{node.name}")):
            if not folder.exists():
                folder.mkdir(mode=0o700)
                if self._account:
                    shutil.chown(folder, self._account)
        return node.data


def _is_member(node: Node) -> bool:
    """Tell whether the node runs, in whatever role."""
    return node.says("health")


def _interpreter(place: Path, user: str | None) -> tuple[Path, Path]:
    """Return a Python that ``user`` can start, and the folder of Patroni's packages for it."""
    python = Path(sys.executable)
    if user and not account.may(user, 'test -x "$0"', python):
        python = SYSTEM_PYTHON
    packages = _packages(python)
    if user and not account.may(user, 'cd "$0"', packages):
        copied = place / "packages"
        if not copied.exists():
            shutil.copytree(packages, copied)
        packages = copied
    return python, packages


def _packages(python: Path) -> Path:
    """Return the folder of Patroni's packages, fetched once for each interpreter.

    :raises SetupError: when they cannot be had
    """
    if not python.exists():
        raise SetupError("No Python that an unprivileged user can start; run this as another user")
    key = cache.key_of([str(python), REQUIREMENTS.read_bytes()])
    return cache.build(cache.cache_folder() / "patroni", key, partial(_install, python))


def _install(python: Path, folder: Path) -> None:
    pip: process.Command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--target",
        folder,
    ]
    check(
        [*pip, "--requirement", REQUIREMENTS],
        timeout=PIP_TIMEOUT,
        remedy="check the network and pip's configuration (pip config list) and try again",
    )
