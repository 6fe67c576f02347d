# ruff: noqa: INP001 - Odoo reads these files by their place
"""Finishing what :file:`pre-migrate.py` began, once the tables of this addon are there."""

import json
import logging
from contextlib import suppress

from odoo import SUPERUSER_ID, api
from odoo.tools.sql import column_exists

_logger = logging.getLogger(__name__)

BATCH = 10_000
"""Jobs whose arguments are in memory at a time."""

OUR_CRON = "ir_cron_failures"

READ_TEXTS = """
DELETE FROM queue_job_moving_text
 WHERE id IN (SELECT id FROM queue_job_moving_text LIMIT %s)
RETURNING id, args, kwargs
"""

WRITE_ARGUMENTS = """
UPDATE queue_job SET args = kept.args, kwargs = kept.kwargs
  FROM (VALUES %s) AS kept (id, args, kwargs) WHERE queue_job.id = kept.id
"""

MOVE_EDGES = """
INSERT INTO queue_job_dependency (parent_id, child_id, open)
SELECT DISTINCT parent_id, child_id, open FROM queue_job_moving_edge
"""


def migrate(cr, _version):
    """Store the edges of graphs, and remove what only the community's addon used."""
    if _is_moving(cr):
        _keep_arguments(cr)
        _move_edges(cr)
    _remove_crons(api.Environment(cr, SUPERUSER_ID, {}))
    if column_exists(cr, "queue_job_function", "channel"):
        # It is computed here. Stale values would be taken for true ones on the way back out.
        cr.execute("ALTER TABLE queue_job_function DROP COLUMN channel")


def _is_moving(cr):
    """Tell whether this upgrade began with the tables of the community's addon."""
    cr.execute("SELECT to_regclass('pg_temp.queue_job_moving_text')")
    return bool(cr.fetchone()[0])


def _keep_arguments(cr):
    """Store the arguments that lost something on their way from a text into a document."""
    while True:
        cr.execute(READ_TEXTS, (BATCH,))
        rows = cr.fetchall()
        if not rows:
            break
        kept = []
        for number, args, kwargs in rows:
            # What PostgreSQL cannot hold as text was replaced, and stays so.
            with suppress(ValueError):
                kept.append((number, _document(args), _document(kwargs)))
        if kept:
            cr.execute_values(
                WRITE_ARGUMENTS, kept, template="(%s, %s::jsonb, %s::jsonb)", page_size=len(kept)
            )
    cr.execute("DROP TABLE queue_job_moving_text")


def _document(text):
    """Return the text of a stored document, with what a jsonb would lose told apart.

    :raises ValueError: when it cannot be stored
    """
    value = json.loads(text or "null")
    document = json.dumps(_exact(value, ordered=isinstance(value, list)), ensure_ascii=False)
    if "\\u0000" in document:
        raise ValueError(text)
    document.encode()
    return document


def _exact(value, *, ordered=True):
    """Return a value in the terms in which this addon stores it.

    :param ordered: whether the order of its own keys counts
    """
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, float):
        text = repr(value)
        return {"_type": "float", "value": text} if "e+" in text or text == "-0.0" else value
    if not isinstance(value, dict) or "_type" in value:
        return value
    items = {key: _exact(item) for key, item in value.items()}
    if not ordered or list(items) == sorted(items, key=lambda key: (len(key.encode()), key)):
        return items
    return {"_type": "dict", "value": [[key, item] for key, item in items.items()]}


def _move_edges(cr):
    """Store the edges of graphs."""
    # Those of an earlier stay, before the community's addon was put back, say nothing any more.
    cr.execute("DELETE FROM queue_job_dependency")
    cr.execute("SELECT to_regclass('pg_temp.queue_job_moving_edge')")
    if cr.fetchone()[0]:
        cr.execute(MOVE_EDGES)
        _logger.info("%s dependencies between jobs taken over", cr.rowcount)
        cr.execute("DROP TABLE queue_job_moving_edge")


def _remove_crons(env):
    """Remove the crons that older versions of the community's addon left to its migrations."""
    theirs = [("module", "=", "queue_job"), ("model", "=", "ir.cron"), ("name", "!=", OUR_CRON)]
    known = env["ir.model.data"].search(theirs)
    crons = env["ir.cron"].with_context(active_test=False).browse(known.mapped("res_id")).exists()
    actions = crons.ir_actions_server_id
    crons.unlink()
    actions.exists().unlink()
