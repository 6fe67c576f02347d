import os
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.modules.neutralize import neutralize_database
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.queue_job.core.explain import Explanation, Reason
from odoo.addons.queue_job.core.hold import Hold
from odoo.addons.queue_job.storage import home


# While modules are being installed, that is what holds the database.
@tagged("post_install", "-at_install")
class TestHealth(TransactionCase):
    """Why nothing runs, where a test database has no runner."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.env["test.queue.job"].create({"name": "target"})
        cls.health = cls.env["queue.job.health"]

    def job(self, **options):
        return self.record.noop.delay(**options).db_record()

    def test_no_runner_is_said_on_the_job(self):
        self.assertIn("No runner is connected", self.job().explain())

    def test_a_countdown_is_said_as_people_say_it(self):
        for seconds, text in (
            (0.2, "1 s"),
            (59, "59 s"),
            (573, "9 min 33 s"),
            (7200, "2 h"),
            (100_000, "1 d 3 h"),
        ):
            found = Explanation(Reason.ETA, number=seconds)
            said = self.env["queue.job"]._sentence(found).replace("\xa0", " ")
            self.assertEqual(said, f"It starts in {text}.")

    def test_a_retry_is_said_with_its_number(self):
        found = Explanation(Reason.RETRY, number=2, limit=1)
        said = self.env["queue.job"]._sentence(found)
        self.assertEqual(said, "It is tried again in 2 s, as try 2.")

    def test_the_form_shows_the_reason_of_a_waiting_job_only(self):
        job = self.job()
        self.assertIn("No runner", job.wait_reason)
        job.button_done()
        self.assertFalse(job.wait_reason)

    def test_the_self_test_names_what_stops_everything_and_the_line_to_add(self):
        found = self.health.self_test()
        self.assertEqual(found[0]["problem"], "no_runner")
        self.assertIn("--load=base,rpc,web,queue_job", found[0]["remedy"])
        self.assertTrue(all(finding["message"] and finding["remedy"] for finding in found))
        self.assertEqual(self.health.banner(), [one for one in found if one["stops"]])

    def test_a_database_lives_where_it_was_installed(self):
        self.assertIsNone(home.read_hold(self.env.cr))

    def test_a_neutralised_database_is_held_until_it_is_released(self):
        neutralize_database(self.env.cr)
        self.assertEqual(home.read_hold(self.env.cr), Hold.NEUTRALIZED)
        self.health.release()
        self.env.flush_all()
        self.assertIsNone(home.read_hold(self.env.cr))

    def test_a_copy_is_held(self):
        self.env["ir.config_parameter"].set_param(home.KEY, "1/1")
        self.env.flush_all()
        self.assertEqual(home.read_hold(self.env.cr), Hold.COPIED)

    def test_the_dialog_shows_what_was_found(self):
        action = self.env["queue.job"].action_self_test()
        test = self.env[action["res_model"]].browse(action["res_id"])
        self.assertIn("no runner is connected", test.report)
        self.assertFalse(test.can_release)

    def test_a_misspelt_setting_is_found_with_what_was_meant(self):
        with patch.dict(os.environ, {"ODOO_QUEUE_JOB_CHANNEL": "root:4"}):
            (found,) = (
                one for one in self.health.self_test() if one["problem"] == "unknown_setting"
            )
        self.assertIn("ODOO_QUEUE_JOB_CHANNEL.", found["message"])
        self.assertIn("ODOO_QUEUE_JOB_CHANNELS", found["remedy"])

    def test_only_a_manager_may_look_and_release(self):
        user = new_test_user(self.env, "no manager", groups="base.group_user")
        for method in ("self_test", "release", "banner"):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(self.health.with_user(user), method)()
