from odoo import Command, _, api, fields, models
from odoo.exceptions import ValidationError

from ..roles import MANAGER, OPERATOR
from .queue_job_requester import SECONDS, SECONDS_KEY
from .queue_job_target import MODELS_KEY
from .queue_job_tray import RATE, RATE_KEY

WAITING_KEY = "queue_job.target_waiting"
"""Parameter: seconds that a job may be ready before the dashboard says so."""

WAITING = 300.0

RESPONSIBLE_KEY = "queue_job.failure_responsible_id"
"""Parameter: id of the user who gets an activity for a failure that is new."""

FIELDS = (
    "queue_job_retention",
    "queue_job_responsible_id",
    "queue_job_target_waiting",
    "queue_job_target_failure_rate",
    "queue_job_notice_seconds",
    "queue_job_button_model_ids",
)
"""What is the queue's."""


class ResConfigSettings(models.TransientModel):
    """The settings of the queue that can be changed while it runs; managers of the queue may."""

    _inherit = "res.config.settings"

    queue_job_retention = fields.Integer(
        "Keep Finished Jobs (days)",
        groups=MANAGER,
        help="Jobs that are done or cancelled are deleted after so many days, unless their channel "
        "says otherwise.",
    )
    queue_job_responsible_id = fields.Many2one(
        "res.users",
        "Responsible for Failures",
        groups=MANAGER,
        domain=lambda self: self._domain_of_operators(),
        help="Gets an activity when jobs fail in a way that was not seen before.",
    )
    queue_job_target_waiting = fields.Float(
        "Longest Wait (s)",
        groups=MANAGER,
        help="The dashboard warns when a job has been ready for longer than this.",
    )
    queue_job_target_failure_rate = fields.Float(
        "Failures (%)",
        groups=MANAGER,
        help="The systray warns when more of the jobs of the last hour failed; 0 warns of any.",
    )
    queue_job_notice_seconds = fields.Float(
        "Tell of Jobs Longer than (s)",
        groups=MANAGER,
        help="Whoever asked for a job that ran longer is told when it has ended; 0 tells nobody.",
    )
    queue_job_button_model_ids = fields.Many2many(
        "ir.model",
        string="Show Jobs on",
        groups=MANAGER,
        domain=[("transient", "=", False), ("abstract", "=", False)],
        help="The forms of these models get a button that opens the jobs of the record. Each job "
        "of them is kept in one more index, which makes storing and running it a little slower.",
    )

    @api.model
    def _domain_of_operators(self):
        group = self.env.ref(OPERATOR, raise_if_not_found=False)
        return [("all_group_ids", "in", group.ids), ("share", "=", False)] if group else []

    @api.model
    def get_values(self):
        """Return what is in force; nothing of the queue for those who may not manage it."""
        values = super().get_values()
        if self._may_manage_queue():
            values.update(self._queue_values())
        return values

    @api.model
    def _may_manage_queue(self):
        return self.env.su or self.env.user.has_group(MANAGER)

    @api.model
    def _queue_values(self):
        names = self.env["queue.job"]._button_models()
        responsible = self.env["res.users"].browse(self._queue_number(RESPONSIBLE_KEY, 0, int))
        return {
            "queue_job_retention": self._root_channel().removal_interval,
            "queue_job_responsible_id": responsible.exists().id,
            "queue_job_target_waiting": self._queue_number(WAITING_KEY, WAITING),
            "queue_job_target_failure_rate": self._queue_number(RATE_KEY, RATE),
            "queue_job_notice_seconds": self._queue_number(SECONDS_KEY, SECONDS),
            "queue_job_button_model_ids": [Command.set(self._models_named(names).ids)],
        }

    @api.model
    def _queue_number(self, key, default, kind=float):
        """Return a parameter as a number, the default when it is none."""
        text = self.env["ir.config_parameter"].sudo().get_param(key)
        try:
            return default if text is False else kind(text)
        except ValueError:
            return default

    @api.model
    def _models_named(self, names):
        return self.env["ir.model"].sudo().search([("model", "in", list(names))])

    @api.model
    def _root_channel(self):
        return self.env.ref("queue_job.channel_root")

    @api.constrains(*FIELDS)
    def _check_queue_numbers(self):
        """Refuse what would not make sense before anything is stored."""
        for settings in self if self._may_manage_queue() else ():
            percent = settings.queue_job_target_failure_rate
            if not 0 <= percent <= 100:
                raise ValidationError(_("Failures are a percentage, from 0 to 100."))
            if settings.queue_job_target_waiting < 0 or settings.queue_job_notice_seconds < 0:
                raise ValidationError(_("A number of seconds is not negative."))

    def set_values(self):
        """Store what is the queue's, if a manager of the queue asks for it."""
        super().set_values()
        # Of no record every value is none: whoever calls this by itself must not set them to that.
        if self and self.env.is_admin() and self._may_manage_queue():
            self._store_queue_values()

    def _store_queue_values(self):
        root = self._root_channel()
        if root.removal_interval != self.queue_job_retention:
            root.removal_interval = self.queue_job_retention
        names = sorted(self.queue_job_button_model_ids.mapped("model"))
        values = {
            RESPONSIBLE_KEY: self.queue_job_responsible_id.id or False,
            WAITING_KEY: self.queue_job_target_waiting,
            RATE_KEY: self.queue_job_target_failure_rate,
            SECONDS_KEY: self.queue_job_notice_seconds,
            MODELS_KEY: ",".join(names) or False,
        }
        parameters = self.env["ir.config_parameter"].sudo()
        for key, value in values.items():
            text = str(value) if value is not False else False
            if text != parameters.get_param(key):
                parameters.set_param(key, text)
