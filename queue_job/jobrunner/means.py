"""What the databases of a runner have in common."""

from __future__ import annotations

from dataclasses import dataclass

from .deaths import Deaths
from .dispatch import Dispatcher
from .slots import Slots


@dataclass(frozen=True)
class Means:
    """What a leader dispatches with.

    :param slots: places for leases
    :param dispatcher: sends leases
    :param errands: sends what has no jobs, and must neither wait for leases nor keep any waiting
    :param deaths: how workers of this server ended; none where there are no processes to end
    """

    slots: Slots
    dispatcher: Dispatcher
    errands: Dispatcher
    deaths: Deaths | None = None
