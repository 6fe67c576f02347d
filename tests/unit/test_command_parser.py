"""What can be typed after ``odoo queue_job``."""

import ast
from datetime import datetime
from pathlib import Path

import pytest
from commands import parser

FOLDER = Path(parser.__file__).parent


def parse(*words):
    return parser.parse("odoo queue_job", list(words))


@pytest.mark.parametrize("subcommand", parser.SUBCOMMANDS, ids=lambda one: one.name)
def test_every_subcommand_has_its_function(subcommand):
    module, _, name = subcommand.handler.partition(":")
    tree = ast.parse((FOLDER / f"{module}.py").read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_options_of_odoo_are_passed_on():
    options = parse("retry", "one", "-d", "shop", "two", "-c", "odoo.conf", "--db_host=db")
    assert options.uuids == ["one", "two"]
    assert "--database=shop" in options.odoo
    assert "--config=odoo.conf" in options.odoo
    assert "--db_host=db" in options.odoo


def test_an_option_of_odoo_that_is_not_known_here_is_passed_on_with_its_value():
    assert parse("list", "--test-tags=x").odoo == ["--test-tags=x"]


def test_the_states_are_those_of_the_core():
    from core.states import JobState

    assert set(parser.STATES) == {state.value for state in JobState}


def test_filters_are_read():
    options = parse("list", "--state", "failed", "--state", "done", "--since", "2026-01-31")
    assert options.state == ["failed", "done"]
    assert options.since == datetime(2026, 1, 31)
    assert options.limit == parser.LIST_LIMIT


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--stat", "failed"),
        ("list", "--limit", "many"),
        ("list", "--limit", "1_000"),
        ("list", "--limit", "9999999999"),
        ("list", "stray"),
        ("drain", "--timeout", "-1"),
        ("drain", "--timeout", "nan"),
        ("channels", "drop", "root"),
        ("pause",),
        ("show",),
        ("show", "one", "two"),
        ("list", "--test-tags", "x"),
    ],
)
def test_what_is_not_understood_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(*words)
    assert ended.value.code == 2
    assert capsys.readouterr().err
