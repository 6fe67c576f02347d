from odoo import _, api, fields, models
from odoo.exceptions import ValidationError

from ..core.overview import Figures, Row, overview
from ..storage import metrics, overrides, sight
from .queue_job_channel_live import described

NAMES_LIMIT = 100
"""Channels that are asked for at a time."""


class QueueJobChannel(models.Model):
    """Showing the tree of channels, those that have no record as well."""

    _inherit = "queue.job.channel"

    @api.model
    @api.readonly
    def overview(self):
        """Return every channel that is configured, set, or has jobs; parents first.

        :rtype: dict
        """
        self.check_access("read")
        records = {channel.complete_name: channel for channel in self.search([])}
        leader = self.env["queue.job.node"].sudo()._leader()
        applied = leader.revision if leader else 0
        revision = overrides.read_revision(self.env.cr)
        figures, limit = self._figures(records)
        return {
            "channels": [
                self._overview_values(row, records.get(row.name, self.browse()))
                for row in overview(records, figures)
            ],
            "has_leader": bool(leader),
            "is_applied": bool(leader) and applied >= revision,
            "revision": revision,
            "applied": applied,
            "limit": limit,
            "can_edit": self.has_access("write"),
        }

    @api.model
    def for_names(self, names=()):
        """Return the records of channels, new ones for those that have none yet.

        A new record changes nothing by itself: it leaves the limits to the configuration, and the
        retention to what it was.

        :param list names: full names of channels that :meth:`overview` shows
        :return: their ids, in this order
        :raises AccessError: for whoever may neither change channels nor operate the queue
        """
        names = list(names)
        channels = self._as_operator()
        # The tree is read once, and not at all for more than any screen asks for.
        shown = self._shown_names() if len(names) <= NAMES_LIMIT else set()
        unknown = [name for name in names if name not in shown]
        if unknown:
            raise ValidationError(_("No job and no setting knows these channels: %s", unknown[:9]))
        return [channels._for_name(name).id for name in names]

    def _for_name(self, name):
        """Return the record of a channel, a new one if there is none."""
        known = self.search([("complete_name", "=", name)], limit=1)
        if known:
            return known
        above, _dot, last = name.rpartition(".")
        parent = self._for_name(above)
        return self.create(
            {
                "name": last,
                "parent_id": parent.id,
                "removal_interval": parent.removal_interval,
            }
        )

    @api.model
    def _shown_names(self):
        """Return the full names of the channels that the screen shows."""
        records = self.sudo().search([]).mapped("complete_name")
        figures, _limit = self._figures(records)
        return {row.name for row in overview(records, figures)}

    @api.model
    def _figures(self, names):
        """Return what is known of the queue as a whole, and how many ready jobs were counted.

        :param names: of channels that have a record
        :return: figures, and the limit of jobs of a channel; 0 when all were counted
        :rtype: tuple
        """
        configured = self._configured()
        in_force = self._in_force(configured)
        waiting, limit = self._waiting({*names, *in_force})
        figures = Figures(
            configured=configured,
            in_force=in_force,
            running=sight.read_running(self.env.cr),
            waiting=waiting,
            recent=metrics.read_recent(self.env.cr),
        )
        return figures, limit

    @api.model
    def _waiting(self, names):
        """Return the ready jobs of each channel, and how many were counted at the most."""
        ready = sight.read_ready(self.env.cr)
        if ready is not None:
            return ready, 0
        every = dict(enumerate(sorted({*names, *sight.read_ready_channels(self.env.cr)})))
        found = sight.read_waiting(self.env.cr, every, sight.CAPPED_LIMIT)
        waiting = {every[number]: values for number, values in found.items() if values[0]}
        return waiting, sight.CAPPED_LIMIT

    @api.model
    def _overview_values(self, row: Row, record):
        """Return a row of the tree in terms of JSON."""
        config = row.config
        return {
            "id": record.id,
            "name": row.name,
            "depth": row.depth,
            "running": row.running,
            "capacity": config.capacity or 0,
            "throttle": config.throttle,
            "sequential": config.sequential,
            "waiting": row.waiting,
            "waiting_here": row.waiting_here,
            "oldest": row.oldest,
            "done": row.recent.done,
            "rate": row.recent.rate,
            "failed": row.recent.failed,
            "configured": described(row.configured) if row.configured else "",
            "set_capacity": record.capacity,
            "set_throttle": record.throttle,
            "held_by": row.held_by,
            "pause": record._pause_values(row),
        }

    def _pause_values(self, row):
        """Return who has paused a channel itself, and why; nothing when it is not."""
        if row.held_by != row.name:
            return False
        if not self.paused or (row.configured and row.configured.paused):
            return {"by": "", "reason": "", "until": False, "is_configured": True}
        return {
            "by": self.sudo().paused_by_id.name or "",
            "reason": self.pause_reason or "",
            "until": fields.Datetime.to_string(self.paused_until) if self.paused_until else False,
            "is_configured": False,
        }
