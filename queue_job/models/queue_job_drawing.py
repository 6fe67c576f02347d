from dataclasses import asdict

from odoo import _, api, models
from odoo.exceptions import UserError

from ..core import layout
from ..core.states import JobState
from ..storage import dependency

JOBS_LIMIT = 20_000
"""Jobs of a graph that are drawn, as groups: about half a second of work."""

EDGES_LIMIT = 200_000
"""Lines of a graph that are drawn; a few jobs that all wait for the same many have as many."""

STEERED_LIMIT = 1_000
"""Jobs that are changed while the user waits."""

STOPPED = (JobState.FAILED.value, JobState.CANCELLED.value)
WAITING = (
    JobState.WAIT_DEPENDENCIES.value,
    JobState.PENDING.value,
    JobState.ENQUEUED.value,
)


class QueueJob(models.Model):
    """Drawing the jobs that wait for each other, and steering them from the drawing."""

    _inherit = "queue.job"

    @api.readonly
    def graph_drawing(self):
        """Return the graph of a job with coordinates, as far as the user may see its jobs.

        :return: ``boxes`` of one job or several, ``lines`` between them by their place in the
            list, ``states`` with the jobs in each; nothing but the ``count`` when it is too large
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        can_operate = self.has_access("write")
        too_large = {
            "job": self.id,
            "count": JOBS_LIMIT,
            "can_operate": can_operate,
            "is_too_large": True,
        }
        edges = self._graph_edges()
        if edges is None:
            return too_large
        jobs = self.search_fetch(
            self._graph_domain(edges),
            ["channel_method_name", "state"],
            order="id",
            limit=JOBS_LIMIT + 1,
        )
        if len(jobs) > JOBS_LIMIT:
            return too_large
        found = {"job": self.id, "count": len(jobs), "can_operate": can_operate}
        functions = {job.id: job.channel_method_name or "" for job in jobs}
        drawing = layout.draw(functions, edges)
        return {
            **found,
            **self._drawing_values(drawing),
            "states": {state: group.ids for state, group in jobs.grouped("state").items()},
        }

    @api.readonly
    def graph_states(self):
        """Return the numbers of the jobs of the graph by their state, as the drawing shows them."""
        self.ensure_one()
        self.check_access("read")
        edges = self._graph_edges()
        if edges is None:
            return {}
        domain = self._graph_domain(edges)
        return dict(self._read_group(domain, ["state"], ["id:array_agg"]))

    def retry_branch(self):
        """Run again what failed or was cancelled of these jobs, and of what waits for them.

        :return: how many were requeued
        :raises UserError: when they are too many to wait for
        """
        self.check_access("write")
        branch = [*self.ids, *dependency.descendants(self.env.cr, self.ids)]
        jobs = self._few_of([("id", "in", branch), ("state", "in", STOPPED)])
        jobs.requeue()
        return len(jobs)

    def cancel_rest(self):
        """Cancel what has not started yet of the graph of a job.

        :return: how many were cancelled
        :raises UserError: when they are too many to wait for
        """
        self.ensure_one()
        self.check_access("write")
        graph = ("graph_uuid", "=", self.graph_uuid) if self.graph_uuid else ("id", "=", self.id)
        jobs = self._few_of([graph, ("state", "in", WAITING)])
        jobs.button_cancelled()
        return len(jobs)

    @api.model
    def _few_of(self, domain):
        """Return the jobs of a domain.

        :raises UserError: when they are too many to be changed at once
        """
        jobs = self.search(domain, limit=STEERED_LIMIT + 1)
        if len(jobs) > STEERED_LIMIT:
            raise UserError(
                _(
                    "These are more than %s jobs: choose them in the list of jobs, where a job "
                    "changes them.",
                    STEERED_LIMIT,
                )
            )
        return jobs

    def _graph_edges(self):
        """Return what the jobs of the graph wait for; ``None`` when it is too large to be drawn."""
        if not self.graph_uuid:
            return []
        # Whoever may see them: the first look at a graph of a million is not to read its edges.
        graph = [("graph_uuid", "=", self.graph_uuid)]
        if self.sudo().search_count(graph, limit=JOBS_LIMIT + 1) > JOBS_LIMIT:
            return None
        edges = dependency.read_edges(self.env.cr, self.graph_uuid, EDGES_LIMIT + 1)
        return edges if len(edges) <= EDGES_LIMIT else None

    def _graph_domain(self, edges):
        """Return which jobs are drawn: those of the graph, and what they wait for elsewhere."""
        if not self.graph_uuid:
            return [("id", "=", self.id)]
        parents = sorted({parent for parent, _child in edges})
        return ["|", ("graph_uuid", "=", self.graph_uuid), ("id", "in", parents)]

    @api.model
    def _drawing_values(self, drawing):
        """Return a drawing in terms of JSON; a box of one job has its name."""
        alone = [box.members[0] for box in drawing.boxes if len(box.members) == 1]
        names = {job.id: job.name for job in self.search_fetch([("id", "in", alone)], ["name"])}
        return {
            "width": drawing.width,
            "height": drawing.height,
            "box": {"width": layout.WIDTH, "height": layout.HEIGHT},
            "boxes": [
                {
                    "ids": list(box.members),
                    "name": names.get(box.members[0], ""),
                    "function": box.function,
                    "x": box.x,
                    "y": box.y,
                }
                for box in drawing.boxes
            ],
            "lines": [asdict(line) for line in drawing.lines],
        }
