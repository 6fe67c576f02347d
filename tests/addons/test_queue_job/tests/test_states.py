from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.queue_job.job import CANCELLED, DONE, FAILED, PENDING, STATES

from .common import JobCase


class TestStates(JobCase):
    def reach(self, action):
        """Return, by state, where an action leads a job that stands there."""
        found = {}
        for state, _label in STATES:
            record = self.put(self.record.noop.delay(), state=state)
            try:
                getattr(record.with_user(self.manager), action)()
            except UserError:
                found[state] = "refused"
            else:
                record.invalidate_recordset()
                found[state] = record.state
        return {state: found[state] for state in found if found[state] != state}

    def test_requeue(self):
        self.assertEqual(
            self.reach("requeue"), {"done": PENDING, "cancelled": PENDING, "failed": PENDING}
        )

    def test_set_done(self):
        self.assertEqual(
            self.reach("button_done"),
            dict.fromkeys(("wait_dependencies", "pending", "enqueued", "failed"), DONE),
        )

    def test_cancel(self):
        self.assertEqual(
            self.reach("button_cancelled"),
            dict.fromkeys(("wait_dependencies", "pending", "enqueued", "failed"), CANCELLED),
        )

    def test_requeue_forgets_the_last_run(self):
        record = self.put(
            self.record.noop.delay(),
            state=FAILED,
            retry=5,
            lost=3,
            exc_name="Boom",
            exc_info="Traceback",
            exc_message="boom",
        )
        record.with_user(self.manager).requeue()
        self.assertEqual((record.retry, record.lost), (0, 0))
        self.assertFalse(record.exc_name or record.exc_info or record.exc_message)

    def test_requeue_of_a_selection_passes_over_what_waits(self):
        failed = self.put(self.record.noop.delay(), state=FAILED)
        waiting = self.stored(self.record.noop.delay())
        (failed + waiting).with_user(self.manager).requeue()
        self.assertEqual(set((failed + waiting).mapped("state")), {PENDING})

    def test_call_and_state_cannot_be_written(self):
        record = self.stored(self.record.noop.delay())
        for field, value in (
            ("method_name", "unlink"),
            ("model_name", "res.users"),
            ("args", [1]),
            ("kwargs", {"a": 1}),
            ("records", {"_type": "odoo_recordset", "model": "res.users", "ids": [2]}),
            ("user_id", 2),
            ("company_id", False),
            ("state", "done"),
            ("attempt", 7),
            ("uuid", "other"),
            ("channel_method_name", "<res.users>.unlink"),
        ):
            with self.subTest(field=field), self.assertRaisesRegex(AccessError, field):
                record.with_user(self.manager).write({field: value})
            with self.subTest(field=field), self.assertRaises(AccessError):
                record.with_user(self.manager).with_context(_job_edit_sentinel=True).write(
                    {field: value}
                )

    def test_what_an_operator_may_write(self):
        record = self.stored(self.record.noop.delay()).with_user(self.manager)
        record.write({"priority": 1, "channel": "csv", "max_retries": 0})
        self.assertEqual((record.priority, record.channel), (1, "root.csv"))
        with self.assertRaises(ValidationError):
            record.channel = "a b"

    def test_a_running_job_is_not_written(self):
        record = self.put(self.record.noop.delay(), state="started")
        with self.assertRaises(UserError):
            record.with_user(self.manager).priority = 1

    def test_eta_on_the_screen_schedules(self):
        record = self.stored(self.record.noop.delay()).with_user(self.manager)
        record.eta = "2099-01-01 00:00:00"
        self.env.flush_all()
        record.invalidate_recordset()
        self.assertTrue(record.scheduled)
        record.eta = False
        self.env.flush_all()
        record.invalidate_recordset()
        self.assertFalse(record.scheduled)

    def test_related_action(self):
        action = self.stored(self.record.noop.delay()).open_related_action()
        self.assertEqual(action["res_model"], "test.queue.job")
        self.assertEqual(action["res_id"], self.record.id)
        gone = self.env["test.queue.job"].create({})
        job = gone.noop.delay()
        gone.unlink()
        with self.assertRaises(UserError):
            self.stored(job).open_related_action()

    def test_arguments_are_shown_even_when_they_cannot_be_read(self):
        record = self.put(self.record.noop.delay(), kwargs='{"a": {"_type": "unheard of"}}')
        self.assertIn("unheard of", record.arguments)
