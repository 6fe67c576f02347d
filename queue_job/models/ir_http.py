from odoo import models

ROLES = ("manager", "operator", "viewer")
"""From the one that implies all others."""


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Tell the browser the user's role, so that it asks nothing for those who have none."""
        info = super().session_info()
        role = next((role for role in ROLES if self._has_queue_role(role)), False)
        if role:
            info["queue_job_role"] = role
        return info

    def _has_queue_role(self, role):
        return self.env.user.has_group(f"queue_job.group_queue_job_{role}")
