"""What jobs take of memory: seen of every one, kept, and limited."""

import pytest
from commands import answer, ask
from jobs import Jobs

MODULES = ("test_queue_job", "test_queue_job_override")

LONG = 120

MARGIN_MB = 24
"""What a worker may take beside its job at the same time: code that it loads, caches."""


@pytest.fixture
def jobs(server):
    return Jobs(server(MODULES, workers=2, channels="root:2"))


def test_the_peak_of_a_job_is_kept_however_short_and_that_of_the_next_is_its_own(jobs):
    jobs.wait(jobs.delay("take_memory", 1, times=8))
    (large,) = jobs.delay("take_memory", 200)
    assert jobs.wait([large]) == ["done"]
    small = jobs.delay("take_memory", 1, times=8)
    jobs.wait(small)
    assert 200 <= jobs.one("memory_added", [large]) <= 200 + MARGIN_MB
    assert jobs.one("memory_peak", [large]) > 250, "with the worker itself"
    assert max(jobs.column("memory_added", small)) <= MARGIN_MB


def test_the_peak_of_an_attempt_is_kept_with_it_and_shown(jobs):
    (uuid,) = jobs.delay("take_memory_and_fail", 100)
    assert jobs.wait([uuid]) == ["failed"]
    query = """
        SELECT attempt.memory_added, attempt.memory_peak FROM queue_job_attempt AS attempt
          JOIN queue_job AS job ON job.id = job_id WHERE uuid = %s
    """
    ((added, peak),) = jobs.sql(query, [uuid])
    assert 100 <= added <= 100 + MARGIN_MB
    assert peak > added
    shown = ask(jobs.server, "show", uuid)
    assert f"+{added} MB" in shown.stdout
    assert f"memory added    {added}" in shown.stdout
    told = answer(jobs.server, "show", uuid)
    assert (told["memory_added"], told["attempts"][0]["memory_peak"]) == (added, peak)


def test_a_job_beyond_its_limit_is_failed_and_names_it(jobs):
    workers = set(jobs.server.http_workers())
    (within,) = jobs.delay("take_memory_limited", 32, 1)
    (beyond,) = jobs.delay("take_memory_limited", 150, LONG, "beyond")
    assert jobs.wait([within, beyond]) == ["done", "failed"]
    assert "JobMemoryLimitError" in jobs.one("exc_name", [beyond])
    assert "limit of 64 MB" in jobs.one("exc_message", [beyond])
    assert jobs.one("memory_added", [beyond]) >= 150
    assert jobs.ledger("beyond") == 0, "its work is rolled back"
    assert set(jobs.server.http_workers()) == workers, "no worker was lost"


def test_a_job_beyond_its_limit_is_tried_again_when_its_function_says_so(jobs):
    uuids = jobs.delay("take_memory_again", 150, LONG, max_retries=2)
    assert jobs.wait(uuids) == ["failed"]
    assert jobs.one("retry", uuids) == 2
    assert "Max. retries (2) reached" in jobs.one("exc_message", uuids)
    query = "SELECT outcome, memory_added >= 150 FROM queue_job_attempt ORDER BY attempt"
    assert jobs.sql(query) == [("postponed", True), ("failed", True)]


@pytest.mark.parametrize("workers", [2, 0])
def test_a_default_limit_is_for_jobs_without_one(server, workers):
    environment = {"ODOO_QUEUE_JOB_MEMORY": "100"}
    jobs = Jobs(server(MODULES, workers=workers, channels="root:1", env=environment))
    jobs.wait(jobs.delay("take_memory", 1))
    # On a server of threads a sleep is waited for.
    (beyond,) = jobs.delay("take_memory", 200, LONG if workers else 2)
    assert jobs.wait([beyond]) == ["failed"]
    assert "limit of 100 MB" in jobs.one("exc_message", [beyond])
