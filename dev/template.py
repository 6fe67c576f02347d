"""Template databases: modules are installed once, and every test starts from a copy in a second.

Two layers: Odoo's own modules, kept until Odoo changes; ours on top, kept until a file of an addon
changes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import cache, process
from .odoo import Odoo
from .postgres import OWN_PREFIX, Cluster, installed_versions, newest_bin_dir
from .server import OdooServer, filestore
from .terminal import SetupError, say

BASE_MODULES = ("web", "mail")
"""The first layer: what our addons need of Odoo, with all that it pulls in."""

PREFIX = f"{OWN_PREFIX}template"
BUILDING = f"{OWN_PREFIX}building"
"""Names of databases: a template gets its name when it is whole."""

ADDONS_FOLDERS = (cache.CHECKOUT / "tests" / "addons", cache.CHECKOUT / "examples")
"""Where the addons of the checkout lie, beside ``queue_job`` itself."""

RELEASE = """
UPDATE ir_config_parameter
   SET value = format('%s/%s', (SELECT system_identifier FROM pg_control_system()),
                      (SELECT oid FROM pg_database WHERE datname = current_database()))
 WHERE key = 'queue_job.home'
"""

DUMP_TIMEOUT = 300
"""Seconds to carry a database to another cluster."""


class Templates:
    """The template databases of one cluster.

    :param odoo: the Odoo that installs them
    :param cluster: a running PostgreSQL
    """

    def __init__(self, odoo: Odoo, cluster: Cluster) -> None:
        self.odoo = odoo
        self.cluster = cluster

    def base(self) -> str:
        """Return the name of a template with Odoo's own modules."""
        name = self._name("base", [self.odoo.version, *BASE_MODULES])
        if name not in self.cluster.databases():
            say(f"Installing {', '.join(BASE_MODULES)} once")
            self._build(name, BASE_MODULES, template=None)
        return name

    def with_modules(self, modules: Sequence[str] = ("queue_job",)) -> str:
        """Return the name of a template with ``modules`` of the checkout installed."""
        folders = [cache.CHECKOUT / "queue_job", *ADDONS_FOLDERS]
        label = cache.key_of(sorted(modules))[:6]
        name = self._name(label, [self.odoo.version, cache.key_of_files(folders)])
        if name not in self.cluster.databases():
            base = self.base()
            say(f"Installing {', '.join(modules)}")
            self._build(name, modules, template=base)
        return name

    def create(self, database: str, modules: Sequence[str] = ("queue_job",)) -> str:
        """Create ``database`` anew with ``modules`` installed, and return its name."""
        self.copy(self.with_modules(modules), database)
        return database

    def copy(self, template: str, database: str) -> None:
        """Create ``database`` as a copy of ``template``, attachments included."""
        self.drop(database)
        self.cluster.create_database(database, template)
        _release(self.cluster, database)
        _link_tree(filestore(self.cluster, template), filestore(self.cluster, database))

    def drop(self, database: str) -> None:
        """Drop a database and its attachments."""
        self.cluster.drop_database(database)
        cache.remove(filestore(self.cluster, database))

    def create_on(
        self, target: Cluster, database: str, modules: Sequence[str] = ("queue_job",)
    ) -> str:
        """Create ``database`` on another cluster, of any version, and return its name.

        It is carried over, which takes seconds; an older PostgreSQL does not understand the dump of
        a newer one, and has the modules installed instead.
        """
        if int(self.cluster.major) > min(int(target.major), max(map(int, installed_versions()))):
            return Templates(self.odoo, target).create(database, modules)
        source = self.with_modules(modules)
        target.create_database(database)
        self._carry(source, target, database)
        _release(target, database)
        _link_tree(filestore(self.cluster, source), filestore(target, database))
        return database

    def _carry(self, source: str, target: Cluster, database: str) -> None:
        dump = target.home / f"{database}.sql"
        tools = newest_bin_dir()
        _tool([tools / "pg_dump", "--no-owner", "--no-acl", "--file", dump, source], self.cluster)
        _tool([tools / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", dump, "-d", database], target)
        dump.unlink()

    def _name(self, label: str, parts: Sequence[str]) -> str:
        return f"{PREFIX}_{label}_{cache.key_of(parts)}"

    def _build(self, name: str, modules: Sequence[str], template: str | None) -> None:
        """Install under another name, so that an interrupted build is no template."""
        if template:
            self.copy(template, BUILDING)
        else:
            self.drop(BUILDING)
            self.cluster.create_database(BUILDING)
        OdooServer(self.odoo, self.cluster, BUILDING, addons=ADDONS_FOLDERS).init(modules)
        self._drop_outdated(name)
        cache.remove(filestore(self.cluster, name))
        filestore(self.cluster, BUILDING).rename(filestore(self.cluster, name))
        self.cluster.rename_database(BUILDING, name)

    def _drop_outdated(self, name: str) -> None:
        """Drop the templates that ``name`` replaces: same label, another content."""
        family = name.rpartition("_")[0]
        for database in self.cluster.databases():
            if database.rpartition("_")[0] == family:
                self.drop(database)


def _link_tree(source: Path, target: Path) -> None:
    """Copy a folder of files that never change their content, without copying their content."""
    cache.remove(target)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    """Link a file, or copy it where the two places are not on one file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _tool(command: process.Command, cluster: Cluster) -> None:
    env = {**os.environ, **cluster.environ}
    process.capture(command, timeout=DUMP_TIMEOUT, env=env, remedy="read the server's log")


def checkout_addons() -> list[str]:
    """Return the names of the checkout's own addons."""
    found = [
        path.parent.name
        for folder in (cache.CHECKOUT, *ADDONS_FOLDERS)
        for path in sorted(folder.glob("*/__manifest__.py"))
    ]
    if "queue_job" not in found:
        raise SetupError("queue_job/__manifest__.py is not there; run this in a complete checkout")
    return found


def _release(cluster: Cluster, database: str) -> None:
    """Let a copy run jobs of its own, as an administrator would."""
    cluster.execute(database, RELEASE)
