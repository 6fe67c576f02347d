from dataclasses import asdict

from odoo import api, fields, models

from ..addons_code import code_roots
from ..core.traceback import parse_traceback
from ..durations import seconds_between
from ..fields import UncheckedMany2one
from ..roles import MANAGER
from ..storage import history

OUTCOMES = [
    ("failed", "Failed"),
    ("postponed", "Postponed"),
    ("snoozed", "Snoozed"),
    ("conflict", "Conflict"),
    ("lost", "Lost Its Worker"),
    ("cancelled", "Cancelled"),
]


def frames_of(text):
    """Return the parts of a traceback for the screen, or nothing when there is none."""
    return [asdict(piece) for piece in parse_traceback(text, code_roots())] if text else False


class QueueJobAttempt(models.Model):
    """A try at a job that did not end well; the engine writes it with the job's new state."""

    _name = "queue.job.attempt"
    _description = "Job Attempt"
    _log_access = False
    _order = "job_id, attempt desc"
    _rec_name = "attempt"

    job_id = UncheckedMany2one("queue.job", required=True, readonly=True, index=True)
    attempt = fields.Integer("No.", required=True, readonly=True, aggregator=None)
    outcome = fields.Selection(OUTCOMES, required=True, readonly=True)
    date_started = fields.Datetime("Started on", readonly=True)
    date_ended = fields.Datetime("Ended", readonly=True)
    seconds = fields.Float("Ran (s)", compute="_compute_seconds", digits=(16, 3))
    worker_host = fields.Char("Host", readonly=True)
    worker_pid = fields.Integer("Process", readonly=True, aggregator=None)
    message = fields.Text(readonly=True)
    exc_name = fields.Char("Exception", readonly=True)
    # Long, and read where it is shown.
    exc_info = fields.Text("Traceback", readonly=True, groups=MANAGER, prefetch=False)
    failure_key = fields.Char("Failure", readonly=True)
    memory_peak = fields.Integer("Worker's Peak (MB)", readonly=True, aggregator="max")
    memory_added = fields.Integer("Memory (MB)", readonly=True, aggregator="max")
    date_asked = fields.Datetime("Asked to Stop", readonly=True)
    frames = fields.Json("Frames", compute="_compute_frames", groups=MANAGER)

    # Only attempts that ended a job for good are in it.
    _failure_idx = models.Index("(failure_key, date_ended DESC) WHERE failure_key IS NOT NULL")

    @api.depends("exc_info")
    def _compute_frames(self):
        for attempt in self:
            attempt.frames = frames_of(attempt.exc_info)

    @api.depends("date_started", "date_ended")
    def _compute_seconds(self):
        for attempt in self:
            attempt.seconds = seconds_between(attempt.date_started, attempt.date_ended)


class QueueJobLog(models.Model):
    """A line that was logged while a job ran."""

    _name = "queue.job.log"
    _description = "Job Log Line"
    _log_access = False
    _order = "id"
    _rec_name = "message"

    job_id = UncheckedMany2one("queue.job", required=True, readonly=True, index=True)
    attempt = fields.Integer("Attempt", required=True, readonly=True, aggregator=None)
    date = fields.Datetime("Time", readonly=True)
    level = fields.Char(readonly=True)
    logger = fields.Char(readonly=True)
    message = fields.Text(readonly=True)


class QueueJobProgress(models.Model):
    """How far a running job is, as it said itself."""

    _name = "queue.job.progress"
    _description = "Job Progress"
    _log_access = False
    _rec_name = "message"

    job_id = UncheckedMany2one("queue.job", required=True, readonly=True)
    attempt = fields.Integer(required=True, readonly=True, aggregator=None)
    done = fields.Float(readonly=True)
    total = fields.Float(readonly=True)
    message = fields.Char(readonly=True)
    date = fields.Datetime("Time", readonly=True)

    def init(self):
        """Create what the ORM does not know of."""
        history.create(self.env.cr)


class QueueJob(models.Model):
    """What is kept of a job beside its row."""

    _inherit = "queue.job"

    attempt_ids = fields.One2many("queue.job.attempt", "job_id", "Attempts", readonly=True)
    log_ids = fields.One2many("queue.job.log", "job_id", "Log", readonly=True)
    progress = fields.Float("Progress (%)", compute="_compute_progress")
    progress_text = fields.Char("Progress", compute="_compute_progress")
    frames = fields.Json("Frames", compute="_compute_frames", groups=MANAGER)

    @api.depends("exc_info")
    def _compute_frames(self):
        for job in self:
            job.frames = frames_of(job.exc_info)

    @api.depends("state", "attempt")
    def _compute_progress(self):
        told = self.env["queue.job.progress"].sudo().search([("job_id", "in", self.ids)])
        by_job = {line.job_id.id: line for line in told}
        for job in self:
            line = by_job.get(job.id)
            if line is None or line.attempt != job.attempt:
                job.progress, job.progress_text = 0.0, False
                continue
            job.progress = min(100.0, 100 * line.done / line.total) if line.total else 0.0
            of = f"{line.done:g} / {line.total:g}" if line.total else f"{line.done:g}"
            job.progress_text = f"{of} {line.message or ''}".strip()
