from odoo import fields, models

from odoo.addons.queue_job.job import job


class TestQueueJobShown(models.Model):
    _name = "test.queue.job.shown"
    _inherit = "queue.job.mixin"
    _description = "Records That Show Their Jobs"

    name = fields.Char()

    @job
    def work(self, seconds=0):
        """Work on what is shown"""
