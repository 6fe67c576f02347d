"""The runner as a whole: finds the databases, and serves each as long as it is there."""

from __future__ import annotations

import logging
import math
import os
import re
import threading
import time

from odoo.modules.module import Manifest
from odoo.service.db import list_dbs
from odoo.tools import config

from ..core.channels import write_channels
from ..settings import Settings
from ..storage.dispatch import LEADER_LOCK
from ..storage.nodes import HOST, Announcement
from .database import DatabaseRunner
from .deaths import Deaths
from .dispatch import ERRAND_SECONDS, Dispatcher
from .means import Means
from .slots import Slots

_logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
"""How often to look after the threads of the databases."""

DISCOVERY_SECONDS = 30.0
"""How often to look for databases that were created, or in which the addon was installed."""

PG_ADVISORY_LOCK_ID = LEADER_LOCK
"""The community's name for the lock of the leader, for those who look at ``pg_locks``."""

STOP_SECONDS = 0.8
"""How long stopping may take: enough to take back what is not started, less than a second."""


class QueueJobRunner:
    """Serves every database of this Odoo that has the addon.

    :param settings: what the administrator set
    :param standalone: it runs beside the servers rather than in one
    :param deaths: what its server knows of the end of workers
    """

    def __init__(
        self, settings: Settings, *, standalone: bool = False, deaths: Deaths | None = None
    ) -> None:
        self._means = _means(settings, deaths)
        self._settings = settings
        self._standalone = standalone
        self._stop = threading.Event()
        self._runners: dict[str, DatabaseRunner] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to serve, in threads; called again it does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self.run, name="queue_job runner", daemon=True)
            self._thread.start()

    def run(self) -> None:
        """Serve until stopped."""
        settings = self._settings
        _logger.info("jobrunner starting: %s slot(s) at %s", settings.slots, settings.url)
        discover_at = -math.inf
        while not self._stop.wait(0 if discover_at < 0 else WATCH_SECONDS):
            for runner in self._runners.values():
                runner.watch()
            self._means.slots.remind()
            if time.monotonic() < discover_at:
                continue
            try:
                self._discover()
            except Exception:
                # Most likely the server that lists the databases is away; it will be back.
                _logger.warning("databases cannot be listed", exc_info=True)
            discover_at = time.monotonic() + (DISCOVERY_SECONDS if self._runners else 0)

    def stop(self) -> None:
        """Take back what is not started and end; running jobs go on in their workers."""
        self._stop.set()
        runners = list(self._runners.values())
        for runner in runners:
            runner.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for runner in runners:
            runner.join(max(0.0, deadline - time.monotonic()))
        _logger.info("jobrunner stopped")

    def _discover(self) -> None:
        """Begin to serve the databases that are new, and stop serving those that are gone."""
        names = databases()
        for name in set(self._runners) - set(names):
            self._runners.pop(name).stop()
        for name in names:
            known = self._runners.get(name)
            if (known is None or not known.is_alive()) and not self._stop.is_set():
                self._runners[name] = DatabaseRunner(
                    name, self._settings, self._announcement(), self._means
                )
                self._runners[name].start()

    def _announcement(self) -> Announcement:
        settings = self._settings
        return Announcement(
            host=HOST,
            pid=os.getpid(),
            url=settings.url if settings.host else None,
            pattern=settings.pattern,
            slots=settings.slots,
            standalone=self._standalone,
            version=Manifest.for_addon("queue_job").version,
            channels=write_channels(settings.channels),
        )


def _means(settings: Settings, deaths: Deaths | None) -> Means:
    errands = Dispatcher(settings.auth, patience=ERRAND_SECONDS)
    return Means(Slots(), Dispatcher(settings.auth), errands, deaths)


def databases() -> list[str]:
    """Return the databases to serve: those configured, or all that ``dbfilter`` lets through.

    A filter that depends on the host name of a request lets all through.
    """
    if config["db_name"]:
        return list(config["db_name"])
    names: list[str] = list_dbs(True)
    pattern = config["dbfilter"]
    if not pattern or "%h" in pattern or "%d" in pattern:
        return names
    return [name for name in names if re.match(pattern, name)]
