from odoo.tests import HttpCase

from .common import JobCase


class TestScreens(HttpCase, JobCase):
    def test_tour_through_list_form_and_requeue(self):
        job = self.record.fail.delay("the reason", description="A job that failed")
        record = self.put(
            job,
            state="failed",
            retry=1,
            exc_name="odoo.exceptions.UserError",
            exc_message="the reason",
            exc_info="Traceback (most recent call last):\n  the reason",
        )
        self.start_tour("/odoo/queue-jobs", "queue_job_requeue", login="queue-manager")
        record.invalidate_recordset()
        self.assertEqual(record.state, "pending")
        self.assertFalse(record.exc_name)

    def test_tour_through_the_banner_and_the_self_test(self):
        """Without a runner, as in tests, nothing would run: the list says so, and what to add."""
        self.record.noop.delay()
        self.start_tour("/odoo/queue-jobs", "queue_job_self_test", login="queue-manager")

    def test_every_view_opens(self):
        self.record.noop.delay()
        models = ("queue.job", "queue.job.channel", "queue.job.function", "queue.job.node")
        wizards = ("queue.job.self.test", "queue.job.failure.mute")
        for model in (*models, "queue.job.failure", *wizards):
            views = self.env["ir.ui.view"].search([("model", "=", model)])
            self.assertTrue(views)
            for view in views:
                with self.subTest(view=view.name):
                    self.env[model].with_user(self.manager).get_view(view.id, view.type)

    def test_actions_on_a_selection(self):
        jobs = self.env["queue.job"]
        for _number in range(3):
            jobs += self.put(self.record.noop.delay(), state="failed")
        for name, button, state in (
            ("action_requeue_job", "requeue", "pending"),
            ("action_set_jobs_cancelled", "set_cancelled", "cancelled"),
            ("action_requeue_job", "requeue", "pending"),
            ("action_set_jobs_done", "set_done", "done"),
        ):
            model = self.env.ref(f"queue_job.{name}").res_model
            selection = {"active_model": "queue.job", "active_ids": jobs.ids}
            wizard = self.env[model].with_user(self.manager).with_context(**selection).create({})
            self.assertEqual(wizard.job_ids, jobs)
            getattr(wizard, button)()
            jobs.invalidate_recordset()
            self.assertEqual(set(jobs.mapped("state")), {state})
