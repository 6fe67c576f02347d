from odoo import fields, models


class TestQueueJobChild(models.Model):
    _name = "test.queue.job.child"
    _description = "Delegates to a Model with Jobs"
    _inherits = {"test.queue.job": "parent_id"}

    parent_id = fields.Many2one("test.queue.job", required=True, ondelete="cascade")


class TestQueueJobCopy(models.Model):
    _name = "test.queue.job.copy"
    _inherit = "test.queue.job"
    _description = "Inherits a Model with Jobs under Another Name"
