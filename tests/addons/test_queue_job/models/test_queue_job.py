import logging
import os
import signal
import time
from pathlib import Path

from odoo import api, fields, models

from odoo.addons.queue_job.current import current_job
from odoo.addons.queue_job.delay import chain, group
from odoo.addons.queue_job.exception import FailedJobError, NothingToDoJob, RetryableError
from odoo.addons.queue_job.job import JOB_REGISTRY, job
from odoo.addons.queue_job.session import ConnectorSession

_logger = logging.getLogger(__name__)

FUNCTIONS = "odoo.addons.test_queue_job.functions"


class TestQueueJob(models.Model):
    _name = "test.queue.job"
    _description = "Jobs of Every Kind"

    name = fields.Char()
    value = fields.Integer()
    overridden = fields.Boolean()

    def _note(self, kind, value=""):
        self.env["test.queue.job.ledger"].note(kind, value)

    def launch(self, method, args=(), options=None, times=1):
        """Delay a method of these records, as a test outside of Odoo asks for it.

        :return: the uuids of the jobs
        """
        delay = getattr(self, method).delay
        return [delay(*args, **(options or {})).uuid for _number in range(times)]

    def launch_graph(self, before, middle, after):
        """Delay a graph: so many jobs, then so many chains of one, then so many more.

        :return: uuids of each layer, the number of statements it took, and the seconds
        """
        layers = [
            [self.delayable().noop() for _number in range(number)]
            for number in (before, middle, after)
        ]
        first, second, third = (group(*layer) for layer in layers)
        self.env.flush_all()
        statements, began = self.env.cr.sql_log_count, time.monotonic()
        chain(first, second, third).delay()
        cost = self.env.cr.sql_log_count - statements, time.monotonic() - began
        return [[call._generated_job.uuid for call in layer] for layer in layers], *cost

    def launch_again(self, way="delay"):
        """Delay a job, cancel it and delay it again, all in one transaction; return both uuids.

        :param str way: ``delay`` or ``with_delay``
        """

        def launch(**options):
            if way == "delay":
                return self.noop.delay(identity_key=f"again {way}", **options)
            return self.with_delay(identity_key=f"again {way}", **options).noop()

        first = launch(eta=3600)
        first.db_record().button_cancelled()
        return [first.uuid, launch().uuid]

    @api.model
    def launch_function(self, name, args=(), options=None):
        """Delay a module-level function; return the uuid of the job."""
        session = ConnectorSession.from_env(self.env)
        return JOB_REGISTRY[f"{FUNCTIONS}.{name}"].delay(session, *args, **(options or {})).uuid

    @job
    def noop(self, *args, **kwargs):
        """Do nothing"""

    @job(default_channel="root.test", retry_pattern={1: 10, 5: 60, 10: 600})
    def write_value(self, value):
        """Write a value"""
        self.write({"value": value})
        self._note("write", str(value))
        return value

    @job
    def add_one(self):
        """Read, add and write, which conflicts with whoever does the same"""
        for record in self:
            record.value += 1

    @job
    def sleep(self, seconds, kind="sleep"):
        """Write a line, then last long"""
        self._note(kind)
        time.sleep(seconds)

    @job
    def report(self, steps, seconds):
        """Tell how far it is, and log each step"""
        for number in range(1, steps + 1):
            current_job(self.env).progress(number, steps, "step")
            _logger.info("step %s of %s", number, steps)
            time.sleep(seconds)

    @job
    def log_oddly(self):
        """Log and tell what PostgreSQL cannot store, and a line that cannot be made"""
        _logger.info("zero \0 byte \ud800 surrogate")
        _logger.info("%s of %s", *[1])
        current_job(self.env).progress(1, 1, "zero \0 byte \ud800 surrogate")

    @job
    def leave_a_trace(self, path, seconds=0):
        """Write a line to the ledger, and one to a file, which no rollback takes back"""
        self._note("trace")
        with Path(path).open("a") as file:
            file.write(f"{self.env.context['job_uuid']}\n")
        time.sleep(seconds)

    @job
    def commit_and_sleep(self, seconds):
        """Commit midway, then last long"""
        self._note("midway")
        self.env.cr.commit()
        time.sleep(seconds)
        self._note("end")

    @job
    def fail(self, message="no reason"):
        """Fail"""
        self._note("fail")
        raise FailedJobError(message)

    @job
    def fail_oddly(self):
        """Fail with a text that PostgreSQL cannot store"""
        raise FailedJobError("zero \0 byte \ud800 surrogate")

    def note_failure(self, exc_name, exc_message, exc_info):
        """Be called when a job has failed."""
        self._note("on_fail", f"{exc_name} {bool(exc_message and exc_info)}")

    @job(retry_pattern={1: 1, 2: 2})
    def retry_later(self, seconds=None, ignore_retry=False):
        """Ask to be tried again"""
        self._note("retry")
        raise RetryableError("not yet", seconds=seconds, ignore_retry=ignore_retry)

    @job
    def retry_until(self, tries, seconds=0.2):
        """Succeed at a certain try"""
        line = self.env["queue.job"].search([("uuid", "=", self.env.context["job_uuid"])])
        if line.retry < tries:
            raise RetryableError(f"try {line.retry}", seconds=seconds)
        self._note("succeeded", str(line.retry))

    @job
    def nothing_to_do(self):
        """Find that there is nothing to do"""
        raise NothingToDoJob("it is there already")

    @job
    def kill_worker(self):
        """End the worker as the kernel would when memory is short"""
        self._note("killed")
        os.kill(os.getpid(), signal.SIGKILL)

    @job
    def conflict(self, times):
        """Meet a serialization failure, so many times"""
        self.env["test.queue.job.ledger"].search([], limit=1)
        with self.env.registry.cursor() as other:
            env = self.env(cr=other)
            record = env["test.queue.job"].browse(self.id)
            if record.value < times:
                record.value += 1
        self.write({"name": "after"})
        self._note("conflict")

    @job
    @api.model
    def model_method(self, value):
        """Be a method of the model"""
        return value

    @job
    def who(self):
        """Tell in whose name it runs"""
        env = self.env
        companies = env.context.get("allowed_company_ids")
        return f"{env.uid} su={env.su} {env.context.get('lang')} {companies}"

    @job
    def overridden_without_decorator(self):
        """Be overridden by another addon"""
        return "base"

    def undecorated(self, value):
        """Not declared as a job"""
        self._note("undecorated", str(value))
