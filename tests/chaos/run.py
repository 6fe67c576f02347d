"""The commands: the whole campaign, some of its faults, and the short form that the tests run."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dev import cache, odoo
from dev.odoo import Odoo
from dev.postgres import Cluster, main_cluster
from dev.template import Templates
from dev.terminal import SetupError, say

from . import report
from .campaign import Campaign, Result
from .faults import FAULTS

DOCS = cache.CHECKOUT / "docs"

SEED = 19
"""Of a campaign whose seed nobody names."""

SHORT: Mapping[str, int] = {
    "worker-kill": 2,
    "runner-kill": 1,
    "cut-all": 1,
    "postgres-immediate": 1,
}
"""Rounds by name of the fault, of the form that ends in a minute or so."""


def chaos() -> int:
    """Run the campaign, write its results down, and return the exit status."""
    rounds = _wanted()
    seed = int(os.environ.get("CHAOS_SEED") or SEED)
    say(f"{sum(rounds.values())} rounds of {len(rounds)} faults, seed {seed}")
    failed = False
    with campaign(seed) as prepared:
        facts = _facts(prepared.templates.cluster, prepared.odoo, seed)
        for result in prepared.run(rounds):
            rows = report.read(DOCS)
            rows[result.name] = report.summed(result, facts)
            report.write(DOCS, rows)
            failed |= is_bad(result)
    say(f"{'Something is wrong' if failed else 'Nothing wrong'}; see docs/{report.DOCUMENT}")
    return 1 if failed else 0


def is_bad(result: Result) -> bool:
    """Tell whether a result breaks a promise."""
    return bool(result.findings) or result.is_slow


@contextmanager
def campaign(seed: int) -> Iterator[Campaign]:
    """Prepare what a campaign needs, and clean up after it."""
    found = odoo.find()
    folder = cache.cache_folder() / f"chaos-{os.getpid()}"
    try:
        with main_cluster() as cluster:
            yield Campaign(found, Templates(found, cluster), folder, seed)
    finally:
        clean(folder)


def clean(folder: Path) -> None:
    """Remove the cluster that the faults of a campaign share, and all else."""
    if (folder / "postgres").exists():
        Cluster.private(folder / "postgres").remove()
    cache.remove(folder)


def _wanted() -> dict[str, int]:
    """Return the rounds by fault, as ``CHAOS_FAULTS`` and ``CHAOS_ROUNDS`` ask for.

    :raises SetupError: for a fault that there is not
    """
    names = os.environ.get("CHAOS_FAULTS", "").replace(",", " ").split() or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        raise SetupError(f"no fault {unknown[0]}; there are {', '.join(FAULTS)}")
    number = os.environ.get("CHAOS_ROUNDS")
    return {name: int(number) if number else FAULTS[name].rounds for name in names}


def _facts(cluster: Cluster, found: Odoo, seed: int) -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "``make chaos``, seed": seed,
        "Odoo": found.version,
        "PostgreSQL": cluster.version,
        "Python": platform.python_version(),
        "processors:": os.cpu_count(),
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "on": time.strftime("%Y-%m-%d"),
    }
