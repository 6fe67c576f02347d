import ast
import datetime as dt
import logging
import types
import unittest
from pathlib import Path
from unittest import mock

from odoo.addons import queue_job
from odoo.addons.queue_job.core.codec import ArgumentError
from odoo.addons.queue_job.delay import DelayableRecordset, chain, group
from odoo.addons.queue_job.exception import FailedJobError, NothingToDoJob, RetryableError
from odoo.addons.queue_job.job import Job, identity_exact
from odoo.addons.queue_job.tests.common import (
    JobCall,
    JobCounter,
    JobMixin,
    JobsTrap,
    OdooDocTestCase,
    load_doctests,
    mock_with_delay,
    retry_plan,
    trap_jobs,
)
from odoo.addons.test_queue_job.functions import a_heavy_task, import_order, takes_an_env

from .common import JobCase


class TrapCase(JobCase, JobMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.method = cls.record.noop
        cls.model = cls.env["test.queue.job"]

    def let(self, method):
        """Let ``undecorated(value)`` do something else for this test."""
        method.__name__ = "undecorated"
        self.patch(self.registry["test.queue.job"], "undecorated", method)

    def ledger(self):
        return self.env["test.queue.job.ledger"].search([], order="id").mapped("value")


class TestTrap(TrapCase):
    """What is delayed while a trap is set."""

    def test_nothing_is_stored(self):
        counter = self.job_counter()
        with trap_jobs() as trap:
            job = self.record.with_delay().noop()
        self.assertIsInstance(trap, JobsTrap)
        self.assertIsInstance(job, Job)
        self.assertEqual(trap.enqueued_jobs, [job])
        self.assertEqual(counter.count_created(), 0)
        self.assertFalse(job.db_record())

    def test_nothing_is_trapped_afterwards(self):
        counter = self.job_counter()
        with trap_jobs() as trap, trap_jobs() as inner:
            self.record.noop.delay()
        self.record.noop.delay()
        inner.assert_jobs_count(1)
        trap.assert_jobs_count(0)
        self.assertEqual(counter.count_created(), 1)

    def test_a_trap_ends_with_an_error_as_well(self):
        with self.assertRaises(ZeroDivisionError), trap_jobs():
            1 / 0  # noqa: B018
        self.assertTrue(self.stored(self.record.noop.delay()))

    def test_a_trapped_job_cannot_be_stored_by_chance(self):
        with trap_jobs():
            job = self.record.with_delay().noop()
            job.store()
        self.assertFalse(job.db_record())

    def test_with_delay(self):
        with trap_jobs() as trap:
            self.record.with_delay(priority=3, eta=15).write_value(7)
        trap.assert_jobs_count(1)
        trap.assert_jobs_count(1, only=self.record.write_value)
        trap.assert_jobs_count(0, only=self.record.noop)
        trap.assert_jobs_count(0, only=self.model.write_value)
        trap.assert_enqueued_job(self.record.write_value, args=(7,))
        trap.assert_enqueued_job(self.record.write_value, [7], properties={"eta": 15})
        self.assertEqual(trap.jobs_count(), 1)

    def test_delay_of_a_method(self):
        with trap_jobs() as trap:
            self.record.write_value.delay(7, priority=3, identity_key=identity_exact)
        trap.assert_jobs_count(1, only=self.record.write_value)
        trap.assert_enqueued_job(
            self.record.write_value,
            args=(7,),
            kwargs={},
            properties={"priority": 3, "identity_key": identity_exact, "eta": None},
        )

    def test_delay_of_a_function(self):
        with trap_jobs() as trap:
            import_order.delay(self.env, 5, channel="root.fast")
            takes_an_env.delay(self.env, 1)
        trap.assert_jobs_count(1, only=import_order)
        trap.assert_enqueued_job(import_order, args=(5,), properties={"channel": "root.fast"})
        with self.assertRaises(AssertionError):
            trap.assert_enqueued_job(a_heavy_task, args=(5,))

    def test_method_without_declaration(self):
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(1)
        trap.assert_jobs_count(1, only=self.record.undecorated)
        trap.assert_enqueued_job(self.record.undecorated, args=(1,))

    def test_method_that_was_mocked_in_between(self):
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(1)
        with mock.patch.object(self.registry["test.queue.job"], "undecorated", autospec=True):
            trap.assert_enqueued_job(self.record.undecorated, args=(1,))

    def test_graph(self):
        with trap_jobs() as trap:
            first, second = self.record.delayable().noop(1), self.record.delayable().noop(2)
            last = self.record.delayable(description="End").noop(3)
            chain(group(first, second), last).delay()
        trap.assert_jobs_count(3)
        trap.assert_enqueued_job(self.record.noop, (3,), properties={"description": "End"})
        parents = {first._generated_job, second._generated_job}
        self.assertEqual(last._generated_job.depends_on, parents)
        self.assertEqual(last._generated_job.state, "wait_dependencies")
        self.assertEqual(first._generated_job.state, "pending")
        self.assertEqual(len({job.graph_uuid for job in trap.enqueued_jobs}), 1)
        self.assertTrue(trap.enqueued_jobs[0].graph_uuid)

    def test_split_gives_its_parts_only(self):
        records = self.record + self.model.create([{}, {}])
        with trap_jobs() as trap:
            records.delayable().noop().split(2).delay()
        trap.assert_jobs_count(2)
        trap.assert_enqueued_job(records[:2].noop)
        trap.assert_enqueued_job(records[2].noop)
        self.assertEqual(len(trap.calls), 2)

    def test_calls_are_what_was_asked_for(self):
        with trap_jobs() as trap:
            self.record.with_delay(eta=15).noop(1, two="2")
        [call] = trap.calls
        self.assertIsInstance(call, JobCall)
        self.assertEqual((call.args, call.kwargs), ((1,), {"two": "2"}))
        self.assertEqual(call.method.__self__, self.record)
        self.assertEqual(
            call.properties,
            {
                "priority": None,
                "max_retries": None,
                "eta": 15,
                "description": None,
                "channel": None,
                "identity_key": None,
            },
        )

    def test_jobs_are_what_the_queue_makes_of_it(self):
        with trap_jobs() as trap:
            self.record.write_value.delay(7)
        [job] = trap.enqueued_jobs
        self.assertEqual(job.channel, "root.test")
        self.assertEqual(job.description, "Write a value")
        self.assertEqual((job.priority, job.max_retries), (10, 5))
        self.assertEqual(job.recordset, self.record)
        self.assertEqual(job.method_name, "write_value")

    def test_context_is_that_of_a_stored_job(self):
        record = self.record.with_context(lang="fr_FR", mine=42)
        with trap_jobs() as trap:
            record.who.delay()
        [job] = trap.enqueued_jobs
        self.assertEqual(job.recordset.env.context, {"lang": "fr_FR"})

    def test_matchers_may_stand_for_arguments(self):
        with trap_jobs() as trap:
            self.record.noop.delay(self.record, day=dt.date(2030, 1, 1))
        trap.assert_enqueued_job(self.record.noop, (self.record,), {"day": mock.ANY})

    def test_arguments_must_be_all(self):
        with trap_jobs() as trap:
            self.record.noop.delay(1, two=2)
        for args, kwargs in (((1,), {}), ((), {"two": 2}), ((1,), {"two": 3})):
            with self.assertRaises(AssertionError):
                trap.assert_enqueued_job(self.record.noop, args, kwargs)

    def test_unknown_property_is_never_met(self):
        with trap_jobs() as trap:
            self.record.noop.delay()
        with self.assertRaises(AssertionError):
            trap.assert_enqueued_job(self.record.noop, properties={"prority": None})

    def test_equality_of_calls(self):
        call = JobCall(self.record.noop, (1,), {}, {})
        self.assertTrue(call == JobCall(self.record.noop, (1,), {}, {}))
        self.assertFalse(call != JobCall(self.record.noop, (1,), {}, {}))
        self.assertTrue(call != JobCall(self.record.noop, (2,), {}, {}))
        self.assertNotEqual(call, JobCall(self.record.fail, (1,), {}, {}))

    def test_trap_of_the_mixin(self):
        with self.trap_jobs() as trap:
            self.record.noop.delay()
        trap.assert_jobs_count(1)


class TestTrapIdentity(TrapCase):
    def test_one_job_while_it_waits(self):
        with trap_jobs() as trap:
            first = self.record.with_delay(identity_key="same").noop()
            second = self.record.with_delay(identity_key="same").noop()
            self.record.with_delay(identity_key="other").noop()
            trap.assert_jobs_count(2)
            self.assertEqual(len(trap.calls), 3)
            self.assertIs(second, first)
            trap.perform_enqueued_jobs()
            self.record.with_delay(identity_key="same").noop()
            trap.assert_jobs_count(1)

    def test_within_a_graph(self):
        with trap_jobs() as trap:
            waiting = self.record.with_delay(identity_key="same").noop()
            again = self.record.delayable(identity_key="same").noop()
            new = self.record.delayable(identity_key="new").noop()
            chain(again, new).delay()
        trap.assert_jobs_count(2)
        self.assertEqual(new._generated_job.depends_on, {waiting})

    def test_graph_that_waits_already(self):
        def delay():
            keyed = self.record.delayable(identity_key="same").noop()
            chain(keyed, self.record.delayable().noop()).delay()

        with trap_jobs() as trap:
            delay()
            delay()
        trap.assert_jobs_count(2)
        self.assertEqual(len(trap.calls), 4)

    def test_stored_jobs_do_not_matter(self):
        self.record.with_delay(identity_key="same").noop()
        with trap_jobs() as trap:
            self.record.with_delay(identity_key="same").noop()
        trap.assert_jobs_count(1)

    def test_scope_running(self):
        self.env["queue.job.function"].search([("name", "=", "<test.queue.job>.noop")]).write(
            {"identity_scope": "running"},
        )

        def noop(records, *_args):
            records.with_delay(identity_key="same").noop()

        self.patch(self.registry["test.queue.job"], "noop", noop)
        with trap_jobs() as trap:
            self.record.with_delay(identity_key="same").noop()
            self.assertEqual(len(trap.drain(limit=5)), 1)


class TestTrapMessages(TrapCase):
    def test_what_was_delayed_instead(self):
        with trap_jobs() as trap:
            self.record.with_delay(priority=3).noop(1, two="2")
            import_order.delay(self.env, 5)
        record = f"<test.queue.job({self.record.id},)>"
        functions = import_order.__module__
        with self.assertRaises(AssertionError) as caught:
            trap.assert_enqueued_job(self.record.noop, ("1",), properties={"eta": 60})
        self.assertEqual(
            str(caught.exception).splitlines(),
            [
                f"Job {record}.noop('1') with properties (eta=60) was not enqueued.",
                "Actual enqueued jobs:",
                f" * {record}.noop(1, two='2') with properties (priority=3, eta=None)",
                f" * {functions}.import_order(5) with properties (eta=None)",
            ],
        )

    def test_nothing_was_delayed(self):
        with trap_jobs() as trap, self.assertRaisesRegex(AssertionError, r"jobs:\n \(none\)"):
            trap.assert_enqueued_job(self.record.noop)

    def test_count(self):
        with trap_jobs() as trap:
            self.record.noop.delay(1)
        with self.assertRaisesRegex(AssertionError, r"^1 != 2 : \n.*\n \* <.*>\.noop\(1\)"):
            trap.assert_jobs_count(2)
        with self.assertRaisesRegex(AssertionError, r"^0 != 1 : "):
            trap.assert_jobs_count(1, only=self.model.noop)

    def test_trap_as_text(self):
        with trap_jobs() as trap:
            self.record.noop.delay(1)
        self.assertIn(".noop(1) with properties (", repr(trap))


class TestTrapPerform(TrapCase):
    def test_parents_first_then_priority(self):
        with trap_jobs() as trap:
            chain(
                self.record.delayable(priority=20).write_value(3),
                self.record.delayable(priority=1).write_value(4),
            ).delay()
            self.record.with_delay(priority=15).write_value(2)
            self.record.with_delay(priority=5).write_value(1)
            trap.perform_enqueued_jobs()
            trap.assert_jobs_count(0)
            trap.assert_enqueued_job(self.record.write_value, (4,))
        self.assertEqual(self.ledger(), ["1", "2", "3", "4"])

    def test_those_delayed_in_turn_wait(self):
        self.let(lambda records, value: records.with_delay().write_value(value))
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(5)
            trap.perform_enqueued_jobs()
            trap.assert_jobs_count(1, only=self.record.write_value)
            self.assertFalse(self.record.value)
            trap.perform_enqueued_jobs()
        self.assertEqual(self.record.value, 5)

    def test_result(self):
        with trap_jobs() as trap:
            job = self.record.write_value.delay(5)
            trap.perform_enqueued_jobs()
        self.assertEqual((job.result, job.state, job.retry), (5, "done", 1))

    def test_nothing_to_do_is_done(self):
        with trap_jobs() as trap:
            job = self.record.nothing_to_do.delay()
            trap.perform_enqueued_jobs()
        self.assertEqual((job.state, job.result), ("done", "it is there already"))

    def test_errors_come_through(self):
        with trap_jobs() as trap:
            self.record.retry_later.delay()
            with self.assertRaisesRegex(RetryableError, "not yet"):
                trap.perform_enqueued_jobs()

    def test_one_job_by_hand(self):
        with trap_jobs() as trap:
            self.record.write_value.delay(5)
            self.assertEqual(trap.enqueued_jobs[0].perform(), 5)
            trap.assert_jobs_count(1)

    def test_after_the_block(self):
        with trap_jobs() as trap:
            self.record.write_value.delay(5)
        trap.perform_enqueued_jobs()
        self.assertEqual(self.record.value, 5)

    def test_function(self):
        with trap_jobs() as trap:
            job = import_order.delay(self.env, 5)
            trap.perform_enqueued_jobs()
        self.assertEqual(job.result, f"5 by {self.env.uid}")

    def test_jobs_that_must_not_be_delayed(self):
        record = self.record.with_context(queue_job__no_delay=True)
        with trap_jobs() as trap:
            record.with_delay().write_value(5)
            self.assertEqual(self.record.value, 5)
            trap.assert_jobs_count(1)
            trap.assert_enqueued_job(self.record.write_value, (5,))
            trap.perform_enqueued_jobs()
        self.assertEqual(self.ledger(), ["5"])


class TestTrapDrain(TrapCase):
    def test_jobs_that_jobs_delay(self):
        def count_down(records, value):
            records._note("count", str(value))
            if value:
                records.with_delay().undecorated(value - 1)

        self.let(count_down)
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(3)
            done = trap.drain()
            trap.assert_jobs_count(0)
        self.assertEqual([job.args for job in done], [(3,), (2,), (1,), (0,)])
        self.assertEqual({job.state for job in done}, {"done"})
        self.assertEqual(self.ledger(), ["3", "2", "1", "0"])

    def test_after_the_block_too(self):
        self.let(lambda records, value: records.write_value.delay(value))
        counter = self.job_counter()
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(5)
        trap.drain()
        self.assertEqual(self.record.value, 5)
        self.assertEqual(counter.count_created(), 0)

    def test_order(self):
        with trap_jobs() as trap:
            self.record.with_delay(eta=3600, priority=0).write_value(6)
            self.record.with_delay(eta=60).write_value(5)
            self.record.with_delay(eta=dt.datetime(2000, 1, 1), priority=12).write_value(3)
            chain(
                self.record.delayable(priority=20).write_value(4),
                self.record.delayable(priority=0).write_value(7),
            ).delay()
            self.record.with_delay().write_value(1)
            self.record.with_delay().write_value(2)
            trap.drain()
        self.assertEqual(self.ledger(), ["1", "2", "3", "4", "7", "5", "6"])

    def test_job_delayed_in_turn_takes_its_place(self):
        self.let(lambda records, value: records.with_delay(priority=1).write_value(value))
        with trap_jobs() as trap:
            self.record.with_delay(priority=5).undecorated(1)
            self.record.with_delay(priority=9).write_value(2)
            trap.drain()
        self.assertEqual(self.ledger(), ["1", "2"])

    def test_bounded(self):
        self.let(lambda records, value: records.with_delay().undecorated(value + 1))
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(1)
            message = r"left after 7 tries:\n \* <.*>\.undecorated\(8\)"
            with self.assertRaisesRegex(AssertionError, message):
                trap.drain(limit=7)
            trap.assert_jobs_count(1)

    def test_limit_that_suffices_exactly(self):
        with trap_jobs() as trap:
            self.record.noop.delay()
            self.record.noop.delay()
            self.assertEqual(len(trap.drain(limit=2)), 2)

    def test_tries(self):
        tries = []

        def succeed_late(records, value):
            records._note("late", str(value))
            records.with_delay().noop()
            tries.append(value)
            if len(tries) < 3:
                raise RetryableError("not yet", seconds=60)

        self.let(succeed_late)
        with trap_jobs() as trap:
            job = self.record.with_delay().undecorated(1)
            self.record.with_delay(eta=90).write_value(2)
            done = trap.drain()
        self.assertEqual(job.retry, 3)
        self.assertEqual([len(tries), len(done)], [3, 3])
        # Tried at once, after 60 s and after 120 s; what failed left nothing behind.
        self.assertEqual(self.ledger(), ["2", "1"])
        trap.assert_jobs_count(0)
        self.assertEqual(len(trap.calls), 3)

    def test_next_try_keeps_its_place(self):
        tries = []

        def succeed_late(records, value):
            tries.append(value)
            if len(tries) < 2:
                raise RetryableError("at once", seconds=0)
            records._note("late", str(value))

        self.let(succeed_late)
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(1)
            self.record.with_delay().write_value(2)
            trap.drain()
        self.assertEqual(self.ledger(), ["1", "2"])

    def test_tries_by_the_pattern(self):
        with trap_jobs() as trap:
            job = self.record.retry_later.delay(max_retries=3)
            began = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
            with self.assertRaisesRegex(FailedJobError, r"Max\. retries \(3\) reached: not yet"):
                trap.drain()
        self.assertEqual((job.retry, job.state), (3, "failed"))
        self.assertEqual(job.exc_name, "odoo.addons.queue_job.exception.FailedJobError")
        self.assertAlmostEqual((job.eta - began).total_seconds(), 1 + 2, delta=2)

    def test_tries_that_do_not_count_are_bounded(self):
        with trap_jobs() as trap:
            self.record.retry_later.delay(0, ignore_retry=True)
            with self.assertRaisesRegex(AssertionError, "left after 20 tries"):
                trap.drain(limit=20)

    def test_failure(self):
        self.let(lambda records, value: records.write_value(value).missing)
        with trap_jobs() as trap:
            first, second = self.record.delayable().undecorated(1), self.record.delayable().noop()
            chain(first, second).delay()
            self.record.with_delay(priority=20).write_value(2)
            with self.assertRaises(AttributeError):
                trap.drain()
            self.assertFalse(self.record.value)
            self.assertEqual(first._generated_job.state, "failed")
            trap.drain()
            trap.assert_jobs_count(1)
        self.assertEqual(self.ledger(), ["2"])
        self.assertEqual(trap.enqueued_jobs, [second._generated_job])

    def test_nothing_to_do_keeps_its_work(self):
        def find_nothing(records, value):
            records.write({"value": value})
            raise NothingToDoJob("enough")

        self.let(find_nothing)
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(9)
            [job] = trap.drain()
        self.assertEqual((job.result, self.record.value), ("enough", 9))

    def test_jobs_run_as_their_user(self):
        record = self.record.with_user(self.user).with_context(lang="fr_FR", mine=1)
        with trap_jobs() as trap:
            record.who.delay()
            [job] = trap.drain()
        self.assertRegex(job.result, rf"^{self.user.id} su=False fr_FR ")

    def test_arguments_are_those_of_a_stored_job(self):
        values = [1]
        with trap_jobs() as trap:
            self.record.with_delay().undecorated(values)
            self.let(lambda _records, value: value.append(2) or value)
            [job] = trap.drain()
        self.assertEqual((values, job.result), ([1], [1, 2]))
        trap.assert_enqueued_job(self.record.undecorated, ([1],))

    def test_each_try_has_arguments_of_its_own(self):
        seen = []

        def change(_records, value):
            seen.append(list(value))
            value.append(2)
            raise RetryableError("again")

        self.let(change)
        with trap_jobs() as trap:
            self.record.with_delay(max_retries=2).undecorated([1])
            with self.assertRaises(FailedJobError):
                trap.drain()
        self.assertEqual(seen, [[1], [1]])

    def test_what_was_not_to_be_delayed_does_not_run_again(self):
        with trap_jobs() as trap:
            self.record.with_context(queue_job__no_delay=True).with_delay().write_value(5)
            self.assertEqual(trap.drain(), [])
            trap.assert_jobs_count(0)
        self.assertEqual(self.ledger(), ["5"])

    def test_arguments_that_no_job_can_carry(self):
        with trap_jobs() as trap:
            self.record.noop.delay(object())
            with self.assertRaisesRegex(ArgumentError, r"args\[0\]"):
                trap.drain()

    def test_nothing_to_run(self):
        with trap_jobs() as trap:
            self.assertEqual(trap.drain(), [])

    def test_list_of_before_is_kept(self):
        with trap_jobs() as trap:
            self.record.noop.delay()
            waiting = trap.enqueued_jobs
            trap.drain()
        self.assertEqual(len(waiting), 1)


class TestTrapRetryPlan(TrapCase):
    def test_plan(self):
        self.assertEqual(retry_plan({1: 10, 5: 60}, 6), [10, 10, 10, 10, 60])
        self.assertEqual(retry_plan({1: 10, 5: 60}), [10, 10, 10, 10])
        self.assertEqual(retry_plan({"2": (5, 9)}, 4), [600, (5, 9), (5, 9)])
        self.assertEqual(retry_plan(None, 2), [600])
        self.assertEqual(retry_plan({1: 10}, 1), [])
        self.assertEqual(retry_plan({1: 10}, 0, length=3), [10, 10, 10])
        with self.assertRaises(ValueError):
            retry_plan({1: 10}, 0)

    def test_of_a_method(self):
        with trap_jobs() as trap:
            trap.assert_retry_plan(self.record.write_value, [10, 10, 10, 10])
            trap.assert_retry_plan(self.model.write_value, [10, 10, 10, 10, 60], max_retries=6)
            trap.assert_retry_plan(self.record.undecorated, [600] * 4)
            trap.assert_retry_plan(import_order, [10, 10, 10, 10])
            trap.assert_retry_plan(import_order, [10] * 4 + [[60, 90]] * 2, max_retries=0)

    def test_of_what_was_delayed(self):
        with trap_jobs() as trap:
            job = self.record.write_value.delay(1, max_retries=3)
            self.record.write_value.delay(1)
            import_order.delay(self.env, 1, max_retries=2)
        trap.assert_retry_plan(job, [10, 10])
        trap.assert_retry_plan(trap.calls[0], [10, 10])
        trap.assert_retry_plan(trap.calls[1], [10] * 4)
        trap.assert_retry_plan(trap.calls[2], [10])
        trap.assert_retry_plan(trap.enqueued_jobs[2], [10])

    def test_record_wins_over_the_declaration(self):
        function = self.env["queue.job.function"]
        function.search([("name", "=", "<test.queue.job>.write_value")]).retry_pattern = {1: 3}
        with trap_jobs() as trap:
            trap.assert_retry_plan(self.record.write_value, [3] * 4)

    def test_message(self):
        message = (
            r"^write_value comes back after \[10, 10, 10, 10\] seconds \(5 tries: after the last "
            r"one it has failed\), not after \[10, 10, 10, 10, 60\]$"
        )
        with trap_jobs() as trap, self.assertRaisesRegex(AssertionError, message):
            trap.assert_retry_plan(self.record.write_value, [10, 10, 10, 10, 60])


class TestTrapStored(TrapCase):
    def test_counter(self):
        self.record.noop.delay()
        counter = self.job_counter()
        self.assertIsInstance(counter, JobCounter)
        existing = counter.count_existing()
        first, second = self.record.noop.delay(), self.record.with_delay().noop()
        self.assertEqual(counter.count_all(), existing + 2)
        self.assertEqual(counter.count_created(), 2)
        self.assertEqual(counter.search_created(), self.stored(second) + self.stored(first))
        self.assertEqual(counter.search_all() - counter.search_created(), counter.existing)

    def test_perform(self):
        counter = self.job_counter()
        chain(
            self.record.delayable(priority=20).write_value(2),
            self.record.delayable(priority=1).write_value(3),
        ).delay()
        self.record.with_delay().write_value(1)
        self.perform_jobs(counter)
        self.assertEqual(self.ledger(), ["1", "2", "3"])

    def test_perform_records(self):
        job = self.record.write_value.delay(4)
        self.perform_jobs(self.stored(job))
        self.assertEqual(self.record.value, 4)

    def test_create(self):
        self.assertEqual(self._create_job().method_name, "noop")
        job = self._create_job(self.record.write_value, args=(1,), priority=3)
        self.assertEqual((job.args, job.priority, job.state), ((1,), 3, "pending"))


class TestTrapMocked(TrapCase):
    options = dict.fromkeys(
        ("priority", "eta", "max_retries", "description", "channel", "identity_key"),
    )

    def test_with_delay(self):
        with mock_with_delay() as (delayable_cls, delayable):
            self.record.with_delay(priority=15).write_value(7, more=1)
        delayable_cls.assert_called_once_with(self.record, **{**self.options, "priority": 15})
        delayable.write_value.assert_called_once_with(7, more=1)

    def test_delay(self):
        with mock_with_delay() as (delayable_cls, delayable):
            self.record.write_value.delay(7, priority=15)
            import_order.delay(self.env, 5)
        self.assertEqual(
            delayable_cls.call_args_list,
            [
                mock.call(self.record, **{**self.options, "priority": 15}),
                mock.call(self.env["base"], **self.options),
            ],
        )
        delayable.write_value.assert_called_once_with(7)
        delayable.import_order.assert_called_once_with(5)

    def test_a_time_limit_is_shown_when_it_is_given(self):
        with mock_with_delay() as (delayable_cls, _delayable):
            self.record.with_delay(timeout=3).write_value(7)
            self.record.write_value.delay(7, timeout=3)
        limited = mock.call(self.record, **self.options, timeout=3)
        self.assertEqual(delayable_cls.call_args_list, [limited, limited])

    def test_nothing_is_mocked_afterwards(self):
        with mock_with_delay():
            pass
        self.assertIsInstance(self.record.with_delay(), DelayableRecordset)
        self.assertIsInstance(self.record.noop.delay(), Job)


class TestTrapDocTests(TrapCase):
    def load(self, text):
        module = types.ModuleType("documented", text)
        suite = unittest.TestSuite()
        return list(load_doctests(module)(unittest.defaultTestLoader, suite, None))

    def test_loaded(self):
        [case] = self.load(">>> 1 + 1\n2\n")
        self.assertIsInstance(case, OdooDocTestCase)
        self.assertEqual(case.test_sequence, 0)
        self.assertLessEqual({"standard", "at_install", "queue_job"}, case.test_tags)

    def test_run(self):
        right, wrong = self.load(">>> 1 + 1\n2\n")[0], self.load(">>> 1 + 1\n3\n")[0]
        # Odoo gives the name INFO to another level.
        with self.assertLogs(OdooDocTestCase.__module__, logging.INFO):
            right.setUp()
        right.runTest()
        with self.assertRaisesRegex(AssertionError, "Expected:\n    3"):
            wrong.runTest()


class TestTrapStaysOut(TrapCase):
    def test_nothing_that_runs_imports_the_helpers(self):
        root = Path(queue_job.__path__[0])
        for path in root.rglob("*.py"):
            if path.relative_to(root).parts[0] == "tests":
                continue
            found = {
                f"{getattr(node, 'module', '') or ''}.{alias.name}"
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, (ast.Import, ast.ImportFrom))
                for alias in node.names
            }
            self.assertFalse(
                {name for name in found if "tests" in name.split(".")},
                str(path),
            )
