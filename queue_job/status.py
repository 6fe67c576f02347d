"""The queue at a glance: what waits and runs, by channel, and who is there to run it.

Read by SQL alone, for the command line, which loads no registry for it, and for monitoring.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .core.channels import ROOT, ChannelConfig, ancestors, override, parse_channels, running_below
from .core.hold import Hold
from .storage import home, monitoring, overrides, sight
from .storage.monitoring import Backlog, DatabaseFigures


@dataclass(frozen=True)
class ChannelStatus:
    """One channel.

    :param channel: full name
    :param waiting: ready jobs of this channel alone
    :param running: jobs that run here and below
    :param capacity: in force; ``None`` for no limit of its own
    :param throttle: seconds, in force
    :param sequential: one after the other
    :param oldest: seconds that its next job has been ready
    :param paused: nothing starts: it, or one above it, is paused
    :param reason: why, as the operator said
    :param until: when the pause ends by itself
    """

    channel: str
    waiting: int = 0
    running: int = 0
    capacity: int | None = None
    throttle: float = 0.0
    sequential: bool = False
    oldest: float = 0.0
    paused: bool = False
    reason: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Status:
    """All of it.

    :param channels: by their name
    :param nodes: servers that are there
    :param hold: what holds the whole database
    :param started: jobs that run
    """

    channels: list[ChannelStatus]
    nodes: list[dict[str, Any]]
    hold: Hold | None
    backlog: Backlog
    database: DatabaseFigures
    started: int

    @property
    def leader(self) -> dict[str, Any] | None:
        """The node whose runner dispatches."""
        return next((node for node in self.nodes if node["leads"]), None)

    @property
    def slots(self) -> int:
        """Workers that can be used, of all nodes."""
        return sum(node["slots"] or 0 for node in self.nodes if not node["problem"])

    @property
    def free(self) -> int:
        """Workers that run no job."""
        return max(0, self.slots - self.started)


def read_status(cr: Any, *, exact: bool = True) -> Status:
    """Look at the queue of a database.

    :param cr: any cursor
    :param exact: count long backlogs, instead of taking what the leader counted in the last minutes
    """
    nodes = monitoring.read_nodes(cr)
    running = sight.read_running(cr)
    return Status(
        channels=_channels(cr, nodes, running, exact),
        nodes=nodes,
        hold=home.read_hold(cr),
        backlog=monitoring.read_backlog(cr),
        database=monitoring.read_database(cr),
        started=sum(running.values()),
    )


def _channels(
    cr: Any, nodes: list[dict[str, Any]], running: dict[str, int], exact: bool
) -> list[ChannelStatus]:
    """Return every channel that is configured, has a record, or has jobs."""
    leader = next((node for node in nodes if node["leads"]), None)
    configured = parse_channels(leader["channels"] or "") if leader else {}
    in_force = override(configured, overrides.read_overrides(cr).by_name)
    waiting = monitoring.read_waiting(cr) if exact else monitoring.estimate_waiting(cr)
    records = {row["channel"]: row for row in monitoring.read_channels(cr)}
    names = {ROOT, *in_force, *waiting, *running, *records}
    return [
        _channel(name, in_force, waiting.get(name, (0, 0.0)), running, records)
        for name in sorted(names, key=lambda name: name.split("."))
    ]


def _channel(
    name: str,
    in_force: dict[str, ChannelConfig],
    ready: tuple[int, float],
    running: dict[str, int],
    records: dict[str, dict[str, Any]],
) -> ChannelStatus:
    config = in_force.get(name, ChannelConfig(name))
    above = [*ancestors(name)]
    paused = [other for other in above if other in in_force and in_force[other].paused]
    record = records.get(paused[0], {}) if paused else {}
    return ChannelStatus(
        channel=name,
        waiting=ready[0],
        running=running_below(running, name),
        capacity=config.capacity,
        throttle=config.throttle,
        sequential=config.sequential,
        oldest=ready[1],
        paused=bool(paused),
        reason=record.get("reason") or "",
        until=record.get("until"),
    )
