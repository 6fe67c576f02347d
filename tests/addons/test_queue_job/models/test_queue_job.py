import logging
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg2
import requests

from odoo import api, fields, models

from odoo.addons.queue_job.core.quoting import storable
from odoo.addons.queue_job.current import current_job
from odoo.addons.queue_job.decorator import Backoff
from odoo.addons.queue_job.delay import chain, group
from odoo.addons.queue_job.exception import (
    FailedJobError,
    JobMemoryLimitError,
    JobTimeLimitError,
    NothingToDoJob,
    RetryableError,
)
from odoo.addons.queue_job.fields import decode_call, decode_records, parse
from odoo.addons.queue_job.job import JOB_REGISTRY, Job, identity_exact, job
from odoo.addons.queue_job.session import ConnectorSession

_logger = logging.getLogger(__name__)

FUNCTIONS = "odoo.addons.test_queue_job.functions"


def _parts(value):
    """Yield a value and all that it holds."""
    yield value
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        for part in value:
            yield from _parts(part)


def _kind(value):
    """Return the name of a value's type; all records are of one."""
    return "records" if isinstance(value, models.BaseModel) else type(value).__name__


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

    def launch_each(self, number):
        """Delay a job on each of so many new records; return the uuids."""
        return self.create([{"name": "one of many"}] * number).noop.delay_each()

    def launch_chain_of(self, seconds, method="sleep", options=None):
        """Delay a job that lasts, one that waits for it, and one that waits for that.

        :param dict options: of the second
        :return: their uuids
        """
        last = getattr(self.delayable(), method)(seconds)
        calls = last, self.delayable(**(options or {})).noop(), self.delayable().noop()
        chain(*calls).delay()
        return [call._generated_job.uuid for call in calls]

    def launch_chain_after(self, key):
        """Delay a chain whose first job waits already, under an identity key.

        :return: uuids of those that are new
        """
        first = self.delayable(identity_key=key).noop()
        others = self.delayable().noop(), self.delayable(identity_key=f"{key}, last").noop()
        chain(first, *others).delay()
        return [call._generated_job.uuid for call in others]

    def launch_pair(self, seconds):
        """Delay two jobs that last, and one that waits for both; return their uuids."""
        first, second = (self.delayable().sleep(seconds) for _number in range(2))
        child = self.delayable().noop()
        chain(group(first, second), child).delay()
        return [call._generated_job.uuid for call in (first, second, child)]

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
    def read_stored(self, texts):
        """Read columns of jobs as a worker does, as many as there are, and call nothing.

        :param list texts: JSON
        :return: of each, the names of the types that came of it, or of the error, and its message
        """
        return [self._read_stored(text) for text in texts]

    def _read_stored(self, text):
        try:
            value = parse(text)
            if isinstance(value, dict) and "records" in value:
                found = [decode_records(value["records"], self.env)]
            else:
                found = decode_call(value, {}, self.env)
            identity_exact(Job(self.noop, args=found))
        except Exception as error:
            return [
                [],
                f"{type(error).__module__}.{type(error).__name__}",
                storable(str(error)[:3000]),
            ]
        return [sorted({_kind(part) for part in _parts(found)}), "", ""]

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
    def compute(self, seconds, kind="sleep"):
        """Write a line, then keep the processor busy"""
        self._note(kind)
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            count += 1
        return count

    @job
    def wait_for_socket(self, seconds, kind="sleep"):
        """Write a line, then wait for a word that nobody says"""
        self._note(kind)
        here, _there = socket.socketpair()
        here.settimeout(seconds)
        here.recv(1)

    @job
    def sleep_in_sql(self, seconds, kind="sleep"):
        """Write a line, then let PostgreSQL sleep"""
        self._note(kind)
        self.env.cr.execute("SELECT pg_sleep(%s)", (seconds,))

    @job
    def compute_in_sql(self, seconds, kind="sleep"):
        """Write a line, then let PostgreSQL count for very long"""
        self._note(kind)
        self.env.cr.execute("SELECT count(*) FROM generate_series(1, %s)", (seconds * 10**8,))

    @job
    def take_no_notice(self, seconds, kind="sleep"):
        """Write a line, then go on whatever happens"""
        self._note(kind)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(BaseException):
                time.sleep(0.1)

    @job
    def fork_once(self, path, seconds):
        """Write, and the first time last long, with a process that lasts longer than its parent"""
        self.name = "forked"
        self.flush_recordset()
        if not Path(path).exists():
            Path(path).touch()
            if os.fork() == 0:
                time.sleep(seconds)
                os._exit(0)
            time.sleep(seconds)

    @job
    def hold_dependents(self, seconds):
        """Lock what waits for it, then go on whatever happens"""
        self.env.cr.execute("UPDATE queue_job SET name = name WHERE state = 'wait_dependencies'")
        self.take_no_notice(seconds)

    @job(timeout=1)
    def sleep_limited(self, seconds, kind="sleep"):
        """Write a line, then last longer than allowed"""
        self._note(kind)
        time.sleep(seconds)

    @job(timeout=60)
    def compute_for_long(self, seconds, kind="sleep"):
        """Write a line, then keep the processor busy for longer than Odoo allows, but not we"""
        self._note(kind)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sum(range(1000))

    @job(retry_on=(ConnectionError,), retry_pattern={1: 0})
    def connect(self, kind="sleep"):
        """Find nobody who answers"""
        self._note(kind)
        raise ConnectionRefusedError("nobody answers")

    @job(timeout=1, retry_on=(JobTimeLimitError,), retry_pattern={1: 0})
    def sleep_limited_again(self, seconds):
        """Last longer than allowed, each time"""
        time.sleep(seconds)

    @job
    def take_memory(self, mb, seconds=0, kind="sleep"):
        """Write a line, then hold memory for a while"""
        self._note(kind)
        held = bytearray(mb * 2**20)
        time.sleep(seconds)
        return len(held)

    @job
    def take_memory_and_fail(self, mb):
        """Hold memory, and fail"""
        held = bytearray(mb * 2**20)
        raise FailedJobError(f"{len(held)} bytes for nothing")

    @job(memory=64)
    def take_memory_limited(self, mb, seconds=0, kind="sleep"):
        """Write a line, then hold memory, which may be more than allowed"""
        self._note(kind)
        held = bytearray(mb * 2**20)
        time.sleep(seconds)
        return len(held)

    @job(memory=64, retry_on=(JobMemoryLimitError,), retry_pattern={1: 0})
    def take_memory_again(self, mb, seconds):
        """Hold more memory than allowed, each time"""
        held = bytearray(mb * 2**20)
        time.sleep(seconds)
        return len(held)

    @job
    def with_own_timeout(self, timeout=0):
        """Take a parameter that an option of the queue has the name of"""
        return timeout

    @job
    def clean_up(self, seconds, path):
        """Last long, and when stopped leave a word of it"""
        try:
            time.sleep(seconds)
        except BaseException:
            asked = current_job(self.env).cancelled()
            Path(path).write_text(f"cleaned up, {asked}")
            raise

    @job
    def sleep_and_fail(self, seconds):
        """Take time, for nothing"""
        time.sleep(seconds)
        raise FailedJobError("after a while")

    @job
    def report(self, steps, seconds):
        """Tell how far it is, and log each step"""
        for number in range(1, steps + 1):
            current_job(self.env).progress(number, steps, "step")
            _logger.info("step %s of %s", number, steps)
            time.sleep(seconds)

    @job
    def report_at_the_end(self, seconds):
        """Write a line, last long, and only then tell how far it is"""
        self._note("told late")
        self.env.flush_all()
        time.sleep(seconds)
        current_job(self.env).progress(1, 1)

    @job(mask=("pincode",))
    def send(self, partner, password, values=None, pincode=None):
        """Send something to a partner"""
        self._note("sent")

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
    def fail_at_line(self, line, number):
        """Fail in code whose lines move, as they do from version to version"""
        source = "\n" * line + "def sink(number):\n    raise ValueError(f'no order {number}')"
        module = {"__name__": "odoo.addons.test_queue_job.moved"}
        exec(compile(source, "moved.py", "exec"), module)
        module["sink"](number)

    @job
    def fail_without_words(self):
        """Fail with an error that cannot be written"""

        class Wordless(Exception):
            def __str__(self):
                raise ValueError("no words")

        raise Wordless

    @job
    def fail_oddly(self):
        """Fail with a text that PostgreSQL cannot store"""
        raise FailedJobError("zero \0 byte \ud800 surrogate")

    def note_failure(self, exc_name, exc_message, exc_info):
        """Be called when a job has failed."""
        self._note("on_fail", f"{exc_name} {bool(exc_message and exc_info)}")

    @job(retry_pattern={1: 1, 2: 2})
    def retry_later(self, seconds=None, ignore_retry=False, message="not yet"):
        """Ask to be tried again"""
        self._note("retry")
        raise RetryableError(message, seconds=seconds, ignore_retry=ignore_retry)

    @job
    def retry_until(self, tries, seconds=0.2):
        """Succeed at a certain try"""
        line = self.env["queue.job"].search([("uuid", "=", self.env.context["job_uuid"])])
        if line.retry < tries:
            raise RetryableError(f"try {line.retry}", seconds=seconds)
        self._note("succeeded", str(line.retry))

    @job(backoff=Backoff(first=0.5, factor=2, most=2, jitter=0.5))
    def retry_longer_and_longer(self):
        """Ask to be tried again, each time after longer"""
        raise RetryableError("not yet")

    @job(retry_on=(OSError,), backoff={"first": 0.2, "factor": 1, "jitter": 0})
    def reach_nobody(self):
        """Meet an error of a class below that which is named"""
        raise ConnectionResetError("hung up")

    @job(retry_on=(psycopg2.DataError,), retry_pattern={1: 0})
    def break_the_transaction(self):
        """Meet an error after which nothing can be asked, with nothing in the caches"""
        self.env.registry.clear_cache()
        self.env.cr.execute("SELECT 1 / 0")

    @job
    def exit(self):
        """End as a command does that was called in a wrong way"""
        sys.exit(2)

    @job(retry_on=Exception, retry_pattern={1: 0})
    def fail_for_good(self):
        """Fail for good, although all errors are tried again after"""
        raise FailedJobError("no such order")

    @job(retry_on=(requests.HTTPError,))
    def ask_remote(self, url):
        """Ask a remote, which may be too busy"""
        response = requests.get(url, timeout=10)
        response.raise_for_status()
        return response.text

    @job
    def ask_remote_kindly(self, url):
        """Ask a remote, and wait for as long as it says"""
        response = requests.get(url, timeout=10)
        if response.status_code == 503:
            raise RetryableError.from_response(response)
        return response.text

    @job
    def snooze(self, times, seconds=0.1, limit=1_000):
        """Come back so many times before there is something to do"""
        line = self.env["queue.job"].search([("uuid", "=", self.env.context["job_uuid"])])
        self._note("snooze")
        if line.snoozes < times:
            current_job(self.env).snooze(seconds, "no file yet", limit)
        return line.retry

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

    def note_failure_late(self, **_details):
        """Be called when a job has failed, and meet who changes the same record first"""
        self.conflict(2)

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
