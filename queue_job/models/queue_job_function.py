import ast
import re
from typing import NamedTuple

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL, ormcache

from ..core.backoff import Backoff, RetryPatternError, check_policy
from ..core.channels import ROOT
from ..core.memory import MOST_MB, check_memory
from ..core.quoting import shown
from ..core.stop import check_timeout
from ..decorator import JOB_METHODS, JOB_REGISTRY, declared
from ..job import IDENTITY_SCOPES
from ..settings import settings

METHOD_NAME = re.compile(r"<([0-9a-z_.]+)>\.([0-9a-zA-Z_]+)\Z")

ACTION_KEYS = {"enable", "func_name", "kwargs"}
"""What a related action may say."""

ACTION_PREFIX = "related_action"
"""What the name of a method that returns an action begins with, an underscore before it or not."""

TEXT_LIMIT = 2000
"""Characters of a pattern or action typed in; the longest sensible one has a tenth."""


class JobConfig(NamedTuple):
    """What is known of a job function; for each value the record wins over the declaration.

    :param channel: full name
    :param retry_pattern: seconds or bounds by number of the try
    :param related_action_enable: whether *Related Record* opens anything
    :param related_action_func_name: method of ``queue.job``, or function, that says what
    :param related_action_kwargs: its keyword arguments
    :param job_function_id: id of the record, if there is one
    :param allow_commit: kept for those who read it; every job may commit
    :param on_fail_method_name: method of the job's model to be called when it has failed
    :param identity_scope: how long an identity key keeps the same job out: ``waiting``, ``running``
    :param timeout: seconds that a job may take; ``None`` for no limit
    :param retry_on: exceptions after which a job is tried again
    :param backoff: waits that grow from try to try; there is no pattern then
    :param memory: MB that a job may take; ``None`` for no limit
    """

    channel: str = ROOT
    retry_pattern: dict = {}
    related_action_enable: bool = True
    related_action_func_name: object = None
    related_action_kwargs: dict = {}
    job_function_id: int | None = None
    allow_commit: bool = False
    on_fail_method_name: str | None = None
    identity_scope: str = "waiting"
    timeout: float | None = None
    retry_on: tuple = ()
    backoff: Backoff | None = None
    memory: float | None = None

    @property
    def waits(self):
        """How long to wait after which try: the backoff, else the pattern."""
        return self.backoff or self.retry_pattern


class QueueJobFunction(models.Model):
    _name = "queue.job.function"
    _description = "Job Function"
    _log_access = False
    _order = "name"

    JobConfig = JobConfig

    name = fields.Char(
        compute="_compute_name",
        inverse="_inverse_name",
        store=True,
        readonly=False,
        index=True,
        help="<model>.method, or module.function",
    )
    # Stays without its model: jobs of the past refer to it, and an addon must go all the same.
    model_id = fields.Many2one("ir.model", "Model", ondelete="set null", index="btree_not_null")
    method = fields.Char()
    on_fail_method = fields.Char(help="Method of the model to be called when a job has failed")
    channel_id = fields.Many2one(
        "queue.job.channel",
        "Own Channel",
        index=True,
        ondelete="restrict",
        help="Replaces the channel that the code declares",
    )
    channel = fields.Char(
        compute="_compute_channel",
        search="_search_channel",
        help="Where jobs of this function run",
    )
    channel_source = fields.Selection(
        [("record", "This record"), ("code", "The code"), ("default", "Default")],
        compute="_compute_channel",
    )
    retry_pattern = fields.Json("Stored Retry Pattern")
    effective_retry_pattern = fields.Char(
        "Retry Pattern in Force",
        compute="_compute_effective_retry_pattern",
        help="Seconds by number of the try; 600 when there is none",
    )
    edit_retry_pattern = fields.Text(
        "Own Retry Pattern",
        compute="_compute_edit_retry_pattern",
        inverse="_inverse_edit_retry_pattern",
        help="Seconds to wait by number of the try, for example {1: 10, 5: 60, 10: (300, 600)}; or "
        "waits that grow, {'backoff': {'first': 10, 'factor': 2, 'most': 3600, 'jitter': 0.2}}. "
        "Replaces the pattern or backoff that the code declares.",
    )
    retry_pattern_source = fields.Selection(
        [("record", "This record"), ("code", "The code"), ("default", "Default")],
        compute="_compute_channel",
    )
    related_action = fields.Json("Stored Related Action")
    edit_related_action = fields.Text(
        "Related Action",
        compute="_compute_edit_related_action",
        inverse="_inverse_edit_related_action",
        help="What Related Record opens, for example "
        "{'enable': True, 'func_name': 'related_action_open_record', 'kwargs': {}}.",
    )
    allow_commit = fields.Boolean(help="Kept for other addons: every job may commit")

    identity_scope = fields.Selection(
        IDENTITY_SCOPES,
        "Identity Key Holds",
        help="How long a job keeps others with the same identity key out. Replaces what the code "
        "declares.",
    )

    timeout = fields.Float(
        "Time Limit (s)",
        help="Seconds that a job may take before it is stopped. Replaces what the code declares; "
        "0 leaves it at that.",
    )

    effective_timeout = fields.Char(
        "Time Limit in Force", compute="_compute_limits", help="And where it comes from"
    )
    memory = fields.Float(
        "Memory Limit (MB)",
        help="What a job may add to the memory of its worker before it is stopped. Replaces what "
        "the code declares; 0 leaves it at that.",
    )
    effective_memory = fields.Char(
        "Memory Limit in Force", compute="_compute_limits", help="And where it comes from"
    )

    _memory_range = models.Constraint(
        f"CHECK(memory BETWEEN 0 AND {MOST_MB})",
        "The memory limit of a function is a number of MB.",
    )
    _timeout_range = models.Constraint(
        "CHECK(timeout BETWEEN 0 AND 31622400)",
        "The time limit of a function is a number of seconds, up to a year.",
    )
    _name_uniq = models.Constraint("UNIQUE(name)", "There is one record per job function.")

    @api.depends("model_id.model", "method")
    def _compute_name(self):
        for function in self:
            if function.model_id and function.method:
                function.name = self.job_function_name(function.model_id.model, function.method)
            else:
                function.name = function.name or False

    def _inverse_name(self):
        for function in self:
            found = METHOD_NAME.match(function.name or "")
            if found:
                model = self.env["ir.model"].sudo().search([("model", "=", found[1])], limit=1)
                if not model:
                    raise ValidationError(_("Model %s not found", found[1]))
                function.model_id, function.method = model.id, found[2]
            elif not JOB_REGISTRY.get(function.name or ""):
                raise ValidationError(
                    _(
                        "%s names no job function: write <model.name>.method, or module.function",
                        function.name,
                    ),
                )

    @api.depends("name", "channel_id.complete_name", "retry_pattern")
    def _compute_channel(self):
        for function in self:
            code = function._declaration(function.name)
            channel = function.channel_id.complete_name
            function.channel = channel or (code.default_channel if code else ROOT)
            function.channel_source = function._source(channel, code)
            function.retry_pattern_source = function._source(
                function.retry_pattern, code and (code.retry_pattern or code.backoff)
            )

    @api.depends("name", "timeout", "memory")
    def _compute_limits(self):
        for function in self:
            code = self._declaration(function.name)
            function.effective_timeout = self._limit_text(
                _("%s s"), function.timeout, code and code.timeout, settings().timeout
            )
            function.effective_memory = self._limit_text(
                _("%s MB"), function.memory, code and code.memory, settings().memory
            )

    @api.model
    def _limit_text(self, unit, record, code, server):
        """Return the limit in force in words, with where it comes from."""
        found = (
            (record, _("this record")),
            (code, _("the code")),
            (server, _("the configuration of the server")),
        )
        for number, source in found:
            if number:
                return f"{unit % f'{number:g}'} ({source})"
        return _("None: that of Odoo holds")

    def _search_channel(self, operator, value):
        """Find functions by where their jobs run, whoever says so."""
        found = self.search([]).filtered_domain([("channel", operator, value)])
        return [("id", "in", found.ids)]

    def _source(self, own, code):
        return "record" if own else "code" if code else "default"

    @api.depends("name", "retry_pattern")
    def _compute_effective_retry_pattern(self):
        for function in self:
            config = self.job_config(function.name)
            steps = (
                f"{number}: {seconds}" for number, seconds in sorted(config.retry_pattern.items())
            )
            function.effective_retry_pattern = str(config.backoff or ", ".join(steps))

    @api.depends("retry_pattern")
    def _compute_edit_retry_pattern(self):
        for function in self:
            pattern = function.retry_pattern or {}
            if not isinstance(check_policy(pattern), Backoff):
                pattern = check_policy(pattern)
            function.edit_retry_pattern = str(pattern or "")

    def _inverse_edit_retry_pattern(self):
        for function in self:
            function.retry_pattern = self._read_literal(
                function.edit_retry_pattern, "{1: 10, 5: 60}, or {'backoff': {'first': 10}}"
            )

    @api.depends("related_action")
    def _compute_edit_related_action(self):
        for function in self:
            function.edit_related_action = str(function.related_action or "")

    def _inverse_edit_related_action(self):
        for function in self:
            function.related_action = self._read_literal(
                function.edit_related_action, "{'enable': True, 'func_name': 'name', 'kwargs': {}}"
            )

    @api.model
    def _read_literal(self, text, example):
        """Return a dict that was typed in; it is a literal, no expression is evaluated."""
        text = (text or "").strip()
        try:
            value = ast.literal_eval(text or "{}") if len(text) <= TEXT_LIMIT else None
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ValidationError(
                _(
                    "%(text)s cannot be read: write %(example)s",
                    text=text[:TEXT_LIMIT],
                    example=example,
                ),
            )
        return value

    @api.constrains("retry_pattern")
    def _check_retry_pattern(self):
        for function in self:
            try:
                check_policy(function.retry_pattern or {})
            except RetryPatternError as error:
                raise ValidationError(str(error)) from error

    @api.constrains("related_action")
    def _check_related_action(self):
        for function in self:
            action = function.related_action or {}
            if not isinstance(action, dict):
                raise ValidationError(_("Related action: %s is no dict", shown(action)))
            unknown = set(action) - ACTION_KEYS
            if unknown:
                raise ValidationError(
                    _(
                        "Related action: unknown key(s) %(unknown)s, use %(known)s",
                        unknown=", ".join(sorted(map(str, unknown))),
                        known=", ".join(sorted(ACTION_KEYS)),
                    ),
                )
            if not isinstance(action.get("func_name") or "", str):
                raise ValidationError(_("Related action: func_name is the name of a method"))
            if not isinstance(action.get("kwargs") or {}, dict):
                raise ValidationError(_("Related action: kwargs is a dict of arguments"))

    @api.model
    def _check_names_of_methods(self, vals):
        """See that only who may run any code names a method that others will run.

        A method that is called on failure runs in the user and rights of the job, a related action
        in those of whoever asks for it.

        :raises AccessError: for a manager of the queue who is no administrator
        """
        if self.env.is_system():
            return
        if vals.get("on_fail_method"):
            raise AccessError(
                _("Only an administrator names the method that is called when a job has failed.")
            )
        action = vals.get("related_action")
        name = action.get("func_name") if isinstance(action, dict) else None
        if name and not str(name).lstrip("_").startswith(ACTION_PREFIX):
            raise AccessError(
                _(
                    "Only an administrator names a related action that does not begin with "
                    "%(prefix)s, such as %(name)s.",
                    prefix=ACTION_PREFIX,
                    name=shown(name),
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        """Forget what was known of the functions; while modules are installed, merge."""
        defaults = self.default_get(["on_fail_method", "related_action"])
        for vals in vals_list:
            self._check_names_of_methods({**defaults, **vals})
        self.env.registry.clear_cache()
        if not self.env.context.get("install_mode"):
            return super().create(vals_list)
        return self.browse().concat(*(self._merge(values) for values in vals_list))

    def _merge(self, values):
        """Write to the record of this name that is there already, or create it."""
        name = values.get("name") or self._name_of(values)
        known = self.search([("name", "=", name)], limit=1) if name else self.browse()
        if not known:
            return super().create([values])
        known.write(values)
        return known

    def _name_of(self, values):
        model = self.env["ir.model"].sudo().browse(values.get("model_id") or [])
        return self.job_function_name(model.model, values.get("method")) if model else None

    def write(self, vals):
        """Forget what was known of the functions."""
        self._check_names_of_methods(vals)
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        """Forget what was known of the functions."""
        self.env.registry.clear_cache()
        return super().unlink()

    @staticmethod
    def job_function_name(model_name, method_name):
        """Return the name of the function of a model's method."""
        return f"<{model_name}>.{method_name}"

    @api.private
    @api.model
    def job_default_config(self):
        """Return what counts for a function that nothing is known of."""
        return JobConfig()

    @api.private
    @api.model
    @ormcache("name")
    def job_config(self, name):
        """Return what is known of a job function.

        The rule, for each value by itself: what the record says; else what the code declares; else
        the default.

        :param str name: ``<model>.method`` or ``module.function``
        :rtype: JobConfig
        """
        record = self.sudo().search([("name", "=", name)], limit=1)
        code = self._declaration(name)
        action = record.related_action or self._declared_action(code)
        waits = check_policy(record.retry_pattern or {})
        if not waits and code:
            waits = code.backoff or dict(code.retry_pattern)
        return JobConfig(
            channel=record.channel_id.complete_name or (code.default_channel if code else ROOT),
            retry_pattern={} if isinstance(waits, Backoff) else waits,
            related_action_enable=action.get("enable", True),
            related_action_func_name=action.get("func_name"),
            related_action_kwargs=action.get("kwargs") or {},
            job_function_id=record.id or None,
            allow_commit=record.allow_commit,
            on_fail_method_name=record.on_fail_method or None,
            identity_scope=record.identity_scope or (code.identity_scope if code else "waiting"),
            timeout=check_timeout(record.timeout) or (code.timeout if code else None),
            retry_on=code.retry_on if code else (),
            backoff=waits if isinstance(waits, Backoff) else None,
            memory=check_memory(record.memory) or (code.memory if code else None),
        )

    @api.model
    def _declared_action(self, code):
        """Return the related action that the code declares, as a record would say it."""
        if code is None or not hasattr(code, "related_action"):
            return {}
        if not code.related_action:
            return {"enable": False}
        arguments = {} if callable(code.related_action) else getattr(code, "kwargs", {})
        return {"func_name": code.related_action, "kwargs": arguments}

    @api.model
    def _declaration(self, name):
        """Return what the code declares of a job function, if it does."""
        found = METHOD_NAME.match(name or "")
        if not found:
            return JOB_REGISTRY.get(name)
        model = self.env.registry.get(found[1])
        return declared(model, found[2]) if model is not None else None

    @api.model
    def _is_loaded(self, function):
        """Tell whether the addon of a module-level function is installed in this database."""
        addon = function.removeprefix("odoo.addons.").partition(".")[0]
        return addon in self.env.registry._init_modules

    def _register_hook(self):
        """Give every job function of the code a record, so that the screen shows it."""
        super()._register_hook()
        self._record_functions(self._declared_names())

    @api.model
    def _record_functions(self, names):
        """Give a record to those of the functions that have none."""
        missing = names - set(self.sudo().search([]).mapped("name"))
        for name in sorted(missing):
            self._record_function(name)
        if missing:
            self.env.registry.clear_cache()

    def _declared_names(self):
        """Return the name of every job function of the code that is loaded."""
        names = {
            self.job_function_name(model, method)
            for model, cls in self.env.registry.items()
            for method in JOB_METHODS
            if not cls._abstract and declared(cls, method)
        }
        functions = (function.job_function_name for function in JOB_REGISTRY)
        return names.union(filter(self._is_loaded, functions))

    def _record_function(self, name):
        """Create the record of a function, unless another process just did."""
        found = METHOD_NAME.match(name)
        self.env.cr.execute(
            SQL(
                "INSERT INTO queue_job_function (name, method, model_id) "
                "SELECT %s, %s, (SELECT id FROM ir_model WHERE model = %s) ON CONFLICT DO NOTHING",
                name,
                found and found[2],
                found and found[1],
            ),
        )
