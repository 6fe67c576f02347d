from odoo import _, models
from odoo.exceptions import UserError
from odoo.service.model import get_public_method

from ..core.codec import ArgumentError
from ..fields import decode_records
from ..job import Job
from ..session import ConnectorSession


class QueueJob(models.Model):
    """What *Related Record* opens."""

    _inherit = "queue.job"
    _default_related_action = "related_action_open_record"

    def open_related_action(self):
        """Open what the job is about.

        :raises UserError: when its function has none, or the records are gone
        """
        action = self._related_action()
        if not action:
            raise UserError(_("No action available for this job"))
        return action

    def _related_action(self):
        """Return the action of the job's function, or nothing."""
        self.ensure_one()
        self.check_access("read")
        config = self.env["queue.job.function"].job_config(self.channel_method_name)
        if not config.related_action_enable:
            return None
        chosen = config.related_action_func_name or self._default_related_action
        if callable(chosen):
            return chosen(ConnectorSession.from_env(self.env), Job.load(self.env, self.uuid))
        if not chosen.startswith("_related_action"):
            # A manager may type the name: only what they may call anyway.
            get_public_method(self, chosen)
        return getattr(self, chosen)(**config.related_action_kwargs)

    def related_action_open_record(self):
        """Open the records that the job runs on: a form, or a list for several."""
        self.ensure_one()
        records = self._target_records()
        if not records:
            return None
        action = {
            "type": "ir.actions.act_window",
            "name": _("Related Record"),
            "res_model": records._name,
            "view_mode": "form",
            "res_id": records.id if len(records) == 1 else False,
        }
        if len(records) > 1:
            several = {
                "name": _("Related Records"),
                "view_mode": "list,form",
                "domain": [("id", "in", records.ids)],
            }
            action.update(several)
        return action

    def _target_records(self):
        """Return the records the job runs on, as the current user, as far as they exist."""
        try:
            records = decode_records(self._stored("records"), self.sudo().env)
        except (KeyError, ArgumentError):
            return self.browse()
        if records._abstract:
            return self.browse()
        return records.with_env(self.env).exists()
