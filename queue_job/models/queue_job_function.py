import ast
import re
from typing import NamedTuple

from odoo import _, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, ormcache

from ..core.channels import ROOT
from ..core.retry import RetryPatternError, check_pattern
from ..decorator import JOB_METHODS, JOB_REGISTRY, declared

METHOD_NAME = re.compile(r"<([0-9a-z_.]+)>\.([0-9a-zA-Z_]+)\Z")

TEXT_LIMIT = 2000
"""Characters of a pattern that is typed in; the longest sensible one has a tenth."""


class JobConfig(NamedTuple):
    """What is known of a job function; the record wins over the declaration.

    :param channel: full name
    :param retry_pattern: seconds or bounds by number of the try
    :param job_function_id: id of the record, if there is one
    """

    channel: str
    retry_pattern: dict
    job_function_id: int | None


class QueueJobFunction(models.Model):
    _name = "queue.job.function"
    _description = "Job Function"
    _log_access = False
    _order = "name"

    name = fields.Char(
        required=True,
        index=True,
        help="<model>.method, or module.function",
    )
    channel_id = fields.Many2one(
        "queue.job.channel",
        "Own Channel",
        index=True,
        ondelete="restrict",
        help="Replaces the channel that the code declares",
    )
    channel = fields.Char(
        compute="_compute_channel",
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
        help="Seconds to wait by number of the try, for example {1: 10, 5: 60, 10: (300, 600)}. "
        "Replaces the pattern that the code declares.",
    )

    _name_uniq = models.Constraint("UNIQUE(name)", "There is one record per job function.")

    @api.depends("name", "channel_id.complete_name")
    def _compute_channel(self):
        for function in self:
            code = function._declaration(function.name)
            function.channel = function.channel_id.complete_name or (
                code.default_channel if code else ROOT
            )
            function.channel_source = (
                "record" if function.channel_id else "code" if code else "default"
            )

    @api.depends("name", "retry_pattern")
    def _compute_effective_retry_pattern(self):
        for function in self:
            pattern = self.job_config(function.name).retry_pattern
            steps = (f"{number}: {seconds}" for number, seconds in sorted(pattern.items()))
            function.effective_retry_pattern = ", ".join(steps)

    @api.depends("retry_pattern")
    def _compute_edit_retry_pattern(self):
        for function in self:
            pattern = check_pattern(function.retry_pattern or {})
            function.edit_retry_pattern = str(pattern or "")

    def _inverse_edit_retry_pattern(self):
        for function in self:
            function.retry_pattern = self._read_literal(function.edit_retry_pattern or "")

    @api.model
    def _read_literal(self, text):
        """Return a dict that was typed in; it is a literal, no expression is evaluated."""
        text = text.strip()
        try:
            value = ast.literal_eval(text or "{}") if len(text) <= TEXT_LIMIT else None
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ValidationError(
                _(
                    "Retry pattern %(text)s cannot be read: write {1: 10, 5: 60}",
                    text=text[:TEXT_LIMIT],
                ),
            )
        return value

    @api.constrains("retry_pattern")
    def _check_retry_pattern(self):
        for function in self:
            try:
                check_pattern(function.retry_pattern or {})
            except RetryPatternError as error:
                raise ValidationError(str(error)) from error

    @api.model_create_multi
    def create(self, vals_list):
        """Forget what was known of the functions."""
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        """Forget what was known of the functions."""
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        """Forget what was known of the functions."""
        self.env.registry.clear_cache()
        return super().unlink()

    @api.private
    @api.model
    @ormcache("name")
    def job_config(self, name):
        """Return what is known of a job function.

        :param str name: ``<model>.method`` or ``module.function``
        :rtype: JobConfig
        """
        record = self.sudo().search([("name", "=", name)], limit=1)
        code = self._declaration(name)
        return JobConfig(
            channel=record.channel_id.complete_name or (code.default_channel if code else ROOT),
            retry_pattern=check_pattern(record.retry_pattern or {})
            or dict(code.retry_pattern if code else {}),
            job_function_id=record.id or None,
        )

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
        known = {
            f"<{model}>.{name}"
            for model, cls in self.env.registry.items()
            for name in JOB_METHODS
            if not cls._abstract and declared(cls, name)
        }
        known.update(name for name in JOB_REGISTRY if self._is_loaded(name))
        missing = known - set(self.sudo().search([]).mapped("name"))
        for name in sorted(missing):
            # Several processes load their registry at a time; the first one wins.
            self.env.cr.execute(
                SQL(
                    "INSERT INTO queue_job_function (name) VALUES (%s) ON CONFLICT DO NOTHING",
                    name,
                ),
            )
        if missing:
            self.env.registry.clear_cache()
