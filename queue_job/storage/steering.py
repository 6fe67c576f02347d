"""Changing many jobs by one statement, for operators: the ORM would read and write each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

UPDATE = """
WITH chosen AS (
    SELECT id FROM queue_job WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
)
UPDATE queue_job SET {columns} FROM chosen WHERE queue_job.id = chosen.id
"""
# Locked in the order of their ids, so that two operators wait for each other in turn. Under
# REPEATABLE READ a job that the engine has changed since it was read makes it fail: the caller
# reads anew, and never overwrites what the engine just did.

STATEMENTS = 64
"""Texts that are kept: one for each set of columns that the code changes."""


def update(cr: Any, jobs: Iterable[int], values: Mapping[str, Any]) -> None:
    """Give the same values to columns of jobs.

    :param values: by the name of a column, which the code declares
    """
    statement = _statement(tuple(values))
    # Odoo would log a conflict with all the ids; the caller sees it, and begins anew.
    cr.execute(statement, [list(jobs), *values.values()], log_exceptions=False)


@lru_cache(STATEMENTS)
def _statement(names: tuple[str, ...]) -> str:
    """Return the statement for these columns."""
    return UPDATE.format(columns=", ".join(f'"{name}" = %s' for name in names))
