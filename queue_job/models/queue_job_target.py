from odoo import _, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import ormcache

from ..roles import OPERATOR, VIEWER
from ..storage import targets

MODELS_KEY = "queue_job.button_models"
"""Parameter: names of the models whose forms show the jobs of a record, with commas between."""

COUNT = "queue_job_count"
"""The field by which a model is known that shows its jobs by its own code."""


class QueueJob(models.Model):
    """Finding the jobs of a record."""

    _inherit = "queue.job"

    linked = fields.Boolean(
        readonly=True, help="Found from its records however many jobs there are"
    )

    @api.model
    def _ids_of(self, model, number):
        """Return the ids of the newest jobs of a record, as far as a viewer may know of them."""
        sees_all = self.env.su or self.env.user.has_group(OPERATOR)
        self.flush_model(["state", "user_id"])
        return targets.find(self.env.cr, model, number, None if sees_all else self.env.uid)

    @api.model
    def _is_linked(self, records):
        """Tell whether jobs of these records are to be found from them."""
        return COUNT in records._fields or records._name in self._button_models()

    @api.model
    @ormcache(cache="stable")  # As parameters are.
    def _button_models(self):
        """Return the names of the models to whose forms the button is added."""
        text = self.env["ir.config_parameter"].sudo().get_param(MODELS_KEY) or ""
        return frozenset(name.strip() for name in text.split(",") if name.strip())


class QueueJobButton(models.AbstractModel):
    """What the button *Jobs* on the form of a record asks for."""

    _name = "queue.job.button"
    _description = "Jobs of a Record"

    @api.model
    @api.readonly
    def count_jobs(self, model="", number=0):
        """Return how many jobs of a record there are, of those that the user may see.

        :param str model: name of the record's model
        :param int number: its id
        :return: ``{"count", "failed", "running", "limit"}``; all but the newest ``limit`` are left
            out
        :raises AccessError: for whoever may not see the record, or no job at all
        """
        jobs = self._jobs(model, number)
        states = jobs.mapped("state")
        return {
            "count": len(states),
            "failed": states.count("failed"),
            "running": states.count("started"),
            "limit": targets.FOUND_LIMIT,
        }

    @api.model
    @api.readonly
    def open_jobs(self, model="", number=0):
        """Return the action that shows the jobs of a record.

        :param str model: name of the record's model
        :param int number: its id
        :raises AccessError: for whoever may not see the record, or no job at all
        """
        self._check(model, number)
        action = self.env["ir.actions.act_window"]._for_xml_id("queue_job.action_queue_job")
        domain = [("record_ref", "in", [f"{model},{number}"])] if model else [("id", "=", False)]
        return {**action, "domain": domain, "context": {}, "path": False}

    @api.model
    def _jobs(self, model, number):
        """Return the newest jobs of a record that the user may see."""
        self._check(model, number)
        jobs = self.env["queue.job"]
        if not model:
            return jobs
        ids = jobs._ids_of(model, number)
        return jobs.search_fetch([("id", "in", ids)], ["state"])

    @api.model
    def _check(self, model, number):
        """See that the user may read jobs, and the record."""
        self.env["queue.job"].check_access("read")
        if not model:
            return
        if model not in self.env or self.env[model]._abstract:
            raise AccessError(_("There is no model %s.", model))
        self.env[model].browse(int(number)).check_access("read")


class QueueJobMixin(models.AbstractModel):
    """For models whose records show the jobs that run on them::

    <button name="action_open_queue_jobs" type="object" class="oe_stat_button" icon="fa-cogs">
        <field name="queue_job_count" widget="statinfo" />
    </button>
    """

    _name = "queue.job.mixin"
    _description = "Shows Its Jobs"

    queue_job_count = fields.Integer(
        "Jobs",
        compute="_compute_queue_job_count",
        groups=VIEWER,
        help="Jobs of this record that the user may see, a thousand at the most",
    )

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_queue_job_count(self):
        button = self.env["queue.job.button"]
        for record in self:
            number = record._origin.id
            record.queue_job_count = len(button._jobs(self._name, number)) if number else 0

    def action_open_queue_jobs(self):
        """Open the jobs of the record."""
        self.ensure_one()
        return self.env["queue.job.button"].open_jobs(self._name, self.id)


class Base(models.AbstractModel):
    """The same button for models that somebody has listed in the settings, without code."""

    _inherit = "base"

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return (*key, "queue_job") if self._has_job_button(view_type) else key

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        if self._has_job_button(view_type):
            _add_button(arch)
        return arch, view

    @api.model
    def _has_job_button(self, view_type):
        if view_type != "form" or "queue.job" not in self.env:
            return False
        return self._name in self.env["queue.job"]._button_models()


def _add_button(arch):
    """Add the button to a form, if it has a place for such; if not, make one in its sheet."""
    boxes = arch.xpath("//div[@name='button_box'][not(ancestor::field)]")
    sheets = arch.xpath("//sheet[not(ancestor::field)]")
    if not boxes and sheets:
        boxes = [arch.makeelement("div", {"name": "button_box", "class": "oe_button_box"})]
        sheets[0].insert(0, boxes[0])
    if boxes:
        widget = {"name": "queue_job_button", "groups": VIEWER}
        boxes[0].append(arch.makeelement("widget", widget))
