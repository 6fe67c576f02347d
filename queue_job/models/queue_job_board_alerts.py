from odoo import _, api, models
from odoo.tools.translate import LazyTranslate

from ..core.alerts import LONG_SECONDS, TARGET_SECONDS, AlertKind, Facts, alerts, long_running
from ..core.present import RunningNow
from ..durations import duration_text
from ..storage import pulse
from .queue_job_board import seconds_of

TARGET_KEY = "queue_job.target_waiting"
"""Parameter: seconds that a job may be ready before the dashboard says so."""

_lt = LazyTranslate(__name__)

MESSAGES = {
    AlertKind.STUCK: _lt(
        "%(number)s jobs of the channel %(subject)s are ready and none runs, though it is not full."
    ),
    AlertKind.OLDEST: _lt(
        "The oldest job of the channel %(subject)s has been ready for %(long)s; it should start "
        "within %(wanted)s."
    ),
    AlertKind.FAILURES: _lt(
        "%(percent)s %% of the jobs of the last quarter of an hour failed; %(usual)s %% are usual."
    ),
    AlertKind.LONG: _lt(
        "Jobs that run five times as long as nearly all of their kind: %(limit)s. The longest is "
        "%(subject)s, for %(long)s."
    ),
}


class QueueJobBoard(models.AbstractModel):
    """What somebody should look at: in sentences, each with a list of what it is about."""

    _inherit = "queue.job.board"

    @api.model
    def _alerts(self, present, running):
        """Return what somebody should do something about, each with where to."""
        stopping = self.env["queue.job.health"].banner()
        found = alerts(
            Facts(
                stopped=bool(stopping),
                channels=tuple(present["channels"]),
                slots=present["slots"],
                recent=present["recent"],
                long=self._long_running(running, present["now"]),
                target=self._target(),
            )
        )
        return [
            *(self._stopping_alert(finding) for finding in stopping),
            *(self._alert(alert) for alert in found),
        ]

    @api.model
    def _long_running(self, running, now):
        facts = [
            RunningNow(job.id, job.channel_method_name or "", seconds_of(job, now))
            for job in running
        ]
        names = {job.function for job in facts if job.seconds > LONG_SECONDS}
        return long_running(facts, pulse.read_runs(self.env.cr, names) if names else {})

    @api.model
    def _target(self):
        """Return for how many seconds a job may be ready."""
        text = self.env["ir.config_parameter"].sudo().get_param(TARGET_KEY)
        try:
            return float(text or TARGET_SECONDS)
        except ValueError:
            return TARGET_SECONDS

    @api.model
    def _stopping_alert(self, finding):
        return {
            "kind": finding["problem"],
            "level": "danger",
            "message": finding["message"],
            "remedy": finding["remedy"],
            "action": "queue_job.action_queue_job_node",
        }

    @api.model
    def _alert(self, alert):
        values = {
            "long": duration_text(self.env, alert.number),
            "wanted": duration_text(self.env, alert.limit),
            "subject": alert.subject,
            "number": round(alert.number),
            "limit": round(alert.limit),
            "percent": round(100 * alert.number),
            "usual": round(100 * alert.limit),
        }
        message = self.env._(MESSAGES[alert.kind]) % values
        return {
            "kind": alert.kind.value,
            "level": "warning",
            "message": message,
            "remedy": "",
            "action": self._list(_("Jobs"), self._alert_domain(alert)),
        }

    @api.model
    def _alert_domain(self, alert):
        ready = [("state", "=", "pending"), ("scheduled", "=", False)]
        return {
            AlertKind.STUCK: [*ready, ("channel", "=", alert.subject)],
            AlertKind.OLDEST: [*ready, ("channel", "=", alert.subject)],
            AlertKind.FAILURES: [("state", "=", "failed")],
            AlertKind.LONG: [("id", "in", list(alert.ids))],
        }[alert.kind]
