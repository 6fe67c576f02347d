"""A streaming standby of a private cluster, that can be promoted."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from . import cache, process
from .postgres import COMMAND_TIMEOUT, POLL, START_TIMEOUT, SUPERUSER, PrivateCluster
from .terminal import SetupError

NAME = "standby"
"""What the primary knows it by."""

PROMOTE_TIMEOUT = 60
"""Seconds for a standby to become a primary."""


class Standby(PrivateCluster):
    """A copy of a running cluster that follows it, until it is promoted.

    :param folder: its home, made if it is not there
    :param primary: the cluster it follows
    :param host: address of the loopback network where it listens
    :param port: where it listens; a free port by default
    :param settings: server settings that differ from the primary's
    """

    def __init__(
        self,
        folder: Path,
        primary: PrivateCluster,
        *,
        host: str = PrivateCluster.host,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(folder, primary.bin_dir, {**primary.settings, **(settings or {})})
        self.host = host
        self.password = primary.password
        self._primary = primary
        self._wanted_port = port

    def _initialise(self) -> None:
        cache.remove(self.data)
        self.data.mkdir(mode=0o700)
        if self.account:
            shutil.chown(self.data, self.account)
        parts = {
            "host": self._primary.host,
            "port": self._primary.port,
            "user": SUPERUSER,
            "application_name": NAME,
        }
        process.capture(
            [
                self._binary("pg_basebackup"),
                f"--pgdata={self.data}",
                f"--dbname={' '.join(f'{name}={value}' for name, value in parts.items())}",
                "--write-recovery-conf",
                "--wal-method=stream",
                "--checkpoint=fast",
                "--no-sync",
            ],
            timeout=COMMAND_TIMEOUT,
            user=self.account,
            env={**os.environ, "PGPASSWORD": self.password},
            remedy="read the primary's log",
        )
        state = self._reachable_place() / f"state-{self.major}"
        state.mkdir(exist_ok=True)
        cache.stamp(state, self.major)

    def _launch(self, port: int = 0) -> None:
        super()._launch(port or self._wanted_port)

    def be_waited_for(self) -> None:
        """Let the primary's commits wait until they are here: nothing that was committed is lost.

        :raises SetupError: when the two do not get that far
        """
        self._primary.execute("postgres", f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
        self._primary.execute("postgres", "SELECT pg_reload_conf()")
        deadline = time.monotonic() + START_TIMEOUT
        look = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        while not self._primary.execute("postgres", look)[0][0]:
            if time.monotonic() > deadline:
                raise SetupError(f"The standby does not follow; its log: {self.log_text()[-1000:]}")
            time.sleep(POLL)

    def promote(self) -> None:
        """Make it a primary, and return when it is.

        :raises SetupError: when it does not become one
        """
        done = self.execute("postgres", "SELECT pg_promote(true, %s)", [PROMOTE_TIMEOUT])
        if not done[0][0]:
            raise SetupError(f"The standby was not promoted; its log: {self.log_text()[-1000:]}")
