from odoo import models


class TestQueueJob(models.Model):
    _inherit = "test.queue.job"

    def overridden_without_decorator(self):
        """Extend without the decorator."""
        return f"{super().overridden_without_decorator()} extended"
