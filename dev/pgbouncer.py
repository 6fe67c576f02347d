"""PgBouncer in front of a cluster: the system's, else Debian's, unpacked and not installed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

import psycopg2

from . import account, cache, debian, process
from .network import LOOPBACK, free_port
from .postgres import CONNECT_TIMEOUT, POLL, Cluster
from .terminal import SetupError

PACKAGE = "pgbouncer"
START_TIMEOUT = 20
STOP_TIMEOUT = 10
"""Seconds."""

SETTINGS: Mapping[str, str] = {
    "pool_mode": "transaction",
    "max_client_conn": "200",
    "default_pool_size": "20",
    "auth_type": "scram-sha-256",
    "unix_socket_dir": "",
}
"""What an administrator writes who wants few connections to PostgreSQL."""


class PgBouncer:
    """A pooler on a free port, in a process that ends with this one; a context manager.

    :param folder: its home, made if it is not there
    :param cluster: the PostgreSQL that it leads to
    :param settings: what differs from :data:`SETTINGS`
    """

    def __init__(
        self, folder: Path, cluster: Cluster, settings: Mapping[str, str] | None = None
    ) -> None:
        self.home = folder
        self.home.mkdir(parents=True, exist_ok=True)
        self.cluster = cluster
        self.port = free_port()
        self.settings = {**SETTINGS, **(settings or {})}
        self._account = account.unprivileged_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._place: Path | None = None

    @property
    def options(self) -> list[str]:
        """Options with which Odoo's own connections go through it."""
        return [f"--db_host={LOOPBACK}", f"--db_port={self.port}"]

    def __enter__(self) -> PgBouncer:
        self._place = account.reachable(self.home, self._account)
        try:
            self._start(self._place)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None:
            process.stop(self._process, stop_signal=signal.SIGTERM, grace=STOP_TIMEOUT)
        if self._place is not None:
            cache.remove(self._place)

    def transactions(self, database: str) -> int:
        """Return how many transactions of a database went through it, by its own count."""
        where = {**self.cluster.libpq, "host": LOOPBACK, "port": self.port}
        with closing(psycopg2.connect(dbname=PACKAGE, **where)) as opened:
            # It knows no transactions of its own.
            opened.autocommit = True
            with opened.cursor() as cursor:
                cursor.execute("SHOW STATS_TOTALS")
                names = [column.name for column in cursor.description or ()]
                rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return sum(int(row["xact_count"]) for row in rows if row["database"] == database)

    def log_text(self) -> str:
        """Return its log so far."""
        log = self._place and self._place / "pgbouncer.log"
        return log.read_text(errors="replace") if log and log.exists() else ""

    def _start(self, place: Path) -> None:
        program, libraries = _program(place, self._account)
        with (place / "pgbouncer.log").open("ab") as log:
            self._process = process.serve(
                [program, self._configuration(place)],
                log=log,
                death_signal=signal.SIGTERM,
                user=self._account,
                env={**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))},
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SetupError(f"PgBouncer did not start: {self.log_text()[-1000:]}")
            time.sleep(POLL)

    def _is_ready(self) -> bool:
        where = {**self.cluster.libpq, "host": LOOPBACK, "port": self.port}
        with suppress(psycopg2.OperationalError):
            opened = psycopg2.connect(dbname="postgres", connect_timeout=CONNECT_TIMEOUT, **where)
            with closing(opened):
                return True
        return False

    def _configuration(self, place: Path) -> Path:
        """Write its files, which hold a password."""
        users = place / "users"
        account.write_private(
            users, f'"{self.cluster.user}" "{self.cluster.password}"\n', self._account
        )
        settings = {
            **self.settings,
            "listen_addr": LOOPBACK,
            "listen_port": str(self.port),
            "auth_file": str(users),
            "stats_users": self.cluster.user,
        }
        lines = [
            "[databases]",
            f"* = host={self.cluster.host} port={self.cluster.port}",
            "[pgbouncer]",
            *(f"{name} = {value}" for name, value in settings.items()),
        ]
        path = place / "pgbouncer.ini"
        account.write_private(path, "\n".join(lines) + "\n", self._account)
        return path


def _program(place: Path, user: str | None) -> tuple[Path, list[Path]]:
    """Return the program and the folders of its libraries, where ``user`` can reach them."""
    installed = shutil.which(PACKAGE, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if installed:
        return Path(installed), []
    root = debian.unpacked(PACKAGE) / "root"
    if user and not account.may(user, 'test -x "$0"', root / "usr" / "sbin" / PACKAGE):
        shutil.copytree(root, place / "root", symlinks=True)
        root = place / "root"
    libraries = sorted({path.parent for path in (root / "usr" / "lib").rglob("*.so*")})
    return root / "usr" / "sbin" / PACKAGE, libraries
