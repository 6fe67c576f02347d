"""What sibling addons do to jobs: more columns, and more to happen."""

from contextlib import contextmanager
from types import SimpleNamespace

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import mute_logger

from odoo.addons.queue_job.delay import chain
from odoo.addons.queue_job.exception import FailedJobError
from odoo.addons.queue_job.job import Job
from odoo.addons.queue_job.worker import executor

from .common import NamesCase


class Extension(models.Model):
    """As an addon for batches or for runs by cron extends jobs."""

    _register = False
    _inherit = "queue.job"

    @api.model_create_multi
    def create(self, vals_list):
        batch = self.env.context.get("names_batch")
        for values in vals_list:
            self._seen.append(("create", values["args"], values["state"]))
            if batch:
                values["names_info"] = batch
        return super().create(vals_list)

    def write(self, vals):
        for job in self:
            if "state" in vals:
                self._seen.append(("write", job.uuid, vals["state"]))
        return super().write(vals)


class TestExtraFields(NamesCase):
    def test_fields_of_other_addons_are_theirs(self):
        record = self.stored(self.record.with_delay().do())
        record.with_user(self.manager).names_info = "changed"
        self.assertEqual(record.names_info, "changed")
        self.assertTrue(
            self.env.ref("test_queue_job_names.job_function_do")._fields["names_notify"]
        )

    def test_subscription_can_be_narrowed(self):
        self.manager.names_subscribe = False
        job = self.record.with_delay().do()
        users = self.env["res.users"].search(self.stored(job)._subscribe_users_domain())
        self.assertNotIn(self.manager, users)

    def test_failure_message_is_extended(self):
        self.env.ref("test_queue_job_names.job_function_fail").names_notify = True
        job = self.record.with_delay().fail("told")
        with self.assertRaises(FailedJobError):
            job.perform()
        job.set_failed(exc_name="Boom", exc_message="told", exc_info="")
        job.store()
        record = self.stored(job)
        self.assertTrue(record.names_told)
        self.assertTrue(record.message_ids)


class TestExtendedWrites(NamesCase):
    def setUp(self):
        super().setUp()
        self.seen = []
        self.enterContext(self.extended())

    @contextmanager
    def extended(self):
        """Let jobs be extended as an addon does that is loaded after this one."""
        model = self.env.registry["queue.job"]
        bases = model.__bases__
        Extension._seen = self.seen
        model.__bases__ = (Extension, *bases)
        self.env.registry.clear_cache()
        try:
            yield
        finally:
            model.__bases__ = bases
            self.env.registry.clear_cache()

    def test_create_is_asked_for_every_job(self):
        job = self.record.with_delay().do(self.record, 1)
        self.assertEqual(self.seen, [("create", (self.record, 1), "pending")])
        record = self.stored(job)
        self.assertEqual(record.args, (self.record, 1))
        self.assertEqual(record.names_info, "special do")

    def test_create_sees_the_context_of_the_caller(self):
        record = self.record.with_context(names_batch="batch 1", default_state="done")
        row = self.stored(record.with_delay().do())
        self.assertEqual((row.names_info, row.state), ("batch 1", "pending"))
        user = self.record.with_user(self.clerk).with_context(names_batch="batch 2")
        row = self.stored(user.with_delay().do())
        self.assertEqual((row.names_info, row.user_id), ("batch 2", self.clerk))

    def test_create_is_asked_for_the_jobs_of_a_graph(self):
        calls = [self.record.delayable().do(number) for number in range(3)]
        chain(*calls).delay()
        self.assertEqual(
            [(args, state) for _name, args, state in self.seen],
            [((0,), "pending"), ((1,), "wait_dependencies"), ((2,), "wait_dependencies")],
        )
        rows = [self.stored(call._generated_job) for call in calls]
        self.assertEqual(rows[2].dependency_ids, rows[1])

    def test_identity_holds_for_extended_jobs(self):
        first = self.record.with_delay(identity_key="one").do()
        self.assertEqual(self.record.with_delay(identity_key="one").do(), first)
        self.assertEqual(len(self.seen), 1)

    @mute_logger("odoo.sql_db")
    def test_an_identity_that_was_just_claimed_makes_odoo_ask_again(self):
        model = self.env["queue.job"]
        jobs = [Job(self.record.do, identity_key="one") for _number in range(2)]
        values = [model._orm_values(job) for job in jobs]
        with self.assertRaises(ConcurrencyError), self.env.cr.savepoint():
            model.sudo()._create_jobs(values)
        values[1].update(uuid=values[0]["uuid"], identity_claim=False)
        with self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            model.sudo()._create_jobs(values)

    def test_eta_holds_for_extended_jobs(self):
        record = self.stored(self.record.with_delay(eta=60).do())
        self.assertTrue(record.scheduled)

    def test_write_is_asked_when_a_job_is_done(self):
        job = self.record.with_delay().do()
        row = self.stored(job)
        self.seen.clear()
        lease = SimpleNamespace(extended=self.env["queue.job"]._is_extended("write"))
        run = SimpleNamespace(cr=self.env.cr, env=self.env, job=row, lease=lease)
        executor._let_addons_notice(run)
        self.assertEqual(self.seen, [("write", job.uuid, "done")])

    def test_write_is_asked_when_a_job_has_failed(self):
        job = self.record.with_delay().do()
        row = self.put(job, state="failed")
        self.seen.clear()
        row._after_failure()
        self.assertEqual(self.seen, [("write", job.uuid, "failed")])

    def test_write_is_asked_by_the_buttons(self):
        row = self.put(self.record.with_delay().do(), state="failed")
        self.seen.clear()
        row.requeue()
        row.button_done()
        self.assertEqual(
            [state for name, _uuid, state in self.seen if name == "write"], ["pending", "done"]
        )


class TestOwnRunner(NamesCase):
    """As an addon runs jobs that has no jobrunner: in a cron, by the ORM."""

    def run_one(self, record):
        job = Job._load_from_db_record(record)
        job.set_started()
        job.store()
        try:
            with self.env.cr.savepoint():
                job.perform()
            job.set_done()
        except FailedJobError as error:
            job.set_failed(exc_name="FailedJobError", exc_message=str(error), exc_info="")
        job.store()
        job.enqueue_waiting()
        return job

    def test_a_job_runs_to_its_end(self):
        row = self.stored(self.record.with_delay().do())
        self.run_one(row)
        self.assertEqual((row.state, row.retry, self.record.value), ("done", 1, 1))

    def test_a_failure_is_stored_and_told(self):
        row = self.stored(self.record.with_delay().fail("told"))
        self.run_one(row)
        self.assertEqual((row.state, row.exc_message), ("failed", "told"))
        self.assertTrue(row.message_ids)

    def test_the_next_one_goes_when_it_is_done(self):
        first, second = self.record.delayable().do(), self.record.delayable().do()
        first.on_done(second).delay()
        self.run_one(self.stored(first._generated_job))
        self.env.invalidate_all()
        self.assertEqual(self.stored(second._generated_job).state, "pending")

    def test_a_finished_identity_is_free_again(self):
        first = self.record.with_delay(identity_key="one").do()
        self.run_one(self.stored(first))
        self.assertNotEqual(self.record.with_delay(identity_key="one").do(), first)
