"""The nodes of a database: the Odoo servers whose workers take its leases.

The runner of each server announces it by a row and a lock. The row says where its workers answer
and how many there are; the lock is of the runner's session, and says that it is there: it goes with
the session, whatever becomes of the server.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

HOST = socket.gethostname()
"""Name of this machine, as it is stored with jobs and nodes."""

NOTICE = "nodes"
"""Payload that tells the leader of a server that came or went."""

# The first part of a node's two-part lock is 0x514B0000; the second is the number of its row.

SCHEMA = """
CREATE OR REPLACE VIEW queue_job_node_here AS
SELECT objid::int AS id FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 2 AND classid = 1363869696
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

HAS_SCHEMA = """
SELECT to_regclass('queue_job_node_here') IS NOT NULL AND to_regclass('queue_job_pulse') IS NOT NULL
   AND to_regclass('queue_job_watch') IS NOT NULL AND to_regclass('queue_job_total') IS NOT NULL
"""

FORGET = """
DELETE FROM queue_job_node WHERE id IN (
    SELECT id FROM queue_job_node WHERE id NOT IN (SELECT id FROM queue_job_node_here)
       FOR UPDATE SKIP LOCKED)
"""
# A row and its lock come to be in one statement: one that is seen without its lock is of a server
# that ended. SKIP LOCKED: two servers that start together clear away the same rows.

ANNOUNCE = """
WITH born AS (
    INSERT INTO queue_job_node
           (host, pid, url, slots, standalone, version, channels, date_started, date_seen)
    VALUES (%(host)s, %(pid)s,
            COALESCE(%(url)s, format(%(pattern)s, COALESCE(
                CASE WHEN family(inet_client_addr()) = 6
                     THEN format('[%%s]', host(inet_client_addr()))
                     ELSE host(inet_client_addr()) END, 'localhost'))),
            %(slots)s, %(standalone)s, %(version)s, %(channels)s,
            now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
    RETURNING id
)
SELECT id, pg_advisory_lock(1363869696, id), pg_notify('queue_job', 'nodes') FROM born
"""
# The lock of a number that nobody else has is never waited for. Where a server does not say at
# which address it listens, it is the one from which it reaches PostgreSQL.

LEAVE = """
WITH gone AS (DELETE FROM queue_job_node WHERE id = %s RETURNING id)
SELECT pg_advisory_unlock(1363869696, id), pg_notify('queue_job', 'nodes') FROM gone
"""

LEAD = "UPDATE queue_job_node SET date_leading = now() AT TIME ZONE 'UTC' WHERE id = %s"

APPLY = "UPDATE queue_job_node SET revision = %s WHERE id = %s"

BEAT = "UPDATE queue_job_node SET date_seen = now() AT TIME ZONE 'UTC' WHERE id = %s"

READ = """
SELECT id, host, url, slots, standalone
  FROM queue_job_node JOIN queue_job_node_here USING (id) ORDER BY id
"""

TROUBLE = """
UPDATE queue_job_node SET problem = %(problem)s
 WHERE id = ANY(%(ids)s) AND problem IS DISTINCT FROM %(problem)s
"""

COUNT = "SELECT count(*) FROM queue_job_node JOIN queue_job_node_here USING (id)"


@dataclass(frozen=True)
class Announcement:
    """What a runner says of its server.

    :param host: name of the machine
    :param pid: process of the runner
    :param url: where its HTTP workers answer; ``None`` where the server does not say
    :param pattern: the same with ``%s`` for the host
    :param slots: HTTP workers that take leases
    :param standalone: the runner speaks for servers that have none of their own
    :param version: of the addon's code
    :param channels: the channel string in force there
    """

    host: str
    pid: int
    url: str | None
    pattern: str
    slots: int
    standalone: bool
    version: str
    channels: str


@dataclass(frozen=True)
class Node:
    """A server that is there.

    :param id: number of its row
    :param host: name of the machine
    :param url: where its workers answer
    :param slots: how many leases it takes at a time
    :param standalone: the runner speaks for servers that have none of their own
    """

    id: int
    host: str
    url: str
    slots: int
    standalone: bool


def has_schema(cr: Any) -> bool:
    """Tell whether the database has what this code writes; it has not before an upgrade."""
    cr.execute(HAS_SCHEMA)
    return bool(cr.fetchone()[0])


def create(cr: Any) -> None:
    """Create or replace what tells which nodes are there."""
    cr.execute(SCHEMA)


def announce(cr: Any, announcement: Announcement) -> int:
    """Make a server known, as long as this session lasts, and forget those that are gone.

    :return: the number of its row
    """
    cr.execute(FORGET)
    cr.execute(ANNOUNCE, asdict(announcement))
    return int(cr.fetchone()[0])


def leave(cr: Any, node: int) -> None:
    """Say that a server takes no further leases."""
    cr.execute(LEAVE, (node,))


def lead(cr: Any, node: int) -> None:
    """Say which runner dispatches."""
    cr.execute(LEAD, (node,))


def tell_revision(cr: Any, node: int, revision: int) -> None:
    """Say which settings of operators are in force."""
    cr.execute(APPLY, (revision, node))


def beat(cr: Any, node: int) -> None:
    """Say that the runner still turns."""
    cr.execute(BEAT, (node,))


def tell_trouble(cr: Any, ids: Iterable[int], problem: str | None) -> None:
    """Say why the leader cannot use the workers of some servers, or that it can."""
    cr.execute(TROUBLE, {"ids": list(ids), "problem": problem})


def read_nodes(cr: Any) -> list[Node]:
    """Return the servers that are there."""
    cr.execute(READ)
    return [Node(*row) for row in cr.fetchall()]


def count_nodes(cr: Any) -> int:
    """Return how many servers are there."""
    cr.execute(COUNT)
    return int(cr.fetchone()[0])
