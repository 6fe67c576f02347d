"""What a remote asks for in ``Retry-After``, and what is made of rubbish."""

from datetime import datetime, timezone

import pytest
from core.retry_after import LEAST_SECONDS, MOST_SECONDS, read_delay
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=timezone.utc)


def delay(value, now=NOW, **headers):
    return read_delay([("Retry-After", value), *headers.items()], now)


@pytest.mark.parametrize(
    "value, seconds",
    [("120", 120), (" 7 ", 7), ("2.0", 2), ("2.5", 2.5), (b"30", 30), (30, 30), (1.5, 1.5)],
)
def test_seconds(value, seconds):
    assert delay(value) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:50:37 GMT",
        "Sunday, 06-Nov-94 08:50:37 GMT",
        "Sun Nov  6 08:50:37 1994",
        "Sun, 06 Nov 1994 09:50:37 +0100",
    ],
)
def test_the_three_forms_of_a_date_and_one_of_another_zone(value):
    assert delay(value) == 60


def test_a_date_is_compared_with_that_of_the_answer():
    headers = {"date": "Sun, 06 Nov 1994 08:00:00 GMT"}
    assert delay("Sun, 06 Nov 1994 08:00:30 GMT", **headers) == 30
    assert delay("Sun, 06 Nov 1994 08:50:37 GMT", date="yesterday") == 60


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER", b"Retry-After"])
def test_the_name_is_read_in_any_case(name):
    assert read_delay([("Server", "x"), (name, "5")], NOW) == 5


def test_it_is_neither_a_busy_loop_nor_for_ever():
    assert delay("0") == LEAST_SECONDS
    assert delay("Sun, 06 Nov 1994 08:00:00 GMT") == LEAST_SECONDS, "it has passed"
    assert delay("999999999999") == MOST_SECONDS
    assert delay("Fri, 31 Dec 9999 23:59:59 GMT") == MOST_SECONDS
    assert read_delay([("Retry-After", "500")], NOW, most=60) == 60


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "soon",
            "-5",
            "+5",
            "1e3",
            "5,5",
            "5 s",
            "0x10",
            "nan",
            "inf",
            "9" * 5000,
            "\u0661\u0662",
        ),
        *("Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999 08:49:37 GMT", "GMT", ", , ,"),
        *(None, True, [], {}, object(), float("nan"), float("inf"), -5, 10**5000, b"\xff"),
    ],
    ids=lambda value: repr(value)[:20] if not isinstance(value, int) else str(value % 1000),
)
def test_rubbish_is_nothing(value):
    assert delay(value) is None


def test_without_the_header_there_is_nothing():
    assert read_delay([("Date", "Sun, 06 Nov 1994 08:49:37 GMT")], NOW) is None
    assert read_delay([], NOW) is None


@given(
    st.text(max_size=80)
    | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{0,9} [+-][0-9]{4}"),
    st.text(max_size=80),
)
def test_whatever_is_sent_nothing_is_raised_and_the_bounds_hold(value, date):
    seconds = delay(value, date=date)
    assert seconds is None or LEAST_SECONDS <= seconds <= MOST_SECONDS
