"""One database: connect, wait to become its leader, lead, and begin again when that ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import closing

import psycopg2

from ..core.channels import ChannelConfig
from ..storage import dispatch
from ..storage.connection import connect
from ..storage.pooler import PooledError
from ..storage.schema import NOTIFY_CHANNEL
from .dispatch import Dispatcher
from .leader import Leader
from .slots import Slots
from .waker import Waker

_logger = logging.getLogger(__name__)

STANDBY_SECONDS = 1.0
"""How often a runner that does not lead asks for the lead."""

RETRY_SECONDS = (0.5, 2.0)
"""Pause after an error, doubling from the first to the second; a database that is back after a
restart or a fail-over is served at once, and one that is gone costs next to nothing."""

AWAY = ("08", "57P")
"""How the codes of errors begin that only say that the server, or the way to it, is gone."""

POOLED_SECONDS = 10.0
"""Pause after a pooler was found where none may be, which only an administrator can mend."""


class DatabaseRunner:
    """Serves one database in a thread of its own, so that no other has to wait for it.

    :param database: name of the database
    :param channels: configuration by full name
    :param connection: libpq parameters that differ from Odoo's
    :param slots: shared places for leases
    :param dispatcher: sends leases
    """

    def __init__(
        self,
        database: str,
        channels: Mapping[str, ChannelConfig],
        connection: Mapping[str, str],
        slots: Slots,
        dispatcher: Dispatcher,
    ) -> None:
        self._database = database
        self._channels = channels
        self._connection = connection
        self._slots = slots
        self._dispatcher = dispatcher
        self._waker = Waker()
        self._stop = threading.Event()
        self._pause = RETRY_SECONDS[0]
        name = f"queue_job {database}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end; :meth:`join` waits for it."""
        self._stop.set()
        self._waker.wake()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, for so long at most."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def is_alive(self) -> bool:
        """Tell whether the database is still served; it is not when the addon is not there."""
        return self._thread.is_alive()

    def _run(self) -> None:
        """Serve until stopped; an error costs a pause and a new connection, nothing else."""
        # Where Odoo's log formatter looks for the name of the database.
        threading.current_thread().dbname = self._database  # type: ignore[attr-defined]
        try:
            self._serve_again_and_again()
        finally:
            self._waker.close()

    def _serve_again_and_again(self) -> None:
        while not self._stop.is_set():
            try:
                self._serve()
                return
            except PooledError as error:
                _logger.error(
                    "no job is dispatched, tried again in %s s: %s", POOLED_SECONDS, error
                )
                self._waker.wait(POOLED_SECONDS)
            except Exception as error:
                # Whatever it is, the other databases go on, and this one is tried again.
                away = _is_away(error)
                reason = f": {' '.join(str(error).split())}" if away else ""
                _logger.warning("served again in %.1f s%s", self._pause, reason, exc_info=not away)
                self._waker.wait(self._pause)
                self._pause = min(RETRY_SECONDS[1], 2 * self._pause)

    def _serve(self) -> None:
        """Lead when no other runner does; return when stopped, or when the addon is not there."""
        with closing(connect(self._database, self._connection, "queue_job runner")) as link:
            cr = link.cursor()
            if not dispatch.is_installed(cr):
                return
            while not dispatch.try_lead(cr):
                self._waker.wait(STANDBY_SECONDS)
                if self._stop.is_set():
                    return
            cr.execute(f"LISTEN {NOTIFY_CHANNEL}")
            leader = Leader(
                self._database, link, self._channels, self._slots, self._dispatcher, self._waker
            )
            _logger.info("leading, channels %s", ", ".join(self._channels))
            self._pause = RETRY_SECONDS[0]
            leader.lead(self._stop.is_set)


def _is_away(error: Exception) -> bool:
    """Tell whether the server is not to be reached, of which the place in the code says nothing."""
    lost = isinstance(error, psycopg2.OperationalError)
    return lost and (error.pgcode or AWAY[0]).startswith(AWAY)
