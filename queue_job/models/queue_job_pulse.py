from odoo import api, fields, models

from ..storage import pulse


class QueueJobPulse(models.Model):
    """What ended in a minute, or in an hour when that is long ago, and what waited and ran then.

    By channel; and of the whole database, where the channel is empty.
    """

    _name = "queue.job.pulse"
    _description = "Job Queue Pulse"
    _log_access = False
    _order = "minute desc, channel"
    _rec_name = "channel"

    minute = fields.Datetime("Time", required=True, readonly=True)
    channel = fields.Char(required=True, readonly=True)
    done = fields.Integer(readonly=True)
    failed = fields.Integer(readonly=True)
    waiting = fields.Integer(readonly=True, aggregator="max", help="Most at a time")
    running = fields.Integer(readonly=True, aggregator="max", help="Most at a time")
    oldest = fields.Float("Oldest Waiting (s)", readonly=True, aggregator="max")

    def init(self):
        """Create what the ORM does not know of."""
        pulse.create(self.env.cr)

    @api.autovacuum
    def _roll_up(self):
        """Make old minutes into hours."""
        pulse.roll_up(self.env.cr)
