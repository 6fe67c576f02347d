"""A lease that a worker has taken up is run: no signal that gets lost lets it stand."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from dev.cache import CHECKOUT

WORKER = Path(__file__).with_name("hand_over.py")
STAGE = CHECKOUT / "queue_job" / "worker" / "stage.py"

TASKS = int(os.environ.get("HAND_OVERS", "30000"))
"""Of 200,000 beside three busy processes up to three hung for ever when each was signalled once."""

PATIENCE = 300
"""Seconds; they take about ten."""


pytestmark = pytest.mark.skipif(
    not hasattr(signal, "SIGRTMIN"), reason="no signals to hand over by"
)


def run(odoo, *words):
    """Return what a worker in little has printed."""
    command = [odoo.python, WORKER, STAGE, *words]
    ended = subprocess.run(
        command, env=odoo.env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("tasks", "busy", "lossy"),
    [(TASKS, 3, []), (100, 0, ["lossy"])],
    ids=["raced", "lost"],
)
def test_each_lease_is_taken_by_the_main_thread(odoo, tasks, busy, lossy):
    assert run(odoo, str(tasks), str(busy), *lossy) == [str(tasks)]


def test_a_stop_that_woke_nobody_is_heard_of_at_the_next_nudge(odoo):
    assert run(odoo, "stop") == ["False", "True"]
