"""What commands write: tables, JSON, colours and bars."""

import io
import json
from datetime import date, datetime

import pytest
from commands.terminal import (
    Column,
    Progress,
    Terminal,
    bar,
    paragraphs,
    plain,
    shown,
    table_lines,
    wants_colour,
)


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


COLUMNS = (Column("NAME", "name"), Column("JOBS", "jobs", right=True))


def test_a_table_is_aligned():
    rows = [{"name": "root", "jobs": 12}, {"name": "root.csv", "jobs": None}]
    assert table_lines(COLUMNS, rows) == ["NAME      JOBS", "root        12", "root.csv"]
    assert table_lines(COLUMNS, rows, width=6)[2] == "root.c"
    assert table_lines(COLUMNS, []) == ["NAME  JOBS"]


@pytest.mark.parametrize(
    "value, text",
    [
        (None, ""),
        (False, ""),
        (True, "yes"),
        (0, "0"),
        (0.5, "0.500"),
        (1234.5, "1234"),
        (datetime(2026, 1, 31, 8, 30, 15, 999), "2026-01-31 08:30:15"),
        ("two\nlines\t and  spaces", "two lines and spaces"),
        ("\x1b[31mred\x07", "?[31mred?"),
    ],
)
def test_a_value_is_one_harmless_line(value, text):
    assert shown(value) == text


def test_paragraphs_keep_their_lines():
    assert paragraphs("a\n\tb\x1b[2J") == "a\n\tb?[2J"


def test_json_holds_what_it_can():
    value = {
        "at": datetime(2026, 1, 31, 8, 30),
        "on": date(2026, 1, 31),
        "never": float("inf"),
        "list": (1, None, True),
        "odd": complex(1, 2),
    }
    assert json.loads(json.dumps(plain(value))) == {
        "at": "2026-01-31T08:30:00Z",
        "on": "2026-01-31",
        "never": None,
        "list": [1, None, True],
        "odd": "(1+2j)",
    }


@pytest.mark.parametrize(
    "stream, environment, wanted",
    [
        (Screen(), {}, True),
        (Screen(), {"NO_COLOR": ""}, True),
        (Screen(), {"NO_COLOR": "1"}, False),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_a_terminal(stream, environment, wanted):
    assert wants_colour(stream, environment) is wanted


def test_for_machines_there_is_json_and_nothing_else():
    out = io.StringIO()
    terminal = Terminal(as_json=True, out=out, err=io.StringIO())
    terminal.say("for those who read")
    terminal.table(COLUMNS, [{"name": "a", "jobs": 1}])
    terminal.tell([{"name": "ä"}])
    assert json.loads(out.getvalue()) == [{"name": "ä"}]


def test_for_those_who_read_there_is_no_json():
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(out=out, err=err)
    terminal.tell([1])
    terminal.say("well", "done")
    terminal.warn("not well")
    assert out.getvalue() == "well\n"
    assert err.getvalue() == "queue_job: not well\n"


def test_a_bar_fills():
    assert bar(0, 10, 0) == f"[{'-' * 30}] 0 of 10 (0 s)"
    assert bar(5, 10, 2.4) == f"[{'#' * 15}{'-' * 15}] 5 of 10 (2 s)"
    assert bar(10_000, 10_000, 61) == f"[{'#' * 30}] 10,000 of 10,000 (61 s)"
    assert bar(0, 0, 0).startswith("[####")


def test_a_bar_is_drawn_on_a_terminal_only():
    for stream, drawn in ((Screen(), True), (io.StringIO(), False)):
        progress = Progress(stream, 2)
        progress.add(1)
        progress.add(1)
        progress.end()
        assert ("2 of 2" in stream.getvalue()) is drawn
