"""Filters that come from outside: by a screen as JSON, or typed."""

import json

import pytest
from core.selection import SelectionError, as_json, read_domain

FIELDS = {"state", "priority"}


@pytest.mark.parametrize(
    "text",
    ['[["state", "=", "failed"]]', '[("state", "=", "failed")]', " [('state', '=', 'failed'),] "],
)
def test_a_filter_is_typed_as_json_or_as_python(text):
    assert read_domain(as_json(text), FIELDS) == [["state", "=", "failed"]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "state = failed",
        "[('state', '=', open('/etc/passwd'))]",
        "[('state', '=', 'a' * 10)]",
        "[{1, 2}]",
        "[b'1']",
        "[" * 100_000,
        "(" * 100_000 + ")" * 100_000,
    ],
)
def test_what_is_no_plain_value_is_refused(text):
    with pytest.raises(SelectionError):
        as_json(text)


@pytest.mark.parametrize(
    "domain",
    [
        {"state": "failed"},
        [["state", "="]],
        [["user_id.login", "=", "admin"]],
        [["state", "any", []]],
        [["state", "=", {}]],
        [["priority", "in", [[1]]]],
        ["or"],
    ],
)
def test_what_is_no_filter_of_plain_fields_is_refused(domain):
    with pytest.raises(SelectionError):
        read_domain(json.dumps(domain), FIELDS)
