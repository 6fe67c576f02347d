"""What a process that a job forks must not keep of its parent.

A child has all connections of its parent, and when that is killed they live on for as long as the
child does: the lock of its job, its transaction, the lead, the request that a runner waits for.
Nobody would take the job back, or lead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_kept: dict[int, tuple[int, int]] = {}
"""By descriptor, which connection it stood for: a number is given again when that is closed."""


def keep_from_children(descriptor: int) -> None:
    """Let no process that is forked have a connection, for as long as it is open.

    :param descriptor: of its socket
    """
    identity = _identity(descriptor)
    if identity:
        _kept[descriptor] = identity


@contextmanager
def kept_from_children(descriptor: int) -> Iterator[None]:
    """Let no process that is forked meanwhile have a connection; later ones may."""
    keep_from_children(descriptor)
    try:
        yield
    finally:
        _kept.pop(descriptor, None)


def _identity(descriptor: int) -> tuple[int, int] | None:
    with suppress(OSError):
        status = os.fstat(descriptor)
        return status.st_dev, status.st_ino
    return None


def _let_go() -> None:
    """Put nothing in the place of each connection, so that its number is not given again."""
    kept = [number for number, identity in _kept.items() if _identity(number) == identity]
    _kept.clear()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in kept:
        os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
