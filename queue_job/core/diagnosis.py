"""What is wrong with an installation, told from a few facts: the self-test's rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from .hold import Hold

STALE_SECONDS = 180.0
"""A runner beats once a minute; one that is connected and missed two beats does not turn."""

MANY_WORKERS = 3
"""From so many workers on, running one job at a time is hardly meant."""

NEAR = 0.8
"""Share of ``limit_time_real`` from which a job's duration is a warning."""


class Problem(Enum):
    """What the self-test can find."""

    NOT_LOADED = "not_loaded"
    BAD_SETTINGS = "bad_settings"
    UNKNOWN_SETTING = "unknown_setting"
    TURNED_OFF = "turned_off"
    NO_RUNNER = "no_runner"
    NO_LEADER = "no_leader"
    STALE_RUNNER = "stale_runner"
    HELD = "held"
    UNREACHABLE = "unreachable"
    ONE_AT_A_TIME = "one_at_a_time"
    MORE_THAN_WORKERS = "more_than_workers"
    TIME_LIMIT = "time_limit"
    VERSIONS = "versions"


STOPPING = frozenset(
    {
        Problem.NO_RUNNER,
        Problem.NO_LEADER,
        Problem.STALE_RUNNER,
        Problem.HELD,
        Problem.UNREACHABLE,
    }
)
"""With one of these nothing runs; with the others it does, if not as it was meant."""


@dataclass(frozen=True)
class NodeFacts:
    """A connected runner, as it announced itself.

    :param host: name of the machine
    :param url: address of its workers
    :param slots: how many there are
    :param silent: seconds since its last heartbeat
    :param leads: it dispatches
    :param version: of the addon's code
    :param problem: why the leader cannot use its workers
    """

    host: str
    url: str
    slots: int
    silent: float
    leads: bool
    version: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Facts:
    """What the self-test looks at.

    :param loaded: the addon is among the server-wide modules of this server
    :param settings_error: why the settings of this server cannot be used
    :param unknown: settings that nobody reads, each with what was probably meant
    :param turned_off: this server's channel string is ``root:0``
    :param nodes: the connected runners
    :param hold: what holds the whole database
    :param capacity: of the root channel, where a runner leads
    :param limit: seconds after which Odoo kills a request; 0 for never
    :param longest: seconds that the longest of the last jobs took
    """

    loaded: bool
    settings_error: str = ""
    unknown: tuple[tuple[str, str], ...] = ()
    turned_off: bool = False
    nodes: tuple[NodeFacts, ...] = ()
    hold: Hold | None = None
    capacity: int | None = None
    limit: float = 0.0
    longest: float = 0.0

    @property
    def slots(self) -> int:
        """Leases that the servers take at a time."""
        return sum(node.slots for node in self.nodes)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    :param problem: what
    :param subject: name, address or text that it is about
    :param number: what there is
    :param limit: what it should fit
    :param hint: what was probably meant, or what the server said
    """

    problem: Problem
    subject: str = ""
    number: float = 0
    limit: float = 0
    hint: str = ""

    @property
    def stops(self) -> bool:
        """Tell whether nothing runs because of it."""
        return self.problem in STOPPING


def diagnose(facts: Facts) -> list[Finding]:
    """Return what is wrong, what stops everything first."""
    found = [*_runners(facts), *_settings(facts), *_sizes(facts)]
    return sorted(found, key=lambda finding: not finding.stops)


def _runners(facts: Facts) -> Iterator[Finding]:
    if facts.hold:
        yield Finding(Problem.HELD, hint=facts.hold.value)
    if not facts.nodes:
        yield Finding(Problem.NO_RUNNER)
        return
    leaders = [node for node in facts.nodes if node.leads]
    if not leaders:
        yield Finding(Problem.NO_LEADER)
    for node in leaders:
        if node.silent > STALE_SECONDS:
            yield Finding(Problem.STALE_RUNNER, node.host, node.silent)
    for node in facts.nodes:
        if node.problem:
            yield Finding(Problem.UNREACHABLE, node.url, hint=node.problem)
    versions = sorted({node.version for node in facts.nodes})
    if len(versions) > 1:
        yield Finding(Problem.VERSIONS, ", ".join(versions))


def _settings(facts: Facts) -> Iterator[Finding]:
    if not facts.loaded and not facts.nodes:
        yield Finding(Problem.NOT_LOADED)
    if facts.settings_error:
        yield Finding(Problem.BAD_SETTINGS, hint=facts.settings_error)
    if facts.turned_off and not facts.nodes:
        yield Finding(Problem.TURNED_OFF)
    for name, meant in facts.unknown:
        yield Finding(Problem.UNKNOWN_SETTING, name, hint=meant)


def _sizes(facts: Facts) -> Iterator[Finding]:
    if facts.capacity is not None and facts.nodes:
        if facts.capacity == 1 and facts.slots >= MANY_WORKERS:
            yield Finding(Problem.ONE_AT_A_TIME, number=facts.slots)
        if facts.capacity > facts.slots:
            yield Finding(Problem.MORE_THAN_WORKERS, number=facts.capacity, limit=facts.slots)
    if facts.limit and facts.longest > NEAR * facts.limit:
        yield Finding(Problem.TIME_LIMIT, number=facts.longest, limit=facts.limit)
