"""Jobs that wait for others: the edges, and what closing them sets free.

An edge is open until its parent is done. A child waits as long as an edge to it is open. Edges are
closed by one session at a time, the leader's, on its autocommit connection: two parents that end in
transactions of their own cannot see each other, and each would leave the child to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

SCHEMA = """
ALTER TABLE queue_job_dependency ADD COLUMN IF NOT EXISTS open boolean NOT NULL DEFAULT true;
CREATE INDEX IF NOT EXISTS queue_job_dependency_open_child_index
    ON queue_job_dependency (child_id) WHERE open;
CREATE INDEX IF NOT EXISTS queue_job_dependency_open_parent_index
    ON queue_job_dependency (parent_id) WHERE open;
"""

INSERT = """
INSERT INTO queue_job_dependency (parent_id, child_id, open)
SELECT * FROM unnest(%s::int[], %s::int[], %s::bool[])
ON CONFLICT DO NOTHING
"""

PARENTS = "ARRAY(SELECT DISTINCT parent_id FROM queue_job_dependency WHERE open)"
# An array, here and below, so that rows are found by their ids: PostgreSQL expects many, and would
# join them with all jobs.

CLOSE_TEXT = """
WITH ended AS (
    SELECT edge.parent_id, edge.child_id
      FROM queue_job_dependency AS edge JOIN queue_job AS parent ON parent.id = edge.parent_id
     WHERE parent.state = 'done' AND edge.open{which}
       FOR NO KEY UPDATE OF edge SKIP LOCKED
)
UPDATE queue_job_dependency AS edge SET open = false FROM ended
 WHERE edge.parent_id = ended.parent_id AND edge.child_id = ended.child_id
RETURNING edge.child_id
"""
CLOSE = CLOSE_TEXT.format(which=" AND edge.parent_id = ANY(%s)")
CLOSE_ALL = CLOSE_TEXT.format(which=f" AND parent.id = ANY({PARENTS})")
# SKIP LOCKED: whoever requeues a child has its edges until they commit, and ask for a sweep then.
# The leader must not wait for them: no other job of the database would start meanwhile.

REOPEN = """
UPDATE queue_job_dependency AS edge SET open = true
  FROM queue_job AS child
 WHERE child.id = edge.child_id AND child.state = 'wait_dependencies'
   AND NOT edge.open AND edge.parent_id = ANY(%s)
"""

OPEN = """
UPDATE queue_job_dependency AS edge SET open = true
  FROM queue_job AS parent
 WHERE parent.id = edge.parent_id AND parent.state <> 'done' AND edge.child_id = ANY(%s)
"""

NOTICE = "graph"
"""Payload that asks the leader for a sweep."""

ASK_FOR_SWEEP = "SELECT pg_notify('queue_job', 'graph')"
# The leader looks after the children of jobs that somebody else than a worker has ended: a child
# can wait for two parents whose transactions do not see each other.

FREE = """
UPDATE queue_job SET state = 'pending'
 WHERE id = ANY(ARRAY(
    SELECT id FROM queue_job AS child
     WHERE child.state = 'wait_dependencies' AND (%(all)s OR child.id = ANY(%(ids)s))
       AND NOT EXISTS (
            SELECT FROM queue_job_dependency WHERE child_id = child.id AND open)
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED))
"""
# Looks at the open edges only, so that a child of 5,000 parents costs the same at each of them.
# SKIP LOCKED: a child that an operator is changing is freed by the next sweep.

ADOPTED_TEXT = """
SELECT id FROM queue_job WHERE graph_uuid IS NULL AND id = ANY({parents})
"""
ADOPTED = ADOPTED_TEXT.format(parents=PARENTS)
# A job that waited under the identity key of one of the graph took its place. Its row does not say
# so: it may run, and whoever writes it would be in its way.

WAITING = """
SELECT DISTINCT child_id FROM queue_job_dependency AS edge
  JOIN queue_job AS parent ON parent.id = edge.parent_id
 WHERE child_id = ANY(%s) AND parent.state <> 'done'
"""

DESCENDANTS = """
WITH RECURSIVE below AS (
    SELECT child_id FROM queue_job_dependency WHERE parent_id = ANY(%s)
    UNION
    SELECT edge.child_id FROM below JOIN queue_job_dependency AS edge
      ON edge.parent_id = below.child_id
)
SELECT child_id FROM below
"""

GIVEN_UP_TEXT = """
    SELECT edge.child_id FROM queue_job_dependency AS edge
      JOIN queue_job AS child ON child.id = edge.child_id
     WHERE edge.parent_id {parents}
       AND COALESCE(child.on_parent_stop, '') = ANY(%(stopped)s)
    UNION
    SELECT edge.child_id FROM below
      JOIN queue_job_dependency AS edge ON edge.parent_id = below.child_id
      JOIN queue_job AS child ON child.id = edge.child_id
     WHERE COALESCE(child.on_parent_stop, '') = ANY(%(cancelled)s)
"""
READ_GIVEN_UP_TEXT = """
WITH RECURSIVE below AS (
{given_up}
)
SELECT child_id FROM below
"""
READ_GIVEN_UP = READ_GIVEN_UP_TEXT.format(
    given_up=GIVEN_UP_TEXT.format(parents="= ANY(%(parents)s)")
)
# Those that wait for the jobs themselves follow what became of these; all others wait for one that
# is cancelled with them.

EDGES = """
SELECT edge.parent_id, edge.child_id FROM queue_job AS child
  JOIN queue_job_dependency AS edge ON edge.child_id = child.id
 WHERE child.graph_uuid = %s
 ORDER BY edge.child_id, edge.parent_id
 LIMIT %s
"""
# A parent may be of another graph: one with the same identity, which waited already.


def connect(cr: Any, edges: Sequence[tuple[int, int, bool]]) -> None:
    """Store edges: parent, child, and whether the child has to wait."""
    parents, children, opened = zip(*edges, strict=True)
    cr.execute(INSERT, (list(parents), list(children), list(opened)))


def release(cr: Any, parents: Iterable[int]) -> int:
    """Close the edges of parents that are done; free the children that wait for nothing more.

    :return: how many were freed
    """
    cr.execute(CLOSE, (list(parents),))
    children = list({row[0] for row in cr.fetchall()})
    if not children:
        return 0
    cr.execute(FREE, {"ids": children, "all": False})
    return int(cr.rowcount)


def sweep(cr: Any) -> int:
    """Do for all parents what :func:`release` does, whoever left it undone; return how many."""
    cr.execute(CLOSE_ALL)
    cr.execute(FREE, {"ids": [], "all": True})
    return int(cr.rowcount)


def read_adopted(cr: Any) -> set[int]:
    """Return the parents that belong to no graph."""
    cr.execute(ADOPTED)
    return {row[0] for row in cr.fetchall()}


def reopen(cr: Any, parents: Iterable[int]) -> None:
    """Let the children that still wait also wait for these parents again."""
    cr.execute(REOPEN, (list(parents),))


def wait_for_parents(cr: Any, children: Iterable[int]) -> None:
    """Let children wait for those of their parents that are not done."""
    cr.execute(OPEN, (list(children),))


def ask_for_sweep(cr: Any) -> None:
    """Have the leader sweep when this transaction is committed."""
    cr.execute(ASK_FOR_SWEEP)


def still_waiting(cr: Any, children: Iterable[int]) -> set[int]:
    """Return those of the children that have a parent which is not done."""
    cr.execute(WAITING, (list(children),))
    return {row[0] for row in cr.fetchall()}


def descendants(cr: Any, parents: Iterable[int]) -> list[int]:
    """Return every job that waits for these, directly or through others."""
    cr.execute(DESCENDANTS, (list(parents),))
    return [row[0] for row in cr.fetchall()]


def given_up(
    cr: Any, parents: Iterable[int], *, stopped: Sequence[str], cancelled: Sequence[str]
) -> list[int]:
    """Return every job that is to be given up with these, directly or through others.

    :param stopped: what those say that are given up with one that ended as these did
    :param cancelled: what those say that are given up with one that is cancelled
    """
    values = {"parents": list(parents), "stopped": list(stopped), "cancelled": list(cancelled)}
    cr.execute(READ_GIVEN_UP, values)
    return [row[0] for row in cr.fetchall()]


def read_edges(cr: Any, graph: str, most: int) -> list[tuple[int, int]]:
    """Return parent and child of everything that the jobs of a graph wait for.

    :param most: how many are read
    """
    cr.execute(EDGES, (graph, most))
    return [(parent, child) for parent, child in cr.fetchall()]
