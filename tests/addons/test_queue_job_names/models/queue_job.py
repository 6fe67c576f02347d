from odoo import fields, models

from odoo.addons.queue_job.models.queue_job import QueueJob as Original


class QueueJob(models.Model):
    """What other addons add to jobs; none of it changes those of anybody else."""

    _inherit = "queue.job"
    _protected_fields = (*Original._protected_fields, "names_source")

    names_info = fields.Char()
    names_source = fields.Char()
    names_told = fields.Boolean(readonly=True)

    def _message_post_on_failure(self):
        """Note whose failure was told."""
        result = super()._message_post_on_failure()
        for job in self.filtered("job_function_id.names_notify"):
            job.names_told = True
        return result

    def _subscribe_users_domain(self):
        """Leave out those who do not want to hear of it."""
        return [*super()._subscribe_users_domain(), ("names_subscribe", "=", True)]

    def related_action_names(self, name):
        """Open the records of the job under another name."""
        self.ensure_one()
        return {"type": "ir.actions.act_window", "name": name, "res_model": self.model_name}
