"""What is seen of the queue outside of its own screens, by whom."""

import json
from ast import literal_eval
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase
from odoo.tests.common import new_test_user

from odoo.addons.queue_job.storage import metrics, targets

from .security import SecurityCase


class ElsewhereCase(SecurityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shown = cls.env["test.queue.job.shown"].create({"name": "shown"})
        cls.parameters = cls.env["ir.config_parameter"]

    def delayed(self, records, user=None, **values):
        """Delay a job of records as a user; return its record with columns set as by the engine."""
        records = records.with_user(user) if user else records
        method = records.work if records._name == self.shown._name else records.noop
        return self.put(method.delay(), **values) if values else self.stored(method.delay())

    def button(self, user):
        return self.env["queue.job.button"].with_user(user)


class TestTargets(ElsewhereCase):
    """The jobs of a record: found, counted and opened."""

    def test_jobs_of_a_record_are_counted_and_opened(self):
        mine = self.delayed(self.shown)
        failed = self.delayed(self.shown, state="failed")
        other = self.shown.create({"name": "other"})
        self.delayed(other)
        found = self.button(self.manager).count_jobs(self.shown._name, self.shown.id)
        self.assertEqual((found["count"], found["failed"], found["running"]), (2, 1, 0))
        action = self.button(self.manager).open_jobs(self.shown._name, self.shown.id)
        jobs = self.env["queue.job"].with_user(self.manager).search(action["domain"])
        self.assertEqual(jobs.with_env(self.env), failed + mine)

    def test_a_job_of_several_records_is_one_of_each(self):
        other = self.shown.create({"name": "other"})
        job = self.delayed(self.shown + other)
        for record in self.shown + other:
            self.assertEqual(self.env["queue.job.button"]._jobs(record._name, record.id), job)
            found = self.env["queue.job"].search(
                [("record_ref", "in", [f"{record._name},{record.id}"])]
            )
            self.assertEqual(found, job)

    def test_only_jobs_of_models_that_show_them_are_marked(self):
        self.assertTrue(self.delayed(self.shown).linked)
        self.assertFalse(self.delayed(self.record).linked)
        self.parameters.set_param("queue_job.button_models", "res.partner, test.queue.job")
        self.assertTrue(self.delayed(self.record).linked)
        uuids = self.record.create([{"name": "a"}, {"name": "b"}]).noop.delay_each()
        jobs = self.env["queue.job"].search([("uuid", "in", uuids)])
        self.assertEqual(jobs.mapped("linked"), [True, True])

    def test_marked_jobs_are_found_however_many_came_later(self):
        job = self.delayed(self.shown, state="done")
        unmarked = self.delayed(self.record, state="done")
        self.patch(targets, "NEWEST", 2)
        for _number in range(3):
            self.delayed(self.shown.create({"name": "later"}))
        self.assertEqual(self.env["queue.job"]._ids_of(self.shown._name, self.shown.id), [job.id])
        self.assertEqual(self.env["queue.job"]._ids_of(self.record._name, self.record.id), [])
        self.put_state(unmarked, "failed")
        found = self.env["queue.job"]._ids_of(self.record._name, self.record.id)
        self.assertEqual(found, [unmarked.id])

    def put_state(self, job, state):
        self.env.cr.execute("UPDATE queue_job SET state = %s WHERE id = %s", (state, job.id))
        job.invalidate_recordset()

    def test_no_more_are_found_than_anybody_counts(self):
        self.patch(targets, "FOUND_LIMIT", 2)
        for _number in range(3):
            self.delayed(self.shown)
        found = self.button(self.manager).count_jobs(self.shown._name, self.shown.id)
        self.assertEqual((found["count"], found["limit"]), (2, 2))

    def test_the_index_is_used_whatever_the_limit(self):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        parameters = {"model": "a", "number": "[1]", "user": None}
        parameters.update(dict.fromkeys(("marked", "recent", "newest", "limit"), 9))
        self.env.cr.execute(f"EXPLAIN {targets.FIND}", parameters)
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        for index in ("linked", "running", "failed"):
            self.assertIn(f"queue_job_{index}_index", plan)

    def test_of_very_many_jobs_the_newest_are_found(self):
        jobs = [self.delayed(self.shown, state="done").id for _number in range(6)]
        self.patch(targets, "MARKED", 3)
        self.patch(targets, "RECENT", 2)
        self.patch(targets, "NEWEST", 0)
        found = self.env["queue.job"]._ids_of(self.shown._name, self.shown.id)
        self.assertEqual(found[:2], [jobs[5], jobs[4]])
        self.assertLessEqual(len(found), 5)

    def test_viewers_count_their_own(self):
        own = self.delayed(self.shown, self.viewer)
        self.delayed(self.shown, self.user)
        found = self.button(self.viewer).count_jobs(self.shown._name, self.shown.id)
        self.assertEqual(found["count"], 1)
        shown = self.shown.with_user(self.viewer)
        self.assertEqual(shown.queue_job_count, 1)
        action = shown.action_open_queue_jobs()
        jobs = self.env["queue.job"].with_user(self.viewer).search(action["domain"])
        self.assertEqual(jobs.with_env(self.env), own)

    def test_operators_count_those_of_their_companies(self):
        self.delayed(self.shown.with_company(self.elsewhere))
        self.delayed(self.shown)
        self.assertEqual(self.shown.with_user(self.operator).queue_job_count, 1)

    def test_strangers_count_nothing(self):
        for user in (self.user, self.portal):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.button(user).count_jobs(self.shown._name, self.shown.id)
        with self.assertRaises(AccessError):
            self.shown.with_user(self.user).read(["queue_job_count"])
        self.assertNotIn("queue_job_count", self.shown.with_user(self.user).fields_get())
        with self.assertRaises(AccessError):
            self.shown.with_user(self.user).action_open_queue_jobs()

    def test_jobs_of_a_record_that_one_may_not_see_are_not_counted(self):
        secret = self.env["ir.config_parameter"].search([], limit=1)
        for ask in (self.button(self.operator).count_jobs, self.button(self.operator).open_jobs):
            with self.assertRaises(AccessError):
                ask(secret._name, secret.id)
            with self.assertRaises(AccessError):
                ask("no.such.model", 1)
            with self.assertRaises(AccessError):
                ask("queue.job.mixin", 1)

    def test_the_list_finds_marked_jobs_that_are_not_recent(self):
        job = self.delayed(self.shown, state="done")
        self.env.cr.execute("UPDATE queue_job SET id = -1000000 WHERE id = %s", (job.id,))
        self.delayed(self.record)
        self.patch(targets, "NEWEST", 1)
        text = f"{self.shown._name},{self.shown.id}"
        for condition in (("record_ref", "ilike", text), ("record_ref", "in", [text])):
            with self.subTest(condition=condition):
                found = self.env["queue.job"].search([condition])
                self.assertEqual(found.ids, [-1000000])

    def test_damaged_rows_have_no_record(self):
        job = self.delayed(self.shown)
        for stored in ('"text"', "[]", "{}", '{"ids": 7}', "null"):
            self.env.cr.execute("UPDATE queue_job SET records = %s WHERE id = %s", (stored, job.id))
            job.invalidate_recordset()
            with self.subTest(stored=stored):
                found = self.env["queue.job"]._ids_of(self.shown._name, self.shown.id)
                self.assertEqual(found, [])


class TestButtons(ElsewhereCase):
    """The button on forms of models that somebody has listed."""

    def buttons(self, model, user):
        view = self.env[model].with_user(user).get_view(view_type="form")
        return view["arch"].count('name="queue_job_button"')

    def test_listed_models_have_it_and_others_do_not(self):
        for model in ("res.partner", "test.queue.job"):
            self.assertEqual(self.buttons(model, self.operator), 0)
        self.parameters.set_param("queue_job.button_models", "res.partner,test.queue.job")
        for model in ("res.partner", "test.queue.job"):
            with self.subTest(model=model):
                self.assertEqual(self.buttons(model, self.operator), 1)
                self.assertEqual(self.buttons(model, self.viewer), 1)
                self.assertEqual(self.buttons(model, self.user), 0)
        self.assertEqual(self.buttons("res.company", self.manager), 0)
        self.parameters.set_param("queue_job.button_models", False)
        self.assertEqual(self.buttons("res.partner", self.operator), 0)

    def test_it_is_added_to_the_box_or_makes_one(self):
        self.parameters.set_param("queue_job.button_models", "test.queue.job")
        arch, _view = self.env["test.queue.job"]._get_view(view_type="form")
        box = arch.xpath("//sheet/div[@name='button_box']/widget")
        self.assertEqual(len(box), 1)
        for text, number in (
            ("<form><sheet><div name='button_box'/></sheet></form>", 1),
            ("<form><field name='name'/></form>", 0),
        ):
            self.env["ir.ui.view"].create(
                {"name": text, "model": "test.queue.job", "priority": 1, "arch": text}
            )
            with self.subTest(text=text):
                self.assertEqual(self.buttons("test.queue.job", self.operator), number)
            self.env["ir.ui.view"].search([("name", "=", text)]).unlink()

    def test_a_name_that_is_no_model_does_no_harm(self):
        self.parameters.set_param("queue_job.button_models", "no.such.model,,  ")
        self.assertEqual(self.buttons("res.partner", self.operator), 0)
        self.assertFalse(self.delayed(self.record).linked)


class TestRequester(ElsewhereCase):
    """Who is told that a long job has ended."""

    def told(self, job, seconds):
        """Return the messages that were sent, after a job has run for so long."""
        values = self.env.cr.precommit.data.setdefault("bus.bus.values", [])
        before = len(values)
        job._tell_requester(seconds)
        return [json.loads(value["message"]) for value in values[before:]]

    def test_whoever_asked_for_a_long_job_is_told(self):
        job = self.delayed(self.shown, self.viewer, state="done")
        (message,) = self.told(job, 61)
        self.assertEqual(message["type"], "queue_job.ended")
        self.assertEqual(
            message["payload"],
            {
                "name": "Work on what is shown",
                "failed": False,
                "seconds": 61,
                "job": job.id,
                "record": {"model": self.shown._name, "id": self.shown.id},
            },
        )

    def test_of_a_failure_too(self):
        job = self.delayed(self.shown, self.viewer, state="failed")
        (message,) = self.told(job, 61)
        self.assertTrue(message["payload"]["failed"])

    def test_links_are_those_that_the_user_may_follow(self):
        (message,) = self.told(self.delayed(self.shown, self.user, state="done"), 61)
        self.assertFalse(message["payload"]["job"])
        self.assertTrue(message["payload"]["record"])
        job = self.delayed(self.shown, self.viewer, state="done")
        self.env["ir.model.access"].search([("model_id.model", "=", self.shown._name)]).unlink()
        (message,) = self.told(job, 61)
        self.assertFalse(message["payload"]["record"])

    def test_short_jobs_are_not_told(self):
        job = self.delayed(self.shown, self.viewer, state="done")
        self.assertEqual(self.told(job, 59), [])
        for text, seconds, told in (
            ("5", 6, 1),
            ("5", 4, 0),
            ("0", 1000, 0),
            ("-3", 1000, 0),
            ("no number", 61, 1),
            ("no number", 59, 0),
        ):
            self.parameters.set_param("queue_job.notice_seconds", text)
            with self.subTest(text=text, seconds=seconds):
                self.assertEqual(len(self.told(job, seconds)), told)

    def test_nobody_is_told_of_what_nobody_asked_for(self):
        for user in (self.env.ref("base.user_root"), self.portal):
            with self.subTest(user=user.login):
                job = self.delayed(self.record.sudo(), user, state="done")
                self.assertEqual(self.told(job, 1000), [])
        job = self.delayed(self.shown, self.viewer, state="done")
        self.viewer.active = False
        self.assertEqual(self.told(job, 1000), [])


class TestTray(ElsewhereCase):
    def setUp(self):
        super().setUp()
        self.env.cr.execute("UPDATE queue_job SET state = 'done'")
        self.env["queue.job"].invalidate_model()
        self.tray = self.env["queue.job.tray"].with_user(self.operator)

    def failed_ones(self):
        return [alert for alert in self.tray.look() if alert["target"] == "failed"]

    def failing(self, minutes, records=None):
        since = fields.Datetime.now() - timedelta(minutes=minutes)
        records = self.shown if records is None else records
        return self.delayed(records, state="failed", date_started=since)

    def test_failures_of_the_hour_are_an_alert_until_somebody_deals_with_them(self):
        self.failing(61)
        self.assertEqual(self.failed_ones(), [])
        job = self.failing(59)
        (alert,) = self.failed_ones()
        self.assertIn("failed in the last hour: 1.", alert["message"])
        job.with_user(self.operator).requeue()
        self.assertEqual(self.failed_ones(), [])

    def test_failures_of_other_companies_are_none_of_theirs(self):
        self.failing(1, self.shown.with_company(self.elsewhere))
        self.assertEqual(self.failed_ones(), [])

    def test_a_few_failures_may_be_allowed(self):
        self.failing(1)
        self.parameters.set_param("queue_job.target_failure_rate", "10")
        minute = int(fields.Datetime.now().timestamp()) // 60
        for done, alerts in ((99, 0), (5, 1)):
            self.env.cr.execute("DELETE FROM queue_job_metric")
            metrics.add(self.env.cr, [((minute, "root", "f"), metrics.Sum(done=done, failed=1))])
            with self.subTest(done=done):
                self.assertEqual(len(self.failed_ones()), alerts)
        self.parameters.set_param("queue_job.target_failure_rate", "no number")
        self.assertEqual(len(self.failed_ones()), 1)

    def test_what_stops_everything_is_an_alert(self):
        """Without a runner, as in tests, nothing runs."""
        (alert,) = [alert for alert in self.tray.look() if alert["level"] == "danger"]
        self.assertEqual(alert["target"], "self_test")
        self.assertIn("no runner is connected", alert["message"])

    def test_figures_and_own_jobs(self):
        now = fields.Datetime.now()
        self.delayed(self.shown)
        self.delayed(self.shown, self.operator, state="enqueued")
        values = {"state": "started", "date_started": now - timedelta(seconds=90), "attempt": 1}
        mine = self.delayed(self.shown, self.operator, **values)
        self.delayed(self.shown, self.user, **values)
        self.env["queue.job.progress"].create(
            {"job_id": mine.id, "attempt": 1, "done": 3, "total": 4, "message": "customers"}
        )
        found = self.tray.unfold()
        self.assertEqual(
            found["counts"] | {"limit": 0},
            {
                "running": 2,
                "waiting": 1,
                "failed": 0,
                "limit": 0,
            },
        )
        soon, running = found["mine"]
        self.assertFalse(soon["running"])
        self.assertEqual(running["id"], mine.id)
        self.assertAlmostEqual(running["seconds"], 90, delta=30)
        self.assertEqual((running["progress"], running["progress_text"]), (75, "3 / 4 customers"))
        self.assertFalse(found["more"])
        for _number in range(5):
            self.delayed(self.shown, self.operator, **values)
        self.assertTrue(self.tray.unfold()["more"])

    def test_who_may_look(self):
        for user in (self.viewer, self.user, self.portal):
            for ask in ("look", "unfold"):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    getattr(self.env["queue.job.tray"].with_user(user), ask)()


class TestSettings(ElsewhereCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = new_test_user(
            cls.env, "queue-admin", "base.group_system,queue_job.group_queue_job_manager"
        )
        cls.system = new_test_user(cls.env, "system-only", "base.group_system")

    def settings(self, user, **values):
        return self.env["res.config.settings"].with_user(user).create(values)

    def test_what_is_set_is_stored_and_shown(self):
        partner = self.env["ir.model"]._get("res.partner")
        values = {
            "queue_job_retention": 14,
            "queue_job_responsible_id": self.operator.id,
            "queue_job_target_waiting": 120,
            "queue_job_target_failure_rate": 2.5,
            "queue_job_notice_seconds": 0,
            "queue_job_button_model_ids": [Command.set(partner.ids)],
        }
        self.settings(self.admin, **values).execute()
        stored = {
            name: self.parameters.get_param(f"queue_job.{name}")
            for name in (
                *("failure_responsible_id", "target_waiting", "target_failure_rate"),
                *("notice_seconds", "button_models"),
            )
        }
        self.assertEqual(
            stored,
            {
                "failure_responsible_id": str(self.operator.id),
                "target_waiting": "120.0",
                "target_failure_rate": "2.5",
                "notice_seconds": "0.0",
                "button_models": "res.partner",
            },
        )
        self.assertEqual(self.env.ref("queue_job.channel_root").removal_interval, 14)
        again = self.settings(self.admin)
        self.assertEqual(again.queue_job_retention, 14)
        self.assertEqual(again.queue_job_responsible_id, self.operator)
        self.assertEqual(again.queue_job_target_waiting, 120)
        self.assertEqual(again.queue_job_notice_seconds, 0)
        self.assertEqual(again.queue_job_button_model_ids.mapped("model"), ["res.partner"])
        again.write({"queue_job_responsible_id": False, "queue_job_button_model_ids": False})
        again.execute()
        self.assertFalse(self.parameters.get_param("queue_job.failure_responsible_id"))
        self.assertFalse(self.parameters.get_param("queue_job.button_models"))

    def test_defaults(self):
        settings = self.settings(self.admin)
        self.assertEqual(settings.queue_job_retention, 30)
        self.assertFalse(settings.queue_job_responsible_id)
        self.assertEqual(settings.queue_job_target_waiting, 300)
        self.assertEqual(settings.queue_job_notice_seconds, 60)

    def test_parameters_that_are_no_numbers_do_not_block_the_page(self):
        for name in ("failure_responsible_id", "target_waiting", "notice_seconds"):
            self.parameters.set_param(f"queue_job.{name}", "nonsense")
        settings = self.settings(self.admin)
        self.assertFalse(settings.queue_job_responsible_id)
        self.assertEqual(settings.queue_job_target_waiting, 300)

    def test_what_makes_no_sense_is_refused(self):
        for values in (
            {"queue_job_target_failure_rate": 101},
            {"queue_job_target_failure_rate": -1},
            {"queue_job_target_waiting": -1},
            {"queue_job_notice_seconds": -1},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.settings(self.admin, **values)

    def test_who_may_set_anything(self):
        """Managers of the queue who may change settings; either right alone is not enough."""
        with self.assertRaises(AccessError):
            self.settings(self.manager)
        settings = self.settings(self.system)
        with self.assertRaises(AccessError):
            settings.read(["queue_job_retention"])
        with self.assertRaises(AccessError):
            settings.write({"queue_job_retention": 0})
        settings.execute()
        self.assertEqual(self.env.ref("queue_job.channel_root").removal_interval, 30)
        self.assertFalse(self.parameters.get_param("queue_job.notice_seconds"))

    def test_settings_of_no_record_set_nothing(self):
        self.env["res.config.settings"].with_user(self.admin).set_values()
        self.assertEqual(self.env.ref("queue_job.channel_root").removal_interval, 30)


class TestAnalysis(ElsewhereCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute("DELETE FROM queue_job_metric")
        minute = int(fields.Datetime.now().timestamp()) // 60
        rows = (
            ((minute - 3, "root", "a"), metrics.Sum(done=1, failed=1, seconds=2, waited=20)),
            ((minute - 2, "root", "a"), metrics.Sum(done=98, seconds=198, waited=0)),
            ((minute - 2, "root.b", "b"), metrics.Sum(done=10, seconds=5)),
        )
        metrics.add(cls.env.cr, rows)
        cls.metric = cls.env["queue.job.metric"].with_user(cls.operator)

    def test_ratios_of_a_group_are_those_of_its_sums(self):
        groups = self.metric._read_group(
            [],
            ["function"],
            ["failure_rate:avg", "average_run:avg", "average_wait:avg", "done:sum"],
            order="function",
        )
        self.assertEqual([row[0] for row in groups], ["a", "b"])
        self.assertEqual(groups[0][1:], (1.0, 2.0, 0.2, 99))
        self.assertEqual(groups[1][1:], (0.0, 0.5, 0.0, 10))

    def test_a_group_in_which_nothing_ended_has_none(self):
        minute = int(fields.Datetime.now().timestamp()) // 60
        metrics.add(self.env.cr, [((minute, "root", "c"), metrics.Sum(lost=1))])
        ((rate,),) = self.metric._read_group([("function", "=", "c")], [], ["failure_rate:avg"])
        self.assertFalse(rate)
        self.assertEqual(self.metric.search([("function", "=", "c")]).average_run, 0)

    def test_ratios_of_a_row(self):
        row = self.metric.search([("function", "=", "a"), ("failed", "=", 1)])
        self.assertEqual((row.failure_rate, row.average_run, row.average_wait), (50, 1, 10))

    def test_ratios_are_measures(self):
        described = self.metric.fields_get(["failure_rate", "average_wait"], ["aggregator"])
        self.assertEqual({row["aggregator"] for row in described.values()}, {"avg"})

    def test_waits_add_up(self):
        minute = int(fields.Datetime.now().timestamp()) // 60
        for _number in range(2):
            metrics.add(self.env.cr, [((minute, "root", "d"), metrics.Sum(done=1, waited=1.5))])
        self.assertEqual(self.metric.search([("function", "=", "d")]).waited, 3)

    def test_shipped_filters_can_be_read(self):
        filters = self.env["ir.filters"].search([("model_id", "=", "queue.job.metric")])
        self.assertEqual(len(filters), 4)
        for shipped in filters:
            context = json.loads(shipped.context)
            with self.subTest(filter=shipped.name):
                self.metric.search(shipped._get_eval_domain())
                measures = {context["graph_measure"], *context["pivot_measures"]}
                self.metric._read_group(
                    [],
                    context["group_by"],
                    [f"{name}:{self.metric._fields[name].aggregator}" for name in measures],
                )

    def test_who_may_read(self):
        self.assertTrue(self.metric.search([]))
        with self.assertRaises(AccessError):
            self.metric.with_user(self.viewer).search([])


class TestMenusElsewhere(ElsewhereCase):
    def test_who_has_which_menu(self):
        names = ("scheduled", "metric", "configuration", "settings")
        menus = {name: self.env.ref(f"queue_job.menu_queue_job_{name}").id for name in names}
        admin = new_test_user(
            self.env, "queue-admin", "base.group_system,queue_job.group_queue_job_manager"
        )
        for user, seen in (
            (self.user, set()),
            (self.viewer, {"scheduled"}),
            (self.operator, {"scheduled", "metric"}),
            (self.manager, {"scheduled", "metric"}),
            (admin, set(names)),
        ):
            visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            with self.subTest(user=user.login):
                self.assertEqual({name for name in names if menus[name] in visible}, seen)

    def test_scheduled_jobs_are_those_whose_time_has_not_come(self):
        later = self.stored(self.shown.work.delay(eta=3600))
        now = self.delayed(self.shown)
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "queue_job.action_queue_job_scheduled"
        )
        jobs = self.env["queue.job"].search(literal_eval(action["domain"]))
        self.assertIn(later, jobs)
        self.assertNotIn(now, jobs)

    def test_flags_are_conditions_of_the_partial_indexes(self):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute("SET LOCAL enable_bitmapscan = off")
        for flag, index, order in (
            (True, "scheduled", "eta, id"),
            (False, "ready", "channel, priority, id"),
        ):
            domain = [("state", "=", "pending"), ("scheduled", "=", flag)]
            query = self.env["queue.job"]._search(domain, limit=80, order=order)
            self.env.cr.execute("EXPLAIN " + self.env.cr.mogrify(query.select()).decode())
            plan = "\n".join(row[0] for row in self.env.cr.fetchall())
            with self.subTest(flag=flag):
                self.assertIn(f"queue_job_{index}_index", plan)

    def test_flags_are_found_however_they_are_asked_for(self):
        jobs = self.env["queue.job"]
        later, now = self.stored(self.shown.work.delay(eta=3600)), self.delayed(self.shown)
        for condition, found in (
            (("scheduled", "=", True), later),
            (("scheduled", "!=", True), now),
            (("scheduled", "=", False), now),
            (("scheduled", "in", [True, False]), later + now),
            (("scheduled", "in", []), jobs),
            (("scheduled", "not in", [False]), later),
        ):
            with self.subTest(condition=condition):
                domain = [("id", "in", (later + now).ids), condition]
                self.assertEqual(jobs.search(domain, order="id"), found)
                self.assertEqual((later + now).filtered_domain([condition]), found)


class TestElsewhereTours(HttpCase, ElsewhereCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute("UPDATE queue_job SET state = 'done'")
        cls.partner = cls.env["res.partner"].create({"name": "Somebody"})
        cls.parameters.set_param("queue_job.button_models", "res.partner")

    def delayed_call(self, records, user, description, **values):
        job = records.with_user(user).with_delay(description=description).check_access("read")
        return self.put(job, **values) if values else self.stored(job)

    def fill(self):
        """Delay jobs of a contact, one that failed, one that runs, and one of another record."""
        now = fields.Datetime.now()
        self.delayed_call(self.partner, self.viewer, "Of the viewer")
        failed = {"state": "failed", "date_started": now}
        self.delayed_call(self.partner, self.user, "Greet the contact", **failed)
        self.delayed_call(self.operator.partner_id, self.user, "Of another record")
        running = {"state": "started", "date_started": now - timedelta(seconds=90), "attempt": 1}
        mine = self.delayed_call(
            self.operator.partner_id, self.operator, "Export of customers", **running
        )
        self.env["queue.job.progress"].create(
            {"job_id": mine.id, "attempt": 1, "done": 3, "total": 4, "message": "customers"}
        )

    def open_contact(self, tour, login):
        self.start_tour(f"/odoo/res.partner/{self.partner.id}", tour, login=login)

    def test_tour_of_an_operator(self):
        self.fill()
        self.open_contact("queue_job_elsewhere_operator", "queue-operator")

    def test_tour_of_a_viewer(self):
        self.fill()
        self.open_contact("queue_job_elsewhere_viewer", "queue-viewer")

    def test_tour_of_somebody_without_a_role(self):
        self.fill()
        new_test_user(self.env, "stranger", "base.group_user")
        self.open_contact("queue_job_elsewhere_stranger", "stranger")

    def test_tour_through_the_analysis(self):
        self.env.cr.execute("DELETE FROM queue_job_metric")
        minute = int(fields.Datetime.now().timestamp()) // 60
        rows = [
            (
                (minute - 60 * hours, "root", name),
                metrics.Sum(done=99, failed=1, seconds=40, waited=30 * hours),
            )
            for hours in range(12)
            for name in ("a", "b")
        ]
        metrics.add(self.env.cr, rows)
        self.start_tour("/odoo/queue-analysis", "queue_job_analysis", login="queue-operator")

    def test_tour_through_what_is_scheduled(self):
        records = self.partner.with_user(self.viewer)
        records.with_delay(description="Later", eta=300).check_access("read")
        records.with_delay(description="At once").check_access("read")
        self.start_tour("/odoo/queue-scheduled", "queue_job_scheduled", login="queue-viewer")

    def test_tour_through_the_settings(self):
        new_test_user(
            self.env, "queue-admin", "base.group_system,queue_job.group_queue_job_manager"
        )
        self.parameters.set_param("queue_job.button_models", False)
        action = self.env.ref("queue_job.action_queue_job_settings").id
        self.start_tour(f"/odoo/action-{action}", "queue_job_settings", login="queue-admin")
        self.assertEqual(self.parameters.get_param("queue_job.notice_seconds"), "90.0")
        self.assertEqual(self.parameters.get_param("queue_job.button_models"), "res.partner")
