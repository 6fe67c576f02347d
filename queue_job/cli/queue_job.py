"""The command ``odoo queue_job``."""

from __future__ import annotations

import signal
import sys
import threading

from odoo.cli import Command
from odoo.tools import config


class QueueJob(Command):
    """Run the jobrunner alone, beside Odoo servers that have it turned off

    ``odoo queue_job run [options of the server]``
    """

    name = "queue_job"

    def run(self, args: list[str]) -> None:
        """Run the subcommand that ``args`` begin with."""
        if args[:1] != ["run"]:
            print(self.__doc__)
            sys.exit(0 if set(args) & {"-h", "--help"} else 2)
        config.parse_config(args[1:], setup_logging=True)
        self._serve()

    def _serve(self) -> None:
        """Serve until a signal says to stop."""
        # Not at the top: Odoo reads this file to list its commands, with no addon loaded.
        from odoo.addons.queue_job.core.channels import ChannelError, is_disabled
        from odoo.addons.queue_job.jobrunner.runner import QueueJobRunner
        from odoo.addons.queue_job.settings import settings

        try:
            wanted = settings()
        except (ChannelError, ValueError) as error:
            sys.exit(f"queue_job: {error}")
        if is_disabled(wanted.channels):
            sys.exit("queue_job: turned off by root:0; give the runner its channels")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
        runner = QueueJobRunner(wanted)
        runner.start()
        stop.wait()
        runner.stop()
