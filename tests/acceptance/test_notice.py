"""Whoever asked for a long job is told of its end, by a real worker, after it was committed."""

import json

from jobs import Jobs, wait_until

SECONDS = 1.2
"""Beyond the second from which a worker asks at all whether somebody is to be told."""


def messages(jobs):
    rows = jobs.sql("SELECT message FROM bus_bus WHERE message LIKE '%%queue_job.ended%%'")
    return [json.loads(row[0])["payload"] for row in rows]


def test_the_end_of_a_long_job_is_told_and_of_a_short_one_not(server):
    odoo = server(modules=["test_queue_job"], workers=2, channels="root:1")
    jobs = Jobs(odoo)
    odoo.rpc("ir.config_parameter", "set_param", ["queue_job.notice_seconds", "1"])
    assert jobs.wait(jobs.delay("noop")) == ["done"]
    assert jobs.wait(jobs.delay("sleep", SECONDS)) == ["done"]
    (done,) = wait_until(lambda: messages(jobs), "the end of the long job is told")
    assert done["failed"] is False
    assert done["seconds"] >= SECONDS
    assert done["record"] == {"model": "test.queue.job", "id": jobs.record}
    assert jobs.wait(jobs.delay("sleep_and_fail", SECONDS)) == ["failed"]
    _done, failed = wait_until(
        lambda: len(messages(jobs)) > 1 and messages(jobs), "the failure is told"
    )
    assert failed["failed"] is True


def test_a_job_is_done_even_if_nobody_can_be_told(server):
    odoo = server(modules=["test_queue_job"], workers=2, channels="root:1")
    jobs = Jobs(odoo)
    odoo.rpc("ir.config_parameter", "set_param", ["queue_job.notice_seconds", "1"])
    jobs.sql("ALTER TABLE bus_bus ADD CONSTRAINT refused CHECK (false) NOT VALID")
    first, second = jobs.delay("sleep", SECONDS), jobs.delay("sleep", 0)
    assert jobs.wait(first + second) == ["done", "done"]
    wait_until(lambda: "its end could not be told" in odoo.log_text(), "the log says so")
    assert jobs.ledger("sleep") == 2
    assert jobs.column("attempt", first + second) == [1, 1]
    assert messages(jobs) == []
