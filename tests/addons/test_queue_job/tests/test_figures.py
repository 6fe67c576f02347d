"""What the screens of functions and of workers show."""

from odoo import fields
from odoo.tests import HttpCase

from odoo.addons.queue_job.core.metrics import Metrics
from odoo.addons.queue_job.core.report import Outcome
from odoo.addons.queue_job.storage import metrics

from .security import SecurityCase

QUICK, SLOW, OLD = "<test.queue.job>.noop", "<test.queue.job>.write_value", "<res.partner>.old_one"


class FiguresCase(SecurityCase):
    """Runs of three functions: a quick one, a slow one, and one that no code declares."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute("DELETE FROM queue_job_metric")
        cls.env.cr.execute("DELETE FROM queue_job_metric_hour")
        now = int(fields.Datetime.now().timestamp() // 60)
        counted = Metrics()
        for _number in range(9):
            counted.observe((now - 5, "root", QUICK), Outcome.DONE, seconds=0.01, wait=1.0)
        counted.observe((now - 6, "root.a", QUICK), Outcome.FAILED, seconds=0.01, wait=1.0)
        counted.observe((now - 6, "root.a", QUICK), Outcome.POSTPONED, seconds=0.0, wait=1.0)
        counted.observe((now - 5, "root", SLOW), Outcome.DONE, seconds=30.0, wait=0.1)
        counted.observe((now - 60 * 48, "root", OLD), Outcome.DONE, seconds=1.0, wait=0.1)
        metrics.add(cls.env.cr, counted.take())
        cls.functions = cls.env["queue.job.function"].with_user(cls.operator)

    def named(self, name, hours=24):
        functions = self.functions.with_context(queue_job_hours=hours)
        return functions.search([("name", "=", name)])


class TestFunctionFigures(FiguresCase):
    def test_what_ran_in_a_day(self):
        quick, slow = self.named(QUICK), self.named(SLOW)
        counts = (quick.calls, quick.success, quick.failures, quick.retries)
        self.assertEqual(counts, (10, 90.0, 1, 1))
        self.assertAlmostEqual(quick.run_p50, 0.01, delta=0.01)
        self.assertAlmostEqual(quick.wait_p95, 1.0, delta=1.0)
        self.assertAlmostEqual(slow.run_p99, 30.0, delta=30.0)
        self.assertAlmostEqual(quick.time_share + slow.time_share, 100.0)
        self.assertGreater(slow.time_share, 99.0)
        self.assertEqual(sum(quick.durations), 11)

    def test_another_span(self):
        self.functions.action_record()
        self.assertEqual(self.named(OLD).calls, 0)
        self.assertEqual(self.named(OLD, 168).calls, 1)
        for strange in (-1, 10**9, "1; DROP TABLE", None):
            self.assertEqual(self.named(QUICK, strange).calls, 10)

    def test_a_function_that_no_code_declares_is_shown_when_it_ran(self):
        self.assertFalse(self.named(OLD))
        action = self.functions.action_record()
        self.assertEqual(action["res_model"], "queue.job.function")
        self.assertEqual(self.named(OLD).model_id.sudo().model, "res.partner")
        before = self.functions.search_count([])
        self.functions.action_record()
        self.assertEqual(self.functions.search_count([]), before)

    def test_what_takes_most_of_the_time_comes_first(self):
        found = self.functions.search([], order="seconds desc, name")
        self.assertEqual(found[:2].mapped("name"), [SLOW, QUICK])
        self.assertFalse(any(found[2:].mapped("calls")))
        found = self.functions.search([("name", "in", (SLOW, QUICK))], order="calls")
        self.assertEqual(found.mapped("name"), [SLOW, QUICK])

    def test_figures_of_all_are_read_at_once(self):
        found = self.functions.search([])
        self.env.invalidate_all()
        found.mapped("name")
        before = self.env.cr.sql_log_count
        found.mapped("calls")
        self.assertLessEqual(self.env.cr.sql_log_count - before, 2)

    def test_hours_that_are_over_are_summed_once(self):
        names = ["calls", "failures", "retries", "seconds", "run_p50", "wait_p95", "durations"]
        self.functions.action_record()
        found = self.functions.search([("name", "in", (QUICK, SLOW, OLD))])
        for hours in (1, 24, 168):
            spanned = found.with_context(queue_job_hours=hours)
            before = spanned.read(names)
            for _time in range(3):
                metrics.keep_hours(self.env.cr)
                self.env.invalidate_all()
                with self.subTest(hours=hours):
                    self.assertEqual(spanned.read(names), before)
        self.assertTrue(self.env["queue.job.metric.hour"].search([("function", "=", OLD)]))
        self.assertLessEqual({QUICK, SLOW, OLD}, metrics.ran(self.env.cr))

    def test_nothing_ran(self):
        self.env.cr.execute("DELETE FROM queue_job_metric")
        self.env.cr.execute("DELETE FROM queue_job_metric_hour")
        self.env.invalidate_all()
        quick = self.named(QUICK)
        self.assertEqual(
            (quick.calls, quick.success, quick.time_share, quick.run_p95), (0, 0, 0, 0)
        )


class TestWorkers(FiguresCase):
    def setUp(self):
        super().setUp()
        values = {"host": "here", "url": "http://here:8069", "slots": 4, "version": "19.0"}
        self.node = self.env["queue.job.node"].create(
            {**values, "date_started": fields.Datetime.now(), "date_seen": fields.Datetime.now()}
        )
        self.as_operator = self.node.with_user(self.operator)

    def here(self):
        """Connect its runner."""
        self.env.cr.execute("SELECT pg_advisory_xact_lock(1363869696, %s)", self.node.ids)
        self.node.invalidate_recordset()

    def test_alive_late_and_gone(self):
        self.assertEqual(self.as_operator.status, "gone")
        self.here()
        self.assertEqual(self.as_operator.status, "alive")
        self.node.date_seen = fields.Datetime.subtract(fields.Datetime.now(), minutes=4)
        self.assertEqual(self.as_operator.status, "late")
        self.assertAlmostEqual(self.as_operator.silent, 240, delta=10)

    def test_what_was_just_heard_of_is_not_heard_of_in_the_future(self):
        self.node.date_started = self.node.date_seen = fields.Datetime.add(
            fields.Datetime.now(), minutes=1
        )
        self.assertEqual((self.as_operator.silent, self.as_operator.uptime), (0.0, 0.0))

    def test_what_runs_there_is_what_its_reader_may_see(self):
        for job, host in (
            (self.job, "here"),
            (self.foreign_job, "here"),
            (self.viewed_job, "elsewhere"),
        ):
            self.env.cr.execute(
                "UPDATE queue_job SET state = 'started', worker_host = %s WHERE id = %s",
                (host, job.id),
            )
        self.env.invalidate_all()
        self.assertEqual(self.as_operator.running_ids, self.job.with_user(self.operator))
        self.assertEqual(self.as_operator.running_count, 1)
        domain = self.as_operator.action_open_jobs()["domain"]
        found = self.env["queue.job"].with_user(self.operator).search(domain)
        self.assertEqual(found.ids, self.job.ids)


class TestFiguresScreens(HttpCase, FiguresCase):
    def test_tour_of_functions_and_workers(self):
        now = fields.Datetime.now()
        self.env["queue.job.node"].create(
            {"host": "here", "url": "x", "slots": 4, "date_started": now, "date_seen": now}
        )
        self.start_tour("/odoo/queue-jobs", "queue_job_figures", login="queue-operator")
