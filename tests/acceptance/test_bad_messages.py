"""Bad input to a real server: stored JSON of every kind, and notifications from anybody.

In short here; ``make fuzz`` sends a hundred thousand of each (``FUZZ_INPUTS``, ``FUZZ_SEED``).
"""

import json
import os
import time

import pytest
from inputs import Chance, as_text
from jobs import Jobs
from targets import HARMLESS, LONGEST_MESSAGE, STORED, draw_stored
from trial import SEED, Trial

INPUTS = int(os.environ.get("FUZZ_INPUTS", "2000"))
SEED = int(os.environ.get("FUZZ_SEED", str(SEED)))

BATCH = 500
"""Inputs of a call, or of a transaction."""

KINDS = {kind.__name__ for kind in HARMLESS} | {"records", "_Element", "TestKind"}
"""What may come of stored JSON in Odoo."""

PROMISED = {
    "odoo.addons.queue_job.core.codec.ArgumentError",
    "odoo.addons.queue_job.core.codec.DamagedError",
    "builtins.KeyError",
}
"""Errors that say what is wrong; the last one names a model that is not there."""

RECORDS = {
    "records": {
        "_type": "odoo_recordset",
        "model": "test.queue.job",
        "ids": [1, 2],
        "uid": 2,
        "su": False,
        "context": {"lang": "en_US", "allowed_company_ids": [1]},
    }
}
ODOO = (
    RECORDS,
    [{"_type": "odoo_recordset", "model": "res.users", "ids": [1], "uid": 1, "su": True}],
    [{"_type": "etree_element", "value": "<a b='c'><d/>text</a>"}],
    [{"_type": "enum_member", "module": "odoo.addons.queue_job.core.hold", "class": "Hold"}],
    [{"_type": "enum_member", "module": "os", "class": "system", "member": "x"}],
)

NOTICES = ("", "graph", "nodes", "channels", "graph,nodes", "GRAPH", "'; DROP TABLE queue_job; --")
"""Payloads that mean something, and some that do not."""

PAYLOAD_LIMIT = 7_999
"""Bytes of a notification."""


@pytest.fixture(scope="module")
def jobs(make_shared_server):
    return Jobs(make_shared_server(workers=2))


def finish(trial, began):
    trial.seconds = time.monotonic() - began
    print(trial, *trial.shown, sep="\n", flush=True)
    assert not trial.crashes
    assert trial.inputs >= INPUTS


def draw_text(chance):
    """Return JSON that a column might hold, as text."""
    if chance.maybe(0.3):
        return as_text([draw_stored(chance)])
    value = chance.choice((*ODOO, list(STORED[:1])))
    return as_text(value if chance.maybe(0.1) else chance.damaged_json(value))


def judge(trial, number, answer):
    """Count an answer: what was made is harmless, what was refused has the promised error."""
    kinds, error, message = answer
    # Who reports the error of a model that is not there shortens its name.
    longest = 10_000 if error == "builtins.KeyError" else LONGEST_MESSAGE
    if error and (error not in PROMISED or not message or len(message) > longest):
        trial.crash(number, f"{error}: {message}")
    elif error:
        trial.refused += 1
    elif set(kinds) - KINDS:
        trial.crash(number, f"made {set(kinds) - KINDS}")
    else:
        trial.accepted += 1


def test_stored_json_is_read_or_refused_in_odoo(jobs):
    trial, began = Trial("stored JSON in Odoo", SEED), time.monotonic()
    for start in range(0, INPUTS, BATCH):
        numbers = range(start, start + BATCH)
        texts = [draw_text(Chance(f"{SEED} odoo {number}")) for number in numbers]
        answers = jobs.server.rpc("test.queue.job", "read_stored", [texts])
        for number, answer in zip(numbers, answers, strict=True):
            judge(trial, number, answer)
    assert trial.accepted > 0.02 * trial.inputs
    assert trial.refused > 0.02 * trial.inputs
    finish(trial, began)


def payload(chance):
    """Return what somebody might notify."""
    if chance.maybe(0.3):
        return chance.choice(NOTICES)
    text = chance.damaged_text(chance.choice(NOTICES)) if chance.maybe(0.5) else chance.text(80)
    storable = text.replace("\0", "").encode(errors="ignore")[:PAYLOAD_LIMIT]
    return storable.decode(errors="ignore")


def test_notifications_of_any_kind_neither_stop_nor_delay(jobs):
    """Whoever may connect to a database may notify its runner."""
    before = len(jobs.server.log_text())
    trial, began = Trial("notifications", SEED), time.monotonic()
    for start in range(0, INPUTS, BATCH):
        numbers = range(start, start + BATCH)
        texts = [payload(Chance(f"{SEED} notice {number}")) for number in numbers]
        jobs.sql("SELECT pg_notify('queue_job', text) FROM unnest(%s::text[]) AS text", [texts])
        uuids = jobs.delay("noop", times=3)
        if jobs.wait(uuids, patience=10) == ["done"] * 3:
            trial.accepted += len(texts)
        else:
            trial.crash(start, json.dumps(texts))
    log = jobs.server.log_text()[before:]
    assert "served again in" not in log
    assert " ERROR " not in log
    finish(trial, began)
