"""Storing jobs: one statement for any number of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from . import plans

INSERT = "INSERT INTO queue_job ({columns}) {rows}"

UNLESS_CLAIMED = " ON CONFLICT (identity_claim) WHERE identity_claim IS NOT NULL DO NOTHING"
# A transaction that stores the same identity at this moment makes this one wait for its end. If it
# commits, a REPEATABLE READ transaction gets a serialization failure, which Odoo answers by asking
# again; whoever asks again finds the job. Where no job has an identity there is nothing to wait
# for, and to plan for it takes longer than to store the job.

NUMBERS = " RETURNING id, uuid"

ONE_ROW = "VALUES ({values})"

ROWS = "SELECT {values} FROM unnest({arrays}) AS each ({names})"
# What all rows share is sent once; what differs is an array for each column.

FIND_IDENTITIES = """
SELECT DISTINCT ON (key) key, uuid FROM (
    SELECT identity_key AS key, uuid, id FROM queue_job
     WHERE identity_key = ANY(%(keys)s)
       AND state IN ('wait_dependencies', 'pending', 'enqueued')
    UNION ALL
    SELECT identity_claim, uuid, id FROM queue_job WHERE identity_claim = ANY(%(keys)s)) AS known
 ORDER BY key, id
"""
# Each part by an index of its own: joined by OR they would read every claim that there is.

STATEMENTS = 256
"""Texts of statements that are kept: one for each set of columns that some call fills."""

Types = Mapping[str, str]
"""Type in the database by the name of a column."""

Columns = Mapping[str, Sequence[Any]]
"""Values by the name of a column, one per job."""


def insert(cr: Any, rows: Sequence[Mapping[str, Any]], types: Types) -> dict[str, int]:
    """Store jobs and return the id of each by its uuid.

    One whose identity is claimed already is missing in the answer.

    :param cr: Odoo cursor of the caller's transaction, so that a rollback takes the jobs with it
    :param rows: column values; what a row does not have is left empty
    :param types: of all columns of the table; not needed for a single row
    """
    if not rows:
        return {}
    claims = any(row.get("identity_claim") is not None for row in rows)
    ending = UNLESS_CLAIMED + NUMBERS if claims else NUMBERS
    if len(rows) == 1:
        _insert_one(cr, ending, rows[0])
    else:
        _insert(cr, ending, *_compared(rows), types)
    return {uuid: number for number, uuid in cr.fetchall()}


def insert_alike(cr: Any, shared: Mapping[str, Any], varied: Columns, types: Types) -> None:
    """Store jobs without identity that differ in a few columns.

    :param shared: the value of each column in which they are alike
    :param varied: the values of each other column, one per job
    :param types: of all columns of the table
    """
    _insert(cr, "", shared, varied, types)


def as_json(value: Any) -> str:
    """Return JSON terms as a column of type ``jsonb`` takes them."""
    return json.dumps(value)


def find_identities(cr: Any, keys: Iterable[str]) -> dict[str, str]:
    """Return the uuid of the job that waits under each of these identity keys."""
    cr.execute(FIND_IDENTITIES, {"keys": list(keys)})
    return dict(cr.fetchall())


def _compared(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], Columns]:
    """Return what all rows have in common, and the columns in which they differ."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    shared = {n: values[0] for n, values in columns.items() if values.count(values[0]) == len(rows)}
    return shared, {name: values for name, values in columns.items() if name not in shared}


def _insert_one(cr: Any, ending: str, row: Mapping[str, Any]) -> None:
    """Store a single job; many a transaction stores one after the other."""
    given = {name: value for name, value in row.items() if value is not None}
    statement = _statement(tuple(given), ()) + ending
    name = f"queue_job_insert_{zlib.crc32(statement.encode()):08x}"
    plans.execute(cr, name, statement, list(given.values()))


def _insert(cr: Any, ending: str, shared: Mapping[str, Any], varied: Columns, types: Types) -> None:
    given = {name: value for name, value in shared.items() if value is not None}
    statement = _statement(tuple(given), tuple((name, types[name]) for name in varied))
    cr.execute(statement + ending, [*given.values(), *map(list, varied.values())])


@lru_cache(STATEMENTS)
def _statement(shared: tuple[str, ...], varied: tuple[tuple[str, str], ...]) -> str:
    """Return the statement for these columns; there are as many as there are ways to delay."""
    names = [f'"{name}"' for name, _type in varied]
    values = ", ".join(["%s"] * len(shared) + [f"each.{name}" for name in names])
    arrays = ", ".join(f"%s::{kind}[]" for _name, kind in varied)
    rows = ROWS if varied else ONE_ROW
    rows = rows.format(values=values, arrays=arrays, names=", ".join(names))
    columns = ", ".join([*(f'"{name}"' for name in shared), *names])
    return INSERT.format(columns=columns, rows=rows)
