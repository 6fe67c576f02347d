from odoo import _, api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..core.channels import ancestors, override, parse_channels, running_below
from ..roles import OPERATOR
from ..storage import overrides, sight

CAPACITY_LIMIT = 10_000
"""Of what can be typed; more workers than that has nobody."""


class QueueJobChannel(models.Model):
    """Steering a channel while it runs, and seeing what goes on in it."""

    _inherit = "queue.job.channel"

    capacity = fields.Integer(
        tracking=True,
        help="Jobs at a time, here and below; 0 leaves what the configuration of the server says",
    )
    throttle = fields.Float(
        "Throttle (s)",
        tracking=True,
        help="Least time between two starts; 0 leaves what the configuration of the server says",
    )
    paused = fields.Boolean(tracking=True, help="Nothing starts here, nor below")
    pause_reason = fields.Char(tracking=True)
    paused_until = fields.Datetime(tracking=True, help="The pause ends by itself then")
    paused_by_id = fields.Many2one("res.users", "Paused By", readonly=True)
    date_paused = fields.Datetime("Paused Since", readonly=True)

    configured = fields.Char(
        "Configuration", compute="_compute_live", help="What the leader's channel string says"
    )
    capacity_in_force = fields.Integer(
        "Capacity in Force", compute="_compute_live", help="0: no limit of its own"
    )
    running = fields.Integer(compute="_compute_live", help="Jobs that run, here and below")
    waiting = fields.Integer(compute="_compute_live", help="Ready jobs of this channel")
    oldest = fields.Float(
        "Oldest (s)", compute="_compute_live", help="How long its next job is ready"
    )
    is_applied = fields.Boolean("In Force", compute="_compute_is_applied")
    is_held = fields.Boolean("Held", compute="_compute_live", help="It, or one above it, is paused")

    _capacity_range = models.Constraint(
        f"CHECK(capacity BETWEEN 0 AND {CAPACITY_LIMIT})",
        "The capacity of a channel is a number of jobs, 1 or more; 0 leaves it to the server.",
    )
    _throttle_range = models.Constraint(
        "CHECK(throttle BETWEEN 0 AND 86400)",
        "The throttle of a channel is a number of seconds, a day at the most.",
    )

    def init(self):
        """Let the leader hear of changes."""
        overrides.create(self.env.cr)

    @api.depends("complete_name", "capacity", "paused", "paused_until")
    def _compute_live(self):
        configured = self._configured()
        in_force = self._in_force()
        running = sight.read_running(self.env.cr)
        waiting = sight.read_waiting(
            self.env.cr, {channel.id: channel.complete_name for channel in self if channel.id}
        )
        for channel in self:
            name = channel.complete_name or ""
            above = [in_force[other] for other in ancestors(name) if other in in_force]
            channel.configured = described(configured[name]) if name in configured else False
            channel.capacity_in_force = in_force[name].capacity if name in in_force else 0
            channel.running = running_below(running, name)
            channel.waiting, channel.oldest = waiting.get(channel.id, (0, 0.0))
            channel.is_held = any(config.paused for config in above)

    @api.depends("capacity", "throttle", "paused", "paused_until")
    def _compute_is_applied(self):
        leader = self.env["queue.job.node"].sudo()._leader()
        applied = bool(leader) and leader.revision >= overrides.read_revision(self.env.cr)
        self.is_applied = applied

    @api.model
    def _configured(self):
        """Return what the leader was configured with; nothing when none leads."""
        leader = self.env["queue.job.node"].sudo()._leader()
        return parse_channels(leader.channels or "") if leader else {}

    @api.model
    def _in_force(self, configured=None):
        """Return the same with what operators have set.

        :param configured: what :meth:`_configured` returned, if it was asked already
        """
        configured = self._configured() if configured is None else configured
        return override(configured, overrides.read_overrides(self.env.cr).by_name)

    @api.constrains("paused", "paused_until")
    def _check_paused_until(self):
        for channel in self:
            until = channel.paused_until
            if channel.paused and until and until <= fields.Datetime.now():
                raise ValidationError(_("A pause ends in the future: %s is over.", until))

    def action_pause(self, reason="", until=False):
        """Let nothing start in the channels and below, until :meth:`action_resume`.

        :param str reason: what the screens say
        :param until: when the pause ends by itself
        """
        self._as_operator().write(
            {
                "paused": True,
                "pause_reason": reason or False,
                "paused_until": until,
                "paused_by_id": self.env.uid,
                "date_paused": fields.Datetime.now(),
            }
        )
        return True

    def action_resume(self):
        """Let jobs start in the channels again."""
        self._as_operator().write(
            {
                "paused": False,
                "pause_reason": False,
                "paused_until": False,
                "paused_by_id": False,
                "date_paused": False,
            }
        )
        return True

    def _pause_text(self, in_full):
        """Say until when the channel is paused.

        :param bool in_full: and by whom, and why
        """
        until = _(" until %s", self.paused_until) if self.paused_until else ""
        reason = f": {self.pause_reason}" if in_full and self.pause_reason else "."
        return _(
            "The channel %(channel)s is paused by %(who)s%(until)s%(reason)s",
            channel=self.complete_name,
            who=(in_full and self.paused_by_id.name) or _("an operator"),
            until=until,
            reason=reason,
        )

    @api.model_create_multi
    def create(self, vals_list):
        """Let nobody say that somebody else has paused a channel."""
        for vals in vals_list:
            self._check_who_paused(vals)
        return super().create(vals_list)

    def write(self, vals):
        """Let nobody say that somebody else has paused a channel."""
        self._check_who_paused(vals)
        return super().write(vals)

    @api.model
    def _check_who_paused(self, vals):
        if not self.env.su and vals.get("paused_by_id") not in (None, False, self.env.uid):
            raise AccessError(_("Whoever pauses a channel does it in their own name."))

    def _as_operator(self):
        """Return the channels in rights that can pause them, which operators lack.

        :raises AccessError: for whoever may neither change channels nor operate the queue
        """
        operates = self.env.user.has_group(OPERATOR)
        if not (self.env.su or operates or self.has_access("write")):
            raise AccessError(_("Only an operator of the job queue may pause channels."))
        self.check_access("read")
        return self.sudo()


def described(config):
    """Return what the configuration says of a channel, as it is written there."""
    keys = [str(config.capacity or "")]
    keys += [key for key in ("sequential", "paused") if getattr(config, key)]
    if config.throttle:
        keys.append(f"throttle={config.throttle:g}")
    return ":".join([config.name, *keys])
