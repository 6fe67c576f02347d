"""The tree of exceptions, and what each does to a job."""

import datetime as dt

from odoo.addons.queue_job import exception as e
from odoo.addons.queue_job.job import Job

from .common import NamesCase


class TestExceptions(NamesCase):
    def test_tree_of_connector(self):
        self.assertTrue(issubclass(e.ConnectorException, RuntimeError))
        for kind in (
            e.NoConnectorUnitError,
            e.InvalidDataError,
            e.MappingError,
            e.JobError,
            e.ChannelNotFound,
        ):
            self.assertTrue(issubclass(kind, e.ConnectorException), kind)
        for kind in (
            e.NoSuchJobError,
            e.NotReadableJobError,
            e.FailedJobError,
            e.RetryableJobError,
            e.NothingToDoJob,
            e.IDMissingInBackend,
            e.ManyIDSInBackend,
        ):
            self.assertTrue(issubclass(kind, e.JobError), kind)
        for kind in (e.NetworkRetryableError, e.NoExternalId):
            self.assertTrue(issubclass(kind, e.RetryableJobError), kind)

    def test_tree_of_the_community(self):
        self.assertTrue(issubclass(e.BaseQueueJobError, Exception))
        for kind in (e.JobError, e.ChannelNotFound):
            self.assertTrue(issubclass(kind, e.BaseQueueJobError), kind)
        for kind in (e.NoSuchJobError, e.FailedJobError, e.RetryableJobError):
            self.assertTrue(issubclass(kind, e.JobError), kind)
        self.assertFalse(issubclass(e.FailedJobError, e.RetryableJobError))

    def test_retryable_takes_seconds_and_ignore_retry(self):
        error = e.RetryableJobError("away", seconds=7, ignore_retry=True)
        self.assertEqual((str(error), error.seconds, error.ignore_retry), ("away", 7, True))
        error = e.NetworkRetryableError("away")
        self.assertEqual((error.seconds, error.ignore_retry), (None, False))
        self.assertEqual(e.RetryableJobError("away", dt.timedelta(minutes=1)).seconds, 60)

    def test_the_last_try_fails(self):
        job = Job(self.record.come_back, max_retries=2)
        with self.assertRaises(e.RetryableJobError):
            job.perform()
        with self.assertRaisesRegex(e.FailedJobError, r"Max. retries \(2\) reached: not yet"):
            job.perform()
        self.assertEqual(job.retry, 2)

    def test_an_ignored_try_is_given_back(self):
        job = Job(self.record.come_back, kwargs={"ignore_retry": True}, max_retries=1)
        for _number in range(3):
            with self.assertRaises(e.RetryableJobError):
                job.perform()
        self.assertEqual(job.retry, 0)

    def test_no_limit(self):
        job = Job(self.record.come_back, max_retries=0)
        for _number in range(9):
            with self.assertRaises(e.RetryableJobError):
                job.perform()
        self.assertEqual(job.retry, 9)
