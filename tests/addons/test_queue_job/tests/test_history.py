import logging

from odoo.addons.queue_job.current import LOG_LINES, RunningJob, as_current, current_job

from .common import JobCase


class TestCurrentJob(JobCase):
    """What code may ask and tell of the job that it runs in."""

    def setUp(self):
        super().setUp()
        self.running = RunningJob("uuid", 7, 3, liveness=None, watched=None)

    def test_outside_of_a_job_nothing_happens(self):
        found = current_job(self.env)
        self.assertFalse(found)
        found.progress(1, 2, "nobody hears it")

    def test_a_job_finds_itself_and_keeps_what_it_logs(self):
        with as_current(self.running):
            self.assertIs(current_job(self.env(context={"job_uuid": "uuid"})), self.running)
            self.assertFalse(current_job(self.env(context={"job_uuid": "other"})))
            logging.getLogger("shop").warning("sent %s orders", 3)
            logging.getLogger("odoo.sql_db").warning("of the server")
        logging.getLogger("shop").warning("afterwards")
        self.assertEqual([line.message for line in self.running.lines], ["sent 3 orders"])

    def test_of_a_long_log_the_ends_are_kept(self):
        record = logging.LogRecord("shop", logging.INFO, "", 0, "%s", (0,), None)
        for number in range(5 * LOG_LINES):
            record.args = (number,)
            self.running.keep(record)
        lines = [line.message for line in self.running.lines]
        self.assertEqual((len(lines), lines[0], lines[-1]), (LOG_LINES, "0", "999"))
