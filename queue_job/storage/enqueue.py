"""Storing jobs: one statement for any number of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg2.extras import Json

json = Json
"""Adapts JSON terms for a column of type ``jsonb``."""

INSERT = """
INSERT INTO queue_job ({columns}) VALUES %s
ON CONFLICT (identity_claim) WHERE identity_claim IS NOT NULL DO NOTHING
RETURNING id, uuid
"""
# A transaction that stores the same identity at this moment makes this one wait for its end. If it
# commits, a REPEATABLE READ transaction gets a serialization failure, which Odoo answers by asking
# again; whoever asks again finds the job.

FIND_IDENTITIES = """
SELECT DISTINCT ON (identity_key) identity_key, uuid FROM queue_job
 WHERE identity_key = ANY(%s)
   AND (state IN ('wait_dependencies', 'pending', 'enqueued') OR identity_claim IS NOT NULL)
 ORDER BY identity_key, id
"""


def insert(cr: Any, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Store jobs and return the id of each by its uuid.

    One whose identity is claimed already is missing in the answer.

    :param cr: Odoo cursor of the caller's transaction, so that a rollback takes the jobs with it
    :param rows: column values; what a row does not have is left empty
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    query = INSERT.replace("{columns}", ", ".join(f'"{name}"' for name in columns))
    values = [tuple(row.get(name) for name in columns) for row in rows]
    stored = cr.execute_values(query, values, page_size=len(values), fetch=True)
    return {uuid: number for number, uuid in stored}


def find_identities(cr: Any, keys: Iterable[str]) -> dict[str, str]:
    """Return the uuid of the job that waits under each of these identity keys."""
    cr.execute(FIND_IDENTITIES, (list(keys),))
    return dict(cr.fetchall())
