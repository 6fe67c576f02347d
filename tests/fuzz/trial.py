"""Trying a target with many inputs, and a report of it."""

from __future__ import annotations

import argparse
import sys
import textwrap
import time
import traceback
from dataclasses import dataclass, field

from inputs import Chance
from targets import TARGETS, Target

SEED = 19
SHOWN_CRASHES = 3
"""Crashes that are kept of a target: one mistake makes thousands."""

LONGEST_CRASH = 1_500
"""Characters of the end of its traceback."""


@dataclass
class Trial:
    """What became of the inputs of a target.

    :param name: of what was tried
    :param seed: with the number of an input, all that is needed to draw it again
    """

    name: str
    seed: int
    accepted: int = 0
    refused: int = 0
    crashes: int = 0
    seconds: float = 0.0
    shown: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """How many were tried."""
        return self.accepted + self.refused + self.crashes

    def crash(self, number: int, text: str) -> None:
        """Note that an input was answered wrongly.

        :param number: of the input
        :param text: what happened
        """
        self.crashes += 1
        if len(self.shown) < SHOWN_CRASHES:
            indented = textwrap.indent(text[-LONGEST_CRASH:], "    ")
            self.shown.append(f"{self.name}, input {number}:\n{indented}")

    def __str__(self) -> str:
        return (
            f"{self.name:<28} seed {self.seed}  {self.inputs:>8,} inputs  "
            f"{self.accepted:>8,} accepted  {self.refused:>8,} refused  "
            f"{self.seconds:>6.1f} s  {self.crashes} crash(es)"
        )


def draw(target: Target, seed: int, number: int) -> object:
    """Return an input by its number."""
    return target.draw(Chance(f"{seed} {target.name} {number}"))


def run(target: Target, inputs: int, seed: int = SEED) -> Trial:
    """Try a target with so many inputs."""
    trial = Trial(target.name, seed)
    began = time.monotonic()
    for number in range(inputs):
        try:
            if target.check(draw(target, seed, number)):
                trial.accepted += 1
            else:
                trial.refused += 1
        except Exception:
            trial.crash(number, traceback.format_exc(limit=-3))
    trial.seconds = time.monotonic() - began
    return trial


def main() -> int:
    """Try every target; return 1 when anything crashed."""
    parser = argparse.ArgumentParser(description="Try what reads input with bad input.")
    parser.add_argument("--inputs", type=int, default=100_000, help="for each target")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    # What crashed may hold half of a surrogate pair.
    sys.stdout.reconfigure(errors="backslashreplace")
    crashes = 0
    for target in TARGETS:
        trial = run(target, options.inputs, options.seed)
        print(trial, *trial.shown, sep="\n", flush=True)
        crashes += trial.crashes
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
