"""``pause``, ``resume`` and ``channels``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from odoo.exceptions import UserError, ValidationError

from ..core.channels import ChannelError, ancestors, full_name
from ..status import ChannelStatus, read_status
from . import database
from .database import CommandError
from .main import DONE, MISUNDERSTOOD
from .terminal import Column, Terminal, shown

COLUMNS = (
    Column("CHANNEL", "channel"),
    Column("WAITING", "waiting", right=True),
    Column("RUNNING", "running", right=True),
    Column("CAPACITY", "limit", right=True),
    Column("OLDEST (s)", "oldest", right=True),
    Column("THROTTLE (s)", "throttle", right=True),
    Column("NOTE", "note"),
)


def channels(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write every channel, or set the capacity or throttle of one."""
    if options.action == "set":
        return _set(options, terminal)
    with database.reading(options) as cr:
        found = read_status(cr).channels
    if options.name:
        name = _full(options.name)
        found = [status for status in found if name in ancestors(status.channel)]
    terminal.tell([asdict(status) for status in found])
    terminal.table(COLUMNS, [_as_line(status) for status in found])
    return DONE


def _as_line(status: ChannelStatus) -> dict[str, Any]:
    until = f" until {shown(status.until)} UTC" if status.until else ""
    reason = f": {status.reason}" if status.reason else ""
    notes = [f"paused{until}{reason}"] if status.paused else []
    notes += ["sequential"] if status.sequential else []
    return {
        **asdict(status),
        "limit": "-" if status.capacity is None else status.capacity,
        "throttle": status.throttle or "",
        "note": ", ".join(notes),
        "meaning": "paused" if status.paused else "",
    }


def _set(options: argparse.Namespace, terminal: Terminal) -> int:
    wanted = {"capacity": options.capacity, "throttle": options.throttle}
    values = {name: value for name, value in wanted.items() if value is not None}
    if not options.name or not values:
        terminal.warn("set what? channels set CHANNEL --capacity 3, or --throttle 0.5")
        return MISUNDERSTOOD
    return _write(options, terminal, [options.name], lambda found: found.write(values), "set")


def pause(options: argparse.Namespace, terminal: Terminal) -> int:
    """Let nothing start in channels, nor below."""

    def change(found: Any) -> None:
        found.action_pause(options.reason, options.until or False)

    return _write(options, terminal, options.names, change, "paused")


def resume(options: argparse.Namespace, terminal: Terminal) -> int:
    """Let jobs start in channels again."""
    return _write(options, terminal, options.names, lambda found: found.action_resume(), "resumed")


def _write(
    options: argparse.Namespace, terminal: Terminal, names: Sequence[str], change: Any, verb: str
) -> int:
    """Change channels, which are made when they are only configured, or have jobs."""
    wanted = sorted({_full(name) for name in names})
    with database.environment(options) as env:
        known = {status.channel for status in read_status(env.cr).channels}
        found = env["queue.job.channel"]
        for name in wanted:
            found += _record(env, name, known)
        try:
            change(found)
        except (UserError, ValidationError) as error:
            env.cr.rollback()
            raise CommandError(str(error)) from error
    terminal.tell({"channels": wanted, "action": verb})
    terminal.say(f"{', '.join(wanted)}: {verb}. Running jobs go on.")
    return DONE


def _record(env: Any, name: str, known: set[str]) -> Any:
    """Return the record of a channel.

    :raises CommandError: when nobody knows of such a channel
    """
    model = env["queue.job.channel"]
    record = model.search([("complete_name", "=", name)])
    if record:
        return record
    if name not in known:
        env.cr.rollback()
        raise CommandError(f"no channel {name}; there are {', '.join(sorted(known))}")
    above, _, own = name.rpartition(".")
    return model.create({"name": own, "parent_id": _record(env, above, {*known, above}).id})


def _full(name: str) -> str:
    try:
        return full_name(name)
    except ChannelError as error:
        raise CommandError(str(error)) from error
