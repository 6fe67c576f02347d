"""Rows that somebody changed by hand: each fails with its reason or waits with one, alone.

Nothing that stands in a row stops the runner, keeps other jobs of the database waiting, or another
database.
"""

import json

import pytest
from inputs import Chance
from jobs import Jobs, wait_until

from dev.postgres import installed_versions

MODULES = ("test_queue_job", "test_queue_job_override")

DEEP = "(repeat('[', 3000) || repeat(']', 3000))::jsonb"
"""PostgreSQL stores it; Python does not read it."""

LONG = "('[' || repeat('9', 6000) || ']')::jsonb"

MIN, MAX = -(2**31), 2**31 - 1

POLL_PATIENCE = 100
"""Seconds: what nobody was told of is found by the runner's poll, within 66."""

SIGNS_OF_TROUBLE = ("served again in", "the worker gives it up", "not answered", "no lease for")
"""What the log says when a row has troubled the runner or a whole worker."""


def changed(column, value):
    """Return the assignment of a value of JSON to a column."""
    return f"{column} = '{json.dumps(value)}'"


def records(**parts):
    """Return the assignment of stored records, some of whose parts are wrong."""
    return f"records = records || '{json.dumps(parts)}'"


FAILS = {
    "no records": ("records = NULL", "records should be stored"),
    "null records": ("records = 'null'", "records should be stored"),
    "a list for records": (changed("records", [1]), "records should be stored"),
    "text for records": (changed("records", "x"), "records should be stored"),
    "empty records": (changed("records", {}), "None as their model"),
    "deep records": (f"records = {DEEP}", "cannot be read"),
    "model is a number": (records(model=5), "5 as their model"),
    "another model": (records(model="res.users"), "its records are of res.users"),
    "no such model": (records(model="gone"), "gone"),
    "ids are text": (records(ids="123"), "'123' as their ids"),
    "ids are nothing": (records(ids=[None]), "[None] as their ids"),
    "ids are fractions": (records(ids=[1.5]), "[1.5] as their ids"),
    "user is text": (records(uid="admin"), "'admin' as their uid"),
    "user is missing": ("records = records - 'uid'", "None as their uid"),
    "user is negative": (records(uid=-1), "-1 as their uid"),
    "user is true": (records(uid=True), "True as their uid"),
    "no such user": (records(uid=987654), "no user 987654"),
    "superuser by text": (records(su="false"), "'false' as their su"),
    "context is a list": (records(context=[1]), "[1] as their context"),
    "context is a set": (records(context={"_type": "set", "value": [1]}), "as their context"),
    "args are an object": (changed("args", {"a": 1}), "no list"),
    "args are text": (changed("args", "abc"), "no list"),
    "args are a number": (changed("args", 7), "no list"),
    "args are deep": (f"args = {DEEP}", "cannot be read"),
    "args are long": (f"args = {LONG}", "cannot be read"),
    "tag is a list": (changed("args", [{"_type": ["tuple"]}]), "names no type"),
    "tag is a class": (changed("args", [{"_type": "subprocess.Popen"}]), "subprocess.Popen"),
    "no date": (changed("args", [{"_type": "date_isoformat", "value": "x"}]), "date_isoformat"),
    "no set": (changed("args", [{"_type": "set", "value": [[]]}]), "stored set"),
    "no XML": (changed("args", [{"_type": "etree_element", "value": "<a"}]), "is no XML"),
    "a function for an enumeration": (
        changed("args", [{"_type": "enum_member", "module": "os", "class": "system"}]),
        "no enumeration os.system",
    ),
    "a model for an enumeration": (
        changed(
            "args",
            [
                {
                    "_type": "enum_member",
                    "module": "odoo.addons.queue_job.models.queue_job",
                    "class": "QueueJob.unlink",
                    "member": "x",
                }
            ],
        ),
        "no enumeration",
    ),
    "records in args of no model": (
        changed("args", [{"_type": "odoo_recordset", "model": "gone", "ids": [1]}]),
        "gone",
    ),
    "kwargs are a list": (changed("kwargs", [1]), "no names and values"),
    "kwargs are text": (changed("kwargs", "a"), "no names and values"),
    "kwargs have numbers for names": (
        changed("kwargs", {"_type": "mapping", "value": [[1, 2]]}),
        "no names and values",
    ),
    "no method": ("method_name = NULL", "names no method"),
    "empty method": ("method_name = ''", "names no method"),
    "no such method": ("method_name = 'gone'", "gone"),
    "a class for a method": ("method_name = '__class__'", "no method that can be delayed"),
    "a constructor": ("method_name = '__init__'", "no method that can be delayed"),
    "a field for a method": ("method_name = 'name'", "no method"),
    "a property for a method": ("method_name = 'ids'", "no method"),
    "the registry for a method": ("method_name = 'pool'", "no method"),
    "no such function": ("model_name = NULL", "noop"),
    "a function of Python": ("model_name = NULL, method_name = 'os.system'", "os.system"),
    "empty model": ("model_name = ''", "its records are of test.queue.job"),
    "no function, no method": ("channel_method_name = NULL, method_name = NULL", "names no method"),
}

RUNS = {
    "null args": "args = NULL, kwargs = NULL",
    "least priority": f"priority = {MIN}",
    "most priority": f"priority = {MAX}",
    "attempts at their end": f"attempt = {MAX}",
    "attempts below zero": f"attempt = {MIN}",
    "tries at their end": f"retry = {MAX}",
    "tries below zero": f"retry = {MIN}",
    "lost workers at their end": f"lost = {MAX}",
    "conflicts at their end": f"conflicts = {MAX}",
    "conflicts below zero": f"conflicts = {MIN}",
    "snoozes at their end": f"snoozes = {MAX}",
    "no conflicts and snoozes": "conflicts = NULL, snoozes = NULL",
    "less than no tries": "max_retries = -5",
    "empty channel": "channel = ''",
    "blank channel": "channel = ' '",
    "channel of dots": "channel = '...'",
    "channel outside of root": "channel = 'elsewhere'",
    "channel with odd characters": r"channel = E'root.\u2028\U0001F600,:=\n'",
    "long channel": "channel = repeat('a.', 600)",
    "before all time": "eta = '-infinity'",
    "before Christ": "eta = '4000-01-01 BC'",
    "no name of its own": "uuid = ''",
    "no description": "name = NULL, func_string = NULL, channel_method_name = NULL",
    "no such company": "company_id = 987654, user_id = 987654, job_function_id = 987654",
    "odd scope": "identity_scope = 'odd', identity_key = '', identity_claim = 'x'",
}

WAITS = {
    "after all time": ("eta = 'infinity', scheduled = true", "It starts in"),
    "unknown state": ("state = 'odd'", "none that the queue knows"),
    "paused": ("channel = 'root.paused.below'", "is paused"),
}


@pytest.fixture(scope="module")
def jobs(make_shared_server):
    return Jobs(make_shared_server(channels="root:4,root.paused:1:paused"))


@pytest.fixture
def undisturbed(jobs):
    """See afterwards that other jobs run, and that neither runner nor workers were in trouble."""
    before = len(jobs.server.log_text())
    yield
    assert set(jobs.wait(jobs.delay("noop", times=10), patience=10)) == {"done"}
    log = jobs.server.log_text()[before:]
    assert not [sign for sign in SIGNS_OF_TROUBLE if sign in log]


def damage(jobs, change, method="noop"):
    """Change the row of a job past all triggers, and let it run; return its id."""
    (number,) = jobs.column("id", jobs.delay(method, eta=3600))
    free = "" if "eta" in change else ", eta = NULL, scheduled = false"
    jobs.sql(
        f"SET session_replication_role = replica; UPDATE queue_job SET {change}{free} "
        "WHERE id = %s; NOTIFY queue_job",
        [number],
    )
    return number


def read(jobs, number, *columns):
    """Return columns of a job by its id: its uuid may be what was damaged."""
    return jobs.sql(f"SELECT {', '.join(columns)} FROM queue_job WHERE id = %s", [number])[0]


def wait_for_state(jobs, number, *states):
    wait_until(
        lambda: read(jobs, number, "state")[0] in states,
        f"job in {states}, it is {read(jobs, number, 'state, exc_message, result')}",
    )


@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize(("change", "reason"), FAILS.values(), ids=FAILS)
def test_a_damaged_row_fails_with_the_reason(jobs, change, reason):
    number = damage(jobs, change)
    wait_for_state(jobs, number, "failed")
    kind, message, attempt, lost = read(jobs, number, "exc_name, exc_message, attempt, lost")
    assert kind.endswith(".NotReadableJobError")
    assert reason in message
    assert "cannot be called" in message
    assert (attempt, lost) == (1, 0), "at its first attempt"


@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize("change", RUNS.values(), ids=RUNS)
def test_an_odd_row_that_says_what_to_do_runs(jobs, change):
    number = damage(jobs, change)
    wait_for_state(jobs, number, "done")
    jobs.sql("DELETE FROM queue_job WHERE id = %s", [number])


@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize(("change", "reason"), WAITS.values(), ids=WAITS)
def test_a_row_that_cannot_run_waits_and_says_why(jobs, change, reason):
    number = damage(jobs, change)
    assert set(jobs.wait(jobs.delay("noop", times=20), patience=10)) == {"done"}
    assert read(jobs, number, "state")[0] in ("pending", "odd")
    assert reason in jobs.server.rpc("queue.job", "explain", [[number]])
    jobs.sql("DELETE FROM queue_job WHERE id = %s", [number])


@pytest.mark.usefixtures("undisturbed")
def test_an_operator_can_open_and_requeue_what_was_damaged(jobs):
    shown = ["name", "state", "eta", "arguments", "wait_reason", "exc_message", "dependency_graph"]
    changes = (f"args = {DEEP}", "args = '7'", "records = '5'", "state = 'odd'", "uuid = 'odd'")
    for change in changes:
        number = damage(jobs, change)
        wait_for_state(jobs, number, "failed", "odd", "done")
        read_by_rpc = jobs.server.rpc("queue.job", "read", [[number], shown])
        assert read_by_rpc[0]["id"] == number
        jobs.sql(
            "UPDATE queue_job SET args = '[]', records = healthy.records "
            "  FROM (SELECT records FROM queue_job WHERE state = 'done' LIMIT 1) AS healthy "
            " WHERE id = %s",
            [number],
        )
        jobs.server.rpc("queue.job", "requeue", [[number]])
        wait_for_state(jobs, number, "done")


@pytest.mark.usefixtures("undisturbed")
def test_figures_of_a_function_with_a_long_name_are_kept(jobs):
    name = "(SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) AS n)"
    wait_for_state(jobs, damage(jobs, f"channel_method_name = {name}"), "done")
    kept = f"SELECT done FROM queue_job_metric WHERE function > '' AND {name} LIKE function || '%%'"
    wait_until(lambda: jobs.sql(kept), "the figures are stored")


@pytest.mark.usefixtures("undisturbed")
def test_a_run_that_ends_badly_at_the_end_of_all_counters(jobs):
    """A retry and a lost worker count in statements of their own."""
    for change in (
        f"retry = {MAX}, attempt = {MAX}",
        f"retry = {MIN}, attempt = {MIN}, lost = {MIN}",
    ):
        number = damage(jobs, f"{change}, max_retries = 0", "retry_later")
        wait_until(lambda n=number: read(jobs, n, "result")[0] == "not yet", "a retry")
        jobs.sql("UPDATE queue_job SET state = 'cancelled' WHERE id = %s", [number])


def test_what_nobody_runs_is_found(jobs):
    """A state that says that somebody works on it, while nobody does; a child without parents."""
    states = ("enqueued", "started", "wait_dependencies")
    counters = f"attempt = {MAX}, retry = {MIN}, lost = {MIN}"
    numbers = [damage(jobs, f"state = '{state}', {counters}") for state in states]
    for number in numbers:
        wait_until(
            lambda n=number: read(jobs, n, "state")[0] == "done",
            "a job that nobody ran",
            POLL_PATIENCE,
        )


@pytest.mark.usefixtures("undisturbed")
def test_a_job_that_waits_for_itself_waits_alone(jobs):
    number = damage(jobs, "state = 'wait_dependencies'")
    jobs.sql("INSERT INTO queue_job_dependency VALUES (%s, %s)", [number, number])
    assert "It waits for a job" in jobs.server.rpc("queue.job", "explain", [[number]])
    jobs.server.rpc("queue.job", "button_cancelled", [[number]])
    assert read(jobs, number, "state") == ("cancelled",)


COLUMNS = ("records", "args", "kwargs")
METHODS = ("noop", "gone", "__class__", "", None, "ids", "_name", "fail", "write_value", "sudo")
NUMBERS = (MIN, MAX, 0, -1, 10)
CHANNELS = ("root", "", "root.x", "nowhere", ".", "a" * 1000)
TIMES = ("-infinity", "4000-01-01 BC", None, "1970-01-01")

CHANGE_ROW = """
SET session_replication_role = replica;
UPDATE queue_job
   SET records = %(records)s, args = %(args)s, kwargs = %(kwargs)s, method_name = %(method)s,
       priority = %(priority)s, retry = %(retry)s, attempt = %(attempt)s, lost = %(lost)s,
       max_retries = %(most)s, channel = %(channel)s, eta = %(eta)s, scheduled = false
 WHERE id = %(id)s
"""


def storable(value):
    """Return JSON that PostgreSQL takes, as text."""
    try:
        text = json.dumps(value, allow_nan=False)
    except RecursionError:
        return "[" * 3000 + "]" * 3000
    odd = "\\u0000" in text or "\\ud" in text
    return None if odd else text


def draw_row(chance, good):
    """Return a row in which anything may be wrong."""
    drawn = {name: json.loads(text) for name, text in good.items()}
    for name in chance.sample(COLUMNS, chance.randrange(3)):
        drawn[name] = chance.damaged_json(drawn[name])
    row = {name: storable(value) for name, value in drawn.items()}
    for name in ("priority", "retry", "attempt", "lost"):
        row[name] = chance.choice(NUMBERS) if chance.maybe(0.3) else 0
    return {
        **row,
        "method": chance.choice(METHODS) if chance.maybe(0.4) else "noop",
        "most": chance.choice((0, 1, -1, 5)),
        "channel": chance.choice(CHANNELS),
        "eta": chance.choice(TIMES),
    }


@pytest.mark.usefixtures("undisturbed")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_damaged_in_any_way_end(jobs, seed):
    chance = Chance(seed)
    numbers = jobs.column("id", jobs.delay("noop", eta=3600, times=100))
    good = dict(
        zip(
            COLUMNS,
            jobs.sql(
                "SELECT records::text, args::text, kwargs::text FROM queue_job WHERE id = %s",
                numbers[:1],
            )[0],
            strict=True,
        )
    )
    for number in numbers:
        jobs.sql(CHANGE_ROW, {"id": number, **draw_row(chance, good)})
    bystanders = jobs.delay("noop", times=100)
    assert set(jobs.wait(bystanders)) == {"done"}
    ended = "SELECT count(*) FROM queue_job WHERE id = ANY(%s) AND state IN ('done', 'failed')"
    left = "SELECT id, state FROM queue_job WHERE id = ANY(%s) AND state NOT IN ('done', 'failed')"
    wait_until(
        lambda: jobs.sql(ended, [numbers])[0][0] == len(numbers),
        f"damaged rows end, left are {jobs.sql(left, [numbers])}",
    )
    mute = (
        "SELECT id FROM queue_job WHERE id = ANY(%s) AND state = 'failed' AND exc_message IS NULL"
    )
    assert jobs.sql(mute, [numbers]) == []


@pytest.mark.parametrize("version", [v for v in ("15", "18") if v in installed_versions()])
def test_an_infinite_time_on_every_version(own_cluster, template, server, version):
    cluster = own_cluster(version)
    template.create_on(cluster, "damaged", MODULES)
    found = Jobs(server(cluster=cluster, database_name="damaged", workers=1))
    damage(found, "eta = 'infinity', scheduled = true")
    assert set(found.wait(found.delay("noop", times=20), patience=10)) == {"done"}
    assert "served again in" not in found.server.log_text()


CHANNEL_ROWS = (
    "complete_name = ''",
    "complete_name = NULL",
    "complete_name = 'elsewhere.x'",
    "complete_name = 'root..x'",
    "paused = true, paused_until = 'infinity'",
    "paused = true, paused_until = '-infinity'",
    "capacity = NULL, throttle = NULL, paused = NULL",
)


@pytest.mark.parametrize("version", [v for v in ("15", "18") if v in installed_versions()])
def test_a_damaged_channel_stops_no_other(own_cluster, template, server, version):
    cluster = own_cluster(version)
    template.create_on(cluster, "damaged", MODULES)
    found = Jobs(server(cluster=cluster, database_name="damaged", workers=1))
    (root,) = found.server.rpc("queue.job.channel", "search", [[["name", "=", "root"]]])
    values = {"name": "odd", "parent_id": root, "capacity": 1, "paused": True}
    odd = found.server.rpc("queue.job.channel", "create", [[values]])
    for change in CHANNEL_ROWS:
        found.sql(
            f"SET session_replication_role = replica; UPDATE queue_job_channel SET {change} "
            "WHERE id = %s; NOTIFY queue_job, 'channels'",
            odd,
        )
        assert set(found.wait(found.delay("noop", times=10), patience=10)) == {"done"}, change
    assert "served again in" not in found.server.log_text()


def test_no_writer_sets_a_time_that_nobody_can_read(jobs):
    uuids = jobs.delay("noop", eta=3600, times=2)
    jobs.sql("UPDATE queue_job SET eta = 'infinity' WHERE uuid = %s", uuids[:1])
    jobs.sql("UPDATE queue_job SET eta = '4000-01-01 BC' WHERE uuid = %s", uuids[1:])
    assert jobs.wait(uuids[1:]) == ["done"]
    number = jobs.column("id", uuids)
    etas = [row["eta"] for row in jobs.server.rpc("queue.job", "read", [number, ["eta"]])]
    assert sorted(etas) == ["1900-01-01 00:00:00", "9000-01-01 00:00:00"]


# One broken database beside another

BROKEN = {
    "table gone": (
        "ALTER TABLE queue_job RENAME TO queue_job_gone",
        "ALTER TABLE queue_job_gone RENAME TO queue_job",
    ),
    "column gone": (
        "ALTER TABLE queue_job RENAME attempt TO gone",
        "ALTER TABLE queue_job RENAME gone TO attempt",
    ),
    "column of the worker gone": (
        "ALTER TABLE queue_job RENAME worker_pid TO gone",
        "ALTER TABLE queue_job RENAME gone TO worker_pid",
    ),
    "secret gone": (
        "UPDATE ir_config_parameter SET key = 'gone' WHERE key = 'database.secret'",
        "UPDATE ir_config_parameter SET key = 'database.secret' WHERE key = 'gone'",
    ),
    "dependencies gone": (
        "ALTER TABLE queue_job_dependency RENAME TO dependency_gone",
        "ALTER TABLE dependency_gone RENAME TO queue_job_dependency",
    ),
    "nodes gone": (
        "ALTER TABLE queue_job_node RENAME slots TO gone",
        "ALTER TABLE queue_job_node RENAME gone TO slots",
    ),
}


@pytest.fixture(scope="module")
def two_databases(odoo, cluster, template, make_shared_server):
    """Return the jobs of a database, and the name of another that the same server serves."""
    names = ("damaged_a", "damaged_b")
    for name in names:
        template.create(name, MODULES)
    options = ["-d", ",".join(names), "--db-filter", "^damaged_[ab]$"]
    served = make_shared_server(options=options, workers=2)
    served.database = names[0]
    yield Jobs(served), names[1]
    served.stop()
    for name in names:
        template.drop(name)


ONE_MORE = """
INSERT INTO queue_job (uuid, name, model_name, method_name, channel_method_name, records, args,
                       kwargs, state, priority, channel, retry, attempt, lost, max_retries,
                       scheduled)
SELECT %s, 'x', 'test.queue.job', 'noop', '<test.queue.job>.noop',
       '{"_type": "odoo_recordset", "model": "test.queue.job", "ids": [], "uid": 1}',
       '[]', '{}', 'pending', 10, 'root', 0, 0, 0, 5, false
"""


@pytest.mark.parametrize(("break_it", "mend_it"), BROKEN.values(), ids=BROKEN)
def test_a_broken_database_holds_up_no_other(two_databases, break_it, mend_it):
    healthy, broken = two_databases
    cluster = healthy.server.cluster

    def state(uuid):
        return cluster.execute(broken, "SELECT state FROM queue_job WHERE uuid = %s", [uuid])

    def end_sessions():
        cluster.execute(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [broken],
        )

    cluster.execute(broken, ONE_MORE, [f"before {break_it}"])
    wait_until(lambda: state(f"before {break_it}") == [("done",)], "a job of the other database")
    cluster.execute(broken, ONE_MORE, [f"meanwhile {break_it}"])
    cluster.execute(broken, break_it)
    end_sessions()
    try:
        for _round in range(3):
            uuids = healthy.delay("sleep", 0.01, times=50)
            assert set(healthy.wait(uuids, patience=15)) == {"done"}
    finally:
        cluster.execute(broken, mend_it)
    wait_until(
        lambda: state(f"meanwhile {break_it}") == [("done",)], "it runs again when it is mended"
    )
