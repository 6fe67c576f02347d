"""How many statements a job costs, counted in PostgreSQL's own log."""

import re

import pytest
from jobs import Jobs, wait_until

from dev.postgres import installed_versions

MODULES = ("test_queue_job", "test_queue_job_override")

STATEMENTS = 8
"""Statements of one no-op job from commit to done, beyond the limits of its own transaction."""

COMMITS = 2
"""Commits of one no-op job beyond its own."""

ENTRY = re.compile(r"^QJ\[(.*?)\]\[\d+\] LOG:  (?:statement|execute \S+): ", re.MULTILINE)
"""Begins each statement in the log: who runs it."""

STORE = """
INSERT INTO queue_job (uuid, name, model_name, method_name, channel_method_name, records, args,
                       kwargs, state, priority, channel, retry, attempt, lost, max_retries,
                       scheduled)
SELECT 'counted', name, model_name, method_name, channel_method_name, records, args,
       kwargs, 'pending', priority, channel, 0, 0, 0, max_retries, false
  FROM queue_job LIMIT 1
"""
"""One more job, by a single statement, so that nothing of a request for it is in the log."""


def statements(log):
    """Return who ran what: application and statement."""
    parts = ENTRY.split(log)[1:]
    return [
        (who, " ".join(what.split())) for who, what in zip(parts[::2], parts[1::2], strict=True)
    ]


@pytest.mark.parametrize("version", [v for v in ("15", "18") if v in installed_versions()])
def test_a_no_op_costs_few_statements(own_cluster, template, server, version):
    settings = {"log_statement": "all", "log_line_prefix": "QJ[%a][%p] "}
    cluster = own_cluster(version, settings)
    template.create_on(cluster, "counted", MODULES)
    odoo = server(cluster=cluster, database_name="counted", workers=1, channels="root:1")
    jobs = Jobs(odoo)
    for _warm in range(2):
        jobs.wait(jobs.delay("noop"))
    before = len(cluster.log_text())
    jobs.sql(STORE)

    def engine():
        log = statements(cluster.log_text()[before:])
        return [(who, what) for who, what in log if who.startswith(("queue_job", "odoo"))]

    wait_until(lambda: engine() and engine()[-1][1] == "COMMIT", "the job's own commit")
    for who, what in engine():
        print(f"PostgreSQL {version}: {who.partition('-')[0]:17} {what[:80]}")
    *found, own_begin, done, own_commit = engine()
    assert own_begin[1].startswith("BEGIN")
    assert "SET state = 'done'" in done[1]
    assert own_commit[1] == "COMMIT"
    assert len([*found, done]) <= STATEMENTS
    assert sum("UPDATE" in what or what == "COMMIT" for _who, what in found) <= COMMITS
