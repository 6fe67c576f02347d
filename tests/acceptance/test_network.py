"""A node that is cut off from the network while it leads: no connection ends, packets get lost."""

import time

import pytest
from jobs import Jobs, wait_until
from traces import Traces

from dev import namespaces
from dev.namespaces import Network

MODULES = ("test_queue_job", "test_queue_job_override")

HAND_OVER = 10.0
"""Seconds from the loss of the leading node to the first start by another."""

LEADING = "leading, channels"

pytestmark = pytest.mark.skipif(
    not namespaces.is_available(), reason=f"no network namespaces here; {namespaces.REMEDY}"
)


@pytest.fixture
def nodes(own_cluster, template, server):
    """Return two Odoo servers on nodes of their own: the first leads, the second is not started."""
    with Network() as network:
        listen = {"listen_addresses": f"127.0.0.1,{network.host}"}
        cluster = own_cluster(settings=listen)
        cluster.admit(network.cidr)
        template.create_on(cluster, "network", MODULES)
        servers = [_server_on(network, server, cluster) for _number in range(2)]
        yield servers
        for node, odoo in servers:
            node.join()
            odoo.stop()


def _server_on(network, server, cluster):
    node = network.node()
    odoo = server(
        cluster=cluster,
        database_name="network",
        workers=3,
        channels="root:2",
        host=node.address,
        prefix=node.prefix,
        start=node.address.endswith(f".{namespaces.FIRST_NUMBER}"),
        options=[f"--db_host={network.host}"],
    )
    if odoo.pid:
        wait_until(lambda: LEADING in odoo.log_text(), "the first leads")
    return node, odoo


def test_a_leader_that_is_cut_off_is_replaced(nodes, tmp_path):
    (node, first), (_other_node, second) = nodes
    jobs = Jobs(first)
    traces = Traces(jobs, tmp_path / "traces")
    long = traces.delay(25)
    wait_until(lambda: traces.runs()[long[0]], "a job runs on the only node")
    second.start()
    second.wait_ready()
    jobs.server = second
    traces.delay(0.2, times=30)
    wait_until(lambda: traces.done() > 3, "jobs run")
    assert LEADING not in second.log_text()

    node.cut()
    cut = time.monotonic()
    fresh = traces.delay(priority=1)
    wait_until(lambda: LEADING in second.log_text(), "the other leads", HAND_OVER)
    print(f"the other leads {time.monotonic() - cut:.1f} s after the cut")
    wait_until(
        lambda: jobs.one("state", fresh) in ("started", "done"),
        "the other starts jobs",
        HAND_OVER - (time.monotonic() - cut),
    )
    print(f"jobs start {time.monotonic() - cut:.1f} s after the cut")
    wait_until(lambda: traces.runs()[long[0]] == 2, "what ran on the node runs elsewhere")
    print(f"its job runs again {time.monotonic() - cut:.1f} s after the cut")

    node.join()
    wait_until(lambda: "served again in" in first.log_text(), "the node knows that it was cut off")
    wait_until(lambda: not traces.open(), "every job ends", 60)
    traces.check()
    assert Jobs(first).wait(traces.delay()) == ["done"], "the node serves again"
