"""The one database that a command is about: by SQL for what is quick, by the ORM for what changes.

To load a registry takes seconds and says nothing of a queue. What only looks goes without; what
changes jobs or channels goes through their models, so that other addons notice.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import config

from .. import logs
from ..storage import dispatch, nodes

QUIET = "--log-level=warn"
"""What is written is the answer, and what went wrong."""

LOUDER = ("--log-level", "--log-handler")


class CommandError(Exception):
    """What keeps a command from being done; the message says what to do."""


class MisunderstoodError(CommandError):
    """What was typed makes no sense, as only the database or the registry can tell."""


def configure(options: argparse.Namespace) -> None:
    """Read the configuration of the Odoo that the options name."""
    given = list(options.odoo)
    if not any(word.startswith(LOUDER) for word in given):
        given.insert(0, QUIET)
    config.parse_config([*given, "--no-http"], setup_logging=True)
    # Only now is there a log: Odoo makes it when it reads its configuration.
    logs.install()


def database_name() -> str:
    """Return the one database that the options or the configuration name.

    Ends the process with 2 when it is not one.
    """
    names = config["db_name"]
    if len(names) != 1:
        print("queue_job: which database? Add -d DATABASE", file=sys.stderr)
        sys.exit(2)
    return str(names[0])


@contextmanager
def reading(options: argparse.Namespace) -> Iterator[Any]:
    """Open a cursor that only looks, without a registry.

    :raises CommandError: when the database cannot be reached, or has no queue
    """
    configure(options)
    name = database_name()
    with closing(open_cursor(name)) as cr:
        yield cr


def open_cursor(name: str) -> Any:
    """Return a cursor on a database that has the addon.

    :raises CommandError: when there is none, or not the addon in it
    """
    try:
        cr = sql_db.db_connect(name).cursor()
    except psycopg2.OperationalError as error:
        raise CommandError(f"{name} cannot be reached: {' '.join(str(error).split())}") from error
    if not dispatch.is_installed(cr):
        cr.close()
        raise CommandError(f"queue_job is not installed in {name}: odoo -d {name} -i queue_job")
    if not nodes.has_schema(cr):
        cr.close()
        raise CommandError(f"queue_job is older in {name}: odoo -d {name} -u queue_job")
    return cr


@contextmanager
def environment(options: argparse.Namespace) -> Iterator[Any]:
    """Open an environment of the superuser, who sees the jobs of all companies; commit at its end.

    :raises CommandError: when the database cannot be reached, or has no queue
    """
    with reading(options) as cr:
        name = cr.dbname
    registry = Registry(name)
    with registry.cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})
    registry.signal_changes()


def commit(env: Any) -> None:
    """Commit a batch, so that a long piece of work holds few locks, and keeps what it has done."""
    env.cr.commit()
    env.invalidate_all()


def undo(env: Any) -> None:
    """Roll a batch back, and what the caches learned from it."""
    env.cr.rollback()
    env.transaction.reset()
    env.registry.reset_changes()
