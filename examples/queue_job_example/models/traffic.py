import calendar
import time
from random import Random

from odoo import api, fields, models

from odoo.addons.queue_job.core.metrics import by_channel
from odoo.addons.queue_job.job import identity_exact
from odoo.addons.queue_job.models.queue_job_board_alerts import TARGET_KEY
from odoo.addons.queue_job.session import ConnectorSession
from odoo.addons.queue_job.storage import metrics, pulse

from ..connector_jobs import import_order
from ..traffic import past_day, past_depths, plan_round

MOST_READY = 300
"""Ready jobs beyond which a round adds none: whoever pauses a channel finds no mountain later."""

LATER = (120, 3600)
"""Seconds between which the mails of a round are sent."""

PLANNED_HOURS = {7: "statement", 9: "mail", 12: "statement", 15: "mail", 18: "report"}
"""What is planned for each day to come, by its hour: the calendar has something to show."""

PLANNED_DAYS = 14
"""So many that the next week of any calendar is full."""

TARGET_SECONDS = 10
"""Seconds that a job may be ready: few, so that each wave of statements makes an alert."""

DAYS = 365
"""How far back the statements go."""

MINUTE = 60


class Traffic(models.AbstractModel):
    """What keeps the demonstration alive, and what its charts show of the day before.

    For a database that is there to be looked at: nothing of this is to be copied.
    """

    _name = "queue_job_example.traffic"
    _description = "Demonstration Traffic"

    @api.model
    def play(self, number):
        """Delay the jobs of one round; nothing, when too many wait already.

        :param int number: of the round, from 0
        :return: whether there was a round
        :rtype: bool
        :raises AccessError: for anybody but a manager of the queue
        """
        self._check_manager()
        if self._is_full():
            return False
        plan = plan_round(number)
        day = self._day(number)
        for bank in self._banks(number, plan.statements):
            bank._delayable_statement(day).delay()
        for bank in self._banks(number, plan.exports, [("shop_number", "=", 0)]):
            bank.export_to_shop.delay(
                max_retries=0,
                identity_key=identity_exact,
                description=self.env._("Export %(bank)s to the shop", bank=bank.name),
            )
        self._delay_orders(number, plan.orders)
        self._delay_mails(number, plan.mails)
        self._delay_days(number, plan)
        self._cancel_mails(plan.cancelled)
        return True

    @api.model
    def seed_history(self):
        """Give the charts a day to show, and the calendar two weeks, unless they have one.

        Whoever looks at the dashboard is to see an alert now and then: what is ready should start
        soon.

        :return: whether it was needed
        :rtype: bool
        :raises AccessError: for anybody but a manager of the queue
        """
        self._check_manager()
        hour_ago = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        figures = self.env["queue.job.metric"].sudo()
        if figures.search_count([("minute", "<", hour_ago)], limit=1):
            return False
        now = int(time.time()) // MINUTE
        sums = list(past_day(now).take())
        metrics.add(self.env.cr, sums)
        pulse.add(self.env.cr, by_channel(sums))
        self._seed_depths(past_depths(now))
        self._plan_days()
        self.env["ir.config_parameter"].sudo().set_param(TARGET_KEY, TARGET_SECONDS)
        return True

    def _plan_days(self):
        """Delay jobs of some kinds that are to run in the days to come."""
        now = fields.Datetime.now()
        midnight = fields.Datetime.start_of(now, "day")
        closed = self.env["queue_job_example.day"].create({"date": self._day(0)})
        for day in range(PLANNED_DAYS):
            for hour, kind in PLANNED_HOURS.items():
                eta = fields.Datetime.add(midnight, days=day, hours=hour)
                if eta > now:
                    self._plan(kind, day + hour, closed, eta)

    def _plan(self, kind, number, closed, eta):
        """Delay a job that runs at its time."""
        if kind == "report":
            closed._delayable_report(eta=eta).delay()
            return
        for bank in self._banks(number, 1):
            getattr(bank, f"_delayable_{kind}")(self._day(0), eta=eta).delay()

    def _seed_depths(self, depths):
        """Say what waited and ran in minutes that have a pulse."""
        for beat in self.env["queue.job.pulse"].sudo().search([("channel", "=", "")]):
            depth = depths.get(calendar.timegm(beat.minute.timetuple()) // MINUTE)
            if depth:
                beat.write(vars(depth))

    def _check_manager(self):
        self.env["queue_job_example.bank_import"].check_access("create")

    def _is_full(self):
        domain = [("state", "in", ("pending", "enqueued")), ("scheduled", "=", False)]
        return self.env["queue.job"].sudo().search_count(domain, limit=MOST_READY) == MOST_READY

    def _day(self, number):
        """Return the day whose statements a round is about: one more back in each."""
        day = fields.Date.subtract(fields.Date.context_today(self), days=number % DAYS)
        return fields.Date.to_string(day)

    def _banks(self, number, count, domain=()):
        """Return some banks, others in each round."""
        banks = self.env["queue_job_example.bank"]
        total = banks.search_count(domain)
        offset = Random(number).randrange(max(1, total - count))
        return banks.search(domain, offset=offset, limit=count) if count else banks

    def _delay_orders(self, number, count):
        session = ConnectorSession.from_env(self.env)
        for place in range(count):
            order = number * count + place + 1
            title = self.env._("Import order %(order)s of the shop", order=order)
            import_order.delay(session, order, priority=50, description=title)

    def _delay_mails(self, number, count):
        day, draw = self._day(number), Random(number)
        for bank in self._banks(number, count):
            bank._delayable_mail(day, eta=draw.randint(*LATER)).delay()

    def _delay_days(self, number, plan):
        """Begin a graph and a report, when the round has any."""
        if plan.graph:
            values = {"date": self._day(number), "bank_ids": self._banks(number, plan.graph).ids}
            self.env["queue_job_example.day"].create(values)._close_by_jobs()
        if plan.report:
            day = self.env["queue_job_example.day"].search([], order="id DESC", limit=1)
            day._delayable_report(identity_key=identity_exact).delay()

    def _cancel_mails(self, count):
        domain = [
            ("state", "=", "pending"),
            ("scheduled", "=", True),
            ("channel", "=", "root.mail"),
        ]
        if count:
            self.env["queue.job"].search(domain, order="eta", limit=count).button_cancelled()
