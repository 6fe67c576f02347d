"""Brings the files of translations up to date with the strings of the addon."""

from __future__ import annotations

from pathlib import Path

import polib  # type: ignore[import-untyped]

from . import cache, odoo, process
from .postgres import OWN_PREFIX, main_cluster
from .server import OdooServer
from .template import ADDONS_FOLDERS, Templates
from .terminal import SetupError, say

DATABASE = f"{OWN_PREFIX}translations"
FOLDER = cache.CHECKOUT / "queue_job" / "i18n"
STRINGS = FOLDER / "queue_job.pot"
EXPORT_TIMEOUT = 300
DATES = ("POT-Creation-Date", "PO-Revision-Date")
"""Of the headers; they would change a file in which nothing else did."""


def run() -> int:
    """Write the template, carry new strings to each language, and return the exit status."""
    FOLDER.mkdir(exist_ok=True)
    _export()
    strings = _read(STRINGS)
    for date in DATES:
        strings.metadata.pop(date, None)
    strings.save(str(STRINGS))
    for path in sorted(FOLDER.glob("*.po")):
        _carry(strings, path)
    return 0


def _export() -> None:
    """Let Odoo write all strings of the addon into its template."""
    found = odoo.find()
    with main_cluster() as cluster:
        templates = Templates(found, cluster)
        templates.create(DATABASE)
        server = OdooServer(found, cluster, DATABASE, addons=ADDONS_FOLDERS)
        command = [*found.command(), "i18n", "export", *server.command()[len(found.command()) :]]
        with server.log.open("ab") as log:
            status = process.run(
                [*command, "-o", str(STRINGS), "queue_job"],
                env=server.env,
                timeout=EXPORT_TIMEOUT,
                output=log,
            )
        templates.drop(DATABASE)
        if status:
            raise SetupError(f"Odoo could not export its strings; see {server.log}")


def _carry(strings: polib.POFile, path: Path) -> None:
    """Add what is new, drop what is gone, and say what is not translated."""
    language = _read(path)
    language.merge(strings)
    for entry in language.obsolete_entries():
        language.remove(entry)
    language.sort(key=lambda entry: entry.msgid)
    language.save(str(path))
    missing = len(language.untranslated_entries()) + len(language.fuzzy_entries())
    say(f"{path.name}: {len(language.translated_entries())} translated, {missing} to do")


def _read(path: Path) -> polib.POFile:
    return polib.pofile(str(path), wrapwidth=100, encoding="utf-8")
