"""Points in time as an administrator types them."""

from datetime import datetime, timedelta

import pytest
from commands.when import read_distance, read_future, read_past

NOW = datetime(2026, 3, 1, 12, 0)


@pytest.mark.parametrize(
    "text, seconds",
    [("0s", 0), ("30m", 1800), ("2h", 7200), ("7d", 604_800), ("1w", 604_800), (" 5m ", 300)],
)
def test_a_distance_is_a_number_and_a_letter(text, seconds):
    assert read_distance(text) == timedelta(seconds=seconds)
    assert read_past(text, NOW) == NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "2", "h", "2 h", "-2h", "2y", "2hh", "٢h", "1" * 10 + "s"])
def test_what_is_none_is_none(text):
    assert read_distance(text) is None
    with pytest.raises(ValueError, match="is no time"):
        read_past(text, NOW)


def test_a_distance_has_an_end():
    with pytest.raises(ValueError, match="century"):
        read_past("999999999w", NOW)


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2026-01-31", datetime(2026, 1, 31)),
        ("2026-01-31T08:30", datetime(2026, 1, 31, 8, 30)),
        ("2026-01-31 08:30:15", datetime(2026, 1, 31, 8, 30, 15)),
        ("2026-01-31T08:30:00Z", datetime(2026, 1, 31, 8, 30)),
        ("2026-01-31T08:30:00+02:00", datetime(2026, 1, 31, 6, 30)),
    ],
)
def test_a_date_is_in_utc_unless_it_says_otherwise(text, moment):
    assert read_past(text, NOW) == moment


def test_the_future_is_not_over():
    assert read_future("2h", NOW) == NOW + timedelta(hours=2)
    assert read_future("2026-03-02", NOW) == datetime(2026, 3, 2)
    for over in ("0s", "2026-03-01T12:00", "2001-01-01"):
        with pytest.raises(ValueError, match="is over"):
            read_future(over, NOW)
