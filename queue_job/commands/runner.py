"""``run``: the jobrunner by itself."""

from __future__ import annotations

import argparse
import signal
import threading

from odoo.tools import config

from .. import logs
from ..core.channels import ChannelError, is_disabled
from ..jobrunner.runner import QueueJobRunner
from ..settings import settings
from .database import CommandError
from .main import DONE
from .terminal import Terminal


def run(options: argparse.Namespace, _terminal: Terminal) -> int:
    """Serve until a signal says to stop."""
    config.parse_config(options.odoo, setup_logging=True)
    logs.install()
    try:
        wanted = settings()
    except (ChannelError, ValueError) as error:
        raise CommandError(str(error)) from error
    if is_disabled(wanted.channels):
        raise CommandError("turned off by root:0; give the runner its channels")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: stop.set())
    runner = QueueJobRunner(wanted, standalone=True)
    runner.start()
    stop.wait()
    runner.stop()
    return DONE
