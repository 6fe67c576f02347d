"""Telling whether a pooler stands between a connection and PostgreSQL, and what kind it is.

A pooler that gives each transaction another session is no place for ``LISTEN`` or for locks that
last as long as a session. One that keeps a session for each client is.
"""

from __future__ import annotations

import select
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import extensions

REFUSAL = "unsupported startup parameter"
"""What PgBouncer answers to settings that come with a connection, whatever its mode."""

LOOKS = 10
"""How often to look whether two clients meet in one session. A pooler hands out the session that
was used last, so that one look tells, unless others use the pool at that moment."""

LOOK_SECONDS = 2.0
"""How long a second client waits for a session. A pool that has none left while the first client is
idle keeps one for each client."""

SHARED = "a pooler gives each of their transactions another session, in which neither lasts"
REFUSED = "a pooler refuses the settings that they come with"

MESSAGE = (
    "the connections of the jobrunner and of the jobs' locks must lead to PostgreSQL itself, but "
    "{problem}; set ODOO_QUEUE_JOB_JOBRUNNER_DB_HOST and ODOO_QUEUE_JOB_JOBRUNNER_DB_PORT, or "
    "jobrunner_db_host and jobrunner_db_port in [queue_job] of odoo.conf (a pooler in session mode "
    "will do if it ignores the startup parameter options)"
)

SESSION = "SELECT pg_backend_pid()"

APPLY = (
    "SELECT set_config(name, value, false) FROM unnest(%s::text[], %s::text[]) AS s (name, value)"
)


class PooledError(Exception):
    """A pooler stands where session locks would mean nothing; the message names the remedy.

    :param problem: what it does
    """

    def __init__(self, problem: str) -> None:
        super().__init__(MESSAGE.format(problem=problem))


def open_link(info: Mapping[str, Any]) -> extensions.connection:
    """Open a connection.

    :param info: libpq parameters
    :raises psycopg2.OperationalError: when the server cannot be reached
    :raises PooledError: when a pooler answers instead, and refuses
    """
    try:
        return psycopg2.connect(**info)
    except psycopg2.OperationalError as error:
        if REFUSAL in str(error):
            raise PooledError(f"{REFUSED} ({' '.join(str(error).split())})") from error
        raise


def is_direct(link: extensions.connection) -> bool:
    """Tell whether the session is the one that the connection was opened to.

    A pooler names a process of its own invention when it is connected to.
    """
    return _session(link) == link.info.backend_pid


def check(
    link: extensions.connection, info: Mapping[str, Any], settings: Mapping[str, Any]
) -> None:
    """Accept a pooler that keeps the session, and repeat the settings that it may have ignored.

    :param link: connection that is not direct, in autocommit mode
    :param info: libpq parameters of that connection
    :param settings: of the session
    :raises PooledError: when the session is another client's between two transactions
    """
    if _is_shared(link, info):
        raise PooledError(SHARED)
    with link.cursor() as cr:
        cr.execute(APPLY, (list(settings), [str(value) for value in settings.values()]))


def _is_shared(link: extensions.connection, info: Mapping[str, Any]) -> bool:
    """Tell whether another client gets the session of this one, or this one gets another."""
    mine = _session(link)
    with closing(psycopg2.connect(**info, async_=1)) as other:
        for _look in range(LOOKS):
            theirs = _session_of(other, time.monotonic() + LOOK_SECONDS)
            if theirs is None:
                return False
            if theirs == mine or _session(link) != mine:
                return True
    return False


def _session(link: extensions.connection) -> int:
    with link.cursor() as cr:
        cr.execute(SESSION)
        return int(cr.fetchone()[0])


def _session_of(link: extensions.connection, deadline: float) -> int | None:
    """Return the session of an asynchronous connection, ``None`` when there is none in time."""
    if not _ready(link, deadline):
        return None
    cr = link.cursor()
    cr.execute(SESSION)
    return int(cr.fetchone()[0]) if _ready(link, deadline) else None


def _ready(link: extensions.connection, deadline: float) -> bool:
    """Wait until an asynchronous connection has done what it was asked for, or for so long."""
    while (state := link.poll()) != extensions.POLL_OK:
        poll = select.poll()
        poll.register(link, select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        if not poll.poll(1000 * max(0.0, deadline - time.monotonic())):
            return False
    return True
