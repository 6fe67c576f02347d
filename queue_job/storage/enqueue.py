"""Storing jobs: one statement for any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg2.extras import Json

json = Json
"""Adapts JSON terms for a column of type ``jsonb``."""

BATCH = 1000
"""Rows per statement; more gain nothing and make long statements."""


INSERT = "INSERT INTO queue_job ({columns}) VALUES %s RETURNING id"


def insert(cr: Any, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Store jobs and return their ids, in order.

    :param cr: Odoo cursor of the caller's transaction, so that a rollback takes the jobs with it
    :param rows: column values; all rows have the same columns
    """
    columns = list(rows[0])
    names = ", ".join(f'"{name}"' for name in columns)
    query = INSERT.replace("{columns}", names)
    values = [tuple(row[name] for name in columns) for row in rows]
    return [row[0] for row in cr.execute_values(query, values, page_size=BATCH, fetch=True)]


FIND_IDENTITY = """
SELECT uuid FROM queue_job
 WHERE identity_key = %s AND state IN ('wait_dependencies', 'pending', 'enqueued')
 ORDER BY id LIMIT 1
"""


def find_identity(cr: Any, key: str) -> str | None:
    """Return the uuid of a waiting job with this identity key."""
    cr.execute(FIND_IDENTITY, (key,))
    row = cr.fetchone()
    return row[0] if row else None
