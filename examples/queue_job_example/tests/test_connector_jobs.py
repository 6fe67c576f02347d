from odoo.tests import TransactionCase

from odoo.addons.queue_job.exception import NothingToDoJob
from odoo.addons.queue_job.session import ConnectorSession

from ..connector_jobs import a_heavy_task, import_order
from ..shop import SHOP_URL
from .shop_server import shop_server


class TestConnectorJobs(TransactionCase):
    def setUp(self):
        super().setUp()
        self.session = ConnectorSession.from_env(self.env)

    def test_a_heavy_task_counts(self):
        country = self.env["res.country"].create({"name": "Utopia", "code": "XU"})
        self.assertEqual(self.heavy(country), "0 records refer to Utopia")
        self.env["res.bank"].create({"name": "A bank", "country": country.id})
        self.env["res.partner"].create({"name": "Old", "country_id": country.id, "active": False})
        self.assertEqual(self.heavy(country), "2 records refer to Utopia")

    def test_a_heavy_task_reads_late(self):
        partner = self.env["res.partner"].create({"name": "Gone soon"})
        partner.unlink()
        self.assertEqual(self.heavy(partner), f"res.partner {partner.id} was deleted")

    def heavy(self, record):
        return a_heavy_task(self.session, record._name, record.id)

    def test_import_order_once(self):
        shop = self.enterContext(shop_server())
        self.env["ir.config_parameter"].set_param(SHOP_URL, shop.url)
        shop.answer = {"id": 1, "customer": "A Customer", "customer_ref": "test-1"}
        self.assertEqual(import_order(self.session, 1), "Imported A Customer")
        with self.assertRaises(NothingToDoJob):
            import_order(self.session, 1)
        self.assertEqual(self.env["res.partner"].search_count([("ref", "=", "test-1")]), 1)

    def test_delay(self):
        a_heavy_task.delay(self.session, "res.partner", 1)
        import_order.delay(self.env, 1, priority=50)
        heavy, order = self.env["queue.job"].sudo().search([], order="id DESC", limit=2)[::-1]
        self.assertEqual(self.stored(heavy), (("res.partner", 1), "root", 10))
        self.assertEqual(self.stored(order), ((1,), "root.shop", 50))

    def stored(self, job):
        return job.args, job.channel, job.priority
