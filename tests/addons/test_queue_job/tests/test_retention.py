from .common import JobCase


class TestRetention(JobCase):
    def finished(self, days, channel="root", state="done"):
        """Return a job that ended so many days ago."""
        job = self.record.noop.delay(channel=channel)
        record = self.put(job, state=state)
        column = "date_cancelled" if state == "cancelled" else "date_done"
        self.env.cr.execute(
            f"UPDATE queue_job SET {column} = now() AT TIME ZONE 'UTC' - %s * interval '1 day' "
            "WHERE id = %s",
            (days, record.id),
        )
        return record

    def test_each_channel_has_its_own(self):
        root = self.env.ref("queue_job.channel_root")
        self.env["queue.job.channel"].create(
            {"name": "short", "parent_id": root.id, "removal_interval": 2}
        )
        kept = [
            self.finished(29),
            self.finished(1, "root.short"),
            self.finished(99, state="failed"),
            self.finished(29, "unknown", "cancelled"),
            self.stored(self.record.noop.delay()),
        ]
        gone = [
            self.finished(31),
            self.finished(3, "root.short"),
            self.finished(3, "root.short.below", "cancelled"),
            self.finished(31, "unknown"),
        ]
        done, remaining = self.env["queue.job"]._gc_old_jobs()
        self.assertEqual((done, remaining), (len(gone), 0))
        self.assertTrue(all(record.exists() for record in kept))
        self.assertFalse(any(record.exists() for record in gone))
