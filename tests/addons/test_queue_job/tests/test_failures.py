"""Jobs that fail in the same way are one failure, of which operators can do something."""

from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase
from odoo.tools import mute_logger

from odoo.addons.queue_job.core.failure import Signature, lost_signature
from odoo.addons.queue_job.core.retry import LOST_LIMIT
from odoo.addons.queue_job.models import queue_job_failure, queue_job_failure_retry
from odoo.addons.queue_job.storage import dispatch, failures, outcome

from .security import SecurityCase

SIGNATURE = Signature("odoo.addons.shop.Refused", ("odoo.addons.shop.models.order.send",), "no <n>")
FUNCTION = "<test.queue.job>.noop"


class FailureCase(SecurityCase):
    """Jobs that have failed as the engine records it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.failures = cls.env["queue.job.failure"]
        cls.env["queue.job.failure"].search([]).unlink()

    def fail_job(self, job, signature=SIGNATURE, **error):
        """Fail a job as a worker does, and see its failure; return the failure."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'started', attempt = attempt + 1, "
            "date_started = now() AT TIME ZONE 'UTC' WHERE id = %s RETURNING attempt",
            job.ids,
        )
        (attempt,) = self.env.cr.fetchone()
        details = {"exc_name": signature.exception, "exc_message": "no 7", "exc_info": "Traceback"}
        recorded = outcome.fail(
            self.env.cr,
            job.id,
            attempt,
            spent=outcome.Spent(seconds=1.0, peak=200, added=1),
            error={**details, **error},
            key=signature.key,
        )
        self.assertTrue(recorded)
        self.failures._see(signature, job.channel_method_name)
        self.env.invalidate_all()
        return self.failures.search([("key", "=", signature.key)])

    def jobs(self, count, record=None):
        """Return so many new jobs."""
        record = record or self.record
        jobs = (record.noop.delay().db_record() for _number in range(count))
        return self.env["queue.job"].concat(*(job.with_env(self.env) for job in jobs))

    def make_responsible(self, user):
        """Let a user hear of new failures."""
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param(queue_job_failure.RESPONSIBLE, str(user.id))


class TestFailureGroups(FailureCase):
    def test_jobs_that_fail_alike_are_one(self):
        jobs = self.jobs(3)
        for job in jobs:
            failure = self.fail_job(job)
        self.assertEqual(len(failure), 1)
        self.assertEqual(failure.name, "Refused in order.send")
        self.assertEqual(failure.failed_count, 3)
        counts = (failure.count_hour, failure.count_day, failure.count_week)
        self.assertEqual(counts, (3, 3, 3))
        self.assertEqual(failure.trend[-1], 3)
        self.assertEqual(failure.functions, FUNCTION)
        self.assertEqual(failure.message, "no 7")
        self.assertIn(f"{self.record._description}: {self.record.name}", failure.affected)
        self.assertEqual(self.failures.search_count([]), 1)

    def test_how_often_is_counted_as_time_goes_by(self):
        first, second, third, old = self.jobs(4)
        for job, ago in ((first, "5 minutes"), (second, "3 hours"), (third, "3 days")):
            failure = self.fail_job(job)
            self.move(job, ago)
        self.fail_job(old)
        self.move(old, "8 days")
        failure.invalidate_recordset()
        counts = (failure.count_hour, failure.count_day, failure.count_week)
        self.assertEqual(counts, (1, 2, 3))
        self.assertEqual(sum(failure.trend), 3)

    def move(self, job, ago):
        self.env.cr.execute(
            "UPDATE queue_job_attempt SET date_ended = now() AT TIME ZONE 'UTC' - %s::interval "
            "WHERE job_id = %s",
            (ago, job.id),
        )

    def test_hours_that_are_over_are_counted_once(self):
        """By the cron, whenever it runs, and what came since when somebody looks."""
        jobs = self.jobs(6)
        for job, ago in zip(
            jobs, ("1 minute", "90 minutes", "4 hours", "30 hours", "6 days", "9 days"), strict=True
        ):
            failure = self.fail_job(job)
            self.move(job, ago)
        names = ("count_hour", "count_day", "count_week", "trend")
        before = failure.read(names)
        self.assertEqual([before[0][name] for name in names[:3]], [1, 3, 5])
        for _time in range(3):
            self.failures._look_after()
            self.env.invalidate_all()
            self.assertEqual(failure.read(names), before)
        self.assertTrue(
            self.env["queue.job.failure.count"].search_count([("key", "=", failure.key)])
        )
        late_job = self.jobs(1)
        late = self.fail_job(late_job)
        self.move(late_job, "2 hours")
        self.failures._look_after()
        self.env.invalidate_all()
        self.assertEqual((late.count_hour, late.count_day, late.count_week), (1, 4, 6))

    def test_of_a_storm_only_so_many_are_counted(self):
        for job in self.jobs(5):
            failure = self.fail_job(job)
        with patch.object(failures, "MOST", 3):
            self.assertEqual(failure.count_week, 3)

    def test_a_job_that_is_requeued_does_not_stand_failed(self):
        job = self.jobs(1)
        failure = self.fail_job(job)
        job.requeue()
        self.assertFalse(job.failure_key)
        self.assertEqual(failure.failed_count, 0)
        self.assertEqual(failure.count_hour, 1, "it happened all the same")

    def test_reading_them_asks_few_questions(self):
        for number in range(20):
            self.fail_job(self.jobs(1), Signature("Oops", (f"odoo.addons.shop.f{number}",), ""))
        found = self.failures.with_user(self.operator).search([])
        names = ["name", "count_day", "trend", "failed_count", "message", "functions"]
        found[:1].read(names)
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        found.read(names)
        self.assertEqual(len(found), 20)
        self.assertLess(self.env.cr.sql_log_count - before, 20)

    def test_tracebacks_are_read_where_they_are_shown(self):
        for number in range(3):
            signature = Signature("Oops", (f"odoo.addons.shop.f{number}",), "")
            for job in self.jobs(2):
                self.fail_job(job, signature)
        found = self.failures.with_user(self.manager).search([])
        kept = self.env["queue.job.attempt"]._fields["exc_info"]
        found.read(["message", "functions"])
        self.assertFalse(kept._get_cache(self.env))
        self.assertEqual(set(found.mapped("sample_traceback")), {"Traceback"})
        self.assertEqual(len(kept._get_cache(self.env)), len(found), "one of each")

    def test_of_very_many_records_the_first_are_shown(self):
        records = self.record.create([{"name": f"one {number}"} for number in range(60)])
        failure = self.fail_job(self.jobs(1, records))
        self.assertEqual(failure.affected.count("one "), queue_job_failure.MOST_RECORDS)

    def test_what_is_read_uses_the_indexes(self):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        cases = (
            ("queue_job_attempt_failure_idx", failures.HOURS, {"days": 7, "most": 9}),
            ("queue_job_attempt_failure_idx", failures.NEWEST, {"most": 9}),
            ("queue_job_failure_index", failures.UNKNOWN, {}),
        )
        for index, query, values in cases:
            self.env.cr.execute(f"EXPLAIN {query}", {"keys": ["a"], **values})
            plan = "\n".join(row[0] for row in self.env.cr.fetchall())
            with self.subTest(index=index):
                self.assertIn(index, plan)
                self.assertNotRegex(plan, r"Seq Scan on queue_job(_attempt)?\b")

    def test_a_failure_that_nobody_needs_is_forgotten(self):
        failure = self.fail_job(self.jobs(1))
        past = "UPDATE queue_job_failure SET last_seen = now() - interval '91 days' WHERE id = %s"
        self.env.cr.execute(past, failure.ids)
        self.failures._gc_failures()
        self.assertTrue(failure.exists(), "a job stands failed so")
        self.env["queue.job"].search(failure._failed_domain()).requeue()
        self.env.flush_all()
        self.failures._gc_failures()
        self.assertFalse(failure.exists())


class TestSeeingFailures(FailureCase):
    def test_nobody_is_told_when_nobody_is_responsible(self):
        failure = self.fail_job(self.jobs(1))
        self.assertFalse(failure.responsible_id)
        self.assertFalse(failure.activity_ids)

    def test_the_responsible_is_told_of_a_new_one_once(self):
        self.make_responsible(self.operator)
        for job in self.jobs(3):
            failure = self.fail_job(job)
        self.assertEqual(failure.responsible_id, self.operator)
        self.assertEqual(failure.activity_ids.user_id, self.operator)
        self.assertEqual(len(failure.activity_ids), 1)

    def test_who_may_not_see_failures_is_not_told(self):
        for value in (str(self.user.id), "0", "no number", "999999999"):
            self.env["ir.config_parameter"].set_param(queue_job_failure.RESPONSIBLE, value)
            self.assertFalse(self.failures._default_responsible())

    def test_what_cannot_be_told_is_known_all_the_same(self):
        self.make_responsible(self.operator)
        broken = patch.object(type(self.failures), "activity_schedule", side_effect=ValueError)
        with broken, mute_logger("odoo.addons.queue_job.models.queue_job_failure"):
            self.assertTrue(self.fail_job(self.jobs(1)))

    def test_one_that_was_solved_comes_back(self):
        self.make_responsible(self.operator)
        first, second, third = self.jobs(3)
        failure = self.fail_job(first).with_user(self.operator)
        failure.action_solve()
        self.assertFalse(failure.sudo().activity_ids)
        self.env.flush_all()
        self.fail_job(second)
        self.assertEqual((failure.state, failure.returns), ("new", 1))
        self.assertEqual(failure.sudo().activity_ids.user_id, self.operator)
        self.fail_job(third)
        self.assertEqual(failure.returns, 1)

    def test_one_that_is_muted_is_silent_until_then(self):
        self.make_responsible(self.operator)
        first, second, third = self.jobs(3)
        failure = self.fail_job(first).with_user(self.operator)
        failure.action_mute(fields.Datetime.add(fields.Datetime.now(), hours=1))
        self.env.flush_all()
        self.fail_job(second)
        self.assertEqual(failure.state, "muted")
        self.assertFalse(failure.sudo().activity_ids)
        self.failures._look_after()
        self.env.invalidate_all()
        self.assertEqual(failure.state, "muted")
        failure.sudo().muted_until = "2020-01-01 00:00:00"
        self.env.flush_all()
        self.fail_job(third)
        self.assertEqual((failure.state, failure.muted_until), ("new", False))
        self.assertTrue(failure.sudo().activity_ids)

    def test_the_end_of_a_silence_shows_it_again(self):
        failure = self.fail_job(self.jobs(1))
        failure.action_mute("2020-01-01 00:00:00")
        self.env.flush_all()
        self.failures._look_after()
        self.env.invalidate_all()
        self.assertEqual(failure.state, "seen")

    def test_one_that_returns_after_the_end_of_its_silence_is_new(self):
        self.make_responsible(self.operator)
        first, second, third = self.jobs(3)
        failure = self.fail_job(first)
        failure.action_mute("2020-01-01 00:00:00")
        self.env.flush_all()
        self.failures._look_after()
        self.env.invalidate_all()
        self.assertEqual((failure.state, failure.activity_ids.ids), ("seen", []))
        for job in (second, third):
            self.fail_job(job)
            self.assertEqual((failure.state, failure.returns), ("new", 1))
            self.assertEqual(failure.activity_ids.user_id, self.operator)
            self.assertFalse(failure.muted_until)

    def test_muted_again_it_is_silent_until_somebody_ends_it(self):
        first, second = self.jobs(2)
        failure = self.fail_job(first)
        failure.action_mute("2020-01-01 00:00:00")
        self.env.flush_all()
        self.failures._look_after()
        self.env.invalidate_all()
        failure.write({"state": "muted"})
        self.env.flush_all()
        self.fail_job(second)
        self.assertEqual((failure.state, failure.returns), ("muted", 0))

    def test_a_job_that_has_lost_its_workers_is_seen_by_the_cron(self):
        job = self.jobs(1)
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'started', attempt = 1, lost = %s, worker_pid = 1, "
            "worker_host = 'here', date_started = now() AT TIME ZONE 'UTC' WHERE id = %s",
            (LOST_LIMIT - 1, job.id),
        )
        self.assertEqual(dispatch.reap(self.env.cr, job.ids, "gone", {}), {job.id: True})
        job.invalidate_recordset()
        self.assertEqual(job.state, "failed")
        self.assertEqual(job.failure_key, lost_signature(FUNCTION).key)
        self.failures._look_after()
        failure = self.failures.search([("key", "=", job.failure_key)])
        self.assertEqual(failure.name, f"{FUNCTION} loses its worker")
        self.assertEqual((failure.failed_count, failure.count_hour), (1, 1))
        self.failures._look_after()
        self.assertEqual(self.failures.search_count([("key", "=", failure.key)]), 1)

    def test_a_job_that_is_lost_once_is_no_failure(self):
        job = self.jobs(1)
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'started', attempt = 1 WHERE id = %s", job.ids
        )
        dispatch.reap(self.env.cr, job.ids, "gone", {})
        job.invalidate_recordset()
        self.assertEqual((job.state, job.failure_key), ("pending", False))
        self.assertFalse(job.attempt_ids.failure_key)


class TestSteeringFailures(FailureCase):
    def setUp(self):
        super().setUp()
        self.jobs_failed = self.jobs(3)
        for job in self.jobs_failed:
            self.failure = self.fail_job(job)
        self.failure = self.failure.with_user(self.operator)

    def test_an_operator_retries_all(self):
        self.failure.action_retry_all()
        self.assertEqual(set(self.jobs_failed.mapped("state")), {"pending"})
        self.assertIn("Failed jobs requeued: 3.", self.failure.sudo().message_ids[0].body)
        self.assertEqual(self.failure.sudo().message_ids[0].author_id, self.operator.partner_id)

    def test_an_operator_cancels_all(self):
        self.failure.action_cancel_all()
        self.assertEqual(set(self.jobs_failed.mapped("state")), {"cancelled"})

    def test_many_are_the_work_of_a_job(self):
        with (
            patch.object(queue_job_failure_retry, "AT_ONCE", 2),
            patch.object(queue_job_failure_retry, "BATCH", 2),
            patch.object(self.env.cr, "commit"),
        ):
            self.failure.action_retry_all()
            self.failure.action_retry_all()
            work = self.env["queue.job"].search([("model_name", "=", "queue.job.failure")])
            self.assertEqual(len(work), 1, "who asks twice gets one job")
            self.assertEqual((work.user_id, work.priority), (self.operator, 1))
            self.assertEqual(self.failure._retry_all(), "3")
        self.env.invalidate_all()
        self.assertEqual(set(self.jobs_failed.mapped("state")), {"pending"})

    def test_a_probe_is_one_of_them(self):
        self.failure.action_probe()
        self.assertEqual(self.jobs_failed.mapped("state"), ["failed", "failed", "pending"])
        self.assertEqual(self.failure.probe_state, "running")
        self.put_state("done")
        self.assertEqual(self.failure.probe_state, "passed")
        self.put_state("failed")
        self.assertEqual(self.failure.probe_state, "failed")

    def put_state(self, state):
        probe = self.failure.sudo().probe_number
        self.env.cr.execute("UPDATE queue_job SET state = %s WHERE id = %s", (state, probe))
        self.env.invalidate_all()

    def test_the_others_wait_for_the_probe(self):
        self.failure.action_probe_all()
        probe = self.jobs_failed[-1]
        follow = probe.dependent_ids
        self.assertEqual(follow.state, "wait_dependencies")
        self.assertEqual(follow.graph_uuid, probe.graph_uuid)
        self.assertTrue(probe.graph_uuid, "the runner looks for children of jobs that have one")
        self.failure.action_probe()
        self.assertEqual(follow.state, "cancelled", "another probe: nothing waits for this one")

    def test_without_failed_jobs_there_is_no_probe(self):
        self.failure.action_retry_all()
        for action in (self.failure.action_probe, self.failure.action_probe_all):
            with self.assertRaises(UserError):
                action()

    def test_to_be_responsible_is_something_to_do(self):
        self.failure.responsible_id = self.manager
        self.assertEqual(self.failure.sudo().activity_ids.user_id, self.manager)
        self.failure.action_take()
        self.assertEqual(self.failure.sudo().activity_ids.user_id, self.operator)
        self.assertEqual(self.failure.state, "seen")

    def test_the_wizard_mutes(self):
        context = {"active_model": self.failure._name, "active_ids": self.failure.ids}
        wizard = self.env["queue.job.failure.mute"].with_user(self.operator)
        wizard.with_context(**context).create({"until": "2040-01-01 00:00:00"}).mute()
        self.assertEqual(self.failure.state, "muted")
        self.assertEqual(str(self.failure.muted_until), "2040-01-01 00:00:00")
        self.failure.action_seen()
        self.assertFalse(self.failure.muted_until)

    def test_what_opens(self):
        opened = self.failure.action_open_jobs()
        found = self.env["queue.job"].with_user(self.operator).search(opened["domain"])
        self.assertEqual(found, self.jobs_failed.with_user(self.operator).sorted("id", True))
        records = self.failure.with_user(self.manager).action_open_records()
        self.assertEqual(records["res_model"], self.record._name)
        self.assertEqual(records["domain"], [("id", "in", self.record.ids)])


class TestRightsOfFailures(FailureCase):
    def setUp(self):
        super().setUp()
        self.failure = self.fail_job(self.job)

    def test_an_operator_changes_what_is_theirs_and_no_more(self):
        failure = self.failure.with_user(self.operator)
        failure.write({"state": "seen", "responsible_id": self.operator.id})
        for name, value in (
            *(("key", "forged"), ("name", "forged"), ("function", "forged"), ("returns", 7)),
            *(("first_seen", "2001-01-01"), ("muted_until", "2001-01-01")),
            *(("probe_number", self.foreign_job.id), ("follow_number", self.foreign_job.id)),
        ):
            with self.subTest(field=name), self.assertRaises(AccessError):
                failure.write({name: value})
        for attempt in (failure.unlink, lambda: failure.create({"key": "x", "name": "x"})):
            with self.assertRaises(AccessError):
                attempt()

    def test_a_traceback_is_for_managers(self):
        self.assertEqual(self.failure.with_user(self.manager).sample_traceback, "Traceback")
        with self.assertRaises(AccessError):
            self.failure.with_user(self.operator).read(["sample_traceback"])

    def test_a_viewer_sees_none(self):
        with self.assertRaises(AccessError):
            self.failures.with_user(self.viewer).search([])
        menu = self.env.ref("queue_job.menu_queue_job_failure").id
        self.assertNotIn(menu, self.env["ir.ui.menu"].with_user(self.viewer)._visible_menu_ids())

    def test_nothing_of_the_jobs_of_another_company_is_shown(self):
        other = Signature("Oops", ("odoo.addons.shop.f",), "")
        failure = self.fail_job(
            self.foreign_job, other, exc_message="Their secret", exc_info="secret"
        )
        names = ["message", "sample_traceback", "functions", "affected", "failed_count"]
        (read,) = failure.with_user(self.manager).read(names)
        self.assertEqual([read[name] for name in names[:2] + names[3:]], [False, False, "", 0])
        for action in ("action_retry_all", "action_cancel_all"):
            getattr(failure.with_user(self.manager), action)()
        with self.assertRaises(UserError):
            failure.with_user(self.manager).action_open_records()
        with self.assertRaises(UserError):
            failure.with_user(self.manager).action_probe()
        self.assertEqual(self.row(self.foreign_job)["state"], "failed")
        self.assertEqual(failure.with_user(self.foreign_manager).message, "Their secret")

    def test_what_is_noted_names_no_job(self):
        """Operators of all companies read it."""
        self.env.cr.execute("UPDATE queue_job SET name = 'Pay Ann' WHERE id = %s", self.job.ids)
        self.env.invalidate_all()
        told = self.failure.with_user(self.operator).action_probe()
        self.assertIn("Pay Ann", told["params"]["message"], "who asked sees the job")
        notes = self.failure.message_ids.mapped("body")
        self.assertTrue(any("requeued as a probe" in note for note in notes), notes)
        self.assertFalse([note for note in notes if "Pay Ann" in note])

    def test_who_sees_no_job_of_it_changes_nothing_for_others(self):
        self.failure.with_user(self.operator).action_probe_all()
        follow = self.job.dependent_ids
        self.assertEqual(follow.state, "wait_dependencies")
        theirs = self.failure.with_user(self.foreign_manager)
        for action in ("action_retry_all", "action_cancel_all"):
            getattr(theirs, action)()
        self.assertEqual(self.row(follow)["state"], "wait_dependencies")
        self.failure.with_user(self.operator).action_cancel_all()
        self.assertEqual(self.row(follow)["state"], "cancelled")

    def test_what_one_asked_for_does_not_stand_for_another(self):
        self.fail_job(self.foreign_job)
        with patch.object(queue_job_failure_retry, "AT_ONCE", 0):
            for user in (self.operator, self.foreign_manager, self.operator):
                self.failure.with_user(user).action_retry_all()
        work = self.env["queue.job"].search([("model_name", "=", "queue.job.failure")])
        self.assertEqual(work.user_id, self.operator | self.foreign_manager)
        self.assertEqual(len(work), 2)

    def test_the_sample_is_of_a_job_that_its_reader_sees(self):
        self.fail_job(self.foreign_job, exc_message="Their secret")
        failure = self.failure.with_user(self.operator)
        self.assertEqual((failure.message, failure.failed_count), ("no 7", 1))
        failure.action_retry_all()
        self.assertEqual(self.row(self.foreign_job)["state"], "failed")
        self.assertEqual(self.row(self.job)["state"], "pending")


class TestFailureScreens(HttpCase, FailureCase):
    def setUp(self):
        super().setUp()
        for job in self.jobs(3):
            self.failure = self.fail_job(job)

    def test_tour_of_an_operator(self):
        self.start_tour("/odoo/queue-failures", "queue_job_failure", login="queue-operator")
        self.failure.invalidate_recordset()
        self.assertEqual((self.failure.state, self.failure.failed_count), ("solved", 0))

    def test_tour_of_a_manager(self):
        self.start_tour("/odoo/queue-failures", "queue_job_failure_manager", login="queue-manager")
