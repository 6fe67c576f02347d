from odoo.addons.queue_job.decorator import JobMethod, declared
from odoo.addons.queue_job.job import job

from .common import JobCase


class TestDeclaration(JobCase):
    def test_inherits_delegates_no_method_but_the_parent_has_it(self):
        child = self.env["test.queue.job.child"].create({"name": "child"})
        self.assertEqual(self.stored(child.parent_id.noop.delay()).records, child.parent_id)

    def test_inherit_under_another_name_keeps_the_job(self):
        copy = self.env["test.queue.job.copy"].create({"name": "copy"})
        record = self.stored(copy.write_value.delay(1))
        self.assertEqual(record.model_name, "test.queue.job.copy")
        self.assertEqual(record.channel, "root.test")

    def test_api_model_survives(self):
        self.assertEqual(self.env["test.queue.job"].model_method(3), 3)
        record = self.stored(self.env["test.queue.job"].model_method.delay(3))
        self.assertFalse(record.records)
        self.assertTrue(self.env.registry["test.queue.job"].model_method._api_model)

    def test_several_records(self):
        both = self.record + self.env["test.queue.job"].create({"name": "two"})
        self.assertEqual(self.stored(both.add_one.delay()).records, both)

    def test_names_are_those_of_the_method(self):
        method = self.record.write_value
        self.assertIsInstance(method, JobMethod)
        self.assertEqual(method.__name__, "write_value")
        self.assertEqual(method.__doc__, "Write a value")
        self.assertEqual(method.default_channel, "root.test")

    def test_bad_declarations_are_refused_at_once(self):
        with self.assertRaisesRegex(ValueError, "x y"):
            job(default_channel="root.x y")
        with self.assertRaisesRegex(ValueError, "'soon'"):
            job(retry_pattern={1: "soon"})(lambda self: None)

    def test_every_declaration_has_its_record(self):
        names = set(self.env["queue.job.function"].search([]).mapped("name"))
        self.assertIn("<test.queue.job>.noop", names)
        self.assertIn("<test.queue.job.copy>.noop", names)
        self.assertIn("odoo.addons.test_queue_job.functions.import_order", names)


class TestOverride(JobCase):
    """With ``test_queue_job_override`` installed, which overrides without the decorator."""

    def setUp(self):
        super().setUp()
        if "test_queue_job_override" not in self.env.registry._init_modules:
            self.skipTest("test_queue_job_override is not installed")

    def test_override_stays_a_job(self):
        model = self.env.registry["test.queue.job"]
        self.assertTrue(declared(model, "overridden_without_decorator"))
        job = self.record.overridden_without_decorator.delay()
        self.assertEqual(job.job_function_name, "<test.queue.job>.overridden_without_decorator")

    def test_super_is_called(self):
        self.assertEqual(self.record.overridden_without_decorator(), "base extended")
        copy = self.env["test.queue.job.copy"].create({})
        self.assertEqual(copy.overridden_without_decorator(), "base extended")
        self.assertTrue(self.stored(copy.overridden_without_decorator.delay()))
