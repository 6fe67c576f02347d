import json

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import ormcache

from ..core.channels import ChannelError, full_name
from ..core.codec import readable
from ..core.states import FINAL, JobState
from ..fields import JobSerialized, PlainBoolean, UncheckedMany2one
from ..job import DEFAULT_MAX_RETRIES, DEFAULT_PRIORITY, IDENTITY_SCOPES, STATES
from ..job_states import by_life
from ..roles import MANAGER, OPERATOR
from ..settings import retry_limits
from ..storage import schema, steering, stops

MANY = 100
"""Jobs from which on a change is written by one statement of its own."""

EDITABLE = {"priority", "eta", "channel", "max_retries"}
"""What a manager may change of a stored job; everything else is the engine's or what was asked
for, and neither method nor arguments nor user may ever be somebody else's choice."""


def to_list(names):
    """Return the names that a model inherits from, which may be one, several or none."""
    return [names] if isinstance(names, str) else list(names or ())


class QueueJob(models.Model):
    """What is kept of a job, and who may change what of it."""

    _name = "queue.job"
    _inherit = ("mail.thread", "mail.activity.mixin")
    _description = "Queue Job"
    _log_access = False
    _order = "id DESC"
    _removal_interval = 30

    # An object, so that no call from outside can carry it in a context.
    EDIT_SENTINEL = object()

    # What no operator may change, beside the engine's own fields; addons add theirs.
    _protected_fields = (
        "uuid",
        "name",
        "date_created",
        "model_name",
        "method_name",
        "func_string",
        "channel_method_name",
        "job_function_id",
        "records",
        "args",
        "kwargs",
    )

    uuid = fields.Char("UUID", readonly=True, required=True)
    name = fields.Char("Description", readonly=True)
    # None of these may be emptied by the deletion of what they refer to: that would write to the
    # row of a job while it runs.
    user_id = UncheckedMany2one("res.users", "User", readonly=True, ondelete="restrict")
    company_id = UncheckedMany2one("res.company", "Company", readonly=True, ondelete="restrict")
    state = fields.Selection(STATES, readonly=True, required=True, group_expand=by_life)

    model_name = fields.Char("Model", readonly=True)
    method_name = fields.Char("Method", readonly=True)
    channel_method_name = fields.Char("Function", readonly=True)
    job_function_id = UncheckedMany2one(
        "queue.job.function", "Job Function", readonly=True, ondelete="restrict"
    )
    # The call as it was made: others than managers see it in the payload, without what is secret.
    func_string = fields.Char("Call", readonly=True, groups=MANAGER)
    # Records come in the user and rights of the job: whoever reads on from here would borrow them.
    records = JobSerialized(
        "Record(s)", readonly=True, base_type=models.BaseModel, groups=fields.NO_ACCESS
    )
    args = JobSerialized("Arguments", readonly=True, base_type=tuple, groups=MANAGER)
    kwargs = JobSerialized("Keyword Arguments", readonly=True, base_type=dict, groups=MANAGER)
    arguments = fields.Text("Stored Arguments", compute="_compute_arguments", groups=MANAGER)

    channel = fields.Char(required=True, default="root", tracking=True)
    priority = fields.Integer(
        required=True,
        default=DEFAULT_PRIORITY,
        aggregator=False,
        help="Lower first",
        tracking=True,
    )
    eta = fields.Datetime("Execute after", tracking=True)
    # Most keys tell what a job was called with: as they are, or to whoever guesses at it.
    identity_key = fields.Char(readonly=True, groups=MANAGER)
    identity_claim = fields.Char(
        readonly=True,
        groups=MANAGER,
        help="The identity key, as long as no other job may have it",
    )
    identity_scope = fields.Selection(IDENTITY_SCOPES, readonly=True)
    graph_uuid = fields.Char("Graph UUID", readonly=True, index="btree_not_null")

    retry = fields.Integer(
        "Tries", readonly=True, required=True, default=0, help="Tries begun", aggregator=False
    )
    max_retries = fields.Integer(
        "Max. Tries",
        required=True,
        default=DEFAULT_MAX_RETRIES,
        aggregator=False,
        help="0 is no limit",
        tracking=True,
    )
    timeout = fields.Float(
        "Time Limit (s)",
        readonly=True,
        aggregator=False,
        help="Seconds that it may take before it is stopped; 0 for no limit of its own",
    )
    tries = fields.Char("Try", compute="_compute_tries")
    attempt = fields.Integer(
        readonly=True, required=True, default=0, aggregator=False, help="Times given to a worker"
    )
    lost = fields.Integer(
        "Lost Workers",
        readonly=True,
        required=True,
        default=0,
        aggregator=False,
        help="Times in a row that its worker ended before the job did",
    )
    # Empty until the first one, so that no job is stored with more than it needs.
    conflicts = fields.Integer(
        readonly=True,
        aggregator=False,
        help="Times in a row that it gave its turn away, since its transaction met conflicts in "
        "all the tries of a worker",
    )
    snoozes = fields.Integer(
        "Snoozed",
        readonly=True,
        aggregator=False,
        help="Times that it asked to come back later, without a try",
    )
    scheduled = PlainBoolean(
        readonly=True, required=True, default=False, help="Its time has not come"
    )

    date_created = fields.Datetime("Created on", readonly=True)
    date_enqueued = fields.Datetime("Enqueued on", readonly=True)
    date_started = fields.Datetime("Started on", readonly=True)
    date_done = fields.Datetime("Done on", readonly=True)
    date_cancelled = fields.Datetime("Cancelled on", readonly=True)
    exec_time = fields.Float("Seconds", readonly=True, aggregator="avg", digits=(16, 3))
    worker_pid = fields.Integer("Process", readonly=True, aggregator=False)
    worker_host = fields.Char("Host", readonly=True)

    result = fields.Text(readonly=True)
    exc_name = fields.Char("Exception", readonly=True)
    exc_message = fields.Char("Exception Message", readonly=True, tracking=True)
    # Long, and read where it is shown.
    exc_info = fields.Text("Traceback", readonly=True, groups=MANAGER, prefetch=False)
    failure_key = fields.Char(
        "Failure", readonly=True, help="The same for all jobs that have failed in the same way"
    )

    traceparent = fields.Char("Trace", readonly=True, help="Of the trace that the job is part of")

    _uuid_uniq = models.Constraint("UNIQUE(uuid)", "The UUID of a job is its own.")

    def init(self):
        """Create the indexes and triggers that the ORM does not know of."""
        schema.create(self.env.cr)
        stops.create(self.env.cr)

    @api.depends("args", "kwargs")
    def _compute_arguments(self):
        for job in self:
            job.arguments = job._arguments_text()

    def _arguments_text(self):
        """Return the arguments as they are stored: nothing is made of what is in them."""
        args, kwargs = self._stored_text("args"), self._stored_text("kwargs")
        try:
            stored = {"args": json.loads(args or "[]"), "kwargs": json.loads(kwargs or "{}")}
            return json.dumps(readable(stored), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            # Changed by hand: an operator sees it all the same.
            return f"{args}\n{kwargs}"

    @api.depends("retry", "max_retries", "lost", "conflicts", "snoozes")
    def _compute_tries(self):
        conflicts_of, lost_of = retry_limits()
        for job in self:
            parts = [f"{job.retry} / {job.max_retries or '∞'}"]
            if job.lost:
                parts.append(_("lost %(number)s / %(limit)s", number=job.lost, limit=lost_of))
            if job.conflicts:
                parts.append(
                    _("conflicts %(number)s / %(limit)s", number=job.conflicts, limit=conflicts_of)
                )
            if job.snoozes:
                parts.append(_("snoozed %s", job.snoozes))
            job.tries = ", ".join(parts)

    @api.private
    @api.model_create_multi
    def create(self, vals_list):
        """Not for calls from outside: a job is made by ``delay``."""
        silent = {"mail_create_nolog": True, "mail_create_nosubscribe": True, "mail_notrack": True}
        return super(QueueJob, self.with_context(**silent)).create(vals_list)

    def write(self, vals):
        """Refuse what would change the job that was asked for, or disturb one that runs."""
        if self.env.context.get("_job_edit_sentinel") is self.EDIT_SENTINEL:
            return super().write(vals)
        refused = sorted(set(vals) & set(self._engine_fields()))
        if refused:
            raise AccessError(_("Not allowed to change field(s): %s", ", ".join(refused)))
        if any(job.state == JobState.STARTED for job in self):
            # Its own transaction is about to write this row, and would be rolled back.
            raise UserError(_("A job cannot be changed while it runs: wait for its end."))
        if "channel" in vals:
            vals = {**vals, "channel": self._full_channel(vals["channel"])}
        written = super().write(vals)
        if vals.get("state") == JobState.FAILED:
            self._message_post_on_failure()
        return written

    @api.model
    def _full_channel(self, name):
        try:
            return full_name(name or "")
        except (ChannelError, AttributeError, TypeError) as error:
            raise ValidationError(str(error)) from error

    @api.model
    def _engine_fields(self):
        """Return the fields that no operator may change.

        Code that runs as superuser, which no call from outside does, may change more: all but the
        call and its user. Fields that other addons add, and those of messages and activities, are
        theirs: they name in ``_protected_fields`` what nobody may change.
        """
        if self.env.su:
            return {*self._protected_fields, "user_id"}
        # Also where another addon says more of one of ours.
        ours = (name for name, field in self._fields.items() if "queue_job" in field._modules)
        return {*self._protected_fields, *ours} - (set() if self._only_operates() else EDITABLE)

    @api.model
    def _only_operates(self):
        """Tell whether the user may requeue and cancel jobs, and no more than that."""
        user = self.env.user
        operates = not self.env.su and user.has_group(OPERATOR)
        return operates and not user.has_group(MANAGER)

    def _edit(self, values):
        """Write what only the engine may, by the ORM, so that other addons notice.

        None of it is tracked: what operators do is noted by what they call.
        """
        if JobState(values.get("state", JobState.PENDING)) in FINAL:
            values = {**values, "identity_claim": False}
        if len(self) >= MANY and not self._is_extended("write"):
            return self._edit_at_once(values)
        context = {"_job_edit_sentinel": self.EDIT_SENTINEL, "mail_notrack": True}
        return self.with_context(**context).write(values)

    def _edit_at_once(self, values):
        """Write to many jobs by one statement, without a message for each."""
        self.check_access("write")
        self.flush_recordset()
        columns = {
            name: self._fields[name].convert_to_column_insert(value, self, validate=False)
            for name, value in values.items()
        }
        steering.update(self.env.cr, self.ids, columns)
        self.invalidate_recordset(list(values))
        return True

    @api.model
    @ormcache("method")
    def _is_extended(self, method):
        """Tell whether an addon extends ``create`` or ``write``, and so wants to hear of it."""
        return any(
            method in vars(cls)
            and self._name in to_list(vars(cls).get("_inherit"))
            and not cls.__module__.startswith("odoo.addons.queue_job.")
            for cls in type(self).__mro__
        )
