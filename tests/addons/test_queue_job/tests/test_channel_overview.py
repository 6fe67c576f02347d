from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase

from odoo.addons.queue_job.core.explain import Explanation, Reason
from odoo.addons.queue_job.core.metrics import Sum
from odoo.addons.queue_job.storage import metrics, sight

from .security import SecurityCase


class OverviewCase(SecurityCase):
    """Channels in all states, and who looks at them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.env.ref("queue_job.channel_root")
        cls.channels = cls.env["queue.job.channel"]

    def rows(self, user=None):
        channels = self.channels.with_user(user or self.operator)
        return {row["name"]: row for row in channels.overview()["channels"]}

    def make(self, name, **values):
        return self.channels.create({"name": name, "parent_id": self.root.id, **values})

    def delay(self, channel, **values):
        job = self.record.with_delay(channel=channel).noop()
        return self.put(job, **values) if values else self.stored(job)


class TestOverview(OverviewCase):
    def test_channels_with_jobs_and_without_a_record_are_shown(self):
        self.delay("root.ours.deep")
        self.delay("root.ours.deep")
        self.delay("root.ours", state="started")
        rows = self.rows()
        self.assertEqual(
            [rows[name]["depth"] for name in ("root", "root.ours", "root.ours.deep")], [0, 1, 2]
        )
        self.assertEqual((rows["root.ours"]["running"], rows["root.ours.deep"]["running"]), (1, 0))
        self.assertEqual((rows["root.ours"]["waiting"], rows["root.ours"]["waiting_here"]), (2, 0))
        self.assertFalse(rows["root.ours"]["id"])
        self.assertEqual(rows["root"]["id"], self.root.id)

    def test_figures_of_the_last_minutes(self):
        self.env.cr.execute("SELECT floor(EXTRACT(epoch FROM now()) / 60)::int")
        minute = self.env.cr.fetchone()[0]
        sums = [((minute - 2, "root.rated", "f"), Sum(done=30, failed=1))]
        sums += [((minute - 3, "root.rated", "g"), Sum(done=20))]
        sums += [((minute - 50, "root.rated", "g"), Sum(done=20, failed=2))]
        sums += [((minute - 70, "root.rated", "g"), Sum(done=20, failed=4))]
        metrics.add(self.env.cr, sums)
        row = self.rows()["root.rated"]
        self.assertEqual((row["rate"], row["failed"]), (10.0, 3))
        self.assertEqual((row["done"][-3], row["done"][-4], sum(row["done"])), (30, 20, 50))

    def test_who_has_paused_a_channel_is_said(self):
        channel = self.make("held").with_user(self.operator)
        until = fields.Datetime.now() + timedelta(hours=1)
        channel.action_pause("upgrade", until)
        pause = self.rows()["root.held"]["pause"]
        self.assertEqual((pause["by"], pause["reason"]), (self.operator.name, "upgrade"))
        self.assertEqual(pause["until"], fields.Datetime.to_string(until))
        self.delay("root.held.below")
        self.assertEqual(self.rows()["root.held.below"]["held_by"], "root.held")
        self.assertFalse(self.rows()["root.held.below"]["pause"])

    def test_who_has_paused_it_and_why_is_for_operators(self):
        channel = self.make("held").with_user(self.operator)
        channel.action_pause("Ann is ill")
        self.env.flush_all()
        paused = Explanation(Reason.PAUSED, channel="root.held")
        told = self.env["queue.job"].with_user(self.operator)._sentence(paused)
        self.assertIn(f"paused by {self.operator.name}: Ann is ill", told)
        told = self.env["queue.job"].with_user(self.viewer)._sentence(paused)
        self.assertEqual(told, "The channel root.held is paused by an operator.")

    def test_a_pause_that_has_ended_is_none(self):
        channel = self.make("held").with_user(self.operator)
        channel.action_pause("upgrade", fields.Datetime.now() + timedelta(hours=1))
        channel.flush_recordset()
        self.env.cr.execute(
            "UPDATE queue_job_channel SET paused_until = now() AT TIME ZONE 'UTC' - interval '1 s'"
            " WHERE id = %s",
            (channel.id,),
        )
        channel.invalidate_recordset()
        self.assertFalse(self.rows()["root.held"]["pause"])

    def test_limits_that_are_set(self):
        self.make("narrow", capacity=3, throttle=0.5)
        row = self.rows()["root.narrow"]
        self.assertEqual((row["capacity"], row["set_capacity"]), (3, 3))
        self.assertEqual((row["throttle"], row["set_throttle"], row["configured"]), (0.5, 0.5, ""))

    def test_more_jobs_than_are_counted_are_counted_by_channel(self):
        for _number in range(3):
            self.delay("root.many")
        self.delay("root.few")
        exact = self.channels.with_user(self.operator).overview()
        self.assertEqual(exact["limit"], 0)
        with patch.object(sight, "READY_LIMIT", 3), patch.object(sight, "CAPPED_LIMIT", 2):
            capped = self.channels.with_user(self.operator).overview()
        self.assertEqual(capped["limit"], 2)
        here = {row["name"]: row["waiting_here"] for row in capped["channels"]}
        self.assertEqual((here["root.many"], here["root.few"]), (2, 1))
        here = {row["name"]: row["waiting_here"] for row in exact["channels"]}
        self.assertEqual((here["root.many"], here["root.few"]), (3, 1))

    def test_who_may_look_and_who_may_edit(self):
        self.assertFalse(self.channels.with_user(self.operator).overview()["can_edit"])
        self.assertTrue(self.channels.with_user(self.manager).overview()["can_edit"])
        for user in (self.user, self.viewer):
            for method in ("overview", "for_names"):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    getattr(self.channels.with_user(user), method)()

    def test_records_are_made_of_channels_that_have_jobs(self):
        self.root.removal_interval = 7
        known = self.make("known", removal_interval=3)
        self.delay("root.known.new.newer")
        names = ["root.known", "root.known.new.newer"]
        ids = self.channels.with_user(self.operator).for_names(names)
        made = self.channels.browse(ids)
        self.assertEqual(made.mapped("complete_name"), names)
        self.assertEqual(made[0], known)
        self.assertEqual(made.mapped("removal_interval"), [3, 3], "nothing is kept longer")
        self.assertEqual((made[1].capacity, made[1].paused), (0, False))
        self.assertEqual(self.channels.with_user(self.operator).for_names(names), ids)

    def test_no_records_are_made_of_what_nobody_knows(self):
        for names in (["root.invented"], [""], ["csv"], ["root"] * 101):
            with self.subTest(names=names[:2]), self.assertRaises(ValidationError):
                self.channels.with_user(self.operator).for_names(names)

    def test_number_of_statements_does_not_grow(self):
        def cost(number):
            for place in range(number):
                self.delay(f"root.c{number}.n{place}")
                self.make(f"r{number}-{place}")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.rows()
            return self.env.cr.sql_log_count - before

        cost(1)
        self.assertEqual(cost(5), cost(20))


class TestChannelScreen(HttpCase, OverviewCase):
    def test_tour_of_an_operator(self):
        """They pause a channel that has no record, read who did, and resume it."""
        self.delay("root.imports.csv")
        self.start_tour(
            "/odoo/queue-channels", "queue_job_channels_operator", login="queue-operator"
        )
        channel = self.channels.search([("complete_name", "=", "root.imports.csv")])
        self.assertTrue(channel)
        self.assertFalse(channel.paused)

    def test_tour_of_a_manager(self):
        """They change limits in place, and open the jobs of a channel."""
        self.delay("root.imports.csv")
        self.start_tour("/odoo/queue-channels", "queue_job_channels_manager", login="queue-manager")
        channel = self.channels.search([("complete_name", "=", "root.imports.csv")])
        self.assertEqual((channel.capacity, channel.throttle), (3, 2))
