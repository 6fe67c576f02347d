"""The stored call of a job for eyes: a tree of its values, and the call as Python.

Nothing is made of what is stored: it is described. What a reader may not see is not in the
description, and so cannot be found by whoever looks at what the screen was sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .codec import TAG
from .masking import MASK, Shown, is_secret, mask_text
from .quoting import shortened

MOST_NODES = 500
"""Values that are described of one call: more than anybody reads."""

MOST_TEXT = 2_000
"""Characters of one value."""

MOST_IDS = 20
"""Records that are named of one recordset."""

DEEPEST = 12
"""Levels of nesting that are described."""

CALL_TEXT = 60
"""Characters of a text in the call, which is read at a glance; the tree has the rest."""

CALL_ITEMS = 6
"""Items of a list or a dict in the call."""

BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "frozenset": ("frozenset({", "})"),
    "dict": ("{", "}"),
}


@dataclass(frozen=True)
class Node:
    """A value of a call.

    :param kind: ``text``, ``number``, ``constant``, ``time``, ``other``, ``masked``, ``records``,
        ``more``, or a key of :data:`BRACKETS`
    :param text: the value as Python writes it, if it has no parts
    :param name: of the argument, or the key
    :param label: what a positional argument is called, which the call does not say
    :param parts: the values in it
    :param size: how many values are in it, described or not
    :param model: of records
    :param ids: of records, the first of them
    """

    kind: str
    text: str = ""
    name: str = ""
    parts: tuple[Node, ...] = ()
    size: int = 0
    model: str = ""
    ids: tuple[int, ...] = ()
    label: str = ""


@dataclass(frozen=True)
class Token:
    """A piece of the call: plain text, or the id of a record that can be opened."""

    text: str
    model: str = ""
    id: int = 0


@dataclass
class _Reader:
    """What describes the values of one call.

    :param shown: how much
    :param named: further names that are secret
    :param left: values that may still be described
    """

    shown: Shown
    named: frozenset[str]
    left: int = field(default=MOST_NODES)

    def read(self, value: Any, name: str = "", depth: int = 0) -> Node:
        self.left -= 1
        if self.shown is Shown.NOTHING or is_secret(name, self.named):
            return Node("masked", MASK, name)
        if depth > DEEPEST:
            return Node("more", "…", name)
        if isinstance(value, list):
            return self._sequence("list", value, name, depth)
        if isinstance(value, dict):
            return self._tagged(value, name, depth)
        return self._plain(value, name)

    def _plain(self, value: Any, name: str) -> Node:
        if value is None or isinstance(value, bool):
            return Node("constant", repr(value), name)
        if isinstance(value, (int, float)):
            return Node("number", _number(value), name)
        return self._text(value, name)

    def _text(self, value: str, name: str) -> Node:
        # Cut after it is masked: half a secret is one as well.
        return Node("text", repr(shortened(mask_text(value, self.named), MOST_TEXT)), name)

    def _tagged(self, value: dict[str, Any], name: str, depth: int) -> Node:
        tag = value.get(TAG)
        if TAG not in value:
            return self._items("dict", list(value.items()), name, depth)
        if tag == "odoo_recordset":
            return _records(value, name)
        inner = value.get("value")
        if tag in ("dict", "mapping") and _are_pairs(inner):
            return self._items("dict", inner or [], name, depth)
        if tag in BRACKETS and isinstance(inner, list):
            return self._sequence(str(tag), inner, name, depth)
        return Node(*self._leaf(str(tag), value), name)

    def _leaf(self, tag: str, value: dict[str, Any]) -> tuple[str, str]:
        """Return kind and text of a value that stands alone."""
        inner = value.get("value")
        if tag.endswith("_isoformat"):
            return "time", f"{tag.removesuffix('_isoformat')}({shortened(str(inner), 60)!r})"
        if tag == "float":
            return "number", shortened(str(inner), 60)
        if tag == "enum_member":
            return "other", shortened(f"{value.get('class')}.{value.get('member')}", 200)
        if tag == "bytes":
            return "other", f"bytes of {len(str(inner)) * 3 // 4} B"
        known = inner if tag in ("decimal", "uuid", "timedelta", "etree_element") else value
        text = known if isinstance(known, str) else json.dumps(known, default=str)
        return "other", f"{tag}({shortened(mask_text(text, self.named), MOST_TEXT)})"

    def _sequence(self, kind: str, values: list[Any], name: str, depth: int) -> Node:
        if self._is_secret_pair(values):
            parts = [self._plain(values[0], ""), Node("masked", MASK)]
            return Node(kind, "", name, tuple(parts), 2)
        parts = list(self._each((("", value) for value in values), depth))
        return Node(kind, "", name, tuple(parts), len(values))

    def _is_secret_pair(self, values: list[Any]) -> bool:
        """Tell whether this is a name and its secret, as headers are often written."""
        return len(values) == 2 and isinstance(values[0], str) and is_secret(values[0], self.named)

    def _items(self, kind: str, items: Sequence[Sequence[Any]], name: str, depth: int) -> Node:
        named = ((key if isinstance(key, str) else _key(key), value) for key, value in items)
        return Node(kind, "", name, tuple(self._each(named, depth)), len(items))

    def _each(self, values: Iterable[tuple[str, Any]], depth: int) -> Iterator[Node]:
        for name, value in values:
            if self.left <= 0:
                yield Node("more", "…")
                return
            yield self.read(value, name, depth + 1)


def describe_call(
    args: Any, kwargs: Any, names: Sequence[Sequence[str]], shown: Shown, named: Iterable[str] = ()
) -> list[Node]:
    """Return a description of each argument of a call.

    :param args: positional arguments in stored JSON terms
    :param kwargs: the others, by name
    :param names: what each positional argument is called, by each who declares the method, the
        last word first; of one that is not there the name is not known, nor its value shown
    :param shown: how much the reader sees
    :param named: further names that are secret
    """
    reader = _Reader(shown, frozenset(named))
    positional = args if isinstance(args, list) else []
    by_name = _by_name(kwargs)
    nodes = [
        _positional(reader, value, names[number] if number < len(names) else None)
        for number, value in enumerate(positional[:MOST_NODES])
    ]
    return nodes + [reader.read(value, name) for name, value in list(by_name.items())[:MOST_NODES]]


def _positional(reader: _Reader, value: Any, names: Sequence[str] | None) -> Node:
    label = names[0] if names else ""
    if not names or any(is_secret(name, reader.named) for name in names):
        return Node("masked", MASK, label=label)
    return replace(reader.read(value), label=label)


def _by_name(kwargs: Any) -> Mapping[str, Any]:
    if not isinstance(kwargs, dict):
        return {}
    if kwargs.get(TAG) == "dict" and _are_pairs(kwargs.get("value")):
        return {str(name): value for name, value in kwargs["value"]}
    return kwargs


def _records(value: dict[str, Any], name: str) -> Node:
    model, ids = value.get("model"), value.get("ids")
    sound = [number for number in ids if type(number) is int] if isinstance(ids, list) else []
    return Node(
        "records",
        name=name,
        size=len(sound),
        model=shortened(str(model or ""), 100),
        ids=tuple(sound[:MOST_IDS]),
    )


def describe_records(value: Any) -> Node:
    """Return a description of the records that a job runs on; of none when there are none."""
    return _records(value if isinstance(value, dict) else {}, "")


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 for pair in value
    )


def _key(value: Any) -> str:
    return shortened(value if isinstance(value, str) else json.dumps(value, default=str), 100)


def _number(value: float) -> str:
    try:
        return shortened(repr(value), 100)
    except ValueError:
        # A number of more digits than Python writes.
        return "…"


def as_python(target: Node, method: str, arguments: Sequence[Node]) -> list[Token]:
    """Return the call as it is written in Python, its records apart.

    :param target: records that the method is called on; without a model for a function
    :param method: its name
    :param arguments: their descriptions
    """
    before = [*_python(target), Token(".")] if target.model else []
    tokens = [*before, Token(f"{method}(")]
    for number, node in enumerate(arguments):
        tokens.append(Token(", " if number else ""))
        tokens += _argument(node)
    return list(_joined([*tokens, Token(")")]))


def _argument(node: Node) -> list[Token]:
    return [Token(f"{node.name}="), *_python(node)] if node.name else _python(node)


def _python(node: Node, depth: int = 0) -> list[Token]:
    if node.kind == "records":
        return _python_records(node)
    if node.kind in BRACKETS:
        return _python_parts(node, depth)
    if node.kind == "text" and len(node.text) > CALL_TEXT:
        return [Token(f"{node.text[:CALL_TEXT]}…{node.text[-1]}")]
    return [Token(node.text)]


def _python_records(node: Node) -> list[Token]:
    tokens = [Token(f"{node.model}(")]
    for number, record in enumerate(node.ids[:CALL_ITEMS]):
        tokens += [Token(", " if number else ""), Token(str(record), node.model, record)]
    return [*tokens, Token(", …)" if node.size > CALL_ITEMS else ")")]


def _python_parts(node: Node, depth: int) -> list[Token]:
    begin, end = BRACKETS[node.kind]
    if depth > 1 and node.parts:
        return [Token(f"{begin}…{end}")]
    tokens = [Token(begin)]
    for number, part in enumerate(node.parts[:CALL_ITEMS]):
        tokens.append(Token(", " if number else ""))
        tokens += [Token(f"{part.name!r}: ")] if node.kind == "dict" and part.name else []
        tokens += _python(part, depth + 1)
    return [*tokens, Token((", …" if node.size > CALL_ITEMS else "") + end)]


def _joined(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield tokens with plain text in one piece between records."""
    text = ""
    for token in tokens:
        if not token.model:
            text += token.text
            continue
        yield Token(text)
        yield token
        text = ""
    yield Token(text)


def record_ids(nodes: Iterable[Node]) -> dict[str, set[int]]:
    """Return the ids of all records in descriptions, by model."""
    found: dict[str, set[int]] = {}
    for node in nodes:
        if node.kind == "records":
            found.setdefault(node.model, set()).update(node.ids)
        for model, ids in record_ids(node.parts).items():
            found.setdefault(model, set()).update(ids)
    return found
