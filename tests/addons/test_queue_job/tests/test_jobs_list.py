"""What the list of jobs finds, shows and counts, and what it costs."""

from contextlib import suppress
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError

from odoo.addons.queue_job.models.queue_job_list import MOST_RECORDS
from odoo.addons.queue_job.storage import searching

from .security import SecurityCase
from .test_board import ROWS

LIST = "queue_job.view_queue_job_tree"


class ListCase(SecurityCase):
    def find(self, *domain, user=None):
        """Return the jobs of this test that match."""
        jobs = self.env["queue.job"].with_user(user or self.manager)
        return jobs.search(list(domain)).with_env(self.env)

    def stored_put(self, job, **values):
        return self.put(job, **values)


class TestArguments(ListCase):
    """Finding by what a job was called with."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        nested = {"options": {"lang": "en", "aa": 1, "b": [1, {"sku": "A-1"}]}}
        cls.called = cls.record.noop.delay(4_711, {"order_id": 42}, customer="Ann", **nested)
        cls.partner = cls.env["res.partner"].create({"name": "Whom it is about"})
        cls.with_record = cls.record.noop.delay(partner=cls.partner, when=fields.Date.today())
        cls.env.flush_all()

    def assert_finds(self, text, job):
        expected = job.db_record().with_env(self.env) if job else self.env["queue.job"]
        self.assertEqual(self.find(("argument", "ilike", text)), expected, text)

    def test_paths_that_lead_to_a_job(self):
        for text in (
            "args.order_id:42",
            "args.1.order_id:42",
            "args.0:4711",
            "args:4711",
            "kwargs.customer:Ann",
            'args.customer:"Ann"',
            "kwargs.options.lang:en",
            "kwargs.options.b.1.sku:A-1",
            "kwargs.options.aa = 1",
        ):
            self.assert_finds(text, self.called)

    def test_paths_that_lead_nowhere(self):
        for text in (
            "kwargs.order_id:42",
            "args.order_id:43",
            "args.1:4711",
            'args.order_id:"42"',
            "args.order_id:4",
            "kwargs.options.lang:e",
            "args.customer:ann' OR true --",
            'args.customer:" || true',
        ):
            self.assert_finds(text, None)

    def test_records_and_dates(self):
        self.assert_finds(f"kwargs.partner:res.partner,{self.partner.id}", self.with_record)
        self.assert_finds(f"args.partner:{self.partner.id}", self.with_record)
        self.assert_finds(f"args.when:{fields.Date.today()}", self.with_record)
        self.assert_finds(f"kwargs.partner:res.users,{self.partner.id}", None)

    def test_what_is_no_path_is_explained(self):
        for text in ("order_id", "args.", "args.a.b.c.d.e.f:1", "kwargs.order_id"):
            with self.subTest(text=text), self.assertRaisesRegex(UserError, r"args\.order_id:42"):
                self.find(("argument", "ilike", text))

    def test_any_text_is_only_a_text(self):
        for text in ("\\", '"', '\\"', "\0", "\ud800", "\u2028x", "é", "1" * 400, "$.*", "x" * 999):
            with self.subTest(text=text[:9]):
                self.find(("argument", "ilike", f"args:{text}"))
                with suppress(UserError):
                    self.find(("argument", "ilike", f"args.{text}:{text}"))

    def test_only_a_manager_guesses_at_arguments(self):
        """A guess that finds a job is right, and a path leads around every mask."""
        key = self.called.db_record().uuid
        self.env.cr.execute("UPDATE queue_job SET identity_key = uuid, identity_claim = uuid")
        for domain in (
            ("argument", "ilike", "args.customer:Ann"),
            ("identity_key", "=", key),
            ("identity_claim", "=", key),
        ):
            self.assertTrue(self.find(domain, user=self.manager))
            for user in (self.operator, self.viewer):
                with self.subTest(name=domain[0], user=user.login), self.assertRaises(AccessError):
                    self.find(domain, user=user)


class TestFinding(ListCase):
    def test_by_record(self):
        job, number = self.stored(self.record.noop.delay()), self.record.id
        for text in (
            f"test.queue.job,{number}",
            f"test.queue.job({number},)",
            f"test.queue.job#{number}",
            f"Jobs of Every Kind#{number}",
        ):
            with self.subTest(text=text):
                self.assertIn(job, self.find(("record_ref", "ilike", text)))
        for text in (f"test.queue.job,{number + 10**6}", f"res.partner,{number}", "nothing"):
            with self.subTest(text=text):
                self.assertFalse(self.find(("record_ref", "ilike", text)))

    def test_what_is_typed_is_a_name_and_no_pattern(self):
        self.assertEqual(self.env["queue.job"]._models_called("%"), ["%"])
        self.assertEqual(self.env["queue.job"]._models_called("test_queue_job"), ["test_queue_job"])
        job, text = self.stored(self.record.noop.delay()), f"test.queue.job,{self.record.id}"
        self.assertIn(job, self.find(("record_ref", "in", [text])))
        texts = [f"res.partner,{number}" for number in range(MOST_RECORDS)]
        self.assertNotIn(job, self.find(("record_ref", "in", [*texts, text])))

    def test_what_can_be_acted_on_is_live(self):
        ready = self.stored(self.record.noop.delay(channel="a"))
        low = self.stored(self.record.noop.delay(priority=99))
        later = self.stored(self.record.noop.delay(eta=3600))
        failed = self.put(self.record.noop.delay(), state="failed")
        ended = self.put(self.record.noop.delay(), state="done")
        given_up = self.put(self.record.noop.delay(), state="cancelled")
        found = self.find(("is_live", "=", True))
        self.assertLessEqual(ready + low + later + failed, found)
        self.assertFalse(found & (ended + given_up))
        self.assertEqual(found, found.filtered("is_live"))
        newest = searching.newest_live(self.env.cr)
        self.assertEqual(newest, failed.id)
        self.put(self.record.noop.delay(), state="started")
        self.assertGreater(searching.newest_live(self.env.cr), newest)

    def test_many_jobs_of_the_future_have_no_bound(self):
        self.env["test.queue.job"].browse(self.record.id).launch(
            "noop", options={"eta": 3600}, times=3
        )
        most = searching.NEWEST_LIVE_MOST
        self.env.cr.execute(searching.NEWEST_LIVE, {"most": 2})
        self.assertIsNone(self.env.cr.fetchone()[0])
        self.assertGreater(most, 2)

    def test_by_age(self):
        now = fields.Datetime.now()
        jobs = self.env["queue.job"]
        for minutes in range(300, 0, -3):
            created = now - timedelta(minutes=minutes)
            jobs += self.put(self.record.noop.delay(), date_created=created)
        for minutes in (1, 2, 59, 100, 299, 301, 9999):
            with self.subTest(minutes=minutes):
                since = now - timedelta(minutes=minutes)
                expected = jobs.filtered(lambda job, since=since: job.date_created > since)
                found = self.find(("created_since", ">", fields.Datetime.to_string(since)))
                self.assertEqual(found & jobs, expected)
        self.assertLessEqual(jobs[-19:], self.find(("created_since", ">", "-1H")))
        self.assertFalse(jobs[:70] & self.find(("created_since", ">", "-1H")))

    def test_by_channel_and_below(self):
        below = self.stored(self.record.noop.delay(channel="tree.branch.leaf"))
        beside = self.stored(self.record.noop.delay(channel="tree.branches"))
        tree = self.env["queue.job.channel"].create(
            {"name": "tree", "parent_id": self.env.ref("queue_job.channel_root").id}
        )
        branch = self.env["queue.job.channel"].create({"name": "branch", "parent_id": tree.id})
        self.assertEqual(self.find(("channel_id", "child_of", branch.id)), below)
        self.assertEqual(self.find(("channel_id", "child_of", tree.id)), below + beside)
        own = self.stored(self.record.noop.delay(channel="tree"))
        self.assertEqual(own.channel_id, tree)
        self.assertEqual(self.find(("channel_id", "in", tree.ids)), own)

    def test_what_runs_long(self):
        now = fields.Datetime.now()
        long = self.put(self.record.noop.delay(), state="started", date_started=now - timedelta(1))
        self.put(self.record.noop.delay(), state="started", date_started=now)
        self.assertEqual(self.find(("runs_long", "=", True)), long)
        self.assertTrue(long.runs_long)
        self.assertAlmostEqual(long.ran, 86400, delta=60)

    def test_what_has_just_begun_has_run_for_some_time(self):
        soon = fields.Datetime.now() + timedelta(minutes=1)
        job = self.put(self.record.noop.delay(), state="started", date_started=soon)
        self.assertEqual((job.ran, job.runs_long), (0.001, False))


class TestColumns(ListCase):
    def test_times(self):
        start = fields.Datetime.now() - timedelta(hours=1)
        second = timedelta(seconds=1)
        job = self.put(
            self.record.noop.delay(),
            state="done",
            date_created=start,
            date_started=start + 5 * second,
            exec_time=2.5,
        )
        self.assertEqual((job.waited, job.ran), (5.0, 2.5))
        postponed = self.put(self.record.noop.delay(), date_created=start, eta=start + 60 * second)
        self.assertAlmostEqual(postponed.waited, 3540, delta=30)
        future = self.stored(self.record.noop.delay(eta=3600))
        self.assertEqual((future.waited, future.ran), (0.0, 0.0))

    def test_columns_of_states_are_in_the_order_of_a_life(self):
        for state in ("failed", "done", "pending", "wait_dependencies", "strange"):
            self.put(self.record.noop.delay(), state=state)
        jobs = self.env["queue.job"].with_context(read_group_expand=True)
        groups = jobs.formatted_read_group([], ["state"], ["__count"])
        states = [group["state"] for group in groups if group["state"] != "started"]
        self.assertEqual(states, ["wait_dependencies", "pending", "done", "failed", "strange"])

    def test_the_record_is_named_to_who_may_read_it(self):
        partners = self.env["res.partner"].create([{"name": "First"}, {"name": "Second"}])
        job = self.stored(partners.with_delay().exists())
        link = job.with_user(self.manager).record_link
        self.assertEqual(
            link, {"model": "res.partner", "id": partners[0].id, "name": "First", "more": 1}
        )
        self.assertEqual(job.record_ref, f"res.partner,{partners[0].id}")
        parameter = self.env["ir.config_parameter"].search([], limit=1)
        hidden = self.stored(parameter.with_delay().exists()).with_user(self.manager)
        self.assertFalse(hidden.record_link["name"])
        partners.unlink()
        self.env.invalidate_all()
        self.assertFalse(job.with_user(self.manager).record_link["name"])

    def test_rows_changed_by_hand_are_shown_all_the_same(self):
        job = self.stored(self.record.noop.delay())
        for records in (
            "null",
            "[]",
            '{"ids": 3}',
            '{"ids": ["x"], "model": "a.b"}',
            '{"ids": [1], "model": "no.such"}',
            '{"ids": [1]}',
        ):
            with self.subTest(records=records):
                self.env.cr.execute(
                    "UPDATE queue_job SET records = %s WHERE id = %s", (records, job.id)
                )
                self.env.invalidate_all()
                job.with_user(self.manager).read(["record_link", "record_ref"])

    def test_the_search_panel_counts_what_is_live(self):
        self.put(self.record.noop.delay(), state="failed")
        self.put(self.record.noop.delay(), state="done")
        jobs = self.env["queue.job"].with_user(self.manager)
        options = {"enable_counters": True, "expand": True, "search_domain": []}
        values = jobs.search_panel_select_range("state", **options)["values"]
        counts = {value["id"]: value.get("__count") for value in values}
        self.assertEqual(counts["failed"], 1)
        self.assertIsNone(counts["done"])
        none = jobs.search_panel_select_range(
            "state", **{**options, "search_domain": [("name", "=", "no such")]}
        )
        self.assertEqual({value.get("__count", 0) for value in none["values"]}, {0})
        for name in ("channel_id", "job_function_id"):
            self.assertTrue(jobs.search_panel_select_range(name, expand=True)["values"])


class TestCosts(ListCase):
    """The plans of what the list asks for, with what is dear forbidden: the table is small."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for state, times in (("done", 5000), ("pending", 5)):
            values = {"state": state, "eta": None, "error": None, "company": None}
            cls.env.cr.execute(ROWS, {**values, "times": times})
        cls.env.cr.execute("ANALYZE queue_job")

    def plan_of(self, domain, limit=80, order="id DESC"):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        query = (
            self.env["queue.job"].with_user(self.manager)._search(domain, limit=limit, order=order)
        )
        self.env.cr.execute("EXPLAIN " + self.env.cr.mogrify(query.select()).decode())
        return "\n".join(row[0] for row in self.env.cr.fetchall())

    def test_age_is_a_range_of_ids(self):
        plan = self.plan_of([("created_since", ">", "-1H")])
        self.assertRegex(plan, r"Index Cond: \(id >= \d+\)")

    def test_live_jobs_end_at_the_newest(self):
        plan = self.plan_of([("is_live", "=", True)])
        self.assertRegex(plan, r"Index Cond: \(id <= \d+\)")

    def test_live_jobs_are_grouped_by_the_partial_indexes(self):
        self.env.cr.execute("SET LOCAL enable_indexscan = off")
        plan = self.plan_of([("is_live", "=", True)], limit=None, order="state")
        for index in ("ready", "scheduled", "running", "waiting", "failed"):
            self.assertIn(f"queue_job_{index}_index", plan)

    def test_waiting_jobs_are_found_without_a_walk_over_finished_ones(self):
        """What the dashboard, the tree of channels and the bulk actions ask for."""
        waits = ["wait_dependencies", "pending", "enqueued", "started"]
        live = ("is_live", "=", True)
        in_channel = ["|", ("channel", "=", "root"), ("channel", "=like", "root.%")]
        domains = [
            [live, ("state", "=", "pending"), ("scheduled", "=", False)],
            [live, ("state", "=", "pending"), ("scheduled", "=", True)],
            [live, ("state", "in", waits), *in_channel],
        ]
        bulks = self.env["queue.job.bulk"]
        actions = ("cancel", "done", "channel", "priority", "eta")
        domains += [list(bulks.new({"action": action})._fitting()) for action in actions]
        for domain in domains:
            with self.subTest(domain=domain):
                listed = self.plan_of(domain)
                if "queue_job_pkey" in listed:
                    self.assertRegex(listed, r"Index Cond: \(id <= \d+\)")
                counted = self.plan_of(domain, limit=100_001, order=None)
                for plan in (listed, counted):
                    self.assertNotRegex(plan, r"Seq Scan on queue_job\b")
                    self.assertRegex(plan, "queue_job_(pkey|ready_index|scheduled_index)")
                self.assertNotIn("queue_job_pkey", counted)

    def test_arguments_are_searched_in_the_newest_and_the_failed(self):
        plan = self.plan_of([("argument", "ilike", "args.order_id:42")])
        self.assertIn("queue_job_failed_index", plan)
        self.assertNotIn("Seq Scan on queue_job ", plan)
