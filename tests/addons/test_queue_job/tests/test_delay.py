import datetime as dt

from freezegun import freeze_time
from lxml import etree

from odoo.addons.queue_job.core.channels import ChannelError
from odoo.addons.queue_job.core.codec import ArgumentError
from odoo.addons.queue_job.exception import NoSuchJobError
from odoo.addons.queue_job.job import Job, identity_exact
from odoo.addons.queue_job.session import ConnectorSession
from odoo.addons.test_queue_job.functions import a_heavy_task, import_order, takes_an_env

from .common import JobCase

NOON = dt.datetime(2030, 1, 1, 12)


class TestDelay(JobCase):
    def test_method_is_stored_with_defaults(self):
        job = self.record.noop.delay(1, two="2")
        record = self.stored(job)
        self.assertIsInstance(job, Job)
        self.assertEqual(record.uuid, job.uuid)
        self.assertEqual(record.state, "pending")
        self.assertEqual(record.priority, 10)
        self.assertEqual(record.max_retries, 5)
        self.assertEqual(record.retry, 0)
        self.assertEqual(record.channel, "root")
        self.assertEqual(record.name, "Do nothing")
        self.assertEqual(record.model_name, "test.queue.job")
        self.assertEqual(record.method_name, "noop")
        self.assertEqual(record.channel_method_name, "<test.queue.job>.noop")
        self.assertEqual(record.args, (1,))
        self.assertEqual(record.kwargs, {"two": "2"})
        self.assertEqual(record.records, self.record)
        self.assertEqual(record.user_id, self.env.user)
        self.assertEqual(record.company_id, self.env.company)
        self.assertEqual(record.func_string, f"test.queue.job({self.record.id},).noop(1, two='2')")
        self.assertFalse(record.eta)

    def test_options(self):
        job = self.record.noop.delay(
            priority=3,
            eta=60,
            max_retries=0,
            description="Told so",
            channel="csv.fast",
            identity_key="just this",
        )
        record = self.stored(job)
        self.assertEqual(record.priority, 3)
        self.assertEqual(record.max_retries, 0)
        self.assertEqual(record.name, "Told so")
        self.assertEqual(record.channel, "root.csv.fast")
        self.assertEqual(record.identity_key, "just this")
        self.assertTrue(record.scheduled)
        self.assertEqual(record.tries, "0 / ∞")

    def test_options_do_not_reach_the_arguments(self):
        job = self.record.noop.delay(priority=1, other=2)
        self.assertEqual(job.kwargs, {"other": 2})

    def test_eta_forms(self):
        zone = dt.timezone(dt.timedelta(hours=2))
        with freeze_time(NOON):
            for eta, expected in (
                (90, NOON + dt.timedelta(seconds=90)),
                (0.5, NOON + dt.timedelta(seconds=0.5)),
                (dt.timedelta(hours=1), NOON + dt.timedelta(hours=1)),
                (NOON, NOON),
                (NOON.replace(tzinfo=zone), NOON - dt.timedelta(hours=2)),
                (None, None),
                (0, None),
            ):
                with self.subTest(eta=eta):
                    self.assertEqual(self.record.noop.delay(eta=eta).eta, expected)

    def test_eta_in_the_past_is_ready(self):
        self.assertFalse(self.stored(self.record.noop.delay(eta=dt.datetime(2000, 1, 1))).scheduled)

    def test_channel_and_pattern_of_the_declaration(self):
        job = self.record.write_value.delay(1)
        self.assertEqual(self.stored(job).channel, "root.test")
        self.assertEqual(job.job_config.retry_pattern, {1: 10.0, 5: 60.0, 10: 600.0})

    def test_bad_channel_is_refused_and_named(self):
        with self.assertRaisesRegex(ChannelError, r"a\.\.b"):
            self.record.noop.delay(channel="a..b")

    def test_bad_argument_is_refused_with_its_path(self):
        with self.assertRaisesRegex(ArgumentError, r"args\[1\]\['lines'\]\[3\]"):
            self.record.noop.delay(0, {"lines": [1, 2, 3, object()]})
        with self.assertRaisesRegex(ArgumentError, r"args\[0\]\[1\] has a zero character"):
            self.record.noop.delay(["", "\0"])
        with self.assertRaisesRegex(ArgumentError, r"kwargs\['deep'\]"):
            self.record.noop.delay(deep={"a": object})

    def test_unsaved_records_are_refused(self):
        new = self.env["test.queue.job"].new({"name": "not saved"})
        with self.assertRaisesRegex(ArgumentError, "not saved"):
            self.record.noop.delay(new)

    def test_rollback_takes_the_job_with_it(self):
        self.env.flush_all()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            job = self.record.noop.delay()
            raise ZeroDivisionError
        self.assertFalse(job.db_record())

    def test_functions_as_the_deck_writes_them(self):
        session = ConnectorSession.from_env(self.env)
        job = a_heavy_task.delay(session, "res.partner", 1)
        record = self.stored(job)
        self.assertEqual(record.name, "Touch a record")
        self.assertFalse(record.model_name)
        self.assertEqual(record.args, ("res.partner", 1))
        self.assertEqual(record.method_name, "odoo.addons.test_queue_job.functions.a_heavy_task")
        job = import_order.delay(session, 1, priority=50)
        self.assertEqual(self.stored(job).priority, 50)
        self.assertEqual(self.stored(job).channel, "root.order")

    def test_an_env_is_taken_for_a_session(self):
        self.assertEqual(self.stored(takes_an_env.delay(self.env, 7)).args, (7,))

    def test_a_plain_call_runs_at_once(self):
        session = ConnectorSession.from_env(self.env)
        self.assertEqual(import_order(session, 5), f"5 by {self.env.uid}")
        self.assertEqual(self.record.write_value(9), 9)
        self.assertEqual(self.record.value, 9)

    def test_with_delay_stores_through_the_same_engine(self):
        job = self.record.with_delay(priority=4, channel="other").undecorated(1)
        record = self.stored(job)
        self.assertEqual((record.priority, record.channel), (4, "root.other"))
        self.assertEqual(record.method_name, "undecorated")
        self.assertEqual(record.name, "Not declared as a job")
        with self.assertRaises(AttributeError):
            self.record.with_delay().name  # noqa: B018

    def test_context_keeps_what_is_meant_to_be_kept(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        record = self.record.with_context(lang="fr_FR", tz="Europe/Paris", other="gone")
        stored = self.stored(record.noop.delay())._stored("records")
        self.assertEqual(stored["context"]["lang"], "fr_FR")
        self.assertEqual(stored["context"]["tz"], "Europe/Paris")
        self.assertNotIn("other", stored["context"])

    def test_user_and_superuser_flag_are_stored(self):
        stored = self.stored(self.record.with_user(self.user).noop.delay())._stored("records")
        self.assertEqual((stored["uid"], stored["su"]), (self.user.id, False))
        record = self.record.with_user(self.user).sudo()
        stored = self.stored(record.noop.delay())._stored("records")
        self.assertEqual((stored["uid"], stored["su"]), (self.user.id, True))

    def test_a_user_without_rights_on_the_queue_can_delay(self):
        job = self.record.with_user(self.user).noop.delay()
        self.assertEqual(self.stored(job).user_id, self.user)

    def test_identity_key_finds_the_waiting_job(self):
        first = self.record.write_value.delay(1, identity_key=identity_exact)
        self.assertEqual(self.record.write_value.delay(1, identity_key=identity_exact), first)
        self.assertNotEqual(self.record.write_value.delay(2, identity_key=identity_exact), first)
        first.db_record()._edit({"state": "done"})
        self.env.flush_all()
        self.assertNotEqual(self.record.write_value.delay(1, identity_key=identity_exact), first)

    def test_what_ended_in_this_transaction_is_in_nobodys_way(self):
        first = self.record.with_delay(identity_key="one").noop()
        first.db_record()._edit({"state": "done"})
        self.assertNotEqual(self.record.with_delay(identity_key="one").noop(), first)

    def test_load_gives_back_what_was_stored(self):
        job = self.record.noop.delay(
            (1, 2), {"when": NOON, "who": self.user}, etree.fromstring("<a b='c'/>"), priority=7
        )
        loaded = Job.load(self.env, job.uuid)
        self.assertEqual(loaded, job)
        self.assertEqual(loaded.priority, 7)
        self.assertEqual(loaded.args[:2], ((1, 2), {"when": NOON, "who": self.user}))
        self.assertEqual(loaded.args[2].get("b"), "c")
        self.assertEqual(loaded.recordset, self.record)
        with self.assertRaises(NoSuchJobError):
            Job.load(self.env, "nobody's")

    def test_number_of_statements(self):
        self.record.noop.delay()
        with self.assertQueryCount(1):
            self.record.noop.delay()
