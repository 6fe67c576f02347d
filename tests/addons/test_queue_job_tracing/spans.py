"""A tracer whose spans go to a file, and a span for each request, as a site has them."""

import json
import os
from functools import wraps

from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)

from odoo.http import Application


class FileExporter(SpanExporter):
    """Appends spans to a file, each by one write, since several processes do so.

    :param path: of the file
    """

    def __init__(self, path):
        self._path = path

    def export(self, spans):
        """Write a line for each span."""
        text = "".join(json.dumps(json.loads(span.to_json())) + "\n" for span in spans)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
        return SpanExportResult.SUCCESS


def set_up(path):
    """Send spans to a file, and begin one with each request."""
    provider = TracerProvider()
    batched = os.environ.get("TEST_QUEUE_JOB_SPANS_BATCHED")
    processor = BatchSpanProcessor if batched else SimpleSpanProcessor
    provider.add_span_processor(processor(FileExporter(path)))
    trace.set_tracer_provider(provider)
    Application.__call__ = _followed(Application.__call__)


def _followed(answer):
    @wraps(answer)
    def answer_followed(self, environ, start_response):
        carrier = {"traceparent": environ.get("HTTP_TRACEPARENT", "")}
        with trace.get_tracer("requests").start_as_current_span(
            f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}",
            context=propagate.extract(carrier),
            kind=trace.SpanKind.SERVER,
        ):
            return answer(self, environ, start_response)

    return answer_followed
