import time

from odoo.tests.common import TransactionCase

from odoo.addons.queue_job.jobrunner import database
from odoo.addons.queue_job.settings import settings

WAKES = 20
WAKES_SECONDS = 0.01
"""Answers that arrive during the first pause, and how far they are apart."""

PATIENCE = 10.0


class TestDatabaseRunner(TransactionCase):
    def test_answers_do_not_cut_a_pause_short(self):
        runner = database.DatabaseRunner("queue_job_dev_not_there", settings(), None, None)
        with self.assertLogs(database.__name__, "WARNING") as logs:
            runner.start()
            try:
                deadline = time.monotonic() + PATIENCE
                while not logs.output and time.monotonic() < deadline:
                    time.sleep(WAKES_SECONDS)
                for _answer in range(WAKES):
                    runner._waker.wake()
                    time.sleep(WAKES_SECONDS)
                self.assertEqual(len(logs.output), 1, "it still waits before it tries again")
            finally:
                runner.stop()
                runner.join(PATIENCE)
        self.assertFalse(runner.is_alive(), "stopping does not wait for the pause")
