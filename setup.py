"""The distribution: the addon as ``odoo.addons.queue_job``, beside any Odoo 19.

Odoo's packages are namespaces, so that the wheel has no ``odoo/__init__.py`` and joins whatever
Odoo is importable. Odoo is not among the requirements, since no registry has it.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from setuptools import setup

NAME = "queue_job"
PACKAGE = f"odoo.addons.{NAME}"
ADDON = Path(__file__).resolve().parent / NAME

EXTRAS = {"metrics": ["prometheus-client"]}
"""What only some need: the route for Prometheus says so when it is missing."""

SKIPPED_FOLDERS = {"__pycache__"}
"""What tools leave between the sources."""


def manifest() -> dict[str, Any]:
    """Return the addon's manifest, which is the one place for version and dependencies."""
    return dict(ast.literal_eval((ADDON / "__manifest__.py").read_text()))


def packages() -> list[Path]:
    """Return the folders of Python packages, the addon's own first."""
    return sorted(path.parent for path in ADDON.rglob("__init__.py"))


def package_name(folder: Path) -> str:
    """Return the dotted name that a folder is imported by."""
    return ".".join([PACKAGE, *folder.relative_to(ADDON).parts])


def data_files() -> list[str]:
    """Return every file that no package brings along: views, styles, pictures, migrations."""
    code = set(packages())
    files = (path for path in ADDON.rglob("*") if path.is_file())
    return sorted(
        str(path.relative_to(ADDON))
        for path in files
        if not SKIPPED_FOLDERS & set(path.parts)
        and not (path.suffix == ".py" and path.parent in code)
    )


setup(
    name=NAME,
    version=manifest()["version"],
    description=manifest()["summary"],
    long_description=(ADDON.parent / "README.rst").read_text(),
    long_description_content_type="text/x-rst",
    author=manifest()["author"],
    license=manifest()["license"],
    license_files=["LICENSE"],
    python_requires=">=3.10",
    install_requires=manifest()["external_dependencies"]["python"],
    extras_require=EXTRAS,
    packages=[package_name(folder) for folder in packages()],
    package_dir={PACKAGE: NAME},
    package_data={PACKAGE: data_files()},
    include_package_data=False,
    zip_safe=False,
    classifiers=[
        "Framework :: Odoo",
        "Framework :: Odoo :: 19.0",
        "License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)",
        "Programming Language :: Python :: 3",
    ],
)
