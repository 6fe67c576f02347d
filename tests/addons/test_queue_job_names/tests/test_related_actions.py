"""What *Related Record* opens."""

from odoo.exceptions import UserError

from odoo.addons.queue_job.job import Job
from odoo.addons.queue_job.related_action import unwrap_binding
from odoo.addons.queue_job.session import ConnectorSession
from odoo.addons.test_queue_job_names import functions

from .common import NamesCase


class Binder:
    """As a connector has them."""

    def __init__(self, session, model_name):
        self.session = session
        self.model_name = model_name

    def unwrap_model(self):
        return "res.partner"

    def unwrap_binding(self, binding_id):
        return self.session.env.user.partner_id.id


class Unbound(Binder):
    def unwrap_binding(self, binding_id):
        raise ValueError("nothing to unwrap")


class TestRelatedActions(NamesCase):
    def open(self, job):
        return self.stored(job).open_related_action()

    def test_default_opens_the_record(self):
        action = self.open(self.record.with_delay().undocumented())
        self.assertEqual(
            (action["res_model"], action["res_id"]), (self.record._name, self.record.id)
        )
        self.assertEqual(action["view_mode"], "form")

    def test_default_opens_a_list_of_several(self):
        both = self.record + self.record.copy()
        action = self.open(both.with_delay().undocumented())
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), both)

    def test_default_opens_nothing_that_is_gone(self):
        gone = self.record.copy()
        job = gone.with_delay().undocumented()
        gone.unlink()
        self.assertIsNone(job.related_action())
        with self.assertRaisesRegex(UserError, "No action available for this job"):
            self.open(job)

    def test_custom_method_gets_its_arguments(self):
        action = self.open(self.record.with_delay().do())
        self.assertEqual(action["name"], "Opened")
        job = self.record.with_delay().do()
        self.assertEqual(Job.load(self.env, job.uuid).related_action()["name"], "Opened")

    def test_disabled(self):
        with self.assertRaisesRegex(UserError, "No action available for this job"):
            self.open(self.record.with_delay().fail())

    def test_function_of_session_and_job(self):
        session = ConnectorSession.from_env(self.env)
        job = functions.import_record.delay(session, "res.partner", self.clerk.partner_id.id)
        action = self.open(job)
        self.assertEqual(action["res_id"], self.clerk.partner_id.id)
        self.assertEqual(action["view_mode"], "list")
        self.assertEqual(action["context"], {"seen_by": self.env.uid})
        self.assertEqual(job.related_action(session)["view_mode"], "list")

    def test_declared_empty_opens_nothing(self):
        session = ConnectorSession.from_env(self.env)
        with self.assertRaises(UserError):
            self.open(functions.opens_nothing.delay(session, "res.partner"))


class TestUnwrapBinding(NamesCase):
    def setUp(self):
        super().setUp()
        self.session = ConnectorSession.from_env(self.env)
        self.binding = self.env["test.queue.job.names.binding"].create({"odoo_id": self.record.id})

    def job(self, binding_id):
        name = self.binding._name
        return functions.export_binding.delay(self.session, name, binding_id)

    def test_the_record_behind_the_binding_opens(self):
        action = self.stored(self.job(self.binding.id)).open_related_action()
        self.assertEqual(
            (action["res_model"], action["res_id"]), (self.record._name, self.record.id)
        )

    def test_a_binding_that_is_gone_opens_nothing(self):
        job = self.job(self.binding.id)
        self.binding.unlink()
        self.assertIsNone(unwrap_binding(self.session, job))

    def test_a_model_that_binds_nothing_opens_itself(self):
        job = functions.export_binding.delay(self.session, "res.partner", 1)
        action = unwrap_binding(self.session, job)
        self.assertEqual((action["res_model"], action["res_id"]), ("res.partner", 1))

    def test_a_binder_of_the_connector_is_asked(self):
        job = self.job(self.binding.id)
        action = unwrap_binding(self.session, job, id_pos=2, binder_class=Binder)
        self.assertEqual(action["res_model"], "res.partner")
        self.assertEqual(action["res_id"], self.env.user.partner_id.id)
        action = unwrap_binding(self.session, job, binder_class=Unbound)
        self.assertEqual(action["res_model"], self.binding._name)
