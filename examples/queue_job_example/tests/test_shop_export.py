import requests

from odoo.tests import TransactionCase

from odoo.addons.queue_job.exception import NothingToDoJob, RetryableError

from ..shop import RETRY_SECONDS, SHOP_URL
from .shop_server import closed_port, shop_server


class TestShopExport(TransactionCase):
    def setUp(self):
        super().setUp()
        self.shop = self.enterContext(shop_server())
        self.use_shop(self.shop.url)
        self.banks = self.env["queue_job_example.bank"]
        self.bank = self.create_bank("BIC00001")
        self.banks.search([("shop_number", ">", 0)]).shop_number = 0

    def use_shop(self, url):
        self.env["ir.config_parameter"].set_param(SHOP_URL, url)

    def create_bank(self, bic):
        return self.banks.create({"external_id": f"test_{bic}", "name": f"Bank {bic}", "bic": bic})

    def test_sends_the_bank(self):
        self.bank.export_to_shop()
        sent = {"number": 1, "name": "Bank BIC00001", "bic": "BIC00001"}
        self.assertEqual(self.shop.requests, [("PUT", "/banks/test_BIC00001", sent)])
        self.assertEqual(self.bank.shop_number, 1)

    def test_numbers_have_no_gap(self):
        other = self.create_bank("BIC00002")
        self.shop.statuses = [503]
        with self.assertRaises(RetryableError):
            other.export_to_shop()
        self.bank.export_to_shop()
        other.export_to_shop()
        self.assertEqual((self.bank.shop_number, other.shop_number), (1, 2))

    def test_exports_once(self):
        self.bank.export_to_shop()
        with self.assertRaises(NothingToDoJob):
            self.bank.export_to_shop()
        self.assertEqual(len(self.shop.requests), 1)

    def test_deleted_bank_ends_well(self):
        self.bank.unlink()
        self.assertIn("deleted", self.bank.export_to_shop())
        self.assertFalse(self.shop.requests)

    def test_shop_out_of_order_is_tried_again(self):
        self.shop.statuses = [503]
        with self.assertRaises(RetryableError) as caught:
            self.bank.export_to_shop()
        self.assertEqual(caught.exception.seconds, RETRY_SECONDS)
        self.assertFalse(self.bank.shop_number)

    def test_shop_that_cannot_be_reached_is_tried_again(self):
        self.use_shop(closed_port())
        with self.assertRaises(RetryableError):
            self.bank.export_to_shop()

    def test_refusal_is_not_tried_again(self):
        self.shop.statuses = [404]
        with self.assertRaises(requests.HTTPError):
            self.bank.export_to_shop()
