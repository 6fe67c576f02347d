from odoo import SUPERUSER_ID, api, models

from ..core.states import JobState
from ..roles import VIEWER

SECONDS_KEY = "queue_job.notice_seconds"
"""Parameter: run time from which the user of a job hears of its end; 0 is never."""

SECONDS = 60.0
"""The same, where nothing else was set: longer than anybody watches a screen for."""

TOPIC = "queue_job.ended"
"""Type of the message on the bus."""


class QueueJob(models.Model):
    """Telling whoever asked for a long job that it has ended."""

    _inherit = "queue.job"

    def _tell_requester(self, seconds):
        """Send a message to the user of a job that ran for long, if there is somebody to read it.

        :param float seconds: how long it ran
        :return: whether a message was sent
        """
        self.ensure_one()
        least = self._notice_seconds()
        if not least or seconds < least:
            return False
        user = self.user_id
        if user.id == SUPERUSER_ID or not user.active or user.share:
            return False
        user._bus_send(TOPIC, self._notice(user, seconds))
        return True

    @api.model
    def _notice_seconds(self):
        """Return the run time from which the end of a job is told; 0 for never."""
        text = self.env["ir.config_parameter"].sudo().get_param(SECONDS_KEY)
        try:
            return SECONDS if text is False else max(0.0, float(text))
        except ValueError:
            return SECONDS

    def _notice(self, user, seconds):
        """Return the message; the browser says it in the language of its user."""
        own = self.with_user(user)
        return {
            "name": self.name or self.channel_method_name or self.uuid,
            "failed": self.state == JobState.FAILED,
            "seconds": round(seconds, 1),
            "job": self.id if user.has_group(VIEWER) else False,
            "record": own._single_record(),
        }

    def _single_record(self):
        """Return model and id of the record that the job ran on, if the user may see it."""
        records = self.sudo()._target_records().with_env(self.env)
        if len(records) != 1 or not records._filtered_access("read"):
            return False
        return {"model": records._name, "id": records.id}
