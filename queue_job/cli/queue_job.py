"""The command ``odoo queue_job``: Odoo reads this file by its path, with no addon loaded."""

from __future__ import annotations

import sys
from importlib import import_module

from odoo.cli import Command


class QueueJob(Command):
    """Run the jobrunner alone, or ask and steer a queue"""

    name = "queue_job"

    def run(self, args: list[str]) -> None:
        """Run the subcommand that ``args`` begin with, and end with its exit code."""
        # Not at the top: Odoo reads this file to list its commands.
        main = import_module("odoo.addons.queue_job.commands.main")
        sys.exit(main.run(self.prog, args))
