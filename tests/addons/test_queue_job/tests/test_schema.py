from contextlib import suppress
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

import psycopg2

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from odoo.addons.queue_job.storage import dispatch, enqueue, home, listing, plans, schema
from odoo.addons.queue_job.storage.listing import JobFilter

from .common import JobCase


class TestSchema(JobCase):
    def setUp(self):
        super().setUp()
        self.env.cr.execute("SELECT name FROM pg_prepared_statements")
        if ("queue_job_window",) not in self.env.cr.fetchall():
            dispatch.prepare(self.env.cr)

    def plan(self, query, params=None):
        """Return the plan that PostgreSQL makes for a large table."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(f"EXPLAIN {query}", params)
        return "\n".join(row[0] for row in self.env.cr.fetchall())

    def test_hot_statements_use_the_partial_indexes(self):
        cases = (
            ("queue_job_ready_index", "EXECUTE queue_job_window ('{}', '')", None),
            ("queue_job_scheduled_index", "EXECUTE queue_job_window ('{}', '')", None),
            ("queue_job_ready_index", dispatch.READ_HEADS, (10, 10)),
            ("queue_job_ready_index", dispatch.LOOK, (0,)),
            ("queue_job_scheduled_index", dispatch.LOOK, (0,)),
            ("queue_job_running_index", dispatch.LOOK, (0,)),
            ("queue_job_waiting_index", dispatch.LOOK, (0,)),
            ("queue_job_retrying_index", dispatch.READ_HELD, None),
            ("queue_job_scheduled_index", dispatch.PROMOTE, None),
            ("queue_job_running_index", dispatch.READ_RUNNING, None),
            (
                "queue_job_identity_key_state_partial_index",
                enqueue.FIND_IDENTITIES,
                {"keys": ["a"]},
            ),
            ("queue_job_identity_claim_index", enqueue.FIND_IDENTITIES, {"keys": ["a"]}),
        )
        for index, query, params in cases:
            with self.subTest(index=index):
                plan = self.plan(query, params)
                self.assertIn(index, plan)
                self.assertNotRegex(plan, r"Seq Scan on queue_job\b")

    def test_the_list_of_the_command_line_reads_no_whole_table(self):
        since = datetime(2026, 1, 1)
        filters = (
            JobFilter(since=since),
            JobFilter(exception="ValueError"),
            JobFilter(function="noop"),
            JobFilter(function="noop", since=since),
            JobFilter(states=("pending", "done")),
        )
        for wanted in filters:
            with self.subTest(wanted=wanted):
                query, values = listing.newest(self.env.cr, wanted, 40)
                self.assertNotRegex(self.plan(query, values), r"Seq Scan on queue_job\b")

    def test_the_list_finds_in_every_state(self):
        self.env.cr.execute("DELETE FROM queue_job")
        states = ("pending", "done", "cancelled", "failed", "started", "wait_dependencies")
        by_state = {state: self.put(self.record.noop.delay(), state=state) for state in states}
        by_state["enqueued"] = self.put(self.record.noop.delay(), state="enqueued")
        self.record.noop.delay(eta=3600)
        all_of_them = self.env["queue.job"].search([])

        def found(limit=40, **asked):
            rows = listing.read_jobs(self.env.cr, JobFilter(**asked), limit)
            return [row["id"] for row in rows]

        self.assertEqual(found(), all_of_them.ids)
        self.assertEqual(found(function=".noop"), all_of_them.ids)
        self.assertEqual(found(function=".noop", limit=None), all_of_them.ids)
        self.assertEqual(found(function=".noop", limit=3), all_of_them.ids[:3])
        hour_ago = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(hours=1)
        self.assertEqual(found(model="test.queue.job", since=hour_ago), all_of_them.ids)
        for state, job in by_state.items():
            expected = all_of_them.filtered(lambda job, state=state: job.state == state)
            self.assertIn(job, expected)
            self.assertEqual(found(states=(state,)), expected.ids)

    def test_the_list_tells_when_there_are_older_jobs(self):
        jobs = [self.put(self.record.noop.delay(), state="done") for _number in range(3)]
        asked = JobFilter(function=".noop", since=datetime(2026, 1, 1))
        self.assertFalse(listing.has_older(self.env.cr, asked))
        with patch.object(listing, "NEWEST", 2):
            self.assertTrue(listing.has_older(self.env.cr, asked))
            self.assertFalse(listing.has_older(self.env.cr, JobFilter(states=("failed",))))
            found = listing.read_jobs(self.env.cr, asked, 40)
            self.assertNotIn(jobs[0].id, [row["id"] for row in found])
            found = listing.read_jobs(self.env.cr, asked, None)
            self.assertIn(jobs[0].id, [row["id"] for row in found])

    def test_jobs_refer_to_others_without_foreign_keys(self):
        self.env.cr.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'queue_job'::regclass "
            "AND contype = 'f'"
        )
        self.assertEqual(self.env.cr.fetchall(), [])

    def test_what_jobs_refer_to_is_not_deleted(self):
        user = self.env["res.users"].create({"name": "User with a job", "login": "has_a_job"})
        job = self.stored(self.record.noop.delay())
        self.env.cr.execute("UPDATE queue_job SET user_id = %s WHERE id = %s", (user.id, job.id))
        company = self.env["res.company"].create({"name": "Company with a job"})
        self.env.cr.execute(
            "UPDATE queue_job SET company_id = %s WHERE id = %s", (company.id, job.id)
        )
        job.invalidate_recordset()
        for referred in (user, company, job.job_function_id):
            with self.subTest(referred=referred), self.assertRaisesRegex(UserError, job.uuid):
                referred.unlink()

    def test_a_user_without_jobs_is_deleted(self):
        user = self.env["res.users"].create({"name": "User without jobs", "login": "has_none"})
        user.unlink()
        self.assertFalse(user.exists())

    def test_indexes_and_triggers_can_be_made_again(self):
        schema.create(self.env.cr)

    def test_order_and_bound_of_the_window(self):
        self.env.cr.execute("UPDATE queue_job SET state = 'done'")
        late = self.stored(self.record.noop.delay(priority=20))
        soon = self.stored(self.record.noop.delay(priority=1))
        other = self.stored(self.record.noop.delay(channel="other"))
        self.record.noop.delay(eta=3600)
        window = dispatch.read_window(self.env.cr, home.read_home(self.env.cr))
        self.assertEqual([job.id for job in window.ready], [soon.id, late.id, other.id])
        self.assertEqual(window.ready[2].channel, "root.other")
        self.assertAlmostEqual(window.next_eta, 3600, delta=60)

    def test_enqueue_takes_only_what_is_ready(self):
        ready = self.stored(self.record.noop.delay())
        later = self.stored(self.record.noop.delay(eta=3600))
        done = self.put(self.record.noop.delay(), state="done")
        attempts = dispatch.enqueue(self.env.cr, (ready + later + done).ids)
        self.assertEqual(attempts, {ready.id: 1})

    def test_promote_lets_due_jobs_compete(self):
        record = self.stored(self.record.noop.delay(eta=3600))
        self.assertEqual(dispatch.promote(self.env.cr), 0)
        self.env.cr.execute(
            "UPDATE queue_job SET eta = now() AT TIME ZONE 'UTC' - interval '1 second', "
            "scheduled = true WHERE id = %s",
            (record.id,),
        )
        self.env.cr.execute("UPDATE queue_job SET scheduled = true WHERE id = %s", (record.id,))
        dispatch.promote(self.env.cr)
        record.invalidate_recordset()
        self.assertFalse(record.scheduled)


class TestPlans(JobCase):
    """Statements that a cursor runs often are planned, and only where no pooler is between."""

    def is_planned(self, name):
        self.env.cr.execute("SELECT count(*) FROM pg_prepared_statements WHERE name = %s", [name])
        return bool(self.env.cr.fetchone()[0])

    def run_often(self, name):
        for number in range(2 * plans.PLANNED_FROM):
            plans.execute(self.env.cr, name, "SELECT %s::int + %s::int", [number, 1])
            self.assertEqual(self.env.cr.fetchone()[0], number + 1)

    def test_a_statement_is_planned_when_it_was_used_often(self):
        self.run_often("queue_job_planned_directly")
        self.assertTrue(self.is_planned("queue_job_planned_directly"))

    def test_nothing_is_planned_behind_a_pooler(self):
        with patch.object(plans, "_is_direct", return_value=False):
            self.run_often("queue_job_planned_pooled")
        self.assertFalse(self.is_planned("queue_job_planned_pooled"))

    def test_a_plan_that_failed_is_made_again(self):
        def use():
            plans.execute(self.env.cr, "queue_job_planned_late", "SELECT %s::int", [1])

        for _use in range(plans.PLANNED_FROM - 1):
            use()
        with mute_logger("odoo.sql_db"), self.env.cr.savepoint(flush=False) as savepoint:
            with suppress(psycopg2.Error):
                self.env.cr.execute("SELECT 1 / 0")
            with suppress(psycopg2.Error):
                use()
            savepoint.rollback()
        self.assertFalse(self.is_planned("queue_job_planned_late"))
        use()
        use()
        self.assertTrue(self.is_planned("queue_job_planned_late"))

    def test_another_cursor_begins_anew(self):
        with self.registry.cursor() as cr:
            for number in range(2 * plans.PLANNED_FROM):
                plans.execute(cr, "queue_job_planned_anew", "SELECT %s::int", [number])

    def test_a_rollback_to_a_savepoint_leaves_the_plan(self):
        with self.env.cr.savepoint() as savepoint:
            self.run_often("queue_job_planned_undone")
            savepoint.rollback()
        self.run_often("queue_job_planned_undone")
