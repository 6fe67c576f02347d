from odoo import api, fields, models

from ..core.diagnosis import STALE_SECONDS
from ..core.states import JobState
from ..durations import seconds_between

RUNNING_SHOWN = 50
"""Jobs of a machine that are shown."""


class QueueJobNode(models.Model):
    """How a server does, and what runs on its machine."""

    _inherit = "queue.job.node"

    status = fields.Selection(
        [("alive", "Alive"), ("late", "Late"), ("gone", "Gone")],
        compute="_compute_status",
        help="Late: its runner is connected and has missed two heartbeats",
    )
    uptime = fields.Float(compute="_compute_status", help="Seconds since its runner started")
    silent = fields.Float(
        "Silent For", compute="_compute_status", help="Seconds since its runner was last heard from"
    )
    running_ids = fields.Many2many(
        "queue.job",
        string="Runs Now",
        compute="_compute_running",
        help="On its machine, as far as you may see it",
    )
    running_count = fields.Integer("Running", compute="_compute_running")

    @api.depends("date_started", "date_seen")
    def _compute_status(self):
        now = fields.Datetime.now()
        for node in self:
            node.uptime = seconds_between(node.date_started, now)
            node.silent = seconds_between(node.date_seen, now)
            late = node.silent > STALE_SECONDS
            node.status = "gone" if not node.here else "late" if late else "alive"

    @api.depends("host")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_running(self):
        groups = self.env["queue.job"]._read_group(
            self._running_domain(), ["worker_host"], ["id:recordset"]
        )
        by_host = dict(groups)
        for node in self:
            jobs = by_host.get(node.host, self.env["queue.job"])
            node.running_ids = jobs[:RUNNING_SHOWN]
            node.running_count = len(jobs)

    def action_open_jobs(self):
        """Open what runs on the machines."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("queue_job.action_queue_job")
        return {**action, "domain": self._running_domain(), "context": {}}

    def _running_domain(self):
        """Return the domain of what runs on the machines."""
        hosts = self.mapped("host")
        return [("state", "=", JobState.STARTED.value), ("worker_host", "in", hosts)]
