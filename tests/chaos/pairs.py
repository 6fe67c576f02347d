"""Stages with two of something: of servers, or of databases, of which one is lost."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import Any

from dev.address import MovingAddress
from dev.network import LOOPBACK
from dev.postgres import PrivateCluster
from dev.server import OdooServer
from dev.standby import Standby

from .stage import Stage, wait_for

LEADER = """
SELECT node.pid FROM queue_job_node AS node JOIN queue_job_node_here AS here USING (id)
 WHERE node.date_leading IS NOT NULL ORDER BY node.date_leading DESC LIMIT 1
"""


class PairOfServers(Stage):
    """Two Odoo servers on one database; after a round in which one was killed it comes back."""

    spare: OdooServer

    def _set_up(self) -> None:
        super()._set_up()
        self.spare = self._new_server()
        self._start_spare()

    def close(self) -> None:
        """Stop both servers, and the rest."""
        if hasattr(self, "spare"):
            self.spare.stop()
        super().close()

    def forget(self) -> None:
        """Begin a new account, with both servers."""
        super().forget()
        if not self.spare.pids():
            self._start_spare()

    def _start_spare(self) -> None:
        self.spare.start()
        self.spare.wait_ready()

    def kill_leader(self) -> None:
        """Kill the server whose runner leads; whoever asks for jobs turns to the other."""

        def leading() -> int | None:
            rows = self.sql(LEADER)
            return int(rows[0][0]) if rows else None

        pid = wait_for(leading, "a runner leads")
        if pid == self.server.runner_pid():
            self.server, self.spare = self.spare, self.server
        self.spare.kill()


class PairOfClusters(Stage):
    """A primary and a standby that it waits for; after a round in which it was lost there is a new
    standby."""

    _standby: Standby | None = None

    def _set_up(self) -> None:
        self._stack = ExitStack()
        self._address = self._stack.enter_context(MovingAddress())
        self._count = 0
        super()._set_up()

    def _new_server(self) -> OdooServer:
        self._address.move(self.cluster.port)
        return super()._new_server()

    def _options(self) -> list[str]:
        moving = [f"--db_host={LOOPBACK}", f"--db_port={self._address.port}"]
        return [*super()._options(), *moving]

    def close(self) -> None:
        """Stop the server, both clusters, and the address."""
        super().close()
        if self._standby:
            self._standby.remove()
        self._stack.close()

    def forget(self) -> None:
        """Begin a new account, with a standby that has everything."""
        super().forget()
        if self._standby is None:
            assert isinstance(self.cluster, PrivateCluster)
            self._count += 1
            self._standby = Standby(self.folder / f"standby-{self._count}", self.cluster)
            self._standby.start()
            self._standby.be_waited_for()

    def fail_over(self) -> None:
        """Kill the primary, promote the standby, and let the address lead there."""
        assert self._standby
        lost: Any = self.cluster
        lost.kill()
        self._standby.promote()
        self._wait_for_nobody(self._standby)
        self.cluster, self._standby = self._standby, None
        self.server.cluster = self.cluster
        self._address.move(self.cluster.port)
        with suppress(OSError):
            lost.remove()

    @staticmethod
    def _wait_for_nobody(cluster: Standby) -> None:
        """Let it commit without a standby, which it may have been told to wait for as a copy."""
        cluster.execute("postgres", "ALTER SYSTEM RESET synchronous_standby_names")
        cluster.execute("postgres", "SELECT pg_reload_conf()")
