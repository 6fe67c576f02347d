"""An Odoo server as a child process: its own configuration, free ports, and an end without rest."""

from __future__ import annotations

import configparser
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from . import cache, process
from .network import LOOPBACK, free_port
from .odoo import Odoo
from .postgres import Cluster
from .terminal import SetupError

SERVER_WIDE = "base,rpc,web,queue_job"
"""Odoo's own server-wide modules and ours."""

LOGIN = PASSWORD = "admin"  # noqa: S105 - what every new database has
"""The administrator."""

INIT_TIMEOUT = 900
READY_TIMEOUT = 120
RPC_TIMEOUT = 120
PROBE_TIMEOUT = 5
"""Seconds. The longest is for many modules on a slow machine."""

POLL = 0.1
"""Seconds between two looks at a server that is starting."""

TAIL = 3000
"""Characters of a log that are shown when something went wrong."""

HTTP_WORKER = "WorkerHTTP"
RUNNER_TITLE = re.compile(r"queue.?job|runner", re.IGNORECASE)
"""Odoo names its processes in their titles."""


class RpcError(Exception):
    """The server answered a call with an exception; the message holds its traceback."""


class OdooServer:
    """One Odoo on one database.

    :param odoo: the Odoo to start
    :param cluster: a running PostgreSQL
    :param database: its name, which need not exist yet for :meth:`init`
    :param workers: number of HTTP workers; 0 for the threaded server
    :param channels: the queue's channel string
    :param load: server-wide modules
    :param addons: folders of addons beside Odoo's own and the checkout
    :param port: wanted HTTP port, by default a free one
    :param env: environment variables beside those of the process
    :param options: more options of Odoo's command line; the last one wins
    :param settings: the section ``[queue_job]`` of its configuration file
    :param host: where it listens
    :param prefix: what its command begins with, as to run it in a network of its own
    """

    def __init__(
        self,
        odoo: Odoo,
        cluster: Cluster,
        database: str,
        *,
        workers: int = 2,
        channels: str = "root:4",
        load: str = SERVER_WIDE,
        addons: Sequence[Path] = (),
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        host: str = LOOPBACK,
        prefix: Sequence[str] = (),
    ) -> None:
        self.odoo = odoo
        self.cluster = cluster
        self.database = database
        self.workers = workers
        self.load = load
        self.addons = list(addons)
        self.options = list(options)
        self.settings = dict(settings or {})
        self.host = host
        self.prefix = list(prefix)
        self.port = port or free_port()
        self.gevent_port = free_port()
        self.env = {**odoo.env, "ODOO_CONNECTOR_CHANNELS": channels, **(env or {})}
        self.folder = _fresh_folder(cluster.home / "servers", database)
        self.log = self.folder / "odoo.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._uid: int | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The main process while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    def command(self, *options: str) -> list[str]:
        """Return the command line, with the configuration written anew."""
        return [
            *self.odoo.command(),
            "-c",
            str(self._write_configuration()),
            *self.options,
            *options,
        ]

    def _write_configuration(self) -> Path:
        """Write the configuration file: the password in it is nobody else's business."""
        path = self.folder / "odoo.conf"
        parser = configparser.ConfigParser(interpolation=None)
        parser["options"] = {name: str(value) for name, value in self._configuration().items()}
        if self.settings:
            parser["queue_job"] = self.settings
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            parser.write(file)
        return path

    def _configuration(self) -> dict[str, Any]:
        return {
            "db_host": self.cluster.host,
            "db_port": self.cluster.port,
            "db_user": self.cluster.user,
            "db_password": self.cluster.password or False,
            "db_name": self.database,
            "dbfilter": f"^{re.escape(self.database)}$",
            "list_db": False,
            "data_dir": data_dir(self.cluster),
            "addons_path": ",".join(self.odoo.addons_path(*self.addons)),
            "server_wide_modules": self.load,
            "http_interface": self.host,
            "http_port": self.port,
            "gevent_port": self.gevent_port,
            "workers": self.workers,
            "max_cron_threads": 0,
            "screenshots": self.folder / "screenshots",
        }

    def init(self, modules: Sequence[str], *options: str) -> None:
        """Install ``modules`` without demonstration data and end.

        :raises SetupError: when Odoo fails, with the end of its log
        """
        install = [
            "-i",
            ",".join(modules),
            "--stop-after-init",
            "--without-demo=all",
            "--workers=0",
            "--no-http",
        ]
        with self.log.open("ab") as log:
            status = process.run(
                self.command(*install, *options), env=self.env, timeout=INIT_TIMEOUT, output=log
            )
        if status or " CRITICAL " in self.log_text():
            raise SetupError(f"Odoo could not install {', '.join(modules)}; {self._evidence()}")

    def start(self) -> None:
        """Start it and return at once; :meth:`wait_ready` waits."""
        command = [*self.prefix, *self.command()]
        with self.log.open("ab") as log:
            self._process = process.serve(
                command, log=log, death_signal=signal.SIGTERM, env=self.env
            )

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until it answers.

        :raises SetupError: when it ended, or not within ``timeout`` seconds
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.is_healthy():
                return
            if self.pid is None:
                raise SetupError(f"Odoo ended instead of starting; {self._evidence()}")
            time.sleep(POLL)
        raise SetupError(f"Odoo did not answer in {timeout:.0f} s; {self._evidence()}")

    def is_healthy(self) -> bool:
        """Tell whether it answers now."""
        try:
            with urllib.request.urlopen(f"{self.url}/web/health", timeout=PROBE_TIMEOUT) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Ask it to end, wait, and kill what is left of it."""
        self._end(process.stop)

    def kill(self) -> None:
        """Kill the main process and all its children at once, as a machine that loses its power."""
        self._end(subprocess.Popen.kill)

    def _end(self, ask: Callable[[subprocess.Popen[bytes]], None]) -> None:
        """End the whole process group: Odoo may start a child while it is being ended."""
        if self._process is None:
            return
        family = self.pids()
        ask(self._process)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        psutil.wait_procs(family, process.STOP_GRACE)
        self._process = None

    def __enter__(self) -> OdooServer:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def pids(self) -> list[psutil.Process]:
        """Return the main process and all that it started, also those that outlived it."""
        if self._process is None:
            return []
        leader = self._process.pid
        family = [member for member in psutil.process_iter() if _session(member.pid) == leader]
        return sorted(family, key=lambda member: member.pid != leader)

    def http_workers(self) -> list[int]:
        """Return the process ids of the HTTP workers."""
        return [child.pid for child in self.pids() if HTTP_WORKER in _title(child)]

    def gevent_pid(self) -> int | None:
        """Return the process id of the server of websockets."""
        return next((child.pid for child in self.pids() if "gevent" in _title(child).split()), None)

    def runner_pid(self) -> int | None:
        """Return the process of the job runner: one of its own, else the main process."""
        for child in self.pids():
            title = _title(child)
            if (
                title.startswith("odoo:")
                and HTTP_WORKER not in title
                and RUNNER_TITLE.search(title)
            ):
                return child.pid
        return self.pid

    def rpc(
        self,
        model: str,
        method: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        timeout: float = RPC_TIMEOUT,
    ) -> Any:
        """Call a method as the administrator and return its result.

        :raises RpcError: when the method raises
        :raises OSError: when the server does not answer
        """
        if self._uid is None:
            self._uid = self._call("common", "login", [self.database, LOGIN, PASSWORD], timeout)
        call = [self.database, self._uid, PASSWORD, model, method, list(args), dict(kwargs or {})]
        return self._call("object", "execute_kw", call, timeout)

    def _call(self, service: str, method: str, args: Sequence[Any], timeout: float) -> Any:
        params = {"service": service, "method": method, "args": args}
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/jsonrpc", body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
            answer = json.load(response)
        if "error" in answer:
            data = answer["error"].get("data", {})
            raise RpcError(data.get("debug") or data.get("message") or answer["error"]["message"])
        return answer.get("result")

    def log_text(self) -> str:
        """Return the log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _evidence(self) -> str:
        return f"read {self.log}, which ends:\n{self.log_text()[-TAIL:].strip()}"


def data_dir(cluster: Cluster) -> Path:
    """Return the folder of Odoo's files, one for all databases of a cluster."""
    return cluster.home / "odoo-data"


def filestore(cluster: Cluster, database: str) -> Path:
    """Return the folder where Odoo keeps a database's attachments."""
    return data_dir(cluster) / "filestore" / database


def _fresh_folder(parent: Path, name: str) -> Path:
    """Return a new folder, so that servers of one database do not share a log."""
    parent.mkdir(parents=True, exist_ok=True)
    number = 0
    while True:
        folder = parent / f"{name}-{number}"
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
        number += 1


def remove_logs(cluster: Cluster) -> None:
    """Remove what servers of an earlier run left, before a new run starts."""
    cache.remove(cluster.home / "servers")


def _title(child: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(child.cmdline())
    return ""


def _session(pid: int) -> int | None:
    """Return the session of a process: the number of the process that a server began with."""
    with suppress(OSError):
        return os.getsid(pid)
    return None
