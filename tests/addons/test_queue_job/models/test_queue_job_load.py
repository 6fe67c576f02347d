import time
from datetime import timedelta

from odoo import api, models

from odoo.addons.queue_job.delay import chain, group
from odoo.addons.queue_job.exception import FailedJobError, RetryableError
from odoo.addons.queue_job.job import job

from ..witness import witnessed

GRAPH_WIDTH = 2
"""Jobs beside each other in the middle of a graph."""

SAME = 3
"""Times that a job with one identity is asked for."""

CHUNK = 64 * 2**20
"""Bytes that a job which wants too much memory takes at a time."""


class TestQueueJobLoad(models.AbstractModel):
    _name = "test.queue.job.load"
    _description = "Jobs of the Fault Campaign"

    @api.model
    def launch(self, batch, kinds, seconds=0.0):
        """Delay a job of each kind, in order and in one transaction.

        :param batch: what the jobs are called, to be found by
        :param kinds: names of the methods below, ``launch_<name>`` where there is one
        :param seconds: how long slow ones last
        :return: how many kinds there were
        """
        for number, kind in enumerate(kinds):
            special = getattr(self, f"_launch_{kind}", None)
            if special:
                special(batch, number, seconds)
            else:
                getattr(self, kind).delay(description=batch)
        return len(kinds)

    @api.model
    def cancel(self, batches):
        """Cancel what was delayed to be cancelled; return how many jobs that were."""
        lines = self.env["queue.job"].search(
            [("name", "in", batches), ("method_name", "=", "cancelled"), ("state", "=", "pending")]
        )
        lines.button_cancelled()
        return len(lines)

    @api.model
    def requeue_failed(self, batches, error):
        """Requeue what failed for one reason, as an operator does; return how many jobs."""
        lines = self.env["queue.job"].search(
            [("name", "in", batches), ("state", "=", "failed"), ("exc_name", "ilike", error)]
        )
        lines.requeue()
        return len(lines)

    def _launch_slow(self, batch, _number, seconds):
        self.slow.delay(seconds, description=batch, channel="root.slow")

    def _launch_strict(self, batch, number, _seconds):
        self.strict.delay(1 + number % 2, description=batch, channel="root.strict")

    def _launch_graph(self, batch, _number, _seconds):
        def node():
            return self.delayable(description=batch).graph()

        chain(node(), group(*(node() for _side in range(GRAPH_WIDTH))), node()).delay()

    def _launch_identity(self, batch, number, _seconds):
        for _time in range(SAME):
            self.identity.delay(description=batch, identity_key=f"{batch} {number}")

    def _launch_cancelled(self, batch, _number, _seconds):
        self.cancelled.delay(description=batch, eta=timedelta(days=1))

    def _launch_probe(self, batch, _number, _seconds):
        self.probe.delay(description=batch, priority=0)

    def _note(self, kind):
        self.env["test.queue.job.ledger"].note(kind)

    def _line(self):
        """Return the record of the running job."""
        return self.env["queue.job"].search([("uuid", "=", self.env.context["job_uuid"])])

    def _try_again_before(self, tries):
        if self._line().retry < tries:
            raise RetryableError("not yet", seconds=0.2)

    @job
    @witnessed()
    def nothing(self):
        """Leave nothing behind"""

    @job
    @witnessed()
    def probe(self):
        """Show that jobs are run"""

    @job
    @witnessed()
    def write_one(self):
        """Write by the ORM"""
        self.env["test.queue.job"].create({"name": "written"}).value = 1
        self._note("write_one")

    @job
    @witnessed()
    def slow(self, seconds):
        """Write, then last long"""
        self._note("slow")
        time.sleep(seconds)

    @job
    @witnessed()
    def failing(self):
        """Write, then fail"""
        self._note("failing")
        raise FailedJobError("as it was asked to")

    @job
    @witnessed()
    def retrying(self):
        """Succeed at the third try"""
        self._note("retrying")
        self._try_again_before(3)

    @job
    @witnessed()
    def graph(self):
        """Be a job of a graph"""
        self._note("graph")

    @job
    @witnessed("strict")
    def strict(self, tries):
        """Keep to an order, also when it takes two tries"""
        self._note("strict")
        time.sleep(0.02)
        self._try_again_before(tries)

    @job
    @witnessed()
    def midway(self):
        """Commit midway, unless an earlier run has done so"""
        ledger = self.env["test.queue.job.ledger"]
        mine = [("job_uuid", "=", self.env.context["job_uuid"]), ("kind", "=", "midway")]
        if not ledger.search_count(mine):
            self._note("midway")
            self.env.cr.commit()
        time.sleep(0.3)
        self._note("end")

    @job
    @witnessed()
    def identity(self):
        """Be asked for again and again"""
        self._note("identity")

    @job
    @witnessed()
    def cancelled(self):
        """Be cancelled before it is run"""
        self._note("cancelled")

    @job
    @witnessed()
    def too_long(self):
        """Last longer than any limit"""
        self._note("too_long")
        time.sleep(600)

    @job
    @witnessed()
    def too_busy(self):
        """Use the processor for longer than any limit"""
        self._note("too_busy")
        while True:
            pass

    @job
    @witnessed()
    def too_large(self):
        """Take more memory than any limit"""
        self._note("too_large")
        taken = []
        while True:
            taken.append(bytearray(CHUNK))
