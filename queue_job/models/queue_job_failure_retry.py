from odoo import _, fields, models
from odoo.exceptions import UserError

from ..core.states import JobState
from ..current import current_job
from ..decorator import job
from ..job import Job
from ..store import store_jobs

AT_ONCE = 100
"""Jobs that are requeued or cancelled while the operator waits; more are the work of a job."""

BATCH = 500
"""Jobs that such a job changes in one transaction: a fraction of a second."""

PRIORITY = 1
"""Of such a job: whoever cleans up does not wait for what is to be cleaned up."""

FOLLOWED = JobState.WAIT_DEPENDENCIES.value


class QueueJobFailure(models.Model):
    """Retrying the jobs of a failure, one of them first, and giving them up."""

    _inherit = "queue.job.failure"

    # Numbers and not records: who sees the failure need not see the jobs.
    probe_number = fields.Integer(readonly=True, groups=fields.NO_ACCESS)
    follow_number = fields.Integer(readonly=True, groups=fields.NO_ACCESS)
    probe_state = fields.Selection(
        [("running", "Running"), ("passed", "Passed"), ("failed", "Failed Again")],
        "Probe",
        compute="_compute_probe_state",
        help="How the one job that was retried first does",
    )

    def _compute_probe_state(self):
        numbers = {failure.id: failure.sudo().probe_number for failure in self}
        jobs = self.env["queue.job"].sudo().browse(filter(None, numbers.values())).exists()
        states = {job.id: job.state for job in jobs}
        ends = {"done": "passed", "failed": "failed", "cancelled": False, None: False}
        for failure in self:
            state = states.get(numbers[failure.id])
            failure.probe_state = ends.get(state, "running")

    def action_probe(self):
        """Requeue one of the failed jobs, the newest that the user may see, as a probe.

        :raises UserError: when there is none
        """
        probe = self._start_probe()
        return self._told(_("A job was requeued as a probe: %s", probe.name))

    def action_probe_all(self):
        """Requeue one of the failed jobs, and all others when it is done."""
        probe = self._start_probe()
        follow = self._follow(probe)
        self.sudo().follow_number = follow.id
        return self._told(
            _("A job was requeued; the others follow when it is done: %s", probe.name)
        )

    def action_retry_all(self):
        """Requeue all the failed jobs that the user may see."""
        return self._change_all("requeue", self._retry_all, _("Failed jobs requeued: %s."))

    def action_cancel_all(self):
        """Give up all the failed jobs that the user may see."""
        return self._change_all(
            "button_cancelled", self._cancel_all, _("Failed jobs cancelled: %s.")
        )

    def _start_probe(self):
        self.ensure_one()
        self.check_access("write")
        jobs = self.env["queue.job"]
        probe = jobs.search(self._failed_domain(), order="id DESC", limit=1)
        if not probe:
            raise UserError(_("No job that you may see stands failed so."))
        self._forget_follow()
        if not probe.graph_uuid:
            # The runner looks for the children of jobs that have one.
            probe.sudo()._edit({"graph_uuid": probe.uuid})
        probe.requeue()
        self.sudo().probe_number = probe.id
        # Not its name: operators of every company read what is noted of a failure.
        self._note(_("A job was requeued as a probe: %s", probe.id))
        return probe

    def _follow(self, probe):
        """Store the job that requeues the others, to wait for the probe; return its record."""
        self.env.flush_all()
        follow = Job(self._retry_all, env=self.env, priority=PRIORITY)
        follow.graph_uuid = probe.graph_uuid
        parent = Job.load(self.env, probe.uuid)
        return store_jobs(self.env, [follow], [(parent, follow)])[follow].db_record()

    def _forget_follow(self):
        """Give up a job that waits for an earlier probe; one of another company goes on waiting."""
        follow = [("id", "=", self.sudo().follow_number), ("state", "=", FOLLOWED)]
        waiting = self.env["queue.job"].search(follow)
        if waiting:
            waiting.button_cancelled()
            self.sudo().follow_number = False

    def _change_all(self, action, method, text):
        """Do with all failed jobs what a button does: a few at once, many by a job.

        :param str action: method of ``queue.job``
        :param method: job of this model that does the same
        :param str text: what is kept of it, with a place for the number
        """
        self.ensure_one()
        self.check_access("write")
        self._forget_follow()
        jobs = self.env["queue.job"].search(self._failed_domain(), limit=AT_ONCE + 1)
        if len(jobs) > AT_ONCE:
            # Whoever else asks means other jobs: those that they see.
            sight = (self.env.uid, *sorted(self.env.companies.ids))
            key = f"queue_job {action} {self.key} {sight}"
            method.delay(priority=PRIORITY, identity_key=key)
            return self._told(_("A job was started that does it; its progress is in its form."))
        if jobs:
            getattr(jobs, action)()
            self._note(text % len(jobs))
        return self._told(text % len(jobs))

    @job
    def _retry_all(self):
        """Requeue the jobs of a failure"""
        count = self._change_in_batches("requeue")
        self._note(_("Failed jobs requeued: %s.", count))
        return str(count)

    @job
    def _cancel_all(self):
        """Cancel the jobs of a failure"""
        count = self._change_in_batches("button_cancelled")
        self._note(_("Failed jobs cancelled: %s.", count))
        return str(count)

    def _change_in_batches(self, action):
        """Do with each failed job once what a button does; return with how many.

        Each is met once, in the order of their ids: one that fails again meanwhile stays failed.
        """
        jobs, domain = self.env["queue.job"], self._failed_domain()
        every = jobs.search_count(domain)
        done, last = 0, 0
        while batch := jobs.search([*domain, ("id", ">", last)], order="id", limit=BATCH):
            done, last = done + len(batch), batch[-1].id
            getattr(batch._in_batches(), action)()
            # What is done stays done when the rest meets a conflict or the end of its worker, and
            # is passed over then: those jobs are not failed any more. Without a job around it, the
            # transaction is somebody else's.
            if current_job(self.env):
                self.env.cr.commit()
                self.env.invalidate_all()
            current_job(self.env).progress(done, max(every, done))
        return done

    def _told(self, text):
        """Return what shows a text, and the record as it is now."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": text,
                "type": "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
