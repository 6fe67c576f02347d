"""What really ran, held against the rules of the pure model: capacities, strict order, throttles,
pauses, times, urgency, and each job's effects once.
"""

import random

import pytest
from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")

CHANNELS = (
    "root:3,root.two:2,root.two.one:1,root.strict:1:sequential,root.slow:2:throttle=0.2,"
    "root.never:1:paused"
)

CAPACITY = {"root": 3, "root.two": 2, "root.two.one": 1, "root.strict": 1}
"""The same, as a reader of the string understands it."""

THROTTLE = 0.2
SLACK = 0.1
"""Seconds. Between the decision, which is throttled, and the statement that leaves its time."""

IN_ORDER = ("root.two.one", "root.strict")
"""Where the next one begins when the one before has ended, so that starts are in order."""

TOGETHER = """
WITH ran AS (
    SELECT id, date_started, date_done FROM queue_job
     WHERE id > %(after)s AND (channel = %(channel)s OR channel LIKE %(channel)s || '.%%')
)
SELECT max(n) FROM (
    SELECT count(*) AS n FROM ran a JOIN ran b
        ON b.date_started <= a.date_started AND b.date_done > a.date_started
     GROUP BY a.id) AS together
"""

STARTS = """
SELECT priority, id FROM queue_job
 WHERE id > %s AND channel = %s AND (eta IS NULL OR retry > 1)
 ORDER BY date_started
"""
# Who came late by their time may come late; who was tried again had a place, and kept it.

PACE = """
SELECT count(*), EXTRACT(epoch FROM max(date_enqueued) - min(date_enqueued))::float
  FROM queue_job WHERE id > %s AND channel = 'root.slow'
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_mixed_load_obeys_the_rules(server, seed):
    chance = random.Random(seed)
    idle = server(MODULES, channels="root:0", workers=2)
    jobs = Jobs(idle)
    uuids = []
    for _batch in range(60):
        options = {"channel": chance.choice([*CAPACITY, "root.two.unknown"])}
        options["priority"] = chance.randint(1, 3)
        if chance.random() < 0.2:
            options["eta"] = chance.randint(1, 3)
        seconds = chance.choice([0, 0, 0.002, 0.03])
        uuids += jobs.delay("sleep", seconds, times=5, **options)
    tried_again = [
        jobs.delay("retry_until", 2, 0.3, channel="root.strict", priority=priority)[0]
        for priority in (1, 2, 3)
    ]
    slow = jobs.delay("sleep", 0, "slow", times=10, channel="root.slow", priority=1)
    never = jobs.delay("sleep", 0, "never", times=5, channel="root.never.below", priority=0)
    after = min(jobs.column("id", uuids)) - 1
    idle.stop()
    server(database_name=idle.database, channels=CHANNELS, workers=3)
    assert set(jobs.wait(uuids + tried_again + slow, patience=60)) == {"done"}
    assert (jobs.ledger("sleep"), jobs.ledger("slow")) == (len(uuids), len(slow))
    assert jobs.column("retry", tried_again) == [2, 2, 2]
    assert jobs.column("attempt", never) == [0] * 5, "paused from above"
    started, seconds = jobs.sql(PACE, [after])[0]
    assert started == len(slow)
    assert seconds >= THROTTLE * (started - 1) - SLACK
    for channel, capacity in CAPACITY.items():
        found = jobs.sql(TOGETHER, {"channel": channel, "after": after})[0][0]
        assert found <= capacity, f"{found} at a time in {channel}"
    for channel in IN_ORDER:
        starts = jobs.sql(STARTS, [after, channel])
        assert starts == sorted(starts), f"order in {channel}"
    early = jobs.sql("SELECT uuid FROM queue_job WHERE date_started < eta AND id > %s", [after])
    assert early == []


def test_a_lease_gives_way_to_an_urgent_job(server):
    jobs = Jobs(server(MODULES, channels="root:1", workers=1))
    jobs.wait(jobs.delay("sleep", 0.01, times=30))
    for number in range(5):
        backlog = jobs.delay("sleep", 0.01, times=100)
        wait_until(
            lambda some=backlog: "started" in jobs.column("state", some), "a lease that runs"
        )
        urgent = jobs.delay("noop", priority=1)
        jobs.wait(urgent + backlog)
        taken_back = jobs.sql(
            "SELECT count(*), min(date_started) FROM queue_job "
            "WHERE uuid = ANY(%s) AND attempt > 1 AND lost = 0",
            [backlog],
        )
        count, first = taken_back[0]
        assert count, f"nothing gave way in round {number}"
        assert jobs.one("date_started", urgent) < first
        assert jobs.column("retry", backlog) == [1] * 100, "a job taken back was not tried"
