from odoo import fields, models


class QueueJob(models.Model):
    _inherit = "queue.job"

    # A number and no many2one: a foreign key would write to the rows of running jobs when an
    # import is deleted, and so undo their work.
    bank_import_id = fields.Integer(
        "Bank Import",
        readonly=True,
        index="btree_not_null",
        help="The import that the job is part of",
    )
