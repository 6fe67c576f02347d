"""The same error has the same name, whatever moved; another error has another one."""

import time
from textwrap import dedent

import pytest
from core.failure import (
    KEY_LENGTH,
    MOST_FRAMES,
    PATTERN_LIMIT,
    is_own,
    lost_signature,
    message_of,
    normalised,
    signature_of,
)
from hypothesis import given
from hypothesis import strategies as st

SHOP = "odoo.addons.shop.models.order"

CODE = """
class Refused(Exception):
    pass

def export(number):
    return send(number)

def send(number):
    raise Refused(f"order {number} was refused")

def export_otherwise(number):
    return send(number)

def deep(number, depth):
    if depth:
        return deep(number, depth - 1)
    return send(number)

def two(number):
    try:
        send(number)
    except Refused:
        raise KeyError("state") from None

def told(number):
    try:
        send(number)
    except Refused as error:
        failure = Refused("given up after 5 tries")
        failure.__cause__ = error
    return failure
"""


def load(code=CODE, module=SHOP, path="/opt/addons/shop/models/order.py"):
    """Return the names of a module of somebody's addon."""
    namespace = {"__name__": module}
    exec(compile(dedent(code), path, "exec"), namespace)
    return namespace


def raised(call, *args):
    """Return what a call raises, as if nothing of this file had called it."""
    try:
        return call(*args)
    except Exception as error:
        return error.with_traceback(error.__traceback__.tb_next)


def key(call, *args):
    return signature_of(raised(call, *args)).key


def test_what_it_is_made_of():
    found = signature_of(raised(load()["export"], 42))
    assert found.exception == f"{SHOP}.Refused"
    assert found.frames == (f"{SHOP}.export", f"{SHOP}.send")
    assert found.location == f"{SHOP}.send"
    assert found.message == "order <n> was refused"
    assert len(found.key) == KEY_LENGTH


def test_it_is_the_same_when_lines_and_folders_move():
    moved = "\n" * 37 + CODE.replace("def send", "\n# mended\n\ndef send")
    elsewhere = load(moved, path="/srv/other/shop/models/order.py")
    assert key(load()["export"], 42) == key(elsewhere["export"], 43)


def test_it_is_another_one_of_another_type_place_or_text():
    keys = {
        key(load()["export"], 42),
        key(load()["export_otherwise"], 42),
        key(load(CODE.replace("was refused", "is unknown"))["export"], 42),
        key(load(CODE.replace("Refused", "Denied"))["export"], 42),
        key(load()["two"], 42),
    }
    assert len(keys) == 5


def test_of_a_chain_the_last_one_counts():
    found = signature_of(raised(load()["two"], 42))
    assert found.exception == "builtins.KeyError"
    assert found.location == f"{SHOP}.two"


def test_one_that_only_tells_of_another_happened_where_that_did():
    found = signature_of(load()["told"](42))
    assert found.message == "given up after <n> tries"
    assert found.frames == (f"{SHOP}.told", f"{SHOP}.send")


def test_a_chain_that_bites_its_tail_has_an_end():
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert signature_of(one, "job").frames == ("job",)


def test_however_deep_it_recurses():
    deep = load()["deep"]
    assert key(deep, 1, 3) == key(deep, 2, 300)
    assert signature_of(raised(deep, 1, 300)).frames == (f"{SHOP}.deep", f"{SHOP}.send")


def test_a_huge_traceback_is_bounded():
    names = "\n".join(f"def f{n}():\n    return f{n + 1}()" for n in range(500))
    code = load(f"{names}\ndef f500():\n    raise ValueError('x' * 10_000_000)")
    error = raised(code["f0"])
    began = time.monotonic()
    found = signature_of(error)
    assert time.monotonic() - began < 1, "a bound ten times what it ever takes"
    assert len(found.frames) == MOST_FRAMES
    assert found.location == f"{SHOP}.f500"
    assert len(found.message) <= PATTERN_LIMIT


def test_without_own_code_the_function_of_the_job_tells_them_apart():
    error = ValueError("no such thing")
    first, second = (signature_of(error, name) for name in ("<a>.x", "<b>.x"))
    assert first.location == "<a>.x"
    assert first.key != second.key


@pytest.mark.parametrize(
    "module, path, own",
    [
        ("odoo.addons.sale.models.sale_order", "/usr/lib/python3/dist-packages/odoo/x.py", True),
        ("odoo.addons.shop.models.order", "/opt/shop/order.py", True),
        ("odoo.addons.mail.models.mail_thread", "/opt/odoo/mail.py", False),
        ("odoo.addons.queue_job.worker.executor", "/opt/queue_job/worker/executor.py", False),
        ("odoo.addons", "/opt/odoo/addons/__init__.py", False),
        ("odoo.orm.models", "/opt/odoo/odoo/orm/models.py", False),
        ("requests.api", "/opt/venv/lib/python3.11/site-packages/requests/api.py", False),
        ("json.decoder", "/usr/lib/python3.11/json/decoder.py", False),
        ("our_library.client", "/srv/code/our_library/client.py", True),
        ("lib", r"C:\Python\Lib\site-packages\lib.py", False),
    ],
)
def test_which_code_is_own(module, path, own):
    assert is_own(module, path) is own


@pytest.mark.parametrize(
    "message, expected",
    [
        ("order 42 of 1,250.75", "order <n> of <n>"),
        ("S00042 and INV/2024/0007", "S<n> and INV/<n>/<n>"),
        ("the balance of -1,250.75 is wrong", "the balance of <n> is wrong"),
        ("the balance of +12 (or \u22123) is wrong", "the balance of <n> (or <n>) is wrong"),
        ("INV-2024 of 3-5 and --7", "INV-<n> of <n>-<n> and -<n>"),
        ("between 2024-02-29 and -2", "between <date> and <n>"),
        ("on 2024-02-29 13:37:00.123+01:00", "on <date>"),
        ("on 2024-02-29T13:37:00Z, 2024-03-01", "on <date>"),
        ("job 3f2504e0-4f89-41d3-9a0c-0305e82c3301", "job <uuid>"),
        ("at 0x7f3c9a <object>", "at <hex> <object>"),
        ("token deadbeef01 is stale", "token <hex> is stale"),
        ("the facade effaced defaced", "the facade effaced defaced"),
        ("no 'Azure Interior' here", "no <value> here"),
        ('no "Azure" or «Bleu»', "no <value> or <value>"),
        ("can't reach the customer's shop", "can't reach the customer's shop"),
        ("res.partner(1, 2, 3)", "res.partner(<n>)"),
        ("res.partner(7,)", "res.partner(<n>,)"),
        ("missing: 'a', 'b', 'c'", "missing: <value>"),
        ("Key (email)=(a@b.c) already exists.", "Key (email)=(<value>) already exists."),
        ("two\n  lines", "two lines"),
        ("", ""),
    ],
)
def test_what_differs_is_replaced(message, expected):
    assert normalised(message) == expected


@given(st.integers(0), st.uuids(), st.datetimes(), st.floats(0, 1e9))
def test_no_number_identifier_or_time_is_left(number, uuid, date, price):
    text = normalised(f"order {number} {uuid} {date} {price:.2f} {number:#x}")
    assert not any(character.isdigit() for character in text)


@given(st.text())
def test_any_text_is_bounded_and_stays_as_it_is_the_second_time(text):
    once = normalised(text)
    assert len(once) <= PATTERN_LIMIT
    assert "\0" not in once
    once.encode()
    assert normalised(once) == once or len(once) == PATTERN_LIMIT


@given(st.text(), st.text())
def test_it_never_raises(message, function):
    found = signature_of(ValueError(message), function)
    assert len(found.key) == KEY_LENGTH
    assert lost_signature(function).key != found.key


@pytest.mark.parametrize(
    "text", ["'" * 9_999, '"' * 9_999, "=(" * 5_000, "1," * 5_000, "a1" * 5_000]
)
def test_no_text_takes_long(text):
    began = time.monotonic()
    normalised(text)
    assert time.monotonic() - began < 1, "a bound ten times what it ever takes"


def test_an_error_that_cannot_be_written_is_named_all_the_same():
    class Odd(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    assert message_of(Odd()) == "the error cannot be written: RuntimeError"
    assert message_of(ValueError("x", 1)) == "x"
    assert signature_of(Odd()).message == "the error cannot be written: RuntimeError"
