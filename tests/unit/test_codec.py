"""Arguments as JSON: what comes back is what went in, and what cannot go is named by its place."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import uuid

import pytest
from core.codec import TAG, UNKNOWN, ArgumentError, decode, encode, readable
from hypothesis import given
from hypothesis import strategies as st


def without_fold(value):
    """ISO text, in which times are stored, cannot tell the second pass of a repeated hour."""
    return value.replace(fold=0)


OFFSETS = st.integers(-23 * 60, 23 * 60).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
HASHABLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
    st.just(TAG),
    st.binary(max_size=8),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.dates(),
    st.datetimes(timezones=st.none() | OFFSETS).map(without_fold),
    st.times(timezones=st.none() | OFFSETS).map(without_fold),
    st.timedeltas(),
)
KEYS = st.recursive(
    HASHABLE,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.sets(KEYS, max_size=3),
        st.frozensets(KEYS, max_size=3),
        st.dictionaries(TEXT | st.just(TAG), inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 1


class Word(str, enum.Enum):
    YES = "yes"


class Markup(str):
    """Text that is more than text."""

    def __str__(self):
        return str.__str__(self)


class Number(int):
    """A whole number with a name."""


Pair = collections.namedtuple("Pair", "left right")


@dataclasses.dataclass(frozen=True)
class Ours:
    """What only the caller knows."""

    number: int


def nothing_extra(value):
    return UNKNOWN


def encode_ours(value):
    return {TAG: "ours", "number": value.number} if isinstance(value, Ours) else UNKNOWN


def decode_ours(value):
    return Ours(value["number"]) if value[TAG] == "ours" else UNKNOWN


def stored(value):
    """Return what the database holds."""
    return json.loads(json.dumps(encode(value, "args", nothing_extra), allow_nan=False))


def as_jsonb(value):
    """Return parsed JSON as ``jsonb`` would give it back.

    It sorts keys by length, then by bytes; it writes numbers without an exponent, so that large
    ones read as whole numbers, and knows no negative zero.
    """
    if isinstance(value, list):
        return [as_jsonb(item) for item in value]
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: as_jsonb(value[key]) for key in keys}
    if isinstance(value, float):
        return json.loads(format(decimal.Decimal(repr(value)), "f")) + 0
    return value


def there_and_back(value):
    return decode(as_jsonb(stored(value)), nothing_extra)


def shape(value):
    """Return a value with the types of all its parts, for ``1 == True == 1.0``."""
    if isinstance(value, dict):
        return dict, [(shape(key), shape(item)) for key, item in value.items()]
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(repr(shape(item)) for item in value)
    if isinstance(value, (list, tuple)):
        return type(value), [shape(item) for item in value]
    return type(value), repr(value)


# Round trip


@given(VALUES)
def test_what_comes_back_is_what_went_in(value):
    assert there_and_back(value) == value


@given(VALUES)
def test_every_part_comes_back_with_its_type(value):
    assert shape(there_and_back(value)) == shape(value)


@given(VALUES)
def test_what_is_stored_is_plain_json(value):
    once = encode(value, "args", nothing_extra)
    assert json.loads(json.dumps(once, allow_nan=False)) == once


@given(st.dictionaries(TEXT | st.just(TAG), st.integers(), max_size=3))
def test_an_object_that_looks_like_ours_comes_back_as_it_was(value):
    looks_like_ours = {**value, TAG: "datetime_isoformat", "value": "2026-01-01T00:00:00"}
    assert there_and_back(looks_like_ours) == looks_like_ours
    assert there_and_back([{"deep": looks_like_ours}]) == [{"deep": looks_like_ours}]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN", "-0", "1E+400", "0.10"])
def test_every_decimal_comes_back_with_its_digits(text):
    assert str(there_and_back(decimal.Decimal(text))) == text


def test_an_aware_datetime_keeps_its_moment_and_offset():
    moment = dt.datetime(2026, 3, 29, 2, 30, 0, 5, tzinfo=dt.timezone(dt.timedelta(hours=5.5)))
    assert there_and_back(moment).isoformat() == moment.isoformat()


# The stored names: jobs that wait in a database were written with them


WIRE = [
    (None, None),
    (True, True),
    (7, 7),
    (1.5, 1.5),
    ("text", "text"),
    ([1, "a"], [1, "a"]),
    ({"a": 1}, {"a": 1}),
    (
        dt.datetime(2026, 2, 3, 4, 5, 6, 7),
        {TAG: "datetime_isoformat", "value": "2026-02-03T04:05:06.000007"},
    ),
    (dt.date(2026, 2, 3), {TAG: "date_isoformat", "value": "2026-02-03"}),
    (dt.time(4, 5, 6), {TAG: "time_isoformat", "value": "04:05:06"}),
    (dt.timedelta(1, 2, 3), {TAG: "timedelta", "value": [1, 2, 3]}),
    (decimal.Decimal("1.10"), {TAG: "decimal", "value": "1.10"}),
    (
        uuid.UUID("12345678-1234-5678-1234-567812345678"),
        {TAG: "uuid", "value": "12345678-1234-5678-1234-567812345678"},
    ),
    (b"\x00\xff", {TAG: "bytes", "value": "AP8="}),
    ((1, 2), {TAG: "tuple", "value": [1, 2]}),
    ({3}, {TAG: "set", "value": [3]}),
    (frozenset({3}), {TAG: "frozenset", "value": [3]}),
    ({1: "a"}, {TAG: "mapping", "value": [[1, "a"]]}),
    ({TAG: 1}, {TAG: "mapping", "value": [[TAG, 1]]}),
    ({"a": 1, "b": 2, "aa": 3}, {"a": 1, "b": 2, "aa": 3}),
    ({"b": 1, "a": 2}, {TAG: "dict", "value": [["b", 1], ["a", 2]]}),
    (1e15, 1e15),
    (1e16, {TAG: "float", "value": "1e+16"}),
    (-1.5e300, {TAG: "float", "value": "-1.5e+300"}),
    (-0.0, {TAG: "float", "value": "-0.0"}),
]


@pytest.mark.parametrize("value, wire", WIRE)
def test_the_stored_form(value, wire):
    assert TAG == "_type"
    assert stored(value) == wire
    assert decode(wire, nothing_extra) == value


# What jsonb is not


@given(st.dictionaries(TEXT, st.integers(), max_size=6))
def test_a_dict_keeps_its_order(value):
    assert list(there_and_back(value).items()) == list(value.items())
    assert list(there_and_back([{"deep": value}])[0]["deep"]) == list(value)


@given(st.dictionaries(TEXT.filter(lambda key: key != TAG), st.integers(), max_size=6))
def test_a_dict_whose_order_does_not_count_is_an_object(value):
    assert encode(value, "kwargs", nothing_extra, ordered=False) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_stays_a_float(value):
    back = there_and_back(value)
    assert (type(back), repr(back)) == (float, repr(value))


def test_for_eyes_a_dict_is_an_object_in_its_order():
    value = [{"b": {"d": 1, "c": (2,)}, "a": dt.date(2026, 1, 1)}]
    shown = readable(stored(value))
    assert json.dumps(shown) == json.dumps(
        [
            {
                "b": {"d": 1, "c": {TAG: "tuple", "value": [2]}},
                "a": {TAG: "date_isoformat", "value": "2026-01-01"},
            },
        ],
    )


# Subclasses


def test_a_subclass_of_text_or_whole_number_goes_as_its_plain_value():
    assert stored([Markup("<b>"), Number(3)]) == ["<b>", 3]
    assert [type(item) for item in encode([Markup("a"), Number(3)], "args", nothing_extra)] == [
        str,
        int,
    ]


@pytest.mark.parametrize(
    "value",
    [collections.OrderedDict(a=1), collections.defaultdict(list, a=1), collections.Counter(a=1)],
)
def test_a_kind_of_dict_goes_as_a_dict(value):
    assert stored(value) == {"a": 1}


def test_a_key_that_is_a_subclass_of_text_comes_back_as_text():
    (key,) = there_and_back({Markup("a"): 1})
    assert (type(key), key) == (str, "a")


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        Level.HIGH,
        Word.YES,
        Pair(1, 2),
        object(),
        1j,
        range(3),
        iter([]),
        bytearray(b"a"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_come_back_as_something_else_is_refused(value):
    with pytest.raises(ArgumentError, match=f"of type {type(value).__name__}"):
        encode(value, "args", nothing_extra)


# What cannot go is named by its place


def nested(value):
    return [0, {"lines": [1, 2, 3, value]}]


@pytest.mark.parametrize(
    "value, path",
    [
        (object(), "args"),
        (nested(object()), "args[1]['lines'][3]"),
        ((1, (2, object())), "args[1][1]"),
        ({1: object()}, "args[1]"),
        ({object(): 1}, "args[<object object"),
        ({(1, Colour.RED): 1}, "args[(1, <Colour.RED: 1>)][1]"),
        ({TAG: object()}, "args['_type']"),
        ({"a": {"b": [object()]}}, "args['a']['b'][0]"),
        ({Colour.RED}, "args[0]"),
    ],
)
def test_a_value_that_cannot_be_stored_is_named_by_its_path(value, path):
    with pytest.raises(ArgumentError) as caught:
        encode(value, "args", nothing_extra)
    assert str(caught.value).startswith(path)
    assert "ids" in str(caught.value)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_carry_is_named_by_its_path(number):
    with pytest.raises(ArgumentError) as caught:
        encode(nested(number), "args", nothing_extra)
    assert str(caught.value).startswith(f"args[1]['lines'][3] is {number!r}")
    assert "finite" in str(caught.value)


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ud800", Markup("a\0b"), Markup("\udfff")])
def test_text_that_postgresql_cannot_store_is_named_by_its_path(text):
    with pytest.raises(ArgumentError) as caught:
        encode(nested(text), "args", nothing_extra)
    assert str(caught.value).startswith("args[1]['lines'][3]")
    assert "pass bytes" in str(caught.value)
    with pytest.raises(ArgumentError, match="args"):
        encode({text: 1}, "args", nothing_extra)


def test_an_argument_error_is_a_type_error():
    assert issubclass(ArgumentError, TypeError)


# What the caller knows


def test_the_caller_encodes_and_decodes_its_own_kinds_at_any_depth():
    value = {"a": [Ours(1), (Ours(2),)], 3: Ours(4)}
    wire = json.loads(json.dumps(encode(value, "args", encode_ours)))
    assert decode(wire, decode_ours) == value


def test_the_caller_is_not_asked_about_what_json_knows():
    def refuse(value):
        raise AssertionError(f"asked about {value!r}")

    plain = [None, True, 1, 1.5, "text", {"a": []}, (1,), {2}, b"", dt.date(2026, 1, 1)]
    encode(plain, "args", refuse)


def test_the_caller_may_answer_none():
    assert encode(Ours(1), "args", lambda value: None) is None
    assert decode({TAG: "ours"}, lambda value: None) is None


def test_a_subclass_of_text_can_be_kept_by_the_caller():
    def keep(value):
        return {TAG: "markup", "value": str(value)} if isinstance(value, Markup) else UNKNOWN

    assert encode([Markup("a"), "b"], "args", keep) == [{TAG: "markup", "value": "a"}, "b"]


# What was stored by other code


@pytest.mark.parametrize("wire", [{TAG: "gone", "value": 1}, [{"a": {TAG: "gone"}}]])
def test_a_stored_type_that_nobody_knows_is_named(wire):
    with pytest.raises(ArgumentError, match=r"'gone'.*other code"):
        decode(wire, nothing_extra)
