from odoo import _, api, models
from odoo.exceptions import UserError


class QueueJobReferred(models.AbstractModel):
    """What jobs refer to without a foreign key: it stays as long as they do."""

    _name = "queue.job.referred"
    _description = "Referred to by Jobs"

    _job_field = None

    # When an addon is uninstalled as well: Odoo keeps what cannot be deleted.
    @api.ondelete(at_uninstall=True)
    def _unlink_except_of_jobs(self):
        jobs = self.env["queue.job"].sudo().search([(self._job_field, "in", self.ids)], limit=1)
        if jobs:
            raise UserError(
                _(
                    "%(name)s cannot be deleted: there are jobs of it, such as %(job)s. Archive it "
                    "instead, or delete the jobs first.",
                    name=jobs[self._job_field].display_name,
                    job=jobs.uuid,
                )
            )


class ResUsers(models.Model):
    _name = "res.users"
    _inherit = ("res.users", "queue.job.referred")
    _job_field = "user_id"


class ResCompany(models.Model):
    _name = "res.company"
    _inherit = ("res.company", "queue.job.referred")
    _job_field = "company_id"


class QueueJobFunction(models.Model):
    _name = "queue.job.function"
    _inherit = ("queue.job.function", "queue.job.referred")
    _job_field = "job_function_id"
