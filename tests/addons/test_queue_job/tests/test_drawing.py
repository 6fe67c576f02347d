from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase

from odoo.addons.queue_job.delay import chain, group
from odoo.addons.queue_job.models import queue_job_drawing

from .security import SecurityCase


class DrawingCase(SecurityCase):
    """Graphs of jobs, and who looks at them."""

    def call(self, name="noop", record=None, **options):
        record = self.record if record is None else record
        return record.delayable(description=name, **options).noop()

    def row(self, call):
        return self.stored(call._generated_job)

    def states(self, *calls):
        self.env.invalidate_all()
        return [self.row(call).state for call in calls]


class TestDrawing(DrawingCase):
    def test_a_chain(self):
        first, second = self.call("first"), self.call("second")
        chain(first, second).delay()
        one, two = self.row(first), self.row(second)
        found = two.with_user(self.operator).graph_drawing()
        self.assertEqual((found["job"], found["count"], found["can_operate"]), (two.id, 2, True))
        boxes = [(box["ids"], box["name"], box["function"]) for box in found["boxes"]]
        function = "<test.queue.job>.noop"
        self.assertEqual(boxes, [([one.id], "first", function), ([two.id], "second", function)])
        (line,) = found["lines"]
        self.assertEqual((line["source"], line["target"]), (0, 1))
        self.assertEqual(found["states"], {"pending": [one.id], "wait_dependencies": [two.id]})
        self.assertEqual(one.with_user(self.operator).graph_states(), found["states"])

    def test_many_jobs_are_drawn_as_groups(self):
        calls = [self.call() for _number in range(250)]
        last = self.call("the last")
        chain(group(*calls), last).delay()
        found = self.row(last).graph_drawing()
        self.assertEqual([len(box["ids"]) for box in found["boxes"]], [250, 1])
        self.assertEqual(found["boxes"][1]["name"], "the last")
        self.assertEqual(len(found["states"]["pending"]), 250)

    def test_number_of_statements_does_not_grow(self):
        def cost(number):
            last = self.call()
            chain(group(*(self.call() for _number in range(number))), last).delay()
            job = self.row(last).with_user(self.operator)
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            job.graph_drawing()
            return self.env.cr.sql_log_count - before

        cost(1)
        self.assertEqual(cost(5), cost(50))

    def test_a_parent_of_another_graph_is_drawn(self):
        waiting = self.record.with_delay(identity_key="one", description="waiting").noop()
        one, child = self.call(identity_key="one"), self.call("child")
        chain(one, child, self.call("grandchild", identity_key="two")).delay()
        names = [box["name"] for box in self.row(child).graph_drawing()["boxes"]]
        self.assertEqual(names, ["waiting", "child", "grandchild"])
        self.assertIn(self.stored(waiting).id, self.row(child).graph_states()["pending"])

    def test_a_job_without_a_graph_is_drawn_alone(self):
        found = self.job.graph_drawing()
        self.assertEqual([box["ids"] for box in found["boxes"]], [self.job.ids])
        self.assertEqual(found["lines"], [])

    def test_jobs_of_other_companies_are_not_drawn(self):
        first, second, third = (self.call(name) for name in "abc")
        chain(first, second, third).delay()
        self.put(second._generated_job, company_id=self.elsewhere.id)
        job = self.row(first).with_user(self.manager)
        found = job.graph_drawing()
        self.assertEqual([box["name"] for box in found["boxes"]], ["a", "c"])
        self.assertEqual(found["lines"], [])
        shown = [number for ids in job.graph_states().values() for number in ids]
        self.assertNotIn(self.row(second).id, shown)
        with self.assertRaises(AccessError):
            self.row(second).with_user(self.manager).graph_drawing()

    def test_a_viewer_sees_their_own_jobs_and_cannot_steer(self):
        own = self.call("own", self.record.with_user(self.viewer))
        chain(own, self.call("other")).delay()
        job = self.row(own).with_user(self.viewer)
        found = job.graph_drawing()
        self.assertEqual([box["name"] for box in found["boxes"]], ["own"])
        self.assertFalse(found["can_operate"])
        for method in ("retry_branch", "cancel_rest"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(job, method)()

    def test_too_many_jobs_are_not_drawn(self):
        first = self.call()
        chain(first, self.call(), self.call()).delay()
        with patch.object(queue_job_drawing, "JOBS_LIMIT", 2):
            found = self.row(first).graph_drawing()
            self.assertEqual(self.row(first).graph_states(), {})
        self.assertTrue(found["is_too_large"])
        self.assertNotIn("boxes", found)
        with patch.object(queue_job_drawing, "EDGES_LIMIT", 1):
            self.assertTrue(self.row(first).graph_drawing()["is_too_large"])

    def test_the_smart_button_opens_the_drawing(self):
        first = self.call()
        chain(first, self.call()).delay()
        action = self.row(first).with_user(self.operator).open_graph_jobs()
        self.assertEqual((action["type"], action["tag"]), ("ir.actions.client", "queue_job_graph"))
        self.assertEqual(action["context"]["active_id"], self.row(first).id)


class TestSteeringOfGraphs(DrawingCase):
    def test_a_branch_is_retried_with_what_was_cancelled_below(self):
        first, second, third, other = (self.call(name) for name in "abcd")
        chain(first, group(chain(second, third), other)).delay()
        self.row(first).button_done()
        self.row(second).button_cancelled()
        self.row(other).button_cancelled()
        self.assertEqual(self.states(third), ["cancelled"])
        job = self.row(second).with_user(self.operator)
        self.assertEqual(job.retry_branch(), 2)
        self.assertEqual(
            self.states(first, second, third, other),
            ["done", "pending", "wait_dependencies", "cancelled"],
        )

    def test_a_failed_job_is_retried_and_what_waits_for_it_goes_on_waiting(self):
        first, second = self.call(), self.call()
        chain(first, second).delay()
        job = self.put(first._generated_job, state="failed").with_user(self.operator)
        self.assertEqual(job.retry_branch(), 1)
        self.assertEqual(self.states(first, second), ["pending", "wait_dependencies"])
        self.assertEqual(job.retry_branch(), 0, "what waits is left alone")

    def test_too_many_are_not_changed_while_the_user_waits(self):
        calls = [self.call() for _number in range(3)]
        chain(*calls).delay()
        job = self.row(calls[0])
        with patch.object(queue_job_drawing, "STEERED_LIMIT", 2):
            with self.assertRaisesRegex(UserError, "more than 2 jobs"):
                job.cancel_rest()
            job.button_cancelled()
            with self.assertRaisesRegex(UserError, "more than 2 jobs"):
                job.retry_branch()
        self.assertEqual(set(self.states(*calls)), {"cancelled"})

    def test_a_branch_of_another_company_is_left_alone(self):
        first, second = self.call(), self.call()
        chain(first, second).delay()
        self.row(first).button_cancelled()
        self.put(second._generated_job, company_id=self.elsewhere.id)
        self.assertEqual(self.row(first).with_user(self.operator).retry_branch(), 1)
        self.assertEqual(self.states(first, second), ["pending", "cancelled"])

    def test_the_rest_is_cancelled_and_what_runs_or_ended_is_not(self):
        calls = [self.call() for _number in range(5)]
        group(*calls[:4]).on_done(calls[4]).delay()
        for call, state in zip(calls, ("done", "failed", "started", "enqueued"), strict=False):
            self.put(call._generated_job, state=state)
        job = self.row(calls[0]).with_user(self.operator)
        self.assertEqual(job.cancel_rest(), 2)
        self.assertEqual(
            self.states(*calls), ["done", "failed", "started", "cancelled", "cancelled"]
        )


class TestGraphScreen(HttpCase, DrawingCase):
    def make_graph(self, record=None):
        """Return the first of a graph in which one job failed and one was cancelled."""
        names = ("Read the file", "Check it", "Write orders", "Write customers", "Report")
        calls = [self.call(name, record) for name in names]
        read, check, orders, customers, report = calls
        chain(read, check, group(orders, customers), report).delay()
        self.row(customers).button_cancelled()
        for call, state in ((read, "done"), (check, "failed")):
            self.put(call._generated_job, state=state)
        return [self.row(call) for call in calls]

    def open(self, job, tour, login):
        self.start_tour(f"/odoo/queue-jobs/{job.id}", tour, login=login)

    def test_tour_of_an_operator(self):
        jobs = self.make_graph()
        self.open(jobs[0], "queue_job_graph_operator", "queue-operator")
        self.env.invalidate_all()
        states = [job.state for job in jobs]
        self.assertEqual(states[:2], ["done", "cancelled"])
        self.assertEqual(set(states[2:]), {"cancelled"})

    def test_tour_of_a_viewer(self):
        jobs = self.make_graph(self.record.with_user(self.viewer))
        self.open(jobs[0], "queue_job_graph_viewer", "queue-viewer")
