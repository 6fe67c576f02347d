"""The command ``odoo queue_job``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.modules.registry import Registry
from odoo.tools import config


class QueueJob(Command):
    """Run the jobrunner alone, or ask and steer a queue

    odoo queue_job run                  dispatch, beside Odoo servers that have it turned off
    odoo queue_job explain UUID -d DB   say why a job does not run
    odoo queue_job self-test -d DB      say what is wrong with the installation; 1 when it stops
    odoo queue_job release -d DB        let the jobs of a copied or neutralised database run

    Options of the Odoo server follow, such as -c odoo.conf.
    """

    name = "queue_job"

    def run(self, args: list[str]) -> None:
        """Run the subcommand that ``args`` begin with."""
        commands = {
            "run": self._run,
            "explain": self._explain,
            "self-test": self._self_test,
            "release": self._release,
        }
        if not args or args[0] not in commands:
            print(self.__doc__)
            sys.exit(0 if set(args) & {"-h", "--help"} else 2)
        commands[args[0]](args[1:])

    def _run(self, args: list[str]) -> None:
        """Serve until a signal says to stop."""
        config.parse_config(args, setup_logging=True)
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
        runner = QueueJobRunner(wanted, standalone=True)
        runner.start()
        stop.wait()
        runner.stop()

    def _explain(self, args: list[str]) -> None:
        if not args or args[0].startswith("-"):
            sys.exit("queue_job: explain which job? odoo queue_job explain UUID -d DATABASE")
        with _environment(args[1:]) as env:
            job = env["queue.job"].search([("uuid", "=", args[0])])
            if not job:
                sys.exit(f"queue_job: no job {args[0]} in {env.cr.dbname}")
            print(job.explain())

    def _self_test(self, args: list[str]) -> None:
        with _environment(args) as env:
            found = env["queue.job.health"].self_test()
        for finding in found:
            print(f"{finding['message']}\n    {finding['remedy']}")
        if not found:
            print("All is well.")
        sys.exit(1 if any(finding["stops"] for finding in found) else 0)

    def _release(self, args: list[str]) -> None:
        with _environment(args) as env:
            env["queue.job.health"].release()
            print(f"The jobs of {env.cr.dbname} run here.")


@contextmanager
def _environment(args: list[str]) -> Iterator[Any]:
    """Open the one database that the options name, as the superuser."""
    config.parse_config([*args, "--no-http"], setup_logging=True)
    names = config["db_name"]
    if len(names) != 1:
        sys.exit("queue_job: which database? Add -d DATABASE")
    with Registry(names[0]).cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})
