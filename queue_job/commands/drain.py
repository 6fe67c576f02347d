"""``drain``: run what is ready, and end.

While a server dispatches, its workers do it and this waits for them; otherwise this process does.
"""

from __future__ import annotations

import argparse
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg2

from ..core.channels import (
    DEFAULT_CHANNELS,
    ChannelConfig,
    ChannelError,
    is_disabled,
    parse_channels,
)
from ..core.hold import HOLD_REASONS
from ..core.report import Outcome
from ..draining import Drain
from ..settings import settings
from ..status import Status, read_status
from ..storage import dispatch
from ..storage.connection import connect
from ..storage.pooler import PooledError
from . import database
from .database import CommandError
from .main import DONE, WRONG
from .terminal import Terminal

Outcomes = Mapping[Outcome, int]

LOOK_SECONDS = 0.5
"""How often to look whether a server has done the rest."""


def drain(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run the ready jobs, here or by the servers; wrong is when one failed or was left."""
    with database.reading(options) as cr:
        name = cr.dbname
    try:
        direct = connect(name, settings().database, "queue_job drain")
    except (psycopg2.OperationalError, PooledError, ValueError) as error:
        raise CommandError(str(error)) from error
    with closing(direct) as link:
        drained = _run_or_wait(options, link, name)
        with link.cursor() as cr:
            status = read_status(cr)
            left = _left(cr, status)
    return _tell(terminal, drained, status, left)


def _run_or_wait(options: argparse.Namespace, link: Any, name: str) -> Outcomes | None:
    """Run the jobs here; return nothing when servers have done it."""
    until = None if options.timeout is None else time.monotonic() + options.timeout
    with link.cursor() as cr:
        while not dispatch.try_lead(cr):
            if options.limit:
                raise CommandError("a server dispatches, whose jobs cannot be limited: stop it")
            status = read_status(cr)
            late = until is not None and time.monotonic() > until
            if late or status.hold or not _left(cr, status):
                return None
            time.sleep(LOOK_SECONDS)
    seconds = None if until is None else max(0.0, until - time.monotonic())
    return _run(Drain(link, name, _channels(options), options.limit), seconds)


def _run(work: Drain, seconds: float | None) -> Outcomes:
    """Run the jobs here; a signal, or the end of the time, lets the one that runs end."""
    timer = threading.Timer(seconds or 0, work.close)
    timer.daemon = True
    if seconds is not None:
        timer.start()

    def close(number: int, _frame: Any) -> None:
        # The second one ends it at once: what runs is rolled back, and is ready again.
        signal.signal(number, signal.SIG_DFL)
        work.close()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, close)
    try:
        return work.run()
    finally:
        timer.cancel()


def _channels(options: argparse.Namespace) -> Mapping[str, ChannelConfig]:
    """Return the configuration; that of a server whose runner is turned off says nothing."""
    try:
        channels = parse_channels(options.channels) if options.channels else settings().channels
    except (ChannelError, ValueError) as error:
        raise CommandError(str(error)) from error
    return parse_channels(DEFAULT_CHANNELS) if is_disabled(channels) else channels


def _left(cr: Any, status: Status) -> int:
    """Return how many jobs are ready or run, but for those of paused channels."""
    ready = sum(channel.waiting for channel in status.channels if not channel.paused)
    return ready + len(dispatch.read_running(cr))


def _tell(terminal: Terminal, drained: Outcomes | None, status: Status, left: int) -> int:
    numbers = {outcome.value: 0 for outcome in (Outcome.DONE, Outcome.FAILED, Outcome.POSTPONED)}
    for outcome, number in (drained or {}).items():
        numbers[outcome.value] = number
    paused = sum(channel.waiting for channel in status.channels if channel.paused)
    terminal.tell({**numbers, "left": left, "paused": paused, "here": drained is not None})
    ran = f"{numbers['done']:,} done, {numbers['failed']:,} failed, {numbers['postponed']:,} later"
    terminal.say(f"{ran}." if drained is not None else "The servers have run them.")
    if paused:
        terminal.say(f"{paused:,} jobs wait in paused channels.", "paused")
    if status.hold:
        terminal.warn(f"no job runs: {HOLD_REASONS[status.hold]}")
    if left:
        terminal.say(f"{left:,} jobs are left.", "problem")
    wrong = left or status.hold or numbers["failed"] or numbers.get(Outcome.LOST.value)
    return WRONG if wrong else DONE
