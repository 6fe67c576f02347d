"""The servers of the acceptance tests, with Patroni as their PostgreSQL."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "acceptance"))

from dev.patroni import Patroni
from tests.acceptance.conftest import (  # noqa: F401
    cluster,
    database,
    odoo,
    pytest_configure,
    server,
    template,
)


@pytest.fixture
def patroni(tmp_path):
    """Return two nodes that Patroni keeps."""
    with Patroni(tmp_path / "patroni") as running:
        yield running
