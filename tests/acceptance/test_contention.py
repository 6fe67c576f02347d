"""Locks that others hold, slots that others want, and settings that others change."""

import json
import time
from contextlib import closing, contextmanager

import psutil
import pytest
from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")

PUT = """
INSERT INTO queue_job (uuid, name, model_name, method_name, channel_method_name, records, args,
                       kwargs, state, priority, channel, retry, attempt, lost, max_retries,
                       scheduled)
SELECT %s || number, 'put', 'test.queue.job', %s, %s, %s, %s, '{}', 'pending', 10, 'root',
       0, 0, 0, 5, false
  FROM generate_series(1, %s) AS number
"""
"""Jobs by plain SQL, for a test in which no HTTP worker is free to be asked."""

STOP_THE_REAPER = """
CREATE FUNCTION wait_here() RETURNS trigger AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1);
    RETURN NEW;
END
$$ LANGUAGE plpgsql;
CREATE TRIGGER wait_here BEFORE UPDATE ON queue_job FOR EACH ROW
 WHEN (OLD.uuid = 'given1' AND OLD.state = 'enqueued' AND NEW.state = 'pending')
EXECUTE FUNCTION wait_here();
UPDATE queue_job SET state = 'enqueued', attempt = 1 WHERE uuid LIKE 'given%'
"""
"""Jobs as an earlier leader has left them, and a place to wait between two of them."""

IS_STOPPED = """
SELECT pid FROM pg_stat_activity
 WHERE application_name = 'queue_job runner' AND wait_event = 'advisory'
   AND datname = current_database()
"""

START = """
WITH turn AS MATERIALIZED (
    SELECT pg_try_advisory_lock(x'514A0001'::int, id) FROM queue_job WHERE uuid = 'given2'
)
UPDATE queue_job SET state = 'started', retry = 1
  FROM turn WHERE uuid = 'given2' AND state = 'enqueued' AND attempt = 1
RETURNING id
"""
"""What a worker of that leader does."""

SLEEP = "<test.queue.job>.sleep"

NOBODY = '{"_type": "odoo_recordset", "model": "test.queue.job", "ids": [], "uid": 2}'


def put(cluster, database, name, method, args="[]", number=1):
    """Store so many jobs named ``name``."""
    function = f"<test.queue.job>.{method}"
    cluster.execute(database, PUT, [name, method, function, NOBODY, args, number])


def done(cluster, database, name):
    """Return how many jobs named ``name`` are done."""
    query = "SELECT count(*) FROM queue_job WHERE uuid LIKE %s AND state = 'done'"
    return cluster.execute(database, query, [f"{name}%"])[0][0]


@contextmanager
def transaction(server, query, params=()):
    """Hold whatever locks a statement takes."""
    link = server.cluster.connect(server.database)
    link.autocommit = False
    try:
        with link.cursor() as cr:
            cr.execute(query, params)
            yield cr
    finally:
        link.rollback()
        link.close()


def burnt(pid, seconds):
    """Return how much of a processor a process uses over a while."""
    process = psutil.Process(pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(seconds)  # The time over which is measured.
    return (sum(process.cpu_times()[:2]) - before) / seconds


def test_the_runner_sleeps_while_no_slot_is_free(server):
    odoo = server(MODULES, workers=2, channels="root:4")
    jobs = Jobs(odoo)
    jobs.wait(jobs.delay("sleep", 6, times=2), ["started"])
    put(odoo.cluster, odoo.database, "one more", "noop")
    assert burnt(odoo.runner_pid(), 2.0) < 0.2
    wait_until(lambda: done(odoo.cluster, odoo.database, "one more") == 1, "a slot is free")


def test_a_window_that_is_used_up_is_read_again(server):
    odoo = server(MODULES, workers=2, channels="root:2")
    jobs = Jobs(odoo)
    uuids = jobs.delay("noop", times=1700)
    began = time.monotonic()
    assert set(jobs.wait(uuids, patience=40)) == {"done"}
    print(f"1,700 jobs through windows of 500 in {time.monotonic() - began:.1f} s")


def test_a_job_that_is_wanted_again_while_its_lease_is_open_runs_when_that_ends(server):
    odoo = server(MODULES, workers=3, channels="root:2,root.one:1")
    jobs = Jobs(odoo)
    jobs.wait(jobs.delay("sleep", 0, times=100))
    put(odoo.cluster, odoo.database, "other", "sleep", "[0]")
    wait_until(lambda: done(odoo.cluster, odoo.database, "other"), "the runner has nothing to do")
    with odoo.cluster.connect(odoo.database) as link, link.cursor() as cr:
        # Two of one channel at once, so that they are in one lease.
        link.autocommit = False
        for name, seconds in (("first", "[0]"), ("second", "[3]")):
            cr.execute(
                PUT.replace("'root'", "'root.one'"), [name, "sleep", SLEEP, NOBODY, seconds, 1]
            )
    wait_until(lambda: jobs.column("state", ["first1", "second1"]) == ["done", "started"], "second")
    jobs.sql("UPDATE queue_job SET state = 'pending' WHERE uuid = 'first1'")
    assert jobs.wait(["second1"]) == ["done"]
    assert jobs.wait(["first1"], patience=10) == ["done"]
    assert jobs.one("attempt", ["first1"]) == 2
    assert jobs.one("date_started", ["first1"]) >= jobs.one("date_done", ["second1"])


def test_rows_that_an_operator_holds_are_passed_over(server):
    odoo = server(MODULES, workers=2, channels="root:2")
    jobs = Jobs(odoo)
    block = jobs.delay("sleep", 3, times=2)
    jobs.wait(block, ["started"])
    # More than a window of them, ready as soon as a slot is free, and locked by then.
    put(odoo.cluster, odoo.database, "held", "noop", number=600)
    held = [f"held{number}" for number in range(1, 601)]
    jobs.sql("UPDATE queue_job SET priority = 1 WHERE uuid = ANY(%s)", [held])
    with transaction(odoo, "SELECT id FROM queue_job WHERE uuid = ANY(%s) FOR UPDATE", [held]):
        jobs.wait(block)
        later = jobs.delay("noop", priority=50)
        assert jobs.wait(later, ["done"], patience=10) == ["done"]
    assert set(jobs.wait(held)) == {"done"}


def test_an_edge_that_an_operator_holds_is_passed_over(server):
    """Who requeues a child holds what it waits for; other jobs do not wait for that."""
    jobs = Jobs(server(MODULES, workers=2))
    parent, child, _last = jobs.server.rpc("test.queue.job", "launch_chain_of", [[jobs.record], 2])
    hold = (
        "UPDATE queue_job_dependency SET open = open "
        "WHERE child_id = (SELECT id FROM queue_job WHERE uuid = %s); "
        "SELECT pg_notify('queue_job', 'graph')"
    )
    with transaction(jobs.server, hold, [child]) as cr:
        jobs.wait([parent], ["done"])
        assert jobs.wait(jobs.delay("noop")) == ["done"]
        assert jobs.one("state", [child]) == "wait_dependencies"
        cr.connection.commit()
    assert jobs.wait([child]) == ["done"]


def test_a_job_that_starts_while_others_are_taken_back_stays_with_its_worker(server, database):
    name = database(MODULES)
    odoo = server(database_name=name, workers=2, channels="root:2", start=False)
    cluster = odoo.cluster
    put(cluster, name, "given", "noop", number=2)
    cluster.execute(name, STOP_THE_REAPER)
    with closing(cluster.connect(name)) as worker, worker.cursor() as cr:
        with transaction(odoo, "SELECT pg_advisory_xact_lock(1)"):
            odoo.start()
            wait_until(lambda: cluster.execute(name, IS_STOPPED), "it takes the first back")
            cr.execute(START)
            assert cr.fetchall(), "the second is started"
        wait_until(lambda: done(cluster, name, "given1"), "the first")
        query = "SELECT state, attempt, lost FROM queue_job WHERE uuid = 'given2'"
        assert cluster.execute(name, query) == [("started", 1, 0)]
    wait_until(lambda: done(cluster, name, "given2"), "the second, when its worker is gone")


def test_an_enqueued_row_that_is_held_does_not_stop_the_runner(server):
    odoo = server(MODULES, workers=1, channels="root:1")
    jobs = Jobs(odoo)
    jobs.wait(jobs.delay("sleep", 0, times=100))
    cluster, database = odoo.cluster, odoo.database
    cluster.execute(
        database,
        # The first of them is slow.
        PUT.replace("%s, '{}'", "CASE WHEN number = 1 THEN '[5]' ELSE %s END::jsonb, '{}'"),
        ["leased", "sleep", "<test.queue.job>.sleep", NOBODY, "[0]", 10],
    )

    def leased():
        query = "SELECT id FROM queue_job WHERE uuid = 'leased5' AND state = 'enqueued'"
        return cluster.execute(database, query)

    wait_until(leased, "the fifth is in a lease behind the first")
    with transaction(odoo, "SELECT id FROM queue_job WHERE uuid = 'leased5' FOR UPDATE"):
        wait_until(lambda: done(cluster, database, "leased") == 9, "all but the one that is held")
    wait_until(lambda: done(cluster, database, "leased") == 10, "the last one as well")
    assert "served again in" not in odoo.log_text(), "the runner never lost its lead"


@pytest.fixture
def two(server, database):
    """Return a function that starts a server for two databases."""
    names = [database(MODULES, name="multi_a"), database(MODULES, name="multi_b")]
    options = ["-d", ",".join(names), "--db-filter", "^multi_[ab]$"]

    def start(**parameters):
        odoo = server(database_name=names[0], options=options, **parameters)
        for name in names:
            put(odoo.cluster, name, "warm", "noop", number=2)
            wait_until(lambda name=name: done(odoo.cluster, name, "warm") == 2, f"{name} is served")
        return odoo

    return start


def test_a_database_that_is_full_keeps_no_slot_from_another(two):
    odoo = two(workers=2, channels="root:1")
    cluster = odoo.cluster
    put(cluster, "multi_b", "job", "sleep", "[0.3]", 20)
    wait_until(lambda: done(cluster, "multi_b", "job") >= 1, "the other one began")
    put(cluster, "multi_a", "job", "sleep", "[20]", 2)
    wait_until(lambda: done(cluster, "multi_b", "job") == 20, "the other one goes on", 15)


def test_a_database_that_does_not_answer_keeps_no_slot(two):
    odoo = two(workers=2, channels="root:2")
    cluster = odoo.cluster
    with transaction(odoo, "LOCK TABLE queue_job IN ACCESS EXCLUSIVE MODE"):
        cluster.execute("multi_a", "NOTIFY queue_job")
        began = time.monotonic()
        put(cluster, "multi_b", "job", "noop", number=5)
        wait_until(lambda: done(cluster, "multi_b", "job") == 5, "the other database")
        print(f"done after {time.monotonic() - began:.2f} s")
        assert time.monotonic() - began < 2
    put(cluster, "multi_a", "job", "noop")
    wait_until(lambda: done(cluster, "multi_a", "job") == 1, "the one that was locked")


def test_another_secret_is_learnt(server):
    odoo = server(MODULES, workers=2)
    jobs = Jobs(odoo)
    jobs.wait(jobs.delay("noop"))
    odoo.rpc("ir.config_parameter", "set_param", ["database.secret", "another"])
    assert jobs.wait(jobs.delay("noop"), patience=10) == ["done"]


def test_sessions_that_may_not_be_idle(server, own_cluster, template):
    cluster = own_cluster(settings={"idle_session_timeout": "1s"})
    template.create_on(cluster, "idle", MODULES)
    jobs = Jobs(server(cluster=cluster, database_name="idle", workers=2))
    uuids = jobs.delay("sleep", 4, "idle")
    assert jobs.wait(uuids) == ["done"]
    assert jobs.one("attempt", uuids) == 1
    assert jobs.ledger("idle") == 1


def test_a_hold_is_told(server):
    odoo = server(MODULES)
    jobs = Jobs(odoo)
    jobs.wait(jobs.delay("noop"))
    jobs.sql("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'web_tour'")
    jobs.delay("noop")
    wait_until(lambda: "held: modules are to be installed" in odoo.log_text(), "a line in the log")
    jobs.sql("UPDATE ir_module_module SET state = 'installed' WHERE name = 'web_tour'")


@pytest.mark.parametrize("seconds", [{"_type": "timedelta", "value": [0, 1, 0]}, 1e300, [1, 2], -5])
def test_whatever_a_retry_asks_for_the_job_is_not_stuck(shared_server, seconds):
    jobs = Jobs(shared_server)
    uuids = jobs.delay("noop", eta=3600)
    jobs.sql(
        "UPDATE queue_job SET method_name = 'retry_later', eta = NULL, max_retries = 2, "
        "args = jsonb_build_array(%s::jsonb) WHERE uuid = %s",
        [json.dumps(seconds), uuids[0]],
    )
    wait_until(lambda: jobs.one("retry", uuids) >= 1, "the first try")
    wait_until(lambda: jobs.one("state", uuids) in ("pending", "failed"), "an end", 10)


@pytest.mark.parametrize("way", ["delay", "with_delay"])
def test_what_was_cancelled_is_in_nobodys_way(shared_server, way):
    jobs = Jobs(shared_server)
    first, second = shared_server.rpc("test.queue.job", "launch_again", [[jobs.record], way])
    assert first != second
    assert jobs.column("state", [first]) == ["cancelled"]
    assert jobs.wait([second]) == ["done"]
