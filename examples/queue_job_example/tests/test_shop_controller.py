from odoo.tests import HttpCase, tagged

from ..controllers.shop import SHOP_FAILURES


@tagged("post_install", "-at_install")
class TestShopController(HttpCase):
    def set_failures(self, share):
        self.env["ir.config_parameter"].set_param(SHOP_FAILURES, share)

    def put(self):
        return self.url_open(
            "/queue_job_example/shop/banks/test",
            json={"number": 1},
            method="PUT",
        )

    def test_takes_a_bank(self):
        self.set_failures("0.0")
        self.assertEqual(self.put().json(), {"external_id": "test"})

    def test_has_orders(self):
        self.set_failures("0.0")
        order = self.url_open("/queue_job_example/shop/orders/12").json()
        self.assertEqual(order, {"id": 12, "customer": "Customer 2", "customer_ref": "shop-2"})

    def test_has_lost_some_orders(self):
        self.set_failures("0.0")
        answer = self.url_open("/queue_job_example/shop/orders/17")
        self.assertEqual(answer.status_code, 404)

    def test_is_out_of_order(self):
        self.set_failures("1.0")
        self.assertEqual(self.put().status_code, 503)

    def test_is_closed(self):
        self.set_failures(False)
        self.assertEqual(self.put().status_code, 404)
