# ruff: noqa: INP001 - Odoo reads these files by their place
"""Finishing what :file:`pre-migrate.py` began, once the tables of this addon are there."""

import logging

from odoo import SUPERUSER_ID, api
from odoo.tools.sql import column_exists

_logger = logging.getLogger(__name__)

MOVE_EDGES = """
INSERT INTO queue_job_dependency (parent_id, child_id, open)
SELECT DISTINCT parent_id, child_id, open FROM queue_job_moving_edge
"""


def migrate(cr, _version):
    """Store the edges of graphs, and remove what only the community's addon used."""
    _move_edges(cr)
    _remove_crons(api.Environment(cr, SUPERUSER_ID, {}))
    if column_exists(cr, "queue_job_function", "channel"):
        # It is computed here. Stale values would be taken for true ones on the way back out.
        cr.execute("ALTER TABLE queue_job_function DROP COLUMN channel")


def _move_edges(cr):
    cr.execute("SELECT to_regclass('pg_temp.queue_job_moving_edge')")
    if not cr.fetchone()[0]:
        return
    # Edges of an earlier stay, before the community's addon was put back, say nothing any more.
    cr.execute("DELETE FROM queue_job_dependency")
    cr.execute(MOVE_EDGES)
    _logger.info("%s dependencies between jobs taken over", cr.rowcount)
    cr.execute("DROP TABLE queue_job_moving_edge")


def _remove_crons(env):
    """Remove the crons that older versions of the community's addon left to its migrations."""
    known = env["ir.model.data"].search([("module", "=", "queue_job"), ("model", "=", "ir.cron")])
    crons = env["ir.cron"].with_context(active_test=False).browse(known.mapped("res_id")).exists()
    actions = crons.ir_actions_server_id
    crons.unlink()
    actions.exists().unlink()
