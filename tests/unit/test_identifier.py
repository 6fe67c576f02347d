"""UUIDs of jobs: of version 7, each its own, in the order of their time."""

import os
import uuid

import pytest
from core.identifier import RANDOM_BYTES, time_ordered

NOW = 1_800_000_000_123


def made(milliseconds, number=1):
    return time_ordered(milliseconds, os.urandom(RANDOM_BYTES * number))


def test_each_is_a_uuid_of_version_7_in_its_usual_form():
    for text in made(NOW, 200):
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
        assert parsed.int >> 80 == NOW


def test_there_are_as_many_as_there_is_chance_for():
    assert len(set(made(NOW, 5000))) == 5000
    assert made(NOW, 0) == []


@pytest.mark.parametrize("later", [1, 16, 1000, 10**9])
def test_later_ones_sort_behind_earlier_ones(later):
    assert max(made(NOW, 50)) < min(made(NOW + later, 50))


@pytest.mark.parametrize(
    ("chance", "text"),
    [
        (b"\x00" * 10, "01a3185c-507b-7000-8000-000000000000"),
        (b"\xff" * 10, "01a3185c-507b-7fff-bfff-ffffffffffff"),
    ],
)
def test_time_version_variant_and_chance_have_their_places(chance, text):
    assert time_ordered(NOW, chance) == [text]
