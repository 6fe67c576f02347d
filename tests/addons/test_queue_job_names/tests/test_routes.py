"""The routes of the community's addon."""

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.controllers.main import RunJobController


@tagged("post_install", "-at_install")
class TestRoutes(HttpCase):
    @mute_logger("odoo.http")
    def test_nobody_runs_a_job_by_its_uuid(self):
        for path in ("/queue_job/runjob?job_uuid=1", "/queue_job/session"):
            self.assertEqual(self.url_open(path).status_code, 404)

    @mute_logger("odoo.http")
    def test_no_jobs_for_trying_are_made_from_outside(self):
        self.authenticate("admin", "admin")
        self.assertEqual(self.url_open("/queue_job/create_test_job").status_code, 404)

    @mute_logger("odoo.http")
    def test_the_controller_runs_what_is_signed(self):
        self.assertTrue(hasattr(RunJobController, "run"))
        self.assertEqual(self.url_open("/queue_job/run", data=b"{}").status_code, 403)
