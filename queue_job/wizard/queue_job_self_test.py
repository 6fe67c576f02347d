from markupsafe import Markup

from odoo import _, api, fields, models


class QueueJobSelfTest(models.TransientModel):
    """What the self-test found, to be read."""

    _name = "queue.job.self.test"
    _description = "Job Queue Self-Test"

    report = fields.Html(compute="_compute_report")
    can_release = fields.Boolean(compute="_compute_report")

    @api.depends_context("uid")
    def _compute_report(self):
        found = self.env["queue.job.health"].self_test()
        for test in self:
            test.report = self._render(found)
            test.can_release = any(one["releasable"] for one in found)

    def _render(self, found):
        if not found:
            return Markup('<div class="alert alert-success">%s</div>') % _("All is well.")
        line = Markup('<div class="alert alert-%s"><strong>%s</strong><br/>%s</div>')
        return Markup().join(
            line % ("danger" if one["stops"] else "warning", one["message"], one["remedy"])
            for one in found
        )

    def release(self):
        """Let the jobs of this database run here."""
        self.env["queue.job.health"].release()
        return self.env["queue.job"].action_self_test()
