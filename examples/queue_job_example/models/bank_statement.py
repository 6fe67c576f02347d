import logging

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.queue_job.job import job

from ..statement import fetch, parse_statement

_logger = logging.getLogger(__name__)


class Bank(models.Model):
    """The statements of account of a bank."""

    _inherit = "queue_job_example.bank"

    @api.private
    @job(default_channel="root.statement")
    def fetch_statement(self, day):
        """Fetch a statement of account, and check it.

        :param str day: ``2026-01-31``
        :raises StatementError: when it cannot be read
        :raises UserError: when its balance is not that of its movements
        """
        if not self.exists():
            return self.env._("The bank was deleted before its statement was fetched")
        statement = self._statement(day)
        if not statement.is_balanced:
            raise UserError(
                self.env._(
                    "The movements of %(day)s do not come to the balance of %(balance)s",
                    day=day,
                    balance=statement.balance,
                ),
            )
        return self.env._("%(count)s movements", count=len(statement.amounts))

    def _delayable_statement(self, day, eta=None):
        """Return the call that fetches a statement, to be delayed."""
        title = self.env._("Statement of %(bank)s, %(day)s", bank=self.name, day=day)
        return self.delayable(description=title, eta=eta).fetch_statement(day)

    def _delayable_mail(self, day, eta=None):
        """Return the call that sends a statement, to be delayed."""
        title = self.env._("Send %(bank)s its statement of %(day)s", bank=self.name, day=day)
        password = f"{self.external_id} {day}"
        return self.delayable(description=title, eta=eta).send_statement(day, password=password)

    def _statement(self, day):
        """Return the statement of a day."""
        return parse_statement(fetch(self.env, self.external_id, day))

    @api.private
    @job(default_channel="root.mail")
    def send_statement(self, day, password=None):
        """Send the statement of a day to its bank.

        The demonstration only says that it would.

        :param str day: ``2026-01-31``
        :param str password: what opens it; its name says that nobody is to see it on the form
        """
        if not self.exists():
            return self.env._("The bank was deleted before its statement was sent")
        _logger.info("The statement of %s is on its way to %s", day, self.name)
        return self.env._("Sent to %(bank)s", bank=self.name)
