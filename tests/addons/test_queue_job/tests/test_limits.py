"""What a job may take, where that is said, who stops one, and what its form tells of it."""

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError
from odoo.tools import mute_logger

from odoo.addons.queue_job.core.stop import Cause, Means
from odoo.addons.queue_job.delay import chain
from odoo.addons.queue_job.storage import outcome, stops

from .common import JobCase
from .security import SecurityCase


class TestStopping(SecurityCase):
    """Jobs that run, as their row says; no worker is needed to ask them to stop."""

    def start(self, job):
        """Bring a job to where a worker brings it."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'started', attempt = 1, "
            "date_started = now() AT TIME ZONE 'UTC' WHERE id = %s",
            job.ids,
        )
        self.env.invalidate_all()
        return job

    def cancel(self, job):
        """Record the end of a running job as its worker does."""
        spent = outcome.Spent(seconds=1.0, peak=210, added=12)
        text = stops.read(self.env.cr, job.id, 1)
        self.assertTrue(outcome.cancel(self.env.cr, job.id, 1, spent=spent, text=text))
        stops.forget(self.env.cr, job.id, 1)
        self.env.invalidate_all()

    def test_operators_stop_and_nobody_below_does(self):
        job = self.start(self.job)
        for user in (self.viewer, *self.strangers):
            with self.assertRaises(AccessError):
                job.with_user(user).button_cancelled()
        self.assertEqual(stops.read_asked(self.env.cr, job.ids), {})
        row = self.row(job)
        job.with_user(self.operator).button_cancelled()
        self.assertEqual(self.row(job), row, "nobody but its worker writes the row")
        self.assertEqual(stops.read_asked(self.env.cr, job.ids)[job.id].user, self.operator.id)

    def test_the_form_tells_stage_by_stage(self):
        job = self.start(self.job)
        self.assertFalse(job.stopping)
        job.with_user(self.operator).button_cancelled()
        self.env.invalidate_all()
        self.assertIn("Stop requested by queue-operator at ", job.stopping)
        self.assertIn("waiting for its worker to take notice", job.stopping)
        for means, said in ((Means.RAISE, "exception"), (Means.BREAK_STATEMENT, "broken off")):
            told = stops.Told(text="Cancelled by queue-operator", stage=means.value, left=9.0)
            stops.tell(self.env.cr, job.id, 1, told)
            self.env.invalidate_all()
            self.assertIn("Stop requested by queue-operator at ", job.stopping)
            self.assertIn(said, job.stopping)
            self.assertIn("its worker is ended at", job.stopping)
        self.cancel(job)
        self.assertFalse(job.stopping)
        self.assertRegex(
            job.stopped,
            r"^Cancelled by queue-operator while it ran: asked at .+, stopped \S+ s later",
        )
        self.assertEqual(job.attempt_ids.mapped("memory_added"), [12])

    def test_a_limit_is_told_as_one(self):
        job = self.start(self.job)
        told = stops.Told("It took longer than its limit of 1 s", Means.RAISE.value, None)
        stops.tell(self.env.cr, job.id, 1, told)
        self.env.invalidate_all()
        self.assertIn("longer than its limit of 1 s, seen at", job.stopping)
        self.assertNotIn("its worker is ended", job.stopping)

    def test_what_was_asked_of_an_earlier_attempt_is_not_told(self):
        job = self.start(self.job)
        job.button_cancelled()
        self.set_attempt(job, 2)
        self.assertFalse(job.stopping)
        job.button_cancelled()
        self.env.invalidate_all()
        self.assertIn("to take notice", job.stopping)

    def set_attempt(self, job, number):
        self.env.cr.execute("UPDATE queue_job SET attempt = %s WHERE id = %s", (number, job.id))
        self.env.invalidate_all()

    def test_one_that_waited_says_who_cancelled_it(self):
        self.job.with_user(self.operator).button_cancelled()
        self.assertEqual(self.job.stopped, "Cancelled by queue-operator")

    def test_viewers_read_how_their_job_is_stopped(self):
        job = self.start(self.viewed_job)
        job.with_user(self.operator).button_cancelled()
        self.env.invalidate_all()
        mine = job.with_user(self.viewer)
        self.assertIn("Stop requested by queue-operator", mine.stopping)
        self.assertEqual(mine.pulse()["stopping"], mine.stopping)

    def test_many_of_which_some_run(self):
        running, waiting = self.start(self.job), self.viewed_job
        bulk = self.env["queue.job.bulk"].with_user(self.operator)
        chosen = f'[["id", "in", {(running + waiting).ids}]]'
        bulk = bulk.create({"action": "cancel", "domain": chosen})
        self.assertIn("1 of them run", bulk.running)
        said = bulk.apply()["params"]["message"]
        self.assertEqual(said, "1 jobs were changed. 1 jobs that run were asked to stop.")
        self.assertEqual((running.state, waiting.state), ("started", "cancelled"))


class TestOnParentStop(JobCase):
    """What becomes of those that wait for a job that is stopped."""

    def launch(self, *policies):
        """Delay a chain, with the policy of each after the first; return the records."""
        rest = [self.record.delayable(on_parent_stop=policy).noop() for policy in policies]
        calls = [self.record.delayable().noop(), *rest]
        chain(*calls).delay()
        records = (self.stored(call._generated_job) for call in calls)
        return self.env["queue.job"].concat(*records)

    def states(self, jobs):
        self.env.invalidate_all()
        return [{"wait_dependencies": "waits"}.get(state, state) for state in jobs.mapped("state")]

    def test_cancelled_by_default_and_not_when_it_waits_on(self):
        for policies, expected in (
            ((None, None), ["cancelled", "cancelled"]),
            (("cancel", None), ["cancelled", "cancelled"]),
            (("wait", None), ["waits", "waits"]),
            ((None, "wait"), ["cancelled", "waits"]),
        ):
            jobs = self.launch(*policies)
            jobs[0].button_cancelled()
            self.assertEqual(self.states(jobs[1:]), expected, policies)

    def test_beyond_a_limit_it_waits_by_default(self):
        for cause in (Cause.TIMEOUT, Cause.MEMORY):
            for policies, expected in (
                ((None, None), ["waits", "waits"]),
                (("cancel", None), ["cancelled", "cancelled"]),
                (("cancel", "wait"), ["cancelled", "waits"]),
                (("wait", "cancel"), ["waits", "waits"]),
            ):
                jobs = self.launch(*policies)
                jobs[0]._cancel_dependents(cause)
                self.assertEqual(self.states(jobs[1:]), expected, policies)

    def test_one_that_waits_on_says_for_what(self):
        jobs = self.launch("wait")
        jobs[0].button_cancelled()
        self.assertIn("which is cancelled", jobs[1].wait_reason)

    def test_every_way_to_delay_takes_it(self):
        ways = (
            self.record.noop.delay(on_parent_stop="wait"),
            self.record.with_delay(on_parent_stop="wait").noop(),
        )
        self.assertEqual([self.stored(job).on_parent_stop for job in ways], ["wait"] * 2)

    def test_what_is_no_policy_is_refused(self):
        with self.assertRaisesRegex(ValueError, "neither 'cancel' nor 'wait'"):
            self.record.with_delay(on_parent_stop="ignore").noop()


class TestLimits(JobCase):
    """The record of a function wins over the code, and the code over the server."""

    def function(self, method):
        return self.env["queue.job.function"].search([("name", "=", f"<test.queue.job>.{method}")])

    def test_the_record_wins_over_the_code(self):
        time, memory = self.function("sleep_limited"), self.function("take_memory_limited")
        self.assertEqual(time.effective_timeout, "1 s (the code)")
        self.assertEqual(memory.effective_memory, "64 MB (the code)")
        (time + memory).write({"timeout": 7, "memory": 300})
        self.assertEqual(time.effective_timeout, "7 s (this record)")
        self.assertEqual(memory.effective_memory, "300 MB (this record)")
        job = self.stored(self.record.take_memory_limited.delay(1))
        self.assertEqual((job.timeout, job.memory_limit), (7, 300))

    def test_without_any_odoo_s_own_hold(self):
        self.assertEqual(self.function("noop").effective_timeout, "None: that of Odoo holds")
        self.assertEqual(
            self.stored(self.record.noop.delay()).limits,
            "None of its own; Odoo's limits apply",
        )

    def test_a_job_says_which_limits_it_has_and_from_where(self):
        own = self.stored(self.record.take_memory_limited.delay(1, timeout=30))
        self.assertEqual(own.limits, "30 s (given when it was delayed), 64 MB (of its function)")

    def test_what_is_no_limit_is_refused(self):
        for name in ("memory", "timeout"):
            with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation):
                self.function("noop")[name] = -1
                self.env.flush_all()

    def test_requeueing_forgets_what_was_taken(self):
        job = self.put(self.record.noop.delay(), state="done", memory_peak=300, memory_added=99)
        job.requeue()
        self.assertEqual((job.memory_peak, job.memory_added), (0, 0))
