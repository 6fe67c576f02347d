"""Whose code a frame of a traceback is, told by the folder that it lives in."""

from functools import cache
from pathlib import Path

import odoo

import odoo.addons

from .core.traceback import Roots

HERE = str(Path(__file__).parent)
ADDON_OF_ODOO = "web/__manifest__.py"
"""What stands in Odoo's own folder of addons, wherever that is."""


@cache
def code_roots() -> Roots:
    """Return the folders of the house's addons, and those of Odoo, of Python and of the queue."""
    core = {str(Path(path)) for path in odoo.__path__}
    folders = [str(Path(path)) for path in odoo.addons.__path__]
    own = [folder for folder in folders if not _is_odoos(folder, core)]
    return Roots(own, [*core, *(folder for folder in folders if folder not in own), HERE])


def _is_odoos(folder: str, core: set[str]) -> bool:
    within = any(Path(folder).is_relative_to(path) for path in core)
    return within or (Path(folder) / ADDON_OF_ODOO).exists()
