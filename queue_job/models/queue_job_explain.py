from odoo import _, api, fields, models
from odoo.tools.translate import LazyTranslate

from ..core.explain import Explanation, JobFacts, QueueFacts, Reason, explain
from ..core.hold import Hold
from ..core.states import KNOWN_STATES, JobState
from ..durations import duration_text
from ..roles import OPERATOR
from ..storage import home, sight

_lt = LazyTranslate(__name__)

SENTENCES = {
    Reason.RUNS: _lt("It runs."),
    Reason.ENDED: _lt("It has ended."),
    Reason.HELD: _lt("No job runs: %(hold)s."),
    Reason.NO_RUNNER: _lt(
        "No runner is connected to this database: the Self-test of the queue says why."
    ),
    Reason.NO_LEADER: _lt("A runner is connected and about to take the lead."),
    Reason.NO_SERVER: _lt("No server can take it: the list of nodes says what is wrong with each."),
    Reason.ETA: _lt("It starts in %(duration)s."),
    Reason.RETRY: _lt("It is tried again in %(duration)s, as try %(next)s."),
    Reason.ENQUEUED: _lt("It was sent to a worker, and waits for the jobs before it there."),
    Reason.PAUSED: _lt("The channel %(channel)s is paused by the configuration of the server."),
    Reason.SEQUENTIAL: _lt(
        "The channel %(channel)s runs one after the other: job %(other)s is before it."
    ),
    Reason.FULL: _lt("The channel %(channel)s is full: %(number)s of %(limit)s run."),
    Reason.NO_WORKER: _lt("All workers are busy: %(number)s of %(limit)s."),
    Reason.THROTTLED: _lt("The channel %(channel)s starts at most one job every %(duration)s."),
    Reason.TURN: _lt("It is about to start, as number %(next)s of the channel %(channel)s."),
}

HOLDS = {
    Hold.MODULES: _lt("modules are to be installed, upgraded or removed"),
    Hold.COPIED: _lt("this database is a copy, or was restored, and nobody has released it yet"),
    Hold.NEUTRALIZED: _lt("this database was neutralised, and nobody has released it yet"),
}


class QueueJob(models.Model):
    """Saying why a job does not run."""

    _inherit = "queue.job"

    wait_reason = fields.Char("Why It Does Not Run", compute="_compute_wait_reason")

    @api.depends_context("uid")
    @api.depends("state", "eta", "channel", "priority", "dependency_ids.state")
    def _compute_wait_reason(self):
        still = (JobState.WAIT_DEPENDENCIES, JobState.PENDING, JobState.ENQUEUED)
        waiting = self.filtered(lambda job: job._origin and job.state in still)
        (self - waiting).wait_reason = False
        queue = waiting._queue_facts() if waiting else None
        for job in waiting:
            job.wait_reason = job._explanation(queue)

    def explain(self):
        """Return one sentence that says why the job does not run, or how it ended."""
        self.ensure_one()
        self.check_access("read")
        return self._explanation(self._queue_facts())

    def _explanation(self, queue):
        if self.state not in KNOWN_STATES:
            return _("Its state %s is none that the queue knows: requeue it.", self.state)
        if self.state == JobState.WAIT_DEPENDENCIES:
            return self._why_waiting()
        return self._sentence(explain(self._facts(), queue))

    @api.model
    def _queue_facts(self):
        """Return what is known of the queue as a whole."""
        here = self.env["queue.job.node"].sudo().search([("here", "=", True)])
        return QueueFacts(
            channels=self.env["queue.job.channel"]._in_force(),
            running=sight.read_running(self.env.cr),
            runners=len(here),
            leads=any(here.mapped("leads")),
            slots=sum(here.filtered(lambda node: not node.problem).mapped("slots")),
            hold=home.read_hold(self.env.cr),
        )

    def _facts(self):
        """Return what is stored of the job, as far as it can keep it from running."""
        stored = self._origin
        stored.flush_recordset()
        place = (self.env.cr, stored.id, self.channel, self.priority)
        seconds = (self.eta - fields.Datetime.now()).total_seconds() if self.eta else None
        return JobFacts(
            state=JobState(self.state),
            channel=self.channel,
            seconds=seconds,
            retries=self.retry,
            ahead=sight.count_ahead(*place),
            before=sight.read_before(*place),
        )

    @api.model
    def _sentence(self, found: Explanation):
        """Return an explanation in words."""
        values = {
            "channel": found.channel,
            "number": round(found.number),
            "duration": duration_text(self.env, found.number),
            "limit": round(found.limit),
            "next": self._next_number(found),
            "other": found.other,
            "hold": self._hold_text(found.hold),
        }
        by_hand = self._pause_of(found.channel) if found.reason is Reason.PAUSED else None
        if by_hand:
            return by_hand._pause_text(self.env.su or self.env.user.has_group(OPERATOR))
        return self.env._(SENTENCES[found.reason]) % values

    @api.model
    def _next_number(self, found):
        """Return which try comes next, or which place in its channel a job has."""
        return 1 + round(found.limit if found.reason is Reason.RETRY else found.number)

    @api.model
    def _pause_of(self, name):
        """Return the channel record of a name when an operator has paused it."""
        paused = [("complete_name", "=", name), ("paused", "=", True)]
        return self.env["queue.job.channel"].sudo().search(paused)

    @api.model
    def _hold_text(self, hold):
        """Return in words what holds a whole database."""
        return self.env._(HOLDS[hold]) if hold else ""
