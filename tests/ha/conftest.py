"""The servers of the acceptance tests, with Patroni as their PostgreSQL."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from dev.patroni import Patroni

ACCEPTANCE = Path(__file__).parents[1] / "acceptance"

sys.path.insert(0, str(ACCEPTANCE))

# Under a name of its own: "conftest" is this one.
_spec = spec_from_file_location("acceptance_conftest", ACCEPTANCE / "conftest.py")
_acceptance = module_from_spec(_spec)
_spec.loader.exec_module(_acceptance)

pytest_configure = _acceptance.pytest_configure
cluster = _acceptance.cluster
database = _acceptance.database
odoo = _acceptance.odoo
server = _acceptance.server
template = _acceptance.template


@pytest.fixture
def patroni(tmp_path):
    """Return two nodes that Patroni keeps."""
    with Patroni(tmp_path / "patroni") as running:
        yield running
