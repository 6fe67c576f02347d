"""Fields and methods of the models."""

from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.queue_job.job import STATES

from .common import NamesCase

JOB_FIELDS = {
    "uuid": "char",
    "graph_uuid": "char",
    "user_id": "many2one",
    "company_id": "many2one",
    "name": "char",
    "model_name": "char",
    "method_name": "char",
    "func_string": "char",
    "channel_method_name": "char",
    "records": "job_serialized",
    "args": "job_serialized",
    "kwargs": "job_serialized",
    "dependency_ids": "many2many",
    "dependent_ids": "many2many",
    "graph_jobs_count": "integer",
    "state": "selection",
    "priority": "integer",
    "exc_name": "char",
    "exc_message": "char",
    "exc_info": "text",
    "result": "text",
    "date_created": "datetime",
    "date_started": "datetime",
    "date_enqueued": "datetime",
    "date_done": "datetime",
    "date_cancelled": "datetime",
    "eta": "datetime",
    "exec_time": "float",
    "retry": "integer",
    "max_retries": "integer",
    "worker_pid": "integer",
    "job_function_id": "many2one",
    "channel": "char",
    "identity_key": "char",
}


class TestQueueJob(NamesCase):
    def test_fields(self):
        model = self.env["queue.job"]
        for name, kind in JOB_FIELDS.items():
            with self.subTest(name=name):
                self.assertEqual(model._fields[name].type, kind)
        self.assertLessEqual({"dependencies", "dependency_graph"}, set(model._fields))
        self.assertEqual(model._fields["state"].selection, STATES)
        self.assertTrue(model._fields["exc_message"].tracking)

    def test_attributes(self):
        model = self.env["queue.job"]
        self.assertFalse(model._log_access)
        self.assertEqual(model._removal_interval, 30)
        self.assertEqual(model._default_related_action, "related_action_open_record")
        self.assertIsNotNone(model.EDIT_SENTINEL)
        self.assertLessEqual({"message_ids", "activity_ids"}, set(model._fields))

    def test_protected_fields(self):
        record = self.stored(self.record.with_delay().do())
        self.assertLessEqual(
            {"uuid", "name", "date_created", "model_name", "method_name", "func_string"},
            set(record._protected_fields),
        )
        for name in record._protected_fields:
            with self.subTest(name=name), self.assertRaisesRegex(AccessError, name):
                record.write({name: False})
        record.with_context(_job_edit_sentinel=record.EDIT_SENTINEL).write({"name": "edited"})
        self.assertEqual(record.name, "edited")

    def test_the_user_of_a_stored_job_stays(self):
        record = self.stored(self.record.with_delay().do())
        with self.assertRaises(AccessError):
            record.with_user(self.manager).write({"user_id": self.clerk.id})

    def test_change_job_state(self):
        record = self.stored(self.record.with_delay().do())
        record._change_job_state("done", result="by hand")
        self.assertEqual((record.state, record.result), ("done", "by hand"))
        record._change_job_state("pending")
        self.assertEqual(record.state, "pending")
        record._change_job_state("cancelled")
        self.assertEqual(record.state, "cancelled")
        self.assertIn(self.env.user.name, record.result)
        for state in ("failed", "started", "nonsense"):
            with self.assertRaises(ValueError):
                record._change_job_state(state)

    def test_buttons(self):
        record = self.put(self.record.with_delay().do(), state="failed")
        record.requeue()
        self.assertEqual(record.state, "pending")
        record.button_done()
        self.assertEqual(record.state, "done")
        record.requeue()
        record.button_cancelled()
        self.assertEqual(record.state, "cancelled")

    def test_dependencies(self):
        first, second = self.record.delayable().do(), self.record.delayable().do()
        first.on_done(second).delay()
        parent, child = (self.stored(call._generated_job) for call in (first, second))
        self.assertEqual(
            child.dependencies, {"depends_on": [parent.uuid], "reverse_depends_on": []}
        )
        self.assertEqual(parent.graph_jobs_count, 2)
        graph = child.dependency_graph
        self.assertEqual(graph["edges"], [[parent.id, child.id]])
        self.assertLessEqual({"id", "title", "color", "border", "shadow"}, set(graph["nodes"][0]))
        self.assertEqual(child._dependency_graph_vis_node()["id"], child.id)
        jobs = self.env["queue.job"]
        self.assertEqual(jobs.search([("dependency_ids", "in", parent.ids)]), child)
        domain = [("dependency_ids", "any", [("state", "=", "pending")])]
        self.assertIn(child, jobs.search(domain))
        self.assertNotIn(child, jobs.search(["!", *domain]))
        self.assertIn(parent.id, jobs.search(child.open_graph_jobs()["domain"]).ids)

    def test_messages(self):
        record = self.stored(self.record.with_user(self.clerk).with_delay().do())
        users = self.env["res.users"].search(record._subscribe_users_domain())
        self.assertIn(self.clerk, users)
        self.assertIn(self.manager, users)
        self.assertIs(record._subscribe_job_creator(), True)
        self.assertIn(record.uuid, record._message_failed_job())
        self.assertEqual(record._needaction_domain_get(), [("state", "=", "failed")])
        record._message_post_on_failure()
        message = record.message_ids[:1]
        self.assertEqual(message.subtype_id, self.env.ref("queue_job.mt_job_failed"))
        self.assertIn(self.clerk.partner_id, record.message_partner_ids)

    def test_old_jobs_go(self):
        job = self.record.with_delay(channel="root.names").do()
        self.put(job, state="done", date_done="2001-01-01")
        kept = self.put(self.record.with_delay().do(), state="failed")
        answer = self.env["queue.job"]._gc_old_jobs()
        self.env.invalidate_all()
        self.assertGreaterEqual(answer[0], 1)
        self.assertFalse(self.stored(job))
        self.assertTrue(kept.exists())

    def test_a_manager_reads_and_writes_only(self):
        jobs = self.env["queue.job"].with_user(self.manager)
        access = [jobs.has_access(name) for name in ("read", "write", "create", "unlink")]
        self.assertEqual(access, [True, True, False, False])
        self.assertFalse(self.env["queue.job"].with_user(self.clerk).has_access("read"))

    def test_there_are_no_lock_records(self):
        self.assertNotIn("queue.job.lock", self.env)
        self.assertNotIn("queue.worker", self.env)


class TestChannel(NamesCase):
    def test_fields(self):
        channel = self.channel("new")
        self.assertEqual(channel.complete_name, "root.new")
        self.assertEqual(channel.display_name, "root.new")
        self.assertEqual(channel.removal_interval, 30)
        self.assertEqual(channel.parent_id, self.env.ref("queue_job.channel_root"))
        self.assertFalse(channel.job_function_ids)

    def test_root_is_protected(self):
        root = self.env.ref("queue_job.channel_root")
        with self.assertRaisesRegex(UserError, "Cannot change the root channel"):
            root.name = "other"
        with self.assertRaises(UserError):
            root.unlink()
        with self.assertRaises(ValidationError):
            self.env["queue.job.channel"].create({"name": "orphan"})

    def test_install_mode_merges(self):
        channel = self.channel("new")
        again = self.channel_model().create(
            {"name": "new", "parent_id": channel.parent_id.id, "removal_interval": 5}
        )
        self.assertEqual((again, again.removal_interval), (channel, 5))

    def channel_model(self):
        return self.env["queue.job.channel"].with_context(install_mode=True)


class TestFunction(NamesCase):
    def create(self, **values):
        return self.env["queue.job.function"].create(values)

    def test_fields(self):
        model = self.env["ir.model"]._get("res.partner")
        function = self.create(
            model_id=model.id,
            method="write",
            channel_id=self.channel("new").id,
            retry_pattern={1: 5},
            related_action={"enable": False},
            allow_commit=True,
            on_fail_method="message_post",
        )
        self.assertEqual(function.name, "<res.partner>.write")
        self.assertEqual(function.channel, "root.new")
        self.assertIn(
            function, self.env["queue.job.function"].search([("channel", "=", "root.new")])
        )
        self.assertEqual(function.edit_retry_pattern, "{1: 5.0}")
        self.assertEqual(function.edit_related_action, "{'enable': False}")

    def test_name_gives_model_and_method(self):
        function = self.create(name="<res.partner>.write")
        self.assertEqual((function.model_id.model, function.method), ("res.partner", "write"))
        for name in ("res.partner.write", "<no.such.model>.write", "<res.partner>.write;"):
            with self.subTest(name=name), self.assertRaises(ValidationError):
                self.create(name=name)

    def test_job_config(self):
        model = self.env["queue.job.function"]
        config = model.job_config("<test.queue.job.names>.do")
        self.assertEqual(
            config._fields[:8],
            (
                "channel",
                "retry_pattern",
                "related_action_enable",
                "related_action_func_name",
                "related_action_kwargs",
                "job_function_id",
                "allow_commit",
                "on_fail_method_name",
            ),
        )
        self.assertEqual(config.channel, "root.names")
        self.assertEqual(config.related_action_func_name, "related_action_names")
        self.assertEqual(config.related_action_kwargs, {"name": "Opened"})
        self.assertEqual(
            config.job_function_id, self.env.ref("test_queue_job_names.job_function_do").id
        )
        self.assertIsInstance(config, model.JobConfig)
        self.assertEqual(model.job_function_name("res.partner", "write"), "<res.partner>.write")

    def test_default_config(self):
        model = self.env["queue.job.function"]
        self.assertEqual(
            model.job_default_config()[:8], ("root", {}, True, None, {}, None, False, None)
        )
        self.assertEqual(model.job_config("<res.partner>.unheard_of"), model.job_default_config())

    def test_a_change_is_seen_at_once(self):
        model = self.env["queue.job.function"]
        function = self.create(name="<res.partner>.write")
        self.assertEqual(model.job_config(function.name).retry_pattern, {})
        function.edit_retry_pattern = "{2: (3, 4)}"
        self.assertEqual(model.job_config(function.name).retry_pattern, {2: (3.0, 4.0)})
        function.unlink()
        self.assertIsNone(model.job_config("<res.partner>.write").job_function_id)

    def test_typed_values_are_literals_of_the_right_kind(self):
        function = self.create(name="<res.partner>.write")
        for name, text in (
            ("edit_retry_pattern", "{'a': 1}"),
            ("edit_retry_pattern", "{1: (1, 2, 3)}"),
            ("edit_retry_pattern", "__import__('os')"),
            ("edit_related_action", "{'unknown': 1}"),
            ("edit_related_action", "[1]"),
        ):
            with self.subTest(text=text), self.assertRaises(ValidationError):
                function.write({name: text})


class TestWizards(NamesCase):
    def test_each_acts_on_the_selection(self):
        jobs = self.put(self.record.with_delay().do(), state="failed")
        jobs += self.put(self.record.with_delay().do(), state="failed")
        for model, method, state in (
            ("queue.requeue.job", "requeue", "pending"),
            ("queue.jobs.to.done", "set_done", "done"),
            ("queue.requeue.job", "requeue", "pending"),
            ("queue.jobs.to.cancelled", "set_cancelled", "cancelled"),
        ):
            selection = {"active_model": "queue.job", "active_ids": jobs.ids}
            wizard = self.env[model].with_user(self.manager).with_context(**selection).create({})
            self.assertEqual(wizard.job_ids, jobs)
            getattr(wizard, method)()
            self.assertEqual(set(jobs.mapped("state")), {state})
