"""The class ``Job``."""

import datetime as dt
import os

from odoo.addons.queue_job import job as jobs
from odoo.addons.queue_job.exception import NoSuchJobError
from odoo.addons.queue_job.job import Job, _is_model_method, _rebind_to_cr

from .common import NamesCase


class TestConstructor(NamesCase):
    def test_arguments(self):
        job = Job(
            self.record.do,
            args=[1],
            kwargs={"two": 2},
            priority=3,
            eta=60,
            job_uuid="mine",
            max_retries=0,
            description="Told so",
            channel="root.names",
            identity_key=lambda job: job.method_name,
        )
        self.assertEqual((job.args, job.kwargs), ((1,), {"two": 2}))
        self.assertEqual((job.priority, job.max_retries, job.uuid), (3, 0, "mine"))
        self.assertIsInstance(job.eta, dt.datetime)
        self.assertEqual((job.description, job.channel), ("Told so", "root.names"))
        self.assertEqual(job.identity_key, "do")

    def test_what_is_no_method_of_records_is_refused(self):
        for func in (print, lambda: None, "do", type(self.record).do):
            with self.assertRaises(TypeError):
                Job(func)
        with self.assertRaises(TypeError):
            Job(self.record.do, kwargs=[1])
        self.assertTrue(_is_model_method(self.record.do))
        self.assertFalse(_is_model_method(print))

    def test_what_it_knows(self):
        job = Job(self.record.do, args=(1,), kwargs={"two": 2})
        self.assertEqual((job.state, job.retry), (jobs.PENDING, 0))
        self.assertEqual((job.priority, job.max_retries), (10, 5))
        self.assertEqual(job.env, self.env)
        self.assertEqual(job.recordset, self.record)
        self.assertEqual((job.model_name, job.method_name), ("test.queue.job.names", "do"))
        self.assertEqual(job.job_function_name, "<test.queue.job.names>.do")
        self.assertEqual(job.func_string, f"test.queue.job.names({self.record.id},).do(1, two=2)")
        self.assertEqual(job.channel, "root.names")
        self.assertEqual(job.job_config.channel, "root.names")
        self.assertEqual(job.user_id, self.env.uid)
        self.assertEqual(job.company_id, self.env.company.id)
        self.assertIsNone(job.on_fail_method_name)
        self.assertLess(abs(job.date_created - dt.datetime.now()), dt.timedelta(days=1))
        for name in [
            "graph_uuid",
            "date_enqueued",
            "date_started",
            "date_done",
            "date_cancelled",
            "exec_time",
            "result",
            "exc_name",
            "exc_message",
            "exc_info",
            "worker_pid",
            "identity_key",
            "eta",
        ]:
            self.assertIsNone(getattr(job, name), name)
        self.assertEqual((job.depends_on, job.reverse_depends_on), (set(), set()))

    def test_equality_is_that_of_the_uuid(self):
        job = Job(self.record.do, job_uuid="mine")
        self.assertEqual(job, Job(self.record.undocumented, job_uuid="mine"))
        self.assertEqual(len({job, Job(self.record.do, job_uuid="mine")}), 1)
        self.assertEqual(repr(job), "<Job mine, priority:10>")

    def test_missing_on_fail_method_is_refused_when_delayed(self):
        function = self.env.ref("test_queue_job_names.job_function_fail")
        function.on_fail_method = "no_such_method"
        with self.assertRaisesRegex(TypeError, "no_such_method"):
            self.record.with_delay().fail()


class TestStoring(NamesCase):
    def test_load(self):
        job = self.record.with_delay(priority=4).do(1)
        loaded = Job.load(self.env, job.uuid)
        self.assertEqual(loaded, job)
        self.assertEqual((loaded.priority, loaded.args), (4, (1,)))
        with self.assertRaises(NoSuchJobError):
            Job.load(self.env, "nobody's")

    def test_load_many(self):
        first, second = self.record.with_delay().do(), self.record.with_delay().do()
        loaded = Job.load_many(self.env, [first.uuid, second.uuid, "nobody's"])
        self.assertEqual(loaded, {first, second})

    def test_load_from_a_record(self):
        job = self.record.with_delay().do()
        self.assertEqual(Job._load_from_db_record(self.stored(job)), job)

    def test_records_of_jobs(self):
        job = self.record.with_delay().do()
        self.assertEqual(job.db_record(), self.stored(job))
        self.assertEqual(
            Job.db_records_from_uuids(self.env(user=self.clerk), [job.uuid]).ids,
            self.stored(job).ids,
        )
        self.assertEqual(Job.db_record_from_uuid(self.env, job.uuid), self.stored(job))

    def test_store_by_hand(self):
        job = Job(self.record.do)
        job.store()
        record = self.stored(job)
        self.assertEqual((record.state, record.names_info), ("pending", "special do"))
        job.priority = 2
        job.store()
        self.assertEqual(record.priority, 2)

    def test_store_values(self):
        job = Job(self.record.do)
        self.assertLessEqual(
            {"state", "priority", "retry", "max_retries", "eta", "result", "exc_name"},
            set(job._store_values()),
        )
        self.assertLessEqual({"uuid", "records", "args"}, set(job._store_values(create=True)))
        self.assertEqual(
            job._store_values_from_model(),
            {"names_info": "special do", "names_source": "test.queue.job.names"},
        )

    def test_the_error_of_a_loaded_job_survives_its_storing(self):
        job = self.record.with_delay().do()
        self.put(job, state="failed", exc_name="Boom", exc_message="boom", exc_info="Traceback")
        loaded = Job.load(self.env, job.uuid)
        self.assertEqual((loaded.exc_name, loaded.exc_message), ("Boom", "boom"))
        loaded.store()
        self.assertEqual(self.stored(job).exc_message, "boom")

    def test_job_with_the_same_identity(self):
        waiting = self.record.with_delay(identity_key="one").do()
        job = Job(self.record.do, identity_key="one")
        self.assertEqual(job.job_record_with_same_identity_key(), self.stored(waiting))
        self.assertFalse(Job(self.record.do).job_record_with_same_identity_key())

    def test_company_of_the_context(self):
        record = self.record.with_context(company_id=None)
        self.assertFalse(self.stored(record.with_delay().do()).company_id)


class TestStates(NamesCase):
    def setUp(self):
        super().setUp()
        self.job = self.record.with_delay().do(1)

    def test_states_in_the_order_of_a_run(self):
        job = self.job
        job.set_enqueued()
        self.assertEqual((job.state, bool(job.date_enqueued)), ("enqueued", True))
        job.set_started()
        self.assertEqual((job.state, job.worker_pid), ("started", os.getpid()))
        self.assertEqual(job.perform(), ((1,), {}))
        self.assertEqual((job.retry, job.result), (1, ((1,), {})))
        job.set_done("finished")
        self.assertEqual((job.state, job.result), ("done", "finished"))
        self.assertGreaterEqual(job.exec_time, 0)
        job.store()
        self.assertEqual(self.stored(job).state, "done")

    def test_failed_and_pending_again(self):
        job = self.job
        job.retry = 3
        job.set_failed(exc_name="Boom", exc_message="boom", exc_info="Traceback")
        self.assertEqual((job.state, job.exc_name), ("failed", "Boom"))
        job.set_pending(result="again", reset_retry=False)
        self.assertEqual((job.state, job.result, job.retry), ("pending", "again", 3))
        job.set_pending()
        self.assertEqual(job.retry, 0)

    def test_cancelled(self):
        self.job.set_cancelled(result="not wanted")
        self.assertEqual((self.job.state, self.job.result), ("cancelled", "not wanted"))
        self.assertTrue(self.job.date_cancelled)

    def test_postpone_waits_by_seconds_or_pattern(self):
        job = self.job
        for retry, seconds in ((1, 60), (2, 180), (3, 10)):
            job.retry = retry
            self.assertEqual(job._get_retry_seconds(), seconds)
        job.retry = 5
        self.assertTrue(300 <= job._get_retry_seconds() <= 600)
        self.assertEqual(job._get_retry_seconds(seconds=7), 7)
        self.assertTrue(1 <= job._get_retry_seconds(seconds=(1, 2)) <= 2)
        job.postpone(result="later", seconds=3600)
        self.assertEqual(job.result, "later")
        self.assertGreater(job.eta, job.date_created + dt.timedelta(minutes=59))

    def test_a_stored_failure_is_told(self):
        self.job.set_failed(exc_name="Boom", exc_message="boom", exc_info="Traceback")
        self.job.store()
        record = self.stored(self.job)
        body = record.message_ids[:1].body
        self.assertIn(f"{record.name} failed with Boom: boom", body)
        self.assertIn(self.job.uuid, body)

    def test_dependencies(self):
        parent, child = Job(self.record.do), Job(self.record.do)
        child.add_depends({parent})
        self.assertEqual((child.depends_on, parent.reverse_depends_on), ({parent}, {child}))
        self.assertEqual(child.state, "wait_dependencies")
        self.assertTrue(parent.should_check_dependents())
        self.assertFalse(child.should_check_dependents())
        with self.assertRaises(ValueError):
            parent.add_depends({parent})

    def test_waiting_jobs_go_or_are_given_up_with_their_parent(self):
        for end, method, state in (
            ("done", "enqueue_waiting", "pending"),
            ("cancelled", "cancel_dependent_jobs", "cancelled"),
        ):
            first, second = self.record.delayable().do(), self.record.delayable().do()
            first.on_done(second).delay()
            parent = first._generated_job
            self.put(parent, state=end)
            getattr(Job.load(self.env, parent.uuid), method)()
            self.env.invalidate_all()
            self.assertEqual(self.stored(second._generated_job).state, state)

    def test_on_fail_calls_the_method_of_the_function(self):
        job = self.record.with_delay().fail()
        self.assertEqual(job.on_fail_method_name, "note_failure")
        job.on_fail({"exc_name": "Boom", "exc_message": "boom", "exc_info": ""})
        self.assertEqual(self.record.failure, "Boom: boom")

    def test_lock_tells_whether_anybody_runs_it(self):
        self.job.add_lock_record()
        self.assertIs(self.job.lock(), True)


class TestCursors(NamesCase):
    def setUp(self):
        super().setUp()
        self.registry_enter_test_mode()

    def test_temporary_env_has_a_cursor_of_its_own(self):
        job = self.record.with_delay().do([self.record], who=self.record)
        with job.in_temporary_env():
            self.assertIsNot(job.env.cr, self.env.cr)
            self.assertIs(job.args[0][0].env.cr, job.env.cr)
            self.assertIs(job.kwargs["who"].env.cr, job.env.cr)
            job.perform()
        self.assertIs(job.env.cr, self.env.cr)
        self.assertIs(job.args[0][0].env.cr, self.env.cr)

    def test_records_in_any_nesting_are_bound_again(self):
        with self.env.registry.cursor() as cr:
            value = {"a": [(self.record, 1)], "b": {self.record}, 3: "plain"}
            bound = _rebind_to_cr(value, cr)
            self.assertIs(bound["a"][0][0].env.cr, cr)
            self.assertIs(next(iter(bound["b"])).env.cr, cr)
            self.assertEqual(bound[3], "plain")
        self.assertIs(_rebind_to_cr(self.record, self.env.cr), self.record)
