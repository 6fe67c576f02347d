from odoo import fields, models


class QueueRequeueJob(models.TransientModel):
    _name = "queue.requeue.job"
    _description = "Requeue Jobs"

    def _default_job_ids(self):
        if self.env.context.get("active_model") != "queue.job":
            return False
        return self.env.context.get("active_ids") or False

    job_ids = fields.Many2many("queue.job", string="Jobs", default=lambda r: r._default_job_ids())

    def requeue(self):
        """Requeue the jobs of the selection that have ended."""
        self.job_ids.requeue()
        return {"type": "ir.actions.act_window_close"}


class QueueJobsToDone(models.TransientModel):
    _name = "queue.jobs.to.done"
    _inherit = "queue.requeue.job"
    _description = "Set Jobs to Done"

    def set_done(self):
        """Set the jobs of the selection to done that are not."""
        self.job_ids.button_done()
        return {"type": "ir.actions.act_window_close"}


class QueueJobsToCancelled(models.TransientModel):
    _name = "queue.jobs.to.cancelled"
    _inherit = "queue.requeue.job"
    _description = "Cancel Jobs"

    def set_cancelled(self):
        """Cancel the jobs of the selection that have not run."""
        self.job_ids.button_cancelled()
        return {"type": "ir.actions.act_window_close"}
