"""The graph of calls."""

import datetime as dt

from freezegun import freeze_time

from odoo.addons.queue_job.delay import (
    Delayable,
    DelayableChain,
    DelayableGraph,
    DelayableGroup,
    DelayableRecordset,
    Graph,
    chain,
    group,
)
from odoo.addons.queue_job.job import Job

from .common import NamesCase

PEERS_OPTIONS = ("priority", "eta", "max_retries", "description", "channel", "identity_key")
NOON = dt.datetime(2030, 1, 1, 12)


class TestNodes(NamesCase):
    def call(self, name="do"):
        return self.record.delayable(description=name).do()

    def row(self, call):
        return self.stored(call._generated_job)

    def test_group_and_chain_make_nodes_of_nodes(self):
        first, second, third = self.call("1"), self.call("2"), self.call("3")
        together = group(first, second)
        whole = chain(together, third)
        self.assertIsInstance(together, DelayableGroup)
        self.assertIsInstance(whole, DelayableChain)
        self.assertEqual(together._delayables, [first, second])
        self.assertEqual((whole._head(), whole._tail()), ([first, second], [third]))
        self.assertIsNone(whole.delay())
        self.assertEqual(self.row(third).dependency_ids, self.row(first) + self.row(second))

    def test_on_done_returns_the_node(self):
        first, second = self.call(), group(self.call(), self.call())
        self.assertIs(first.on_done(second), first)
        first.delay()
        self.assertEqual(len(self.row(first).dependent_ids), 2)

    def test_never_delayed_is_warned_of(self):
        with self.assertLogs("odoo.addons.queue_job.delay", "WARNING") as logs:
            self.call()
        self.assertIn("was prepared but never delayed", logs.output[0])

    def test_options_are_set_later(self):
        call = self.record.delayable()
        self.assertEqual(
            call._properties,
            (*PEERS_OPTIONS, "timeout", "on_parent_stop"),
        )
        self.assertIs(call.set({"priority": 1}), call)
        call.set(channel="root.names", max_retries=0).do().delay()
        record = self.row(call)
        self.assertEqual((record.priority, record.channel), (1, "root.names"))
        self.assertEqual(record.max_retries, 0)
        with self.assertRaisesRegex(ValueError, "No property colour"):
            call.set(colour="red")

    def test_delayable_by_hand(self):
        call = Delayable(self.record, 3, None, 2, "Told so", "root.names", "one")
        self.assertIs(call.do(1, two=2), call)
        self.assertEqual(call.recordset, self.record)
        self.assertEqual((call._job_args, call._job_kwargs), ((1,), {"two": 2}))
        self.assertEqual(call._job_method.__name__, "do")
        self.assertEqual(call._graph.vertices(), {call})
        call.delay()
        self.assertIsInstance(call._generated_job, Job)
        self.assertEqual(self.row(call).name, "Told so")

    def test_recordset_by_hand(self):
        delayed = DelayableRecordset(self.record, 3, None, 2, "Told so")
        self.assertEqual(delayed.recordset, self.record)
        self.assertIsInstance(delayed.delayable, Delayable)
        self.assertEqual(self.stored(delayed.do()).name, "Told so")

    def test_split(self):
        records = self.record.browse(
            self.env["test.queue.job.names"].create([{"name": str(n)} for n in range(3)]).ids
        )
        node = records.delayable(description="part").do().split(2)
        self.assertIsInstance(node, DelayableGroup)
        self.assertEqual(
            [call.description for call in node._delayables],
            ["part (split 1/2)", "part (split 2/2)"],
        )
        node.delay()
        node = records.delayable().do().split(2, chain=True)
        self.assertIsInstance(node, DelayableChain)
        node.delay()
        with self.assertRaises(ValueError):
            records.delayable().split(2)

    def test_eta_forms(self):
        with freeze_time(NOON):
            for eta, expected in (
                (90, NOON + dt.timedelta(seconds=90)),
                (1.5, NOON + dt.timedelta(seconds=1.5)),
                (dt.timedelta(hours=1), NOON + dt.timedelta(hours=1)),
                (NOON, NOON),
                (0, None),
                (None, None),
            ):
                self.assertEqual(self.record.with_delay(eta=eta).do().eta, expected)


class TestGraphs(NamesCase):
    def test_graph(self):
        graph = Graph({1: {2}, 2: {3}})
        graph.add_vertex(4)
        graph.add_edge(2, 4)
        self.assertEqual(graph.vertices(), {1, 2, 3, 4})
        self.assertEqual(sorted(graph.edges()), [(1, 2), (2, 3), (2, 4)])
        self.assertEqual(sorted(graph.paths(1)), [[1, 2, 3], [1, 2, 4]])
        self.assertEqual(list(graph.topological_sort())[:2], [1, 2])
        self.assertEqual(graph.root_vertices(), {1})

    def test_delayable_graph(self):
        first, second = self.record.delayable().do(), self.record.delayable().do()
        graph = DelayableGraph()
        graph.add_edge(first, second)
        graph.delay()
        self.assertEqual(self.stored(second._generated_job).state, "wait_dependencies")

    def test_the_whole_graph_runs_at_once_where_one_must(self):
        free, bound = self.record, self.record.with_context(queue_job__no_delay=True)
        first, second = free.delayable().do(), bound.delayable().do()
        graph = chain(first, second)._graph
        self.assertTrue(graph._has_to_execute_directly(graph.vertices()))
        graph.delay()
        self.assertEqual(self.record.value, 2)
        self.assertEqual({first._generated_job.state, second._generated_job.state}, {"pending"})

    def test_one_graph_uuid(self):
        ensure = DelayableGraph._ensure_same_graph_uuid
        jobs = [Job(self.record.do) for _number in range(3)]
        with self.assertRaises(ValueError):
            ensure([])
        self.assertIsNone(ensure(jobs[:1]))
        uuid = ensure(jobs)
        self.assertEqual({job.graph_uuid for job in jobs}, {uuid})
        with self.assertRaises(ValueError):
            ensure(jobs[:1])
        jobs[0].graph_uuid = "other"
        with self.assertRaises(ValueError):
            ensure(jobs)

    def test_when_every_identity_waits_no_graph_is_made(self):
        waiting = [self.record.with_delay(identity_key=key).do() for key in "ab"]
        calls = [self.record.delayable(identity_key=key).do() for key in "ab"]
        before = self.env["queue.job"].search_count([])
        chain(*calls).delay()
        self.assertEqual(self.env["queue.job"].search_count([]), before)
        self.assertEqual([call._generated_job for call in calls], waiting)
