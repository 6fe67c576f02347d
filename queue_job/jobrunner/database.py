"""One database: connect, wait to become its leader, lead, and begin again when that ends."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from typing import Any

import psycopg2

from ..settings import Settings
from ..storage import dispatch, nodes
from ..storage.connection import FollowedConnection, connect, cut
from ..storage.nodes import Announcement
from ..storage.pooler import PooledError
from ..storage.schema import NOTIFY_CHANNEL
from .fleet import Fleet
from .flights import Flights
from .leader import POLL_SECONDS, Leader, Place
from .means import Means
from .waker import Waker

_logger = logging.getLogger(__name__)

STANDBY_SECONDS = 1.0
"""How often a runner that does not lead asks for the lead."""

MUTE_SECONDS = 35.0
"""A connection that does not answer for so long is dead: PostgreSQL ends a statement after 30 s."""

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
    :param settings: what the administrator set
    :param announcement: what this runner says of its server
    :param means: shared by all databases
    """

    def __init__(
        self,
        database: str,
        settings: Settings,
        announcement: Announcement,
        means: Means,
    ) -> None:
        self._database = database
        self._settings = settings
        self._announcement = announcement
        self._means = means
        self._waker = Waker()
        self._flights = Flights()
        self._stop = threading.Event()
        self._pause = RETRY_SECONDS[0]
        self._link: Any = None
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

    def watch(self) -> None:
        """Cut a connection that has not answered for longer than any statement may take.

        A network that swallows what is sent shows no error: the thread would wait for ever, and the
        lock of its session would keep every other runner from leading.
        """
        link = self._link
        asked = link.asked if link is not None and not link.closed else None
        if asked is not None and time.monotonic() - asked > MUTE_SECONDS:
            _logger.warning("%s: PostgreSQL is silent, the connection is cut", self._database)
            cut(link)

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
                self._stop.wait(POOLED_SECONDS)
            except Exception as error:
                # Whatever it is, the other databases go on, and this one is tried again.
                away = _is_away(error)
                reason = f": {' '.join(str(error).split())}" if away else ""
                _logger.warning("served again in %.1f s%s", self._pause, reason, exc_info=not away)
                # Not the waker: answers of workers that lost PostgreSQL too would use up all pauses
                # but the longest, which would then be waited for although PostgreSQL is back.
                self._stop.wait(self._pause)
                self._pause = min(RETRY_SECONDS[1], 2 * self._pause)

    def _serve(self) -> None:
        """Lead when no other runner does; return when stopped, or when the addon is not there."""
        with closing(self._connect()) as link:
            self._link = link
            cr = link.cursor()
            if not dispatch.is_installed(cr):
                return
            if not nodes.has_schema(cr):
                _logger.error("%s: its queue_job is older: run odoo -u queue_job", self._database)
                return
            node = nodes.announce(cr, self._announcement)
            if self._wait_for_the_lead(cr, node):
                self._lead(link, node)
            if not link.closed:
                nodes.leave(cr, node)

    def _connect(self) -> Any:
        name = "queue_job runner"
        return connect(self._database, self._settings.database, name, FollowedConnection)

    def _wait_for_the_lead(self, cr: Any, node: int) -> bool:
        """Return whether this runner leads now; if not, it was stopped meanwhile."""
        beat_at = time.monotonic() + POLL_SECONDS
        while not self._stop.is_set():
            if dispatch.try_lead(cr):
                return True
            if time.monotonic() > beat_at:
                beat_at = time.monotonic() + POLL_SECONDS
                nodes.beat(cr, node)
            self._waker.wait(STANDBY_SECONDS)
        return False

    def _lead(self, link: Any, node: int) -> None:
        """Dispatch until stopped."""
        settings = self._settings
        with link.cursor() as cr:
            cr.execute(f"LISTEN {NOTIFY_CHANNEL}")
        fleet = Fleet(settings.url, settings.slots)
        place = Place(self._database, link, node, self._waker, self._flights)
        leader = Leader(place, settings.channels, fleet, self._means)
        _logger.info("leading, channels %s", ", ".join(settings.channels))
        self._pause = RETRY_SECONDS[0]
        leader.lead(self._stop.is_set)


def _is_away(error: Exception) -> bool:
    """Tell whether the server is not to be reached, of which the place in the code says nothing."""
    lost = isinstance(error, psycopg2.OperationalError)
    return lost and (error.pgcode or AWAY[0]).startswith(AWAY)
