"""The stored call of a job for eyes."""

import datetime as dt
import decimal
import json
import uuid
from dataclasses import asdict

import pytest
from core.codec import UNKNOWN, encode
from core.masking import MASK, Shown
from core.payload import (
    MOST_IDS,
    MOST_NODES,
    as_python,
    describe_call,
    describe_records,
    record_ids,
)

SECRET = "hunter2"


def records(model, *ids):
    return {
        "_type": "odoo_recordset",
        "model": model,
        "ids": list(ids),
        "uid": 1,
        "su": True,
        "context": {"password": SECRET},
    }


def described(*args, names=None, shown=Shown.NO_SECRETS, named=(), **kwargs):
    """Return the descriptions of a call's arguments, stored as a job's are."""
    names = [[f"arg{number}"] for number in range(len(args))] if names is None else names
    stored = [encode(value, "args", lambda _value: UNKNOWN) for value in args]
    by_name = {name: encode(value, name, lambda _value: UNKNOWN) for name, value in kwargs.items()}
    return describe_call(stored, by_name, names, shown, named)


def python(*args, target=None, **kwargs):
    tokens = as_python(describe_records(target), "send", described(*args, **kwargs))
    return "".join(token.text for token in tokens)


def test_plain_values_read_as_python():
    call = python(1, "two", None, True, 1.5, [1, [2]], {"a": (1, "b")}, word="x")
    assert call == "send(1, 'two', None, True, 1.5, [1, [2]], {'a': (1, 'b')}, word='x')"


def test_other_values_say_what_they_are():
    call = python(
        dt.datetime(2026, 3, 1, 12),
        dt.date(2026, 3, 1),
        decimal.Decimal("1.10"),
        uuid.UUID(int=7),
        b"12345678",
        {1, 2},
        1e300,
        dt.timedelta(hours=1),
    )
    assert "datetime('2026-03-01T12:00:00'), date('2026-03-01'), decimal(1.10)" in call
    assert "bytes of 9 B, {1, 2}, 1e+300, timedelta([0, 3600, 0])" in call


def test_records_are_tokens_that_can_be_opened():
    nodes = describe_call(
        [{"a": [records("res.partner", 7)]}], None, [["values"]], Shown.NO_SECRETS
    )
    tokens = as_python(describe_records(records("sale.order", 1, 2)), "send", nodes)
    assert "".join(token.text for token in tokens) == (
        "sale.order(1, 2).send({'a': [res.partner(7)]})"
    )
    opened = [(token.model, token.id) for token in tokens if token.model]
    assert opened == [("sale.order", 1), ("sale.order", 2), ("res.partner", 7)]
    assert record_ids(nodes) == {"res.partner": {7}}


def test_who_sees_nothing_sees_the_names_alone():
    nodes = described(SECRET, [SECRET], shown=Shown.NOTHING, word=SECRET, number=7)
    assert [(node.name, node.text) for node in nodes] == [
        ("", MASK),
        ("", MASK),
        ("word", MASK),
        ("number", MASK),
    ]


@pytest.mark.parametrize(
    "call",
    [
        {"password": SECRET},
        {"values": {"password": SECRET}},
        {"values": {"a": [{"api_key": [SECRET]}]}},
        {"values": [("Authorization", SECRET)]},
        {"values": {("a", 1): {"token": SECRET}}},
        {"values": {"b": 1, "a_token": {"x": SECRET}}},
        {"values": f"https://bob:{SECRET}@shop.example"},
        {"values": [f"token={SECRET}"]},
        {"pin": SECRET},
        {"values": {"iban": SECRET}},
    ],
)
def test_a_secret_is_masked_wherever_it_stands(call):
    nodes = described(named=("iban",), **call)
    tree = json.dumps([asdict(node) for node in nodes], ensure_ascii=False)
    text = "".join(token.text for token in as_python(describe_records(None), "send", nodes))
    assert SECRET not in tree + text
    assert MASK in tree


def test_a_positional_argument_is_known_by_its_parameter():
    nodes = described("bob", SECRET, names=[["login"], ["word", "password"]])
    assert [(node.label, node.text) for node in nodes] == [("login", "'bob'"), ("word", MASK)]
    text = "".join(token.text for token in as_python(describe_records(None), "send", nodes))
    assert text == f"send('bob', {MASK})"


def test_a_positional_argument_that_nobody_names_is_not_shown():
    assert [node.text for node in described("bob", SECRET, names=[["login"]])] == ["'bob'", MASK]


def test_the_context_of_records_is_not_shown():
    nodes = describe_call([records("res.partner", 7)], {}, [["partner"]], Shown.NO_SECRETS)
    assert SECRET not in json.dumps([asdict(node) for node in nodes])


def test_what_was_changed_by_hand_is_described_all_the_same():
    for args, kwargs in (
        ("x", "y"),
        ({"_type": 5}, []),
        ([{"_type": "odoo_recordset", "ids": "x"}], {"a": {"_type": "set", "value": 5}}),
        ([{"_type": "mapping", "value": [[1]]}], {"_type": "dict", "value": 1}),
    ):
        nodes = describe_call(args, kwargs, [["a"]], Shown.NO_SECRETS)
        as_python(describe_records("x"), "send", nodes)


def test_a_huge_call_is_cut():
    nodes = described(list(range(100_000)), "x" * 1_000_000, {"a": ["y" * 9_000] * 50})
    assert len(json.dumps([asdict(node) for node in nodes])) < 300_000
    assert (nodes[0].size, nodes[0].parts[-1].kind) == (100_000, "more")
    assert len(nodes[0].parts) <= MOST_NODES
    tokens = as_python(describe_records(records("res.partner", *range(1, 9_000))), "send", nodes)
    assert sum(len(token.text) for token in tokens) < 500
    assert len(describe_records(records("res.partner", *range(1, 9_000))).ids) == MOST_IDS


def test_deep_nesting_ends():
    value = 1
    for _number in range(90):
        value = [value]
    assert "…" in python(value)
    assert described(value)[0].kind == "list"


def test_a_secret_at_the_cut_is_masked():
    text = "x" * 1_990 + " password=" + SECRET
    assert SECRET[:3] not in described(text)[0].text
