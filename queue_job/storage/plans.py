"""Statements that one of Odoo's cursors runs again and again, planned once.

To plan a small statement takes as long as to run it. A plan lasts as long as the cursor: Odoo
resets a connection before it gives it to somebody else. Behind a pooler the next transaction may
be in another session, so there nothing is planned.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

PLANNED_FROM = 6
"""Uses of a statement on a cursor from which it pays to plan it."""


@dataclass
class _Cursor:
    """What is known of a cursor.

    :param uses: how often each statement was run, by the name of its plan
    :param planned: names of the plans that are there
    """

    uses: Counter[str] = field(default_factory=Counter)
    planned: set[str] = field(default_factory=set)
    direct: bool | None = None


_cursors: WeakKeyDictionary[Any, _Cursor] = WeakKeyDictionary()


def execute(cr: Any, name: str, statement: str, values: list[Any]) -> None:
    """Run a statement, planned once when it was run often enough.

    :param name: of the plan, one for each statement
    :param statement: with ``%s`` for each value
    """
    # The cursors of a test share one connection, which they wrap.
    known = _cursors.setdefault(getattr(cr, "_cursor", cr), _Cursor())
    known.uses[name] += 1
    if name not in known.planned and known.uses[name] >= PLANNED_FROM and _is_direct(cr, known):
        places = tuple(f"${place}" for place in range(1, len(values) + 1))
        cr.execute(f"PREPARE {name} AS {statement % places}")
        # Only now: in a transaction that is broken already it fails, and has to be done again.
        known.planned.add(name)
    if name in known.planned:
        statement = f"EXECUTE {name} ({', '.join(['%s'] * len(values))})"
    cr.execute(statement, values)


def _is_direct(cr: Any, known: _Cursor) -> bool:
    """Tell whether the session is the one that the connection was opened to, asked once.

    A pooler names a process of its own invention when it is connected to.
    """
    if known.direct is None:
        cr.execute("SELECT pg_backend_pid()")
        known.direct = cr.fetchone()[0] == cr.connection.get_backend_pid()
    return known.direct
