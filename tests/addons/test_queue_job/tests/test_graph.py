from odoo.tests import new_test_user

from odoo.addons.queue_job.core.graph import CycleError
from odoo.addons.queue_job.delay import DelayableGraph, chain, group
from odoo.addons.queue_job.job import Job

from .common import JobCase


class TestGraph(JobCase):
    def call(self, name="noop", **options):
        return self.record.delayable(description=name, **options).noop()

    def row(self, call):
        return self.stored(call._generated_job)

    def state(self, *calls):
        self.env.invalidate_all()
        return [self.row(call).state for call in calls]

    def test_chain(self):
        first, second, third = (self.call(str(number)) for number in range(3))
        chain(first, second, third).delay()
        self.assertEqual(
            self.state(first, second, third),
            ["pending", "wait_dependencies", "wait_dependencies"],
        )
        self.assertEqual(self.row(third).dependency_ids, self.row(second))
        self.assertEqual(self.row(first).dependent_ids, self.row(second))
        graphs = {self.row(call).graph_uuid for call in (first, second, third)}
        self.assertEqual(len(graphs), 1)
        self.assertTrue(graphs.pop())

    def test_nested_groups_and_chains(self):
        a, b, c, d, e = (self.call(name) for name in "abcde")
        chain(a, group(chain(b, c), d), e).delay()
        self.assertEqual(self.row(b).dependency_ids, self.row(a))
        self.assertEqual(self.row(d).dependency_ids, self.row(a))
        self.assertEqual(self.row(e).dependency_ids, self.row(c) + self.row(d))
        self.assertEqual(self.row(e).graph_jobs_count, 5)

    def test_on_done(self):
        first, second, third = (self.call() for _number in range(3))
        self.assertIs(first.on_done(second, third), first)
        first.delay()
        self.assertEqual(self.row(first).dependent_ids, self.row(second) + self.row(third))

    def test_group_alone_has_no_dependencies(self):
        first, second = self.call(), self.call()
        group(first, second).delay()
        self.assertEqual(self.state(first, second), ["pending", "pending"])

    def test_cycles_are_refused_and_named(self):
        first, second = self.call("one"), self.call("two")
        first.on_done(second)
        second.on_done(first)
        with self.assertRaisesRegex(CycleError, "->"):
            first.delay()

    def test_number_of_statements_does_not_grow(self):
        def cost(number):
            calls = [self.call() for _number in range(number)]
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            chain(group(*calls), self.call()).delay()
            return self.env.cr.sql_log_count - before

        cost(1)
        self.assertEqual(cost(10), cost(100))
        self.assertLessEqual(cost(10), 2)

    def test_set_done_releases_when_all_parents_are_done(self):
        first, second, child = self.call(), self.call(), self.call()
        group(first, second).on_done(child).delay()
        self.row(first).button_done()
        self.assertEqual(self.state(child), ["wait_dependencies"])
        self.row(second).button_done()
        self.assertEqual(self.state(child), ["pending"])

    def test_cancelling_cascades(self):
        first, second, third = (self.call() for _number in range(3))
        chain(first, second, third).delay()
        self.row(first).with_user(self.manager).button_cancelled()
        self.assertEqual(self.state(first, second, third), ["cancelled"] * 3)

    def test_failed_parent_holds_and_the_child_says_so(self):
        first, second = self.call("the parent"), self.call()
        chain(first, second).delay()
        self.put(first._generated_job, state="failed")
        self.assertEqual(self.state(second), ["wait_dependencies"])
        self.assertIn("the parent, which is failed", self.row(second).wait_reason)

    def test_requeue_in_the_middle(self):
        first, second, third = (self.call() for _number in range(3))
        chain(first, second, third).delay()
        self.row(first).button_cancelled()
        self.row(second).requeue()
        self.assertEqual(
            self.state(first, second, third), ["cancelled", "wait_dependencies", "cancelled"]
        )
        self.row(first).requeue()
        self.assertEqual(self.state(first, second), ["pending", "wait_dependencies"])
        self.row(first).button_done()
        self.assertEqual(self.state(second), ["pending"])
        self.row(third).requeue()
        self.assertEqual(self.state(third), ["wait_dependencies"])

    def test_requeue_of_a_done_parent_holds_its_child_again(self):
        first, other, child = self.call(), self.call(), self.call()
        group(first, other).on_done(child).delay()
        self.row(first).button_done()
        self.row(first).requeue()
        self.row(other).button_done()
        self.assertEqual(self.state(child), ["wait_dependencies"])
        self.row(first).button_done()
        self.assertEqual(self.state(child), ["pending"])

    def test_split(self):
        records = self.env["test.queue.job"].create([{"name": str(n)} for n in range(5)])
        node = records.delayable(priority=3, description="part").write_value(1).split(2)
        node.delay()
        jobs = [call._generated_job for call in node._delayables]
        self.assertEqual([len(job.recordset) for job in jobs], [2, 2, 1])
        self.assertEqual(jobs[0].description, "part (split 1/3)")
        self.assertEqual({job.priority for job in jobs}, {3})
        node = records.delayable().write_value(1).split(3, chain=True)
        node.delay()
        self.assertEqual(self.state(*node._delayables), ["pending", "wait_dependencies"])
        with self.assertRaises(ValueError):
            records.delayable().split(2)

    def test_set(self):
        call = self.call().set(priority=1).set({"channel": "csv"})
        call.delay()
        self.assertEqual((self.row(call).priority, self.row(call).channel), (1, "root.csv"))
        with self.assertRaisesRegex(ValueError, "No property colour"):
            call.set(colour=1)

    def test_prepared_and_never_delayed_is_warned_of(self):
        with self.assertLogs("odoo.addons.queue_job.delay", "WARNING") as logs:
            self.record.delayable().noop()
        self.assertIn("never delayed", logs.output[0])

    def test_identity_swaps_every_vertex(self):
        first = self.record.with_delay(identity_key="one").noop()
        second = self.record.with_delay(identity_key="two").noop()
        one, two = self.call(identity_key="one"), self.call(identity_key="two")
        chain(one, two).delay()
        self.assertEqual((one._generated_job, two._generated_job), (first, second))
        self.assertIsInstance(one._generated_job, Job)

    def test_identity_of_a_parent_is_waited_for(self):
        waiting = self.record.with_delay(identity_key="one").noop()
        one, new = self.call(identity_key="one"), self.call()
        chain(one, new, self.call(identity_key="two")).delay()
        self.assertEqual(self.row(new).dependency_ids, self.stored(waiting))

    def test_duplicate_job_answers_to_attributes_of_a_record(self):
        job = self.record.with_delay(identity_key="one").noop()
        again = self.record.with_delay(identity_key="one").noop()
        record = self.stored(job)
        self.assertEqual((again.uuid, again.id, again.name), (record.uuid, record.id, record.name))
        self.assertEqual((again.state, again.channel), (record.state, record.channel))

    def test_no_delay_runs_the_whole_graph_in_order(self):
        record = self.record.with_context(queue_job__no_delay=True)
        first = record.delayable().write_value(1)
        second = self.record.delayable().write_value(2)
        chain(first, second).delay()
        self.assertEqual(self.record.value, 2)
        self.assertFalse(first._generated_job.db_record())

    def test_graph_of_calls(self):
        first, second = self.call(), self.call()
        graph = DelayableGraph({first: [second]})
        self.assertEqual(graph.vertices(), {first, second})
        self.assertEqual(graph.edges(), [(first, second)])
        self.assertEqual(graph.root_vertices(), {first})
        graph.delay()
        self.assertEqual(self.state(second), ["wait_dependencies"])

    def test_everything_that_hangs_below_the_failed_one_is_seen_by_a_user(self):
        user = new_test_user(self.env, "graph", "base.group_user")
        record = self.record.with_user(user)
        chain(record.delayable().noop(), record.delayable().noop()).delay()
