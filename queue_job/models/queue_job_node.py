from odoo import api, fields, models

from ..storage import nodes


class QueueJobNode(models.Model):
    """An Odoo server whose workers run jobs, as its runner announced it.

    The rows are written by the runners, by SQL; nobody creates or changes them here.
    """

    _name = "queue.job.node"
    _description = "Job Queue Node"
    _rec_name = "host"
    _order = "id"
    _log_access = False

    host = fields.Char(readonly=True, required=True)
    pid = fields.Integer("Runner's Process", readonly=True, aggregator=None)
    url = fields.Char("Address", readonly=True, help="Where the leader sends leases")
    slots = fields.Integer("Workers", readonly=True, help="Leases that it takes at a time")
    standalone = fields.Boolean(
        readonly=True, help="The runner speaks for servers that have no runner of their own"
    )
    version = fields.Char(readonly=True)
    channels = fields.Char(readonly=True, help="In force when this runner leads")
    revision = fields.Integer(readonly=True, help="Of the channels' settings in force")
    problem = fields.Char(readonly=True, help="Why the leader cannot use these workers")
    date_started = fields.Datetime("Started on", readonly=True)
    date_seen = fields.Datetime("Last Heartbeat", readonly=True, help="Once a minute")
    date_leading = fields.Datetime("Leading Since", readonly=True)
    here = fields.Boolean(
        compute="_compute_here", search="_search_here", help="Its runner is connected"
    )
    leads = fields.Boolean(compute="_compute_here", help="This runner dispatches")

    def init(self):
        """Let it be seen which nodes are there."""
        nodes.create(self.env.cr)

    def _compute_here(self):
        here = self._here_ids()
        leader = max(
            (node for node in self if node.id in here and node.date_leading),
            key=lambda node: node.date_leading,
            default=None,
        )
        for node in self:
            node.here = node.id in here
            node.leads = node == leader

    @api.model
    def _leader(self):
        """Return the node whose runner dispatches; none when none does."""
        return self.search([("here", "=", True)]).filtered("leads")

    @api.model
    def _search_here(self, operator, value):
        if operator != "in":
            return NotImplemented
        here = [("id", "in", list(self._here_ids()))]
        return here if True in value else ["!", *here]

    def _here_ids(self):
        """Return the numbers of the nodes whose runner is connected."""
        return {node.id for node in nodes.read_nodes(self.env.cr)}
