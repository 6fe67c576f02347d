import json
from itertools import groupby

from psycopg2.errors import UniqueViolation

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError, ValidationError
from odoo.tools import SQL, ormcache
from odoo.tools.misc import clean_context

from .. import bulk
from ..core.channels import ChannelError, ancestors, full_name
from ..core.codec import DamagedError, readable
from ..core.states import FINAL, KNOWN_STATES, JobState, sources
from ..delay import delay_call
from ..fields import JobSerialized, UncheckedMany2one, parse
from ..job import DEFAULT_MAX_RETRIES, DEFAULT_PRIORITY, IDENTITY_SCOPES, STATES
from ..storage import enqueue, retention, schema

RETENTION_BATCH = 10_000
"""Finished jobs deleted per transaction of Odoo's autovacuum: about a tenth of a second."""

EDITABLE = {"priority", "eta", "channel", "max_retries"}
"""What an operator may change of a stored job; everything else is the engine's or what was asked
for, and neither method nor arguments nor user may ever be somebody else's choice."""


def to_list(names):
    """Return the names that a model inherits from, which may be one, several or none."""
    return [names] if isinstance(names, str) else list(names or ())


class QueueJob(models.Model):
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
    state = fields.Selection(STATES, readonly=True, required=True)

    model_name = fields.Char("Model", readonly=True)
    method_name = fields.Char("Method", readonly=True)
    channel_method_name = fields.Char("Function", readonly=True)
    job_function_id = UncheckedMany2one(
        "queue.job.function", "Job Function", readonly=True, ondelete="restrict"
    )
    func_string = fields.Char("Call", readonly=True)
    # Records come in the user and rights of the job: whoever reads on from here would borrow them.
    records = JobSerialized(
        "Record(s)", readonly=True, base_type=models.BaseModel, groups=fields.NO_ACCESS
    )
    args = JobSerialized("Arguments", readonly=True, base_type=tuple)
    kwargs = JobSerialized("Keyword Arguments", readonly=True, base_type=dict)
    arguments = fields.Text("Stored Arguments", compute="_compute_arguments")

    channel = fields.Char(required=True, default="root")
    priority = fields.Integer(
        required=True, default=DEFAULT_PRIORITY, aggregator=False, help="Lower first"
    )
    eta = fields.Datetime("Execute after")
    identity_key = fields.Char(readonly=True)
    identity_claim = fields.Char(
        readonly=True,
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
        help="Times that its worker ended before the job did",
    )
    scheduled = fields.Boolean(
        readonly=True, required=True, default=False, help="Its time has not come"
    )

    date_created = fields.Datetime("Created", readonly=True)
    date_enqueued = fields.Datetime("Enqueued", readonly=True)
    date_started = fields.Datetime("Started", readonly=True)
    date_done = fields.Datetime("Done", readonly=True)
    date_cancelled = fields.Datetime("Cancelled", readonly=True)
    exec_time = fields.Float("Seconds", readonly=True, aggregator="avg", digits=(16, 3))
    worker_pid = fields.Integer("Process", readonly=True, aggregator=False)
    worker_host = fields.Char("Host", readonly=True)

    result = fields.Text(readonly=True)
    exc_name = fields.Char("Exception", readonly=True)
    exc_message = fields.Char("Exception Message", readonly=True, tracking=True)
    exc_info = fields.Text("Traceback", readonly=True)

    _uuid_uniq = models.Constraint("UNIQUE(uuid)", "The UUID of a job is its own.")

    def init(self):
        """Create the indexes and triggers that the ORM does not know of."""
        schema.create(self.env.cr)

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

    @api.depends("retry", "max_retries", "lost")
    def _compute_tries(self):
        for job in self:
            tries = f"{job.retry} / {job.max_retries or '∞'}"
            lost = _(", lost %s", job.lost) if job.lost else ""
            job.tries = tries + lost

    @api.private
    @api.model_create_multi
    def create(self, vals_list):
        """Not for calls from outside: a job is made by ``delay``."""
        silent = self.with_context(mail_create_nolog=True, mail_create_nosubscribe=True)
        return super(QueueJob, silent).create(vals_list)

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
        return {*self._protected_fields, *ours} - EDITABLE

    def _edit(self, values):
        """Write what only the engine may, by the ORM, so that other addons notice."""
        if JobState(values.get("state", JobState.PENDING)) in FINAL:
            values = {**values, "identity_claim": False}
        return self.with_context(_job_edit_sentinel=self.EDIT_SENTINEL).write(values)

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

    def _after_failure(self):
        """Let addons and followers know of a failure that was recorded by SQL."""
        if self._is_extended("write"):
            self._edit({"state": JobState.FAILED.value})
        self._message_post_on_failure()

    # Actions

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
                "eta": False,
                "date_enqueued": False,
                "date_started": False,
                "date_done": False,
                "date_cancelled": False,
                "exec_time": False,
                "result": False,
                "exc_name": False,
                "exc_message": False,
                "exc_info": False,
            },
        )
        jobs._wait_again()
        return True

    def button_done(self):
        """Call jobs done that are not; those that run are left alone."""
        jobs = self._change_state(
            JobState.DONE,
            sources(JobState.DONE) - {JobState.STARTED},
            {
                "date_done": fields.Datetime.now(),
                "result": _("Manually set to done by %s", self.env.user.name),
            },
        )
        jobs._release_dependents()
        return True

    def button_cancelled(self):
        """Give jobs up; those that run or are done are left alone."""
        jobs = self._change_state(
            JobState.CANCELLED,
            sources(JobState.CANCELLED),
            {
                "date_cancelled": fields.Datetime.now(),
                "result": _("Cancelled by %s", self.env.user.name),
            },
        )
        jobs._cancel_dependents()
        return True

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
        jobs._edit({"state": target.value, **values})
        return jobs

    # Storing

    @api.model
    def _delay(self, func, args, kwargs, options):
        """Store a job, in this transaction.

        :param func: bound method, or a module-level job function
        :param tuple args: its arguments
        :param dict kwargs: its keyword arguments
        :param dict options: options of the queue
        :return: the job, or the one with the same identity key that waits already
        :rtype: Job
        """
        return delay_call(self.env, func, args, kwargs, options)

    @api.model
    def _delay_each(self, method, args, kwargs, options):
        """Store a job for each record of a method; see :func:`~..bulk.delay_each`."""
        return bulk.delay_each(method, args, kwargs, options)

    @api.model
    def _delay_many(self, function, items, kwargs, options):
        """Store a job for each item; see :func:`~..bulk.delay_many`."""
        return bulk.delay_many(function, self.env, items, kwargs, options)

    @api.model
    def _insert(self, jobs):
        """Store new jobs in this transaction: by one statement, or by the ORM if addons extend it.

        :param jobs: list of :class:`~..job.Job`
        :return: the id of each by its uuid; one whose identity is claimed already is missing
        :rtype: dict
        """
        if not self._is_extended("create"):
            rows = [job._store_values(create=True) for job in jobs]
            types = self._column_types() if len(rows) > 1 else {}
            return enqueue.insert(self.env.cr, rows, types)
        numbers = {}
        for env, group in groupby(jobs, lambda job: job.env):
            # In the context of the caller, whom the extension may ask for more than the job keeps.
            model = self.with_env(env).sudo().with_context(clean_context(env.context))
            records = model._create_jobs([model._orm_values(job) for job in group])
            numbers.update((record.uuid, record.id) for record in records)
        return numbers

    @api.model
    @ormcache()
    def _column_types(self):
        """Return the type in the database of each column, by its name."""
        stored = (field for field in self._fields.values() if field.column_type)
        return {field.name: field.column_type[1] for field in stored}

    def _create_jobs(self, vals_list):
        """Create the records of jobs by the ORM.

        :raises ConcurrencyError: when another transaction has just claimed the identity of one, so
            that Odoo asks again and finds it
        """
        try:
            records = self.create(vals_list)
            records.flush_recordset()
        except UniqueViolation as error:
            if error.diag.constraint_name != schema.IDENTITY_INDEX:
                raise
            raise ConcurrencyError(str(error)) from error
        # The database has its say in the columns of a job.
        records.invalidate_recordset()
        return records

    @api.model
    def _orm_values(self, job):
        """Return the values of a new job for ``create``: as those that extend it expect them."""
        values = job._store_values(create=True)
        return {**values, "records": job.recordset, "args": job.args, "kwargs": job.kwargs}

    def _stored(self, name):
        """Return a serialized field in JSON terms: decoding may need what is gone.

        :raises DamagedError: when it cannot be read
        """
        return parse(self._stored_text(name))

    def _stored_text(self, name):
        """Return a serialized field as JSON text."""
        self.ensure_one()
        # The statement asks nobody.
        self._origin.check_access("read")
        query = SQL(
            "SELECT %s::text FROM queue_job WHERE id = %s", SQL.identifier(name), self._origin.id
        )
        rows = self.env.execute_query(query) if self.ids else ()
        return rows[0][0] if rows else None

    @api.model
    @ormcache("user")
    def _check_user(self, user):
        """See that the user in whose rights a job is to run is there.

        :raises DamagedError: when there is none, which is not remembered
        """
        if not self.env["res.users"].sudo().browse(user).exists():
            raise DamagedError(f"there is no user {user} to run it as")

    @api.model
    def _full_channel(self, name):
        try:
            return full_name(name or "")
        except (ChannelError, AttributeError, TypeError) as error:
            raise ValidationError(str(error)) from error

    # Retention

    @api.autovacuum
    def _gc_old_jobs(self):
        """Delete finished jobs after the retention of their channel.

        :return: how many went, and whether there may be more; Odoo calls again in that case
        """
        days = self._retention_days()
        gone = 0
        for channel in retention.finished_channels(self.env.cr):
            kept = next((days[name] for name in ancestors(channel) if name in days), None)
            gone += retention.delete_finished(
                self.env.cr,
                channel,
                self._removal_interval if kept is None else kept,
                RETENTION_BATCH - gone,
            )
            if gone >= RETENTION_BATCH:
                return gone, 1
        return gone, 0

    @api.model
    def _retention_days(self):
        """Return the retention of each channel that has a record, by full name."""
        channels = self.env["queue.job.channel"].sudo().search([])
        return {channel.complete_name: channel.removal_interval for channel in channels}
