from odoo import fields, models


class QueueJobChannelPause(models.TransientModel):
    """Why, and until when, channels are paused."""

    _name = "queue.job.channel.pause"
    _description = "Pause Channels"

    def _default_channel_ids(self):
        if self.env.context.get("active_model") != "queue.job.channel":
            return False
        return self.env.context.get("active_ids") or False

    channel_ids = fields.Many2many(
        "queue.job.channel", string="Channels", default=lambda w: w._default_channel_ids()
    )
    reason = fields.Char()
    until = fields.Datetime(help="Empty: until somebody resumes them")

    def pause(self):
        """Pause the channels of the selection."""
        self.channel_ids.action_pause(self.reason or "", self.until)
        return {"type": "ir.actions.act_window_close"}
