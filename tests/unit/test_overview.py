"""The tree of channels as an operator sees it."""

from core.channels import ChannelConfig, Override, override, parse_channels
from core.overview import MINUTES, Figures, Recent, overview


def figures(channels="root:4,root.csv:1", overrides=None, **values):
    configured = parse_channels(channels)
    return Figures(
        configured=configured,
        in_force=override(configured, overrides or {}),
        **{"running": {}, "waiting": {}, "recent": {}, **values},
    )


def by_name(rows):
    return {row.name: row for row in rows}


def test_every_channel_that_is_named_anywhere_is_shown_with_those_above_it():
    found = overview(
        ["root.record"],
        figures(
            overrides={"root.set.here": Override(capacity=2)},
            running={"root.runs": 1},
            waiting={"root.waits": (1, 1.0)},
            recent={"root.ran": Recent()},
        ),
    )
    assert [row.name for row in found] == [
        "root",
        "root.csv",
        "root.ran",
        "root.record",
        "root.runs",
        "root.set",
        "root.set.here",
        "root.waits",
    ]
    assert [row.depth for row in found] == [0, 1, 1, 1, 1, 1, 2, 1]


def test_a_channel_is_followed_by_those_below_it():
    found = overview(["root.a", "root.a-b", "root.a.b"], figures())
    assert [row.name for row in found] == ["root", "root.a", "root.a.b", "root.a-b", "root.csv"]


def test_figures_are_of_a_channel_and_all_below_it():
    rows = by_name(
        overview(
            [],
            figures(
                running={"root": 1, "root.csv": 2, "root.csv.big": 4},
                waiting={"root.csv": (10, 3.0), "root.csv.big": (5, 70.0)},
            ),
        )
    )
    assert [rows[n].running for n in ("root", "root.csv", "root.csv.big")] == [7, 6, 4]
    assert (rows["root"].waiting, rows["root"].waiting_here) == (15, 0)
    assert (rows["root.csv"].waiting, rows["root.csv"].waiting_here) == (15, 10)
    assert rows["root"].oldest == 70.0
    ahead = by_name(overview([], figures(waiting={"root.csv": (1, -2.0)})))
    assert ahead["root.csv"].oldest == 0.0


def test_what_holds_a_channel_is_named_the_nearest_first():
    paused = {"root.csv": Override(paused=True)}
    rows = by_name(overview(["root.csv.big", "root.other"], figures(overrides=paused)))
    assert rows["root.csv"].held_by == "root.csv"
    assert rows["root.csv.big"].held_by == "root.csv"
    assert rows["root.other"].held_by == rows["root"].held_by == ""
    by_file = by_name(overview([], figures("root:4,root.csv:1:paused")))
    assert by_file["root.csv"].held_by == "root.csv"
    assert by_file["root.csv"].configured.paused


def test_what_is_configured_and_what_is_in_force_are_told_apart():
    rows = by_name(overview(["root.new"], figures(overrides={"root.csv": Override(capacity=7)})))
    assert rows["root.csv"].configured.capacity == 1
    assert rows["root.csv"].config.capacity == 7
    assert rows["root.new"].configured is None
    assert rows["root.new"].config == ChannelConfig("root.new")


def test_rates_are_of_whole_minutes_and_failures_of_the_hour():
    recent = Recent()
    recent.count(0, 99, 1)
    for age in range(1, 60):
        recent.count(age, 10, 0)
    recent.count(59, 0, 2)
    assert recent.rate == 10.0
    assert recent.failed == 3
    assert recent.done == [10] * (MINUTES - 1) + [99]
    rows = by_name(overview([], figures(recent={"root.csv": recent, "root": recent})))
    assert rows["root"].recent.rate == 20.0
    assert rows["root.csv"].recent.rate == 10.0


def test_a_minute_ahead_of_the_clock_is_left_out():
    recent = Recent()
    recent.count(-1, 5, 0)
    assert recent.done == [0] * MINUTES


def test_names_of_no_tree_are_left_out():
    assert [row.name for row in overview(["", "csv"], figures("root:1"))] == ["root"]
