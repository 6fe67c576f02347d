"""The same by every way in that a real server has: pages, XML-RPC, JSON-RPC, and keys."""

import json
from datetime import timedelta
from xmlrpc.client import Fault

from odoo import fields
from odoo.tests import HttpCase
from odoo.tools import mute_logger

from odoo.addons.queue_job.core.report import write_lease
from odoo.addons.queue_job.core.signature import HEADER, VALID_SECONDS, sign

from .security import METHODS, MODELS, OPERATIONS, WITHOUT_SECRETS, SecurityCase

GRANTED, REFUSED = "granted", "refused"

DENIED = ("AccessError", "AccessDenied", "SessionExpiredException", "Unauthorized")
"""Names of the errors that refuse."""

ACCESS_FAULTS = (3, 4)
"""Codes of XML-RPC: who it is was not believed, or has no right."""

ASKING = {
    "read": ("search_read", {"domain": [], "fields": ["display_name"]}),
    "write": ("write", {"vals": {}}),
    "create": ("web_save", {"vals": {}, "specification": {}}),
    "unlink": ("unlink", {}),
}
"""How each operation is asked for, by its own name or by the one that web pages use."""

WITHOUT_IDS = ("search_read",)


class TestWaysIn(HttpCase, SecurityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        until = fields.Datetime.now() + timedelta(days=1)
        cls.keys = {
            user.login: cls.env["res.users.apikeys"]
            .with_user(user)
            .sudo()
            ._generate(None, "test", until)
            for user in (cls.portal, cls.user, cls.manager, cls.foreign_manager)
        }
        cls.passwords = {"clerk": "clerk-password"}
        cls.logged_in = False

    # One call, by each way

    def by_page(self, user, model, method, ids, named):
        """Call as the web client does."""
        if user != self.logged_in:
            self.authenticate(
                user and user.login, user and self.passwords.get(user.login, user.login)
            )
            self.logged_in = user
        args = [] if method in WITHOUT_IDS or self.is_of_model(model, method) else [ids]
        params = {"model": model, "method": method, "args": args, "kwargs": named}
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            data=json.dumps({"params": params}),
            headers={"Content-Type": "application/json"},
        ).json()
        return self.judged(answer.get("error", {}).get("data", {}).get("name"))

    def by_json_rpc(self, user, model, method, ids, named):
        args = [] if method in WITHOUT_IDS or self.is_of_model(model, method) else [ids]
        key = self.keys[user.login] if user else "guess"
        call = [self.env.cr.dbname, user.id if user else 2, key, model, method, args, named]
        params = {"service": "object", "method": "execute_kw", "args": call}
        answer = self.url_open(
            "/jsonrpc",
            data=json.dumps({"jsonrpc": "2.0", "method": "call", "params": params}),
            headers={"Content-Type": "application/json"},
        ).json()
        return self.judged(answer.get("error", {}).get("data", {}).get("name"))

    def by_xml_rpc(self, user, model, method, ids, named):
        args = [] if method in WITHOUT_IDS or self.is_of_model(model, method) else [ids]
        key = self.keys[user.login] if user else "guess"
        number = user.id if user else 2
        try:
            self.xmlrpc_object.execute_kw(
                self.env.cr.dbname, number, key, model, method, args, named
            )
        except Fault as fault:
            if "cannot marshal None" in fault.faultString:
                return GRANTED
            return REFUSED if fault.faultCode in ACCESS_FAULTS else f"{fault.faultString}"
        return GRANTED

    def by_key(self, user, model, method, ids, named):
        """Call the API of Odoo 19."""
        body = dict(named)
        if method not in WITHOUT_IDS and not self.is_of_model(model, method):
            body["ids"] = ids
        key = self.keys[user.login] if user else "guess"
        answer = self.url_open(
            f"/json/2/{model}/{method}",
            data=json.dumps(body),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        )
        if answer.ok:
            return GRANTED
        return REFUSED if answer.status_code in (401, 403) else answer.text

    def is_of_model(self, model, method):
        return getattr(getattr(type(self.env[model]), method, None), "_api_model", False)

    def judged(self, error):
        if not error:
            return GRANTED
        return REFUSED if error.rpartition(".")[2] in DENIED else error

    @property
    def ways(self):
        return (self.by_page, self.by_json_rpc, self.by_xml_rpc, self.by_key)

    # Who gets what

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.jsonrpc", "odoo.addons.base.models")
    def test_operations(self):
        for way in self.ways:
            for user in (None, self.portal, self.user):
                # A wrong password is looked at for a quarter of a second, before any model is.
                guessed = user is None and way in (self.by_json_rpc, self.by_xml_rpc)
                for model in ("queue.job",) if guessed else MODELS:
                    for operation in OPERATIONS:
                        method, named = ASKING[operation]
                        ids = [] if operation == "create" else self.job.ids
                        case = (way.__name__, user and user.login, model, operation)
                        with self.subTest(case=case):
                            self.assertEqual(way(user, model, method, ids, named), REFUSED)

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.jsonrpc")
    def test_a_manager_reads(self):
        method, named = ASKING["read"]
        for way in self.ways:
            for model, granted in MODELS.items():
                with self.subTest(way=way.__name__, model=model):
                    expected = GRANTED if "read" in granted else REFUSED
                    self.assertEqual(way(self.manager, model, method, [], named), expected)

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.jsonrpc")
    def test_methods(self):
        before = self.row(self.job)
        for way in self.ways:
            for user in (None, self.portal, self.user, self.foreign_manager):
                for method in METHODS["queue.job"] - WITHOUT_SECRETS:
                    if user == self.foreign_manager and method == "action_self_test":
                        continue
                    with self.subTest(way=way.__name__, user=user and user.login, method=method):
                        answer = way(user, "queue.job", method, self.job.ids, {})
                        self.assertEqual(answer, REFUSED)
                if user != self.foreign_manager:
                    for method in METHODS["queue.job.health"]:
                        with self.subTest(way=way.__name__, user=user, method=method):
                            answer = way(user, "queue.job.health", method, [], {})
                            self.assertEqual(answer, REFUSED)
        self.assertEqual(self.row(self.job), before)

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.jsonrpc")
    def test_what_only_code_may_call(self):
        private = ("with_delay", "delayable", "create", "_delay", "_edit", "init")
        admin = self.env.ref("base.user_admin")
        self.keys[admin.login] = (
            self.env["res.users.apikeys"].with_user(admin).sudo()._generate(None, "x", None)
        )
        for way in self.ways:
            for user in (self.user, self.manager, admin):
                for method in private:
                    with self.subTest(way=way.__name__, user=user.login, method=method):
                        named = {"vals_list": []} if method == "create" else {}
                        answer = way(user, "queue.job", method, self.job.ids, named)
                        self.assertEqual(answer, REFUSED)

    @mute_logger("odoo.http", "odoo.addons.rpc.controllers.jsonrpc")
    def test_a_manager_changes_what_may_be_changed_and_nothing_else(self):
        before = self.row(self.job)
        for priority, way in enumerate(self.ways, 20):
            for values in ({"method_name": "unlink"}, {"user_id": 1}, {"args": [1]}):
                answer = way(self.manager, "queue.job", "write", self.job.ids, {"vals": values})
                self.assertEqual(answer, REFUSED)
            self.env.invalidate_all()
            self.assertEqual(self.row(self.job), {**before, "priority": self.job.priority})
            values = {"priority": priority}
            answer = way(self.manager, "queue.job", "write", self.job.ids, {"vals": values})
            self.assertEqual(answer, GRANTED)
            self.env.invalidate_all()
            self.assertEqual(self.job.priority, priority)

    @mute_logger("odoo.http")
    def test_a_job_method_is_called_as_any_other(self):
        for way in self.ways:
            with self.subTest(way=way.__name__):
                answer = way(
                    self.user, "test.queue.job", "write_value", self.record.ids, {"value": 8}
                )
                self.assertEqual(answer, GRANTED)

    @mute_logger("odoo.http")
    def test_what_is_in_a_context_gives_no_rights(self):
        context = {"_job_edit_sentinel": True, "su": True, "default_user_id": 1, "uid": 1}
        for way in self.ways:
            for values in ({"state": "done"}, {"user_id": 1}):
                named = {"vals": values, "context": context}
                answer = way(self.manager, "queue.job", "write", self.job.ids, named)
                self.assertEqual(answer, REFUSED)


class TestRunRoute(HttpCase, SecurityCase):
    """The signed route, as everybody; what is signed well is tried with a real runner elsewhere."""

    def setUp(self):
        super().setUp()
        self.secret = self.env["ir.config_parameter"].sudo().get_param("database.secret")
        self.now = fields.Datetime.now().timestamp()
        self.body = write_lease([(self.job.id, 1)])
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'enqueued', attempt = 1 WHERE id = %s", self.job.ids
        )

    def post(self, body, signature=None, **headers):
        if signature is not None:
            headers[HEADER] = signature
        headers.setdefault("Content-Type", "application/json")
        return self.url_open("/queue_job/run", data=body, headers=headers)

    def signed(self, **changes):
        parts = {
            "secret": self.secret,
            "database": self.env.cr.dbname,
            "body": self.body,
            "now": self.now,
            **changes,
        }
        return sign(**parts)

    @mute_logger("odoo.http")
    def test_nobody_runs_a_job_without_the_signature(self):
        logins = (None, "portal-user", "clerk", "queue-manager", "admin")
        for login in logins:
            self.authenticate(login, {"clerk": "clerk-password"}.get(login, login))
            for signature in (None, "", "nonsense", f"{int(self.now)}.", self.signed(secret="x")):
                with self.subTest(login=login, signature=signature):
                    self.assertEqual(self.post(self.body, signature).status_code, 403)
        self.env.invalidate_all()
        self.assertEqual(self.job.state, "enqueued", "nothing ran")

    @mute_logger("odoo.http")
    def test_a_signature_is_for_one_database_one_body_and_some_minutes(self):
        for changes in (
            {"database": "another"},
            {"body": self.body + b" "},
            {"body": b""},
            {"now": self.now - VALID_SECONDS - 60},
            {"now": self.now + VALID_SECONDS + 60},
        ):
            with self.subTest(changes=changes):
                self.assertEqual(self.post(self.body, self.signed(**changes)).status_code, 403)

    @mute_logger("odoo.http")
    def test_requests_are_bounded(self):
        for size in (65_537, 1_000_000):
            body = b" " * size
            self.assertEqual(self.post(body, self.signed(body=body)).status_code, 413)
        chunks = (b" " * 1000 for _chunk in range(100))
        self.assertIn(self.post(chunks, "x").status_code, (403, 411, 413))
        empty = self.url_open(
            "/queue_job/run", method="POST", headers={HEADER: self.signed(body=b"")}
        )
        self.assertEqual(empty.status_code, 413)

    @mute_logger("odoo.http")
    def test_what_is_signed_and_no_lease_is_refused_in_words(self):
        for body in (b"{}", b'{"jobs": [[1]]}', b"[" * 60_000, b"\xff", b'{"jobs": [[1e99, 1]]}'):
            with self.subTest(body=body[:20]):
                answer = self.post(body, self.signed(body=body))
                self.assertEqual(answer.status_code, 400)
                self.assertLess(len(answer.text), 2_000)

    @mute_logger("odoo.http")
    def test_other_ways_of_asking_are_not_there(self):
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            answer = self.opener.request(method, self.base_url() + "/queue_job/run", timeout=12)
            self.assertEqual(answer.status_code, 405)
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answer = self.post(self.body, self.signed(), **{"Content-Type": kind})
            self.assertIn(answer.status_code, (400, 403))

    @mute_logger("odoo.http")
    def test_an_answer_tells_nothing_of_the_secret(self):
        answer = self.post(self.body, self.signed(secret="x"))
        self.assertNotIn(self.secret, answer.text)
        self.assertNotIn(self.secret, str(answer.headers))
