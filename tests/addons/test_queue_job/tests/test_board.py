"""What the dashboard is told, by whom, and what it costs."""

import re
from datetime import datetime, timedelta
from types import SimpleNamespace
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase

from odoo.addons.queue_job.core.channels import parse_channels
from odoo.addons.queue_job.core.metrics import Metrics, by_channel
from odoo.addons.queue_job.core.report import Outcome
from odoo.addons.queue_job.core.series import Range
from odoo.addons.queue_job.models.queue_job_watch import TOPIC
from odoo.addons.queue_job.storage import board, metrics, pulse

from .security import SecurityCase

LIVE_INDEXES = {
    *("queue_job_ready_index", "queue_job_scheduled_index", "queue_job_waiting_index"),
    *("queue_job_running_index", "queue_job_failed_index", "queue_job_retrying_index"),
}
"""Indexes that hold no job that is done."""

ROWS = """
INSERT INTO queue_job (uuid, name, state, channel, channel_method_name, priority, retry, attempt,
                       lost, max_retries, scheduled, eta, date_created, date_started, exc_name,
                       company_id)
SELECT gen_random_uuid(), 'row', %(state)s, 'root.' || n %% 4, 'function_' || n %% 9,
       n %% 3, 0, 0, 0, 5, %(eta)s IS NOT NULL, %(eta)s, now() AT TIME ZONE 'UTC',
       now() AT TIME ZONE 'UTC', %(error)s, %(company)s
  FROM generate_series(1, %(times)s) AS n
"""


class BoardCase(SecurityCase):
    """A table without jobs, but for those that a test puts there."""

    def setUp(self):
        super().setUp()
        self.env.cr.execute("DELETE FROM queue_job")
        self.env.invalidate_all()
        self.board = self.env["queue.job.board"]

    def rows(self, state, times, eta=None, error=None, company=None):
        values = {"state": state, "times": times, "eta": eta, "error": error}
        company = (company or self.env.company).id
        self.env.cr.execute(ROWS, {**values, "company": company})

    def now(self):
        return self.env.cr.now()

    def ended(self, ago, outcome=Outcome.DONE, times=1, function="f", channel="root.a", seconds=1):
        """Count runs that ended some seconds ago, as the leader does."""
        found = Metrics()
        minute = int((self.now() - datetime(1970, 1, 1)).total_seconds() - ago) // 60
        for _time in range(times):
            found.observe((minute, channel, function), outcome, seconds=seconds, wait=seconds)
        sums = list(found.take())
        metrics.add(self.env.cr, sums)
        pulse.add(self.env.cr, by_channel(sums))


class TestBoard(BoardCase):
    def test_only_operators_look(self):
        for user in (*self.strangers, self.viewer):
            asked = self.board.with_user(user)
            for ask in (asked.snapshot, asked.watch):
                with (
                    self.subTest(user=user.login, ask=ask.__name__),
                    self.assertRaises(AccessError),
                ):
                    ask()
        for user in (self.operator, self.manager):
            self.assertTrue(self.board.with_user(user).snapshot())
            self.assertTrue(self.board.with_user(user).watch())

    def test_there_are_so_many_ranges_and_groups(self):
        asked = self.board.with_user(self.operator)
        for group in ("state", "channel", "function"):
            for span in Range:
                series = asked.snapshot(span.value, group)["series"]
                lines = [line["data"] for line in series["throughput"] + series["depth"]]
                lines += [*series["wait"].values(), *series["run"].values(), series["oldest"]]
                self.assertEqual({len(line) for line in lines}, {len(series["at"])})
        for wrong in (("1y", "state"), ("1h", "uuid"), (None, "state"), ("1h", {"a": 1})):
            with self.subTest(wrong), self.assertRaises(UserError):
                asked.snapshot(*wrong)

    def test_nothing_is_there(self):
        shown = self.board.with_user(self.operator).snapshot()
        counts = shown["counts"]
        for key in ("waiting", "scheduled", "parents", "running", "failed", "rate", "oldest"):
            self.assertEqual(counts[key], 0, key)
        self.assertEqual((shown["running"], shown["failures"]), ([], []))
        self.assertEqual([alert["kind"] for alert in shown["alerts"]], ["no_runner"])
        self.assertIn("root", [channel["name"] for channel in shown["channels"]])

    def test_the_tiles_count_what_waits_and_runs(self):
        self.rows("pending", 12)
        self.rows("pending", 5, eta=self.now() + timedelta(hours=1))
        self.rows("wait_dependencies", 3)
        self.rows("started", 2)
        self.rows("done", 50)
        self.ended(60, times=30)
        self.ended(3600, Outcome.FAILED, times=4)
        counts = self.board.with_user(self.operator).snapshot()["counts"]
        self.assertEqual(
            [counts[key] for key in ("waiting", "scheduled", "parents", "running", "failed")],
            [12, 5, 3, 2, 4],
        )
        passed = self.now().second / 60
        self.assertAlmostEqual(counts["rate"], 30 * (1 - passed), delta=1)

    def test_beyond_a_number_nothing_is_counted(self):
        self.rows("pending", 30)
        found = board.read_waiting(self.env.cr, limit=20)
        self.assertEqual(sum(waiting.number for waiting in found.values()), 20)
        self.assertEqual(board.read_later(self.env.cr, limit=20).scheduled, 0)

    def test_the_oldest_is_the_first_stored_whatever_its_priority(self):
        self.rows("pending", 8)
        self.env.cr.execute(
            "UPDATE queue_job SET priority = 99, date_created = date_created - interval '1 hour' "
            "WHERE id = (SELECT min(id) FROM queue_job)"
        )
        counts = self.board.with_user(self.operator).snapshot()["counts"]
        self.assertAlmostEqual(counts["oldest"], 3600, delta=60)

    def test_no_row_that_was_changed_by_hand_stops_the_leader(self):
        self.rows("pending", 3)
        self.env.cr.execute(
            "UPDATE queue_job SET date_created = 'infinity', channel = CASE channel "
            "WHEN 'root.1' THEN '' WHEN 'root.2' THEN repeat('x', 3000) ELSE channel END"
        )
        pulse.sample(self.env.cr)
        pulse.sample(self.env.cr)
        self.env.cr.execute(
            "SELECT channel, waiting FROM queue_job_pulse WHERE waiting > 0 ORDER BY waiting DESC"
        )
        found = self.env.cr.fetchall()
        self.assertEqual(found[0], ("", 2), "the one without a channel is nowhere")
        self.assertEqual(max(len(channel) for channel, _waiting in found), 200)

    def test_lists_are_of_the_companies_of_who_looks(self):
        for company in (self.env.company, self.elsewhere):
            self.rows("started", 2, company=company)
            self.env.cr.execute(
                "UPDATE queue_job SET name = %s WHERE name = 'row'",
                [company.name],
            )
        self.rows("failed", 3, error="shop.Refused", company=self.elsewhere)
        shown = self.board.with_user(self.operator).snapshot()
        self.assertEqual(shown["counts"]["running"], 4, "figures are of the whole database")
        self.assertTrue(shown["all_companies"])
        self.assertEqual({row["name"] for row in shown["running"]}, {self.env.company.name})
        self.assertEqual(shown["failures"], [])
        self.operator.company_ids = [Command.link(self.elsewhere.id)]
        both = self.board.with_user(self.operator).with_context(
            allowed_company_ids=[self.env.company.id, self.elsewhere.id]
        )
        self.assertEqual(len(both.snapshot()["running"]), 4)

    def test_failures_are_grouped_and_lead_to_their_jobs(self):
        self.rows("failed", 20, error="shop.exceptions.Refused")
        self.rows("cancelled", 20, error="shop.exceptions.Refused")
        shown = self.board.with_user(self.operator).snapshot()
        first = shown["failures"][0]
        self.assertEqual(first["exception"], "Refused")
        self.assertEqual([row["count"] for row in shown["failures"]], [3, 3, *[2] * 6])
        self.assertEqual(
            self.env["queue.job"].search_count(first["action"]["domain"]), first["count"]
        )

    def test_alerts_lead_to_what_they_are_about(self):
        self.rows("pending", 40)
        self.env.cr.execute("UPDATE queue_job SET date_created = date_created - interval '1 day'")
        self.ended(60, Outcome.FAILED, times=9)
        node = self.env["queue.job.node"]
        with (
            patch.object(type(self.env["queue.job.health"]), "banner", lambda self: []),
            patch.object(type(node), "search", lambda self, *args, **kw: node.new({"slots": 4})),
        ):
            shown = self.board.with_user(self.operator).snapshot()
        alerts = {alert["kind"]: alert for alert in shown["alerts"]}
        self.assertEqual(set(alerts), {"stuck", "oldest", "failures"})
        jobs = self.env["queue.job"]
        self.assertEqual(jobs.search_count(alerts["stuck"]["action"]["domain"]), 10)
        self.assertIn("100 % of the jobs", alerts["failures"]["message"])

    def test_a_job_that_hangs_is_told(self):
        self.rows("started", 2)
        self.env.cr.execute(
            "UPDATE queue_job SET date_started = date_started - interval '10 minutes' "
            "WHERE channel_method_name = 'function_1'"
        )
        self.ended(3600, times=50, function="function_1", seconds=2)
        shown = self.board.with_user(self.operator).snapshot()
        (alert,) = (alert for alert in shown["alerts"] if alert["kind"] == "long")
        self.assertEqual(self.env["queue.job"].search_count(alert["action"]["domain"]), 1)

    def test_hours_go_on_where_minutes_end(self):
        self.ended(3 * 86400, times=3)
        self.ended(3 * 86400 + 60, times=4)
        self.ended(30 * 3600, times=2)
        self.ended(30 * 3600 + 60, times=2)
        self.ended(60, times=5)
        before = self.board.with_user(self.operator).snapshot("7d", "channel")["series"]
        self.env["queue.job.failure"]._look_after()
        after = self.board.with_user(self.operator).snapshot("7d", "channel")["series"]
        self.assertEqual(before["throughput"], after["throughput"])
        self.assertEqual(sum(after["throughput"][0]["data"]), 16)
        self.assertEqual(before["run_all"], after["run_all"])
        a_day_ago = self.now() - timedelta(days=1)
        kept = self.env["queue.job.pulse"].search([("minute", "<", a_day_ago)])
        self.assertFalse([row.minute for row in kept if row.minute.minute], "hours alone")


class TestBoardCost(BoardCase):
    """No statement reads jobs that are done, or the whole table."""

    def statements(self, ask):
        """Return the statements about jobs that a call runs, as PostgreSQL gets them."""
        found = []
        execute = type(self.env.cr).execute

        def keep(cr, query, params=None, **options):
            result = execute(cr, query, params, **options)
            found.append(cr._obj.query.decode())
            return result

        with patch.object(type(self.env.cr), "execute", keep):
            ask()
        return [text for text in found if re.search(r'(FROM|JOIN|UPDATE|INTO) "?queue_job\b', text)]

    def test_plans_on_a_table_of_many_that_are_done(self):
        self.rows("done", 20_000)
        self.rows("pending", 500)
        self.rows("pending", 200, eta=self.now() + timedelta(hours=1))
        self.rows("wait_dependencies", 100)
        self.rows("started", 5)
        self.rows("failed", 100, error="shop.Refused")
        self.env.cr.execute("ANALYZE queue_job")
        asked = self.board.with_user(self.operator)

        def ask():
            for group in ("state", "channel", "function"):
                asked.snapshot("7d", group)
            board.renew_watch(self.env.cr)
            self.board._publish()
            pulse.sample(self.env.cr)

        strict = parse_channels("root:4,root.1:1:sequential")
        channels = type(self.env["queue.job.channel"])
        with patch.object(channels, "_in_force", lambda _self, _configured=None: strict):
            seen = self.statements(ask)
        self.assertGreater(len(seen), 10)
        used = set()
        for statement in seen:
            self.env.cr.execute("EXPLAIN " + statement)
            plan = "\n".join(row[0] for row in self.env.cr.fetchall())
            with self.subTest(statement=statement[:200]):
                self.assertNotRegex(plan, r"Seq Scan on queue_job\b")
                indexes = set(re.findall(r"using (\w+) on queue_job\b", plan))
                indexes.update(re.findall(r"Bitmap Index Scan on (queue_job_\w+)", plan))
                self.assertTrue(indexes)
                for index in indexes - LIVE_INDEXES:
                    # By number, or the newest so many.
                    self.assertEqual(index, "queue_job_pkey", plan)
                    self.assertRegex(plan, r"Limit|Index Cond: \(id = ")
            used |= indexes
        self.assertLessEqual(LIVE_INDEXES - used, set(), "each is used by some statement")


class TestBoardMessages(BoardCase):
    """Messages on the bus: none when nobody looks, one a second, and for operators alone."""

    def messages(self):
        return self.env["bus.bus"].sudo().search([("message", "like", TOPIC)])

    def publish(self):
        self.board._publish()
        # Rows are made before the commit of the transaction.
        self.env.cr.precommit.run()

    def later(self):
        self.env.cr.execute(
            "UPDATE queue_job_watch SET date_told = date_told - interval '1.1 second'"
        )

    def test_there_is_none_when_nobody_looks(self):
        self.publish()
        self.assertFalse(self.messages())

    def test_there_is_one_a_second_at_most(self):
        self.board.with_user(self.operator).watch()
        for _time in range(5):
            self.publish()
        self.assertEqual(len(self.messages()), 1)
        self.later()
        self.publish()
        self.assertEqual(len(self.messages()), 2)

    def test_a_lease_ends(self):
        self.board.with_user(self.operator).watch()
        self.env.cr.execute(
            "UPDATE queue_job_watch SET date_until = date_until - interval '1 hour'"
        )
        self.publish()
        self.assertFalse(self.messages())

    def test_messages_are_numbered_and_a_snapshot_says_where_they_are(self):
        self.board.with_user(self.operator).watch()
        before = self.board.with_user(self.operator).snapshot()["seq"]
        self.publish()
        self.later()
        self.publish()
        self.assertEqual(self.board.with_user(self.operator).snapshot()["seq"], before + 2)

    def test_who_hears_them(self):
        operators = self.env.ref("queue_job.group_queue_job_operator")
        for user, hears in (
            (self.operator, True),
            (self.manager, True),
            (self.viewer, False),
            (self.user, False),
            (self.portal, False),
        ):
            with self.subTest(user=user.login):
                self.assertEqual((operators, TOPIC) in self.channels_of(user), hears)
                self.assertNotIn(TOPIC, self.channels_of(user), "the name alone is no channel")

    def channels_of(self, user):
        asked = SimpleNamespace(session=SimpleNamespace(uid=user.id))
        with patch("odoo.addons.bus.models.ir_websocket.request", new=asked):
            websocket = self.env["ir.websocket"].with_user(user)
            return websocket._build_bus_channel_list([TOPIC, "other"])


class TestBoardScreens(HttpCase, BoardCase):
    def test_tour_of_an_operator(self):
        self.rows("pending", 30)
        self.rows("started", 2)
        self.rows("failed", 6, error="shop.exceptions.Refused")
        self.ended(120, times=40)
        self.start_tour("/odoo/queue", "queue_job_board", login="queue-operator")

    def test_tour_of_a_viewer(self):
        self.start_tour("/odoo/queue", "queue_job_board_viewer", login="queue-viewer")
