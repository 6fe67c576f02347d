"""Why a database may not run its jobs, although nothing is wrong with any of them."""

from __future__ import annotations

from enum import Enum


class Hold(str, Enum):
    """What keeps every job of a database from starting."""

    MODULES = "modules"
    """Modules are being installed, upgraded or removed: code and tables may not fit."""
    COPIED = "copied"
    """It is a copy: its jobs are the original's, and run there."""
    NEUTRALIZED = "neutralized"
    """Odoo made a harmless copy of it, which must not do the original's work."""


HOLD_REASONS = {
    Hold.MODULES: "modules are to be installed, upgraded or removed",
    Hold.COPIED: "this database is a copy, or was restored: release it by Self-test or by "
    "odoo queue_job release if its jobs are to run here",
    Hold.NEUTRALIZED: "this database was neutralised: release it by Self-test or by "
    "odoo queue_job release if its jobs are to run here",
}
"""What the log says."""
