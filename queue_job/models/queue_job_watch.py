from odoo import fields, models

from ..roles import OPERATOR
from ..storage import board

TOPIC = "queue_job.board"
"""What an open dashboard asks the bus for."""


class QueueJobWatch(models.Model):
    """Until when somebody looks at a dashboard: one row, written by SQL alone.

    While it lies in the future the leader has Odoo send a message now and then; at all other times
    there is none.
    """

    _name = "queue.job.watch"
    _description = "Job Queue Dashboards"
    _log_access = False
    _rec_name = "seq"

    seq = fields.Integer(readonly=True, help="Number of the last message")
    date_until = fields.Datetime(readonly=True)
    date_told = fields.Datetime(readonly=True)

    def init(self):
        """Create the row."""
        board.create(self.env.cr)


class IrWebsocket(models.AbstractModel):
    _inherit = "ir.websocket"

    def _build_bus_channel_list(self, channels):
        """Let operators hear what dashboards are told, and nobody else.

        The name that a browser sends stands for a channel of the operators' group: a message to it
        cannot be had by asking for a name.
        """
        if TOPIC in channels:
            channels = [channel for channel in channels if channel != TOPIC]
            operators = self.env.ref(OPERATOR)
            if operators in self.env.user.all_group_ids:
                channels.append((operators, TOPIC))
        return super()._build_bus_channel_list(channels)
