"""``odoo queue_job`` as an administrator types it, beside a server or without one."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

PATIENCE = 120
"""Seconds that a command may take; ten times what any does."""


def command_line(odoo: Any, channels: str, *words: str) -> tuple[list[str], dict[str, str]]:
    """Return a command of the queue with the options of a server, and its environment."""
    command = odoo.command()
    at = command.index("-c")
    path = ",".join(str(folder) for folder in odoo.odoo.addons_path(*odoo.addons))
    given = [*command[:at], f"--addons-path={path}", "queue_job", *words, *command[at:]]
    return given, {**os.environ, **odoo.env, "ODOO_CONNECTOR_CHANNELS": channels}


def ask(odoo: Any, *words: str, channels: str = "root:2", **options: Any) -> Any:
    """Run a command of the queue to its end."""
    given, env = command_line(odoo, channels, *words)
    options.setdefault("capture_output", True)
    return subprocess.run(given, env=env, text=True, timeout=PATIENCE, check=False, **options)


def answer(odoo: Any, *words: str, code: int = 0) -> Any:
    """Run a command of the queue with ``--json``; return what it says."""
    ended = ask(odoo, *words, "--json")
    assert ended.returncode == code, (ended.returncode, ended.stdout, ended.stderr)
    return json.loads(ended.stdout)
