import time

from odoo import api, fields, models

try:
    from odoo.addons.queue_job.job import job
except ImportError:  # The community's addon: every method can be delayed.

    def job(method):
        return method


class QueueJobBenchRecord(models.Model):
    _name = "queue_job_bench.record"
    _description = "Has jobs of every kind that is timed"

    value = fields.Integer()
    started = fields.Float(digits=(20, 6), help="When the job began, in seconds since 1970")

    @job
    def noop(self):
        """Do nothing"""

    @job
    def write_value(self):
        """Write one field of its own record"""
        self.value = 1

    @job
    def nap(self, seconds):
        """Last so long, without work"""
        time.sleep(seconds)

    @job
    def stamp(self):
        """Tell when it began"""
        now = time.time()
        self.started = now

    @api.model
    def prepare(self, method, args=()):
        """Delay a call for a time that does not come, to be copied; return its id."""
        # Not later: the community's jobrunner fails when it has to wait for more than 24 days.
        delayed = self.create({}).with_delay(eta=86_400)
        stored = getattr(delayed, method)(*args)
        return self.env["queue.job"].sudo().search([("uuid", "=", stored.uuid)]).id

    @api.model
    def add(self, number):
        """Create so many records; return the first id."""
        return min(self.create([{} for _number in range(number)]).ids)

    @api.model
    def store(self, number):
        """Delay calls one at a time in one transaction.

        :return: the seconds it took, its commit included
        """
        return self._timed(self._store_singly, number)

    @api.model
    def store_all(self, number):
        """Delay calls by the quickest way that the queue has.

        :return: the seconds it took, its commit included
        """
        return self._timed(self._store_at_once, number)

    def _timed(self, store, number):
        ids = self.create([{} for _number in range(number)]).ids
        self.env.cr.commit()  # The records are not what is timed.
        with self.env.registry.cursor() as cr:
            records = self.with_env(self.env(cr=cr)).browse(ids)
            began = time.monotonic()
            store(records)
            cr.commit()  # The jobs are stored when this has returned.
            return time.monotonic() - began

    def _store_singly(self, records):
        for record in records:
            record.with_delay(channel="root.held").noop()

    def _store_at_once(self, records):
        if hasattr(records.noop, "delay_each"):
            records.noop.delay_each(channel="root.held")
        else:
            self._store_singly(records)
