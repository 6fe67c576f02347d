import json

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase
from odoo.tools import mute_logger

from odoo.addons.queue_job.core.report import write_lease
from odoo.addons.queue_job.core.signature import HEADER, sign
from odoo.addons.queue_job.fields import JobSerialized

from .common import JobCase

MODELS = ("queue.job", "queue.job.function", "queue.job.channel")


class TestAccess(JobCase):
    def test_others_see_nothing(self):
        self.record.noop.delay()
        for model in MODELS:
            for operation in ("read", "write", "create", "unlink"):
                with self.subTest(model=model, operation=operation):
                    self.assertFalse(self.env[model].with_user(self.user).has_access(operation))
        menus = self.env["ir.ui.menu"].with_user(self.user)._visible_menu_ids()
        self.assertNotIn(self.env.ref("queue_job.menu_queue_job_root").id, menus)

    def test_manager_neither_makes_nor_deletes_jobs(self):
        jobs = self.env["queue.job"].with_user(self.manager)
        self.assertTrue(jobs.has_access("read"))
        self.assertTrue(jobs.has_access("write"))
        self.assertFalse(jobs.has_access("create"))
        self.assertFalse(jobs.has_access("unlink"))
        menus = self.env["ir.ui.menu"].with_user(self.manager)._visible_menu_ids()
        self.assertIn(self.env.ref("queue_job.menu_queue_job").id, menus)

    def test_jobs_of_other_companies_are_not_seen(self):
        other = self.env["res.company"].create({"name": "Other"})
        job = self.record.with_company(other).noop.delay()
        record = self.stored(job)
        self.assertEqual(record.company_id, other)
        with self.assertRaises(AccessError):
            record.with_user(self.manager).read(["name"])
        self.put(job, company_id=None)
        self.assertTrue(record.with_user(self.manager).read(["name"]))

    def test_a_user_does_not_choose_a_company_that_is_not_theirs(self):
        other = self.env["res.company"].create({"name": "Other"})
        record = self.record.with_user(self.user).with_context(company_id=other.id)
        self.assertEqual(self.stored(record.noop.delay()).company_id, self.user.company_id)
        own = record.with_context(company_id=self.user.company_id.id)
        self.assertEqual(self.stored(own.noop.delay()).company_id, self.user.company_id)
        self.assertFalse(self.stored(record.with_context(company_id=None).noop.delay()).company_id)

    def test_the_rights_of_a_job_are_not_lent_to_its_readers(self):
        self.manager.group_ids += self.env.ref("base.group_allow_export")
        record = self.stored(self.record.sudo().noop.delay()).with_user(self.manager)
        with self.assertRaises(AccessError):
            record.read(["records"])
        with self.assertRaises(AccessError):
            record.export_data(["records/create_uid/login"])

    def test_a_pattern_is_plain_values(self):
        function = self.env["queue.job.function"].search([], limit=1).with_user(self.manager)
        forged = {"_type": "odoo_recordset", "model": "ir.config_parameter", "ids": [1], "su": True}
        for value in (forged, {"a": "b"}, [1, 2], {"1": 1e300}):
            with self.subTest(value=value), self.assertRaises(ValidationError):
                function.retry_pattern = value
        self.assertNotIsInstance(function._fields["retry_pattern"], JobSerialized)

    def test_expressions_in_a_pattern_are_not_evaluated(self):
        function = self.env["queue.job.function"].search([], limit=1).with_user(self.manager)
        for text in ("{1: 9**9**9}", "{1: len('x' * 10**9)}", "{", "{1: 1/0}", "(" * 3000, "x"):
            with self.subTest(text=text[:20]), self.assertRaises(ValidationError):
                function.edit_retry_pattern = text

    def test_actions_need_the_group(self):
        record = self.put(self.record.noop.delay(), state="failed").with_user(self.user)
        for action in ("requeue", "button_done", "button_cancelled", "open_related_action"):
            with self.subTest(action=action), self.assertRaises(AccessError):
                getattr(record, action)()


class TestRpc(HttpCase, JobCase):
    def call(self, login, model, method, *args, **kwargs):
        """Call as the web client does; return the result, or the name of the error."""
        self.authenticate(login, f"{login}-password" if login == "clerk" else login)
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            data=json.dumps({"params": params}),
            headers={"Content-Type": "application/json"},
        ).json()
        return answer.get("result", answer.get("error", {}).get("data", {}).get("name"))

    @mute_logger("odoo.http")
    def test_no_job_is_made_from_outside(self):
        values = {"uuid": "x", "state": "pending", "method_name": "unlink"}
        for login in ("clerk", "queue-manager"):
            for method, args in (
                ("create", [values]),
                ("_delay", [None, [], {}, {}]),
                ("with_delay", [[self.record.id]]),
                ("init", [[]]),
            ):
                with self.subTest(login=login, method=method):
                    self.assertIn(
                        self.call(login, "queue.job", method, *args),
                        ("odoo.exceptions.AccessError", "builtins.AttributeError"),
                    )

    @mute_logger("odoo.http")
    def test_what_is_known_of_functions_is_not_told(self):
        for method in ("job_config", "_declaration", "_register_hook"):
            self.assertIn(
                self.call("clerk", "queue.job.function", method, "<test.queue.job>.noop"),
                ("odoo.exceptions.AccessError", "builtins.AttributeError"),
            )

    @mute_logger("odoo.http")
    def test_no_job_is_changed_from_outside(self):
        record = self.stored(self.record.noop.delay())
        for login in ("clerk", "queue-manager"):
            for values in ({"method_name": "unlink"}, {"state": "done"}, {"user_id": 1}):
                with self.subTest(login=login, values=values):
                    self.assertEqual(
                        self.call(login, "queue.job", "write", [record.id], values),
                        "odoo.exceptions.AccessError",
                    )
        self.assertEqual(record.method_name, "noop")

    def test_a_job_method_is_called_by_rpc_as_any_method(self):
        self.assertEqual(
            self.call("clerk", "test.queue.job", "write_value", [self.record.id], 8), 8
        )
        self.assertEqual(self.call("clerk", "test.queue.job", "model_method", 5), 5)

    def post(self, body, signature=None, database=None):
        """Post to the run route; return the status."""
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers[HEADER] = signature
        if database is not None:
            headers["X-Odoo-Database"] = database
        return self.url_open("/queue_job/run", data=body, headers=headers).status_code

    @mute_logger("odoo.http")
    def test_run_needs_the_signature(self):
        job = self.stored(self.record.noop.delay())
        self.put_enqueued(job)
        body = write_lease([(job.id, 1)])
        name = self.env.cr.dbname
        secret = self.env["ir.config_parameter"].get_param("database.secret")
        now = 1e9
        self.assertEqual(self.post(body), 403)
        self.assertEqual(self.post(body, "nonsense"), 403)
        self.assertEqual(self.post(body, sign("guess", name, body, now)), 403)
        self.assertEqual(self.post(body, sign(secret, name, body, now)), 403, "too old")
        self.assertEqual(self.post(None), 405, "a GET")
        self.assertEqual(self.post(b"x" * 100_000, sign(secret, name, b"", now)), 413)
        job.invalidate_recordset()
        self.assertEqual(job.state, "enqueued", "nothing ran")

    def put_enqueued(self, record):
        """Give a job to nobody."""
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'enqueued', attempt = 1 WHERE id = %s", (record.id,)
        )
