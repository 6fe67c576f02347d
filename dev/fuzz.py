"""Bad input in its full form: everything that reads what others wrote, a hundred thousand times.

The pure part runs by itself; what needs Odoo asks a real server.
"""

from __future__ import annotations

import os
import sys

from . import cache, odoo, process
from .terminal import say

INPUTS = 100_000
"""For each target, unless ``FUZZ_INPUTS`` says otherwise."""

SEED = 19

PURE_TIMEOUT = 3600
SERVER_TIMEOUT = 3600
"""Seconds; ten times what they take."""


def fuzz() -> int:
    """Try every target; print of each its seed, inputs, seconds and crashes."""
    odoo.find()
    inputs = os.environ.get("FUZZ_INPUTS", str(INPUTS))
    seed = os.environ.get("FUZZ_SEED", str(SEED))
    tests = cache.CHECKOUT / "tests"
    pure = process.run(
        [sys.executable, str(tests / "fuzz" / "trial.py"), "--inputs", inputs, "--seed", seed],
        env={**os.environ, "PYTHONPATH": str(cache.CHECKOUT / "queue_job")},
        timeout=PURE_TIMEOUT,
    )
    served = process.run(
        [sys.executable, "-m", "pytest", "-s", str(tests / "acceptance" / "test_bad_messages.py")],
        env={**os.environ, "FUZZ_INPUTS": inputs, "FUZZ_SEED": seed},
        cwd=cache.CHECKOUT,
        timeout=SERVER_TIMEOUT,
    )
    say("no crash" if not (pure or served) else "crashes, see above")
    return 1 if pure or served else 0
