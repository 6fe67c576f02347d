from odoo import api, fields, models

from ..storage import metrics


class QueueJobMetric(models.Model):
    """What ran in a minute, or in an hour when that is long ago, by channel and function."""

    _name = "queue.job.metric"
    _description = "Job Figures"
    _log_access = False
    _order = "minute desc"
    _rec_name = "function"

    minute = fields.Datetime("Time", required=True, readonly=True)
    channel = fields.Char(required=True, readonly=True)
    function = fields.Char(required=True, readonly=True)
    done = fields.Integer(readonly=True)
    failed = fields.Integer(readonly=True)
    postponed = fields.Integer(readonly=True)
    lost = fields.Integer("Lost Their Worker", readonly=True)
    seconds = fields.Float("Ran (s)", readonly=True)

    def init(self):
        """Create what the ORM does not know of."""
        metrics.create(self.env.cr)

    @api.autovacuum
    def _roll_up(self):
        """Make old minutes into hours."""
        metrics.roll_up(self.env.cr)
