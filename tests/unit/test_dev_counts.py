"""The sum of all tests is read from logs and reports; a failure must never get lost there."""

import pytest

from dev.counts import FAILURE, Counts, from_check, from_junit, from_odoo_log

START = "2026-01-01 10:00:00,000 1 INFO db odoo.addons.shop.tests.test_cart: Starting Cart.{} ..."
SKIP = "2026-01-01 10:00:00,000 1 INFO db odoo.addons.shop.tests.test_cart: skipped Cart.{} : why"
FAIL = "2026-01-01 10:00:00,000 1 ERROR db odoo.addons.shop.tests.test_cart: FAIL: {}"
SUM = (
    "2026-01-01 10:00:00,000 1 INFO db odoo.tests.result: "
    "{} failed, {} error(s) of {} tests when loading database 'db'"
)


def log(*lines):
    return "\n".join(lines)


def test_counts_add_up_and_read_as_a_line():
    assert str(Counts(1, 2, 3) + Counts(10, 20, 30)) == "11 passed, 22 failed, 33 skipped"


@pytest.mark.parametrize("status, counted", [(0, Counts(passed=1)), (1, FAILURE)])
def test_a_check_is_one_test(status, counted):
    assert from_check(status) == counted


def test_odoo_tests_that_pass_and_that_are_skipped():
    text = log(START.format("a"), START.format("b"), SKIP.format("b"), SUM.format(0, 0, 2))
    assert from_odoo_log(text, 0) == Counts(passed=1, skipped=1)


def test_a_skipped_class_counts_once():
    text = log(SKIP.format("setUpClass"), SUM.format(0, 0, 0))
    assert from_odoo_log(text, 0) == Counts(skipped=1)


def test_subtests_that_fail_are_one_failed_test():
    text = log(
        START.format("a"),
        FAIL.format("Subtest Cart.a (size=1)"),
        FAIL.format("Subtest Cart.a (size=2)"),
        SUM.format(2, 0, 1),
    )
    assert from_odoo_log(text, 1) == FAILURE


@pytest.mark.parametrize(
    "text, status",
    [
        ("", 0),
        (log(START.format("a")), 0),
        (log(START.format("a"), SUM.format(0, 0, 1)), 1),
        (log(START.format("a"), SUM.format(1, 0, 1)), 0),
        (log(START.format("a"), SUM.format(0, 1, 1)), 0),
    ],
    ids=["empty log", "no summary", "exit status", "unseen failure", "unseen error"],
)
def test_what_went_wrong_without_a_line_of_its_own_is_a_failure(text, status):
    assert from_odoo_log(text, status).failed == 1


def report(folder, **numbers):
    path = folder / "report.xml"
    attributes = " ".join(f'{name}="{number}"' for name, number in numbers.items())
    path.write_text(f"<testsuites><testsuite {attributes}/></testsuites>")
    return path


def test_pytest_report(tmp_path):
    path = report(tmp_path, tests=10, failures=1, errors=2, skipped=3)
    assert from_junit(path, 1) == Counts(passed=4, failed=3, skipped=3)


def test_pytest_that_ends_badly_after_good_tests_is_a_failure(tmp_path):
    assert from_junit(report(tmp_path, tests=2), 3) == Counts(passed=2, failed=1)


def test_pytest_without_a_report_is_a_failure(tmp_path):
    assert from_junit(tmp_path / "missing.xml", 0) == FAILURE
