"""Disks that are full: a real one, small and in memory, and one that is only said to be full."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

SIZE = "48m"
"""Of the small disk: the tables of a campaign need a part of it."""

TABLES = ("queue_job", "test_queue_job_ledger")

PIECE = 2**16
"""Bytes by which the disk is filled; PostgreSQL grows a table by 8,192."""

Execute = Callable[..., Any]

FULL_AT_COMMIT = """
CREATE FUNCTION test_queue_job_disk_full() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END
$$ LANGUAGE plpgsql;
CREATE CONSTRAINT TRIGGER test_queue_job_disk_full AFTER INSERT ON test_queue_job_ledger
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION test_queue_job_disk_full()
"""
NOT_FULL_AT_COMMIT = """
DROP TRIGGER test_queue_job_disk_full ON test_queue_job_ledger;
DROP FUNCTION test_queue_job_disk_full
"""


class Disk:
    """A file system in memory that holds the tables of jobs and ledger.

    :param folder: where it is mounted
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mounted = False

    def mount(self, user: str | None) -> None:
        """Mount it for the user as whom PostgreSQL runs."""
        self.folder.mkdir(parents=True)
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", self.folder], check=True
        )
        self._mounted = True
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if user:
            shutil.chown(data, user)

    def hold_tables(self, execute: Execute) -> None:
        """Move the tables, with what is in them, to this disk."""
        execute(f"CREATE TABLESPACE small LOCATION '{self.folder / 'data'}'")
        for table in TABLES:
            execute(f"ALTER TABLE {table} SET TABLESPACE small")

    def fill(self) -> None:
        """Leave no room on it."""
        with suppress(OSError), (self.folder / "filling").open("wb", buffering=0) as file:
            while file.write(bytes(PIECE)) == PIECE:
                pass

    def free(self) -> None:
        """Give the room back."""
        (self.folder / "filling").unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take it away; PostgreSQL does not run any more."""
        if self._mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
            self._mounted = False


def missing() -> str:
    """Return why there can be no small disk here; nothing when there can."""
    probe = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True,
        check=False,
    )
    return "" if probe.returncode == 0 else "no right to mount a file system"
