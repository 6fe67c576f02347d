"""Statements of account as banks send them: a line per movement, and the balance at the end.

The banks of the demonstration send texts that are made here, the same for a bank and a day whenever
they are asked for. Of a few, an amount is damaged or the balance is wrong: no second try helps, the
job fails, and somebody has to look at it.
"""

from __future__ import annotations

import time
from decimal import Decimal, InvalidOperation
from random import Random
from typing import NamedTuple

from odoo import api

MOST_MOVEMENTS = 20

SLOWEST = "queue_job_example.statement_seconds"
"""Parameter: seconds that the slowest bank takes to answer; none takes any time without it."""

DAMAGED = 0.02
WRONG = 0.02
"""Shares of the statements with an amount that is none, and with a balance that is not theirs."""


class StatementError(ValueError):
    """A statement cannot be read."""


class Statement(NamedTuple):
    """What a bank says of a day.

    :param amounts: of the movements, in order
    :param balance: what the bank says they come to
    """

    amounts: tuple[Decimal, ...]
    balance: Decimal

    @property
    def is_balanced(self) -> bool:
        """Whether the movements come to what the bank says."""
        return sum(self.amounts) == self.balance


def fetch(env: api.Environment, external_id: str, day: str) -> str:
    """Return what a bank sends, after the time that it takes.

    :param external_id: name of the bank
    :param day: ``2026-01-31``
    """
    slowest = float(env["ir.config_parameter"].sudo().get_param(SLOWEST) or 0)
    time.sleep(slowest * Random(external_id).random())
    return bank_statement(external_id, day)


def bank_statement(external_id: str, day: str) -> str:
    """Return what a bank sends.

    :param external_id: name of the bank
    :param day: ``2026-01-31``
    """
    draw = Random(f"{external_id} {day}")
    cents = [draw.randint(-80_000, 100_000) for _number in range(draw.randint(1, MOST_MOVEMENTS))]
    balance, amounts = _amount(sum(cents)), [_amount(cent) for cent in cents]
    kind = draw.random()
    if kind < DAMAGED:
        amounts[-1] = amounts[-1].replace(".", ",")
    elif kind < DAMAGED + WRONG:
        balance = _amount(sum(cents) + 100)
    movements = [f"{day};movement {number};{text}" for number, text in enumerate(amounts, start=1)]
    return "\n".join([*movements, f"{day};balance;{balance}"])


def _amount(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2))


def parse_statement(text: str) -> Statement:
    """Read a statement.

    :raises StatementError: when a line is none
    """
    *movements, balance = [
        _parse_line(number, line) for number, line in enumerate(text.splitlines(), start=1)
    ]
    return Statement(tuple(movements), balance)


def _parse_line(number: int, line: str) -> Decimal:
    """Return the amount of a line."""
    *_day_and_text, amount = line.split(";")
    try:
        return Decimal(amount)
    except InvalidOperation as error:
        raise StatementError(f"Line {number}: {amount!r} is no amount") from error
