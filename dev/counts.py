"""How many tests passed, failed and were skipped, read from what the test tools write."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

STARTED = re.compile(r" odoo\.addons\.(\S+): Starting (\S+) \.\.\.")
SKIPPED = re.compile(r" odoo\.addons\.(\S+): skipped (.+?) :")
BROKEN = re.compile(r" odoo\.addons\.(\S+): (?:FAIL|ERROR): (?:Subtest )?(.+)")
SUMMARY = re.compile(r" (\d+) failed, (\d+) error\(s\) of (\d+) tests when loading database")
"""Lines of Odoo's log in test mode."""


@dataclass(frozen=True)
class Counts:
    """The outcome of some tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


FAILURE = Counts(failed=1)
"""A step that could not even run its tests."""


def from_check(status: int) -> Counts:
    """Count a tool that either approves or does not."""
    return FAILURE if status else Counts(passed=1)


def from_junit(path: Path, status: int) -> Counts:
    """Read the report that pytest wrote.

    :param status: pytest's exit status, which also tells of errors outside of tests
    """
    if not path.exists():
        return FAILURE
    suites = ET.parse(path).getroot().iter("testsuite")  # noqa: S314 - our own file
    total = Counts()
    for suite in suites:
        tests, failures, errors, skipped = (
            int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")
        )
        failed = failures + errors
        total += Counts(max(tests - failed - skipped, 0), failed, skipped)
    return total if total.failed or not status else total + FAILURE


def from_odoo_log(text: str, status: int) -> Counts:
    """Read the log of Odoo in test mode.

    Each test counts once, however many of its subtests failed. A skipped class counts as one.

    :param status: Odoo's exit status
    """
    summary = SUMMARY.search(text)
    started = {_test(*match) for match in STARTED.findall(text)}
    skipped = {_test(*match) for match in SKIPPED.findall(text)}
    broken = {_test(*match) for match in BROKEN.findall(text)}
    failed = len(broken)
    if not failed and (
        status or summary is None or summary.group(1) != "0" or summary.group(2) != "0"
    ):
        failed = 1
    return Counts(len(started - skipped - broken), failed, len(skipped - broken))


def _test(module: str, description: str) -> str:
    """Return the test that a line speaks of, without the parameters of a subtest."""
    return f"{module}.{description.split(' ', maxsplit=1)[0]}"
