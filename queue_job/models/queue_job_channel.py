from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..core.channels import ROOT, ChannelError, full_name


class QueueJobChannel(models.Model):
    _name = "queue.job.channel"
    _description = "Job Channel"
    _inherit = "mail.thread"
    _rec_name = "complete_name"
    _order = "complete_name"

    name = fields.Char(required=True)
    complete_name = fields.Char(
        compute="_compute_complete_name",
        store=True,
        recursive=True,
        readonly=True,
    )
    parent_id = fields.Many2one("queue.job.channel", "Parent Channel", ondelete="restrict")
    job_function_ids = fields.One2many("queue.job.function", "channel_id", "Job Functions")
    removal_interval = fields.Integer(
        "Retention (days)",
        default=30,
        required=True,
        help="Jobs that are done or cancelled are deleted after so many days",
    )

    _name_uniq = models.Constraint("UNIQUE(complete_name)", "The name of a channel must be unique.")
    _removal_interval_positive = models.Constraint(
        "CHECK(removal_interval BETWEEN 0 AND 36500)",
        "The retention of a channel is a number of days, from 0 to 36,500.",
    )

    @api.depends("name", "parent_id.complete_name")
    def _compute_complete_name(self):
        for channel in self:
            above = channel.parent_id.complete_name
            channel.complete_name = f"{above}.{channel.name}" if above else channel.name

    @api.constrains("parent_id", "name")
    def _check_place(self):
        if self._has_cycle():
            raise ValidationError(_("A channel cannot be below itself."))
        for channel in self:
            if not channel.parent_id and channel.name != ROOT:
                raise ValidationError(_("A channel needs a parent: every channel is below root."))
            try:
                if full_name(channel.complete_name) != channel.complete_name:
                    raise ChannelError(f"{channel.name!r} has spaces at its ends: remove them")
            except ChannelError as error:
                raise ValidationError(str(error)) from error

    @api.model_create_multi
    def create(self, vals_list):
        """While modules are installed, merge with the channel that is there already."""
        if not self.env.context.get("install_mode"):
            return super().create(vals_list)
        return self.browse().concat(*(self._merge(values) for values in vals_list))

    def _merge(self, values):
        """Write to the channel of this name and parent, or create it."""
        place = [(name, "=", values.get(name, False)) for name in ("name", "parent_id")]
        known = self.search(place, limit=1)
        if not known:
            return super().create([values])
        known.write({name: values[name] for name in set(values) - {"name", "parent_id"}})
        return known

    def write(self, vals):
        """Protect the root channel, and the names that follow from others."""
        if "complete_name" in vals:
            raise UserError(_("The name of a channel follows from its place in the tree"))
        if {"name", "parent_id"} & set(vals) and any(not channel.parent_id for channel in self):
            raise UserError(_("Cannot change the root channel"))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_root(self):
        if any(not channel.parent_id for channel in self):
            raise UserError(_("Cannot remove the root channel"))
