"""A stored traceback in parts."""

import time
import traceback

import pytest
from core.traceback import Part, Roots, parse_traceback
from hypothesis import given
from hypothesis import strategies as st

ROOTS = Roots(own=("/srv/addons",), others=("/opt/odoo", "/srv/addons/queue_job"))

TEXT = """Traceback (most recent call last):
  File "/opt/odoo/http.py", line 12, in dispatch
    return call()
           ^^^^^^
  File "/srv/addons/queue_job/worker/executor.py", line 3, in run
    method()
  File "/srv/addons/shop/models/order.py", line 44, in export
    raise ValueError(
    ...<1 lines>...
    )
ValueError: no such order
  in two lines

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/addons/shop/models/order.py", line 50, in again
    self.again()
  [Previous line repeated 900 more times]
RecursionError: too deep
"""


def parts(text, roots=ROOTS):
    return [(piece.part.value, piece.place) for piece in parse_traceback(text, roots)]


def joined(text, roots=ROOTS):
    return "".join(piece.text for piece in parse_traceback(text, roots))


def test_frames_of_the_house_are_told_from_others():
    assert parts(TEXT) == [
        ("text", ""),
        ("framework", "http.py:12"),
        ("framework", "worker/executor.py:3"),
        ("own", "shop/models/order.py:44"),
        ("text", ""),
        ("own", "shop/models/order.py:50"),
        ("text", ""),
    ]
    assert joined(TEXT) == TEXT


def test_the_lines_of_a_frame_stay_together():
    own = [piece for piece in parse_traceback(TEXT, ROOTS) if piece.part is Part.OWN]
    assert own[0].text.splitlines()[0].endswith("in export")
    assert own[0].text.endswith("    )\n")


@pytest.mark.parametrize(
    "file, own",
    [
        ("/srv/addons/shop/models/order.py", True),
        ("/srv/addons/queue_job/worker/executor.py", False),
        ("/srv/addons/queue_job_extra/models/x.py", True),
        ("/srv/addonsx/shop/x.py", False),
        ("/opt/odoo/addons/sale/models/x.py", False),
        ("/usr/lib/python3/json/decoder.py", False),
        ("<string>", False),
    ],
)
def test_the_longest_folder_decides(file, own):
    assert ROOTS.is_own(file) is own


def test_an_addons_folder_within_odoo_is_of_the_house_when_it_says_so():
    roots = Roots(own=("/opt/odoo/custom",), others=("/opt/odoo",))
    assert roots.is_own("/opt/odoo/custom/shop/x.py")
    assert not roots.is_own("/opt/odoo/addons/sale/x.py")


@pytest.mark.parametrize("text", ["", "\n", "it went wrong", "A\r\nB\r\n", "  File nothing"])
def test_other_texts_are_one_part_or_none(text):
    assert [part for part, _place in parts(text)] == (["text"] if text else [])
    assert joined(text) == text


def test_a_real_one_is_read():
    def fail():
        return 1 / 0

    try:
        fail()
    except ZeroDivisionError as error:
        text = "".join(traceback.format_exception(error))
    folder = __file__.rpartition("/")[0]
    found = parse_traceback(text, Roots((folder,), ()))
    assert [piece.part.value for piece in found] == ["text", "own", "own", "text"]
    assert found[-1].text == "ZeroDivisionError: division by zero\n"


@given(st.text(alphabet=' \nFile"/srv,lin1:^\r', max_size=300))
def test_nothing_is_lost(text):
    assert joined(text) == text


@given(st.lists(st.sampled_from(TEXT.splitlines(keepends=True)), max_size=40))
def test_nothing_is_lost_of_lines_in_any_order(lines):
    assert joined("".join(lines)) == "".join(lines)


def test_a_megabyte_takes_no_long():
    began = time.monotonic()
    assert len(parse_traceback(TEXT * 1_700, ROOTS)) > 10_000
    assert len(parse_traceback("x" * 1_000_000, ROOTS)) == 1
    assert len(parse_traceback("x\n" * 500_000, ROOTS)) == 1
    assert time.monotonic() - began < 10
