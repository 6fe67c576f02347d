"""Real servers for the acceptance tests: one PostgreSQL and templates for all, one Odoo for each.

``pytest`` runs in the environment that ``python3 -m dev`` makes; ``make acceptance`` does both.
"""

from __future__ import annotations

import pytest

from dev import odoo as dev_odoo
from dev.postgres import OWN_PREFIX, Cluster, installed_versions, main_cluster
from dev.process import end_by_exception
from dev.server import OdooServer, remove_logs
from dev.template import ADDONS_FOLDERS, Templates

TEST_MODULES = ("test_queue_job", "test_queue_job_override")
"""Addons with jobs of every kind."""

SHOWN = 6000
"""Characters of a server's log that a failed test shows."""


def pytest_configure():
    """End in order whatever the signal, so that fixtures stop their servers."""
    end_by_exception()


@pytest.fixture(scope="session")
def odoo():
    """Return the Odoo to start."""
    return dev_odoo.find()


@pytest.fixture(scope="session")
def cluster():
    """Return the PostgreSQL that tests share; one to be killed is made by ``own_cluster``."""
    with main_cluster() as running:
        remove_logs(running)
        yield running


@pytest.fixture(scope="session")
def template(odoo, cluster):
    """Return the template databases of the shared cluster."""
    return Templates(odoo, cluster)


@pytest.fixture
def database(template):
    """Return a function that creates a database: ``database(["queue_job"]) -> name``."""
    created = []

    def create(modules=("queue_job",), name=None):
        created.append(name or f"{OWN_PREFIX}acceptance_{len(created)}")
        return template.create(created[-1], modules)

    yield create
    for name in created:
        template.drop(name)


@pytest.fixture
def own_cluster(tmp_path):
    """Return a function that starts a PostgreSQL of the test's own, to restart, to kill, to set up.

    ``own_cluster(version="15", settings={"log_statement": "all"})``
    """
    clusters = []

    def start(version=None, settings=None):
        bin_dir = installed_versions()[version] if version else None
        cluster = Cluster.private(tmp_path / f"postgres-{len(clusters)}", bin_dir, settings)
        clusters.append(cluster)
        cluster.start()
        return cluster

    yield start
    for cluster in clusters:
        cluster.remove()


@pytest.fixture
def server(odoo, cluster, database):
    """Return a function that starts an Odoo: ``server(modules=["queue_job"], workers=2, …)``.

    Beside the parameters of :class:`dev.server.OdooServer`: ``modules`` to have installed in a new
    database, or ``database_name``, one that exists; ``cluster``, another PostgreSQL;
    ``start=False``, not to start it.
    """
    servers = []
    given = cluster

    def make(modules=("queue_job",), *, database_name=None, cluster=None, start=True, **parameters):
        name = database_name or database(modules)
        parameters.setdefault("addons", ADDONS_FOLDERS)
        made = OdooServer(odoo, cluster or given, name, **parameters)
        servers.append(made)
        if start:
            made.start()
            made.wait_ready()
        return made

    yield make
    for made in servers:
        made.stop()
        print(f"--- {made.log}\n{made.log_text()[-SHOWN:]}")


@pytest.fixture(scope="module")
def make_shared_server(odoo, cluster, template):
    """Return a function that starts an Odoo for the tests of one file."""
    servers = []

    def make(**parameters):
        name = f"{OWN_PREFIX}shared_{len(servers)}"
        template.create(name, TEST_MODULES)
        parameters.setdefault("addons", ADDONS_FOLDERS)
        made = OdooServer(odoo, cluster, name, **parameters)
        servers.append(made)
        made.start()
        made.wait_ready()
        return made

    yield make
    for made in servers:
        made.stop()
        print(f"--- {made.log}\n{made.log_text()[-SHOWN:]}")
        template.drop(made.database)


@pytest.fixture(scope="module")
def shared_server(make_shared_server):
    """Return an Odoo with the test addons, for the tests of one file."""
    return make_shared_server()
