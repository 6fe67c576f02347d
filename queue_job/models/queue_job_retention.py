from odoo import api, models

from ..core.channels import ancestors
from ..storage import retention, stops

RETENTION_BATCH = 10_000
"""Finished jobs deleted per transaction of Odoo's autovacuum: about a tenth of a second."""


class QueueJob(models.Model):
    """How long what has ended is kept."""

    _inherit = "queue.job"

    @api.autovacuum
    def _gc_stops(self):
        """Forget what jobs were asked to stop for that had ended by then."""
        stops.forget_old(self.env.cr)

    @api.autovacuum
    def _gc_old_jobs(self):
        """Delete finished jobs after the retention of their channel.

        :return: how many went, and whether there may be more; Odoo calls again in that case
        """
        days = self._retention_days()
        gone = 0
        for channel in retention.finished_channels(self.env.cr):
            kept = next((days[name] for name in ancestors(channel) if name in days), None)
            gone += retention.delete_finished(
                self.env.cr,
                channel,
                self._removal_interval if kept is None else kept,
                RETENTION_BATCH - gone,
            )
            if gone >= RETENTION_BATCH:
                return gone, 1
        return gone, 0

    @api.model
    def _retention_days(self):
        """Return the retention of each channel that has a record, by full name."""
        channels = self.env["queue.job.channel"].sudo().search([])
        return {channel.complete_name: channel.removal_interval for channel in channels}
