"""Where the jobs of a graph are drawn: in layers, parents above the children that wait for them.

A job stands in the layer after the last of its parents. Within a layer jobs stand near those that
they are linked to, which keeps lines from crossing; a line that passes a layer gets a gap in it.
Too many jobs to look at are drawn as groups. The same graph always gives the same drawing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

DRAWN_LIMIT = 200
"""Boxes that a drawing has at the most; more are read by nobody."""

WIDTH, HEIGHT = 176, 48
"""Of a box, as everything here in pixels at a scale of 1."""

GAP_ACROSS, GAP_ROWS, GAP_LAYERS = 24, 20, 56
BEND_WIDTH = 8
"""Room for a line that passes a layer."""

BENDS_LIMIT = 3_000
"""Places where lines pass layers; beyond it they go straight, behind what is in their way."""

ROW_LIMIT = 10
"""Boxes from which a layer becomes about as many rows as columns."""

SWEEPS = 6
"""Down and up through the layers, to find the order in each."""

Edge = tuple[int, int]
Keys = Mapping[int, Hashable]


@dataclass(frozen=True)
class Box:
    """One job, or several that are drawn as one.

    :param members: their numbers
    :param function: what they all run; empty when they differ
    :param x: left edge
    :param y: upper edge
    """

    members: tuple[int, ...]
    function: str
    x: int
    y: int


@dataclass(frozen=True)
class Line:
    """From a box down to one that waits for it; the numbers are places in the list of boxes."""

    source: int
    target: int
    points: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Drawing:
    """A graph with coordinates, from 0 to the width and height."""

    boxes: list[Box]
    lines: list[Line]
    width: int
    height: int


def draw(functions: Mapping[int, str], edges: Iterable[Edge], limit: int = DRAWN_LIMIT) -> Drawing:
    """Return the drawing of a graph.

    :param functions: what each job runs, by its number
    :param edges: parent and child; those with a job that is not given are left out
    :param limit: boxes, from which jobs are drawn as groups
    """
    known = {
        edge: None
        for edge in edges
        if edge[0] != edge[1] and edge[0] in functions and edge[1] in functions
    }
    groups = _grouped(functions, list(known), limit)
    group_of = {member: number for number, group in enumerate(groups) for member in group}
    between = dict.fromkeys((group_of[parent], group_of[child]) for parent, child in known)
    plan = _Plan(len(groups), [edge for edge in between if edge[0] != edge[1]])
    labels = [_common(functions[member] for member in group) for group in groups]
    return plan.drawing(groups, labels)


def layers(vertices: Iterable[int], edges: Iterable[Edge]) -> dict[int, int]:
    """Return how many jobs have to be done one after the other before each.

    Rows changed by hand may go round in a circle: it is cut at its first vertex.
    """
    layer = dict.fromkeys(vertices, 0)
    waiting, children = dict.fromkeys(layer, 0), defaultdict(list)
    for parent, child in edges:
        waiting[child] += 1
        children[parent].append(child)
    ready = [vertex for vertex, parents in waiting.items() if not parents]
    placed: set[int] = set()
    rest = iter(layer)
    while True:
        for vertex in ready:  # Grows while it is walked through.
            placed.add(vertex)
            for child in children[vertex]:
                if child in placed:
                    continue
                layer[child] = max(layer[child], layer[vertex] + 1)
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        ready = list(islice((vertex for vertex in rest if vertex not in placed), 1))
        if not ready:
            return layer


# Groups


def _grouped(functions: Mapping[int, str], edges: list[Edge], limit: int) -> list[tuple[int, ...]]:
    """Return what is drawn as one, by the first rule after which it is not too much."""
    groups: list[tuple[int, ...]] = [(vertex,) for vertex in functions]
    layer: dict[int, int] = {}
    rules: tuple[Callable[[], Keys], ...] = (
        lambda: _by_relatives(functions, edges),
        lambda: {vertex: (layer[vertex], functions[vertex]) for vertex in functions},
        lambda: _by_band(layer, limit),
    )
    for rule in rules:
        if len(groups) <= limit:
            break
        layer = layer or layers(functions, edges)
        groups = _same(rule())
    return groups


def _same(keys: Keys) -> list[tuple[int, ...]]:
    """Return what has the same key, each group in the place of its first."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for vertex, key in keys.items():
        groups[key].append(vertex)
    return [tuple(group) for group in groups.values()]


def _by_relatives(functions: Mapping[int, str], edges: list[Edge]) -> Keys:
    """Put together what runs the same, waits for the same and is waited for by the same."""
    parents, children = defaultdict(list), defaultdict(list)
    for parent, child in sorted(edges):
        parents[child].append(parent)
        children[parent].append(child)
    return {
        vertex: (function, tuple(parents[vertex]), tuple(children[vertex]))
        for vertex, function in functions.items()
    }


def _by_band(layer: Mapping[int, int], limit: int) -> Keys:
    """Put together what is in neighbouring layers, so that there are few enough."""
    depth = max(layer.values()) + 1
    bands = min(depth, max(1, limit))
    return {vertex: number * bands // depth for vertex, number in layer.items()}


def _common(functions: Iterable[str]) -> str:
    """Return what all are; empty when they differ."""
    found = set(functions)
    return found.pop() if len(found) == 1 else ""


# Places


class _Plan:
    """The way from a graph to coordinates.

    An item is a box, by its number, or a bend: a place where a line passes a layer, by a number
    after those of the boxes.
    """

    def __init__(self, boxes: int, edges: list[Edge]) -> None:
        self.boxes = boxes
        layer = layers(range(boxes), edges)
        self.layers: list[list[int]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
        for box, number in layer.items():
            self.layers[number].append(box)
        self.above: dict[int, list[int]] = defaultdict(list)
        self.below: dict[int, list[int]] = defaultdict(list)
        self.ways = self._ways(edges, layer)
        self._order()
        self.rows = [_rows(items, boxes) for items in self.layers]
        self.x = self._across()

    def _ways(self, edges: list[Edge], layer: Mapping[int, int]) -> list[list[int]]:
        """Return the items of each line from its parent to its child, and link them."""
        passed = sum(max(0, layer[child] - layer[parent] - 1) for parent, child in edges)
        bent, number = passed <= BENDS_LIMIT, self.boxes
        ways = []
        for parent, child in edges:
            way = [parent]
            for between in range(layer[parent] + 1, layer[child] if bent else 0):
                self.layers[between].append(number)
                way.append(number)
                number += 1
            way.append(child)
            ways.append(way)
            for upper, lower in pairwise(way):
                self.below[upper].append(lower)
                self.above[lower].append(upper)
        return ways

    def _order(self) -> None:
        """Order each layer by the middle of what is above, then of what is below, and again."""
        place = {
            item: _share(number, items)
            for items in self.layers
            for number, item in enumerate(items)
        }
        for sweep in range(SWEEPS):
            linked = self.below if sweep % 2 else self.above
            for items in reversed(self.layers) if sweep % 2 else self.layers:
                wanted = {
                    item: _mean([place[o] for o in linked[item]], place[item]) for item in items
                }
                items.sort(key=wanted.__getitem__)
                place.update((item, _share(number, items)) for number, item in enumerate(items))

    def _across(self) -> dict[int, float]:
        """Return the middle of each item: near what it is linked to, clear of its neighbours."""
        rows = [row for layer in self.rows for row in layer]
        x = {}
        for row in rows:
            x.update(self._spread(row, [0.0] * len(row)))
        for linked, way in (
            (self.above, rows),
            (self.below, rows[::-1]),
            (self.above, rows),
        ):
            for row in way:
                wanted = [_mean([x[other] for other in linked[item]], x[item]) for item in row]
                x.update(self._spread(row, wanted))
        return x

    def _spread(self, row: list[int], wanted: list[float]) -> dict[int, float]:
        """Return the places nearest to the wanted ones that leave everybody room, in this order."""
        widths = [WIDTH if item < self.boxes else BEND_WIDTH for item in row]
        offsets = [0.0]
        for left, right in pairwise(widths):
            offsets.append(offsets[-1] + (left + right) / 2 + GAP_ACROSS)
        levels = _rising([place - offset for place, offset in zip(wanted, offsets, strict=False)])
        return {
            item: level + offset for item, level, offset in zip(row, levels, offsets, strict=False)
        }

    def drawing(self, groups: Sequence[tuple[int, ...]], labels: Sequence[str]) -> Drawing:
        """Return the boxes and lines, moved to where coordinates begin at 0."""
        left = min((self.x[box] for box in range(self.boxes)), default=WIDTH / 2)
        left = min([left, *(self.x[item] + (WIDTH - BEND_WIDTH) / 2 for item in self._bends())])
        middle = {item: round(x - left + WIDTH / 2) for item, x in self.x.items()}
        upper, spans, height = self._down()
        boxes = [
            Box(tuple(members), label, middle[box] - WIDTH // 2, upper[box])
            for box, (members, label) in enumerate(zip(groups, labels, strict=True))
        ]
        lines = [Line(way[0], way[-1], _points(way, middle, spans)) for way in self.ways]
        width = max((box.x + WIDTH for box in boxes), default=0)
        width = max([width, *(middle[item] + BEND_WIDTH // 2 for item in self._bends())])
        return Drawing(boxes, lines, width, height)

    def _bends(self) -> list[int]:
        return [item for item in self.x if item >= self.boxes]

    def _down(self) -> tuple[dict[int, int], dict[int, tuple[int, int]], int]:
        """Return the upper edge of each item, where lines enter and leave it, and the height."""
        upper: dict[int, int] = {}
        spans: dict[int, tuple[int, int]] = {}
        y = 0
        for rows in self.rows:
            bottom = y + len(rows) * (HEIGHT + GAP_ROWS) - GAP_ROWS
            for number, row in enumerate(rows):
                for item in row:
                    upper[item] = y + number * (HEIGHT + GAP_ROWS)
                    is_box = item < self.boxes
                    spans[item] = (upper[item], upper[item] + HEIGHT) if is_box else (y, bottom)
            y = bottom + GAP_LAYERS
        return upper, spans, max(0, y - GAP_LAYERS)


def _rows(items: list[int], boxes: int) -> list[list[int]]:
    """Return a layer as rows, each in its order; a line passes at the place of the first row."""
    count = sum(item < boxes for item in items)
    number = 1 if count <= ROW_LIMIT else math.ceil(count / max(ROW_LIMIT, math.ceil(count**0.5)))
    rows: list[list[int]] = [[] for _ in range(number)]
    seen = 0
    for item in items:
        rows[seen % number if item < boxes else 0].append(item)
        seen += item < boxes
    return rows


def _points(
    way: list[int], middle: Mapping[int, int], spans: Mapping[int, tuple[int, int]]
) -> tuple[tuple[int, int], ...]:
    """Return where a line goes: out of its parent, straight down through layers, to its child."""
    bends = [(middle[item], y) for item in way[1:-1] for y in spans[item]]
    first, last = way[0], way[-1]
    return ((middle[first], spans[first][1]), *bends, (middle[last], spans[last][0]))


def _share(number: int, items: Sequence[int]) -> float:
    """Return a place in a layer as a share of its length: layers are of different lengths."""
    return (number + 0.5) / len(items)


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _rising(values: Iterable[float]) -> list[float]:
    """Return the numbers nearest to the given ones none of which is below the one before."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    return [total / count for total, count in blocks for _ in range(count)]
