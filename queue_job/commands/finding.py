"""The jobs that a command means: by SQL alone, and where there is a domain by the ORM as well."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg2

from odoo.exceptions import UserError
from odoo.fields import Domain

from ..core.selection import SelectionError, as_json, read_domain
from ..storage.listing import JobFilter
from . import database
from .database import MisunderstoodError

PAGE = 5_000
"""Jobs of a domain that are looked at together: nothing grows with the size of the table."""

Read = Callable[[Any, JobFilter, int | None], list[Any]]


def find(
    options: argparse.Namespace,
    wanted: JobFilter,
    limit: int | None,
    read: Read,
    *,
    newest: bool = False,
) -> list[Any]:
    """Return what a statement returns of the jobs that are meant.

    :param limit: of jobs; ``None`` for all
    :param read: reads by a cursor and a filter, not more than a limit
    :param newest: it begins with the newest
    :raises MisunderstoodError: when the domain is none
    """
    if options.domain is None:
        with database.reading(options) as cr:
            return read(cr, wanted, limit)
    found: list[Any] = []
    with database.environment(options) as env:
        for ids in _pages(env, options.domain, newest):
            left = None if limit is None else limit - len(found)
            found += read(env.cr, replace(wanted, ids=ids), left)
            if len(found) == limit:
                break
    return found


def _pages(env: Any, text: str, newest: bool) -> Iterator[list[int]]:
    """Yield the ids of the jobs of a domain, page by page."""
    jobs = env["queue.job"]
    order, beyond = ("id DESC", "<") if newest else ("id", ">")
    try:
        domain = Domain(read_domain(as_json(text), jobs._fields))
        page = jobs.search(domain, order=order, limit=PAGE)
        while page:
            yield page.ids
            page = jobs.search(domain & Domain("id", beyond, page.ids[-1]), order=order, limit=PAGE)
    except (SelectionError, UserError, ValueError, psycopg2.DataError) as error:
        raise MisunderstoodError(f"the domain cannot be used: {error}") from error
