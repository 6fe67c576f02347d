from odoo.tests import BaseCase

from ..bank_file import BankLine, read_bank_file


class TestBankFile(BaseCase):
    def test_has_all_lines(self):
        self.assertEqual(len(read_bank_file()), 2797)

    def test_first_line(self):
        self.assertEqual(
            read_bank_file()[0],
            BankLine(
                number=1,
                external_id="bank_fr_ccbpfrpp",
                name="BANQUES POPULAIRES-GROUPE BPCE",
                bic="CCBPFRPP",
                country="base.fr",
            ),
        )

    def test_external_ids_are_unique(self):
        lines = read_bank_file()
        self.assertEqual(len({line.external_id for line in lines}), len(lines))

    def test_is_parsed_once(self):
        self.assertIs(read_bank_file(), read_bank_file())
