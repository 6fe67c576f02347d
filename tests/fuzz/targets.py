"""What is tried with bad input: everything that reads what somebody else wrote.

A target draws an input and checks what becomes of it. To be refused is right, when it is refused by
the error that is promised, in words that help; any other error is a crash.
"""

from __future__ import annotations

import ast
import datetime as dt
import decimal
import json
import math
import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from core import backoff, channels, codec, report, retry, signature
from core.graph import CycleError, Graph
from core.identifier import RANDOM_BYTES, time_ordered
from core.leases import JobRef
from core.metrics import Metrics
from core.scheduler import Scheduler
from inputs import DEEPEST, ODD_VALUES, Chance, as_base64, as_text, is_hashable

LONGEST_MESSAGE = 2_000
"""Characters; a longer one hides what it says."""

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")

REMEDY = re.compile("(?:use|keep|write|at least|more than|needs) ")
"""What a message that helps goes on with."""


@dataclass(frozen=True)
class Target:
    """One thing that reads input.

    :param name: for the report
    :param draw: returns an input
    :param check: tells whether an input was accepted; raises when it was answered wrongly
    """

    name: str
    draw: Callable[[Chance], Any]
    check: Callable[[Any], bool]


def assert_helpful(error: Exception, written: str = "") -> None:
    """See that a message is short, and names a part of what was written, if anything was."""
    message = str(error)
    assert message.strip(), "an error without a word"
    assert len(message) <= LONGEST_MESSAGE, f"{len(message)} characters"
    if written:
        quoted = [ast.literal_eval(found) for found in QUOTED.findall(message)]
        named = {part.removeprefix("root.") for part in quoted}
        assert any(part.strip() in written for part in named), f"it names nothing of it: {message}"
        assert REMEDY.search(message), f"it gives no remedy: {message}"


# The channel string

CHANNEL_STRINGS = (
    "root:4,root.csv:1",
    "root:8,shop:4,shop.orders:1:sequential",
    "root:4\nroot.mail:2:throttle=0.2:paused",
    "root:0",
    "root:capacity=3, a.b.c:2:throttle=1.5 , d:sequential=no",
)


def draw_channels(chance: Chance) -> str:
    if chance.maybe(0.1):
        return chance.text(60)
    good = chance.choice(CHANNEL_STRINGS)
    return good if chance.maybe(0.05) else chance.damaged_text(good)


def check_channels(text: str) -> bool:
    try:
        found = channels.parse_channels(text)
    except channels.ChannelError as error:
        assert_helpful(error, text)
        return False
    for name, config in found.items():
        assert channels.full_name(name) == name == config.name
        assert config.capacity is None or config.capacity >= (name != "root")
        assert math.isfinite(config.throttle) and config.throttle >= 0
    assert next(iter(found)) == "root"
    assert channels.parse_channels(channels.write_channels(found)) == found
    return True


# Arguments

STORED = (
    [1, "two", None, True, 2.5, {"a": [1, {"b": 2}]}],
    {"_type": "tuple", "value": [1, {"_type": "set", "value": [1, 2]}]},
    {"_type": "datetime_isoformat", "value": "2024-02-29T12:00:00+00:00"},
    {"_type": "date_isoformat", "value": "2024-02-29"},
    {"_type": "time_isoformat", "value": "23:59:59"},
    {"_type": "timedelta", "value": [1, 2, 3]},
    {"_type": "decimal", "value": "1.10"},
    {"_type": "uuid", "value": "12345678-1234-5678-1234-567812345678"},
    {"_type": "bytes", "value": as_base64(b"bytes")},
    {"_type": "mapping", "value": [[1, 2], [{"_type": "tuple", "value": [1]}, "x"]]},
    {"_type": "dict", "value": [["b", 1], ["a", [2]]]},
    {"_type": "float", "value": "1e+300"},
    {"_type": "frozenset", "value": ["a"]},
    {"_type": "odoo_recordset", "model": "res.users", "ids": [1], "uid": 1, "su": True},
    {"_type": "etree_element", "value": "<a><b/></a>"},
    {"_type": "enum_member", "module": "os", "class": "system", "member": "x"},
)

TAGS = (
    *("tuple", "set", "frozenset", "mapping", "dict", "float", "bytes", "uuid", "decimal"),
    *("timedelta", "datetime_isoformat", "date_isoformat", "time_isoformat", "odoo_recordset"),
    *("__class__", "os.system", "type", "object", "unlink", "builtins.eval", "subprocess.Popen"),
)

HARMLESS = (
    *(type(None), bool, int, float, str, bytes, list, tuple, set, frozenset, dict),
    *(dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal, uuid.UUID),
)
"""All that can come out of stored JSON."""


def draw_stored(chance: Chance) -> Any:
    kind = chance.random()
    if kind < 0.1:
        return chance.json()
    if kind < 0.3:
        return {"_type": chance.choice((*TAGS, *ODD_VALUES)), "value": chance.json()}
    if kind < 0.32:
        return chance.buried(chance.choice(STORED))
    return chance.damaged_json(chance.choice(STORED))


def nothing_extra(_value: Any) -> Any:
    return codec.UNKNOWN


def assert_harmless(value: Any) -> None:
    """See that no class was made that is not among those that are promised."""
    ahead = [value]
    for part in ahead:  # Grows while it is walked through.
        assert type(part) in HARMLESS, f"a {type(part)} was made"
        if isinstance(part, dict):
            ahead += [*part.keys(), *part.values()]
        elif isinstance(part, (list, tuple, set, frozenset)):
            ahead += part


def check_stored(value: Any) -> bool:
    with suppress(RecursionError):
        json.dumps(codec.readable(value))
    try:
        found = codec.decode(value, nothing_extra)
    except codec.ArgumentError as error:
        assert_helpful(error)
        return False
    assert_harmless(found)
    return True


def check_argument(value: Any) -> bool:
    try:
        stored = codec.encode(value, "args", nothing_extra)
    except codec.ArgumentError as error:
        assert_helpful(error)
        assert "args" in str(error), f"it does not say where: {error}"
        return False
    text = json.dumps(stored, allow_nan=False)
    text.encode()
    assert "\\u0000" not in text.replace("\\\\", ""), "PostgreSQL cannot store it"
    assert_harmless(codec.decode(json.loads(text), nothing_extra))
    return True


# The run route

LEASES = ((), ((1, 1),), ((7, 1), (9, 2)), tuple((n, 1) for n in range(1, 101)))


def draw_lease(chance: Chance) -> bytes:
    good = report.write_lease(chance.choice(LEASES))
    kind = chance.random()
    if kind < 0.1:
        return chance.randbytes(chance.randrange(40))
    if kind < 0.12:
        return b"[" * 100_000
    if kind < 0.14:
        return b'{"jobs": [[1, ' + b"9" * chance.choice((10, 4_000, 10_000)) + b"]]}"
    if kind < 0.6:
        return chance.damaged_bytes(good)
    if kind < 0.95:
        return as_text(chance.damaged_json(json.loads(good))).encode()
    return good


def check_lease(body: bytes) -> bool:
    try:
        jobs = report.read_lease(body)
    except ValueError as error:
        assert_helpful(error)
        return False
    for job in jobs:
        assert len(job) == 2
        assert all(type(number) is int and -(2**31) <= number < 2**31 for number in job)
    return True


REPORTS = {"jobs": [[7, "done", 0.25, 1.5], [9, "failed", 3, 0], [10, "lost", 0.0]]}


def draw_reports(chance: Chance) -> Any:
    if chance.maybe(0.2):
        row = [chance.choice(ODD_VALUES), chance.choice(("done", *ODD_VALUES)), chance.number()]
        return {"jobs": [row]}
    return REPORTS if chance.maybe(0.05) else chance.damaged_json(REPORTS)


def check_reports(answer: Any) -> bool:
    try:
        reports = report.read_reports(answer)
    except ValueError as error:
        assert_helpful(error)
        return False
    figures = Metrics()
    for found in reports:
        assert isinstance(found.outcome, report.Outcome)
        assert math.isfinite(found.seconds) and found.seconds >= 0
        assert found.wait is None or (math.isfinite(found.wait) and found.wait >= 0)
        figures.observe((1, "root", "f"), found.outcome, seconds=found.seconds, wait=found.wait)
    return True


# The signature


@dataclass(frozen=True)
class Signed:
    """A request, and whether it is as it was signed."""

    signature: str
    secret: str
    database: str
    body: bytes
    now: float
    intact: bool


def draw_signed(chance: Chance) -> Signed:
    secret, database, body = chance.text() or "s", chance.text(), chance.randbytes(8)
    made = 1.7e9 + chance.uniform(0, 1e6)
    good = Signed(signature.sign(secret, database, body, made), secret, database, body, made, True)
    if chance.maybe(0.1):
        return good
    changes = (
        {"signature": chance.damaged_text(good.signature)},
        {"signature": chance.text()},
        {"signature": f"{chance.number_of_text()}.{good.signature.partition('.')[2]}"},
        {"signature": signature.sign(secret, database, body, chance.choice((0, 1e25, -5, 1e300)))},
        {"secret": chance.damaged_text(secret)},
        {"secret": ""},
        {"database": chance.damaged_text(database)},
        {"body": chance.damaged_bytes(body)},
        {"now": made + chance.choice((-1, 1)) * (signature.VALID_SECONDS + chance.uniform(2, 1e9))},
    )
    changed = replace(good, **chance.choice(changes))
    # To HMAC a key and the same with zeros at its end are one.
    same = changed == replace(good, secret=changed.secret)
    intact = same and changed.secret.rstrip("\0") == good.secret.rstrip("\0")
    return replace(changed, intact=intact and bool(changed.secret))


def check_signed(signed: Signed) -> bool:
    found = signature.is_valid(
        signed.signature, signed.secret, signed.database, signed.body, signed.now
    )
    assert found is signed.intact, f"{signed} was {'accepted' if found else 'refused'}"
    return found


# Graphs, identifiers, retries


def draw_graph(chance: Chance) -> dict[int, list[int]]:
    size = chance.randrange(1, 30)
    back = 0.1 if chance.maybe(0.5) else 0.0
    return {
        vertex: [
            chance.randrange(vertex + 1) if chance.maybe(back) else chance.randrange(vertex, size)
            for _edge in range(chance.randrange(3))
        ]
        for vertex in range(size)
    }


def check_graph(children: dict[int, list[int]]) -> bool:
    graph = Graph(children)
    try:
        order = list(graph.topological_sort())
    except CycleError as error:
        assert_helpful(error)
        way = [int(name) for name in str(error).rpartition(": ")[2].split(" -> ")]
        assert way[0] == way[-1]
        edges = set(graph.edges())
        assert all(step in edges for step in pairwise(way))
        return False
    assert sorted(order) == sorted(graph.vertices())
    place = {vertex: number for number, vertex in enumerate(order)}
    assert all(place[parent] < place[child] for parent, child in graph.edges())
    return True


def draw_moment(chance: Chance) -> tuple[int, bytes]:
    moment = chance.choice((0, 2**48 - 1, 2**48, -1, chance.getrandbits(48), 2**70))
    return moment, chance.randbytes(RANDOM_BYTES * chance.randrange(4))


def check_identifiers(drawn: tuple[int, bytes]) -> bool:
    found = time_ordered(*drawn)
    assert len(found) * RANDOM_BYTES == len(drawn[1])
    for text in found:
        made = uuid.UUID(text)
        assert str(made) == text and made.version == 7 and made.variant == uuid.RFC_4122
    return bool(found)


PATTERNS = ({1: 10, 5: 60, 10: 600}, {"1": [5, 15], "5": (300, 600)}, {1: 0.5}, {0: 1})


def draw_pattern(chance: Chance) -> Any:
    if chance.maybe(0.05):
        return chance.choice(PATTERNS)
    if chance.maybe(0.3):
        key = chance.argument(DEEPEST)
        return {key: chance.argument(2)} if is_hashable(key) else chance.argument()
    pattern = dict(chance.choice(PATTERNS))
    key = chance.choice(list(pattern))
    if chance.maybe(0.5):
        pattern[key] = chance.damaged_json(pattern[key])
    else:
        pattern[chance.choice((chance.text(5), chance.number()))] = pattern.pop(key)
    return pattern


def check_retry(drawn: Any) -> bool:
    try:
        pattern = backoff.check_pattern(drawn)
    except backoff.RetryPatternError as error:
        assert_helpful(error)
        return False
    for tried in (-(2**31), 0, 1, 5, 2**31):
        decision = retry.decide_retry(
            message="x", retry=tried, max_retries=0, pattern=pattern, draw=lambda a, b: (a + b) / 2
        )
        assert isinstance(decision, retry.Postpone)
        assert 0 <= decision.seconds <= backoff.MOST_SECONDS
    return True


# Rows of the table, as the leader sees them


@dataclass(frozen=True)
class Rows:
    """What a leader finds.

    :param text: the channel string
    :param overrides: what the table of channels says, by name
    :param jobs: what the table of jobs says
    """

    text: str
    overrides: dict[str, channels.Override]
    jobs: list[JobRef]


def draw_rows(chance: Chance) -> Rows:
    names = ["root", "root.a", "root.a.b", "", ".", "root.", "..", "csv", chance.text(9)]
    rows = [
        JobRef(
            chance.choice((0, 10, -(2**31), 2**31 - 1, chance.randrange(20))),
            chance.choice((number, -number, 2**31 - 1 - number)),
            chance.choice(names),
            chance.choice(("f", "", "g")),
            chance.choice((0, 1, -(2**31), 2**31 - 1)),
        )
        for number in range(chance.randrange(20))
    ]
    text = chance.choice((*CHANNEL_STRINGS[:3], "root:2,root.a:1:sequential", "root:3,root.a:1"))
    overrides = {
        chance.choice(names): channels.Override(
            chance.choice((None, 1, 5)), chance.choice((None, 0.5, 3.0)), chance.maybe(0.1)
        )
        for _override in range(chance.randrange(3))
    }
    return Rows(text, overrides, rows)


def check_rows(drawn: Rows) -> bool:
    """Lead through rows of any kind: no rule is broken, and every row gets its turn."""
    rows = drawn.jobs
    configured = channels.override(channels.parse_channels(drawn.text), drawn.overrides)
    scheduler = Scheduler(configured)
    left = {row.id: row for row in rows}
    for turn in range(4 * len(rows) + 4):
        now = 10.0 * turn
        scheduler.fill(left.values(), {})
        leases = list(scheduler.decide(now, 3))
        assert len(leases) <= 3
        assert len(scheduler.leases) <= (configured["root"].capacity or math.inf)
        assert scheduler.wake_up(now) >= now
        for lease in leases:
            kept = scheduler.confirm(lease, {job.id: job.attempt for job in lease.jobs})
            assert kept is not None
            for job in kept.jobs:
                del left[job.id]
            scheduler.close(kept.number)
        if not left:
            break
    stuck = [row for row in left.values() if not may_wait(row.channel, configured)]
    assert not stuck, f"never started: {stuck}"
    return bool(rows)


def may_wait(name: str, configured: Any) -> bool:
    """Tell whether a channel is paused, or waits in order for one that is.

    Whatever its name, it is below root.
    """
    names = {"root", *channels.ancestors(name)}
    above = [config for known, config in configured.items() if known in names]
    paused = any(config.paused for config in configured.values())
    return any(config.paused or (config.sequential and paused) for config in above)


TARGETS = (
    Target("channel string", draw_channels, check_channels),
    Target("stored arguments", draw_stored, check_stored),
    Target("given arguments", Chance.argument, check_argument),
    Target("body of the run route", draw_lease, check_lease),
    Target("answer of a worker", draw_reports, check_reports),
    Target("signature", draw_signed, check_signed),
    Target("retry pattern", draw_pattern, check_retry),
    Target("graph", draw_graph, check_graph),
    Target("identifier", draw_moment, check_identifiers),
    Target("rows of the table", draw_rows, check_rows),
)
