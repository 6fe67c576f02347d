"""Where a database lives, which tells a copy from the original.

A copy has the original's jobs. They must not be done twice, so a database whose home is not where
it was when the addon was installed, or when an administrator released it, is held.
"""

from __future__ import annotations

from typing import Any

from ..core.hold import Hold

KEY = "queue_job.home"
"""The parameter that holds the home; ``neutralized`` after Odoo has neutralised the database."""

READ_HOME = """
SELECT format('%s/%s', (SELECT system_identifier FROM pg_control_system()),
              (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
# A cluster keeps its identifier on its standbys, and gets another when it is made anew; a database
# gets another number when it is copied or restored, and keeps it when it is renamed.

HOLD = """
CASE WHEN EXISTS (SELECT FROM ir_module_module
                   WHERE state IN ('to install', 'to upgrade', 'to remove')) THEN 'modules'
     ELSE (SELECT CASE value WHEN {home} THEN NULL WHEN 'neutralized' THEN value ELSE 'copied' END
             FROM ir_config_parameter WHERE key = 'queue_job.home') END
"""
# What holds every job of the database, as text; nothing when its home was never noted.

READ_HOLD = "SELECT {hold}".format(hold=HOLD.format(home="%s"))

IS_KNOWN = "SELECT EXISTS (SELECT FROM ir_config_parameter WHERE key = %s)"


def read_home(cr: Any) -> str:
    """Return where this database is."""
    cr.execute(READ_HOME)
    return str(cr.fetchone()[0])


def read_hold(cr: Any) -> Hold | None:
    """Return what holds every job of this database."""
    here = read_home(cr)
    cr.execute(READ_HOLD, (here,))
    held = cr.fetchone()[0]
    return Hold(held) if held else None


def is_known(cr: Any) -> bool:
    """Tell whether it was noted where this database lives."""
    cr.execute(IS_KNOWN, (KEY,))
    return bool(cr.fetchone()[0])
