from odoo import fields, models


class QueueJobFailureMute(models.TransientModel):
    """Until when nobody wants to hear of failures."""

    _name = "queue.job.failure.mute"
    _description = "Mute Failures"

    def _default_failure_ids(self):
        if self.env.context.get("active_model") != "queue.job.failure":
            return False
        return self.env.context.get("active_ids") or False

    failure_ids = fields.Many2many(
        "queue.job.failure", string="Failures", default=lambda w: w._default_failure_ids()
    )
    until = fields.Datetime(help="Empty: until somebody takes it back")

    def mute(self):
        """Mute the failures of the selection."""
        self.failure_ids.action_mute(self.until)
        return {"type": "ir.actions.act_window_close"}
