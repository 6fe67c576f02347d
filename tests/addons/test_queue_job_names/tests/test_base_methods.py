"""What every model has."""

import os
from unittest.mock import patch

from odoo.addons.queue_job.delay import Delayable, DelayableRecordset
from odoo.addons.queue_job.job import Job
from odoo.addons.queue_job.utils import must_run_without_delay

from .common import NamesCase

OPTIONS = {
    "priority": 3,
    "eta": 60,
    "max_retries": 2,
    "description": "Told so",
    "channel": "root.names",
    "identity_key": "one",
}


class TestWithDelay(NamesCase):
    def test_with_delay_stores_at_once_and_returns_the_job(self):
        delayed = self.record.with_delay(**OPTIONS)
        self.assertIsInstance(delayed, DelayableRecordset)
        job = delayed.do(1, two=2)
        self.assertIsInstance(job, Job)
        record = self.stored(job)
        self.assertEqual((record.args, record.kwargs), ((1,), {"two": 2}))
        self.assertEqual((record.priority, record.max_retries), (3, 2))
        self.assertEqual((record.name, record.channel), ("Told so", "root.names"))
        self.assertEqual(record.identity_key, "one")
        self.assertTrue(record.eta)

    def test_with_delay_takes_options_by_place(self):
        job = self.record.with_delay(3, None, 2, "Told so", "root.names", "one").do()
        record = self.stored(job)
        self.assertEqual((record.priority, record.max_retries), (3, 2))
        self.assertEqual((record.name, record.identity_key), ("Told so", "one"))

    def test_a_method_needs_no_decorator(self):
        self.assertEqual(self.stored(self.record.with_delay().undocumented()).state, "pending")

    def test_a_field_is_no_method(self):
        for records in (self.record.with_delay(), self.record.delayable()):
            with self.assertRaises(AttributeError):
                _ = records.name

    def test_description_is_the_first_line_of_the_docstring(self):
        self.assertEqual(self.record.with_delay().do().description, "Do something")
        self.assertEqual(
            self.record.with_delay().undocumented().description,
            "test.queue.job.names.undocumented",
        )

    def test_delayable_stores_when_delayed(self):
        call = self.record.delayable(**OPTIONS).do(1)
        self.assertIsInstance(call, Delayable)
        self.assertFalse(self.env["queue.job"].search([("identity_key", "=", "one")]))
        call.delay()
        self.assertEqual(self.stored(call._generated_job).name, "Told so")

    def test_a_duplicate_identity_returns_the_waiting_job(self):
        first = self.record.with_delay(identity_key="one").do()
        second = self.record.with_delay(identity_key="one").do()
        self.assertEqual(first, second)
        self.assertIsInstance(second, Job)
        self.assertEqual(len(self.env["queue.job"].search([("identity_key", "=", "one")])), 1)


class TestAutoDelay(NamesCase):
    def jobs(self):
        return self.env["queue.job"].search([("model_name", "=", self.record._name)])

    def test_the_method_delays_itself(self):
        job = self.record.post_by_itself(4)
        self.assertIsInstance(job, Job)
        self.assertEqual(self.record.value, 0)
        record = self.stored(job)
        self.assertEqual((record.method_name, record.args), ("post_by_itself", (4,)))

    def test_options_come_from_the_method_beside_it(self):
        record = self.stored(self.record.post_by_itself(4))
        self.assertEqual((record.priority, record.name), (3, "Posted 4"))
        self.assertEqual(record.identity_key, "post-4")

    def test_context_key_asks_for_it(self):
        self.assertEqual(self.record.post_when_asked(4), 4)
        self.assertFalse(self.jobs())
        self.record.with_context(names_in_background=True).post_when_asked(5)
        self.assertEqual(self.record.value, 4)
        self.assertEqual(self.jobs().args, (5,))

    def test_it_runs_at_once_inside_of_a_job(self):
        job = self.record.post_by_itself(4)
        self.assertEqual(Job.load(self.env, job.uuid).perform(), 4)
        self.assertEqual(self.record.value, 4)

    def test_it_runs_at_once_where_nothing_is_delayed(self):
        self.assertEqual(self.record.with_context(queue_job__no_delay=True).post_by_itself(4), 4)

    def test_origin_is_the_method_as_it_was(self):
        origin = type(self.record).post_by_itself.origin
        self.assertEqual(origin(self.record, 6), 6)
        self.assertEqual(type(self.record).post_by_itself.__doc__, "Delay itself")


class TestNoDelay(NamesCase):
    def test_environment_variable(self):
        self.assertFalse(must_run_without_delay(self.env))
        with patch.dict(os.environ, {"QUEUE_JOB__NO_DELAY": "1"}):
            with self.assertLogs("odoo.addons.queue_job", "WARNING"):
                self.assertTrue(must_run_without_delay(self.env))
            self.record.with_delay().do()
        self.assertEqual(self.record.value, 1)

    def test_context_key(self):
        job = self.record.with_context(queue_job__no_delay=True).with_delay().do(1)
        self.assertEqual(self.record.value, 1)
        self.assertFalse(self.stored(job))
        self.assertEqual((job.result, job.retry, job.state), (((1,), {}), 1, "pending"))


class TestHooks(NamesCase):
    def test_the_special_hook_wins(self):
        record = self.stored(self.record.with_delay().do())
        self.assertEqual(record.names_info, "special do")

    def test_the_general_hook_holds_for_the_rest(self):
        record = self.stored(self.record.with_delay().do())
        self.assertEqual(record.names_source, "test.queue.job.names")
        record = self.stored(self.record.with_delay().undocumented())
        self.assertEqual(record.names_info, "general")

    def test_hooks_do_not_change_what_the_queue_stores(self):
        model = type(self.record)
        self.patch(model, "_job_store_values", lambda *_args: {"uuid": "mine", "state": "done"})
        record = self.stored(self.record.with_delay().undocumented())
        self.assertNotEqual(record.uuid, "mine")
        self.assertEqual(record.state, "pending")

    def test_the_context_is_kept_by_its_keys(self):
        keys = self.env["res.partner"]._job_prepare_context_before_enqueue_keys()
        self.assertEqual(
            keys, ("tz", "lang", "allowed_company_ids", "force_company", "active_test")
        )
        record = self.record.with_context(
            tz="Europe/Paris", lang="en_US", active_test=False, names_kept=1, other=2
        )
        kept = record._job_prepare_context_before_enqueue()
        self.assertEqual(
            kept, {"tz": "Europe/Paris", "lang": "en_US", "active_test": False, "names_kept": 1}
        )

    def test_the_context_is_kept_in_arguments_as_well(self):
        argument = self.env["res.partner"].with_context(tz="Europe/Paris", other=2)
        job = self.record.with_context(names_kept=1, other=2).with_delay().do(argument)
        loaded = Job.load(self.env, job.uuid)
        self.assertEqual(loaded.recordset.env.context, {"names_kept": 1})
        self.assertEqual(loaded.args[0].env.context, {"tz": "Europe/Paris"})

    def test_a_running_job_has_its_uuid_in_the_context(self):
        job = self.record.with_delay().do()
        func = Job.load(self.env, job.uuid).func
        self.assertEqual(func.__self__.env.context["job_uuid"], job.uuid)
