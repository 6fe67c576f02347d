# ruff: noqa: INP001 - Odoo reads this file by its place
"""Letting go of the addresses of screens, some of which have moved to other screens.

Odoo wants each to be there once, and looks before it has written that the former one has another.
Every action gets its own again from the data of this version.
"""

PATHS = """
UPDATE ir_actions SET path = NULL
 WHERE path IS NOT NULL
   AND id IN (SELECT res_id FROM ir_model_data
               WHERE module = 'queue_job'
                 AND model IN ('ir.actions.act_window', 'ir.actions.client', 'ir.actions.server'))
"""
# Not of every model that begins so: ids of ir.actions.act_window.view are of another table.


def migrate(cr, version):
    """Do it, in the transaction of the upgrade."""
    if version:
        cr.execute(PATHS)
