"""Statements that one of Odoo's cursors runs again and again, planned once.

To plan a small statement takes as long as to run it. A plan lasts as long as the cursor: Odoo
resets a connection before it gives it to somebody else. Behind a pooler the next transaction may
be in another session, so there nothing is planned.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

PLANNED_FROM = 6
"""Uses of a statement on a cursor from which it pays to plan it."""

_uses: WeakKeyDictionary[Any, dict[str, int]] = WeakKeyDictionary()
"""By cursor, how often each statement was run, by its name."""


def execute(cr: Any, name: str, statement: str, values: list[Any], *, direct: bool) -> None:
    """Run a statement, planned once when it was run often enough.

    :param name: of the plan, one for each statement
    :param statement: with ``%s`` for each value
    :param direct: whether no pooler is between
    """
    # The cursors of a test share one connection, which they wrap.
    uses = _uses.setdefault(getattr(cr, "_cursor", cr), {})
    uses[name] = uses.get(name, 0) + 1
    if not direct or uses[name] < PLANNED_FROM:
        cr.execute(statement, values)
        return
    if uses[name] == PLANNED_FROM:
        places = tuple(f"${place}" for place in range(1, len(values) + 1))
        cr.execute(f"PREPARE {name} AS {statement % places}")
    marks = ", ".join(["%s"] * len(values))
    cr.execute(f"EXECUTE {name} ({marks})", values)
