from odoo import _, api, fields, models
from odoo.exceptions import AccessError

from ..core.explain import gist_of
from ..core.states import FINAL, KNOWN_STATES, JobState
from ..core.timeline import Attempt, JobDates, draw_timeline
from ..roles import MANAGER

MOST_NOTES = 1_000
"""Jobs whose chatter an action on many is noted in; of one on more, the job that does it tells."""

TIMED = ("state", "attempt", "eta", "graph_uuid", "attempt_ids")
DATES = ("date_created", "date_enqueued", "date_started", "date_done", "date_cancelled")

WAITS_OR_FAILED = (JobState.WAIT_DEPENDENCIES, JobState.PENDING, JobState.ENQUEUED, JobState.FAILED)
"""States in which a manager may change a job."""


class QueueJob(models.Model):
    """What the form of a job shows and does beside its fields."""

    _inherit = "queue.job"

    timeline = fields.Json(compute="_compute_timeline")
    can_edit = fields.Boolean(compute="_compute_can_edit", help="For the reader")

    @api.depends_context("uid")
    @api.depends("state")
    def _compute_can_edit(self):
        is_manager = self.env.user.has_group(MANAGER)
        for job in self:
            job.can_edit = is_manager and job.state in WAITS_OR_FAILED

    @api.depends(*TIMED, *DATES)
    def _compute_timeline(self):
        now = self.env.cr.now()
        for job in self:
            drawn = draw_timeline(job._dates(), job._tries(), now)
            job.timeline = {
                "begin": fields.Datetime.to_string(drawn.begin),
                "seconds": drawn.seconds,
                "left_out": drawn.left_out,
                "rows": [job._row(row) for row in drawn.rows],
            }

    def _dates(self):
        """Return what the row says of the job's time, and when its parents let it go."""
        parents = self._linked_by("dependent_ids") if self.graph_uuid else self.browse()
        ends = [job.date_done if job.state == JobState.DONE else None for job in parents]
        return JobDates(
            state=JobState(self.state) if self.state in KNOWN_STATES else JobState.FAILED,
            number=self.attempt,
            created=self.date_created or None,
            enqueued=self.date_enqueued or None,
            started=self.date_started or None,
            done=self.date_done or None,
            cancelled=self.date_cancelled or None,
            eta=self.eta or None,
            freed=max(ends) if ends and all(ends) else None,
            has_parents=bool(parents),
        )

    def _tries(self):
        """Return the attempts of the job that are kept."""
        domain = [("job_id", "in", self._origin.ids)]
        names = ["attempt", "outcome", "date_started", "date_ended"]
        return [
            Attempt(kept.attempt, kept.outcome, kept.date_started or None, kept.date_ended or None)
            for kept in self.env["queue.job.attempt"].sudo().search_fetch(domain, names)
        ]

    @api.model
    def _row(self, row):
        """Return a row of a timeline for the screen."""
        return {
            "number": row.number,
            "outcome": row.outcome,
            "segments": [
                {
                    "stretch": segment.stretch.value,
                    "begin": segment.begin,
                    "end": segment.end,
                    "live": segment.live,
                }
                for segment in row.segments
            ],
        }

    @api.readonly
    def pulse(self):
        """Return what tells a form that the job has gone on, at little cost.

        :return: values to compare with those before, and whether nothing follows any more
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        of_job = [("job_id", "=", self.id)]
        line = self.env["queue.job.log"].search(of_job, order="id DESC", limit=1)
        return {
            "ended": self.state in FINAL,
            "state": self.state,
            "attempt": self.attempt,
            "retry": self.retry,
            "wait_reason": gist_of(self.wait_reason or ""),
            "progress": self.progress_text,
            "line": line.id,
            "stopping": self.stopping,
        }

    # Actions

    def run_now(self):
        """Let jobs whose time has not come run without waiting for it.

        :raises AccessError: for operators, who change no job
        """
        self.check_access("write")
        if self._only_operates():
            raise AccessError(_("Only a manager of the job queue may change when jobs run."))
        waiting = (JobState.PENDING, JobState.WAIT_DEPENDENCIES)
        self.filtered(lambda job: job.state in waiting and job.eta).write({"eta": False})
        return True

    def open_same_function(self):
        """Open the jobs of the same function."""
        self.ensure_one()
        self.check_access("read")
        domain = [("channel_method_name", "=", self.channel_method_name)]
        return self._open_jobs(_("Jobs of the Function"), domain)

    def open_same_error(self):
        """Open the jobs that have failed with the same exception."""
        self.ensure_one()
        self.check_access("read")
        domain = [("state", "=", JobState.FAILED.value), ("exc_name", "=", self.exc_name)]
        return self._open_jobs(_("Jobs With the Same Error"), domain)

    @api.model
    def _open_jobs(self, name, domain):
        """Return an action that lists jobs."""
        action = self.env["ir.actions.act_window"]._for_xml_id("queue_job.action_queue_job")
        return {**action, "name": name, "domain": domain, "context": {}}

    def _in_batches(self):
        """Return jobs of a batch out of many: what is done to them is not tracked nor noted."""
        # Not a value that a call from outside could give, which is to be noted.
        return self.with_context(tracking_disable=True, _job_in_batches=self.EDIT_SENTINEL)

    def _note(self, body):
        """Note in the chatter of jobs what an operator did; who is its author.

        Code that runs as superuser is no operator, and what is done to very many jobs is not told
        in each, be it at once or in batches.
        """
        in_batches = self.env.context.get("_job_in_batches") is self.EDIT_SENTINEL
        if self and not self.env.su and not in_batches and len(self) <= MOST_NOTES:
            self._message_log_batch(dict.fromkeys(self.ids, body))
