"""Arguments of a job as JSON, and back.

What JSON knows goes as it is. Other values become an object with a ``_type``; records, XML elements
and members of enumerations are added by the caller, because this module knows nothing of Odoo.

PostgreSQL's ``jsonb`` is not quite JSON: it sorts the keys of an object, writes large numbers
without an exponent, so that they read as whole numbers, and knows no negative zero. What would not
come back as it went becomes an object with a ``_type`` as well.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from .quoting import shortened, shown

TAG = "_type"


class ArgumentError(TypeError):
    """A value that a job cannot carry; the message says where it stands and what to pass."""


class DamagedError(ArgumentError):
    """A stored value that no job was ever stored with: somebody has changed it by hand."""


Encode = Callable[[Any], Any]
Decode = Callable[[dict[str, Any]], Any]

UNKNOWN = object()
"""What an extra encoder or decoder answers for a value that is not its own."""


def _tagged(name: str, write: Encode) -> Encode:
    return lambda value: {TAG: name, "value": write(value)}


def _timedelta_parts(value: dt.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


ENCODERS: dict[type, Encode] = {
    dt.datetime: _tagged("datetime_isoformat", dt.datetime.isoformat),
    dt.date: _tagged("date_isoformat", dt.date.isoformat),
    dt.time: _tagged("time_isoformat", dt.time.isoformat),
    dt.timedelta: _tagged("timedelta", _timedelta_parts),
    decimal.Decimal: _tagged("decimal", str),
    uuid.UUID: _tagged("uuid", str),
    bytes: _tagged("bytes", lambda value: base64.b64encode(value).decode()),
}


def _from_list(make: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return what makes a value of a list, and of nothing else that could be walked through."""

    def read(value: Any) -> Any:
        if type(value) is not list:
            raise TypeError("it is no list")
        return make(value)

    return read


DECODERS: dict[str, Callable[[Any], Any]] = {
    "datetime_isoformat": dt.datetime.fromisoformat,
    "date_isoformat": dt.date.fromisoformat,
    "time_isoformat": dt.time.fromisoformat,
    "timedelta": _from_list(lambda parts: dt.timedelta(*parts)),
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "bytes": partial(base64.b64decode, validate=True),
    "tuple": _from_list(tuple),
    "set": _from_list(set),
    "frozenset": _from_list(frozenset),
    "mapping": _from_list(dict),
    "dict": _from_list(dict),
    "float": float,
}
"""Everything that a stored ``_type`` can make; no other class is ever looked for."""

UNREADABLE = (TypeError, ValueError, ArithmeticError, AttributeError)
"""What these raise for a value that is none of theirs."""

KEY_SHOWN = 60
"""Characters of the key of a dict in the path of a value."""

WHOLE_BITS = 14_000
"""Of a whole number: Python writes and reads none that is much longer."""

SEQUENCES: dict[type, str] = {tuple: "tuple", set: "set", frozenset: "frozenset"}


def encode(value: Any, path: str, extra: Encode, ordered: bool = True) -> Any:
    """Return ``value`` in terms that ``jsonb`` can carry.

    :param value: an argument, or a part of one
    :param path: where it stands, for the message: ``args[1]['lines'][3]``
    :param extra: encoder of what the caller knows; answers :data:`UNKNOWN` for all else
    :param ordered: whether the order of the keys counts, if the value itself is a dict
    :raises ArgumentError: naming the path of the value that cannot be stored
    """
    try:
        return _encode(value, path, extra, ordered)
    except RecursionError:
        raise ArgumentError(
            f"{path} is nested too deeply, or holds itself: pass a flat list, or ids"
        ) from None


def _encode(value: Any, path: str, extra: Encode, ordered: bool = True) -> Any:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return _encode_whole(value, path)
    if kind is str:
        return _encode_text(value, path)
    if kind is float:
        return _encode_float(value, path)
    if kind is list:
        return [_encode(item, f"{path}[{i}]", extra) for i, item in enumerate(value)]
    if kind in SEQUENCES:
        return _encode_sequence(value, path, extra)
    if isinstance(value, dict):
        return _encode_dict(value, path, extra, ordered)
    if kind in ENCODERS:
        return ENCODERS[kind](value)
    encoded = extra(value)
    if encoded is not UNKNOWN:
        return encoded
    return _encode_subclass(value, path)


def _encode_whole(value: int, path: str) -> int:
    if value.bit_length() > WHOLE_BITS:
        raise ArgumentError(f"{path} is a number of over 4,000 digits: pass it as text")
    return value


def _encode_text(value: str, path: str) -> str:
    if "\0" in value or not _is_unicode(value):
        raise ArgumentError(
            f"{path} has a zero character or half a surrogate pair, which PostgreSQL cannot store "
            "as text: pass bytes",
        )
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encode_float(value: float, path: str) -> Any:
    if value != value or value in (float("inf"), float("-inf")):
        raise ArgumentError(f"{path} is {value!r}, which JSON cannot carry: pass a finite number")
    text = repr(value)
    return {TAG: "float", "value": text} if "e+" in text or text == "-0.0" else value


def _encode_sequence(value: Any, path: str, extra: Encode) -> Any:
    items = [_encode(item, f"{path}[{i}]", extra) for i, item in enumerate(value)]
    return {TAG: SEQUENCES[type(value)], "value": items}


def _encode_dict(value: dict[Any, Any], path: str, extra: Encode, ordered: bool) -> Any:
    if all(type(key) is str for key in value) and TAG not in value:
        items = {
            _encode_text(key, f"a key of {path}"): _encode(
                item, f"{path}[{shown(key, KEY_SHOWN)}]", extra
            )
            for key, item in value.items()
        }
        if not ordered or list(items) == sorted(items, key=_jsonb_order):
            return items
        return {TAG: "dict", "value": [[key, item] for key, item in items.items()]}
    pairs = [
        [
            _encode(key, f"{path}[{shown(key, KEY_SHOWN)}]", extra),
            _encode(item, f"{path}[{shown(key, KEY_SHOWN)}]", extra),
        ]
        for key, item in value.items()
    ]
    return {TAG: "mapping", "value": pairs}


def _jsonb_order(key: str) -> tuple[int, bytes]:
    """Return what ``jsonb`` sorts the keys of an object by."""
    text = key.encode()
    return len(text), text


def readable(value: Any) -> Any:
    """Return stored JSON with dicts as objects, in their order; for eyes, not to be decoded."""
    if isinstance(value, list):
        return [readable(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(TAG) == "dict" and _are_pairs(value.get("value")):
        return {key: readable(item) for key, item in value["value"]}
    return {key: readable(item) for key, item in value.items()}


def _are_pairs(value: Any) -> bool:
    """Tell whether this is how the items of a dict are stored."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    )


def _encode_subclass(value: Any, path: str) -> Any:
    """Let a subclass of text or whole number, such as marked-up text, go as its plain value."""
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return _encode_text(str(value), path)
    if isinstance(value, int) and not isinstance(value, enum.Enum):
        return _encode_whole(int(value), path)
    raise ArgumentError(
        f"{path} is of type {type(value).__name__}, which a job cannot store: "
        "pass plain values or ids and read the rest when the job runs",
    )


def decode(value: Any, extra: Decode) -> Any:
    """Return what :func:`encode` was given.

    :param value: parsed JSON
    :param extra: decoder of what the caller knows; answers :data:`UNKNOWN` for all else
    :raises ArgumentError: when a ``_type`` is known to nobody
    :raises DamagedError: when the value is not what :func:`encode` writes
    """
    try:
        return _decode(value, extra)
    except RecursionError:
        raise DamagedError("a stored value is nested too deeply to be read") from None


def _decode(value: Any, extra: Decode) -> Any:
    if isinstance(value, list):
        return [_decode(item, extra) for item in value]
    if not isinstance(value, dict):
        return value
    if TAG not in value:
        return {key: _decode(item, extra) for key, item in value.items()}
    if not isinstance(value[TAG], str):
        raise DamagedError(f"a stored {TAG} is {shown(value[TAG])}, which names no type")
    decoded = extra(value)
    if decoded is not UNKNOWN:
        return decoded
    read = DECODERS.get(value[TAG])
    if read is None:
        raise ArgumentError(
            f"unknown stored type {shown(value[TAG])}: it was written by other code"
        )
    return _read(value[TAG], read, _decode(value.get("value"), extra))


def _read(tag: str, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except UNREADABLE as error:
        problem = f"stored {tag} {shown(value)} cannot be read: {shortened(str(error))}"
        raise DamagedError(problem) from error
