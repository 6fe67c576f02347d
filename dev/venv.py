"""The virtual environment: Odoo's Python needs and the test tools, from pip's own registry."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path

from . import cache, debian
from .process import check
from .terminal import SetupError, say

OLDEST_PYTHON = (3, 10)
"""Odoo 19 does not start on an older one."""

REQUIREMENTS = Path(__file__).with_name("requirements.txt")

PIP_PACKAGE = "python3-pip-whl"
"""Debian's package of what its Python lacks to make environments."""

VENV_REMEDY = "install Python's venv module (Debian: apt install python3-venv) and try again"

VENV_TIMEOUT = 300
PIP_TIMEOUT = 1800
"""Seconds. A slow line is given half an hour; more means that something hangs."""


def folder() -> Path:
    """Return the environment's place: one for each Python, since compiled packages differ."""
    return cache.cache_folder() / f"venv-{platform.python_version()}"


def python() -> Path:
    """Return the environment's interpreter."""
    return folder() / "bin" / "python"


def is_active() -> bool:
    """Tell whether this very process runs in the environment."""
    return Path(sys.prefix) == folder()


def ensure() -> Path:
    """Return the interpreter of a complete environment, made or repaired if need be.

    :raises SetupError: when Python is too old, has no ``venv``, or pip fails
    """
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise SetupError(
            f"Python {platform.python_version()} is too old; use 3.10 or newer, as in "
            "make test PYTHON=python3.12"
        )
    key = cache.key_of([sys.executable, REQUIREMENTS.read_bytes()])
    if cache.stamped(folder()) != key:
        _make(key)
    return python()


def _make(key: str) -> None:
    say(f"Making the virtual environment {folder()}")
    cache.unstamp(folder())
    _create()
    check(
        [python(), "-m", "pip", "install", "--prefer-binary", "--requirement", REQUIREMENTS],
        timeout=PIP_TIMEOUT,
        env=_pip_environment(),
        remedy="check the network and pip's configuration (pip config list) and try again",
    )
    cache.stamp(folder(), key)


def _create() -> None:
    """Create the empty environment, with pip even where the system keeps that in a package."""
    complete = importlib.util.find_spec("ensurepip") is not None
    options = [] if complete else ["--without-pip"]
    check(
        [sys.executable, "-m", "venv", "--clear", *options, folder()],
        timeout=VENV_TIMEOUT,
        remedy=VENV_REMEDY,
    )
    if not complete:
        _add_pip()


def _add_pip() -> None:
    """Install pip by the wheel in Debian's package."""
    if not debian.is_available():
        raise SetupError(f"This Python cannot install pip into an environment; {VENV_REMEDY}")
    place = folder().with_name("pip-wheel")
    apt = debian.Apt(place, [debian.source(*repository) for repository in debian.repositories()])
    apt.update()
    apt.unpack([PIP_PACKAGE], place / "root")
    wheel = next((place / "root").rglob("pip-*.whl"))
    check(
        [python(), "-m", "pip", "install", "pip"],
        timeout=PIP_TIMEOUT,
        env={**_pip_environment(), "PYTHONPATH": str(wheel)},
        remedy=VENV_REMEDY,
    )
    cache.remove(place)


def _pip_environment() -> dict[str, str]:
    """Return the user's settings, with pip's cache moved into ours unless he chose a place."""
    return {
        "PIP_CACHE_DIR": str(cache.cache_folder() / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **os.environ,
    }
