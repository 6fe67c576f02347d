"""The queue in the text that Prometheus reads, by its own library.

Whoever answers reads the same tables: which worker of which node is asked makes no difference. What
only rises comes from sums that the leader keeps, and never from finished jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .core.metrics import BOUNDS
from .status import Status
from .storage.totals import Total

if TYPE_CHECKING:
    from prometheus_client.core import Metric

try:
    import prometheus_client
    from prometheus_client import core as families
    from prometheus_client.utils import floatToGoString
except ImportError:
    prometheus_client = families = None

MISSING = (
    "the Python library prometheus_client is not installed here: pip install prometheus-client"
)

COUNTERS = (
    ("done", "Jobs that were done"),
    ("failed", "Jobs that ended with an error"),
    ("retried", "Tries after which a job is to be tried again later"),
    ("lost", "Tries that lost their worker"),
    ("cancelled", "Tries that were stopped since somebody asked for that"),
)

GAUGES = (
    ("waiting", "Ready jobs of the channel"),
    ("running", "Jobs that run in the channel and below it"),
    ("oldest_seconds", "How long the next job of the channel has been ready"),
    ("paused", "1 when nothing starts: the channel, or one above it, is paused"),
)


def is_available() -> bool:
    """Tell whether the library is there."""
    return prometheus_client is not None


def content_type() -> str:
    """Return the type of what :func:`expose` returns."""
    return str(prometheus_client.CONTENT_TYPE_LATEST)


def expose(status: Status, totals: Sequence[Total]) -> bytes:
    """Return all figures of a database.

    :param status: what waits and runs
    :param totals: what ever ran
    """
    registry = prometheus_client.CollectorRegistry(auto_describe=False)
    registry.register(_Collector([*_channels(status), *_state(status), *_counters(totals)]))
    text: bytes = prometheus_client.generate_latest(registry)
    return text


class _Collector:
    """What the library asks for figures."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = list(found)

    def collect(self) -> Iterable[Metric]:
        """Return them."""
        return self._found


def _channels(status: Status) -> Iterator[Metric]:
    """Yield what is known by channel."""
    values = [
        (
            channel.channel,
            (channel.waiting, channel.running, channel.oldest, int(channel.paused)),
        )
        for channel in status.channels
    ]
    for place, (name, says) in enumerate(GAUGES):
        gauge = families.GaugeMetricFamily(f"queue_job_{name}", says, labels=["channel"])
        for channel, found in values:
            gauge.add_metric([channel], found[place])
        yield gauge
    limit = families.GaugeMetricFamily(
        "queue_job_capacity", "Jobs that may run in the channel and below it", labels=["channel"]
    )
    for channel in status.channels:
        if channel.capacity is not None:
            limit.add_metric([channel.channel], channel.capacity)
    yield limit


def _state(status: Status) -> Iterator[Metric]:
    """Yield what is known of the queue as a whole."""
    figures: tuple[tuple[str, str, float], ...] = (
        ("leader", "1 while a runner dispatches", int(status.leader is not None)),
        ("held", "1 when nothing may run in the whole database", int(status.hold is not None)),
        ("nodes", "Servers whose runner is connected", len(status.nodes)),
        ("workers", "Workers that can be used", status.slots),
        ("workers_free", "Workers that run no job", status.free),
        ("failed_jobs", "Failed jobs that nobody has dealt with", status.backlog.failed),
        ("scheduled_jobs", "Jobs whose time has not come", status.backlog.scheduled),
        ("depending_jobs", "Jobs that wait for others", status.backlog.depending),
        (
            "oldest_transaction_seconds",
            "Age of the oldest open transaction of the database",
            status.database.oldest_transaction,
        ),
        ("table_dead_rows", "Dead rows of the job table", status.database.dead_rows),
        ("table_live_rows", "Rows of the job table, estimated", status.database.live_rows),
        ("table_bytes", "Size of the job table with its indexes", status.database.size),
    )
    for name, says, value in figures:
        yield families.GaugeMetricFamily(f"queue_job_{name}", says, value=value)
    yield _node_workers(status)


def _node_workers(status: Status) -> Metric:
    gauge: Metric = families.GaugeMetricFamily(
        "queue_job_node_workers",
        "Workers of a server; 0 when the leader cannot use them",
        labels=["host", "url"],
    )
    found: dict[tuple[str, str], int] = {}
    for node in status.nodes:
        key = (node["host"] or "", node["url"] or "")
        found[key] = found.get(key, 0) + (0 if node["problem"] else node["slots"] or 0)
    for labels, workers in sorted(found.items()):
        gauge.add_metric(labels, workers)
    return gauge


def _counters(totals: Sequence[Total]) -> Iterator[Metric]:
    """Yield what only rises."""
    started = _counter("started", "Tries that were begun, and are over")
    for total in totals:
        tries = total.done + total.failed + total.postponed + total.lost + total.cancelled
        started.add_metric([total.channel, total.function], tries)
    yield started
    for name, says in COUNTERS:
        counter = _counter(name, says)
        for total in totals:
            value = total.postponed if name == "retried" else getattr(total, name)
            counter.add_metric([total.channel, total.function], value)
        yield counter
    yield _histogram("run_seconds", "How long tries ran", totals, "run", "seconds")
    yield _histogram("wait_seconds", "How long jobs were ready", totals, "wait", "waited")


def _counter(name: str, says: str) -> Any:
    return families.CounterMetricFamily(f"queue_job_{name}", says, labels=["channel", "function"])


def _histogram(name: str, says: str, totals: Sequence[Total], buckets: str, seconds: str) -> Metric:
    """Return a histogram by channel: one by function as well would be too much for anybody."""
    family: Metric = families.HistogramMetricFamily(f"queue_job_{name}", says, labels=["channel"])
    sums: dict[str, tuple[list[int], float]] = {}
    for total in totals:
        counts, spent = sums.get(total.channel, ([0] * (len(BOUNDS) + 1), 0.0))
        added = [a + b for a, b in zip(counts, getattr(total, buckets), strict=True)]
        sums[total.channel] = (added, spent + getattr(total, seconds))
    for channel, (counts, spent) in sums.items():
        bounds = [*map(floatToGoString, BOUNDS), "+Inf"]
        family.add_metric([channel], list(zip(bounds, accumulate(counts), strict=True)), spent)
    return family
