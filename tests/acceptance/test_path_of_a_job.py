"""A job goes from ``delay`` to its end, through a real runner and real HTTP workers."""

import pytest
from jobs import Jobs, wait_until


@pytest.fixture(scope="module")
def jobs(shared_server):
    return Jobs(shared_server)


def test_no_op_is_done(jobs):
    uuids = jobs.delay("noop")
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("retry", uuids) == 1
    assert jobs.one("exec_time", uuids) > 0
    assert jobs.one("worker_pid", uuids) in jobs.server.http_workers()


def test_work_and_result_are_committed(jobs):
    uuids = jobs.delay("write_value", 42)
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("result", uuids) == "42"
    assert jobs.sql("SELECT value FROM test_queue_job WHERE id = %s", [jobs.record]) == [(42,)]


def test_functions_run_with_a_session_or_an_env(jobs):
    heavy = jobs.function("a_heavy_task", "res.partner", 1)
    order = jobs.function("import_order", 1, priority=50)
    env = jobs.function("takes_an_env", 7)
    assert jobs.wait([heavy, order, env]) == ["done"] * 3
    assert jobs.column("result", [order, env]) == ["1 by 2", "2 7"]


def test_it_runs_as_the_user_who_delayed_it(jobs):
    uuids = jobs.delay("who")
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("result", uuids).startswith("2 su=False")


def test_an_override_without_the_decorator_runs(jobs):
    uuids = jobs.delay("overridden_without_decorator")
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("result", uuids) == "base extended"


def test_nothing_to_do_is_done_with_its_message(jobs):
    uuids = jobs.delay("nothing_to_do")
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("result", uuids) == "it is there already"


def test_an_error_fails_the_job_and_its_work_is_rolled_back(jobs):
    before = jobs.ledger("fail")
    uuids = jobs.delay("fail", "the reason")
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("exc_name", uuids) == "odoo.addons.queue_job.exception.FailedJobError"
    assert jobs.one("exc_message", uuids) == "the reason"
    assert "Traceback" in jobs.one("exc_info", uuids)
    assert jobs.ledger("fail") == before


def test_an_error_with_bytes_that_no_text_column_takes_is_recorded(jobs):
    uuids = jobs.delay("fail_oddly")
    assert jobs.wait(uuids) == ["failed"]
    assert "zero" in jobs.one("exc_message", uuids)


def test_of_many_failures_one_is_announced(jobs):
    jobs.wait(jobs.delay("fail", "the first"))
    jobs.wait(jobs.delay("fail", "like the others", times=20))
    query = "SELECT count(*) FROM queue_job WHERE date_notice IS NOT NULL AND method_name = 'fail'"
    assert jobs.sql(query) == [(1,)]
    posted = (
        "SELECT count(*) FROM mail_message JOIN queue_job ON queue_job.id = res_id "
        "WHERE model = 'queue.job' AND message_type = 'notification' AND method_name = 'fail'"
    )
    assert jobs.sql(posted) == [(1,)]


def call_on_fail(jobs, function, method):
    """Let a method be called when a function has failed."""
    domain = [["name", "=", f"<test.queue.job>.{function}"]]
    found = jobs.server.rpc("queue.job.function", "search", [domain])
    jobs.server.rpc("queue.job.function", "write", [found, {"on_fail_method": method}])


def test_the_method_for_failures_is_called(jobs):
    call_on_fail(jobs, "fail_oddly", "note_failure")
    before = jobs.ledger("on_fail")
    assert jobs.wait(jobs.delay("fail_oddly")) == ["failed"]
    assert jobs.ledger("on_fail") == before + 1


def test_retry_comes_back_until_it_succeeds(jobs):
    uuids = jobs.delay("retry_until", 3, 0.1)
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("retry", uuids) == 3
    assert jobs.one("attempt", uuids) == 3


def test_retry_takes_its_seconds_from_the_pattern(jobs):
    uuids = jobs.delay("retry_later", max_retries=2)
    jobs.wait(uuids, ["failed"])
    assert jobs.one("retry", uuids) == 2
    assert jobs.one("exc_message", uuids) == "Max. retries (2) reached: not yet"
    waited = jobs.one("extract(epoch FROM date_started - date_created)", uuids)
    assert 1 <= float(waited) < 5


def test_retry_that_does_not_count(jobs):
    uuids = jobs.delay("retry_later", 3600, True, max_retries=1)
    wait_until(lambda: jobs.one("attempt", uuids) == 1, "the first try")
    jobs.wait(uuids, ["pending"])
    assert jobs.one("retry", uuids) == 0, "the try was given back"
    assert jobs.one("result", uuids) == "not yet"
    assert jobs.one("scheduled", uuids)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("model_name = 'gone', records = jsonb_set(records, '{model}', '\"gone\"')", "gone"),
        ("method_name = 'gone'", "gone"),
        ('args = \'[{"_type": "unheard of"}]\'', "unheard of"),
        ("records = '{}'", "cannot be called"),
        ("model_name = NULL, method_name = 'os.system'", "os.system"),
    ],
)
def test_what_cannot_be_read_fails_with_the_reason(jobs, change, expected):
    uuids = jobs.delay("noop", eta=3600)
    jobs.sql(f"UPDATE queue_job SET {change}, eta = NULL WHERE uuid = %s", uuids)
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("exc_name", uuids).endswith("NotReadableJobError")
    assert expected in jobs.one("exc_message", uuids)
    assert jobs.one("attempt", uuids) == 1


def test_conflicts_are_tried_again_in_the_worker(jobs):
    before = jobs.ledger("conflict")
    jobs.sql("UPDATE test_queue_job SET value = 0")
    uuids = jobs.delay("conflict", 3)
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("retry", uuids) == 1
    assert jobs.ledger("conflict") == before + 1


def test_the_method_for_failures_is_called_through_conflicts(jobs):
    before = jobs.ledger("conflict")
    jobs.sql("UPDATE test_queue_job SET value = 0")
    call_on_fail(jobs, "fail", "note_failure_late")
    uuids = jobs.delay("fail", "late")
    assert jobs.wait(uuids) == ["failed"]
    call_on_fail(jobs, "fail", False)
    assert jobs.ledger("conflict") == before + 1
    assert jobs.sql("SELECT max(value) FROM test_queue_job") == [(2,)], "the third went well"
    assert jobs.one("attempt", uuids) == 1


def test_many_jobs_that_write_the_same_record_all_count(jobs):
    jobs.sql("UPDATE test_queue_job SET value = 0 WHERE id = %s", [jobs.record])
    uuids = jobs.delay("add_one", times=40, max_retries=0)
    assert set(jobs.wait(uuids, patience=120)) == {"done"}
    assert jobs.sql("SELECT value FROM test_queue_job WHERE id = %s", [jobs.record]) == [(40,)]


def test_eta_is_kept_and_then_competes(jobs):
    uuids = jobs.delay("noop", eta=1.0)
    assert jobs.column("state", uuids) == ["pending"]
    assert jobs.wait(uuids) == ["done"]
    waited = jobs.one("extract(epoch FROM date_started - date_created)", uuids)
    assert 1.0 <= float(waited) < 3


def test_a_job_that_was_given_a_new_eta_runs_then(jobs):
    uuids = jobs.delay("noop", eta=3600)
    jobs.sql("UPDATE queue_job SET eta = NULL WHERE uuid = %s", uuids)
    assert jobs.wait(uuids, patience=10) == ["done"]


def test_thousand_jobs_are_all_done(jobs):
    uuids = jobs.delay("noop", times=1000)
    assert set(jobs.wait(uuids, patience=60)) == {"done"}
    assert set(jobs.column("retry", uuids)) == {1}


def test_the_log_tells_of_failures(jobs):
    uuids = jobs.delay("fail", "read me in the log")
    jobs.wait(uuids)
    log = jobs.server.log_text()
    assert f"job {uuids[0]} <test.queue.job>.fail failed" in log
    assert "read me in the log" in log
