"""What somebody types to find jobs by a record."""

import time

import pytest
from core.argument_path import read_record


@pytest.mark.parametrize(
    "text, record",
    [
        ("res.partner,42", ("res.partner", 42)),
        ("res.partner(42,)", ("res.partner", 42)),
        (" Sales   Order # 42 ", ("Sales Order", 42)),
        ("42", ("", 42)),
        ("nothing", None),
        ("", None),
        ("a\0 1", ("a\N{REPLACEMENT CHARACTER}", 1)),
    ],
)
def test_a_record_as_people_write_it(text, record):
    assert read_record(text) == record


@pytest.mark.parametrize("text", ["a" + " " * 498 + "x", "1" * 500 + "x", " ," * 250, "1 , " * 125])
def test_no_text_takes_long(text):
    began = time.monotonic()
    for _time in range(20):
        read_record(text)
    assert time.monotonic() - began < 1
