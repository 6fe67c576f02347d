"""Settings of the unit tests: no Odoo, no database, no clock, the same examples in every run."""

import os
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, configuration, settings

# What hypothesis writes belongs to no checkout.
configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / "queue_job_hypothesis")

# The gate must not fail by chance, so it draws the same examples each time. To search for new ones:
# HYPOTHESIS_PROFILE=search python -m pytest tests/unit
settings.register_profile("gate", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile(
    "search",
    max_examples=2000,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
