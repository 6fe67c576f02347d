"""The banks file: the table of French banks that Odoo ships for its French localisation.

Jobs carry the number of a line and read the line when they run. What is read is kept for the
process: 2,797 jobs that each parsed the whole file would spend their time on nothing else.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from odoo.tools import file_open, file_path

PATH = "l10n_fr_account/data/res.bank.csv"
"""Below the addons path; the addon that owns the file need not be installed."""


class BankLine(NamedTuple):
    """One line of the file.

    :param number: position in the file, from 1
    :param external_id: name of the bank where it comes from, unique in the file
    :param name: name of the bank
    :param bic: its Bank Identifier Code
    :param country: XML id of its country
    """

    number: int
    external_id: str
    name: str
    bic: str
    country: str


def read_bank_file() -> tuple[BankLine, ...]:
    """Return the lines of the file.

    :raises FileNotFoundError: when the French localisation is not on the addons path
    """
    path = file_path(PATH)
    return _read(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: str, _modified: int) -> tuple[BankLine, ...]:
    """Parse the file; the time of its last change is there to tell when to do it again."""
    with file_open(path) as file:
        return tuple(
            BankLine(number, row["id"], row["name"], row["bic"], row["country:id"])
            for number, row in enumerate(csv.DictReader(file), start=1)
        )
