"""The channel string that administrators have in their configuration."""

from odoo.addons.queue_job.core.channels import ChannelError, is_disabled, parse_channels

from .common import NamesCase


class TestChannelString(NamesCase):
    def test_entries(self):
        channels = parse_channels("root:4,sale:2\nroot.mail : 1 : sequential,, a.b:3:throttle=2")
        self.assertEqual(channels["root"].capacity, 4)
        self.assertEqual(channels["root.sale"].capacity, 2)
        self.assertTrue(channels["root.mail"].sequential)
        self.assertEqual(channels["root.a.b"].throttle, 2)
        self.assertIsNone(channels["root.a"].capacity)

    def test_defaults(self):
        channels = parse_channels("sale")
        self.assertEqual((channels["root"].capacity, channels["root.sale"].capacity), (1, 1))

    def test_paused_and_throttle_without_value(self):
        channels = parse_channels("root:4,a:1:paused,b:1:throttle")
        self.assertTrue(channels["root.a"].paused)
        self.assertEqual(channels["root.b"].throttle, 1)

    def test_root_0_turns_the_runner_off(self):
        self.assertTrue(is_disabled(parse_channels("root:0")))
        self.assertTrue(is_disabled(parse_channels("sub:2,root:0")))
        self.assertFalse(is_disabled(parse_channels("root:1")))

    def test_nonsense_is_refused(self):
        for text in ("a:b", "a:1:x=1=2", "a:2:sequential", ":1", "a:1,a:2", "a:1:k:k"):
            with self.subTest(text=text), self.assertRaises(ChannelError):
                parse_channels(text)

    def test_what_passed_silently_is_refused_or_right(self):
        for text in ("a:0", "a:-1", "a:1:typo"):
            with self.subTest(text=text), self.assertRaises(ChannelError):
                parse_channels(text)
        self.assertFalse(parse_channels("a:1:sequential=0")["root.a"].sequential)
        self.assertEqual(parse_channels("a:1:throttle=0.5")["root.a"].throttle, 0.5)
