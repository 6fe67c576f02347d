"""What a shell needs to use the pieces by hand."""

from __future__ import annotations

import shlex

from . import cache, odoo, venv
from .template import ADDONS_FOLDERS


def exports() -> str:
    """Return shell lines that name the interpreter, Odoo's launcher and its addons."""
    found = odoo.find()
    values = {
        "PYTHON": venv.python(),
        "PYTHONPATH": found.path,
        "ODOO_LAUNCHER": found.launcher,
        "ODOO_ADDONS_PATH": ",".join(found.addons_path(*ADDONS_FOLDERS)),
        "QUEUE_JOB_CACHE": cache.cache_folder(),
    }
    return "\n".join(f"export {name}={shlex.quote(str(value))}" for name, value in values.items())
