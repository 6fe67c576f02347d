import logging
import time

from odoo import api, fields, models

from odoo.addons.queue_job.current import current_job
from odoo.addons.queue_job.delay import chain, group
from odoo.addons.queue_job.job import job

_logger = logging.getLogger(__name__)

REPORT_PAGES = 40
PAGE_SECONDS = 1.0
"""How long a page of the report takes at least, so that there is a long job to watch."""

MAILS_OF_A_DAY = 3


class Day(models.Model):
    """A day that is closed when the statements of its banks are there."""

    _name = "queue_job_example.day"
    _description = "Bank Day"
    _order = "date DESC, id DESC"
    _rec_name = "date"

    date = fields.Date(required=True, default=fields.Date.context_today)
    bank_ids = fields.Many2many("queue_job_example.bank", string="Banks")
    balance = fields.Float(readonly=True, digits=(16, 2))

    def _close_by_jobs(self):
        """Fetch all statements side by side, then close the day, then tell some of the banks."""
        title = self.env._("Close %(day)s", day=self._day())
        chain(
            group(*[bank._delayable_statement(self._day()) for bank in self.bank_ids]),
            self.delayable(priority=5, description=title).close(),
            group(*[bank._delayable_mail(self._day()) for bank in self.bank_ids[:MAILS_OF_A_DAY]]),
        ).delay()

    def _day(self):
        return fields.Date.to_string(self.date)

    @api.private
    @job
    def close(self):
        """Sum up the balances of the banks."""
        if not self.exists():
            return self.env._("The day was deleted before it was closed")
        day = self._day()
        self.balance = sum(bank._statement(day).balance for bank in self.bank_ids)
        return self.env._("The balance of the day is %(balance)s", balance=self.balance)

    def _delayable_report(self, **options):
        """Return the call that writes a report, to be delayed.

        :param options: for its job, beside the description
        """
        title = self.env._("Report on the groups of banks")
        return self.delayable(description=title, **options).report()

    @api.private
    @job(default_channel="root.report")
    def report(self, page_seconds=PAGE_SECONDS):
        """Count the groups of banks.

        Page by page: a long job that says how far it is.

        :param float page_seconds: least time that a page takes
        """
        if not self.exists():
            return self.env._("The day was deleted before its report")
        banks = self.env["queue_job_example.bank"].search([])
        page = max(1, len(banks) // REPORT_PAGES)
        _logger.info("The report begins: %s banks, %s on a page", len(banks), page)
        codes = set()
        for start in range(0, len(banks), page):
            current_job(self.env).progress(start, len(banks), self.env._("banks"))
            codes.update(bank.bic[:4] for bank in banks[start : start + page] if bank.bic)
            if start % (10 * page) == 0:
                _logger.info("%s groups of banks after %s banks", len(codes), start + page)
            time.sleep(page_seconds)
        current_job(self.env).progress(len(banks), len(banks), self.env._("banks"))
        return self.env._("%(groups)s groups of banks", groups=len(codes))
