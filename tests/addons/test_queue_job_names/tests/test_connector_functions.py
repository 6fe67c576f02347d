"""Job functions, as modules of connector write and use them."""

from odoo.addons.queue_job.core.backoff import RetryPatternError
from odoo.addons.queue_job.core.channels import ChannelError
from odoo.addons.queue_job.core.codec import ArgumentError
from odoo.addons.queue_job.decorator import JobFunction, JobRegistry
from odoo.addons.queue_job.exception import NoSuchJobError
from odoo.addons.queue_job.job import (
    JOB_REGISTRY,
    Job,
    JobStorage,
    OpenERPJobStorage,
    job,
    whitelist_unpickle_global,
)
from odoo.addons.queue_job.session import ConnectorSession
from odoo.addons.test_queue_job_names import functions

from .common import NamesCase


class ConnectorCase(NamesCase):
    def setUp(self):
        super().setUp()
        self.session = ConnectorSession.from_env(self.env)


class TestDeclaration(ConnectorCase):
    def test_decorator_with_and_without_parentheses(self):
        for function, channel, pattern in (
            (functions.plain, "root", {}),
            (functions.export_record, "root.names", {1: 10, 5: 60}),
        ):
            self.assertEqual(function.default_channel, channel)
            self.assertEqual(function.retry_pattern, pattern)
            self.assertTrue(callable(function.delay))

    def test_a_plain_call_runs_at_once(self):
        answer = functions.plain(self.session, "res.partner", 1, two=2)
        self.assertEqual(answer, (self.env.uid, "res.partner", (1,), {"two": 2}))

    def test_registry_is_a_set_of_the_functions(self):
        self.assertIn(functions.plain, JOB_REGISTRY)
        self.assertIn(functions.export_record, set(JOB_REGISTRY))
        self.assertEqual(len(JOB_REGISTRY), len(list(JOB_REGISTRY)))
        self.assertEqual({function.default_channel for function in JOB_REGISTRY} & {None}, set())
        self.assertNotIn("nothing", JOB_REGISTRY)

    def test_registry_finds_a_function_by_its_name(self):
        name = "odoo.addons.test_queue_job_names.functions.plain"
        self.assertIs(JOB_REGISTRY[name], functions.plain)
        self.assertIs(JOB_REGISTRY.get(name), functions.plain)
        self.assertIsNone(JOB_REGISTRY.get("os.system"))
        with self.assertRaises(KeyError):
            JOB_REGISTRY["os.system"]

    def test_registry_takes_another_function(self):
        registry = JobRegistry()
        registry.add(functions.plain)
        self.assertEqual(list(registry), [functions.plain])

    def test_bad_channel_and_pattern_are_refused_at_once(self):
        with self.assertRaises(ChannelError):
            job(default_channel="root.a b")
        with self.assertRaises(RetryPatternError):
            job(retry_pattern={"soon": 1})
        self.assertTrue(issubclass(ChannelError, ValueError))
        self.assertTrue(issubclass(RetryPatternError, ValueError))


class TestDelayOfFunctions(ConnectorCase):
    def test_session_and_model_name_come_first(self):
        job = functions.plain.delay(self.session, "res.partner", 1, two=2)
        record = self.stored(job)
        self.assertEqual(record.args, ("res.partner", 1))
        self.assertEqual(record.kwargs, {"two": 2})
        loaded = Job.load(self.env, job.uuid)
        self.assertEqual(
            loaded.perform(self.session), (self.env.uid, "res.partner", (1,), {"two": 2})
        )

    def test_delay_returns_what_has_the_uuid(self):
        job = functions.plain.delay(self.session, "res.partner")
        self.assertTrue(self.stored(job))
        self.assertEqual(len(job.uuid), 36)

    def test_reserved_arguments_do_not_reach_the_function(self):
        job = functions.plain.delay(
            self.session,
            "res.partner",
            priority=3,
            eta=60,
            max_retries=0,
            description="Told so",
            other=1,
        )
        record = self.stored(job)
        self.assertEqual(record.kwargs, {"other": 1})
        self.assertEqual((record.priority, record.max_retries), (3, 0))
        self.assertEqual(record.name, "Told so")
        self.assertTrue(record.eta)

    def test_defaults(self):
        record = self.stored(functions.plain.delay(self.session, "res.partner"))
        self.assertEqual((record.priority, record.max_retries), (10, 5))
        self.assertFalse(record.eta)
        self.assertEqual(record.name, "Tell what it was called with")

    def test_without_docstring_the_name_describes_it(self):
        record = self.stored(functions.without_text.delay(self.session, "res.partner"))
        self.assertEqual(record.name, "odoo.addons.test_queue_job_names.functions.without_text")

    def test_channel_and_pattern_are_those_of_the_declaration(self):
        job = functions.export_record.delay(self.session, "res.partner", 1)
        self.assertEqual(self.stored(job).channel, "root.names")
        self.assertEqual(job.job_config.retry_pattern, {1: 10.0, 5: 60.0})
        job.retry = 4
        self.assertEqual(job._get_retry_seconds(), 10)
        job.retry = 5
        self.assertEqual(job._get_retry_seconds(), 60)

    def test_the_user_is_that_of_the_session(self):
        session = ConnectorSession(self.env.cr, self.clerk.id)
        job = functions.plain.delay(session, "res.partner")
        self.assertEqual(job.user_id, self.clerk.id)
        self.assertEqual(Job.load(self.env, job.uuid).perform()[0], self.clerk.id)

    def test_company_is_that_of_the_context(self):
        company = self.env["res.company"].create({"name": "Other"})
        for context, expected in (
            ({"company_id": company.id}, company.id),
            ({"company_id": None}, None),
            ({}, self.env.company.id),
        ):
            session = ConnectorSession(self.env.cr, 1, context)
            job = functions.plain.delay(session, "res.partner")
            self.assertEqual(self.stored(job).company_id.id or None, expected)

    def test_function_has_its_record(self):
        job = functions.plain.delay(self.session, "res.partner")
        self.assertEqual(
            self.stored(job).job_function_id.name,
            "odoo.addons.test_queue_job_names.functions.plain",
        )

    def test_attributes_of_a_connector_job(self):
        job = functions.plain.delay(self.session, "res.partner", 7)
        self.assertEqual(job.func_name, "odoo.addons.test_queue_job_names.functions.plain")
        self.assertEqual(job.args[:2], ("res.partner", 7))
        self.assertIn("plain('res.partner', 7)", job.func_string)
        self.assertFalse(job.canceled)
        job.set_enqueued("some worker")
        job.set_pending()
        job.cancel("not wanted")
        self.assertTrue(job.canceled)
        job.store()
        record = self.stored(job)
        self.assertEqual((record.state, record.result), ("cancelled", "not wanted"))

    def test_a_method_that_is_no_job_is_refused(self):
        with self.assertRaises(TypeError):
            Job(print)


class TestStorage(ConnectorCase):
    def setUp(self):
        super().setUp()
        self.storage = OpenERPJobStorage(self.session)

    def test_enqueue(self):
        uuid = self.storage.enqueue(
            functions.plain,
            model_name="res.partner",
            args=(1,),
            kwargs={"priority": "an argument"},
            priority=4,
            description="Told so",
        )
        record = self.storage.db_record_from_uuid(uuid)
        self.assertEqual(record.args, ("res.partner", 1))
        self.assertEqual(record.kwargs, {"priority": "an argument"})
        self.assertEqual((record.priority, record.name), (4, "Told so"))

    def test_enqueue_resolve_args(self):
        uuid = self.storage.enqueue_resolve_args(functions.plain, "res.partner", 1, priority=4)
        record = self.storage.db_record_from_uuid(uuid)
        self.assertEqual((record.args, record.priority), (("res.partner", 1), 4))

    def test_load_store_exists(self):
        self.assertIsInstance(self.storage, JobStorage)
        uuid = self.storage.enqueue(functions.plain, "res.partner")
        self.assertTrue(self.storage.exists(uuid))
        job = self.storage.load(uuid)
        job.set_done("finished")
        self.storage.store(job)
        record = self.storage.db_record(job)
        self.assertEqual((record.state, record.result), ("done", "finished"))
        self.assertFalse(self.storage.exists("nobody's"))
        with self.assertRaises(NoSuchJobError):
            self.storage.load("nobody's")

    def test_interface_does_nothing_by_itself(self):
        for method, argument in (("store", None), ("load", ""), ("exists", "")):
            with self.assertRaises(NotImplementedError):
                getattr(JobStorage(), method)(argument)

    def test_whitelist_changes_nothing(self):
        class Ours:
            pass

        self.assertIs(whitelist_unpickle_global(Ours), Ours)
        with self.assertRaises(ArgumentError):
            functions.plain.delay(self.session, "res.partner", Ours())

    def test_registered_functions_are_the_only_ones_to_be_run(self):
        self.assertIsInstance(functions.plain, JobFunction)
        job = functions.plain.delay(self.session, "res.partner")
        self.put(job, method_name="os.system")
        with self.assertRaises(KeyError):
            Job.load(self.env, job.uuid)
