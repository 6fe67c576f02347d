"""Channels and functions that addons declare in XML."""

from .common import NamesCase


class TestDataFiles(NamesCase):
    def ref(self, name):
        return self.env.ref(f"test_queue_job_names.{name}")

    def test_channel_below_root(self):
        self.assertEqual(self.ref("channel_names").complete_name, "root.names")
        self.assertEqual(self.ref("channel_names_deep").complete_name, "root.names.deep")

    def test_a_channel_that_two_addons_declare_is_one(self):
        self.assertEqual(self.ref("channel_names"), self.ref("channel_names_again"))
        self.assertEqual(self.ref("channel_names").removal_interval, 7)

    def test_a_function_that_two_addons_declare_is_one(self):
        function = self.ref("job_function_do")
        self.assertEqual(function, self.ref("job_function_do_again"))
        self.assertTrue(function.allow_commit)
        self.assertEqual(function.channel_id, self.ref("channel_names"))

    def test_function_with_channel(self):
        record = self.stored(self.record.with_delay().do())
        self.assertEqual(record.channel, "root.names")
        self.assertEqual(record.job_function_id, self.ref("job_function_do"))
        record = self.stored(self.record.with_delay(channel="root.other").do())
        self.assertEqual(record.channel, "root.other")

    def test_retry_pattern_is_evaluated(self):
        pattern = self.record.with_delay().do().job_config.retry_pattern
        self.assertEqual(pattern, {1: 60, 2: 180, 3: 10, 5: (300, 600)})

    def test_related_action_is_evaluated(self):
        config = self.record.with_delay().do().job_config
        self.assertIs(config.related_action_enable, True)
        self.assertEqual(config.related_action_func_name, "related_action_names")
        self.assertIs(self.record.with_delay().fail().job_config.related_action_enable, False)

    def test_texts_are_read_as_literals(self):
        config = self.record.with_delay().come_back().job_config
        self.assertEqual(config.retry_pattern, {1: 5, 3: (20, 30)})
        self.assertEqual(config.related_action_func_name, "related_action_open_record")

    def test_allow_commit_and_on_fail_are_kept(self):
        self.assertIs(self.record.with_delay().do().job_config.allow_commit, True)
        config = self.record.with_delay().fail().job_config
        self.assertEqual(config.on_fail_method_name, "note_failure")
