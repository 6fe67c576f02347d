"""Bad input, in short: ``make fuzz`` does the same for minutes."""

import pytest
import trial
from targets import TARGETS

INPUTS = 2_000
"""For each target: some seconds for all."""

LEAST_SHARE = 0.02
"""Of inputs that are accepted, and of such that are refused: one kind alone is half of a test."""

NEVER_REFUSED = ("identifier", "rows of the table")
"""What has no bad input by its type, only odd ones."""


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_bad_input_is_refused_in_words_that_help(target):
    found = trial.run(target, INPUTS)
    assert not found.crashes, "\n".join(found.shown)
    assert found.inputs == INPUTS
    assert found.accepted >= LEAST_SHARE * INPUTS
    assert target.name in NEVER_REFUSED or found.refused >= LEAST_SHARE * INPUTS


def test_an_input_is_drawn_again_by_its_number():
    for target in TARGETS:
        assert repr(trial.draw(target, 1, 7))[:200] == repr(trial.draw(target, 1, 7))[:200]


def test_a_crash_is_found_and_shown():
    broken = trial.Target("broken", lambda chance: chance.random(), lambda value: 1 / 0)
    found = trial.run(broken, 10)
    assert (found.crashes, found.accepted, found.refused) == (10, 0, 0)
    assert "input 0" in found.shown[0] and "ZeroDivisionError" in found.shown[0]
