from decimal import Decimal

from odoo.tests import BaseCase

from ..statement import StatementError, bank_statement, parse_statement

SAMPLE = 1000


class TestStatement(BaseCase):
    def test_reads_movements_and_balance(self):
        statement = parse_statement("2026-01-31;one;12.30\n2026-01-31;balance;12.30")
        self.assertEqual(statement.amounts, (Decimal("12.30"),))
        self.assertTrue(statement.is_balanced)

    def test_sees_a_wrong_balance(self):
        self.assertFalse(parse_statement("day;one;1.00\nday;balance;2.00").is_balanced)

    def test_says_which_amount_is_none(self):
        with self.assertRaisesRegex(StatementError, "Line 1: '1,00' is no amount"):
            parse_statement("day;one;1,00\nday;balance;1.00")

    def test_a_statement_is_the_same_when_it_is_asked_for_again(self):
        self.assertEqual(bank_statement("a", "2026-01-31"), bank_statement("a", "2026-01-31"))
        self.assertNotEqual(bank_statement("a", "2026-01-31"), bank_statement("b", "2026-01-31"))

    def test_a_few_are_of_no_use(self):
        damaged = wrong = 0
        for number in range(SAMPLE):
            try:
                wrong += not parse_statement(bank_statement(f"bank {number}", "day")).is_balanced
            except StatementError:
                damaged += 1
        self.assertGreater(damaged, 0)
        self.assertGreater(wrong, 0)
        self.assertLess(damaged + wrong, SAMPLE / 10)
