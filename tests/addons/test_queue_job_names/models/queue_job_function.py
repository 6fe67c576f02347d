from odoo import fields, models


class QueueJobFunction(models.Model):
    _inherit = "queue.job.function"

    names_notify = fields.Boolean()
