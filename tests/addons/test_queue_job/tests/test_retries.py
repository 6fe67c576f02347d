import os
from types import SimpleNamespace
from unittest.mock import patch

import requests
from lxml import etree

from odoo.exceptions import ValidationError
from odoo.tools import file_open

from odoo.addons.queue_job.core.backoff import Backoff as CoreBackoff
from odoo.addons.queue_job.current import current_job
from odoo.addons.queue_job.decorator import redeclare
from odoo.addons.queue_job.exception import JobSnoozed, RetryableError, retry_after
from odoo.addons.queue_job.job import FAILED, Backoff, job
from odoo.addons.queue_job.settings import retry_limits, settings
from odoo.addons.queue_job.tests.common import trap_jobs

from .common import JobCase

FUNCTION = "<test.queue.job>.retry_longer_and_longer"


def answer(status=503, **headers):
    """Return an answer as ``requests`` gives it."""
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return response


class TestRetries(JobCase):
    def function(self, name=FUNCTION):
        return self.env["queue.job.function"].search([("name", "=", name)])

    # How long to wait

    def test_a_backoff_is_declared(self):
        self.assertIs(Backoff, CoreBackoff)
        method = self.record.retry_longer_and_longer
        self.assertEqual(method.backoff, Backoff(0.5, 2, 2, 0.5))
        self.assertEqual(method.retry_pattern, {})
        config = self.env["queue.job.function"].job_config(FUNCTION)
        self.assertEqual((config.backoff, config.retry_pattern), (method.backoff, {}))
        self.assertEqual(config.waits, method.backoff)

    def test_a_declaration_has_a_pattern_or_a_backoff(self):
        stored = job(retry_pattern={"backoff": {"first": 7}})(lambda env: None)
        self.assertEqual((stored.backoff, stored.retry_pattern), (Backoff(7), {}))
        with self.assertRaisesRegex(ValueError, "give one of the two"):
            job(retry_pattern={1: 10}, backoff=Backoff())
        with self.assertRaisesRegex(ValueError, "factor=0 cannot be: give 1 or more"):
            job(backoff={"factor": 0})
        with self.assertRaisesRegex(TypeError, "'OSError' is no class of exceptions"):
            job(retry_on=("OSError",))

    def test_an_override_without_the_decorator_keeps_the_backoff(self):
        class Base:
            @job(backoff=Backoff(5), retry_on=KeyError)
            def noop(self): ...

        class Child(Base):
            def noop(self): ...

        redeclare(Child, "noop")
        self.assertEqual(Child.noop.backoff, Backoff(5))
        self.assertEqual(Child.noop.retry_on, (KeyError,))

    def test_the_record_of_a_function_wins(self):
        function, model = self.function(), self.env["queue.job.function"]
        self.assertEqual(function.effective_retry_pattern, "0.5 s, times 2 up to 2 s, ± 50%")
        self.assertEqual((function.retry_pattern_source, function.edit_retry_pattern), ("code", ""))
        function.edit_retry_pattern = "{1: 10}"
        self.assertEqual(model.job_config(FUNCTION).waits, {1: 10.0})
        self.assertIsNone(model.job_config(FUNCTION).backoff)
        function.edit_retry_pattern = "{'backoff': {'first': 60, 'jitter': 0}}"
        self.assertEqual(model.job_config(FUNCTION).waits, Backoff(60, jitter=0))
        self.assertEqual(function.effective_retry_pattern, "60 s, times 2 up to 3600 s")
        self.assertEqual(function.retry_pattern_source, "record")
        self.assertIn("'backoff'", function.edit_retry_pattern)
        function.edit_retry_pattern = ""
        self.assertEqual(model.job_config(FUNCTION).waits, Backoff(0.5, 2, 2, 0.5))

    def test_who_goes_back_to_the_community_keeps_the_waits_as_a_table(self):
        function = self.function()
        function.edit_retry_pattern = "{'backoff': {'first': 7, 'factor': 3, 'most': 100}}"
        other = self.function("<test.queue.job>.noop")
        other.edit_retry_pattern = "{1: 5}"
        self.env.flush_all()
        with file_open("queue_job/migrations/leaving.sql") as script:
            (statement,) = (part for part in script.read().split(";\n") if "growing" in part)
        self.env.cr.execute(statement)
        self.env.invalidate_all()
        table = {"1": 7, "2": 21, "3": 63, **{str(number): 100 for number in range(4, 11)}}
        self.assertEqual(function.retry_pattern, table)
        self.assertEqual(other.retry_pattern, {"1": 5})

    def test_what_is_typed_wrong_is_named(self):
        for text, expected in (
            ("{'backoff': {'frist': 3}}", "'frist' is none of first, factor, most, jitter"),
            ("{'backoff': {'jitter': 5}}", "jitter=5 cannot be"),
            ("{'backoff': {}, 1: 5}", "stands beside backoff"),
            ("{'backoff': 10}", "10 is neither"),
            ("Backoff(first=3)", "cannot be read"),
        ):
            with self.subTest(text), self.assertRaises(ValidationError) as caught:
                self.function().edit_retry_pattern = text
            self.assertIn(expected, str(caught.exception))

    def test_the_plan_of_a_backoff(self):
        with trap_jobs() as trap:
            plan = [(0.25, 0.75), (0.5, 1.5), (1, 2)]
            trap.assert_retry_plan(self.record.retry_longer_and_longer, plan, max_retries=4)
            self.function().edit_retry_pattern = "{'backoff': {'first': 60, 'jitter': 0}}"
            plan = [60, 120, 240]
            trap.assert_retry_plan(self.record.retry_longer_and_longer, plan, max_retries=4)

    def test_postpone_waits_by_the_backoff(self):
        waiting = self.record.retry_longer_and_longer.delay()
        waiting.retry = 9
        self.assertTrue(1 <= waiting._get_retry_seconds() <= 2)

    # What a remote asks for

    def test_what_a_response_asks_for(self):
        response = answer(429, Retry_After="120")
        self.assertFalse(response, "as requests has it for errors")
        self.assertEqual(retry_after(response), 120)
        self.assertEqual(retry_after(response, most=60), 60)
        self.assertEqual(retry_after({"retry-after": "5"}), 5)
        self.assertEqual(retry_after(requests.HTTPError("busy", response=response)), 120)
        error = RetryableError.from_response(response)
        self.assertEqual((str(error), error.seconds), ("The remote answers 429", 120))
        self.assertEqual(str(RetryableError.from_response(response, "busy")), "busy")
        self.assertFalse(error.ignore_retry)

    def test_what_asks_for_nothing_raises_nothing(self):
        class Wild:
            @property
            def headers(self):
                raise ValueError("no headers here")

        wild = (None, 3, "text", [], {}, answer(), answer(Retry_After="soon"), Wild())
        wild += (SimpleNamespace(headers=3), requests.ConnectionError("gone"), OSError(), object)
        for value in wild:
            with self.subTest(value):
                self.assertIsNone(retry_after(value))
                self.assertIsNone(RetryableError.from_response(value).seconds)

    # To come back later

    def test_snooze_leaves_the_job_in_any_case(self):
        with self.assertRaises(JobSnoozed) as caught:
            current_job(self.env).snooze(60, "no file yet", limit=7)
        error = caught.exception
        self.assertEqual((str(error), error.seconds, error.limit), ("no file yet", 60, 7))
        self.assertTrue(error.ignore_retry)
        self.assertEqual((str(JobSnoozed()), JobSnoozed().limit), ("Snoozed", 1_000))

    def test_a_snoozed_job_gets_its_try_back(self):
        snoozed = self.record.snooze.delay(1)
        snoozed.recordset = snoozed.recordset.with_context(job_uuid=snoozed.uuid)
        with self.assertRaises(JobSnoozed):
            snoozed.perform()
        self.assertEqual(snoozed.retry, 0)

    # What is seen

    def test_each_counter_is_seen_with_its_limit(self):
        record = self.put(self.record.noop.delay(), retry=2, lost=1, conflicts=3, snoozes=4)
        conflicts, lost = retry_limits()
        self.assertEqual((conflicts, lost), (10, 3))
        self.assertEqual(record.tries, "2 / 5, lost 1 / 3, conflicts 3 / 10, snoozed 4")
        self.assertEqual(self.stored(self.record.noop.delay()).tries, "0 / 5")

    def test_limits_are_numbers_of_times(self):
        for name in ("ODOO_QUEUE_JOB_LOST_LIMIT", "ODOO_QUEUE_JOB_CONFLICT_LIMIT"):
            for value in ("0", "-1", "many", "1.5", "9" * 10):
                with self.subTest(f"{name}={value}"), patch.dict(os.environ, {name: value}):
                    with self.assertRaisesRegex(ValueError, f"{name} '{value}' is not a number"):
                        settings.__wrapped__()
                    self.assertEqual(retry_limits.__wrapped__(), (10, 3), "the screen goes on")
        limits = {"ODOO_QUEUE_JOB_LOST_LIMIT": "7", "ODOO_QUEUE_JOB_CONFLICT_LIMIT": " 20 "}
        with patch.dict(os.environ, limits):
            self.assertEqual(retry_limits.__wrapped__(), (20, 7))
            self.assertEqual(settings.__wrapped__().lost_limit, 7)

    def test_requeue_sets_each_back(self):
        record = self.put(
            self.record.noop.delay(), state=FAILED, retry=5, lost=3, conflicts=9, snoozes=9
        )
        record.with_user(self.manager).requeue()
        counters = (record.retry, record.lost, record.conflicts, record.snoozes)
        self.assertEqual(counters, (0, 0, 0, 0))

    def test_snoozes_and_conflicts_are_among_the_filters(self):
        arch = etree.fromstring(self.env["queue.job"].get_view(view_type="search")["arch"])
        filters = set(arch.xpath("//filter/@name"))
        self.assertLessEqual({"snoozed", "conflicts", "lost", "retried"}, filters)
        many = self.put(self.record.noop.delay(), snoozes=4)
        none = self.stored(self.record.noop.delay())
        found = self.env["queue.job"].search([("snoozes", ">", 0), ("id", "in", (many + none).ids)])
        self.assertEqual(found, many)

    def test_each_way_to_come_back_has_its_place_in_the_timeline(self):
        record = self.put(self.record.noop.delay(), attempt=3, state="pending")
        self.env["queue.job.attempt"].create(
            [
                {
                    "job_id": record.id,
                    "attempt": number,
                    "outcome": outcome,
                    "date_started": f"2026-03-01 12:0{number}:00",
                    "date_ended": f"2026-03-01 12:0{number}:30",
                }
                for number, outcome in enumerate(("snoozed", "conflict", "postponed"), 1)
            ]
        )
        self.put_dates(record)
        rows = record.timeline["rows"]
        self.assertEqual([row["outcome"] for row in rows[:3]], ["snoozed", "conflict", "postponed"])
        between = [row["segments"][0]["stretch"] for row in rows[1:3]]
        self.assertEqual(between, ["snoozed", "backoff"])

    def put_dates(self, record):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE queue_job SET date_created = '2026-03-01 12:00:00' WHERE id = %s", [record.id]
        )
        self.env.invalidate_all()
