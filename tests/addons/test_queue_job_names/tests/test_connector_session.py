"""The session of connector."""

from odoo.addons.queue_job.session import ConnectorSession, ConnectorSessionHandler

from .common import NamesCase


class TestSession(NamesCase):
    def session(self, **context):
        return ConnectorSession(self.env.cr, self.env.uid, context)

    def test_is_an_environment_under_other_names(self):
        session = self.session(lang="fr_FR")
        self.assertIs(session.cr, self.env.cr)
        self.assertEqual(session.uid, self.env.uid)
        self.assertEqual(session.context, {"lang": "fr_FR"})
        self.assertIs(session.pool, self.env.registry)
        self.assertEqual(session.env.context, session.context)

    def test_from_env(self):
        self.assertIs(ConnectorSession.from_env(self.env).env, self.env)

    def test_change_user(self):
        session = self.session()
        with session.change_user(self.clerk.id):
            self.assertEqual(session.uid, self.clerk.id)
            self.assertEqual(session.env.user, self.clerk)
        self.assertEqual(session.uid, self.env.uid)

    def test_change_context(self):
        session = self.session(lang="fr_FR")
        with session.change_context({"tz": "UTC"}, lang="en_US"):
            self.assertEqual(session.context, {"lang": "en_US", "tz": "UTC"})
        self.assertEqual(session.context, {"lang": "fr_FR"})

    def test_change_ends_with_an_error(self):
        session = self.session()
        with self.assertRaises(ZeroDivisionError), session.change_user(self.clerk.id):
            raise ZeroDivisionError
        self.assertEqual(session.uid, self.env.uid)

    def test_commit_does_nothing_in_a_test(self):
        partner = self.env["res.partner"].create({"name": "Not committed"})
        self.session().commit()
        with self.env.registry.cursor() as cr:
            cr.execute("SELECT 1")
        self.assertTrue(partner.exists())

    def test_shortcuts_of_the_orm(self):
        session = self.session()
        number = session.create("test.queue.job.names", {"name": "short"})
        self.assertEqual(session.search("test.queue.job.names", [("name", "=", "short")]), [number])
        self.assertEqual(
            session.search("test.queue.job.names", [], limit=1, offset=0, order="id DESC"),
            [number],
        )
        self.assertEqual(session.browse("test.queue.job.names", number).name, "short")
        session.write("test.queue.job.names", number, {"name": "shorter"})
        self.assertEqual(
            session.read("test.queue.job.names", [number], ["name"]),
            [{"id": number, "name": "shorter"}],
        )
        session.unlink("test.queue.job.names", [number])
        self.assertFalse(session.browse("test.queue.job.names", number).exists())

    def test_is_module_installed(self):
        self.assertTrue(self.session().is_module_installed("queue_job"))
        self.assertFalse(self.session().is_module_installed("connector_magento"))


class TestHandler(NamesCase):
    def setUp(self):
        super().setUp()
        self.registry_enter_test_mode()
        self.handler = ConnectorSessionHandler(self.env.cr.dbname, self.env.uid, {"lang": "en_US"})

    def test_session_has_a_cursor_of_its_own(self):
        with self.handler.session() as session:
            self.assertIsNot(session.cr, self.env.cr)
            self.assertEqual(session.uid, self.env.uid)
            self.assertEqual(session.context, {"lang": "en_US"})
        self.assertTrue(session.cr._closed)

    def test_commits_at_its_end(self):
        with self.handler.session() as session:
            number = session.create("test.queue.job.names", {"name": "kept"})
        self.assertTrue(self.env["test.queue.job.names"].browse(number).exists())

    def test_rolls_back_and_closes_after_an_error(self):
        with self.assertRaises(ZeroDivisionError), self.handler.session() as session:
            session.create("test.queue.job.names", {"name": "not kept"})
            session.env.flush_all()
            raise ZeroDivisionError
        self.assertTrue(session.cr._closed)
        domain = [("name", "=", "not kept")]
        self.assertFalse(self.env["test.queue.job.names"].search(domain))

    def test_close_ends_the_session(self):
        with self.env.registry.cursor() as cr:
            session = ConnectorSession(cr, self.env.uid)
            session.rollback()
            session.close()
            self.assertTrue(cr._closed)
