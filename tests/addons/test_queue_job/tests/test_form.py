"""What the form of a job shows, to whom, and what it does."""

import json
import logging
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase
from odoo.tools import html2plaintext

import odoo.addons.queue_job
from odoo.addons.queue_job import current_job
from odoo.addons.queue_job.addons_code import code_roots
from odoo.addons.queue_job.current import LOG_LINES, LOG_SECONDS, RunningJob
from odoo.addons.queue_job.delay import chain
from odoo.addons.queue_job.storage import history

from .security import FOR_MANAGERS, SecurityCase

SECRET = "hunter2"
BEGIN = datetime(2026, 3, 1, 12)


class FormCase(SecurityCase):
    """A job with secrets, of the viewer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Azure Interior"})
        cls.secretive = (
            cls.record.with_user(cls.viewer)
            .send.delay(
                cls.partner.with_user(cls.viewer),
                SECRET,
                values={
                    "lines": [1, 2],
                    "api_key": SECRET,
                    "url": f"https://bob:{SECRET}@x.example",
                },
                pincode=SECRET,
                description="A job with secrets",
            )
            .db_record()
            .with_env(cls.env)
        )
        cls.env.flush_all()

    def let_fail(self, job, message="the reason", **values):
        """Bring a job to where a failure brings it; return what is kept of the attempt."""
        traceback = (
            "Traceback (most recent call last):\n"
            f'  File "{odoo.addons.queue_job.__path__[0]}/worker/executor.py", line 3, in run\n'
            "    call()\n"
            f'  File "{odoo.addons.test_queue_job.__path__[0]}/models/a.py", line 7, in send\n'
            f'    login("{SECRET}")\n'
            f"ValueError: {message}\n"
        )
        row = {
            "state": "failed",
            "attempt": 2,
            "retry": 2,
            "date_created": BEGIN,
            "date_enqueued": BEGIN + timedelta(seconds=20),
            "date_started": BEGIN + timedelta(seconds=21),
            "exc_name": "builtins.ValueError",
            "exc_message": message,
            "exc_info": traceback,
            **values,
        }
        self.set_columns(job, row)
        attempts = self.env["queue.job.attempt"].create(
            [
                {
                    "job_id": job.id,
                    "attempt": number,
                    "outcome": outcome,
                    "date_started": BEGIN + timedelta(seconds=begin),
                    "date_ended": BEGIN + timedelta(seconds=end),
                    "worker_host": "shop-1",
                    "worker_pid": 4711,
                    "message": text,
                    "exc_name": name,
                    "exc_info": info,
                }
                for number, outcome, begin, end, text, name, info in (
                    (1, "postponed", 2, 5, "not yet", False, False),
                    (2, "failed", 21, 25, message, "builtins.ValueError", traceback),
                )
            ]
        )
        self.env.flush_all()
        return attempts

    def set_columns(self, job, values):
        """Set columns of a job as the engine does."""
        columns = ", ".join(f'"{name}" = %s' for name in values)
        self.env.cr.execute(
            f"UPDATE queue_job SET {columns} WHERE id = %s", (*values.values(), job.id)
        )
        self.env.invalidate_all()


class TestPayload(FormCase):
    def payload(self, user):
        self.env.invalidate_all()
        return self.secretive.with_user(user).payload

    def call(self, user):
        return "".join(token["text"] for token in self.payload(user)["call"])

    def test_an_operator_and_a_manager_see_all_but_secrets(self):
        for user in (self.operator, self.manager):
            with self.subTest(user=user.login):
                self.assertEqual(
                    self.call(user),
                    f"test.queue.job({self.record.id}).send(res.partner({self.partner.id}), •••, "
                    "values={'lines': [1, 2], 'api_key': •••, 'url': 'https://bob:•••@x.example'}, "
                    "pincode=•••)",
                )
                self.assertNotIn(SECRET, json.dumps(self.payload(user)))

    def test_a_viewer_sees_the_names_alone(self):
        payload = self.payload(self.viewer)
        self.assertEqual(
            self.call(self.viewer),
            f"test.queue.job({self.record.id}).send(•••, •••, values=•••, pincode=•••)",
        )
        self.assertTrue(payload["masked"])
        self.assertNotIn("lines", json.dumps(payload))

    def test_records_that_the_reader_may_read_are_named(self):
        links = [token for token in self.payload(self.operator)["call"] if "model" in token]
        titles = [(link["model"], link["id"], link["title"]) for link in links]
        self.assertIn(("res.partner", self.partner.id, "Azure Interior"), titles)
        self.env["ir.rule"].create(
            {
                "name": "not this one",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.partner.id})]",
            }
        )
        self.assertNotIn("Azure", json.dumps(self.payload(self.operator)))

    def test_a_record_that_is_gone_is_not_named(self):
        self.partner.unlink()
        call = self.payload(self.operator)["call"]
        self.assertEqual(
            [token["model"] for token in call if "model" in token], [self.record._name]
        )

    def test_what_cannot_be_read_says_so_without_saying_what_it_is(self):
        deep = f'"{SECRET}"'
        for _number in range(3000):
            deep = f"[{deep}]"
        self.set_columns(self.secretive, {"args": deep})
        payload = self.payload(self.operator)
        self.assertNotIn(SECRET, json.dumps(payload))
        self.assertTrue(payload.get("error") or payload["call"])

    def test_what_code_that_is_gone_was_given_is_not_shown(self):
        self.set_columns(self.secretive, {"method_name": "not_there_any_more"})
        self.assertTrue(
            self.call(self.operator).endswith(
                ".not_there_any_more(•••, •••, values=•••, pincode=•••)"
            )
        )

    def test_every_job_of_a_screen_has_a_call(self):
        jobs = self.env["queue.job"].with_user(self.manager).search([])
        self.assertTrue(all(payload.get("call") for payload in jobs.mapped("payload")))


class TestWhoReads(FormCase):
    """What shows secrets or tracebacks is for managers, however it is asked for."""

    def test_fields_of_managers_are_read_by_managers(self):
        self.let_fail(self.secretive)
        for name in sorted(FOR_MANAGERS):
            with self.subTest(field=name):
                self.assertTrue(self.secretive.with_user(self.manager).read([name]))
                for user in (self.operator, self.viewer):
                    job = self.secretive.with_user(user)
                    for ask in (
                        lambda job=job, name=name: job.read([name]),
                        lambda job=job, name=name: job.web_read({name: {}}),
                        lambda job=job, name=name: job.search([(name, "!=", False)]),
                    ):
                        with self.assertRaises(AccessError):
                            ask()

    def test_they_neither_group_nor_sort_by_them(self):
        for name in ("func_string", "exc_info"):
            for user in (self.operator, self.viewer):
                jobs = self.env["queue.job"].with_user(user)
                for ask in (
                    lambda jobs=jobs, name=name: jobs.search([(name, "ilike", SECRET)]),
                    lambda jobs=jobs, name=name: jobs.formatted_read_group([], [name]),
                    lambda jobs=jobs, name=name: jobs.search([], order=name),
                ):
                    with self.subTest(field=name), self.assertRaises(AccessError):
                        ask()

    def test_the_traceback_of_an_attempt_is_for_managers(self):
        attempt = self.let_fail(self.secretive)[-1]
        frames = attempt.with_user(self.manager).frames
        self.assertEqual(
            [(frame["part"], frame["place"]) for frame in frames],
            [
                ("text", ""),
                ("framework", "worker/executor.py:3"),
                ("own", "test_queue_job/models/a.py:7"),
                ("text", ""),
            ],
        )
        self.assertEqual("".join(frame["text"] for frame in frames), attempt.exc_info)
        for user in (self.operator, self.viewer):
            seen = attempt.with_user(user)
            self.assertEqual(seen.read(["message"])[0]["message"], "the reason")
            for name in ("exc_info", "frames"):
                with self.assertRaises(AccessError):
                    seen.read([name])
                with self.assertRaises(AccessError):
                    seen.job_id.search([(f"attempt_ids.{name}", "!=", False)])

    def test_the_form_has_no_field_that_its_reader_may_not_read(self):
        for user, seen in ((self.manager, True), (self.operator, False), (self.viewer, False)):
            with self.subTest(user=user.login):
                view = self.env["queue.job"].with_user(user).get_views([(False, "form")])
                fields = set(view["models"]["queue.job"]["fields"])
                self.assertEqual(bool(fields & FOR_MANAGERS), seen)
                arch = view["views"]["form"]["arch"]
                self.assertEqual("button_done" in arch, seen)
                self.assertEqual("button_cancelled" in arch, user != self.viewer)

    def test_odoo_and_the_queue_are_not_the_house(self):
        roots = code_roots()
        self.assertFalse(roots.is_own(odoo.addons.queue_job.__file__))
        self.assertFalse(roots.is_own(odoo.addons.mail.__file__))
        self.assertFalse(roots.is_own(odoo.http.__file__))
        self.assertTrue(roots.is_own(__file__))


class TestTimeline(FormCase):
    def test_each_attempt_is_a_row(self):
        self.let_fail(self.secretive)
        timeline = self.secretive.with_user(self.viewer).timeline
        rows = [
            (
                row["number"],
                row["outcome"],
                [(part["stretch"], part["begin"], part["end"]) for part in row["segments"]],
            )
            for row in timeline["rows"]
        ]
        self.assertEqual(
            rows,
            [
                (1, "postponed", [("waiting", 0, 2), ("running", 2, 5)]),
                (2, "failed", [("waiting", 5, 20), ("dispatched", 20, 21), ("running", 21, 25)]),
            ],
        )
        self.assertEqual(timeline["begin"], "2026-03-01 12:00:00")

    def test_one_that_waits_for_others_says_so(self):
        parent, child = self.record.delayable().noop(), self.record.delayable().noop()
        chain(parent, child).delay()
        self.env.flush_all()
        waits, parent = (call._generated_job.db_record() for call in (child, parent))
        segment = waits.timeline["rows"][0]["segments"][0]
        self.assertEqual((segment["stretch"], segment["live"]), ("parents", True))
        self.set_columns(parent, {"state": "done", "date_done": BEGIN + timedelta(seconds=5)})
        ran = {
            "state": "done",
            "attempt": 1,
            "date_created": BEGIN,
            "date_started": BEGIN + timedelta(seconds=7),
            "date_done": BEGIN + timedelta(seconds=8),
        }
        self.set_columns(waits, ran)
        stretches = [part["stretch"] for part in waits.timeline["rows"][0]["segments"]]
        self.assertEqual(stretches, ["parents", "waiting", "running"])

    def test_a_job_of_no_known_state_has_one_as_well(self):
        self.set_columns(self.secretive, {"state": "nonsense", "date_created": None})
        self.assertEqual(self.secretive.timeline["rows"], [])

    def test_a_countdown_alone_is_no_news(self):
        now = fields.Datetime.now()
        job, pulses = self.secretive.with_user(self.manager), []
        for seconds in (600, 598):
            eta = now + timedelta(seconds=seconds)
            self.set_columns(self.secretive, {"eta": eta, "scheduled": True})
            pulses.append(job.pulse())
        self.assertTrue(pulses[0]["wait_reason"])
        self.assertEqual(*pulses)

    def test_the_pulse_changes_with_the_job(self):
        job = self.secretive.with_user(self.viewer)
        before = job.pulse()
        self.assertEqual(job.pulse(), before)
        self.assertFalse(before["ended"])
        line = {"job_id": job.id, "attempt": 1, "message": "said"}
        self.env["queue.job.log"].create(line)
        with_line = job.pulse()
        self.assertNotEqual(with_line, before)
        self.let_fail(self.secretive)
        self.assertTrue(job.pulse()["ended"])


class TestActions(FormCase):
    def notes(self, job):
        messages = job.message_ids
        return [(html2plaintext(message.body), message.author_id) for message in messages]

    def test_what_an_operator_does_is_noted(self):
        self.let_fail(self.secretive)
        job = self.secretive.with_user(self.operator)
        job.requeue()
        job.button_cancelled()
        partner = self.operator.partner_id
        self.env.flush_all()
        self.assertEqual(
            self.notes(self.secretive),
            [("Cancelled", partner), ("Requeued", partner)],
        )
        self.secretive.with_user(self.manager).requeue()
        self.secretive.with_user(self.manager).button_done()
        self.assertEqual(self.secretive.state, "done")
        self.assertEqual(len(self.notes(self.secretive)), 4)
        self.env.cr.precommit.run()
        self.assertEqual(len(self.notes(self.secretive)), 4, "tracked as well")

    def test_what_the_engine_does_is_not(self):
        self.let_fail(self.secretive)
        self.secretive.requeue()
        self.secretive._edit({"eta": BEGIN, "priority": 3})
        self.env.flush_all()
        self.env.cr.precommit.run()
        self.assertFalse(self.secretive.message_ids)

    def test_what_a_manager_changes_is_tracked(self):
        job = self.secretive.with_user(self.manager)
        job.write({"priority": 3, "channel": "root.other"})
        self.env.flush_all()
        self.env.cr.precommit.run()
        tracked = self.secretive.message_ids.sudo().tracking_value_ids
        self.assertEqual(set(tracked.field_id.mapped("name")), {"priority", "channel"})

    def test_a_manager_runs_a_job_before_its_time(self):
        job = self.record.noop.delay(eta=3600).db_record().with_env(self.env)
        self.assertTrue(job.scheduled)
        with self.assertRaises(AccessError):
            job.with_user(self.operator).run_now()
        job.with_user(self.manager).run_now()
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((job.eta, job.scheduled, job.state), (False, False, "pending"))

    def test_who_may_edit_is_told(self):
        for user, may in ((self.manager, True), (self.operator, False), (self.viewer, False)):
            self.assertEqual(self.secretive.with_user(user).can_edit, may)
        self.set_columns(self.secretive, {"state": "started"})
        self.assertFalse(self.secretive.with_user(self.manager).can_edit)

    def test_others_of_the_function_and_of_the_error(self):
        self.let_fail(self.secretive)
        job = self.secretive.with_user(self.viewer)
        jobs = self.env["queue.job"].with_user(self.manager)
        self.assertEqual(jobs.search(job.open_same_function()["domain"]), self.secretive)
        self.assertEqual(jobs.search(job.open_same_error()["domain"]), self.secretive)


class TestLog(FormCase):
    """Lines that are seen while a job runs."""

    class OnCursor:
        """Writes what a job tells in the transaction of the test instead of on a connection."""

        def __init__(self, cr):
            self.cr = cr

        def tell_log(self, *args):
            history.keep_log(self.cr, *args)

        def trim_log(self, *args, **kwargs):
            history.trim_log(self.cr, *args, **kwargs)

    def setUp(self):
        super().setUp()
        side = self.OnCursor(self.env.cr)
        self.running = RunningJob("uuid", self.job.id, 3, liveness=side, watched=None)

    def lines(self):
        return self.env["queue.job.log"].search([("job_id", "=", self.job.id)]).mapped("message")

    def keep(self, message, *, late):
        if late:
            self.running._shown_at -= LOG_SECONDS
        self.running.keep(logging.LogRecord("shop", logging.INFO, "", 0, message, (), None))

    def test_dependents_import_it_from_the_addon(self):
        self.assertFalse(current_job(self.env))
        self.assertIs(odoo.addons.queue_job.current_job, current_job)
        self.assertIs(odoo.addons.queue_job.current.current_job, current_job)

    def test_a_long_job_shows_its_lines_and_keeps_none_twice(self):
        self.keep("first", late=False)
        self.assertEqual((self.lines(), len(self.running.lines)), ([], 1), "too early")
        self.keep("second", late=True)
        self.assertEqual(self.lines(), ["first", "second"])
        self.assertEqual(self.running.lines, [])

    def test_of_a_long_log_the_ends_are_kept_as_well(self):
        other = {"job_id": self.job.id, "attempt": 2, "message": "of another attempt"}
        self.env["queue.job.log"].create(other)
        for number in range(LOG_LINES + 3):
            self.keep(str(number), late=True)
        half = LOG_LINES // 2
        kept = [*range(half), *range(half + 3, LOG_LINES + 3)]
        self.assertEqual(self.lines(), ["of another attempt", *map(str, kept)])


class TestTours(HttpCase, FormCase):
    def tour(self, name, user):
        self.let_fail(self.secretive)
        address = f"/odoo/queue-jobs/{self.secretive.id}"
        self.start_tour(address, name, login=user.login)
        self.env.invalidate_all()

    def test_a_viewer_looks(self):
        self.tour("queue_job_form_viewer", self.viewer)
        self.assertEqual(self.secretive.state, "failed")

    def test_an_operator_requeues(self):
        self.tour("queue_job_form_operator", self.operator)
        self.assertEqual(self.secretive.state, "pending")

    def test_a_manager_reads_and_edits(self):
        self.tour("queue_job_form_manager", self.manager)
        self.assertEqual((self.secretive.state, self.secretive.priority), ("pending", 3))
