from odoo.addons.queue_job.storage import dispatch, schema

from .common import JobCase


class TestSchema(JobCase):
    def plan(self, query, params=None):
        """Return the plan that PostgreSQL makes for a large table."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(f"EXPLAIN {query}", params)
        return "\n".join(row[0] for row in self.env.cr.fetchall())

    def test_hot_statements_use_the_partial_indexes(self):
        cases = (
            ("queue_job_ready_index", dispatch.READ_WINDOW, {"window": 500, "missed": []}),
            ("queue_job_scheduled_index", dispatch.READ_WINDOW, {"window": 500, "missed": []}),
            ("queue_job_retrying_index", dispatch.READ_HELD, None),
            ("queue_job_scheduled_index", dispatch.PROMOTE, None),
            ("queue_job_running_index", dispatch.READ_RUNNING, None),
        )
        for index, query, params in cases:
            with self.subTest(index=index):
                plan = self.plan(query, params)
                self.assertIn(index, plan)
                self.assertNotIn("Seq Scan on queue_job", plan)

    def test_indexes_and_triggers_can_be_made_again(self):
        schema.create(self.env.cr)

    def test_order_and_bound_of_the_window(self):
        self.env.cr.execute("UPDATE queue_job SET state = 'done'")
        late = self.stored(self.record.noop.delay(priority=20))
        soon = self.stored(self.record.noop.delay(priority=1))
        other = self.stored(self.record.noop.delay(channel="other"))
        self.record.noop.delay(eta=3600)
        window = dispatch.read_window(self.env.cr)
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
