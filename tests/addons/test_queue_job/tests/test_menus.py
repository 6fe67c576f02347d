from odoo.tests import HttpCase, new_test_user, tagged

from .common import JobCase

APP = "queue_job.menu_queue_job_root"

CLICK_EVERYWHERE = (
    "odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
    f".startClickEverywhere('{APP}')"
)
"""Odoo's own robot: it opens every menu of an app, every view and every filter."""

SUCCEEDED = "clickbot test succeeded"

TIMEOUT = 500
"""Seconds; ten times what it takes."""


@tagged("post_install", "-at_install")
class TestMenus(HttpCase, JobCase):
    """Nothing that a role can reach from the menus ends in an error."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.roles = {
            role: new_test_user(
                cls.env,
                f"menus-{role}",
                groups=f"base.group_user,queue_job.group_queue_job_{role}",
            )
            for role in ("viewer", "operator", "manager")
        }

    def click_everywhere(self, role):
        user = self.roles[role]
        record = self.record.with_user(user)
        for state in ("pending", "done", "failed", "cancelled"):
            self.put(record.noop.delay(description=f"A job that is {state}"), state=state)
        record.noop.delay(eta=3600)
        self.browser_js(
            "/odoo",
            CLICK_EVERYWHERE,
            "odoo.isReady === true",
            login=user.login,
            timeout=TIMEOUT,
            success_signal=SUCCEEDED,
        )

    def test_menus_of_a_viewer(self):
        self.click_everywhere("viewer")

    def test_menus_of_an_operator(self):
        self.click_everywhere("operator")

    def test_menus_of_a_manager(self):
        self.click_everywhere("manager")
