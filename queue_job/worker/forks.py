"""What a process that a job forks must not keep of its worker.

A child has all connections of its parent. When a worker is killed, the lock of its job and the
request that the runner waits for would live on for as long as the child does, and the job would be
taken to run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_kept: set[int] = set()
"""Descriptors."""


@contextmanager
def kept_from_children(descriptor: int) -> Iterator[None]:
    """Let no process that is forked meanwhile have a connection.

    :param descriptor: of its socket
    """
    _kept.add(descriptor)
    try:
        yield
    finally:
        _kept.discard(descriptor)


def _let_go() -> None:
    """Put nothing in the place of each connection, so that its number is not given again."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in _kept:
        os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)
    _kept.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
