from odoo import api, fields, models


class TestQueueJobLedger(models.Model):
    _name = "test.queue.job.ledger"
    _description = "What jobs did, written in their own transactions"

    kind = fields.Char()
    value = fields.Char()
    job_uuid = fields.Char()

    @api.model
    def note(self, kind, value=""):
        """Add a line that is there exactly if the job's transaction was committed."""
        self.sudo().create(
            {"kind": kind, "value": value, "job_uuid": self.env.context.get("job_uuid")},
        )
