"""The benchmark's document says "yes" only where the figures say it."""

import json

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from benchmarks import report
from benchmarks.report import MILLISECONDS, RATE, ROWS, Verdict

KEYS = {row.key: row for row in ROWS}
WARNING = 2
"""Docutils' level, from which a text is refused."""


def verdict(key, **figures):
    return KEYS[key].verdict({who.replace("_", " "): each for who, each in figures.items()})


def cells(key, **figures):
    return KEYS[key].cells(figures)


def parse(content):
    settings = {"report_level": WARNING, "halt_level": WARNING}
    return publish_doctree(report.document(content), settings_overrides=settings)


def table(tree):
    """Return the texts of the only table."""
    (found,) = tree.findall(nodes.table)
    return [
        [entry.astext() for entry in row.findall(nodes.entry)] for row in found.findall(nodes.row)
    ]


@pytest.mark.parametrize(
    "key, reached, missed",
    [
        ("noop", {"ours": [100], "peer": [10], "bare": [160]}, {"ours": [99], "peer": [10]}),
        ("noop", {"ours": [60], "peer": [6], "bare": [100]}, {"ours": [59], "bare": [100]}),
        ("naps", {"ours": [76]}, {"ours": [75.9]}),
        ("latency_99", {"ours": [0.01], "peer": [0.02]}, {"ours": [0.011], "peer": [0.02]}),
        ("mixed", {"ours": [95], "alone": [100]}, {"ours": [94], "alone": [100]}),
        ("urgent_median", {"ours": [0.1], "peer": [0.1]}, {"ours": [0.11], "peer": [0.1]}),
        ("urgent_worst", {"ours": [0.1], "peer": [0.1]}, {"ours": [0.11], "peer": [0.1]}),
        ("store", {"ours": [500], "peer": [100]}, {"ours": [499], "peer": [100]}),
        ("bulk", {"ours": [20_000], "peer": [500]}, {"ours": [20_000], "peer": [501]}),
        ("bulk", {"ours": [20_000], "peer": [1]}, {"ours": [19_999], "peer": [1]}),
        ("sessions", {"ours": [200], "peer": [100]}, {"ours": [199], "peer": [100]}),
        ("first_dispatch", {"ours": [1]}, {"ours": [1.01]}),
        (
            "runner_memory",
            {"ours": [70e6], "ours_small": [50e6]},
            {"ours": [71e6], "ours_small": [50e6]},
        ),
        ("full_table", {"ours": [90], "empty": [100]}, {"ours": [89], "empty": [100]}),
        ("soak", {"last": [90], "first": [100]}, {"last": [89], "first": [100]}),
        ("snapshot", {"ours": [50], "empty": [100]}, {"ours": [49], "empty": [100]}),
        ("idle_statements", {"ours": [1.9]}, {"ours": [2]}),
        ("idle_cpu", {"ours": [0.049]}, {"ours": [0.05]}),
        ("statements", {"ours": [5]}, {"ours": [5.1]}),
        ("commits", {"ours": [2]}, {"ours": [2.1]}),
    ],
)
def test_a_bar_is_reached_exactly_or_missed(key, reached, missed):
    assert verdict(key, **reached) is Verdict.YES
    assert verdict(key, **missed) is Verdict.NO


@pytest.mark.parametrize(
    "key, target, floor, below",
    [("write", 80, 60, 59), ("latency_median", 3.3, 5, 5.1)],
)
def test_a_floor_is_reached_where_the_bar_is_not(key, target, floor, below):
    assert verdict(key, ours=[target], peer=[10]) is Verdict.YES
    assert verdict(key, ours=[floor], peer=[10]) is Verdict.FLOOR
    assert verdict(key, ours=[below], peer=[10]) is Verdict.NO


def test_what_was_not_measured_is_not_judged():
    assert verdict("noop") is Verdict.NOT_MEASURED
    assert verdict("noop", peer=[10]) is Verdict.NOT_MEASURED
    assert verdict("noop", ours=[100], peer=[10]) is Verdict.NOT_MEASURED
    assert verdict("store", ours=[100], peer=[0]) is Verdict.NOT_MEASURED
    assert verdict("runner_memory", ours=[1]) is Verdict.NOT_MEASURED


@pytest.mark.parametrize("key", ["soak_dead_rows", "soak_size"])
def test_what_is_only_shown_has_no_verdict(key):
    assert verdict(key) is Verdict.NOT_MEASURED
    assert verdict(key, ours=[7]) is Verdict.SHOWN
    assert cells(key, ours=[7])[1] == "bounded"


def test_rounds_are_compared_pair_by_pair():
    slow_and_quick = {"ours": [50, 5, 500], "peer": [10, 1, 100]}
    assert report.ratio(slow_and_quick, "ours", "peer") == 5
    assert report.ratio({"ours": [6, 8], "peer": [2]}, "ours", "peer") == 3
    assert report.growth({"ours": [5, 9, 1], "small": [4, 2, 1]}, "ours", "small") == 1


@pytest.mark.parametrize(
    "value, text",
    [
        (0, "0"),
        (0.0041, "0.0041"),
        (0.95, "0.95"),
        (0.8964, "0.896"),
        (12.345, "12.3"),
        (80, "80"),
        (123.4, "123"),
        (1234.5, "1,234"),
        (-1_500_000, "-1,500,000"),
    ],
)
def test_numbers_are_for_people(value, text):
    assert report.number(value) == text


def test_a_summary_has_a_unit_and_the_range_of_the_rounds():
    assert report.summary([0.014, 0.011, 0.0123], MILLISECONDS) == "12.3 ms (11 to 14)"
    assert report.summary([1234], RATE) == "1,234 jobs/s"


def test_bars_are_written_out():
    bars = {key: row.bar() for key, row in KEYS.items()}
    times = report.TIMES
    assert bars["noop"] == f"≥ 10 {times} peer and ≥ 0.6 {times} bare loop"
    assert bars["latency_median"] == f"≤ 1/3 {times} peer (floor 1/2)"
    assert bars["urgent_worst"] == "≤ peer"
    assert bars["bulk"] == f"≥ 40 {times} peer and ≥ 20,000 jobs/s"
    assert bars["runner_memory"] == "≤ 20 MB more than ours with 1,000"


def test_a_line_shows_whom_it_compares_with():
    title, _bar, ours, others, ratios, reached = cells("noop", ours=[130], peer=[10], bare=[200])
    assert title == "Jobs that do nothing"
    assert ours == "| 130 jobs/s"
    assert others == "| 10 jobs/s\n| bare loop: 200 jobs/s"
    assert ratios == "| 13\n| bare loop: 0.65"
    assert reached == "yes"


def test_a_line_shows_the_difference_that_it_is_judged_by():
    figures = {"ours": [61e6], "ours small": [59.5e6], "peer": [1.22e9]}
    assert KEYS["runner_memory"].cells(figures)[3:] == [
        "| 1,220 MB\n| ours with 1,000: 59.5 MB",
        "| 0.05\n| difference: 1.5 MB",
        "yes",
    ]


def test_no_ratio_to_nothing():
    assert cells("idle_statements", ours=[1], peer=[0])[4:] == ["", "yes"]


def test_the_document_has_a_line_for_every_row_measured_or_not():
    tree = parse({"facts": {}, "samples": {"naps": {"ours": [77, 78], "peer": []}}})
    head, *lines = table(tree)
    assert head == list(report.HEADERS)
    assert [line[0] for line in lines] == [row.title for row in ROWS]
    reached = {line[0]: line[-1] for line in lines}
    assert reached.pop(KEYS["naps"].title) == "yes"
    assert set(reached.values()) == {"not measured"}


def test_a_full_document_is_read_without_a_warning():
    figures = {who: [1.0, 2.0] for who in ("ours", "peer", "bare", "elsewhere", "empty", "first")}
    samples = {row.key: figures for row in ROWS}
    assert len(table(parse({"facts": {}, "samples": samples}))) == 1 + len(ROWS)


def test_facts_are_shown_as_they_are():
    facts = {
        "processors": 2,
        "versions": {"Odoo": "19.0", "peer": "odoo-addon-queue_job==19.0.1"},
        "settings": ["*all*", "root:4,root.held_:1:`paused`", "a\\b |c|"],
        "odd: name_": "- no item\n  .. nor a comment",
        "none": "",
        "command": "python -m benchmarks `full` *",
    }
    text = parse({"facts": facts, "samples": {}}).astext()
    for shown in (
        "Odoo 19.0, peer odoo-addon-queue_job==19.0.1",
        "*all*, root:4,root.held_:1:`paused`, a\\b |c|",
        "odd name_",
        "- no item .. nor a comment",
        "python -m benchmarks `full` *",
    ):
        assert shown in text


def test_the_document_is_written_beside_the_results(tmp_path):
    path = tmp_path / "quick.json"
    content = {"facts": {"rounds": 3}, "samples": {}, "series": {}}
    path.write_text(json.dumps(content))
    assert report.write(path) == tmp_path / "quick.rst"
    assert (tmp_path / "quick.rst").read_text() == report.document(content)
