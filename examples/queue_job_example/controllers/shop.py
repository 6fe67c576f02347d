"""A shop to export to: it answers, or is out of order, as the network and the shops of others do.

Closed (404) unless the parameter ``queue_job_example.shop_failures`` is set: the share of calls
that are refused with 503, between 0 and 1.
"""

import random

from odoo import http
from odoo.http import request

SHOP_FAILURES = "queue_job_example.shop_failures"

LOST_ORDER = 7
"""Last digit of the orders that the shop cannot find: what asks for them fails."""


class Shop(http.Controller):
    @http.route(
        "/queue_job_example/shop/banks/<string:external_id>",
        type="http",
        auth="public",
        methods=["PUT"],
        csrf=False,
        save_session=False,
    )
    def put_bank(self, external_id):
        """Take a bank; taking it twice is the same as taking it once."""
        return self._answer(external_id=external_id)

    @http.route(
        "/queue_job_example/shop/orders/<int:order_id>",
        type="http",
        auth="public",
        methods=["GET"],
        save_session=False,
    )
    def get_order(self, order_id):
        """Return an order; every customer has many, but for one, whose orders got lost."""
        number = order_id % 10
        if number == LOST_ORDER:
            raise request.not_found()
        return self._answer(
            id=order_id,
            customer=f"Customer {number}",
            customer_ref=f"shop-{number}",
        )

    def _answer(self, **values):
        """Return the values, unless the shop is closed or out of order just now."""
        failures = request.env["ir.config_parameter"].sudo().get_param(SHOP_FAILURES)
        if not failures:
            raise request.not_found()
        if random.random() < float(failures):
            return request.make_json_response({"error": "out of order"}, status=503)
        return request.make_json_response(values)
