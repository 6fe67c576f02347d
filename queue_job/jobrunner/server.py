"""Starting the runner with Odoo's own server: a process under prefork, threads otherwise.

Odoo offers no hook for further processes, so methods of its servers are wrapped, when the addon is
among the server-wide modules.
"""

from __future__ import annotations

import ctypes
import logging
import os
import select
import sys
import threading
import time
from functools import wraps
from typing import Any

from odoo.service.server import (
    CommonServer,
    PreforkServer,
    ThreadedServer,
    Worker,
    empty_pipe,
)
from odoo.tools import config

from ..core.channels import ChannelError, is_disabled
from ..settings import settings
from .deaths import Deaths
from .runner import QueueJobRunner

_logger = logging.getLogger(__name__)

FROZEN_SECONDS = 30
"""A runner that does not turn for so long is killed by Odoo's server, which starts another: frozen,
it would keep the lead from every other runner."""


STACK_BYTES = 2 << 20
"""Of each thread of the runner, none of which runs a job. With half as much Python 3.13 crashes
when it refuses JSON that is nested too deep."""

M_ARENA_MAX, ARENAS = -8, 2
"""The option in glibc's malloc.h, and what Odoo sets it to for its own server of threads."""


class WorkerJobRunner(Worker):
    """The process of the runner, watched and restarted by the prefork server."""

    deaths: Deaths | None = None
    """The pipe that the server made for it."""

    def __init__(self, multi: PreforkServer) -> None:
        super().__init__(multi)
        self.watchdog_timeout = FROZEN_SECONDS
        self._runner = QueueJobRunner(settings(), deaths=self.deaths)

    def start(self) -> None:
        """Begin in the new process, before there are threads."""
        super().start()
        _spare_addresses()

    def sleep(self) -> None:
        """Wait for a signal; the runner works in threads of its own."""
        # Here and not in start(): threads inherit the mask of this one, which keeps signals for the
        # main thread.
        self._runner.start()
        select.select([self.wakeup_fd_r], [], [], self.multi.beat)
        empty_pipe(self.wakeup_fd_r)

    def signal_handler(self, sig: int, frame: Any) -> None:
        """Learn that the server stops, and wake the thread that has to know."""
        super().signal_handler(sig, frame)
        # The byte that the signal itself wrote may have been read before this ran, and was in vain.
        self.multi.pipe_ping(self.eintr_pipe)

    def stop(self) -> None:
        """Take back what is not started, and end."""
        self._runner.stop()
        logging.shutdown()
        # The interpreter takes seconds to tear itself down, with nothing left for it to do.
        os._exit(0)


def _spare_addresses() -> None:
    """Keep many threads within Odoo's limits, which count addresses and not memory.

    Each would take 8 MB for its stack, and with many processors 64 MB of its own to allocate from.
    """
    threading.stack_size(STACK_BYTES)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(M_ARENA_MAX, ARENAS)


def install() -> None:
    """Let Odoo's servers start the runner, if it is wanted here."""
    if "queue_job" not in config["server_wide_modules"] or not _is_enabled():
        return
    deaths = WorkerJobRunner.deaths = Deaths()
    PreforkServer.process_spawn = _spawning(PreforkServer.process_spawn)
    PreforkServer.process_zombie = _peeking(PreforkServer.process_zombie, deaths)
    PreforkServer.process_timeout = _telling(PreforkServer.process_timeout, deaths)
    PreforkServer.worker_pop = _forgetting(PreforkServer.worker_pop)
    ThreadedServer.cron_spawn = _starting(ThreadedServer.cron_spawn)


def _is_enabled() -> bool:
    try:
        if not is_disabled(settings().channels):
            return True
        _logger.info("jobrunner turned off by root:0")
    except (ChannelError, ValueError) as error:
        # Odoo itself can do without the runner; its jobs wait.
        _logger.error("jobrunner not started, no job will run: %s", error)
    return False


def _runners(server: PreforkServer) -> dict[int, Worker]:
    """Return the runner's process by its id, as the server keeps its other workers."""
    known: dict[int, Worker] = server.__dict__.setdefault("workers_jobrunner", {})
    return known


def _spawning(process_spawn: Any) -> Any:
    @wraps(process_spawn)
    def spawn(self: PreforkServer) -> None:
        process_spawn(self)
        if not _runners(self):
            self.worker_spawn(WorkerJobRunner, _runners(self))

    return spawn


def _peeking(process_zombie: Any, deaths: Deaths) -> Any:
    @wraps(process_zombie)
    def reap(self: PreforkServer) -> None:
        for pid in list(self.workers):
            deaths.peek(pid)
        process_zombie(self)

    return reap


def _telling(process_timeout: Any, deaths: Deaths) -> Any:
    @wraps(process_timeout)
    def end(self: PreforkServer) -> None:
        now = time.time()
        for pid, worker in list(self.workers.items()):
            limit = worker.watchdog_timeout
            if limit is not None and now - worker.watchdog_time >= limit:
                deaths.note(pid, f"it went beyond limit_time_real, {limit} s")
        process_timeout(self)

    return end


def _forgetting(worker_pop: Any) -> Any:
    @wraps(worker_pop)
    def pop(self: PreforkServer, pid: int) -> None:
        _runners(self).pop(pid, None)
        worker_pop(self, pid)

    return pop


def _starting(cron_spawn: Any) -> Any:
    @wraps(cron_spawn)
    def start(self: ThreadedServer) -> None:
        cron_spawn(self)
        runner = QueueJobRunner(settings())
        CommonServer.on_stop(runner.stop)
        runner.start()

    return start
