from odoo import api, fields, models
from odoo.tools import frozendict

from odoo.addons.queue_job.exception import NothingToDoJob
from odoo.addons.queue_job.job import job

from .. import shop


class Bank(models.Model):
    """A bank together with the names that other systems have for it.

    The external id is what makes the import idempotent: it is unique in the database, so that a
    line has one bank however often and by however many workers it is imported.
    """

    _name = "queue_job_example.bank"
    _description = "Imported Bank"
    _inherits = frozendict({"res.bank": "bank_id"})
    _order = "external_id"

    bank_id = fields.Many2one("res.bank", required=True, ondelete="cascade", index=True)
    external_id = fields.Char("External ID", required=True, readonly=True)
    shop_number = fields.Integer(
        readonly=True,
        copy=False,
        help="Number of the bank in the shop: from 1, without gaps, in the order of the exports",
    )

    _external_id_unique = models.Constraint(
        "UNIQUE(external_id)",
        "A bank is imported once.",
    )
    _shop_number_unique = models.UniqueIndex(
        "(shop_number) WHERE shop_number > 0",
        "Each bank has a number of its own in the shop.",
    )

    @api.model
    def _find(self, line):
        """Return the bank of a line of the file, if it was imported."""
        return self.search([("external_id", "=", line.external_id)], limit=1)

    @api.model
    def _import(self, line):
        """Create the bank of a line; a bank with the same BIC is linked, not doubled."""
        # Who may start an import may create its banks.
        known = self.env["res.bank"].sudo().search([("bic", "=", line.bic)], limit=1)
        values = {"bank_id": known.id} if known else self._values(line)
        return self.sudo().create({"external_id": line.external_id, **values}).sudo(False)

    @api.model
    def _values(self, line):
        return {"name": line.name, "bic": line.bic, "country": self.env.ref(line.country).id}

    @api.private
    @job(default_channel="root.shop", retry_pattern={1: 2, 5: 30})
    def export_to_shop(self):
        """Export a bank to the shop, under the next free number.

        Two of these at a time would take the same number: the channel ``root.shop`` is for one job
        at a time.

        :raises NothingToDoJob: when the bank has a number already
        :raises RetryableError: when the shop did not answer; the number is free again
        """
        if not self.exists():
            return self.env._("The bank was deleted before its export")
        if self.shop_number:
            raise NothingToDoJob(
                self.env._(
                    "%(bank)s is number %(number)s of the shop already",
                    bank=self.name,
                    number=self.shop_number,
                ),
            )
        number = self._next_shop_number()
        # The shop takes the same bank twice as once. It has to: when the server dies between
        # its answer and our commit, the call is made again.
        shop.call(
            self.env,
            "PUT",
            f"banks/{self.external_id}",
            number=number,
            name=self.name,
            bic=self.bic,
        )
        self.shop_number = number
        return self.env._("%(bank)s is number %(number)s", bank=self.name, number=number)

    def _next_shop_number(self):
        last = self.search([("shop_number", ">", 0)], order="shop_number DESC", limit=1)
        return last.shop_number + 1
