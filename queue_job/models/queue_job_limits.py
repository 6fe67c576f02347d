from odoo import _, api, fields, models
from odoo.tools import format_datetime, format_time
from odoo.tools.translate import LazyTranslate

from ..core.states import JobState
from ..core.stop import Means
from ..durations import seconds_between
from ..settings import settings
from ..storage import stops

_lt = LazyTranslate(__name__)

STAGES = {
    None: _lt("waiting for its worker to take notice."),
    Means.RAISE.value: _lt("waiting for its code, in which an exception was raised, to end."),
    Means.BREAK_STATEMENT.value: _lt(
        "waiting for its code to end: an exception was raised in it, and its statement in "
        "PostgreSQL is broken off."
    ),
    Means.END_WORKER.value: _lt(
        "waiting for its code to end: on a server of threads nothing more can be done."
    ),
}
"""What a job that is to stop is waited for, by what its worker has done about it."""


class QueueJob(models.Model):
    """What a job may take, what it took, and how it is stopped."""

    _inherit = "queue.job"

    memory_limit = fields.Float(
        "Memory Limit (MB)",
        readonly=True,
        aggregator=False,
        help="What it may add to the memory of its worker before it is stopped; 0 for no limit of "
        "its own",
    )
    memory_peak = fields.Integer(
        "Worker's Peak (MB)",
        readonly=True,
        aggregator="max",
        help="Most memory that its worker had resident while it ran, the worker's own included",
    )
    memory_added = fields.Integer(
        "Memory (MB)",
        readonly=True,
        aggregator="max",
        help="What it had added to the memory of its worker when that was most",
    )
    limits = fields.Char("Limits", compute="_compute_limits")
    stopping = fields.Char(
        "How It Is Stopped",
        compute="_compute_stopping",
        help="While it is being stopped: who asked for it, and what it waits for",
    )
    stopped = fields.Char("How It Was Stopped", compute="_compute_stopped")

    @api.depends("timeout", "memory_limit", "job_function_id")
    def _compute_limits(self):
        for job in self:
            job.limits = job._limits_text()

    def _limits_text(self):
        """Return the limits in force in words, each with where it comes from."""
        config = self.env["queue.job.function"].job_config(self.channel_method_name)
        found = (
            (_("%s s"), self.timeout, config.timeout, settings().timeout),
            (_("%s MB"), self.memory_limit, config.memory, settings().memory),
        )
        texts = [self._limit_text(*values) for values in found]
        return ", ".join(filter(None, texts)) or _("None of its own; Odoo's limits apply")

    @api.model
    def _limit_text(self, unit, own, of_function, of_server):
        """Return a limit in words; nothing when there is none."""
        if own:
            source = _("of its function") if own == of_function else _("given when it was delayed")
        else:
            source = _("of the server")
        number = own or of_server
        return f"{unit % f'{number:g}'} ({source})" if number else ""

    @api.depends("state", "attempt")
    def _compute_stopping(self):
        asked = stops.read_asked(self.env.cr, self._origin.ids)
        for job in self:
            found = asked.get(job._origin.id)
            job.stopping = job._stopping_text(found) if found else False

    @api.model
    def _stopping_text(self, found):
        """Return in words who has asked a running job to stop, and what that waits for."""
        stage = self.env._(STAGES.get(found.stage, STAGES[None]))
        values = {"time": self._clock(found.asked), "stage": stage}
        if found.user:
            name = self.env["res.users"].sudo().browse(found.user).exists().name or found.user
            text = _("Stop requested by %(name)s at %(time)s, %(stage)s", name=name, **values)
        else:
            text = _("%(why)s, seen at %(time)s: %(stage)s", why=found.text, **values)
        if found.ends and found.stage != Means.END_WORKER.value:
            ends = self._clock(found.ends)
            text = _(
                "%(text)s If it takes no notice, its worker is ended at %(ends)s.",
                text=text,
                ends=ends,
            )
        return text

    @api.model
    def _clock(self, moment):
        """Return the time of day as the user reads it, to the second."""
        local = fields.Datetime.context_timestamp(self, moment)
        return format_time(self.env, local.time(), time_format="medium")

    @api.depends("state", "result", "attempt_ids.date_asked")
    def _compute_stopped(self):
        for job in self:
            job.stopped = job._stopped_text() if job.state == JobState.CANCELLED else False

    def _stopped_text(self):
        """Return in words who has cancelled a job, and how long a running one took to stop."""
        tries = self.env["queue.job.attempt"].sudo()
        last = tries.search([("job_id", "in", self._origin.ids)], order="attempt DESC", limit=1)
        if last.outcome != "cancelled" or last.attempt != self.attempt or not last.date_asked:
            return self.result or False
        seconds = seconds_between(last.date_asked, last.date_ended)
        return _(
            "%(who)s while it ran: asked at %(time)s, stopped %(seconds)s s later.",
            who=self.result,
            time=format_datetime(self.env, last.date_asked),
            seconds=f"{seconds:.1f}",
        )
