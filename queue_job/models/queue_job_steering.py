from odoo import _, fields, models
from odoo.exceptions import AccessError

from ..core.states import FINAL, KNOWN_STATES, JobState, sources
from ..storage import stops


class QueueJob(models.Model):
    """What becomes of jobs by hand: they run again, are called done, or are given up."""

    _inherit = "queue.job"

    def requeue(self):
        """Run finished jobs again; those that wait or run are left alone.

        One whose state is none at all counts as finished.
        """
        jobs = self._change_state(
            JobState.PENDING,
            sources(JobState.PENDING) & FINAL,
            {
                "retry": 0,
                "lost": 0,
                "conflicts": 0,
                "snoozes": 0,
                "eta": False,
                "date_enqueued": False,
                "date_started": False,
                "date_done": False,
                "date_cancelled": False,
                "exec_time": False,
                "memory_peak": False,
                "memory_added": False,
                "result": False,
                "exc_name": False,
                "exc_message": False,
                "exc_info": False,
                "failure_key": False,
            },
        )
        jobs._wait_again()
        jobs._note(_("Requeued"))
        return True

    def button_done(self):
        """Call jobs done that are not; those that run are left alone.

        :raises AccessError: for operators; it says that something happened which did not
        """
        if self._only_operates():
            raise AccessError(_("Only a manager of the job queue may set jobs to done."))
        jobs = self._change_state(
            JobState.DONE,
            sources(JobState.DONE) - {JobState.STARTED},
            {
                "date_done": fields.Datetime.now(),
                "result": _("Manually set to done by %s", self.env.user.name),
            },
        )
        jobs._release_dependents()
        jobs._note(_("Set to done"))
        return True

    def button_cancelled(self):
        """Give jobs up, and ask those that run to stop; those that are done are left alone."""
        text = _("Cancelled by %s", self.env.user.name)
        jobs = self._change_state(
            JobState.CANCELLED,
            sources(JobState.CANCELLED) - {JobState.STARTED},
            {"date_cancelled": fields.Datetime.now(), "result": text},
        )
        jobs._cancel_dependents()
        asked = stops.ask(self.env.cr, (self - jobs).ids, text, self.env.uid)
        (jobs + self.browse(asked))._note(_("Cancelled"))
        return True

    def cancel(self):
        """Give jobs up; the same as the button."""
        return self.button_cancelled()

    def _change_job_state(self, state, result=None):
        """Do what the button for a state does, for code that names the state.

        :param str state: ``done``, ``pending`` or ``cancelled``
        :param str result: text to show instead of who did it
        :raises ValueError: for any other state
        """
        actions = {
            JobState.DONE: self.button_done,
            JobState.PENDING: self.requeue,
            JobState.CANCELLED: self.button_cancelled,
        }
        if state not in actions:
            raise ValueError(f"State not supported: {state}")
        before = {job.id: job.state for job in self}
        actions[state]()
        changed = self.filtered(lambda job: job.state != before[job.id])
        if result is not None:
            changed._edit({"result": result})
        return changed

    def _change_state(self, target, allowed, values):
        """Bring to ``target`` those of the jobs that may go there.

        Under REPEATABLE READ a job that somebody changed since it was read makes the update fail,
        and Odoo asks again: an operator never overwrites what the engine just did.

        :param JobState target: new state
        :param allowed: states from which this is wanted
        :param dict values: further columns
        :return: the jobs that went
        """
        self.check_access("write")
        strange = target is JobState.PENDING
        jobs = self.filtered(
            lambda job: job.state in allowed or (strange and job.state not in KNOWN_STATES)
        )
        # Also what they do not read: the traceback of a failure goes when it is requeued.
        jobs.sudo()._edit({"state": target.value, **values})
        return jobs

    # What the engine has recorded by itself

    def _after_failure(self):
        """Let addons and followers know of a failure that was recorded by SQL."""
        if self._is_extended("write"):
            self._edit({"state": JobState.FAILED.value})
        self._message_post_on_failure()

    def _after_cancel(self):
        """Let addons know of a cancellation that was recorded by SQL, and give up what waits."""
        if self._is_extended("write"):
            self._edit({"state": JobState.CANCELLED.value})
        self._cancel_dependents()
