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

    def test_what_is_waited_for_is_kept(self):
        parent = self.record.delayable().noop()
        child = self.record.delayable(on_parent_stop="wait").noop()
        parent.on_done(child).delay()
        parent, child = (self.stored(call._generated_job) for call in (parent, child))
        parent.button_cancelled()
        self.assertEqual(child.state, "wait_dependencies")
        self.env.cr.execute(
            "UPDATE queue_job SET date_cancelled = now() - interval '1 year' WHERE id = %s",
            [parent.id],
        )
        self.env["queue.job"]._gc_old_jobs()
        self.env.invalidate_all()
        self.assertTrue(parent.exists(), "without it, the child would be free to run")
        child.button_cancelled()
        self.env.flush_all()
        self.env["queue.job"]._gc_old_jobs()
        self.env.invalidate_all()
        self.assertFalse(parent.exists())

    def test_what_is_kept_beside_a_job_goes_with_it(self):
        kept, gone = self.finished(29), self.finished(31)
        partner = self.env["res.partner"].create({"name": "Follower"})
        for job in (kept, gone):
            job.message_subscribe(partner.ids)
            job.message_post(body="Seen")
            job.activity_schedule(summary="Look at it", user_id=self.env.uid)
        beside = {
            "mail.message": "model",
            "mail.followers": "res_model",
            "mail.activity": "res_model",
        }
        self.env.flush_all()
        self.env["queue.job"]._gc_old_jobs()
        self.env.invalidate_all()
        for model, name in beside.items():
            with self.subTest(model=model):
                of_jobs = [(name, "=", "queue.job"), ("res_id", "in", (kept + gone).ids)]
                found = self.env[model].search(of_jobs)
                self.assertEqual(set(found.mapped("res_id")), {kept.id})
