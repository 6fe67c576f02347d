from datetime import timedelta

from odoo import _, api, fields, models

from ..durations import seconds_between
from ..storage import metrics, sight

RATE_KEY = "queue_job.target_failure_rate"
"""Parameter: percent of the jobs of the last hour that may fail before somebody should look."""

RATE = 0.0
"""The same, where nothing else was set: every failure is worth a look."""

FAILED_READ = 1_000
"""Newest failed jobs among which those of the last hour are counted."""

MINE_SHOWN = 5
"""Jobs of the user's own that are listed."""


class QueueJobTray(models.AbstractModel):
    """What the item in the systray of operators shows."""

    _name = "queue.job.tray"
    _description = "Job Queue in the Systray"

    @api.model
    @api.readonly
    def look(self):
        """Return what somebody should do something about; this is asked every minute.

        :return: a list of ``{"level", "message", "target"}``, empty when all is well
        :raises AccessError: for anybody but an operator of the queue
        """
        self.env["queue.job.board"]._check_operator()
        stopping = [
            {"level": "danger", "message": found["message"], "target": "self_test"}
            for found in self.env["queue.job.health"].banner()
        ]
        return stopping + self._failing(self._count_failed())

    @api.model
    @api.readonly
    def unfold(self):
        """Return what the open menu shows.

        :return: ``{"alerts", "counts", "mine", "more"}``
        :raises AccessError: for anybody but an operator of the queue
        """
        alerts = self.look()
        jobs = self.env["queue.job"].search_fetch(
            [("user_id", "=", self.env.uid), ("state", "in", ("enqueued", "started"))],
            ["name", "channel_method_name", "state", "date_started", "attempt"],
            order="id",
            limit=MINE_SHOWN + 1,
        )
        return {
            "alerts": alerts,
            "counts": self._counts(),
            "mine": [self._row(job) for job in jobs[:MINE_SHOWN]],
            "more": len(jobs) > MINE_SHOWN,
        }

    @api.model
    def _count_failed(self):
        """Return how many of the newest failed jobs have failed within the hour, and stay so."""
        jobs = self.env["queue.job"]
        newest = jobs._search([("state", "=", "failed")], order="id DESC", limit=FAILED_READ)
        since = fields.Datetime.now() - timedelta(hours=1)
        return jobs.search_count([("id", "in", newest), ("date_started", ">", since)])

    @api.model
    def _failing(self, failed):
        """Return the alert for failures, when they are too many."""
        if not failed or metrics.read_failure_rate(self.env.cr) < self._rate():
            return []
        more = "+" if failed >= FAILED_READ else ""
        message = _("Jobs that failed in the last hour: %s.", f"{failed}{more}")
        return [{"level": "warning", "message": message, "target": "failed"}]

    @api.model
    def _rate(self):
        """Return the percentage of failures from which there is an alert."""
        text = self.env["ir.config_parameter"].sudo().get_param(RATE_KEY)
        try:
            return float(text or RATE)
        except ValueError:
            return RATE

    @api.model
    def _counts(self):
        """Return figures of the whole queue, whatever the companies: how many, never which."""
        self.env["queue.job"].flush_model()
        waiting = sight.count_waiting(self.env.cr)
        return {
            "running": sum(sight.read_running(self.env.cr).values()),
            "waiting": waiting,
            "failed": self._count_failed(),
            "limit": sight.WAITING_LIMIT,
        }

    @api.model
    def _row(self, job):
        began = job.date_started if job.state == "started" else None
        return {
            "id": job.id,
            "name": job.name or job.channel_method_name or "",
            "running": job.state == "started",
            "seconds": round(seconds_between(began, self.env.cr.now()), 1),
            "progress": round(job.progress, 1),
            "progress_text": job.progress_text or "",
        }
