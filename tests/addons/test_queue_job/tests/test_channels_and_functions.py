from odoo.exceptions import UserError, ValidationError

from odoo.addons.test_queue_job.functions import import_order

from .common import JobCase


class TestChannels(JobCase):
    def test_root_is_protected(self):
        root = self.env.ref("queue_job.channel_root")
        with self.assertRaisesRegex(UserError, "root"):
            root.name = "other"
        with self.assertRaisesRegex(UserError, "root"):
            root.unlink()
        root.removal_interval = 10

    def test_names(self):
        root = self.env.ref("queue_job.channel_root")
        channel = self.env["queue.job.channel"].create({"name": "a", "parent_id": root.id})
        below = self.env["queue.job.channel"].create({"name": "b", "parent_id": channel.id})
        self.assertEqual(below.complete_name, "root.a.b")
        channel.name = "c"
        self.assertEqual(below.complete_name, "root.c.b")
        with self.assertRaises(ValidationError):
            self.env["queue.job.channel"].create({"name": "a b", "parent_id": root.id})
        with self.assertRaises(ValidationError):
            self.env["queue.job.channel"].create({"name": "orphan"})


class TestFunctions(JobCase):
    def function(self, name):
        return self.env["queue.job.function"].search([("name", "=", name)])

    def test_the_record_wins_over_the_declaration(self):
        function = self.function("<test.queue.job>.write_value")
        self.assertEqual((function.channel, function.channel_source), ("root.test", "code"))
        root = self.env.ref("queue_job.channel_root")
        channel = self.env["queue.job.channel"].create({"name": "mine", "parent_id": root.id})
        function.channel_id = channel
        function.edit_retry_pattern = "{1: 5, 3: (10, 20)}"
        self.assertEqual((function.channel, function.channel_source), ("root.mine", "record"))
        job = self.record.write_value.delay(1)
        self.assertEqual(self.stored(job).channel, "root.mine")
        self.assertEqual(job.job_config.retry_pattern, {1: 5.0, 3: (10.0, 20.0)})
        function.write({"channel_id": False, "edit_retry_pattern": False})
        self.assertEqual(self.stored(self.record.write_value.delay(1)).channel, "root.test")

    def test_bad_patterns_are_refused(self):
        function = self.function("<test.queue.job>.noop")
        for text in ("{-1: 5}", "{1: 'x'}", "{1: (9, 1)}", "nonsense", "[1]", "{1: -1}"):
            with self.subTest(text=text), self.assertRaises(ValidationError):
                function.edit_retry_pattern = text

    def test_function_of_a_module(self):
        function = self.function("odoo.addons.test_queue_job.functions.import_order")
        self.assertEqual(function.channel, "root.order")
        job = import_order.delay(self.env, 1)
        self.assertEqual(self.stored(job).job_function_id, function)
