from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, TransactionCase, new_test_user

from ..models import day as day_module
from ..models import traffic as traffic_module
from ..statement import SLOWEST, StatementError
from ..traffic import DAY_MINUTES, HABITS, past_day, past_depths, plan_round

NOW = 29_000_000
"""A minute since the epoch."""

GENTLE = 12
"""Jobs that a round has at the most, taken over many."""


class TestPlan(BaseCase):
    def test_the_first_round_has_something_of_everything(self):
        first = plan_round(0)
        for name, value in vars(first).items():
            self.assertTrue(value, name)

    def test_the_load_is_gentle(self):
        rounds = [plan_round(number) for number in range(240)]
        jobs = sum(
            plan.statements + plan.exports + plan.orders + plan.mails + plan.graph + plan.report
            for plan in rounds
        )
        self.assertLess(jobs / len(rounds), GENTLE)

    def test_a_graph_has_ten_to_thirty_jobs(self):
        graphs = {plan_round(number).graph for number in range(240)} - {0}
        self.assertGreater(len(graphs), 1)
        for banks in graphs:
            self.assertIn(banks + 1 + day_module.MAILS_OF_A_DAY, range(10, 31))


class TestPastDay(BaseCase):
    def test_is_of_the_day_before(self):
        minutes = {key[0] for key, _sum in past_day(NOW).take()}
        self.assertTrue(minutes <= set(range(NOW - DAY_MINUTES, NOW)))
        self.assertGreater(len(minutes), DAY_MINUTES / 2)

    def test_has_every_function_and_every_outcome(self):
        sums = list(past_day(NOW).take())
        self.assertEqual(
            {key[1:] for key, _sum in sums}, {(habit.channel, habit.function) for habit in HABITS}
        )
        for name in ("done", "failed", "postponed"):
            self.assertTrue(any(getattr(found, name) for _key, found in sums), name)

    def test_is_the_same_again(self):
        self.assertEqual(list(past_day(NOW).take()), list(past_day(NOW).take()))


class TestPastDepths(BaseCase):
    def test_has_each_minute_of_the_day_before(self):
        depths = past_depths(NOW)
        self.assertEqual(set(depths), set(range(NOW - DAY_MINUTES, NOW)))
        self.assertEqual(depths, past_depths(NOW))

    def test_what_waits_has_waited(self):
        for depth in past_depths(NOW).values():
            self.assertEqual(bool(depth.waiting), depth.oldest > 0)
            self.assertGreaterEqual(depth.running, 1)


class TrafficCase(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.traffic = cls.env["queue_job_example.traffic"]
        cls.env["ir.config_parameter"].set_param(SLOWEST, "0")
        cls.banks = cls.env["queue_job_example.bank"].create(
            [
                {
                    "external_id": f"test_{number}",
                    "name": f"Bank {number}",
                    "bic": f"BIC{number:05}",
                }
                for number in range(60)
            ]
        )
        cls.env["queue.job"].sudo().search([("state", "=", "pending")]).button_cancelled()

    @staticmethod
    def bank_values(number):
        return {
            "external_id": f"test_{number}",
            "name": f"Bank {number}",
            "bic": f"BIC{number:05}",
        }

    def jobs(self, method, **values):
        domain = [("method_name", "=like", f"%{method}"), ("id", ">", self.before)]
        domain += [(name, "=", value) for name, value in values.items()]
        return self.env["queue.job"].sudo().search(domain)

    def setUp(self):
        super().setUp()
        self.before = self.env["queue.job"].sudo().search([], order="id DESC", limit=1).id or 0


class TestPlay(TrafficCase):
    def test_delays_what_is_planned(self):
        plan = plan_round(0)
        self.assertTrue(self.traffic.play(0))
        self.assertEqual(
            len(self.jobs("fetch_statement", graph_uuid=False, channel="root.statement")),
            plan.statements,
        )
        self.assertEqual(len(self.jobs("export_to_shop", channel="root.shop")), plan.exports)
        self.assertEqual(len(self.jobs("import_order")), plan.orders)
        self.assertEqual(len(self.jobs("report", channel="root.report")), 1)
        scheduled = self.jobs("send_statement", scheduled=True, channel="root.mail")
        self.assertEqual(len(scheduled), plan.mails)
        self.assertEqual(len(scheduled.filtered(lambda mail: mail.state == "cancelled")), 1)

    def test_the_graph_closes_the_day_after_its_statements(self):
        self.traffic.play(0)
        close = self.jobs("close")
        graph = self.jobs("fetch_statement", graph_uuid=close.graph_uuid)
        self.assertEqual(len(graph), plan_round(0).graph)
        self.assertEqual(close.state, "wait_dependencies")
        self.assertEqual(close.dependency_ids, graph)
        mails = self.jobs("send_statement", graph_uuid=close.graph_uuid)
        self.assertEqual(len(mails), day_module.MAILS_OF_A_DAY)

    def test_a_round_without_banks_ends_well(self):
        self.env["queue_job_example.bank"].search([]).bank_id.unlink()
        self.assertTrue(self.traffic.play(1))

    def test_adds_nothing_to_a_mountain(self):
        with patch.object(traffic_module, "MOST_READY", 3):
            self.assertTrue(self.traffic.play(1))
            self.assertFalse(self.traffic.play(2))
        self.assertEqual(len(self.jobs("fetch_statement")), plan_round(1).statements)

    def test_only_managers_play(self):
        user = new_test_user(self.env, "example_user")
        with self.assertRaises(AccessError):
            self.traffic.with_user(user).play(0)


class TestJobsOfTraffic(TrafficCase):
    def statement_that(self, is_wanted):
        """Return a bank and a day whose statement is as wanted."""
        for bank in self.banks:
            for number in range(100):
                day = f"2026-01-01 {number}"
                if is_wanted(bank, day):
                    return bank, day
        return self.fail("no such statement")

    def is_damaged(self, bank, day):
        try:
            bank._statement(day)
        except StatementError:
            return True
        return False

    def is_balanced(self, bank, day):
        return not self.is_damaged(bank, day) and bank._statement(day).is_balanced

    def test_fetches_a_statement(self):
        bank, day = self.statement_that(self.is_balanced)
        self.assertIn("movements", bank.fetch_statement(day))

    def test_a_damaged_statement_fails(self):
        bank, day = self.statement_that(self.is_damaged)
        with self.assertRaises(StatementError):
            bank.fetch_statement(day)

    def test_a_wrong_balance_fails(self):
        bank, day = self.statement_that(
            lambda *key: not self.is_damaged(*key) and not self.is_balanced(*key)
        )
        with self.assertRaises(UserError):
            bank.fetch_statement(day)

    def test_what_was_deleted_ends_well(self):
        bank = self.banks[0]
        day = self.env["queue_job_example.day"].create({"bank_ids": bank.ids})
        day.unlink()
        bank.bank_id.unlink()
        for message in (
            bank.fetch_statement("day"),
            bank.send_statement("day"),
            day.close(),
            day.report(page_seconds=0),
        ):
            self.assertIn("deleted", message)

    def test_closing_sums_up(self):
        bank, text = self.statement_that(
            lambda bank, day: day.endswith(" 0") and not self.is_damaged(bank, day[:10])
        )
        day = self.env["queue_job_example.day"].create({"date": text[:10], "bank_ids": bank.ids})
        self.assertIn("balance", day.close())
        self.assertAlmostEqual(day.balance, float(bank._statement(text[:10]).balance))

    def test_a_report_counts_groups_of_banks(self):
        day = self.env["queue_job_example.day"].create({})
        self.assertRegex(day.report(page_seconds=0), r"^\d+ groups of banks$")

    def test_a_mail_is_sent(self):
        self.assertEqual(self.banks[0].send_statement("day"), "Sent to Bank 0")


class TestSeedHistory(TrafficCase):
    def setUp(self):
        super().setUp()
        self.figures = self.env["queue.job.metric"].sudo()
        self.pulse = self.env["queue.job.pulse"].sudo()
        self.env.cr.execute("DELETE FROM queue_job_metric")
        self.env.cr.execute("DELETE FROM queue_job_pulse")

    def test_gives_a_day_once(self):
        self.assertTrue(self.traffic.seed_history())
        count = self.figures.search_count([])
        self.assertGreater(count, DAY_MINUTES)
        self.assertFalse(self.traffic.seed_history())
        self.assertEqual(self.figures.search_count([]), count)

    def test_the_charts_have_what_ended_and_what_waited(self):
        self.traffic.seed_history()
        beats = self.pulse.search([("channel", "=", "")])
        self.assertGreater(len(beats), DAY_MINUTES / 2)
        self.assertEqual(sum(beats.mapped("done")), sum(self.figures.search([]).mapped("done")))
        self.assertTrue(any(beats.mapped("waiting")))
        self.assertTrue(any(beats.mapped("oldest")))

    def test_the_calendar_has_two_weeks_to_come(self):
        self.traffic.seed_history()
        planned = self.env["queue.job"].search([("scheduled", "=", True)])
        days = {job.eta.date() for job in planned}
        self.assertGreaterEqual(len(days), traffic_module.PLANNED_DAYS - 1)
        self.assertEqual(
            set(planned.mapped("channel")), {"root.mail", "root.statement", "root.report"}
        )

    def test_few_have_failed_as_few_are_listed(self):
        failed = sum(found.failed for _key, found in past_day(NOW).take())
        self.assertIn(failed, range(1, 40))

    def test_only_managers_seed(self):
        user = new_test_user(self.env, "example_user")
        with self.assertRaises(AccessError):
            self.traffic.with_user(user).seed_history()
