"""How many statements a job costs, counted in PostgreSQL's own log."""

import re

import pytest

from dev.postgres import installed_versions

from tests.acceptance.jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")

STATEMENTS = 8
"""Statements of one no-op job beyond its own transaction, from commit to done."""

COMMITS = 2
"""Commits of one no-op job beyond its own."""

LINE = re.compile(r"^QJ\[(?P<app>[^\]]*)\]\[(?P<pid>\d+)\] LOG:  (?:statement|execute \S+): (?P<sql>.*)")
OWN = ("BEGIN", "COMMIT")


@pytest.mark.parametrize("version", [v for v in ("15", "18") if v in installed_versions()])
def test_a_no_op_costs_few_statements(own_cluster, template, server, version):
    settings = {"log_statement": "all", "log_line_prefix": "QJ[%a][%p] "}
    cluster = own_cluster(version, settings)
    template.create_on(cluster, "counted", MODULES)
    odoo = server(cluster=cluster, database_name="counted", workers=1, channels="root:1")
    jobs = Jobs(odoo)
    jobs.wait(jobs.delay("noop", times=3))
    jobs.wait(jobs.delay("noop"))
    before = len(cluster.log_text().splitlines())
    # By hand, in one statement, so that nothing of the RPC is in the log.
    jobs.sql(
        "INSERT INTO queue_job (uuid, name, model_name, method_name, channel_method_name, records, "
        "args, kwargs, state, priority, channel, retry, attempt, lost, max_retries, scheduled) "
        "SELECT 'counted', name, model_name, method_name, channel_method_name, records, args, kwargs, "
        "'pending', priority, channel, 0, 0, 0, max_retries, false FROM queue_job LIMIT 1"
    )
    wait_until(lambda: "'done', result" in tail(cluster, before), "the job's end in the log")
    wait_until(lambda: tail(cluster, before).rstrip().endswith("COMMIT"), "its commit")
    lines = tail(cluster, before).splitlines()
    found = [match for match in map(LINE.match, lines) if match]
    engine = [
        (match["app"], match["sql"][:70])
        for match in found
        if match["app"] == "queue_job runner"
        or match["app"] == "queue_job worker"
        or match["app"].startswith("odoo")
    ]
    for app, statement in engine:
        print(f"{app:18} {statement}")
    end = [statement for app, statement in engine if app.startswith("odoo")]
    own_end = 2 if end[-1] == "COMMIT" else 0
    assert len(engine) - own_end <= STATEMENTS
    autocommitted = [
        app for app, statement in engine if app.startswith("queue_job") and writes(statement)
    ]
    assert len(autocommitted) <= COMMITS


def tail(cluster, before):
    return "\n".join(cluster.log_text().splitlines()[before:])


def writes(statement):
    return not statement.lstrip().startswith("SELECT")
