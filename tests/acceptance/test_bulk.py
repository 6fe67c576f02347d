"""Acting on many jobs while workers run them."""

import json

from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")

MANY = 20_000
PATIENCE = 240.0
"""Seconds for the many, on a machine that does other things as well."""


def test_jobs_that_are_being_drained_are_cancelled(server):
    jobs = Jobs(server(MODULES, workers=4, channels="root:4,root.drained:3"))
    for _call in range(4):
        jobs.delay("sleep", 0, "drained", times=MANY // 4, channel="root.drained")
    wait_until(lambda: jobs.ledger("drained"), "they are being drained")

    domain = json.dumps([["channel", "=", "root.drained"], ["state", "=", "pending"]])
    bulk = jobs.server.rpc("queue.job.bulk", "create", [{"action": "cancel", "domain": domain}])
    answer = jobs.server.rpc("queue.job.bulk", "apply", [bulk])
    assert answer["res_model"] == "queue.job", "it is too much to wait for"
    ((uuid,),) = jobs.sql("SELECT uuid FROM queue_job WHERE id = %s", [answer["res_id"]])
    assert jobs.wait([uuid], patience=PATIENCE) == ["done"]
    assert f"job {uuid}: conflict" not in jobs.server.log_text(), "and at the first try"

    def counts():
        statement = "SELECT state, count(*) FROM queue_job WHERE channel = %s GROUP BY state"
        return dict(jobs.sql(statement, ["root.drained"]))

    wait_until(lambda: set(counts()) == {"cancelled", "done"}, f"all ended: {counts()}", PATIENCE)
    print(counts(), jobs.one("result", [uuid]), jobs.one("exec_time", [uuid]))
    assert sum(counts().values()) == MANY
    assert jobs.ledger("drained") == counts()["done"], "none ran twice, and no cancelled one did"
