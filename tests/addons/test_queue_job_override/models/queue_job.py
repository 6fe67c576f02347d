from odoo import fields, models


class QueueJob(models.Model):
    """Says more of a field that is another addon's."""

    _inherit = "queue.job"

    worker_host = fields.Char(help="Name of the machine")
