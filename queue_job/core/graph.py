"""Jobs that wait for other jobs: a directed graph without cycles."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, TypeVar

Vertex = TypeVar("Vertex", bound=Hashable)


class CycleError(ValueError):
    """A job would wait for itself; the message names the way round."""


class Graph(Generic[Vertex]):
    """Vertices, and edges from a parent to the child that waits for it.

    :param graph: children by vertex
    """

    def __init__(self, graph: dict[Vertex, Iterable[Vertex]] | None = None) -> None:
        self._children: dict[Vertex, dict[Vertex, None]] = {}
        for vertex, children in (graph or {}).items():
            self.add_vertex(vertex)
            for child in children:
                self.add_edge(vertex, child)

    def add_vertex(self, vertex: Vertex) -> None:
        """Add a vertex, if it is not there."""
        self._children.setdefault(vertex, {})

    def __contains__(self, vertex: object) -> bool:
        return vertex in self._children

    def add_edge(self, parent: Vertex, child: Vertex) -> None:
        """Let ``child`` wait for ``parent``; both are added if need be."""
        self.add_vertex(parent)
        self.add_vertex(child)
        self._children[parent][child] = None

    def vertices(self) -> set[Vertex]:
        """Return every vertex."""
        return set(self._children)

    def edges(self) -> list[tuple[Vertex, Vertex]]:
        """Return every edge, as parent and child."""
        return [
            (parent, child) for parent, children in self._children.items() for child in children
        ]

    def root_vertices(self) -> set[Vertex]:
        """Return the vertices that wait for none."""
        return self.vertices() - {child for _parent, child in self.edges()}

    def paths(self, vertex: Vertex) -> Iterator[list[Vertex]]:
        """Yield every way down from a vertex to one without children."""
        ways = [[vertex]]
        while ways:
            way = ways.pop()
            children = self._children.get(way[-1], {})
            if not children:
                yield way
            ways.extend([*way, child] for child in children)

    def topological_sort(self) -> Iterator[Vertex]:
        """Yield the vertices, parents before children, otherwise in the order of their coming.

        :raises CycleError: naming the vertices of a cycle
        """
        waiting = dict.fromkeys(self._children, 0)
        for _parent, child in self.edges():
            waiting[child] += 1
        ready = [vertex for vertex, parents in waiting.items() if not parents]
        for vertex in ready:  # Grows while it is walked through.
            yield vertex
            for child in self._children[vertex]:
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        if len(ready) < len(waiting):
            self._refuse({vertex for vertex, parents in waiting.items() if parents})

    def _refuse(self, caught: set[Vertex]) -> None:
        """Name a cycle among vertices each of which waits for another of them."""
        parents = {child: parent for parent, child in self.edges() if parent in caught}
        way = [next(iter(caught))]
        while parents[way[-1]] not in way:
            way.append(parents[way[-1]])
        cycle = [parents[way[-1]], *reversed(way)]
        cycle = cycle[: cycle.index(cycle[0], 1) + 1]
        names = " -> ".join(str(vertex) for vertex in cycle)
        raise CycleError(f"a job would wait for itself: {names}")
