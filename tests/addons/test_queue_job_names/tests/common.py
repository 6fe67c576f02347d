from odoo.tests import TransactionCase, new_test_user, tagged


@tagged("post_install", "-at_install")
class NamesCase(TransactionCase):
    """A record to delay jobs on, and a clerk who knows nothing of the queue."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.env["test.queue.job.names"].create({"name": "one"})
        cls.clerk = new_test_user(cls.env, "names-clerk", "base.group_user")
        cls.manager = new_test_user(
            cls.env, "names-manager", "base.group_user,queue_job.group_queue_job_manager"
        )

    def stored(self, job):
        """Return the record of a job."""
        return self.env["queue.job"].search([("uuid", "=", job.uuid)])

    def put(self, job, **values):
        """Set columns of a job as the engine does; return its record."""
        record = self.stored(job)
        columns = ", ".join(f'"{name}" = %s' for name in values)
        self.env.cr.execute(
            f"UPDATE queue_job SET {columns} WHERE id = %s", (*values.values(), record.id)
        )
        record.invalidate_recordset()
        return record

    def channel(self, name):
        """Return a new channel below root."""
        root = self.env.ref("queue_job.channel_root")
        return self.env["queue.job.channel"].create({"name": name, "parent_id": root.id})
