"""One trace across the queue, by OpenTelemetry: from who delays a job to each try at it.

Storing jobs is a span of its own, and so is each try, as a child of the one that stored the job.
What connects them is stored with the job, as W3C's ``traceparent``. Where spans go is for whoever
runs Odoo to set up. Without the library nothing happens here, and nothing is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from .core.failure import message_of
from .core.report import Outcome

if TYPE_CHECKING:
    from .job import Job
    from .storage.liveness import StartedJob

try:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    trace = None

SYSTEM = "queue_job"
"""What the semantic conventions for messaging call the system."""

FIELD = "traceparent"

WELL = (Outcome.DONE,)
"""Ends of a try that are no error."""


def is_available() -> bool:
    """Tell whether the library is there."""
    return trace is not None


class Attempt:
    """One try at a job, for whoever follows it; here nobody does."""

    def failed(self, error: BaseException) -> None:
        """Note what it raised."""

    def ended(self, outcome: Outcome) -> None:
        """Note what it came to."""


class _FollowedAttempt(Attempt):
    """The same as a span."""

    def __init__(self, span: Any) -> None:
        self._span = span
        self._message = ""

    def failed(self, error: BaseException) -> None:
        self._message = message_of(error)
        self._span.set_attribute("error.type", _type_name(error))
        # The library asks the error for its text, which is code of anybody.
        with suppress(Exception):
            self._span.record_exception(error)

    def ended(self, outcome: Outcome) -> None:
        self._span.set_attribute("queue_job.outcome", outcome.value)
        if outcome not in WELL:
            text = f"{outcome.value}: {self._message}" if self._message else outcome.value
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, text))


UNFOLLOWED = Attempt()


@contextmanager
def storing(jobs: Sequence[Job], number: int | None = None) -> Iterator[None]:
    """Follow the storing of jobs, and give them what their tries are to be connected with.

    :param jobs: new ones, by one statement
    :param number: of jobs, when the one that is given stands for so many
    """
    if trace is None or not jobs:
        yield
        return
    names = {job.channel for job in jobs}
    channel = names.pop() if len(names) == 1 else ""
    span = _tracer().start_span(f"send {channel}".strip(), kind=trace.SpanKind.PRODUCER)
    if span.is_recording():
        span.set_attributes(_of_storing(jobs, number or len(jobs), channel))
    with trace.use_span(span, end_on_exit=True):
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier)
        for job in jobs:
            job.traceparent = carrier.get(FIELD)
        yield


@contextmanager
def running(job: StartedJob) -> Iterator[Attempt]:
    """Follow one try at a job, and what its code does.

    :param job: as this worker has started it
    """
    if trace is None:
        yield UNFOLLOWED
        return
    # What asked this worker to run it is another trace, if any.
    beside = trace.get_current_span().get_span_context()
    span = _tracer().start_span(
        f"process {job.channel or ''}".strip(),
        context=TraceContextTextMapPropagator().extract({FIELD: job.traceparent or ""}),
        kind=trace.SpanKind.CONSUMER,
        links=[trace.Link(beside)] if beside.is_valid else [],
    )
    if span.is_recording():
        span.set_attributes(_of_running(job))
    with trace.use_span(span, end_on_exit=True):
        yield _FollowedAttempt(span)


def _tracer() -> Any:
    """Return what makes spans, as it is set up by now."""
    return trace.get_tracer(SYSTEM)


def _of_storing(jobs: Sequence[Job], number: int, channel: str) -> dict[str, Any]:
    found = _attributes("send", channel)
    functions = {job.job_function_name for job in jobs}
    if len(functions) == 1:
        found["code.function.name"] = functions.pop()
    if number == 1:
        found["messaging.message.id"] = jobs[0].uuid
    else:
        found["messaging.batch.message_count"] = number
    return found


def _of_running(job: StartedJob) -> dict[str, Any]:
    return {
        **_attributes("process", job.channel or ""),
        "messaging.message.id": job.uuid,
        "code.function.name": job.function or job.method_name or "",
        "queue_job.attempt": job.attempt,
        "queue_job.retry": job.retry,
    }


def _attributes(operation: str, channel: str) -> dict[str, Any]:
    """Return what the conventions ask of every span, the channel if it is one."""
    destination = {"messaging.destination.name": channel} if channel else {}
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        **destination,
    }


def _type_name(error: BaseException) -> str:
    """Return the full name of an exception, as the conventions want it."""
    kind = type(error)
    place = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{place}{kind.__qualname__}"
