import logging

from markupsafe import Markup

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..core.failure import LOST
from ..core.states import JobState
from ..core.trend import DAY, WEEK, Counts
from ..roles import MANAGER, OPERATOR
from ..storage import failures, metrics, pulse
from .queue_job_history import frames_of

_logger = logging.getLogger(__name__)

STATES = [("new", "New"), ("seen", "Seen"), ("muted", "Muted"), ("solved", "Solved")]

EDITABLE = {"state", "responsible_id"}
"""What an operator may change; everything else the engine found out."""

RESPONSIBLE = "queue_job.failure_responsible_id"
"""System parameter: id of the user who hears of new failures."""

TODO = "mail.mail_activity_data_todo"

NEWEST = 20
"""Last attempts of a failure that are looked at for what is shown of it."""

NEWEST_IN_FORM = 200
"""The same where records are asked for."""

MOST_RECORDS = 50
"""Records of a job, and of all of them together, that are shown."""

SHORT_NAME = 2
"""Last parts of the name of a function that tell people where it is."""


class QueueJobFailure(models.Model):
    """Jobs that have failed in the same way, whatever job and whenever.

    A failure says where in the code it happened, and not of whom: what it looks like is read of the
    attempts that its reader may see.
    """

    _name = "queue.job.failure"
    _inherit = ("mail.thread", "mail.activity.mixin")
    _description = "Job Failure"
    _log_access = False
    _order = "last_seen DESC, id DESC"

    key = fields.Char(readonly=True, required=True, help="Short name of the signature")
    name = fields.Char("Failure", readonly=True, required=True)
    exc_name = fields.Char("Exception", readonly=True)
    location = fields.Char(readonly=True, help="The innermost function of own code")
    function = fields.Char("First Function", readonly=True, help="Job function that met it first")
    state = fields.Selection(
        STATES, required=True, default="new", tracking=True, group_expand=True, copy=False
    )
    muted_until = fields.Datetime(readonly=True, help="Empty: until somebody takes it back")
    responsible_id = fields.Many2one("res.users", "Responsible", tracking=True, index="btree")
    returns = fields.Integer(
        "Times Back",
        readonly=True,
        required=True,
        default=0,
        aggregator=None,
        help="How often it came back after it had been solved or muted",
    )
    first_seen = fields.Datetime(readonly=True)
    last_seen = fields.Datetime(readonly=True, index=True, help="Right within a minute")

    count_hour = fields.Integer("Last Hour", compute="_compute_counts")
    count_day = fields.Integer("24 h", compute="_compute_counts")
    count_week = fields.Integer("7 d", compute="_compute_counts")
    trend = fields.Json("Last 7 Days", compute="_compute_counts")
    failed_count = fields.Integer(
        "Failed Jobs", compute="_compute_failed_count", help="Jobs that stand failed so now"
    )
    message = fields.Char(compute="_compute_sample", help="Of the last one that you may see")
    functions = fields.Char(compute="_compute_sample")
    sample_traceback = fields.Text(
        "Traceback",
        compute="_compute_sample_traceback",
        groups=MANAGER,
    )
    frames = fields.Json("Frames", compute="_compute_frames", groups=MANAGER)
    affected = fields.Text("Affected Records", compute="_compute_affected")

    _key_uniq = models.Constraint("UNIQUE(key)", "There is one failure of a signature.")

    # What it looks like

    @api.depends("key")
    def _compute_counts(self):
        found = failures.read_hours(self.env.cr, self.mapped("key"))
        for failure in self:
            counts = found.get(failure.key) or Counts()
            failure.count_hour = counts.last
            failure.count_day = counts.total(DAY)
            failure.count_week = counts.total(WEEK)
            failure.trend = counts.line

    @api.depends("key")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_failed_count(self):
        domain = [("failure_key", "in", self.mapped("key")), ("state", "=", JobState.FAILED.value)]
        groups = self.env["queue.job"]._read_group(domain, ["failure_key"], ["__count"])
        counts = dict(groups)
        for failure in self:
            failure.failed_count = counts.get(failure.key, 0)

    @api.depends("key")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_sample(self):
        found = self._newest_attempts(NEWEST)
        for failure in self:
            attempts = found[failure.id]
            sample = attempts[:1]
            names = dict.fromkeys(attempts.job_id.mapped("channel_method_name"))
            failure.message = sample.message
            failure.functions = ", ".join(filter(None, names)) or failure.function

    @api.depends("key")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_sample_traceback(self):
        found = self._newest_attempts(NEWEST)
        for failure in self:
            # Of this one alone: tracebacks are long.
            sample = found[failure.id][:1].with_prefetch()
            failure.sample_traceback = sample.sudo().exc_info

    @api.depends("sample_traceback")
    def _compute_frames(self):
        for failure in self:
            failure.frames = frames_of(failure.sample_traceback)

    @api.depends("key")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_affected(self):
        found = self._newest_attempts(NEWEST)
        for failure in self:
            records = self._records_of(found[failure.id].job_id)
            failure.affected = "\n".join(
                f"{known._description}: {', '.join(known[:MOST_RECORDS].mapped('display_name'))}"
                for known in records
            )

    def _newest_attempts(self, most):
        """Return, by id, the last attempts that failed so, as far as the user may see them."""
        ids = failures.read_newest(self.env.cr, self.mapped("key"), most)
        attempts = self.env["queue.job.attempt"]
        every = attempts.browse(number for numbers in ids.values() for number in numbers)
        seen = set(every._filtered_access("read").ids)
        return {
            failure.id: attempts.browse(number for number in ids[failure.key] if number in seen)
            for failure in self
        }

    @api.model
    def _records_of(self, jobs):
        """Return the records that jobs run on, a recordset per model, as the user may read them.

        Of a job that runs on very many the first.
        """
        found = {}
        for job in jobs:
            records = job._target_records()[:MOST_RECORDS]._filtered_access("read")
            if records and records._name != job._name:
                found[records._name] = found.get(records._name, records.browse()) | records
        return list(found.values())

    # Seeing failures

    @api.model
    def _see(self, signature, function):
        """Note that a job has failed, after its end was recorded.

        :param Signature signature: how
        :param str function: name of the job function
        """
        known = failures.find(self.env.cr, signature.key)
        if known is None:
            self._add(signature.key, signature.exception, signature.location, function)
        elif known.returned and failures.reopen(self.env.cr, known.id):
            self.browse(known.id)._announce(_("It came back."))
        elif known.stale:
            failures.touch(self.env.cr, known.id)

    @api.model
    def _add(self, key, exception, location, function):
        """Store a failure that is new, and tell who has to hear of it."""
        values = {
            "key": key,
            "name": self._name_for(exception, location),
            "exc_name": exception,
            "location": location,
            "function": function,
        }
        number = failures.add(self.env.cr, values)
        if number:
            failure = self.browse(number)
            failure.responsible_id = self._default_responsible()

    @api.model
    def _name_for(self, exception, location):
        """Return what a failure is called: the end of long names tells people enough."""
        method = location.startswith("<")
        where = location if method else ".".join(location.split(".")[-SHORT_NAME:])
        if exception == LOST:
            return _("%s loses its worker", where)
        return _("%(what)s in %(where)s", what=exception.split(".")[-1], where=where)

    @api.model
    def _default_responsible(self):
        """Return the user who hears of new failures; none when nobody does."""
        value = self.env["ir.config_parameter"].sudo().get_param(RESPONSIBLE)
        users = self.env["res.users"].sudo()
        if not value or not str(value).isdecimal():
            return users
        user = users.browse(int(value)).exists()
        return user.filtered(lambda one: one.active and one.has_group(OPERATOR))

    def _announce(self, what):
        """Give the responsible something to do, unless there is something already.

        That they cannot be told is no reason not to know of the failure.
        """
        user = self.responsible_id
        if not user.active or not user.has_group(OPERATOR):
            return
        if self.activity_search([TODO], user_id=user.id):
            return
        try:
            with self.env.cr.savepoint():
                self.activity_schedule(TODO, summary=self.name, note=what, user_id=user.id)
        except Exception:
            _logger.exception("failure %s: its responsible was not told", self.key)

    @api.model
    def _look_after(self):
        """Do what no worker does: jobs that lose their worker fail without one. Run by a cron.

        And keep figures by the hour, which charts read instead of minutes.
        """
        failures.unmute(self.env.cr)
        for key, exception, function in failures.unknown(self.env.cr):
            self._add(key, exception, function, function)
        failures.count_hours(self.env.cr)
        metrics.keep_hours(self.env.cr)
        pulse.roll_up(self.env.cr)

    @api.autovacuum
    def _gc_failures(self):
        """Forget what was not seen for long."""
        self.browse(failures.old(self.env.cr)).unlink()

    # What operators do

    def write(self, vals):
        """Let operators change what is theirs, and do what goes with it."""
        ours = {name for name in vals if "queue_job" in self._fields[name]._modules}
        refused = sorted(ours - EDITABLE)
        if refused and not self.env.su:
            raise AccessError(_("Not allowed to change field(s): %s", ", ".join(refused)))
        state = vals.get("state")
        if state:
            vals = {**vals, "muted_until": False}
        before = {failure.id: failure.responsible_id for failure in self}
        written = super().write(vals)
        if state in ("muted", "solved"):
            self.sudo().activity_unlink([TODO])
        if "responsible_id" in vals:
            self.filtered(lambda one: one.responsible_id != before[one.id])._hand_over()
        return written

    def _hand_over(self):
        """Take what there is to do from whoever had it, and give it to the responsible."""
        for failure in self.sudo():
            failure.activity_unlink([TODO])
            if failure.state in ("new", "seen"):
                failure._announce(_("This failure is yours."))

    def action_seen(self):
        """Say that somebody has looked at it."""
        self.write({"state": "seen"})

    def action_solve(self):
        """Say that it will not happen any more; if it does, it is new again."""
        self.write({"state": "solved"})

    def action_mute(self, until=False):
        """Hear no more of it.

        :param until: when that ends; never, unless somebody ends it
        """
        self.check_access("write")
        self.write({"state": "muted"})
        self.sudo().muted_until = until

    def action_take(self):
        """Make it one's own."""
        self.write({"responsible_id": self.env.uid})
        self.filtered(lambda failure: failure.state == "new").write({"state": "seen"})

    def action_open_jobs(self):
        """Open the jobs that have failed so."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id("queue_job.action_queue_job")
        return {
            **action,
            "name": _("Failed Jobs"),
            "domain": self._failed_domain(),
            "context": {},
        }

    def action_open_records(self):
        """Open the records that the last jobs ran on.

        :raises UserError: when there are none, or none that the user may see
        """
        self.ensure_one()
        self.check_access("read")
        jobs = self._newest_attempts(NEWEST_IN_FORM)[self.id].job_id
        records = max(self._records_of(jobs), key=len, default=None)
        if not records:
            raise UserError(_("There are no records that you may see."))
        return {
            "type": "ir.actions.act_window",
            "name": _("Affected Records"),
            "res_model": records._name,
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", records.ids)],
        }

    def _failed_domain(self):
        """Return the domain of the jobs that stand failed so."""
        return [
            ("failure_key", "in", self.mapped("key")),
            ("state", "=", JobState.FAILED.value),
        ]

    def _note(self, text):
        """Keep what an operator did, in their name."""
        for failure in self:
            author = self.env.user.partner_id
            failure.sudo().message_post(body=Markup("%s") % text, author_id=author.id)


class QueueJobFailureCount(models.Model):
    """How often a failure has happened in an hour that is over; written by SQL."""

    _name = "queue.job.failure.count"
    _description = "Job Failures by the Hour"
    _log_access = False
    _rec_name = "key"

    key = fields.Char(readonly=True, required=True)
    hour = fields.Datetime(readonly=True, required=True)
    number = fields.Integer(readonly=True)

    _key_hour_idx = models.UniqueIndex("(key, hour)")
    _hour_idx = models.Index("(hour)")
