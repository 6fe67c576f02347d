"""Which jobs are meant when somebody acts on all that match a filter.

A filter comes from outside and is kept for later: it is looked at here, condition by condition, and
nothing in it may lead to other models.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Container
from typing import Any

OPERATORS = frozenset(
    (
        *("=", "!=", "<", ">", "<=", ">=", "in", "not in", "child_of"),
        *("like", "not like", "ilike", "not ilike", "=like", "=ilike", "not =like", "not =ilike"),
    )
)
"""All that search views and the editor of filters make of plain fields."""

CONNECTIVES = ("&", "|", "!")

MOST_CHARACTERS = 300_000
"""Of a filter: twenty thousand ids and more."""


class SelectionError(ValueError):
    """A filter that is none, or asks for more than plain fields."""


Term = Any
"""A connective, or a condition as a list of field, operator and value."""


def read_domain(text: str, fields: Container[str]) -> list[Term]:
    """Return a filter that came as JSON.

    :param text: of a domain, in prefix notation
    :param fields: names that a condition may begin with
    :raises SelectionError: when a part of it is not known
    """
    try:
        domain = json.loads(text) if len(text) <= MOST_CHARACTERS else None
    except (ValueError, RecursionError):
        domain = None
    if not isinstance(domain, list):
        raise SelectionError("it is no list of conditions")
    return [_checked(term, fields) for term in domain]


def as_json(text: str) -> str:
    """Return a filter that somebody typed, as JSON or as Python writes it, as JSON.

    :raises SelectionError: when it is neither; nothing but plain values is taken
    """
    try:
        json.loads(text[:MOST_CHARACTERS])
        return text
    except (ValueError, RecursionError):
        pass
    try:
        return json.dumps(ast.literal_eval(text[:MOST_CHARACTERS].strip()))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise SelectionError("it is no list of conditions") from None


def _checked(term: Term, fields: Container[str]) -> Term:
    if isinstance(term, str) and term in CONNECTIVES:
        return term
    if not isinstance(term, list) or len(term) != 3:
        raise SelectionError("a condition is a field, an operator and a value")
    name, operator, value = term
    if term in ([1, "=", 1], [0, "=", 1]):
        return term
    if not isinstance(name, str) or name not in fields:
        raise SelectionError(f"there is no plain field {str(name)[:100]!r}")
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise SelectionError(f"{str(operator)[:100]!r} is no operator of plain fields")
    if not _is_plain(value):
        raise SelectionError(f"{name} is compared with what is no plain value")
    return term


def _is_plain(value: Any) -> bool:
    """Tell whether a value is one, or a list of such."""
    if isinstance(value, list):
        return not any(isinstance(item, (list, dict)) for item in value)
    return not isinstance(value, dict)


def pinned(domain: list[Term], moment: Callable[[str, str], Any]) -> list[Term]:
    """Return a filter in which relative times are those of now: it is applied later.

    :param domain: as it was read
    :param moment: returns for the name of a field and a text what the text stands for
    """
    return [_pinned_term(term, moment) for term in domain]


def _pinned_term(term: Term, moment: Callable[[str, str], Any]) -> Term:
    if isinstance(term, str) or not isinstance(term[2], str):
        return term
    return [term[0], term[1], moment(term[0], term[2])]
