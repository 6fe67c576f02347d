from odoo import _, api, fields, models

from ..core.states import JobState
from ..core.stop import Cause, OnParentStop, given_up_with
from ..storage import dependency


class QueueJob(models.Model):
    """Jobs that wait for others."""

    _inherit = "queue.job"

    dependency_ids = fields.Many2many(
        "queue.job",
        "queue_job_dependency",
        "child_id",
        "parent_id",
        "Dependency Jobs",
        readonly=True,
        help="Jobs that this one waits for",
    )
    dependent_ids = fields.Many2many(
        "queue.job",
        "queue_job_dependency",
        "parent_id",
        "child_id",
        "Dependent Jobs",
        readonly=True,
        help="Jobs that wait for this one",
    )
    on_parent_stop = fields.Selection(
        [
            (OnParentStop.CANCEL.value, "It is cancelled"),
            (OnParentStop.WAIT.value, "It waits on"),
        ],
        "When What It Waits for Is Stopped",
        readonly=True,
        help="By default it is cancelled with a job that somebody cancels, and waits for one that "
        "was stopped at a limit",
    )
    dependencies = fields.Json(compute="_compute_dependencies")
    dependency_graph = fields.Json(compute="_compute_dependency_graph")
    graph_jobs_count = fields.Integer("Jobs of the Graph", compute="_compute_graph_jobs_count")

    def init(self):
        """Create what the ORM does not know of the table of dependencies."""
        super().init()
        self.env.cr.execute(dependency.SCHEMA)

    @api.depends("dependency_ids.uuid", "dependent_ids.uuid")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_dependencies(self):
        for job in self:
            job.dependencies = {
                "depends_on": job._seen_with("dependent_ids").mapped("uuid"),
                "reverse_depends_on": job._seen_with("dependency_ids").mapped("uuid"),
            }

    def _linked_by(self, name):
        """Return the jobs that have this one in a field, those of other companies among them.

        They are searched for: what the cache has of this job's own fields is what its reader sees.
        """
        return self.sudo().search([(name, "in", self._origin.ids)])

    def _seen_with(self, name):
        """Return those of the jobs that have this one in a field which the reader may see."""
        return self._linked_by(name).with_env(self.env)._filtered_access("read")

    @api.depends("graph_uuid")
    def _compute_dependency_graph(self):
        for job in self:
            jobs = job._graph_jobs()
            job.dependency_graph = {
                "nodes": [other._dependency_graph_vis_node() for other in jobs],
                "edges": [
                    [parent.id, other.id] for other in jobs for parent in other.dependency_ids
                ],
            }

    @api.depends("graph_uuid")
    def _compute_graph_jobs_count(self):
        counts = dict(
            self._read_group(
                [("graph_uuid", "in", list(filter(None, self.mapped("graph_uuid"))))],
                ["graph_uuid"],
                ["__count"],
            ),
        )
        for job in self:
            job.graph_jobs_count = counts.get(job.graph_uuid, 0)

    def _why_waiting(self):
        """Say what keeps a job back, the parents that will not go on by themselves first."""
        stuck = (JobState.FAILED.value, JobState.CANCELLED.value)
        parents = self._linked_by("dependent_ids")
        parents = parents.filtered(lambda job: job.state != JobState.DONE)
        held = parents.filtered(lambda job: job.state in stuck)
        seen = held.with_env(self.env)._filtered_access("read")
        states = dict(self._fields["state"]._description_selection(self.env))
        if seen:
            return _(
                "It waits for %(name)s, which is %(state)s: requeue it or set it to done.",
                name=seen[0].name,
                state=states[seen[0].state].lower(),
            )
        if held:
            return _(
                "It waits for a job that you do not see, which is %s.",
                states[held[0].state].lower(),
            )
        if len(parents) == 1:
            return _("It waits for a job that is not done yet.")
        return _("It waits for %(count)s jobs that are not done yet.", count=len(parents))

    def _graph_jobs(self):
        """Return the jobs of the same graph that the user may see."""
        self.ensure_one()
        return self.search([("graph_uuid", "=", self.graph_uuid)]) if self.graph_uuid else self

    def _dependency_graph_vis_node(self):
        """Return how the job is drawn."""
        self.ensure_one()
        return {
            "id": self.id,
            "title": self.display_name,
            "state": self.state,
            "color": self._dependency_graph_color(),
            "border": "#000000" if self == self.browse(self.env.context.get("active_id")) else "",
            "shadow": False,
        }

    def _dependency_graph_color(self):
        colors = {"done": "#D2E5FF", "failed": "#FFB1B1", "cancelled": "#DDDDDD"}
        return colors.get(self.state, "#FFFFFF")

    def open_graph_jobs(self):
        """Open the drawing of the jobs of the same graph."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.actions"]._for_xml_id("queue_job.action_queue_job_graph")
        return {
            **action,
            "domain": [("graph_uuid", "=", self.graph_uuid)],
            "context": {"active_id": self.id},
        }

    def _release_dependents(self):
        """Let those go that waited for nothing but these jobs, which are done."""
        if self:
            self.env.flush_all()
            dependency.release(self.env.cr, self.ids)
            dependency.ask_for_sweep(self.env.cr)
            self.invalidate_model(["state"])

    def _cancel_dependents(self, cause=Cause.CANCELLED):
        """Give up what waits for these, through others as well, unless it says that it waits on.

        :param Cause cause: why these were stopped
        """
        self.env.flush_all()
        found = dependency.given_up(
            self.env.cr,
            self.ids,
            stopped=given_up_with(cause),
            cancelled=given_up_with(Cause.CANCELLED),
        )
        below = self.browse(found).sudo()
        waiting = below.filtered(lambda job: job.state == JobState.WAIT_DEPENDENCIES)
        waiting._edit(
            {
                "state": JobState.CANCELLED.value,
                "date_cancelled": fields.Datetime.now(),
                "result": _("Cancelled with a job that it waited for"),
            },
        )

    def _wait_again(self):
        """Put jobs that were requeued back where they stand in their graph.

        One with a parent that is not done waits for it, and its children that still wait wait for
        it as well.
        """
        if not self:
            return
        self.env.flush_all()
        children = dependency.still_waiting(self.env.cr, self.ids)
        if children:
            self.browse(children)._edit({"state": JobState.WAIT_DEPENDENCIES.value})
            self.env.flush_all()
            dependency.wait_for_parents(self.env.cr, children)
        dependency.reopen(self.env.cr, self.ids)
        # What the leader passed over meanwhile.
        dependency.ask_for_sweep(self.env.cr)
