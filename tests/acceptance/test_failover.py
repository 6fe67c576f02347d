"""PostgreSQL is lost under running jobs, and a standby goes on in its place."""

import time
from contextlib import ExitStack

import pytest
from jobs import Jobs, wait_until
from traces import Traces

from dev.address import MovingAddress
from dev.network import LOOPBACK
from dev.standby import Standby

MODULES = ("test_queue_job", "test_queue_job_override")

AGAIN_WITHIN = 5.0
"""Seconds from a database that answers to jobs that are dispatched."""

OTHER_NAME = "127.0.0.2"
"""Another address of the loopback interface, as a second host would have."""


@pytest.fixture
def pair(own_cluster, template, tmp_path):
    """Return a function that starts a primary with a database, and a standby that it waits for."""
    standbys = []

    def start(host=LOOPBACK):
        primary = own_cluster()
        template.create_on(primary, "moved", MODULES)
        other = {} if host == LOOPBACK else {"host": host, "port": primary.port}
        standbys.append(Standby(tmp_path / "standby", primary, **other))
        standbys[0].start()
        standbys[0].be_waited_for()
        return primary, standbys[0]

    yield start
    for standby in standbys:
        standby.remove()


def by_address(pair, stack):
    """Reach the two by an address that moves."""
    primary, standby = pair()
    address = stack.enter_context(MovingAddress(primary.port))
    options = [f"--db_host={LOOPBACK}", f"--db_port={address.port}"]
    return primary, standby, {"options": options}, lambda: address.move(standby.port)


def by_two_names(pair, stack):
    """Reach the two by both their names, of which libpq takes the one that can be written to."""
    primary, standby = pair(OTHER_NAME)
    options = [f"--db_host={LOOPBACK},{OTHER_NAME}", f"--db_port={primary.port}"]
    env = {"PGTARGETSESSIONATTRS": "read-write"}
    return primary, standby, {"options": options, "env": env}, lambda: None


@pytest.mark.parametrize("reach", [by_address, by_two_names])
def test_a_promoted_standby_goes_on_with_every_job(pair, server, tmp_path, reach):
    with ExitStack() as stack:
        primary, standby, parameters, move = reach(pair, stack)
        odoo = server(
            cluster=primary, database_name="moved", workers=4, channels="root:3", **parameters
        )
        jobs = Jobs(odoo)
        traces = Traces(jobs, tmp_path / "traces")
        slow = traces.delay(6, priority=1)
        jobs.wait(slow, ["started"])
        traces.delay(0.05, times=250)
        layers = odoo.rpc("test.queue.job", "launch_graph", [[jobs.record], 3, 3, 3])[0]
        wait_until(lambda: traces.done() >= 50, "some are done")

        primary.kill()
        odoo.cluster = standby
        standby.promote()
        move()
        promoted = time.monotonic()
        before = traces.done()
        wait_until(lambda: traces.done() > before, "jobs are dispatched", AGAIN_WITHIN)
        print(f"dispatched {time.monotonic() - promoted:.2f} s after the database answered")

        wait_until(lambda: not traces.open(), "every job ends")
        traces.check()
        assert traces.runs()[slow[0]] == 2, "what ran when its database was lost runs again"
        graph = [uuid for layer in layers for uuid in layer]
        assert set(jobs.wait(graph)) == {"done"}, "jobs that wait for others are let go"
