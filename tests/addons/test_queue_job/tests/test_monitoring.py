"""The routes for monitoring, the sums behind them, and what the log says of jobs."""

import io
import json
import logging
from datetime import datetime
from unittest import skipUnless
from unittest.mock import patch

from odoo.tests import HttpCase, TransactionCase, tagged

from odoo.addons.queue_job import exposition, logs
from odoo.addons.queue_job.core.metrics import BUCKETS, Metrics
from odoo.addons.queue_job.core.report import Outcome
from odoo.addons.queue_job.status import read_status
from odoo.addons.queue_job.storage import listing, metrics, monitoring, pulse, totals
from odoo.addons.queue_job.storage.listing import JobFilter

from .common import JobCase

TOKEN = "a token"


@tagged("post_install", "-at_install")
class TestMonitoringRoutes(HttpCase):
    def ask(self, path, header=f"Bearer {TOKEN}"):
        headers = {"Authorization": header} if header else {}
        return self.url_open(f"/queue_job/{path}", headers=headers)

    def set_token(self, token=TOKEN):
        self.env["ir.config_parameter"].set_param("queue_job.metrics_token", token)

    def test_without_a_token_there_is_nothing(self):
        self.set_token(False)
        for path in ("health", "metrics"):
            for header in ("", "Bearer ", "Bearer False", f"Bearer {TOKEN}"):
                self.assertEqual(self.ask(path, header).status_code, 404, (path, header))
        self.set_token("  ")
        self.assertEqual(self.ask("health", "Bearer ").status_code, 404)

    def test_only_the_token_opens(self):
        self.set_token()
        for path in ("health", "metrics"):
            for header in ("", "Bearer", "Bearer other", f"Basic {TOKEN}", TOKEN, "Bearer \xe4"):
                answer = self.ask(path, header.encode("latin-1"))
                self.assertEqual(answer.status_code, 401, (path, header))
                self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        # A session opens nothing either.
        self.authenticate("admin", "admin")
        self.assertEqual(self.ask("metrics", "").status_code, 401)

    def test_health_gives_the_reasons(self):
        self.set_token()
        answer = self.ask("health")
        self.assertEqual(answer.status_code, 503, "no runner is there in a test")
        found = answer.json()
        self.assertEqual(found["status"], "fail")
        self.assertEqual(set(found["reasons"][0]), {"problem", "message", "remedy"})
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        with patch.object(type(self.env["queue.job.health"]), "self_test", lambda _self: []):
            answer = self.ask("health")
        self.assertEqual((answer.status_code, answer.json()["status"]), (200, "pass"))

    def test_without_the_library_it_says_so(self):
        self.set_token()
        with patch.object(exposition, "prometheus_client", None):
            answer = self.ask("metrics")
        self.assertEqual(answer.status_code, 501)
        self.assertIn("pip install", answer.text)

    @skipUnless(exposition.is_available(), "prometheus_client is not installed")
    def test_figures_are_text(self):
        self.set_token()
        answer = self.ask("metrics")
        self.assertEqual(answer.status_code, 200)
        self.assertIn("text/plain", answer.headers["Content-Type"])
        self.assertIn('queue_job_waiting{channel="root"}', answer.text)


class TestTotals(JobCase):
    def setUp(self):
        super().setUp()
        self.env.cr.execute("DELETE FROM queue_job_total")
        self.env.cr.execute("DELETE FROM queue_job_metric")

    def sums(self, minute, done=1, channel="root.a", function="f"):
        found = Metrics()
        for _number in range(done):
            found.observe((minute, channel, function), Outcome.DONE, seconds=0.5, wait=2.0)
        found.observe((minute, channel, function), Outcome.LOST, seconds=0.0)
        return list(found.take())

    def store(self, sums):
        metrics.add(self.env.cr, sums)
        totals.add(self.env.cr, sums)

    def test_totals_add_up_and_are_not_forgotten(self):
        now = int(datetime.now().timestamp() // 60)
        old = now - 60 * 24 * 100
        self.store(self.sums(old, done=3))
        self.store(self.sums(now, done=2) + self.sums(now - 1, done=1))
        self.store([])
        metrics.roll_up(self.env.cr)
        (total,) = totals.read(self.env.cr)
        self.assertEqual((total.done, total.lost, total.failed), (6, 3, 0))
        self.assertEqual((total.seconds, total.waited), (3.0, 12.0))
        self.assertEqual((sum(total.run), sum(total.wait), len(total.run)), (6, 6, BUCKETS))

    def test_they_count_beyond_four_bytes(self):
        for _time in range(2):
            ((key, found),) = self.sums(1, done=1)
            found.done = 2**31 - 1
            found.run[0] = 2**31 - 1
            totals.add(self.env.cr, [(key, found)])
        (total,) = totals.read(self.env.cr)
        self.assertEqual((total.done, total.run[0]), (2**32 - 2, 2**32 - 2))

    def test_what_was_counted_before_is_the_beginning(self):
        metrics.add(self.env.cr, self.sums(1, done=4))
        self.env.cr.execute("DROP TABLE queue_job_total")
        totals.create(self.env.cr)
        totals.create(self.env.cr)
        (total,) = totals.read(self.env.cr)
        self.assertEqual((total.done, sum(total.run)), (4, 4))

    def test_sums_of_a_while_are_by_channel_or_function(self):
        now = int(datetime.now().timestamp() // 60)
        metrics.add(self.env.cr, self.sums(now, done=2, function="f"))
        metrics.add(self.env.cr, self.sums(now, done=3, function="g"))
        metrics.add(self.env.cr, self.sums(1, done=9, function="g"))
        since = datetime(2001, 1, 1)
        (found,) = totals.read_sums(self.env.cr, since, "channel")
        self.assertEqual((found.name, found.done, sum(found.run)), ("root.a", 5, 5))
        names = [row.name for row in totals.read_sums(self.env.cr, since, "function")]
        self.assertEqual(names, ["g", "f"], "what ran most comes first")

    @skipUnless(exposition.is_available(), "prometheus_client is not installed")
    def test_buckets_are_written_as_a_histogram(self):
        totals.add(self.env.cr, self.sums(1, done=2) + self.sums(1, done=3, function="g"))
        text = exposition.expose(read_status(self.env.cr), totals.read(self.env.cr)).decode()
        lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
        self.assertEqual(float(lines['queue_job_done_total{channel="root.a",function="f"}']), 2)
        bucket = 'queue_job_run_seconds_bucket{channel="root.a",le="%s"}'
        self.assertEqual(float(lines[bucket % "0.256"]), 0, "each took half a second")
        self.assertEqual(float(lines[bucket % "0.512"]), 5)
        self.assertEqual(float(lines[bucket % "+Inf"]), 5)
        self.assertEqual(float(lines['queue_job_run_seconds_sum{channel="root.a"}']), 2.5)


class TestWaiting(JobCase):
    def test_of_a_long_backlog_the_last_count_is_taken(self):
        self.env.cr.execute("DELETE FROM queue_job_pulse")
        self.record.noop.delay(channel="root.short")
        for _number in range(3):
            self.record.noop.delay(channel="root.long")
        self.env.flush_all()
        with patch.object(monitoring, "QUICK_LIMIT", 2):
            found = monitoring.estimate_waiting(self.env.cr)
            self.assertEqual(found["root.long"][0], 3, "nobody has counted: it is done now")
            pulse.sample(self.env.cr)
            self.env.cr.execute("UPDATE queue_job_pulse SET waiting = 70 WHERE waiting = 3")
            found = monitoring.estimate_waiting(self.env.cr)
            self.assertEqual((found["root.long"][0], found["root.short"][0]), (70, 1))
            self.env.cr.execute("UPDATE queue_job_pulse SET minute = minute - interval '1 hour'")
            self.assertEqual(monitoring.estimate_waiting(self.env.cr)["root.long"][0], 3)
        status = read_status(self.env.cr)
        self.assertEqual({c.channel: c.waiting for c in status.channels}["root.long"], 3)


class TestListing(JobCase):
    def found(self, **wanted):
        return {row["uuid"] for row in listing.read_jobs(self.env.cr, JobFilter(**wanted), None)}

    def test_filters_are_put_together(self):
        job = self.record.with_user(self.user).noop.delay(channel="root.list.below")
        other = self.record.noop.delay(channel="root.lists")
        self.put(other, state="failed", exc_name="builtins.ValueError", exc_message="A Reason")
        self.env.flush_all()
        self.assertEqual(self.found(channel="root.list"), {job.uuid})
        self.assertEqual(self.found(channel="root.list", states=["failed"]), set())
        self.assertEqual(self.found(user="clerk"), {job.uuid})
        self.assertIn(other.uuid, self.found(exception="a reason", states=["failed"]))
        self.assertEqual(self.found(uuids=[job.uuid, "other"]), {job.uuid})
        self.assertEqual(self.found(uuids=[]), set())
        self.assertTrue({job.uuid, other.uuid} <= self.found(model="test.queue.job"))
        self.assertEqual(self.found(function="100%'; --"), set())
        self.assertEqual(self.found(since=datetime(2999, 1, 1)), set())
        ids = listing.read_ids(self.env.cr, JobFilter(user="clerk"), 1)
        self.assertEqual(ids, self.stored(job).ids)

    def test_all_is_told_of_one(self):
        job = self.record.noop.delay(1, word="two")
        self.env.flush_all()
        details = listing.read_details(self.env.cr, job.uuid)
        self.assertEqual(details.row["uuid"], job.uuid)
        self.assertEqual(json.loads(details.row["args"]), [1])
        self.assertIsNone(listing.read_details(self.env.cr, "none"))


class TestLogs(TransactionCase):
    FIELDS = logs.JobFields("an-uuid", 7, "<model>.method", "root.a", 3)

    def setUp(self):
        super().setUp()
        self.stream = io.StringIO()
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s "))
        root = logging.getLogger()
        root.addHandler(self.handler)
        self.addCleanup(root.removeHandler, self.handler)
        self.logger = logging.getLogger("odoo.addons.some_addon")

    def log(self, *args, level=logging.WARNING, **kwargs):
        before = self.stream.tell()
        self.logger.log(level, *args, **kwargs)
        return self.stream.getvalue()[before:]

    def test_lines_of_a_job_name_it(self):
        logs.install()
        plain = "WARNING odoo.addons.some_addon: before \n"
        self.assertEqual(self.log("before"), plain)
        with logs.as_caused_by(self.FIELDS):
            line = self.log("within")
            named = self.log("job %s is named already", "an-uuid")
            with self.assertLogs(self.logger) as caught:
                self.logger.warning("seen by others")
        self.assertEqual(line, "WARNING odoo.addons.some_addon: within [job an-uuid]\n")
        self.assertEqual(named.count("an-uuid"), 1)
        self.assertEqual(self.log("before"), plain, "it is over")
        self.assertEqual(len(caught.records), 1)

    def test_a_traceback_stays_behind_its_line(self):
        logs.install()
        with logs.as_caused_by(self.FIELDS):
            try:
                raise ValueError("a reason")
            except ValueError:
                first, second, *_rest = self.log("it failed", exc_info=True).splitlines()
        self.assertTrue(first.endswith("it failed [job an-uuid]"), first)
        self.assertIn("Traceback", second)

    def test_installed_twice_it_is_there_once(self):
        logs.install()
        logs.install()
        filters = [one for one in self.handler.filters if isinstance(one, logs.JobFilter)]
        self.assertEqual(len(filters), 1)

    def test_as_json_each_line_is_an_object(self):
        with patch.object(logs, "logs_json", lambda: True):
            logs.install()
        self.assertNotIn("job_uuid", json.loads(self.log("before")))
        with logs.as_caused_by(self.FIELDS):
            found = json.loads(self.log("two\nlines of %s", "text"))
        self.assertEqual(found["message"], "two\nlines of text")
        self.assertEqual((found["level"], found["logger"]), ("WARNING", "odoo.addons.some_addon"))
        expected = ("an-uuid", 7, "<model>.method", "root.a", 3)
        self.assertEqual(tuple(found[name] for name in logs.FIELDS), expected)
