"""Running what is ready in this very process, and coming to an end: for scripts and tests.

It takes the lead of the database, so that no runner dispatches meanwhile, and decides as any leader
does: capacities, order, throttles and pauses hold. Only the way to a worker is shorter.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, cast

from odoo.modules.registry import Registry

from .core.channels import ChannelConfig, write_channels
from .core.report import Outcome, Report
from .jobrunner.dispatch import Answer, Dispatcher, Order
from .jobrunner.fleet import Fleet
from .jobrunner.flights import Flights
from .jobrunner.leader import Leader, Place
from .jobrunner.means import Means
from .jobrunner.slots import Slots
from .jobrunner.waker import Waker
from .storage import dispatch, nodes
from .storage.nodes import HOST, Announcement, Node
from .worker.executor import run_lease

_logger = logging.getLogger(__name__)

HERE = "this process"
"""Stands where other leaders have the address of a server."""

SLOTS = 1
"""One job at a time: what a script wants to see ends in the order in which it began."""


class LocalDispatcher:
    """Runs leases in a thread of this process, one after the other.

    :param database: name of the database
    :param limit: jobs to run at the most; 0 for no limit
    """

    def __init__(self, database: str, limit: int = 0) -> None:
        self._database = database
        self._limit = limit
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.outcomes: Counter[Outcome] = Counter()

    @property
    def is_exhausted(self) -> bool:
        """Whether so many jobs ran as were allowed."""
        return bool(self._limit) and self.outcomes.total() >= self._limit

    def grow(self, _threads: int) -> None:
        """Start the one thread that there is."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="queue_job drain", daemon=True)
            self._thread.start()

    def send(self, order: Order) -> None:
        """Run a lease soon; what asks for no job is answered at once."""
        if order.jobs:
            self._orders.put(order)
        else:
            order.done(Answer(order.number, order.server, []))

    def _work(self) -> None:
        # Where Odoo's log formatter looks for the name of the database.
        threading.current_thread().dbname = self._database  # type: ignore[attr-defined]
        while True:
            order = self._orders.get()
            try:
                answer = Answer(order.number, order.server, self._run(order))
            except BaseException as error:
                # Without an answer the drain would wait for ever.
                _logger.exception("lease not run")
                answer = Answer(order.number, order.server, None, repr(error))
            order.done(answer)

    def _run(self, order: Order) -> list[Report]:
        """Run as many jobs of a lease as are left to be run; the others are ready again."""
        left = self._limit - self.outcomes.total() if self._limit else len(order.jobs)
        registry = Registry(self._database).check_signaling()
        with registry.cursor() as cr:
            reports = run_lease(cr, order.jobs[:left])
        self.outcomes.update(report.outcome for report in reports)
        return reports


class LoneFleet(Fleet):
    """This process, whatever servers there are besides: they follow another leader."""

    def __init__(self) -> None:
        super().__init__(HERE, SLOTS)

    def update(self, nodes: Iterable[Node], own: int) -> set[str]:
        """Take no note of anybody."""
        return set()


class DrainingLeader(Leader):
    """A leader that ends when nothing is left that could start.

    :param place: database and connection
    :param channels: configuration by full name
    :param dispatcher: runs the leases, and says when that is enough
    """

    def __init__(
        self, place: Place, channels: Mapping[str, ChannelConfig], dispatcher: LocalDispatcher
    ) -> None:
        sender = cast(Dispatcher, dispatcher)
        means = Means(Slots(), sender, sender)
        super().__init__(place, channels, LoneFleet(), means)
        self._worker = dispatcher

    def may_start(self) -> bool:
        """Tell whether fewer jobs ran than were allowed."""
        return not self._worker.is_exhausted

    def is_over(self, now: float) -> bool:
        """Tell whether all is done."""
        return self.is_idle(now)


class Drain:
    """Runs the ready jobs of a database whose leader's lock a connection holds.

    :param link: direct connection in autocommit mode
    :param database: name of the database
    :param channels: configuration by full name
    :param limit: jobs to run at the most; 0 for no limit
    """

    def __init__(
        self, link: Any, database: str, channels: Mapping[str, ChannelConfig], limit: int = 0
    ) -> None:
        self._link = link
        self._dispatcher = LocalDispatcher(database, limit)
        self._waker = Waker()
        self._cr = link.cursor()
        self._node = nodes.announce(self._cr, _announcement(channels))
        dispatch.listen(self._cr)
        place = Place(database, link, self._node, self._waker, Flights())
        self._leader = DrainingLeader(place, channels, self._dispatcher)

    def close(self) -> None:
        """Start nothing more; :meth:`run` returns when what runs has ended."""
        self._leader.close()

    def run(self) -> dict[Outcome, int]:
        """Run what is ready, and what becomes ready by that, to its end.

        :return: how many jobs ended in which way
        """
        try:
            self._leader.lead(lambda: False)
        finally:
            with suppress(Exception):
                nodes.leave(self._cr, self._node)
            self._waker.close()
        return dict(self._dispatcher.outcomes)


def _announcement(channels: Mapping[str, ChannelConfig]) -> Announcement:
    """Return what the screens show while it runs; no leader sends anything here."""
    return Announcement(
        host=HOST,
        pid=os.getpid(),
        url=HERE,
        pattern="%s",
        slots=SLOTS,
        standalone=True,
        version="",
        channels=write_channels(channels),
    )
