"""Acting on many jobs: those of a selection, or all that match a filter."""

import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.queue_job.delay import chain
from odoo.addons.queue_job.models import queue_job as queue_job_module
from odoo.addons.queue_job.wizard import queue_job_bulk

from .security import SecurityCase

FAILED = [["state", "=", "failed"]]


class BulkCase(SecurityCase):
    def bulk(self, action, domain, user=None, **values):
        bulks = self.env["queue.job.bulk"].with_user(user or self.manager)
        return bulks.create({"action": action, "domain": json.dumps(domain), **values})

    def failed(self, number, **values):
        """Return jobs that have failed."""
        jobs = self.env["queue.job"]
        for _each in range(number):
            jobs += self.put(
                self.record.noop.delay(), state="failed", exc_name="Error", retry=1, **values
            )
        return jobs

    def states(self, jobs):
        jobs.invalidate_recordset()
        return set(jobs.mapped("state"))


class TestBulk(BulkCase):
    def test_each_action(self):
        moment = fields.Datetime.now() + timedelta(days=1)
        for action, values, field, expected in (
            ("retry", {}, "state", "pending"),
            ("cancel", {}, "state", "cancelled"),
            ("done", {}, "state", "done"),
            ("channel", {"channel": "other"}, "channel", "root.other"),
            ("priority", {"priority": 3}, "priority", 3),
            ("eta", {"eta": moment}, "eta", moment),
        ):
            with self.subTest(action=action):
                jobs = self.failed(3)
                self.bulk(action, [["id", "in", jobs[:2].ids]], **values).apply()
                jobs.invalidate_recordset()
                self.assertEqual([job[field] for job in jobs[:2]], [expected] * 2)
                self.assertEqual(jobs[2].state, "failed")
                self.assertNotEqual(jobs[2][field], expected)

    def test_only_those_in_a_fitting_state_change(self):
        failed = self.failed(2)
        running = self.put(self.record.noop.delay(), state="started")
        done = self.put(self.record.noop.delay(), state="done")
        chosen = failed + running + done
        bulk = self.bulk("priority", [["id", "in", chosen.ids]], priority=1)
        self.assertIn("2 of the 4 chosen", bulk.summary)
        bulk.apply()
        self.assertEqual(set(failed.mapped("priority")), {1})
        self.assertNotIn(1, (running + done).mapped("priority"))
        self.assertIn("None of the", self.bulk("retry", [["id", "=", running.id]]).summary)

    def test_nothing_is_chosen_by_default(self):
        jobs = self.failed(1)
        self.env["queue.job.bulk"].with_user(self.manager).create({}).apply()
        self.assertEqual(self.states(jobs), {"failed"})

    def test_the_count_ends_at_some_number(self):
        jobs = self.failed(3)
        with patch.object(queue_job_bulk, "MOST_COUNTED", 2):
            summary = self.bulk("retry", [["id", "in", jobs.ids]]).summary
        self.assertEqual(summary, "more than 2 jobs will be changed.")

    def test_a_channel_that_is_none(self):
        jobs = self.failed(1)
        with self.assertRaises(ValidationError):
            self.bulk("channel", [["id", "in", jobs.ids]], channel="a..b").apply()


class TestFilters(BulkCase):
    """What is accepted from outside."""

    def test_only_plain_fields_of_jobs(self):
        for domain in (
            [["user_id.login", "=", "admin"]],
            [["user_id", "any", [["login", "=", "admin"]]]],
            [["id", "in", {"a": 1}]],
            [["no_such", "=", 1]],
            [[["a"], "=", 1]],
            [["id", "inselect", "x"]],
            [["id", "=", 1, 2]],
            ["&"],
            ["|", ["id", "=", 1]],
            ["id = 1"],
            {"a": 1},
            None,
            "1",
        ):
            with self.subTest(domain=domain), self.assertRaises(UserError):
                self.bulk("retry", domain).apply()
        for text in ("", "[", "[" * 99_999, '[["id", "=", ' + "1" * 400_000 + "]]"):
            with self.subTest(text=text[:9]), self.assertRaises(UserError):
                self.bulk("retry", []).write({"domain": text or "x"})
                self.bulk("retry", []).create({"action": "retry", "domain": text or "x"}).apply()

    def test_fields_that_a_user_may_not_read(self):
        for name in ("records",):
            with self.subTest(name=name), self.assertRaises(AccessError):
                self.bulk("retry", [[name, "!=", False]]).apply()

    def test_what_search_views_make_is_accepted(self):
        jobs = self.failed(1)
        for domain in (
            [["is_live", "=", True], ["state", "=", "failed"]],
            ["|", ["name", "ilike", "x"], ["state", "=", "failed"]],
            ["!", ["state", "!=", "failed"]],
            [["created_since", ">", "-1H"], ["state", "=", "failed"]],
            [["record_ref", "ilike", f"test.queue.job,{self.record.id}"]],
            [["job_function_id", "ilike", "noop"], ["state", "in", ["failed"]]],
        ):
            with self.subTest(domain=domain):
                self.put_failed(jobs)
                self.bulk("retry", domain).apply()
                self.assertEqual(self.states(jobs), {"pending"})

    def put_failed(self, jobs):
        self.env.flush_all()
        self.env.cr.execute("UPDATE queue_job SET state = 'failed' WHERE id = ANY(%s)", (jobs.ids,))
        jobs.invalidate_recordset()

    def test_times_are_those_of_the_moment_of_asking(self):
        job = self.failed(1)
        settled = self.bulk("retry", [["date_created", ">", "-1H"]])._settled()
        texts = [term for term in settled.iter_conditions() if term.field_expr == "date_created"]
        self.assertRegex(texts[0].value, r"^\d{4}-")
        self.assertTrue(self.env["queue.job"].search(settled) & job)

    def test_jobs_that_come_later_are_not_meant(self):
        bulk = self.bulk("cancel", [["state", "=", "pending"]])
        domain = bulk._settled()
        later = self.stored(self.record.noop.delay())
        self.assertFalse(self.env["queue.job"].search(domain) & later)


class TestRights(BulkCase):
    def test_an_operator_retries_and_cancels(self):
        for action, state in (("retry", "pending"), ("cancel", "cancelled")):
            jobs = self.failed(2)
            self.bulk(action, [["id", "in", jobs.ids]], self.operator).apply()
            self.assertEqual(self.states(jobs), {state})

    def test_an_operator_does_nothing_else(self):
        jobs = self.failed(2)
        for action in ("done", "channel", "priority", "eta"):
            bulk = self.bulk(action, [["id", "in", jobs.ids]], self.operator)
            with self.subTest(action=action), self.assertRaises(AccessError):
                bulk.apply()
            with self.subTest(action=action), self.assertRaises(AccessError):
                self.env["queue.job.bulk"].with_user(self.operator)._change_all(action, FAILED, 3)
        self.assertEqual(self.states(jobs), {"failed"})

    def test_jobs_of_other_companies_are_left_alone(self):
        self.put(self.foreign_job, state="failed")
        own = self.failed(1)
        self.bulk("retry", FAILED).apply()
        self.assertEqual(self.states(own), {"pending"})
        self.assertEqual(self.states(self.foreign_job), {"failed"})
        bulks = self.env["queue.job.bulk"].with_user(self.manager)
        bulks._change_all("retry", FAILED, False)
        self.assertEqual(self.states(self.foreign_job), {"failed"})

    def put(self, job, **values):
        return (
            super().put(job, **values) if hasattr(job, "db_record") else self.put_row(job, values)
        )

    def put_row(self, record, values):
        self.env.flush_all()
        for name, value in values.items():
            self.env.cr.execute(
                f'UPDATE queue_job SET "{name}" = %s WHERE id = %s', (value, record.id)
            )
        record.invalidate_recordset()
        return record

    def test_others_do_nothing(self):
        for user in (*self.strangers, self.viewer):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.bulk("retry", FAILED, user)


class TestMany(BulkCase):
    """What is too much to wait for is done by a job, in batches."""

    def setUp(self):
        super().setUp()
        for name, value in (("AT_ONCE", 2), ("BATCH", 2)):
            patcher = patch.object(queue_job_bulk, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)

    def ask(self, action="retry", **values):
        """Ask for it; return the job that is to do it."""
        answer = self.bulk(action, FAILED, **values).apply()
        self.assertEqual(answer["res_model"], "queue.job")
        return self.env["queue.job"].browse(answer["res_id"])

    def run_bulk(self, job, user=None):
        """Do what a worker does with the job, in this transaction."""
        args = job.args
        return self.env["queue.job.bulk"].with_user(user or self.manager)._change_all(*args)

    def test_a_job_does_it(self):
        jobs = self.failed(7)
        job = self.ask()
        self.assertEqual((job.user_id, job.state), (self.manager, "pending"))
        self.assertEqual(self.states(jobs), {"failed"})
        self.assertEqual(self.run_bulk(job), "7 of 7 jobs were changed.")
        self.assertEqual(self.states(jobs), {"pending"})
        self.assertEqual(self.run_bulk(job), "0 of 0 jobs were changed.")

    def test_what_is_done_to_many_is_not_noted_in_each(self):
        jobs = self.failed(5)
        before = jobs.message_ids
        self.run_bulk(self.ask())
        self.assertEqual(jobs.message_ids, before)
        # A call from outside cannot ask for that.
        jobs.with_user(self.manager).with_context(_job_in_batches=True).button_cancelled()
        self.assertEqual(len(jobs.message_ids - before), len(jobs))

    def test_waiting_jobs_are_changed_from_the_newest_on(self):
        jobs, changed = self.failed(5), []
        cancel = type(jobs).button_cancelled

        def note(batch):
            changed.extend(batch.ids)
            return cancel(batch)

        with patch.object(type(jobs), "button_cancelled", note):
            self.run_bulk(self.ask("cancel"))
        self.assertEqual(changed, jobs.ids[::-1])

    def test_it_runs_again_where_it_was_stopped(self):
        jobs = self.failed(5)
        job = self.ask()
        jobs[:2].requeue()
        self.assertEqual(self.run_bulk(job), "3 of 3 jobs were changed.")

    def test_a_job_that_failed_again_is_not_tried_again(self):
        jobs = self.failed(5)
        job = self.ask()
        later = fields.Datetime.now() + timedelta(seconds=5)
        jobs[0]._edit({"date_started": later})
        self.run_bulk(job)
        self.assertEqual(jobs.mapped("state"), ["failed"] + ["pending"] * 4)

    def test_values_reach_the_job(self):
        moment = fields.Datetime.now() + timedelta(days=1)
        jobs = self.failed(3)
        self.run_bulk(self.ask("eta", eta=moment))
        self.assertEqual(set(jobs.mapped("eta")), {moment})
        self.run_bulk(self.ask("channel", channel="x.y"))
        self.assertEqual(set(jobs.mapped("channel")), {"root.x.y"})


class TestAtOnce(BulkCase):
    """Many are changed by one statement: to the same as one by one."""

    def setUp(self):
        super().setUp()
        patcher = patch.object(queue_job_module, "MANY", 2)
        patcher.start()
        self.addCleanup(patcher.stop)

    def test_the_rows_are_those_that_the_orm_writes(self):
        for method in ("requeue", "button_done", "button_cancelled"):
            with self.subTest(method=method), self.env.cr.savepoint():
                many = self.failed(3, result="old", lost=2, worker_pid=1)
                one = self.failed(1, result="old", lost=2, worker_pid=1)
                for jobs in (many, one):
                    getattr(jobs.with_user(self.manager), method)()
                own = ("id", "uuid", "date_created", "message_main_attachment_id")
                rows = [
                    {name: value for name, value in self.row(job).items() if name not in own}
                    for job in (*many, one)
                ]
                self.assertEqual(rows[0], rows[1])
                for name in ("date_done", "date_cancelled"):
                    times = [bool(row.pop(name)) for row in rows]
                    self.assertEqual(len(set(times)), 1)
                self.assertEqual(rows[0], rows[3])

    def test_graphs_follow(self):
        graphs = [
            (self.record.delayable().noop(), self.record.delayable().noop()) for _each in range(3)
        ]
        for parent, child in graphs:
            chain(parent, child).delay()
        parents, children = (
            self.env["queue.job"].concat(
                *(self.stored(pair[place]._generated_job) for pair in graphs)
            )
            for place in (0, 1)
        )
        self.assertEqual(self.states(children), {"wait_dependencies"})
        parents.button_cancelled()
        self.assertEqual(self.states(children), {"cancelled"})
        (parents + children).requeue()
        self.assertEqual(self.states(parents), {"pending"})
        self.assertEqual(self.states(children), {"wait_dependencies"})
        parents.button_done()
        self.assertEqual(self.states(children), {"pending"})

    def test_extensions_of_write_still_hear_of_it(self):
        jobs, heard = self.failed(3), []
        model = type(self.env["queue.job"])

        def write(records, values):
            heard.append(len(records))
            return original(records, values)

        original = model.write
        with (
            patch.object(model, "write", write),
            patch.object(model, "_is_extended", lambda *_args: True),
        ):
            jobs.requeue()
        self.assertEqual(heard, [3])

    def test_jobs_of_others_are_not_written(self):
        jobs = self.failed(3).with_user(self.viewer)
        with self.assertRaises(AccessError):
            jobs._edit_at_once({"state": "done"})
