"""Finding jobs by what they were called with: ``args.order_id:42``, ``kwargs.lines.0.sku:A-1``.

What somebody types becomes a path that PostgreSQL looks for in the stored arguments. Dicts whose
keys are not in the order of ``jsonb``, tuples, records, dates and the like are stored as objects
with a ``_type``, see :mod:`codec`: the path goes through those as if they were not there. It is
strict: PostgreSQL would else take the items of a list for the list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from .quoting import storable

MOST_STEPS = 5
"""Steps of a path; each doubles its length."""

PLACE_DIGITS = 9
"""Of a place in a list."""

MOST_CHARACTERS = 500
"""Of what is typed."""

ASKED = re.compile(
    r"(?P<column>args|kwargs)(?P<steps>(?:\.[^.:=\s]+)*)\s*[:=]\s*(?P<value>.+)", re.S
)
RECORD = re.compile(r"(?P<model>[a-z_][\w.]*)\s*[,#(]\s*(?P<id>\d{1,18})\s*,?\s*\)?")
LABELLED = re.compile(r"(?P<model>.*?) ?[,#(]? ?(?P<id>\d{1,18}) ?,? ?\)?")
"""Of a text in which no two blanks stand together: those could be shared out in very many ways."""
WHOLE = re.compile(r"-?\d{1,18}")
NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")


class ArgumentPathError(ValueError):
    """What was typed is no path to an argument; the message says what is."""


@dataclass(frozen=True)
class ArgumentPath:
    """An argument that a job is to have been called with.

    :param positional: path in the arguments by position; empty not to look there
    :param named: path in those by name
    """

    positional: str
    named: str


def read_path(text: str) -> ArgumentPath:
    """Return what a text asks for.

    ``args`` looks at all arguments, since a caller may name them or not, ``kwargs`` at the named
    ones only. A step that is a number is a place in a list.

    :raises ArgumentPathError: when it cannot be understood
    """
    found = ASKED.fullmatch(storable(text.strip()[:MOST_CHARACTERS]))
    steps = tuple(found["steps"].split(".")[1:]) if found else ()
    if not found or len(steps) > MOST_STEPS:
        raise ArgumentPathError("write args.order_id:42, args.0:42 or kwargs.options.lang:en")
    leaf, by_place = _leaf(found["value"].strip()), bool(steps) and steps[0].isdecimal()
    return ArgumentPath(
        positional=_positional(steps, leaf) if found["column"] == "args" else "",
        named="" if by_place else f"strict ${'' if steps else '.*'} ? ({_steps(steps, leaf)})",
    )


def _positional(steps: Sequence[str], leaf: str) -> str:
    """Return the path in the list of the arguments by position: to one of them, or to any."""
    if steps and steps[0].isdecimal():
        return f"strict $[{int(steps[0][:PLACE_DIGITS])}] ? ({_steps(steps[1:], leaf)})"
    return f"strict $[*] ? ({_steps(steps, leaf)})"


def read_record(text: str) -> tuple[str, int] | None:
    """Return the model, or how it is called, and the id that a text names; ``None`` for neither.

    :param text: ``res.partner,42``, ``res.partner(42,)``, ``Contact#42``, ``42`` for any model
    """
    found = LABELLED.fullmatch(" ".join(storable(text[:MOST_CHARACTERS]).split()))
    return (found["model"], int(found["id"])) if found else None


def _steps(steps: Sequence[str], leaf: str) -> str:
    """Return the condition that a value leads by these steps to what meets another."""
    if not steps:
        return leaf
    step, rest = steps[0], _steps(steps[1:], leaf)
    if step.isdecimal():
        place = int(step[:PLACE_DIGITS])
        return f"exists(@[{place}] ? ({rest})) || exists(@.value[{place}] ? ({rest}))"
    key = json.dumps(step)
    stored_in_order = f"exists(@.value[*] ? (@[0] == {key} && exists(@[1] ? ({rest}))))"
    return f"exists(@.{key} ? ({rest})) || {stored_in_order}"


def _leaf(text: str) -> str:
    """Return the condition that a value is what was typed, in any of the ways to store it.

    What is in a list or a tuple is found as well.
    """
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    literal = json.dumps(text[1:-1] if quoted else text)
    record = None if quoted else RECORD.fullmatch(text)
    if record:
        return f"@.model == {json.dumps(record['model'])} && {_among('ids', record['id'])}"
    others = [] if quoted else _unquoted(text)
    same = " || ".join(f"@ == {one}" for one in (literal, *others))
    ways = [same, f"exists(@[*] ? ({same}))", f"exists(@.value[*] ? ({same}))"]
    ways.append(f"@.value == {literal}")
    if WHOLE.fullmatch(text):
        ways.append(_among("ids", text))
    return " || ".join(ways)


def _among(key: str, number: str) -> str:
    return f"exists(@.{key}[*] ? (@ == {int(number)}))"


def _unquoted(text: str) -> list[str]:
    """Return what else a text may mean, as literals: a number or a truth."""
    if NUMBER.fullmatch(text):
        return [f"{Decimal(text):f}"]
    constant = {"true": "true", "false": "false", "none": "null", "null": "null"}.get(text.lower())
    return [constant] if constant else []
