from odoo import api, fields, models
from odoo.tools import SQL

from ..storage import metrics, totals

RATIOS = {
    "failure_rate": SQL(metrics.FAILED_SHARE),
    "average_run": SQL(metrics.MEAN_RUN),
    "average_wait": SQL(metrics.MEAN_WAIT),
}
"""Figures that do not add up: of a group they are worked out anew."""


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
    cancelled = fields.Integer("Cancelled While They Ran", readonly=True)
    memory = fields.Integer(
        "Memory (MB)",
        readonly=True,
        aggregator="max",
        help="The most that one of them has added to its worker",
    )
    seconds = fields.Float("Ran (s)", readonly=True)
    waited = fields.Float("Waited (s)", readonly=True)
    failure_rate = fields.Float(
        "Failure Rate (%)",
        compute="_compute_ratios",
        aggregator="avg",
        digits=(16, 2),
        help="Of the jobs that ended: those that failed",
    )
    average_run = fields.Float(
        "Average Run (s)", compute="_compute_ratios", aggregator="avg", digits=(16, 3)
    )
    average_wait = fields.Float(
        "Average Wait (s)",
        compute="_compute_ratios",
        aggregator="avg",
        digits=(16, 3),
        help="Between the time that a job is ready and its start",
    )

    def init(self):
        """Create what the ORM does not know of."""
        metrics.create(self.env.cr)
        totals.create(self.env.cr)

    @api.depends("done", "failed", "postponed", "cancelled", "seconds", "waited")
    def _compute_ratios(self):
        for row in self:
            ended = row.done + row.failed
            runs = ended + row.postponed + row.cancelled
            row.failure_rate = 100 * row.failed / ended if ended else 0.0
            row.average_run = row.seconds / runs if runs else 0.0
            row.average_wait = row.waited / runs if runs else 0.0

    def _read_group_select(self, aggregate_spec, query):
        """Let the ratio of a group be that of its sums."""
        name, _colon, function = aggregate_spec.partition(":")
        if name not in RATIOS or function != "avg":
            return super()._read_group_select(aggregate_spec, query)
        return RATIOS[name]

    @api.autovacuum
    def _roll_up(self):
        """Make old minutes into hours."""
        metrics.roll_up(self.env.cr)
