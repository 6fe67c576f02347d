"""One trace from a request across the queue to every try, on servers with the real library."""

import json
import urllib.request

import pytest
from jobs import Jobs, wait_until

from dev.server import LOGIN, PASSWORD

pytest.importorskip("opentelemetry.sdk")

MODULES = ("test_queue_job", "test_queue_job_override")
LOAD = "base,rpc,web,test_queue_job_tracing,queue_job"

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
"""Who asks the server, and wants to know what becomes of it."""


class Traced:
    """A server whose spans are in a file.

    :param odoo: the server
    :param path: of the file
    """

    def __init__(self, odoo, path):
        self.odoo = odoo
        self.path = path
        self.jobs = Jobs(odoo)

    def call(self, method, *args, model="test.queue.job", records=None, **options):
        """Call a method by RPC, in the trace of who asks."""
        records = [self.jobs.record] if records is None else records
        call = [self.odoo.database, 2, PASSWORD, model, method, [records, *args], options]
        params = {"service": "object", "method": "execute_kw", "args": call}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        headers = {"Content-Type": "application/json", "traceparent": PARENT}
        request = urllib.request.Request(
            f"{self.odoo.url}/jsonrpc", json.dumps(body).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert "error" not in answer, answer
        return answer["result"]

    def delay(self, method, *args, **options):
        """Delay a job in the trace of who asks; return its uuid."""
        (uuid,) = self.call("launch", method, list(args), options, 1)
        return uuid

    def spans(self, name="", trace=TRACE):
        """Return the spans of a trace whose name begins so, in their order."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        found = [json.loads(line) for line in lines]
        found = [one for one in found if one["name"].startswith(name)]
        found = [one for one in found if one["context"]["trace_id"] == f"0x{trace}"]
        return sorted(found, key=lambda one: one["start_time"])

    def of_job(self, uuid, number, name="process"):
        """Wait for so many spans of a job, and return them."""

        def found():
            return [s for s in self.spans(name) if s["attributes"]["messaging.message.id"] == uuid]

        wait_until(lambda: len(found()) >= number, f"{number} spans {name} of {uuid}")
        assert len(found()) == number
        return found()


@pytest.fixture
def traced(server, tmp_path, request):
    """Return a server with two workers and the library, set up."""
    path = tmp_path / "spans"
    env = {"TEST_QUEUE_JOB_SPANS": str(path), **getattr(request, "param", {})}
    odoo = server(MODULES, load=LOAD, env=env)
    assert LOGIN == "admin", "whose number is 2"
    return Traced(odoo, path)


def parents(span):
    return span["parent_id"]


def number(span):
    return span["context"]["span_id"]


@pytest.mark.parametrize(
    "traced",
    [{}, {"TEST_QUEUE_JOB_SPANS_BATCHED": "1", "OTEL_BSP_SCHEDULE_DELAY": "200"}],
    indirect=True,
    ids=["at-once", "batched"],
)
def test_a_trace_leads_from_the_request_to_every_try(traced):
    uuid = traced.delay("retry_until", 3, 0.2, channel="root.traced")
    assert traced.jobs.wait([uuid]) == ["done"]
    tries = traced.of_job(uuid, 3)
    (sent,) = traced.of_job(uuid, 1, "send")
    (request,) = wait_until(
        lambda: [one for one in traced.spans("POST") if number(one) == parents(sent)],
        "the request that delayed it",
    )
    assert request["parent_id"] == "0xb7ad6b7169203331"
    assert {parents(one) for one in tries} == {number(sent)}

    assert (sent["name"], sent["kind"]) == ("send root.traced", "SpanKind.PRODUCER")
    assert sent["attributes"] == {
        "messaging.system": "queue_job",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "root.traced",
        "messaging.message.id": uuid,
        "code.function.name": "<test.queue.job>.retry_until",
    }
    assert {(one["name"], one["kind"]) for one in tries} == {
        ("process root.traced", "SpanKind.CONSUMER")
    }
    told = [one["attributes"] for one in tries]
    assert [one["queue_job.attempt"] for one in told] == [1, 2, 3]
    assert [one["queue_job.outcome"] for one in told] == ["postponed", "postponed", "done"]
    assert [one["status"]["status_code"] for one in tries] == ["ERROR", "ERROR", "UNSET"]
    assert [len(one["events"]) for one in tries] == [1, 1, 0]
    assert told[0]["error.type"] == "odoo.addons.queue_job.exception.RetryableError"
    assert told[0]["messaging.destination.name"] == "root.traced"
    # The request of the runner to the worker is no part of it, but can be found from it.
    assert all(one["links"][0]["context"]["trace_id"] != f"0x{TRACE}" for one in tries)
    stored = traced.jobs.one("traceparent", [uuid])
    assert stored == f"00-{TRACE}-{number(sent)[2:]}-01"


def test_what_fails_or_is_stopped_says_so(traced):
    failed = traced.delay("fail", "no reason")
    wordless = traced.delay("fail_without_words")
    stopped = traced.delay("sleep", 60)
    traced.jobs.worker([stopped])
    record = traced.jobs.one("id", [stopped])
    traced.call("button_cancelled", model="queue.job", records=[record])
    assert traced.jobs.wait([failed, wordless, stopped]) == ["failed", "failed", "cancelled"]
    expected = {
        failed: ("failed", "FailedJobError"),
        wordless: ("failed", "Wordless"),
        stopped: ("cancelled", "JobCancelled"),
    }
    for uuid, (outcome, error) in expected.items():
        (span,) = traced.of_job(uuid, 1)
        assert span["status"]["status_code"] == "ERROR"
        assert span["status"]["description"].startswith(outcome)
        assert span["attributes"]["queue_job.outcome"] == outcome
        assert span["attributes"]["error.type"].endswith(error)
    (span,) = traced.of_job(failed, 1)
    (event,) = span["events"]
    assert event["name"] == "exception"
    assert event["attributes"]["exception.message"] == "no reason"
    assert "in fail" in event["attributes"]["exception.stacktrace"]


def test_many_jobs_and_those_of_jobs_are_in_the_same_trace(traced):
    layers = traced.call("launch_graph", 1, 2, 1)[0]
    graph = [uuid for layer in layers for uuid in layer]
    each = traced.call("launch_each", 20)
    assert set(traced.jobs.wait([*graph, *each])) == {"done"}
    for uuids in (graph, each):
        contexts = {traced.jobs.one("traceparent", [uuid]) for uuid in uuids}
        assert len(contexts) == 1, "stored by one statement"
        span = f"0x{contexts.pop().split('-')[2]}"
        (sent,) = [one for one in traced.spans("send") if number(one) == span]
        assert sent["attributes"]["messaging.batch.message_count"] == len(uuids)
        for uuid in uuids:
            (one,) = traced.of_job(uuid, 1)
            assert parents(one) == span


def test_a_context_that_makes_no_sense_harms_no_job(traced):
    uuid = traced.delay("noop", eta=3600)
    traced.jobs.sql(
        "UPDATE queue_job SET traceparent = repeat('0', 70), eta = NULL WHERE uuid = %s", [uuid]
    )
    assert traced.jobs.wait([uuid]) == ["done"]


@pytest.mark.parametrize("workers", [2, 0])
def test_without_the_library_nothing_is_stored_and_all_goes_on(server, workers):
    odoo = server(MODULES, load=LOAD, env={"TEST_QUEUE_JOB_NO_TRACING": "1"}, workers=workers)
    traced = Traced(odoo, odoo.folder / "spans")
    done, failed = traced.delay("retry_until", 2), traced.delay("fail")
    each = traced.call("launch_each", 20)
    assert traced.jobs.wait([done, failed, *each]) == ["done", "failed", *["done"] * 20]
    assert set(traced.jobs.column("traceparent", [done, failed, *each])) == {None}
    assert not traced.path.exists()
    assert "opentelemetry" not in odoo.log_text()
