"""Direct connections to PostgreSQL, beside those of Odoo's pool.

The jobrunner and the liveness locks need sessions of their own: ``LISTEN`` and session-level
advisory locks do not survive a transaction-mode pooler, and a session in autocommit mode never
holds an old snapshot.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT, connection, cursor

from odoo.sql_db import connection_info_for

from . import pooler
from .forks import keep_from_children

CONNECT_SECONDS = 5
"""How long a connection may take to open before the database counts as unreachable."""

IDLE_SESSION_TIMEOUT_SINCE = 140_000
"""Version from which PostgreSQL may close a session because it is idle."""

SILENT_SECONDS = 3
PROBE_SECONDS = 1
PROBES = 3
GIVEN_UP_SECONDS = SILENT_SECONDS + PROBE_SECONDS * PROBES
"""A peer that vanished without a word is noticed after so long: another runner has its lead, and
other workers its jobs, within ten seconds. A network finds itself another way in less."""

KEEPALIVE: Mapping[str, int] = {
    "keepalives": 1,
    "keepalives_idle": SILENT_SECONDS,
    "keepalives_interval": PROBE_SECONDS,
    "keepalives_count": PROBES,
    "tcp_user_timeout": 1000 * GIVEN_UP_SECONDS,
}
"""The client's side, in libpq's words and units."""

SESSION: Mapping[str, str | int] = {
    "synchronous_commit": "off",
    "statement_timeout": "30s",
    "lock_timeout": "2s",
    # Compiling a statement of a millisecond takes ten.
    "jit": "off",
    # What is prepared here finds rows by their id: no value of a parameter asks for another plan.
    "plan_cache_mode": "force_generic_plan",
    # The server's side of KEEPALIVE: the locks of a host that lost its power have to go too.
    "tcp_keepalives_idle": SILENT_SECONDS,
    "tcp_keepalives_interval": PROBE_SECONDS,
    "tcp_keepalives_count": PROBES,
    "tcp_user_timeout": 1000 * GIVEN_UP_SECONDS,
}
"""These sessions only do the queue's own bookkeeping. Its commits need not wait for the disk: the
log is written in order, so a job's own durable commit carries the bookkeeping before it. They must
never wait long for anybody either."""


class FollowedConnection(connection):
    """A connection that tells since when it waits for an answer, to whoever looks after it."""

    asked: float | None = None
    """When the statement was sent that is not answered yet; ``None`` when all are."""

    def cursor(self, *args: Any, **options: Any) -> Any:
        """Return a cursor whose statements are followed."""
        return super().cursor(*args, cursor_factory=_FollowedCursor, **options)


class _FollowedCursor(cursor):
    connection: FollowedConnection

    def execute(self, *statement: Any) -> None:
        """Run a statement."""
        self.connection.asked = time.monotonic()
        try:
            super().execute(*statement)
        finally:
            self.connection.asked = None


def connect(
    database: str,
    overrides: Mapping[str, Any],
    name: str,
    factory: type[connection] = connection,
    **session: str | int,
) -> connection:
    """Open a direct autocommit connection, READ COMMITTED.

    :param database: name of the database
    :param overrides: libpq parameters that replace Odoo's own, such as ``host`` and ``port``
    :param name: what ``pg_stat_activity`` shows
    :param factory: class of the connection
    :param session: settings of the session that differ from :data:`SESSION`
    :raises psycopg2.OperationalError: when the server cannot be reached
    :raises PooledError: when what answers is a pooler that would not keep the session
    """
    info = {**connection_info_for(database)[1], **overrides}
    settings = {**SESSION, **session}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    info.update(KEEPALIVE, connect_timeout=CONNECT_SECONDS, options=options)
    info.update(application_name=name, connection_factory=factory)
    link = pooler.open_link(info)
    keep_from_children(link.fileno())
    try:
        _set_up(link, info, settings)
    except BaseException:
        link.close()
        raise
    return link


def _set_up(link: connection, info: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    link.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    if not pooler.is_direct(link):
        pooler.check(link, info, settings)
    if link.server_version >= IDLE_SESSION_TIMEOUT_SINCE:
        # A session that holds the lock of a long job is idle all that time.
        with link.cursor() as cr:
            cr.execute("SET idle_session_timeout = 0")


def cut(link: connection) -> None:
    """End a connection under the thread that waits for it, which gets an error."""
    with suppress(OSError, psycopg2.Error), socket.socket(fileno=os.dup(link.fileno())) as end:
        end.shutdown(socket.SHUT_RDWR)
