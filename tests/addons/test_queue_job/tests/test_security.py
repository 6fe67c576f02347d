"""Every model, field and method of the addon, as everybody who might ask for it."""

import json
import os
from contextlib import suppress
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import Form
from odoo.tools import mute_logger

from odoo.addons.queue_job.delay import chain
from odoo.addons.queue_job.jobrunner.dispatch import Dispatcher, Order
from odoo.addons.queue_job.settings import settings

from .security import (
    EDITED,
    FOR_VIEWERS,
    HIDDEN,
    JOB_FIELDS,
    METHODS,
    MIXINS,
    MODELS,
    NOT_FOR_OPERATORS,
    OPERATIONS,
    OPERATOR_MODELS,
    OTHER_FIELDS,
    ROUTES,
    VIEWER_MODELS,
    WITHOUT_SECRETS,
    SecurityCase,
    module_fields,
    module_methods,
    module_models,
    module_routes,
)

FORGED = {
    "_type": "odoo_recordset",
    "model": "res.users",
    "ids": [1],
    "uid": 1,
    "su": True,
    "context": {},
}
"""What somebody would like a job to run on."""


def forged(field):
    """Return a value that somebody might want a field of a job to have."""
    values = {
        "integer": 1,
        "float": 1.0,
        "boolean": True,
        "many2one": 1,
        "many2many": [Command.clear()],
        "datetime": "2001-01-01 00:00:00",
        "selection": "done" if field.name == "state" else "running",
        "job_serialized": FORGED if field.name == "records" else [FORGED],
        "json": {"forged": True},
    }
    return values.get(field.type, "unlink")


class TestTables(SecurityCase):
    """What the addon has is what the tables know."""

    def test_every_model_has_a_row(self):
        self.assertEqual(module_models(self.env), set(MODELS))
        self.assertEqual({*OTHER_FIELDS, "queue.job"}, set(MODELS))
        self.assertEqual(set(METHODS), set(MODELS))

    def test_every_field_has_a_row(self):
        self.assertEqual(module_fields(self.env, "queue.job"), JOB_FIELDS)
        for model, names in OTHER_FIELDS.items():
            with self.subTest(model=model):
                self.assertEqual(module_fields(self.env, model), names)

    def test_every_method_has_a_row(self):
        for model, names in METHODS.items():
            with self.subTest(model=model):
                self.assertEqual(module_methods(self.env, model), names)

    def test_nothing_is_added_to_other_models_that_can_be_called(self):
        for model in ("base", "res.users", "res.company", "ir.model.fields", "res.partner"):
            with self.subTest(model=model):
                self.assertEqual(module_methods(self.env, model), set())

    def test_every_route_has_a_row(self):
        self.assertEqual(module_routes(self.env), ROUTES)


class TestModels(SecurityCase):
    def test_who_may_do_what(self):
        for model, granted in MODELS.items():
            for operation in OPERATIONS:
                for user in self.strangers:
                    with self.subTest(model=model, operation=operation, user=user.login):
                        self.assertFalse(self.env[model].with_user(user).has_access(operation))
                for user, may in (
                    (self.manager, granted),
                    (self.operator, OPERATOR_MODELS[model]),
                    (self.viewer, VIEWER_MODELS[model]),
                ):
                    with self.subTest(model=model, operation=operation, user=user.login):
                        access = self.env[model].with_user(user).has_access(operation)
                        self.assertEqual(access, operation in may)

    def test_no_record_is_given_to_a_group_that_is_none_of_the_queues(self):
        access = self.env["ir.model.access"].search([("model_id.model", "in", list(MODELS))])
        roles = self.env["res.groups"]
        for role in ("viewer", "operator", "manager"):
            roles += self.env.ref(f"queue_job.group_queue_job_{role}")
        self.assertEqual(access.group_id, roles)
        self.assertTrue(all(row.group_id for row in access), "a row without group is for everybody")


class TestMethods(SecurityCase):
    def setUp(self):
        super().setUp()
        self.put(self.job, state="failed", exc_info="Traceback of a secret")
        self.put(self.foreign_job, state="failed")

    def put(self, record, **values):
        self.env.flush_all()
        columns = ", ".join(f'"{name}" = %s' for name in values)
        self.env.cr.execute(
            f"UPDATE queue_job SET {columns} WHERE id = %s", (*values.values(), record.id)
        )
        record.invalidate_recordset()

    def arguments(self, model, method, job):
        """Return what a method is called with from outside: ids, unless it has none."""
        if getattr(getattr(type(self.env[model]), method), "_api_model", False):
            return []
        if model == "queue.job":
            return [job.ids]
        if model == "queue.job.channel":
            return [self.env.ref("queue_job.channel_root").ids]
        if model == "queue.job.failure":
            return [self.make_failure().ids]
        if model == "queue.job.function":
            return [job.job_function_id.ids]
        if model == "queue.job.node":
            return [self.env[model].search([], limit=1).ids]
        values = {"job_ids": [Command.set(job.ids)]} if "job_ids" in OTHER_FIELDS[model] else {}
        return [self.env[model].with_user(self.manager).create(values).ids]

    def make_failure(self):
        """Return a failure with a job that stands failed so."""
        failures = self.env["queue.job.failure"]
        failure = failures.search([("key", "=", "key")])
        if not failure:
            failure = failures.create({"key": "key", "name": "Oops in noop"})
            self.failing = self.record.noop.delay().db_record()
            attempt = {"attempt": 1, "outcome": "failed", "failure_key": "key"}
            self.env["queue.job.attempt"].create({"job_id": self.failing.id, **attempt})
        self.put(self.failing, state="failed", failure_key="key")
        return failure

    def calls(self, job):
        for model in set(METHODS) - MIXINS:
            for method in METHODS[model] - WITHOUT_SECRETS:
                yield model, method, self.arguments(model, method, job)

    def test_strangers_call_nothing(self):
        before = self.row(self.job)
        for model, method, args in self.calls(self.job):
            for user in self.strangers:
                with (
                    self.subTest(model=model, method=method, user=user.login),
                    self.assertRaises(AccessError),
                ):
                    call_kw(self.env[model].with_user(user), method, args, {})
        self.assertEqual(self.row(self.job), before)

    def test_a_manager_calls_everything(self):
        for model, method, args in self.calls(self.job):
            with self.subTest(model=model, method=method), self.env.cr.savepoint():
                call_kw(self.env[model].with_user(self.manager), method, args, {})

    def test_an_operator_calls_what_the_table_grants(self):
        for model, method, args in self.calls(self.job):
            with self.subTest(model=model, method=method), self.env.cr.savepoint():
                jobs = self.env[model].with_user(self.operator)
                if method in NOT_FOR_OPERATORS.get(model, ()):
                    with self.assertRaises(AccessError):
                        call_kw(jobs, method, args, {})
                elif "job_ids" not in OTHER_FIELDS.get(model, ()):
                    call_kw(jobs, method, args, {})

    def test_an_operator_runs_the_wizards_of_operators(self):
        for model, method in (
            ("queue.jobs.to.cancelled", "set_cancelled"),
            ("queue.requeue.job", "requeue"),
        ):
            wizard = self.env[model].with_user(self.operator)
            wizard = wizard.create({"job_ids": [Command.set(self.job.ids)]})
            call_kw(wizard, method, [wizard.ids], {})
        self.assertEqual(self.row(self.job)["state"], "pending")

    def test_a_viewer_calls_what_the_table_grants(self):
        before = self.row(self.viewed_job)
        for model, method, args in self.calls(self.viewed_job):
            if method in FOR_VIEWERS.get(model, ()) and method != "action_self_test":
                with self.subTest(model=model, method=method), self.env.cr.savepoint():
                    call_kw(self.env[model].with_user(self.viewer), method, args, {})
            else:
                with (
                    self.subTest(model=model, method=method),
                    self.assertRaises(AccessError),
                    self.env.cr.savepoint(),
                ):
                    call_kw(self.env[model].with_user(self.viewer), method, args, {})
        self.assertEqual(self.row(self.viewed_job), before)

    def test_a_viewer_calls_nothing_on_jobs_of_others(self):
        for method in METHODS["queue.job"] - WITHOUT_SECRETS - {"action_self_test"}:
            jobs = self.env["queue.job"].with_user(self.viewer)
            with self.subTest(method=method), self.assertRaises(AccessError):
                call_kw(jobs, method, [self.job.ids], {})

    def test_a_manager_calls_nothing_on_jobs_of_another_company(self):
        before = self.row(self.foreign_job)
        for method in METHODS["queue.job"] - WITHOUT_SECRETS - {"action_self_test"}:
            with self.subTest(method=method), self.assertRaises(AccessError):
                jobs = self.env["queue.job"].with_user(self.manager)
                call_kw(jobs, method, [self.foreign_job.ids], {})
        for model, method in (
            ("queue.requeue.job", "requeue"),
            ("queue.jobs.to.done", "set_done"),
            ("queue.jobs.to.cancelled", "set_cancelled"),
        ):
            for make in self.crafted_wizards(model):
                # Refused, or done with the jobs that they may see: none.
                with suppress(AccessError), self.env.cr.savepoint():
                    wizard = make()
                    call_kw(wizard, method, [wizard.ids], {})
                self.assertEqual(self.row(self.foreign_job), before)

    def crafted_wizards(self, model):
        """Return functions that make a wizard for a job of another company, in all ways."""
        wizards = self.env[model].with_user(self.manager)
        ids = self.foreign_job.ids
        context = {"active_model": "queue.job", "active_ids": ids, "active_id": ids[0]}
        by_default = wizards.with_context(default_job_ids=[Command.set(ids)])
        return (
            lambda: wizards.with_context(**context).create({}),
            lambda: by_default.create({}),
            lambda: wizards.create({"job_ids": [Command.set(ids)]}),
            lambda: wizards.create({"job_ids": [Command.link(ids[0])]}),
            lambda: wizards.browse(wizards.web_save({"job_ids": [Command.set(ids)]}, {})[0]["id"]),
        )

    def test_a_wizard_does_not_show_jobs_of_another_company(self):
        specification = {"job_ids": {"fields": {"name": {}, "exc_info": {}}}}
        for make in self.crafted_wizards("queue.requeue.job"):
            with suppress(AccessError), self.env.cr.savepoint():
                wizard = make()
                self.env.invalidate_all()
                self.assertEqual(wizard.web_read(specification)[0]["job_ids"], [])
        with self.assertRaises(AccessError):
            self.env["queue.requeue.job"].with_user(self.manager).onchange(
                {"job_ids": [Command.link(self.foreign_job.id)]}, ["job_ids"], specification
            )

    def test_private_methods_are_not_called(self):
        private = ("_edit", "_delay", "_insert", "_stored", "_change_state", "_job_store_values")
        public = ("with_delay", "delayable", "create", "init", "_register_hook", "__class__")
        for method in (*private, *public):
            for user in (self.user, self.manager, self.env.ref("base.user_admin")):
                with self.subTest(method=method, user=user.login), self.assertRaises(AccessError):
                    call_kw(self.env["queue.job"].with_user(user), method, [self.job.ids], {})
        for method in ("noop.delay", "noop.__func__", "delay", "with_delay().unlink"):
            with self.subTest(method=method), self.assertRaises(AttributeError):
                call_kw(
                    self.env["test.queue.job"].with_user(self.user), method, [self.record.ids], {}
                )


class TestRoles(SecurityCase):
    """What operators and viewers see and change of jobs, beside what they may call."""

    def test_an_operator_edits_no_field_of_a_job(self):
        job, before = self.job.with_user(self.operator), self.row(self.job)
        for name in sorted(EDITED):
            values = {"priority": 3, "eta": False, "channel": "a", "max_retries": 9}
            with self.subTest(field=name), self.assertRaises(AccessError):
                job.write({name: values[name]})
        with self.assertRaises(AccessError):
            job.with_context(active_test=False).web_save({"priority": 1}, {})
        self.assertEqual(self.row(self.job), before)

    def test_a_viewer_sees_their_own_jobs_and_no_others(self):
        jobs = self.env["queue.job"].with_user(self.viewer)
        self.assertEqual(jobs.search([]), self.viewed_job)
        with self.assertRaises(AccessError):
            self.job.with_user(self.viewer).read(["name"])
        for model in ("queue.job.attempt", "queue.job.log", "queue.job.progress"):
            values = {"attempt": 1, "message": "said"}
            if model == "queue.job.attempt":
                values["outcome"] = "failed"
            own, other = self.env[model].create(
                [{"job_id": job.id, **values} for job in (self.viewed_job, self.job)]
            )
            with self.subTest(model=model):
                seen = self.env[model].with_user(self.viewer).search([])
                self.assertIn(own, seen)
                self.assertNotIn(other, seen)

    def test_an_operator_sees_the_jobs_of_their_companies(self):
        seen = self.env["queue.job"].with_user(self.operator).search([])
        self.assertIn(self.job, seen)
        self.assertIn(self.viewed_job, seen)
        self.assertNotIn(self.foreign_job, seen)

    def test_a_parent_that_a_viewer_does_not_see_is_not_named(self):
        parent = self.record.with_user(self.user).delayable(description="Their secret")
        child = self.record.with_user(self.viewer).delayable().noop()
        chain(parent.noop(), child).delay()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'failed' WHERE uuid = %s", (parent._generated_job.uuid,)
        )
        self.env.invalidate_all()
        job = child._generated_job.db_record().with_user(self.viewer)
        self.assertIn("that you do not see, which is failed", job.explain())

    def test_an_operator_pauses_in_their_own_name_and_sets_no_limits(self):
        root = self.env.ref("queue_job.channel_root").with_user(self.operator)
        root.action_pause("stock-taking")
        self.assertEqual(root.paused_by_id, self.operator)
        root.action_resume()
        self.assertFalse(root.paused)
        with self.assertRaises(AccessError):
            root.write({"capacity": 3})
        with self.assertRaises(AccessError):
            root.with_user(self.viewer).action_pause("mischief")

    def test_menus(self):
        menus = {
            user: self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            for user in (self.user, self.viewer, self.operator)
        }
        jobs, nodes = (
            self.env.ref(f"queue_job.menu_{name}").id for name in ("queue_job", "queue_job_node")
        )
        self.assertNotIn(jobs, menus[self.user])
        self.assertIn(jobs, menus[self.viewer])
        self.assertNotIn(nodes, menus[self.viewer])
        self.assertIn(nodes, menus[self.operator])


class TestFields(SecurityCase):
    """No way in changes a field of a job that is not to be changed."""

    def setUp(self):
        super().setUp()
        self.as_manager = self.env["queue.job"].with_user(self.manager)

    def ways(self, name, value):
        """Yield every way to bring a value into a field, as a function."""
        job, jobs = self.job.with_user(self.manager), self.as_manager
        ids, values = job.ids, {name: value}
        wizards = self.env["queue.requeue.job"].with_user(self.manager)

        def call(method, *args, context=None, **kwargs):
            return lambda: call_kw(jobs, method, list(args), {"context": context or {}, **kwargs})

        yield "write", call("write", ids, values)
        yield "web_save", call("web_save", ids, values, {})
        yield "web_save_multi", call("web_save_multi", ids, [values], {})
        yield "web_save of a new one", call("web_save", [], {"uuid": "new", **values}, {})
        yield "load", call("load", [".id", name], [[str(job.id), json.dumps(value)]])
        yield "copy", call("copy", ids, values)
        yield "name_create", call("name_create", "new", context={f"default_{name}": value})
        yield "web_resequence", call("web_resequence", ids, {}, field_name=name, offset=7)
        yield "unlink", call("unlink", ids)
        for action in ("requeue", "button_done", "button_cancelled"):
            context = {f"default_{name}": value, "_job_edit_sentinel": True, "su": True}
            yield action, call(action, [], context=context)
        commands = {
            "update by a wizard": Command.update(job.id, values),
            "create by a wizard": Command.create(values),
            "delete by a wizard": Command.delete(job.id),
        }
        for way, command in commands.items():
            yield way, lambda command=command: wizards.create({"job_ids": [command]})
        for link in ("dependency_ids", "dependent_ids"):
            command = Command.update(job.id, values)
            yield f"update by {link}", call("write", ids, {link: [command]})

    def try_ways(self, name, value):
        before = self.row(self.job)
        for way, attempt in self.ways(name, value):
            with self.subTest(field=name, way=way):
                refused = False
                try:
                    with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                        attempt()
                        self.env.flush_all()
                except (AccessError, UserError, ValueError, TypeError):
                    # Odoo's import knows no way to write JSON, and says so by the last one.
                    refused = True
                self.env.invalidate_all()
                self.assertEqual(self.row(self.job), before)
                self.assertTrue(
                    refused or way in ("load", "requeue", "button_done", "button_cancelled"),
                    "nothing was said",
                )

    def test_no_field_of_the_engine_is_changed(self):
        for name in sorted(JOB_FIELDS - EDITED):
            self.try_ways(name, forged(self.env["queue.job"]._fields[name]))

    def test_the_editable_fields_are_changed(self):
        job = self.job.with_user(self.manager)
        values = {"priority": 3, "eta": "2030-01-01 00:00:00", "channel": "a", "max_retries": 9}
        self.assertEqual(set(values), EDITED)
        job.write(values)
        self.assertEqual(job.priority, 3)
        self.assertEqual(job.channel, "root.a")

    def test_what_nobody_reads(self):
        jobs, job = self.as_manager, self.job.with_user(self.manager)
        for name in HIDDEN:
            ways = {
                "read": lambda name=name: job.read([name]),
                "web_read": lambda name=name: job.web_read({name: {}}),
                "search": lambda name=name: jobs.search([(name, "!=", False)]),
                "order": lambda name=name: jobs.search([], order=name),
                "group": lambda name=name: jobs.formatted_read_group([], [name], ["__count"]),
                "attribute": lambda name=name: job[name],
                "copy_data": lambda name=name: job.copy_data(),
                "mapped": lambda name=name: job.mapped(f"{name}.create_uid"),
            }
            for way, read in ways.items():
                self.env.invalidate_all()
                with (
                    self.subTest(field=name, way=way),
                    self.assertRaises(AccessError),
                    self.env.cr.savepoint(),
                ):
                    read()

    def test_every_other_field_is_read_by_managers_alone(self):
        for name in sorted(JOB_FIELDS - HIDDEN):
            self.job.with_user(self.manager).read([name])
            for user in self.strangers:
                with self.subTest(field=name, user=user.login), self.assertRaises(AccessError):
                    self.job.with_user(user).read([name])
            with self.subTest(field=name, user="foreign"), self.assertRaises(AccessError):
                self.job.with_user(self.foreign_manager).read([name])

    def test_what_is_read_of_arguments_lends_nobody_the_rights_of_the_job(self):
        job = self.record.sudo().noop.delay(self.env["ir.config_parameter"].sudo().search([]))
        job = job.db_record().with_user(self.manager)
        values = {
            "args": [FORGED],
            "kwargs": {"a": FORGED},
            "records": FORGED,
            "priority": 1,
        }
        with self.assertRaises(AccessError):
            job.onchange(dict(values), list(values), {"records": {}})
        for names in (["priority"], ["args", "kwargs"]):
            for specification in (
                {"args": {}, "arguments": {}, "kwargs": {}},
                {"args": {"fields": {"login": {}}}},
            ):
                changed = job.onchange(dict(values), names, specification)
                self.assertNotIn("login", json.dumps(changed.get("value", {}), default=str))
        self.assertNotIn("password", json.dumps(job.read(["args", "arguments"]), default=str))

    def test_a_field_that_another_addon_redefines_stays_protected(self):
        field = self.env["queue.job"]._fields["worker_host"]
        self.assertEqual(field._module, "test_queue_job_override", "it is redefined")
        with self.assertRaises(AccessError):
            self.job.with_user(self.manager).worker_host = "forged"

    def test_the_form_shows_why_it_waits_while_it_is_edited(self):
        with Form(self.job.with_user(self.manager)) as form:
            form.priority = 4
        self.assertEqual(self.job.priority, 4)


class TestCompanies(SecurityCase):
    """A manager sees and changes the jobs of their companies."""

    def setUp(self):
        super().setUp()
        self.jobs = self.env["queue.job"].with_user(self.manager)

    def test_a_job_of_another_company_is_not_found(self):
        name, uuid = self.foreign_job.name, self.foreign_job.uuid
        domain = [("uuid", "=", uuid)]
        self.assertFalse(self.jobs.search(domain))
        self.assertEqual(self.jobs.search_count(domain), 0)
        self.assertEqual(self.jobs.formatted_read_group(domain, ["channel"], ["__count"]), [])
        self.assertEqual(self.jobs.web_search_read(domain, {"name": {}})["records"], [])
        found = [number for number, _name in self.jobs.name_search(name, limit=None)]
        self.assertNotIn(self.foreign_job.id, found)

    def test_a_company_that_is_not_theirs_is_not_asked_for(self):
        asked = self.jobs.with_context(allowed_company_ids=self.elsewhere.ids)
        with self.assertRaises(AccessError):
            asked.search([("uuid", "=", self.foreign_job.uuid)])

    def test_it_is_neither_changed_nor_requeued(self):
        job = self.foreign_job.with_user(self.manager)
        before = self.row(job)
        for attempt in (
            lambda: job.write({"priority": 1}),
            lambda: job.web_save({"priority": 1}, {}),
            job.requeue,
            job.button_done,
            job.button_cancelled,
            lambda: job.message_post(body="x"),
            job.unlink,
            lambda: job.onchange({"priority": 1}, ["priority"], {"dependencies": {}}),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        self.assertEqual(self.row(job), before)

    def test_a_selection_with_one_of_another_company_is_refused_as_a_whole(self):
        both = (self.job + self.foreign_job).with_user(self.manager)
        with self.assertRaises(AccessError):
            both.button_done()
        self.assertEqual(self.job.state, "pending")

    def test_a_parent_of_another_company_is_not_named(self):
        parent = self.record.with_company(self.elsewhere).delayable(description="Their secret")
        child = self.record.delayable().noop()
        chain(parent.noop(), child).delay()
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'failed' WHERE uuid = %s",
            (parent._generated_job.uuid,),
        )
        self.env.invalidate_all()
        job = child._generated_job.db_record().with_user(self.manager)
        read = job.read(["wait_reason", "dependency_ids", "dependency_graph", "dependencies"])
        self.assertNotIn("Their secret", json.dumps(read, default=str))
        self.assertNotIn(parent._generated_job.uuid, json.dumps(read, default=str))
        self.assertIn("that you do not see, which is failed", job.explain())
        self.assertEqual(job.dependency_ids.ids, [])

    def test_what_is_kept_beside_a_job_is_seen_by_who_sees_the_job(self):
        lines = {
            "queue.job.attempt": {"attempt": 1, "outcome": "failed", "exc_info": "Traceback"},
            "queue.job.log": {"attempt": 1, "message": "said"},
            "queue.job.progress": {"attempt": 1, "message": "half"},
        }
        others = {name for name, row in MODELS.items() if row == ("read",)}
        figures = {"queue.job.metric", "queue.job.node", "queue.job.pulse"}
        figures |= {"queue.job.failure.count", "queue.job.metric.hour"}
        self.assertEqual({*lines, *figures}, others, "or say of what")
        for model, values in lines.items():
            own, foreign = self.env[model].create(
                [{"job_id": job.id, **values} for job in (self.job, self.foreign_job)]
            )
            seen = self.env[model].with_user(self.manager).search([])
            with self.subTest(model=model):
                self.assertIn(own, seen)
                self.assertNotIn(foreign, seen)
                with self.assertRaises(AccessError):
                    foreign.with_user(self.manager).read(["message"])
                for change in (
                    lambda own=own: own.with_user(self.manager).write({"message": "forged"}),
                    lambda own=own: own.with_user(self.manager).unlink(),
                    lambda own=own, values=values: own.with_user(self.manager).create(
                        {"job_id": self.job.id, **values}
                    ),
                ):
                    with self.assertRaises(AccessError):
                        change()
        read = self.job.with_user(self.manager).read(["attempt_ids", "log_ids", "progress_text"])
        self.assertTrue(read[0]["attempt_ids"])
        with self.assertRaises(AccessError):
            self.foreign_job.with_user(self.manager).read(["attempt_ids", "progress_text"])

    def test_a_job_without_company_is_everybodys(self):
        self.env.cr.execute("UPDATE queue_job SET company_id = NULL WHERE id = %s", self.job.ids)
        self.env.invalidate_all()
        self.assertTrue(self.job.with_user(self.foreign_manager).read(["name"]))


class TestChannels(SecurityCase):
    def test_nobody_pauses_in_the_name_of_another(self):
        root = self.env.ref("queue_job.channel_root").with_user(self.manager)
        admin = self.env.ref("base.user_admin")
        for attempt in (
            lambda: root.write({"paused": True, "paused_by_id": admin.id}),
            lambda: root.create({"name": "x", "parent_id": root.id, "paused_by_id": admin.id}),
            lambda: root.web_save({"paused_by_id": admin.id}, {}),
        ):
            with self.assertRaises(AccessError):
                attempt()
        root.action_pause("maintenance")
        self.assertEqual(root.paused_by_id, self.manager)
        root.action_resume()


class TestFunctions(SecurityCase):
    """A manager sets how jobs run, and not what runs with the rights of others."""

    def setUp(self):
        super().setUp()
        self.function = self.env["queue.job.function"].search(
            [("name", "=", "<test.queue.job>.noop")]
        )
        self.as_manager = self.function.with_user(self.manager)
        self.admin = self.env.ref("base.user_admin")

    def test_a_manager_does_not_name_a_method_that_runs_as_the_user_of_a_job(self):
        """The method gets the records of the job with its user and, maybe, as superuser."""
        values = {"on_fail_method": "message_post"}
        partner = self.env.ref("base.model_res_partner").id
        for attempt in (
            lambda: self.as_manager.write(values),
            lambda: self.as_manager.web_save(values, {}),
            lambda: self.as_manager.create({"model_id": partner, "method": "x", **values}),
            lambda: self.as_manager.with_context(install_mode=True).create(
                {"name": self.function.name, **values}
            ),
            lambda: self.as_manager.with_context(default_on_fail_method="message_post").create(
                {"model_id": partner, "method": "x"}
            ),
            lambda: self.as_manager.copy(values),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        rows = [[str(self.function.id), "message_post"]]
        self.as_manager.load([".id", "on_fail_method"], rows)
        self.function.invalidate_recordset()
        self.assertFalse(self.function.on_fail_method)

    def test_an_administrator_and_the_code_name_it(self):
        self.function.with_user(self.admin).on_fail_method = "note_failure"
        self.function.on_fail_method = "message_post"
        self.as_manager.write({"retry_pattern": {"1": 5}})
        self.assertEqual(self.function.on_fail_method, "message_post")
        self.as_manager.on_fail_method = False
        self.assertFalse(self.function.on_fail_method)

    def test_a_manager_names_a_related_action_and_nothing_else_that_others_would_run(self):
        for text in (
            "{'func_name': 'message_post', 'kwargs': {'body': 'as whoever clicks'}}",
            "{'func_name': 'unlink'}",
            "{'func_name': 'requeue'}",
            "{'func_name': '_edit', 'kwargs': {'values': {'user_id': 1}}}",
        ):
            with self.subTest(text=text), self.assertRaises(AccessError), self.env.cr.savepoint():
                self.as_manager.edit_related_action = text
            with self.subTest(text=text), self.assertRaises(AccessError), self.env.cr.savepoint():
                self.as_manager.related_action = {"func_name": text.split("'")[3]}
        self.as_manager.edit_related_action = "{'func_name': 'related_action_open_record'}"
        self.as_manager.edit_related_action = "{'enable': False}"
        self.assertEqual(self.function.related_action, {"enable": False})

    def test_a_related_action_is_well_formed(self):
        for action in (
            {"func_name": 5},
            {"func_name": ["x"]},
            {"kwargs": [1]},
            {"kwargs": "x"},
            {"enable": True, "other": 1},
            ["related_action_open_record"],
        ):
            with (
                self.subTest(action=action),
                self.assertRaises(ValidationError),
                self.env.cr.savepoint(),
            ):
                self.function.related_action = action

    def test_a_private_method_that_an_administrator_named_is_not_called(self):
        self.function.with_user(self.admin).related_action = {"func_name": "_edit"}
        with self.assertRaises(AccessError):
            self.job.with_user(self.manager).open_related_action()


class TestSecrets(SecurityCase):
    def test_what_holds_a_secret_does_not_show_it(self):
        """An object that comes into a message or a traceback shows its parts."""
        order = Order("shop", "the-secret", "http://localhost", 1, (), print)
        self.assertNotIn("the-secret", repr(order))
        values = {
            "ODOO_QUEUE_JOB_HTTP_AUTH_USER": "proxy",
            "ODOO_QUEUE_JOB_HTTP_AUTH_PASSWORD": "the-secret",
            "ODOO_QUEUE_JOB_JOBRUNNER_DB_PASSWORD": "the-secret",
        }
        with patch.dict(os.environ, values):
            found = settings.__wrapped__()
        self.assertEqual(found.auth, ("proxy", "the-secret"))
        self.assertEqual(found.database["password"], "the-secret")
        self.assertNotIn("the-secret", repr(found))
        self.assertNotIn("the-secret", repr(Dispatcher(found.auth)))

    def test_the_self_test_names_settings_and_not_their_values(self):
        values = {"ODOO_QUEUE_JOB_HTTP_PASSWORD": "the-secret", "ODOO_QUEUE_JOB_SLOTS": "2"}
        with patch.dict(os.environ, values):
            found = self.env["queue.job.health"].with_user(self.manager).self_test()
        self.assertIn("ODOO_QUEUE_JOB_HTTP_PASSWORD", str(found))
        self.assertNotIn("the-secret", str(found))


class TestFailures(SecurityCase):
    def test_a_traceback_is_for_managers(self):
        """Who delayed the job hears that it failed, and of the traceback nothing."""
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'failed', exc_name = 'Oops', exc_message = 'message', "
            "exc_info = 'Traceback with a secret' WHERE id = %s",
            self.job.ids,
        )
        self.env.invalidate_all()
        self.job._message_post_on_failure()
        self.assertIn(self.user.partner_id, self.job.message_partner_ids)
        for message in self.job.message_ids:
            text = f"{message.body} {message.tracking_value_ids.mapped('new_value_char')}"
            self.assertNotIn("Traceback", text)
        with self.assertRaises(AccessError):
            self.job.with_user(self.user).read(["exc_info"])
