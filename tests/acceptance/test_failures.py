"""Jobs that fail alike are one failure, whatever moved in the code between them."""

from jobs import Jobs, wait_until


def failures(jobs, uuids):
    """Return id, state and name of the failures of jobs that have failed, as they are known."""
    jobs.wait(uuids, ["failed"])
    keys = jobs.column("failure_key", uuids)
    assert all(keys)
    return wait_until(
        lambda: jobs.sql(
            "SELECT id, state, name FROM queue_job_failure WHERE key = ANY(%s)", [keys]
        ),
        "their failure is known",
    )


def test_the_same_failure_when_lines_move(shared_server):
    jobs = Jobs(shared_server)
    uuids = [jobs.delay("fail_at_line", line, 100 + line)[0] for line in (1, 40, 3000)]
    ((_number, state, name),) = failures(jobs, uuids)
    assert (state, name) == ("new", "ValueError in moved.sink")
    lines = jobs.sql("SELECT exc_info FROM queue_job WHERE uuid = ANY(%s)", [uuids])
    assert len({text for (text,) in lines}) == 3, "their tracebacks differ"
    (kept,) = jobs.sql(
        "SELECT count(DISTINCT a.failure_key) FROM queue_job_attempt a "
        "JOIN queue_job q ON q.id = a.job_id WHERE q.uuid = ANY(%s)",
        [uuids],
    )
    assert kept == (1,)


def test_many_that_fail_at_a_time_are_all_recorded(shared_server):
    """The workers meet on one new failure: one of them stores it, and none loses its job's end."""
    jobs = Jobs(shared_server)
    uuids = jobs.delay("fail", "all at once", times=60)
    assert len(failures(jobs, uuids)) == 1
    assert set(jobs.column("attempt", uuids)) == {1}
    assert jobs.sql("SELECT count(*) FROM queue_job WHERE lost > 0") == [(0,)]


def test_another_failure_is_another_one(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("fail", "one reason") + jobs.delay("fail", "quite another one")
    wait_until(lambda: len(failures(jobs, uuids)) == 2, "two failures are known")


def test_a_failure_without_words_is_recorded_and_not_lost(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("fail_without_words")
    ((_number, _state, name),) = failures(jobs, uuids)
    assert name.startswith("Wordless in ")
    assert jobs.one("exc_message", uuids) == "the error cannot be written: ValueError"
    assert jobs.one("lost", uuids) == 0


def test_a_secret_in_a_message_is_for_nobody(shared_server):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("fail", "the shop refused password=hunter2")
    jobs.wait(uuids, ["failed"])
    assert jobs.column("exc_message", uuids) == ["the shop refused password=•••"]
    again = jobs.delay("retry_later", 0.1, False, "not with api_key=hunter2")
    jobs.wait(again, ["failed"])
    messages = jobs.sql(
        "SELECT message FROM queue_job_attempt JOIN queue_job ON queue_job.id = job_id "
        "WHERE uuid = ANY(%s)",
        [uuids + again],
    )
    assert len(messages) > 2
    assert all("•••" in text and "hunter2" not in text for (text,) in messages)


def test_a_probe_that_is_done_is_followed_by_all_others(shared_server):
    """The code is mended meanwhile: the jobs fail until their function is told another one."""
    jobs = Jobs(shared_server)
    uuids = jobs.delay("fail", "mended", times=5)
    ((number, _state, _name),) = failures(jobs, uuids)
    shared_server.rpc("queue.job.failure", "action_solve", [[number]])
    jobs.sql("UPDATE queue_job SET method_name = 'noop', channel_method_name = 'mended', "
             "args = '[]', kwargs = '{}' WHERE uuid = ANY(%s) RETURNING id", [uuids])  # fmt: skip
    shared_server.rpc("queue.job.failure", "action_probe_all", [[number]])
    assert jobs.wait(uuids, ["done"]) == ["done"] * 5


def test_one_that_was_solved_comes_back(shared_server):
    jobs = Jobs(shared_server)
    ((number, _state, _name),) = failures(jobs, jobs.delay("fail", "again and again"))
    shared_server.rpc("queue.job.failure", "action_solve", [[number]])
    again = jobs.delay("fail", "again and again")
    wait_until(lambda: failures(jobs, again)[0][:2] == (number, "new"), "it is new again")
