"""Every name can be imported from where dependents import it."""

import importlib

from odoo.addons import queue_job

from .common import NamesCase

ADDON = "odoo.addons.queue_job"

NAMES = {
    "": ["identity_exact"],
    ".job": [
        "CANCELLED",
        "DEFAULT_MAX_RETRIES",
        "DEFAULT_PRIORITY",
        "DONE",
        "ENQUEUED",
        "FAILED",
        "JOB_REGISTRY",
        "PENDING",
        "RETRY_INTERVAL",
        "STARTED",
        "STATES",
        "WAIT_DEPENDENCIES",
        "Job",
        "JobStorage",
        "OpenERPJobStorage",
        "_is_model_method",
        "_rebind_to_cr",
        "identity_exact",
        "identity_exact_hasher",
        "job",
        "related_action",
        "whitelist_unpickle_global",
    ],
    ".delay": [
        "Delayable",
        "DelayableChain",
        "DelayableGraph",
        "DelayableGroup",
        "DelayableRecordset",
        "Graph",
        "Job",
        "chain",
        "group",
    ],
    ".exception": [
        "BaseQueueJobError",
        "ChannelNotFound",
        "ConnectorException",
        "FailedJobError",
        "IDMissingInBackend",
        "InvalidDataError",
        "JobError",
        "ManyIDSInBackend",
        "MappingError",
        "NetworkRetryableError",
        "NoConnectorUnitError",
        "NoExternalId",
        "NoSuchJobError",
        "NotReadableJobError",
        "NothingToDoJob",
        "RetryableJobError",
    ],
    ".fields": ["JobDecoder", "JobEncoder", "JobSerialized"],
    ".session": ["ConnectorSession", "ConnectorSessionHandler"],
    ".related_action": ["unwrap_binding"],
    ".utils": ["must_run_without_delay"],
    ".controllers.main": [
        "DEPENDS_MAX_TRIES_ON_CONCURRENCY_FAILURE",
        "PG_RETRY",
        "RunJobController",
    ],
    ".jobrunner": ["QueueJobRunner", "WorkerJobRunner"],
    ".jobrunner.runner": ["PG_ADVISORY_LOCK_ID", "QueueJobRunner"],
    ".tests.common": [
        "JobCall",
        "JobCounter",
        "JobMixin",
        "JobsTrap",
        "OdooDocTestCase",
        "load_doctests",
        "mock_with_delay",
        "trap_jobs",
    ],
    ".models.base": ["DelayableRecordset"],
    ".post_init_hook": ["post_init_hook"],
}

NOT_PROVIDED = {
    ".jobrunner": [
        "QueueJobRunnerThread",
        "START_DELAY",
        "_channels",
        "_is_runner_enabled",
        "_start_runner_thread",
        "channels",
        "queue_job_config",
    ],
    ".jobrunner.runner": [
        "Database",
        "ERROR_RECOVERY_DELAY",
        "MasterElectionLost",
        "SELECT_TIMEOUT",
        "_async_http_get",
        "_channels",
        "_connection_info_for",
        "_odoo_now",
    ],
    ".job": ["_unpickle"],
}


class TestImportPaths(NamesCase):
    def test_every_name_is_where_it_is_imported_from(self):
        for path, names in NAMES.items():
            module = importlib.import_module(ADDON + path)
            for name in names:
                with self.subTest(path=path, name=name):
                    self.assertTrue(hasattr(module, name))

    def test_internals_of_the_old_runner_are_not_there(self):
        for path, names in NOT_PROVIDED.items():
            module = importlib.import_module(ADDON + path)
            for name in names:
                with self.subTest(path=path, name=name):
                    self.assertFalse(hasattr(module, name))
        with self.assertRaises(ImportError):
            importlib.import_module(f"{ADDON}.jobrunner.channels")

    def test_constants_have_the_values_that_code_counts_on(self):
        jobs = queue_job.job
        self.assertEqual(jobs.DEFAULT_PRIORITY, 10)
        self.assertEqual(jobs.DEFAULT_MAX_RETRIES, 5)
        self.assertEqual(jobs.RETRY_INTERVAL, 600)
        self.assertEqual(queue_job.controllers.main.PG_RETRY, 5)
        self.assertEqual(queue_job.controllers.main.DEPENDS_MAX_TRIES_ON_CONCURRENCY_FAILURE, 5)
        self.assertEqual(queue_job.jobrunner.runner.PG_ADVISORY_LOCK_ID, 2293787760715711918)

    def test_states_are_the_community_s(self):
        jobs = queue_job.job
        names = ["WAIT_DEPENDENCIES", "PENDING", "ENQUEUED", "STARTED", "DONE", "CANCELLED"]
        names.append("FAILED")
        for name in names:
            self.assertEqual(getattr(jobs, name), name.lower())
        self.assertEqual([state for state, _label in jobs.STATES], [n.lower() for n in names])

    def test_the_names_are_one_thing_under_all_paths(self):
        self.assertIs(queue_job.identity_exact, queue_job.job.identity_exact)
        self.assertIs(queue_job.delay.Job, queue_job.job.Job)
        self.assertIs(queue_job.models.base.DelayableRecordset, queue_job.delay.DelayableRecordset)

    def test_post_init_hook_makes_the_triggers(self):
        importlib.import_module(f"{ADDON}.post_init_hook").post_init_hook(self.env)
        self.env.cr.execute("SELECT tgname FROM pg_trigger WHERE tgname = 'queue_job_notify'")
        self.assertTrue(self.env.cr.fetchall())

    def test_manifest_asks_for_what_dependents_count_on(self):
        addon = self.env["ir.module.module"].search([("name", "=", "queue_job")])
        self.assertEqual(addon.shortdesc, "Job Queue")
        self.assertLessEqual({"mail", "web"}, set(addon.dependencies_id.mapped("name")))
