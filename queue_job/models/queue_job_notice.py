from datetime import timedelta

from odoo import _, api, fields, models

from ..roles import MANAGER

NOTICE_INTERVAL = timedelta(hours=1)
"""When many jobs of a function fail in the same way, their followers hear of one in so long."""

ERROR_LIMIT = 200
"""Characters that are told of what an exception says."""


class QueueJob(models.Model):
    """Telling people that a job has failed."""

    _inherit = "queue.job"

    date_notice = fields.Datetime("Failure Announced", readonly=True, index="btree_not_null")

    def _message_post_on_failure(self):
        """Tell the followers of jobs that they have failed, unless they just heard of others."""
        for job in self:
            if not job._is_announced():
                job._edit({"date_notice": fields.Datetime.now()})
                job._message_subscribe_on_failure()
                job._post_failure()

    def _is_announced(self):
        """Tell whether such a failure was announced lately."""
        since = fields.Datetime.now() - NOTICE_INTERVAL
        same = [
            ("date_notice", ">", since),
            ("channel_method_name", "=", self.channel_method_name),
            ("exc_name", "=", self.exc_name),
        ]
        return bool(self.sudo().search_count(same, limit=1))

    def _message_subscribe_on_failure(self):
        """Let those follow the job who should hear of its failure."""
        users = self.env["res.users"].sudo().search(self._subscribe_users_domain())
        self.message_subscribe(partner_ids=users.partner_id.ids)

    def _post_failure(self):
        self.message_post(
            body=self._message_failed_job(),
            subtype_xmlid="queue_job.mt_job_failed",
        )

    def _subscribe_users_domain(self):
        """Return a domain of the users who hear of a failure: managers and the job's own user."""
        group = self.env.ref(MANAGER, raise_if_not_found=False)
        if not group:
            return [("id", "=", False)]
        domain = [("all_group_ids", "in", group.ids)]
        companies = self.company_id
        if companies:
            domain.append(("company_id", "in", companies.ids))
        if self._subscribe_job_creator():
            domain = ["|", ("id", "in", self.user_id.ids), *(["&"] if companies else []), *domain]
        return domain

    @api.model
    def _subscribe_job_creator(self):
        """Tell whether the user of a job hears of its failure."""
        return True

    def _message_failed_job(self):
        """Return the text of the message."""
        self.ensure_one()
        name = self.name or self.channel_method_name or ""
        values = {"name": name, "uuid": self.uuid, "error": self._error_text()}
        if not values["error"]:
            return _("%(name)s failed (job %(uuid)s).", **values)
        return _("%(name)s failed with %(error)s (job %(uuid)s)", **values)

    def _error_text(self):
        """Return the exception in a line: its type, and what it says first."""
        kind = (self.exc_name or "").rpartition(".")[2]
        said = (self.exc_message or "").strip().partition("\n")[0][:ERROR_LIMIT]
        return ": ".join(filter(None, (kind, said)))

    @api.model
    def _needaction_domain_get(self):
        """Return the jobs that need somebody."""
        return [("state", "=", "failed")]
