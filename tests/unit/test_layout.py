"""Drawings of graphs: what has to hold of every one, and how some look."""

import random
import time
from itertools import combinations

import pytest
from core.layout import GAP_ROWS, HEIGHT, ROW_LIMIT, WIDTH, draw, layers
from hypothesis import given
from hypothesis import strategies as st

SECONDS = 2.0
"""Of a processor, in which ten thousand jobs are drawn."""


@st.composite
def graphs(draw_value):
    """Return functions by number, and edges of which none goes back."""
    numbers = draw_value(st.lists(st.integers(0, 10_000), max_size=40, unique=True))
    functions = {number: draw_value(st.sampled_from("ab")) for number in numbers}
    if len(numbers) < 2:
        return functions, []
    places = st.integers(0, len(numbers) - 1)
    pairs = draw_value(st.lists(st.tuples(places, places), max_size=80))
    return functions, [(numbers[min(p)], numbers[max(p)]) for p in pairs]


def overlap(one, other):
    return abs(one.x - other.x) < WIDTH and abs(one.y - other.y) < HEIGHT


def crossings(drawing):
    """Count pairs of lines between the same two layers that cross."""
    found = 0
    for one, other in combinations(drawing.lines, 2):
        if (one.points[0][1], one.points[-1][1]) == (other.points[0][1], other.points[-1][1]):
            starts = one.points[0][0] - other.points[0][0]
            ends = one.points[-1][0] - other.points[-1][0]
            found += starts * ends < 0
    return found


def check(drawing, functions):
    members = [number for box in drawing.boxes for number in box.members]
    assert sorted(members) == sorted(functions), "each job is in one box"
    assert not any(overlap(*pair) for pair in combinations(drawing.boxes, 2))
    for line in drawing.lines:
        assert drawing.boxes[line.target].y >= drawing.boxes[line.source].y + HEIGHT + GAP_ROWS
        heights = [y for _x, y in line.points]
        assert heights == sorted(heights), "a line only goes down"
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - WIDTH
        assert 0 <= box.y <= drawing.height - HEIGHT
    for x, y in (point for line in drawing.lines for point in line.points):
        assert 0 <= x <= drawing.width
        assert 0 <= y <= drawing.height


@given(graphs())
def test_what_holds_of_every_drawing(graph):
    check(draw(*graph), graph[0])


@given(graphs(), st.integers(1, 10))
def test_what_holds_of_every_drawing_of_groups(graph, limit):
    functions, edges = graph
    drawing = draw(functions, edges, limit)
    check(drawing, functions)
    assert len(drawing.boxes) <= limit


@given(graphs())
def test_the_same_graph_gives_the_same_drawing(graph):
    assert draw(*graph) == draw(*graph)


@given(graphs())
def test_a_job_is_in_the_layer_after_the_last_of_its_parents(graph):
    functions, edges = graph
    edges = [edge for edge in edges if edge[0] != edge[1]]
    layer = layers(functions, set(edges))
    for number in functions:
        parents = [layer[parent] for parent, child in edges if child == number]
        assert layer[number] == max(parents, default=-1) + 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_a_circle_in_damaged_rows_is_drawn_all_the_same(edges):
    drawing = draw(dict.fromkeys(range(10), "f"), edges)
    assert len(drawing.boxes) == 10
    assert len(drawing.lines) == len({edge for edge in edges if edge[0] != edge[1]})


def test_nothing_and_one():
    assert (draw({}, []).boxes, draw({}, []).width, draw({}, []).height) == ([], 0, 0)
    (box,) = draw({7: "f"}, [(7, 7), (7, 8)]).boxes
    assert (box.members, box.function, box.x, box.y) == ((7,), "f", 0, 0)


def test_lines_that_need_not_cross_do_not():
    edges = [(1, 8), (2, 7), (3, 6), (4, 5)]
    assert crossings(draw(dict.fromkeys(range(1, 9), "f"), edges)) == 0


def test_a_line_over_two_layers_goes_around_what_is_between():
    drawing = draw({1: "f", 2: "f", 3: "f"}, [(1, 2), (2, 3), (1, 3)])
    (line,) = [line for line in drawing.lines if len(line.points) > 2]
    middle = drawing.boxes[1]
    assert all(not middle.x < x < middle.x + WIDTH for x, _y in line.points[1:-1])


def test_a_parent_stands_above_the_middle_of_its_children():
    drawing = draw(dict.fromkeys(range(4), "f"), [(0, 1), (0, 2), (0, 3)])
    parent, *children = drawing.boxes
    assert parent.x == sorted(child.x for child in children)[1]


def test_a_wide_layer_becomes_rows():
    children = range(1, 10 * ROW_LIMIT + 1)
    drawing = draw(dict.fromkeys([0, *children], "f"), [(0, child) for child in children])
    check(drawing, [0, *children])
    assert len({box.y for box in drawing.boxes[1:]}) == ROW_LIMIT
    assert drawing.width < 3 * drawing.height


def test_brothers_become_a_group_and_others_do_not():
    parsers, writers = range(1, 301), range(301, 401)
    functions = {0: "load", 500: "report", **dict.fromkeys(parsers, "parse")}
    functions |= dict.fromkeys(writers, "write")
    edges = [(0, number) for number in (*parsers, *writers)]
    edges += [(number, 500) for number in (*parsers, *writers)]
    drawing = draw(functions, edges)
    found = {box.function: len(box.members) for box in drawing.boxes}
    assert found == {"load": 1, "parse": 300, "write": 100, "report": 1}
    assert len(drawing.lines) == 4


def test_chains_side_by_side_become_groups_by_layer():
    functions, edges = {}, []
    for number in range(0, 900, 3):
        functions |= {number: "read", number + 1: "parse", number + 2: "write"}
        edges += [(number, number + 1), (number + 1, number + 2)]
    drawing = draw(functions, edges)
    assert [(box.function, len(box.members)) for box in drawing.boxes] == [
        ("read", 300),
        ("parse", 300),
        ("write", 300),
    ]


def test_a_long_chain_becomes_groups_of_neighbours():
    drawing = draw(dict.fromkeys(range(1000), "f"), [(n, n + 1) for n in range(999)], limit=200)
    assert [box.members for box in drawing.boxes][:2] == [(0, 1, 2, 3, 4), (5, 6, 7, 8, 9)]
    assert len(drawing.lines) == 199


def chain(number):
    return [(n, n + 1) for n in range(number - 1)]


def fan(number):
    return [(0, n) for n in range(1, number)]


def web(number):
    chance = random.Random(7)
    edges = []
    for child in range(1, number):
        edges += [(chance.randrange(child), child) for _ in range(3)]
    return edges


def steps(number):
    """Return groups of a hundred, each of which waits for all of the group before."""
    return [
        (parent, child)
        for first in range(0, min(number, 1_000) - 100, 100)
        for parent in range(first, first + 100)
        for child in range(first + 100, first + 200)
    ]


@pytest.mark.parametrize("edges", [chain, fan, web, steps])
@pytest.mark.parametrize("limit", [200, 10_000])
def test_ten_thousand_jobs_are_drawn_at_once(edges, limit):
    functions, made = dict.fromkeys(range(10_000), "f"), edges(10_000)
    began = time.process_time()
    drawing = draw(functions, made, limit)
    assert time.process_time() - began < SECONDS
    assert len(drawing.boxes) <= limit
