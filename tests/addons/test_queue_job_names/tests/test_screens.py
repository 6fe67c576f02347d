"""Views, actions, menus and groups, by their XML ids."""

from .common import NamesCase

XML_IDS = {
    "mail.message.subtype": ["mt_job_failed"],
    "queue.job.channel": ["channel_root"],
    "res.groups": ["group_queue_job_manager"],
    "res.groups.privilege": ["privilege_queue_job"],
    "ir.module.category": ["module_category_queue_job"],
    "ir.rule": ["queue_job_comp_rule"],
    "ir.actions.act_window": [
        "action_queue_job",
        "action_queue_job_channel",
        "action_queue_job_function",
        "action_requeue_job",
        "action_set_jobs_cancelled",
        "action_set_jobs_done",
    ],
    "ir.ui.view": [
        "view_queue_job_channel_form",
        "view_queue_job_channel_search",
        "view_queue_job_channel_tree",
        "view_queue_job_form",
        "view_queue_job_function_form",
        "view_queue_job_function_search",
        "view_queue_job_function_tree",
        "view_queue_job_graph",
        "view_queue_job_pivot",
        "view_queue_job_search",
        "view_queue_job_tree",
        "view_requeue_job",
        "view_set_jobs_cancelled",
        "view_set_jobs_done",
    ],
    "ir.ui.menu": [
        "menu_queue",
        "menu_queue_job",
        "menu_queue_job_channel",
        "menu_queue_job_function",
        "menu_queue_job_root",
    ],
}

FORM_FIELDS = [
    "channel",
    "company_id",
    "date_created",
    "date_done",
    "date_enqueued",
    "date_started",
    "eta",
    "exc_info",
    "exc_message",
    "exc_name",
    "exec_time",
    "func_string",
    "graph_uuid",
    "identity_key",
    "job_function_id",
    "max_retries",
    "method_name",
    "model_name",
    "name",
    "priority",
    "result",
    "retry",
    "state",
    "user_id",
    "uuid",
    "worker_pid",
]
LIST_FIELDS = [
    "channel",
    "company_id",
    "date_created",
    "date_done",
    "eta",
    "exc_message",
    "exc_name",
    "exec_time",
    "model_name",
    "name",
    "state",
    "uuid",
]
SEARCH_FIELDS = [
    "channel",
    "company_id",
    "exc_info",
    "exc_message",
    "exc_name",
    "func_string",
    "job_function_id",
    "model_name",
    "name",
    "result",
    "uuid",
]
FILTERS = [
    "wait_dependencies",
    "pending",
    "enqueued",
    "started",
    "done",
    "cancelled",
    "failed",
    "retried",
    "last_24_hours",
    "last_7_days",
    "last_30_days",
    "group_by_channel",
    "group_by_job_function_id",
    "group_by_state",
    "group_by_priority",
    "group_by_model_name",
    "group_by_exc_name",
    "group_by_exc_message",
    "group_by_graph",
    "group_by_date_created",
]
FUNCTION_FIELDS = [
    "allow_commit",
    "channel",
    "channel_id",
    "edit_related_action",
    "edit_retry_pattern",
    "method",
    "model_id",
    "name",
    "on_fail_method",
]
CHANNEL_FIELDS = [
    "complete_name",
    "job_function_ids",
    "name",
    "parent_id",
    "removal_interval",
]


class TestScreens(NamesCase):
    def arch(self, name):
        return self.env.ref(f"queue_job.{name}")._get_combined_arch()

    def test_every_xml_id_is_there(self):
        for model, names in XML_IDS.items():
            for name in names:
                with self.subTest(name=name):
                    self.assertEqual(self.env.ref(f"queue_job.{name}")._name, model)

    def test_inherited_views_find_their_anchors(self):
        for view, tag, names in (
            ("view_queue_job_form", "field", FORM_FIELDS),
            ("view_queue_job_tree", "field", LIST_FIELDS),
            ("view_queue_job_search", "field", SEARCH_FIELDS),
            ("view_queue_job_search", "filter", FILTERS),
            ("view_queue_job_function_form", "field", FUNCTION_FIELDS),
            ("view_queue_job_channel_form", "field", CHANNEL_FIELDS),
            ("view_queue_job_form", "button", ["requeue", "button_done", "button_cancelled"]),
            ("view_queue_job_form", "button", ["open_related_action", "open_graph_jobs"]),
        ):
            arch = self.arch(view)
            for name in names:
                with self.subTest(view=view, name=name):
                    self.assertTrue(arch.xpath(f"//{tag}[@name='{name}']"))
        self.assertTrue(self.arch("view_queue_job_form").xpath("//page[@name='dependencies']"))
        self.assertTrue(self.arch("view_queue_job_form").xpath("//header"))
        self.assertTrue(self.arch("view_queue_job_form").xpath("//notebook"))

    def test_inherited_views_open(self):
        views = self.env["ir.ui.view"].search([("name", "like", "queue.job.%.names")])
        self.assertEqual(len(views), 5)
        for view in views:
            with self.subTest(view=view.name):
                self.env[view.model].with_user(self.manager).get_view(view.inherit_id.id, view.type)
        arch = self.env["queue.job"].get_view(self.env.ref("queue_job.view_queue_job_form").id)
        self.assertIn("names_info", arch["arch"])

    def test_wizards_are_bound_to_the_list_of_jobs(self):
        bindings = self.env["ir.actions.actions"].with_user(self.manager).get_bindings("queue.job")
        names = {action["name"] for action in bindings["action"]}
        self.assertLessEqual({"Requeue Jobs", "Set jobs to done", "Cancel jobs"}, names)

    def test_menus_are_the_manager_s(self):
        root = self.env.ref("queue_job.menu_queue_job_root")
        self.assertEqual(root.name, "Job Queue")
        menus = self.env["ir.ui.menu"]
        ours = self.env.ref("test_queue_job_names.menu_names_jobs")
        for menu in (root, ours):
            self.assertIn(menu.id, menus.with_user(self.manager)._visible_menu_ids())
            self.assertNotIn(menu.id, menus.with_user(self.clerk)._visible_menu_ids())

    def test_root_and_admin_are_managers(self):
        group = self.env.ref("queue_job.group_queue_job_manager")
        users = group.with_context(active_test=False).user_ids
        self.assertIn(self.env.ref("base.user_admin"), users)
        self.assertIn(self.env.ref("base.user_root"), users)

    def test_the_only_cron_looks_after_failures(self):
        data = self.env["ir.model.data"].search([("module", "=", "queue_job")])
        crons = data.filtered(lambda one: one.model == "ir.cron")
        self.assertEqual(crons.mapped("name"), ["ir_cron_failures"])

    def test_jobs_of_other_companies_are_hidden(self):
        company = self.env["res.company"].create({"name": "Other"})
        job = self.record.with_company(company).with_delay().do()
        jobs = self.env["queue.job"].with_user(self.manager)
        self.assertFalse(jobs.search([("uuid", "=", job.uuid)]))
        self.put(job, company_id=None)
        self.assertTrue(jobs.search([("uuid", "=", job.uuid)]))
