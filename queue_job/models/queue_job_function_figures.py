from operator import attrgetter

from odoo import api, fields, models
from odoo.tools import SQL

from ..core.metrics import Sum, percentile
from ..storage import metrics

HOURS = 24
"""What figures are of, unless the context names another number of hours."""

MOST_HOURS = 24 * 90
"""As far back as figures are kept."""

PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}

ORDERED = {
    "calls": attrgetter("calls"),
    "success": attrgetter("success"),
    "retries": attrgetter("postponed"),
    "failures": attrgetter("failed"),
    "seconds": attrgetter("seconds"),
    "time_share": attrgetter("seconds"),
    "memory_most": attrgetter("memory"),
}
"""Figures that functions can be put in order by."""

LAST_FAILURES = 10
"""Failures of a function that its form shows."""


class QueueJobFunction(models.Model):
    """How often a function ran lately, how well, and how long it took."""

    _inherit = "queue.job.function"

    calls = fields.Integer("Runs", compute="_compute_figures", help="That were done or have failed")
    success = fields.Float("Success (%)", compute="_compute_figures", digits=(5, 1))
    failures = fields.Integer("Failed", compute="_compute_figures")
    retries = fields.Integer("Postponed", compute="_compute_figures", help="Tries that come again")
    memory_most = fields.Integer(
        "Most Memory (MB)",
        compute="_compute_figures",
        help="That a run has added to its worker",
    )
    seconds = fields.Float("Ran (s)", compute="_compute_figures", digits=(16, 1))
    time_share = fields.Float(
        "Share of Time (%)", compute="_compute_figures", help="Of all that workers ran"
    )
    run_p50 = fields.Float("Run p50", compute="_compute_figures")
    run_p95 = fields.Float("Run p95", compute="_compute_figures")
    run_p99 = fields.Float("Run p99", compute="_compute_figures")
    wait_p50 = fields.Float("Wait p50", compute="_compute_figures")
    wait_p95 = fields.Float("Wait p95", compute="_compute_figures")
    wait_p99 = fields.Float("Wait p99", compute="_compute_figures")
    durations = fields.Json(compute="_compute_figures", help="Runs by how long they took")
    failure_ids = fields.Many2many(
        "queue.job.failure", string="Failures Met", compute="_compute_failure_ids"
    )

    @api.depends("name")
    @api.depends_context("queue_job_hours")
    def _compute_figures(self):
        found = self._figures()
        whole = sum(one.seconds for one in found.values())
        for function in self:
            sums = found.get(function.name) or Sum()
            function.calls, function.success = sums.calls, sums.success
            function.failures, function.retries = sums.failed, sums.postponed
            function.seconds, function.memory_most = sums.seconds, sums.memory
            function.time_share = 100 * sums.seconds / whole if whole else 0.0
            function.durations = sums.run
            for name, share in PERCENTILES.items():
                function[f"run_{name}"] = percentile(sums.run, share) or 0.0
                function[f"wait_{name}"] = percentile(sums.wait, share) or 0.0

    @api.model
    def _figures(self):
        """Return what ran in the hours that the context names, by the name of the function."""
        hours = self.env.context.get("queue_job_hours")
        known = isinstance(hours, int) and 0 < hours <= MOST_HOURS
        return metrics.read_functions(self.env.cr, hours if known else HOURS)

    def _compute_failure_ids(self):
        failures = self.env["queue.job.failure"]
        for function in self:
            met = [("function", "=", function.name)]
            function.failure_ids = failures.search(met, limit=LAST_FAILURES)

    def _order_field_to_sql(self, alias, field_name, direction, nulls, query):
        """Put functions in the order of their figures, which no column has."""
        if field_name not in ORDERED:
            return super()._order_field_to_sql(alias, field_name, direction, nulls, query)
        found = self._figures()
        names = sorted(found, key=lambda name: ORDERED[field_name](found[name]))
        # Those that did not run have no place, and come before whatever did.
        place = SQL(
            "COALESCE(array_position(%s::text[], %s::text), 0)",
            names,
            SQL.identifier(alias, "name"),
        )
        return SQL("%s %s", place, direction)

    def action_open_jobs(self):
        """Open the failed jobs of the function."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("queue_job.action_queue_job")
        domain = [("channel_method_name", "=", self.name)]
        return {**action, "name": self.name, "domain": domain, "context": {}}

    def action_record(self):
        """Give every function that ran a record, also those that the code does not declare.

        :return: the action that shows them
        """
        self.check_access("read")
        self.sudo()._record_functions(metrics.ran(self.env.cr))
        return self.env["ir.actions.act_window"]._for_xml_id("queue_job.action_queue_job_function")

    @api.autovacuum
    def _record_what_ran(self):
        """Do so for whoever comes by a link."""
        self._record_functions(metrics.ran(self.env.cr))


class QueueJobMetricHour(models.Model):
    """What ran of a function in an hour that is over; written by SQL."""

    _name = "queue.job.metric.hour"
    _description = "Job Figures by the Hour"
    _log_access = False
    _rec_name = "function"

    hour = fields.Datetime(required=True, readonly=True)
    function = fields.Char(required=True, readonly=True)
    done = fields.Integer(readonly=True)
    failed = fields.Integer(readonly=True)
    postponed = fields.Integer(readonly=True)
    lost = fields.Integer(readonly=True)
    cancelled = fields.Integer(readonly=True)
    memory = fields.Integer(readonly=True, aggregator="max")
    seconds = fields.Float(readonly=True)

    _function_hour_idx = models.UniqueIndex("(function, hour)")
    _hour_idx = models.Index("(hour)")

    def init(self):
        """Create what the ORM does not know of."""
        metrics.create_hours(self.env.cr)
