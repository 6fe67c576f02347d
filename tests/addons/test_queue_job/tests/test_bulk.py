from odoo.addons.queue_job.core.codec import ArgumentError
from odoo.addons.queue_job.job import Job, identity_exact
from odoo.addons.queue_job.session import ConnectorSession
from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.test_queue_job.functions import a_heavy_task, takes_an_env

from .common import JobCase

STORED = (
    "name",
    "model_name",
    "method_name",
    "channel_method_name",
    "job_function_id",
    "func_string",
    "args",
    "kwargs",
    "channel",
    "priority",
    "max_retries",
    "state",
    "user_id",
    "company_id",
    "identity_scope",
    "scheduled",
    "retry",
    "attempt",
    "lost",
)
"""What a job of many and a single one have to have in common."""


class TestBulk(JobCase):
    def setUp(self):
        super().setUp()
        self.records = self.record.create([{"name": str(number)} for number in range(5)])

    def jobs(self, uuids):
        """Return the records of jobs, in the order of their uuids."""
        found = self.env["queue.job"].search([("uuid", "in", uuids)])
        return found.sorted(lambda job: uuids.index(job.uuid))

    def check_alike(self, many, single):
        for name in STORED:
            self.assertEqual(many[name], single[name], name)
        self.assertEqual(many._stored("records"), single._stored("records"))

    def test_each_record_has_a_job_as_if_delayed_alone(self):
        options = {"priority": 3, "channel": "each", "max_retries": 2, "description": "mine"}
        many = self.jobs(self.records.write_value.delay_each(7, **options))
        self.assertEqual(len(many), 5)
        for record, job in zip(self.records, many, strict=True):
            self.check_alike(job, self.stored(record.write_value.delay(7, **options)))

    def test_keyword_arguments_and_a_time_of_their_own(self):
        many = self.jobs(self.records.noop.delay_each(1, two=2, eta=3600))
        self.assertEqual(set(many.mapped("scheduled")), {True})
        self.assertEqual([job.kwargs for job in many], [{"two": 2}] * 5)

    def test_user_and_context_are_those_of_the_caller(self):
        user = self.env.ref("base.user_admin")
        records = self.records.with_user(user).with_context(lang="en_US", other="x")
        for job in self.jobs(records.noop.delay_each()):
            self.assertEqual(job.user_id, user)
            self.assertEqual(job._stored("records")["context"], {"lang": "en_US"})

    def test_many_are_stored_by_one_statement(self):
        self.records.noop.delay_each()
        with self.assertQueryCount(1):
            self.records.noop.delay_each()

    def test_each_of_no_records_is_no_job(self):
        self.assertEqual(self.records.browse().noop.delay_each(), [])

    def test_records_that_are_not_saved_are_refused(self):
        with self.assertRaises(ArgumentError):
            (self.records + self.records.new({})).noop.delay_each()

    def test_identity_keys_keep_out_what_waits_already(self):
        first = self.records[0].noop.delay(identity_key=identity_exact)
        uuids = self.records.noop.delay_each(identity_key=identity_exact)
        self.assertEqual(uuids[0], first.uuid)
        self.assertEqual(len(self.jobs(uuids)), 5)
        self.assertEqual(self.records.noop.delay_each(identity_key=identity_exact), uuids)

    def test_records_without_a_key_have_their_job_whatever_the_others_have(self):
        def key(job):
            return job.recordset.name if job.recordset.name == "0" else ""

        first = self.records[0].noop.delay(identity_key=key)
        uuids = self.records.noop.delay_each(identity_key=key)
        self.assertEqual(uuids[0], first.uuid)
        self.assertEqual(len(self.jobs(uuids)), 5)

    def test_methods_have_no_items(self):
        with self.assertRaisesRegex(TypeError, "delay_each"):
            self.records.noop.delay_many(self.env, [1])

    def test_each_runs_at_once_where_nothing_is_delayed(self):
        records = self.records.with_context(queue_job__no_delay=True)
        records.write_value.delay_each(9)
        self.assertEqual(self.records.mapped("value"), [9] * 5)

    def test_a_trap_holds_each(self):
        with trap_jobs() as trap:
            self.records.noop.delay_each(priority=4)
            trap.assert_jobs_count(5)
            trap.assert_enqueued_job(self.records[2].noop, properties={"priority": 4})

    def test_each_item_of_a_function_has_a_job(self):
        session = ConnectorSession.from_env(self.env)
        items = [(self.record._name, record.id) for record in self.records]
        many = self.jobs(a_heavy_task.delay_many(session, items, priority=2))
        for item, job in zip(items, many, strict=True):
            self.check_alike(job, self.stored(a_heavy_task.delay(session, *item, priority=2)))

    def test_an_item_that_is_no_tuple_is_the_only_argument(self):
        many = self.jobs(takes_an_env.delay_many(self.env, iter([1, "two", [3]])))
        self.assertEqual([job.args for job in many], [(1,), ("two",), ([3],)])

    def test_many_of_no_items_are_no_jobs(self):
        self.assertEqual(takes_an_env.delay_many(self.env, []), [])

    def test_an_item_that_cannot_be_carried_is_named(self):
        with self.assertRaisesRegex(ArgumentError, r"args\[0\]"):
            takes_an_env.delay_many(self.env, [1, object()])

    def test_jobs_of_many_are_run(self):
        uuids = self.records.write_value.delay_each(11)
        for uuid in uuids:
            Job.load(self.env, uuid).perform()
        self.assertEqual(self.records.mapped("value"), [11] * 5)
