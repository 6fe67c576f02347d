"""From what was typed to an exit code."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib import import_module
from typing import Any

from . import parser
from .terminal import Terminal

DONE = 0
WRONG = 1
"""Something is wrong, or was not all done."""
MISUNDERSTOOD = 2


def run(program: str, args: list[str]) -> int:
    """Run a subcommand.

    :param program: what stands before it
    :return: the exit code
    """
    if not args:
        parser.make_parser(program).print_help()
        return MISUNDERSTOOD
    options = parser.parse(program, args)
    terminal = Terminal(as_json=options.json)
    try:
        return _run(options, terminal)
    except BrokenPipeError:
        # Who reads has seen enough; Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        terminal.warn("interrupted")
        return 128 + signal.SIGINT


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    database = import_module(f"{__package__}.database")
    module, _, name = options.handler.partition(":")
    handler: Any = getattr(import_module(f"{__package__}.{module}"), name)
    try:
        return int(handler(options, terminal))
    except database.MisunderstoodError as error:
        terminal.warn(str(error))
        return MISUNDERSTOOD
    except database.CommandError as error:
        terminal.warn(str(error))
        return WRONG
