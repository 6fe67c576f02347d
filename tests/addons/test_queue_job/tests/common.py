from odoo.tests import TransactionCase, tagged


# When all modules are loaded: while they change, the queue holds.
@tagged("post_install", "-at_install")
class JobCase(TransactionCase):
    """A record to delay jobs on, and access to what was stored."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.env["test.queue.job"].create({"name": "one"})
        cls.user = cls.env["res.users"].create(
            {
                "name": "Clerk",
                "login": "clerk",
                "password": "clerk-password",
                "group_ids": [(6, 0, [cls.env.ref("base.group_user").id])],
            },
        )
        cls.manager = cls.env["res.users"].create(
            {
                "name": "Queue Manager",
                "login": "queue-manager",
                "password": "queue-manager",
                "group_ids": [
                    (
                        6,
                        0,
                        [
                            cls.env.ref("base.group_user").id,
                            cls.env.ref("queue_job.group_queue_job_manager").id,
                        ],
                    ),
                ],
            },
        )

    def stored(self, job):
        """Return the record of a job."""
        return job.db_record().with_env(self.env)

    def put(self, job, **values):
        """Set columns of a job as the engine does; return its record."""
        record = self.stored(job)
        columns = ", ".join(f'"{name}" = %s' for name in values)
        self.env.cr.execute(
            f"UPDATE queue_job SET {columns} WHERE id = %s",
            (*values.values(), record.id),
        )
        record.invalidate_recordset()
        return record
