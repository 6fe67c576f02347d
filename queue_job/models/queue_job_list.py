from collections import defaultdict

from odoo import _, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, escape_psql

from ..core.argument_path import ArgumentPathError, read_path, read_record
from ..core.states import FINAL, JobState
from ..durations import seconds_between
from ..roles import MANAGER, OPERATOR
from ..storage import searching

LIVE_STATES = tuple(state for state in JobState if state not in FINAL or state is JobState.FAILED)
"""What waits, runs or has failed: all that anybody can do something about."""

COUNTED = 1_000
"""Jobs of a state that the search panel counts."""

NEWEST_FIRST = "queue_job_newest_first"
"""Key of the context of what counts up to a limit."""

MOST_RECORDS = 20
"""Records whose jobs are looked for at a time."""

MOST_MODELS = 5
"""Models that people call alike."""

LONG_SECONDS = 300
"""From here on a running job counts as long."""


class QueueJob(models.Model):
    """What the list of jobs shows and finds, beside what a job is."""

    _inherit = "queue.job"

    is_live = fields.Boolean(
        "Waits, Runs or Failed", compute="_compute_is_live", search="_search_is_live"
    )
    runs_long = fields.Boolean("Running Long", compute="_compute_times", search="_search_runs_long")
    created_since = fields.Datetime(
        compute="_compute_created_since", search="_search_created_since"
    )
    channel_id = fields.Many2one(
        "queue.job.channel",
        "Channel Record",
        compute="_compute_channel_id",
        search="_search_channel_id",
        groups=OPERATOR,
    )
    argument = fields.Char(
        compute="_compute_argument",
        search="_search_argument",
        # Who finds a job by a guess knows that it is right, whatever of the call is masked.
        groups=MANAGER,
        help="args.order_id:42 finds the jobs that were called with 42 as order_id, by position in "
        "a dict or by name; args.0:42 in the first place; kwargs.options.lang:en inside of a "
        "named one. Looks at the newest 50,000 jobs, and at those that failed.",
    )
    record_ref = fields.Char(
        "Record",
        compute="_compute_record_link",
        search="_search_record_ref",
        help="res.partner,42 finds the jobs that run on it. Looks at the newest 50,000 jobs, at "
        "all that failed, and at all of models whose records show their jobs.",
    )
    record_link = fields.Json("Runs On", compute="_compute_record_link")
    waited = fields.Float(
        "Waited (s)",
        compute="_compute_times",
        help="From when it could run until it was started, or until now",
    )
    ran = fields.Float("Ran (s)", compute="_compute_times", help="Or has been running for")
    worker = fields.Char(compute="_compute_worker")

    @api.depends("state")
    def _compute_is_live(self):
        for job in self:
            job.is_live = job.state in LIVE_STATES

    @api.model
    def _search_is_live(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        newest = searching.newest_live(self.env.cr)
        bound = Domain.TRUE if newest is None else Domain("id", "<=", newest)
        return bound & self._in_sql(searching.LIVE)

    @api.model
    def _in_sql(self, condition, **values):
        """Return a domain of a condition in SQL."""

        def to_sql(_model, alias, _query):
            values["job"] = SQL.identifier(alias)
            return SQL(condition, **values)  # of storage, a constant

        return Domain.custom(to_sql=to_sql)

    @api.depends("state", "eta", "date_created", "date_started", "date_done", "exec_time")
    def _compute_times(self):
        now = fields.Datetime.now()
        for job in self:
            job.waited = job._waited(now)
            job.ran = job._ran(now)
            job.runs_long = job.state == JobState.STARTED and job.ran >= LONG_SECONDS

    def _waited(self, now):
        waits = self.state in (JobState.PENDING, JobState.ENQUEUED)
        until = self.date_started or (now if waits else False)
        since = max(filter(None, (self.date_created, self.eta)), default=False)
        return seconds_between(since, until) if since and until else False

    def _ran(self, now):
        if self.state != JobState.STARTED:
            return self.exec_time
        # What runs has run for some time.
        started = self.date_started
        return max(0.001, seconds_between(started, now)) if started else False

    @api.model
    def _search_runs_long(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        since = fields.Datetime.subtract(fields.Datetime.now(), seconds=LONG_SECONDS)
        return [("state", "=", JobState.STARTED.value), ("date_started", "<=", since)]

    @api.depends("date_created")
    def _compute_created_since(self):
        for job in self:
            job.created_since = job.date_created

    @api.model
    def _search_created_since(self, operator, value):
        """Find by age without an index on it: ids are in the order of time."""
        if operator not in (">", ">="):
            return NotImplemented
        first = searching.first_since(self.env.cr, value)
        return [("id", ">=", first), ("date_created", operator, value)]

    @api.depends("channel")
    def _compute_channel_id(self):
        known = self.env["queue.job.channel"].sudo()
        known = known.search([("complete_name", "in", self.mapped("channel"))])
        by_name = {channel.complete_name: channel.id for channel in known}
        for job in self:
            job.channel_id = by_name.get(job.channel, False)

    @api.model
    def _search_channel_id(self, operator, value):
        if operator not in ("in", "child_of"):
            return NotImplemented
        ids = [value] if isinstance(value, int) else list(value)
        names = self.env["queue.job.channel"].browse(ids).exists().mapped("complete_name")
        found = Domain("channel", "in", names)
        if operator == "child_of":
            # Also those below that have no record.
            below = (self._in_sql(searching.BELOW, above=f"{name}.") for name in names)
            found |= Domain.OR(below)
        return found

    def _compute_argument(self):
        self.argument = False

    @api.model
    def _search_argument(self, operator, value):
        """Find jobs by a path in their arguments.

        :raises UserError: when it is none, saying how to write one
        :raises AccessError: for all but managers
        """
        # Odoo asks it of who may not read the field as well.
        self._check_field_access(self._fields["argument"], "read")
        if operator not in ("=", "ilike", "like") or not isinstance(value, str):
            return NotImplemented
        try:
            path = read_path(value)
        except ArgumentPathError as error:
            raise UserError(_("Arguments are found by their path: %s.", error)) from error
        positional, named = path.positional or None, path.named or None
        return self._in_sql(searching.CALLED_WITH, positional=positional, named=named)

    @api.depends("model_name")
    def _compute_record_link(self):
        self.record_ref = self.record_link = False
        self.check_access("read")
        by_model = defaultdict(list)
        for job, model, record, number in searching.read_records(self.env.cr, self.ids):
            by_model[model].append((self.browse(job), record, number))
        for model, found in by_model.items():
            names = self._names_of(model, [record for _job, record, _number in found])
            for job, record, number in found:
                job.record_ref = f"{model},{record}"
                job.record_link = {
                    "model": model,
                    "id": record,
                    "name": names.get(record, False),
                    "more": number - 1,
                }

    @api.model
    def _names_of(self, model, ids):
        """Return the names of records that are there and that the user may read, by id."""
        if model not in self.env or self.env[model]._abstract:
            return {}
        records = self.env[model].browse(dict.fromkeys(ids)).exists()
        if not records.has_access("read"):
            return {}
        return {record.id: record.display_name for record in records._filtered_access("read")}

    @api.model
    def _search_record_ref(self, operator, value):
        """Find jobs by the first record or any other that they run on."""
        if operator == "in":
            texts = [text for text in value if isinstance(text, str)]
            return Domain.OR(self._runs_on(text) for text in texts[:MOST_RECORDS])
        if operator not in ("ilike", "like") or not isinstance(value, str):
            return NotImplemented
        return self._runs_on(value)

    @api.model
    def _runs_on(self, text):
        """Return the domain of the jobs of a record, given as model and id."""
        asked = read_record(text)
        if asked is None:
            return Domain.FALSE
        model, record = asked
        found = self._in_sql(searching.RUNS_ON, ids=f"[{record}]")
        if not model:
            return found
        called = self._models_called(model)
        marked = [number for name in called for number in self._ids_of(name, record)]
        return found & Domain("model_name", "in", called) | Domain("id", "in", marked)

    @api.model
    def _models_called(self, name):
        """Return the models of a name, technical or as people say it."""
        named = [("name", "=ilike", escape_psql(name))]
        label = self.env["ir.model"].sudo().search(named, limit=MOST_MODELS)
        return [name, *label.mapped("model")]

    @api.depends("worker_host", "worker_pid")
    def _compute_worker(self):
        for job in self:
            parts = (job.worker_host, job.worker_pid and str(job.worker_pid))
            job.worker = ":".join(filter(None, parts))

    # What the list asks for

    @api.model
    def _search(self, domain, offset=0, limit=None, order=None, **options):
        """Begin with the newest, for whoever counts up to a limit: those are found at once.

        Without an order PostgreSQL may begin with a million finished ones.
        """
        if limit and not order and self.env.context.get(NEWEST_FIRST):
            order = "id DESC"
        return super()._search(domain, offset, limit, order, **options)

    def _format_web_search_read_results(self, *args, **options):
        """Count for the pager."""
        jobs = self.with_context(**{NEWEST_FIRST: True})
        return super(QueueJob, jobs)._format_web_search_read_results(*args, **options)

    @api.model
    def _search_panel_selection_range(self, field_name, **kwargs):
        """Return the values of a selection; of states, only those that are live are counted."""
        if field_name != "state":
            return super()._search_panel_selection_range(field_name, **kwargs)
        domain = Domain(kwargs.get("model_domain") or [])
        return self.with_context(**{NEWEST_FIRST: True})._states_with_counts(domain)

    @api.model
    def _states_with_counts(self, domain):
        states = []
        for state, label in self._fields["state"]._description_selection(self.env):
            value = {"id": state, "display_name": label}
            if state in LIVE_STATES:
                live = domain & Domain("state", "=", state) & Domain("is_live", "=", True)
                count = self.search_count(live, limit=COUNTED + 1)
                value.update(__count=count, is_more=count > COUNTED)
            states.append(value)
        return states
