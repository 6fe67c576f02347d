"""The two queues: each with a database, an addons path and servers of its own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from dev import cache, community
from dev.odoo import Odoo
from dev.postgres import OWN_PREFIX, Cluster
from dev.server import OdooServer
from dev.template import Templates
from dev.terminal import SetupError

ADDONS = Path(__file__).with_name("addons")
MODULE = "queue_job_bench"
MODEL = "queue_job_bench.record"

CHANNELS = "root:4,root.three:3,root.held:1:paused"
"""The same for both: four jobs at a time, a place for three, and one where jobs stay."""

PATIENCE = 1200.0
"""Seconds until a measurement is given up."""

LOOK = 0.02
"""Seconds between two looks at a small table."""

LOOK_BIG = 0.1
"""The same at a big one, which costs the machine something each time."""

BIG = 3000
"""Rows from which a table is big."""

COLUMNS = """
SELECT column_name FROM information_schema.columns
 WHERE table_schema = 'public' AND table_name = 'queue_job' AND column_name <> 'id'
   AND is_generated = 'NEVER'
"""

COPY = """
INSERT INTO queue_job ({names})
SELECT {values} FROM queue_job AS job, generate_series(0, %(number)s - 1) AS n
 WHERE job.id = %(model)s
"""

ONE_RECORD = """
CASE jsonb_typeof(job.records) WHEN 'object'
     THEN jsonb_set(job.records, '{{ids}}', to_jsonb(ARRAY[{0} + n]))
     ELSE to_jsonb(regexp_replace(
        job.records #>> '{{}}', '"ids": \\[\\d+\\]', '"ids": [' || {0} + n || ']')) END
"""
"""The peer stores the text of JSON inside of JSON."""

TIME_ORDERED = """
regexp_replace(
    lpad(to_hex((EXTRACT(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || substr(md5(random()::text), 1, 20),
    '(.{8})(.{4}).(.{3}).(.{3})(.{12})', '\\1-\\2-7\\3-8\\4-\\5')
"""
"""A UUID of version 7, on a PostgreSQL that does not make them by itself as well."""

NO_COLUMNS: Mapping[str, str] = {}

FRESH = {
    "eta": "NULL",
    "scheduled": "false",
    "date_created": "clock_timestamp() AT TIME ZONE 'UTC'",
}
"""What is different in every job that was stored just now."""

BUSY = "SELECT EXISTS (SELECT FROM queue_job WHERE state IN ('pending', 'enqueued', 'started'){})"


class Side:
    """One queue: its database, and one server at a time.

    :param name: ``ours`` or ``peer``
    :param label: distinguishes databases of one queue
    :param addons: folder that holds its ``queue_job``
    :param libraries: folders to import from beside Odoo
    :param uuid: SQL for a UUID of the version that it gives to its jobs
    """

    def __init__(
        self,
        odoo: Odoo,
        cluster: Cluster,
        name: str,
        label: str,
        addons: Path,
        libraries: Sequence[Path] = (),
        uuid: str = "gen_random_uuid()::text",
    ) -> None:
        self.odoo = odoo
        self.cluster = cluster
        self.name = name
        self.database = f"{OWN_PREFIX}bench_{name}{label}"
        self._addons = addons
        self._libraries = libraries
        self.uuid = uuid
        self._models: dict[Any, int] = {}
        self.server = self._make()

    def _make(self, workers: int = 2, channels: str = CHANNELS) -> OdooServer:
        folders = [self.odoo.path / "odoo" / "addons", self.odoo.path / "addons"]
        path = ",".join(map(str, [*folders, self._addons, ADDONS]))
        python_path = os.pathsep.join(map(str, [self.odoo.path, *self._libraries]))
        return OdooServer(
            self.odoo,
            self.cluster,
            self.database,
            workers=workers,
            channels=channels,
            env={"ODOO_QUEUE_JOB_CHANNELS": channels, "PYTHONPATH": python_path},
            options=[f"--addons-path={path}"],
        )

    def install(self, templates: Templates) -> None:
        """Create the database, with the queue and the addon that uses it."""
        templates.copy(templates.base(), self.database)
        self.server.init([MODULE])

    @contextmanager
    def serving(self, workers: int = 2, channels: str = CHANNELS) -> Iterator[Side]:
        """Have a server run."""
        self.server = self._make(workers, channels)
        with self.server:
            yield self

    def rpc(self, method: str, *args: Any) -> Any:
        """Call a method of the model that has jobs."""
        return self.server.rpc(MODEL, method, args, timeout=PATIENCE)

    def sql(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run a statement beside the server."""
        return self.cluster.execute(self.database, statement, parameters)

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """Have a cursor of a connection of one's own, in autocommit mode."""
        with closing(self.cluster.connect(self.database)) as link, link.cursor() as cr:
            yield cr

    def clear(self) -> None:
        """Forget every job but those that are to be copied."""
        self.sql("TRUNCATE queue_job CASCADE")
        self._models.clear()

    def store(
        self,
        number: int,
        method: str = "noop",
        args: Sequence[Any] = (),
        *,
        records: int | None = None,
        columns: Mapping[str, str] = NO_COLUMNS,
        cr: Any = None,
    ) -> None:
        """Store copies of a job in one transaction.

        :param records: first id of the records that they are for, one each
        :param columns: SQL for columns that differ from the job's
        :param cr: cursor to use, a new one when not given
        """
        if cr is None:
            with self.cursor() as own:
                self.store(number, method, args, records=records, columns=columns, cr=own)
            return
        model = self._model(method, args)
        cr.execute(COLUMNS)
        values = {name: f'job."{name}"' for (name,) in cr.fetchall()}
        values |= {name: value for name, value in FRESH.items() if name in values}
        values["uuid"] = self.uuid
        values.update(columns)
        if records is not None:
            values["records"] = ONE_RECORD.format(records)
        names = ", ".join(f'"{name}"' for name in values)
        query = COPY.format(names=names, values=", ".join(values.values()))
        cr.execute(query, {"number": number, "model": model})

    def _model(self, method: str, args: Sequence[Any]) -> int:
        key = (method, *args)
        if key not in self._models:
            self._models[key] = self.rpc("prepare", method, list(args))
        return self._models[key]

    def model_ids(self) -> list[int]:
        """Return the jobs that are there to be copied."""
        return list(self._models.values())

    def prepare(self, method: str, args: Sequence[Any] = ()) -> None:
        """See that a job is there to be copied."""
        self._model(method, args)

    def wait_until(self, condition: Callable[[Any], bool], what: str, look: float = LOOK) -> float:
        """Wait for a condition of a cursor; return the time at which it was seen.

        :param look: seconds between two looks
        :raises SetupError: when it does not come true
        """
        deadline = time.monotonic() + PATIENCE
        with self.cursor() as cr:
            while not condition(cr):
                if time.monotonic() > deadline:
                    raise SetupError(f"{self.name}: {what} took too long; read {self.server.log}")
                time.sleep(look)
        return time.monotonic()

    def wait_idle(self, rows: int = 0, where: str = "") -> float:
        """Wait until no job waits or runs; return when that was.

        :param rows: about how many rows the table has
        :param where: which jobs count, as a condition
        """
        condition = f" AND id <> ALL(%s) {where}"

        def is_idle(cr: Any) -> bool:
            cr.execute(BUSY.format(condition), (self.model_ids(),))
            return not cr.fetchone()[0]

        return self.wait_until(is_idle, "draining", LOOK_BIG if rows > BIG else LOOK)


def ours(odoo: Odoo, cluster: Cluster, label: str = "") -> Side:
    """Return the queue of this checkout."""
    return Side(odoo, cluster, "ours", label, cache.CHECKOUT, uuid=TIME_ORDERED)


def peer(odoo: Odoo, cluster: Cluster, label: str = "") -> Side:
    """Return the community's queue."""
    place = community.folder()
    return Side(odoo, cluster, "peer", label, place / "addons", [place / "libraries"])


def versions(odoo: Odoo, cluster: Cluster) -> dict[str, str]:
    """Return what was run."""
    return {
        "Odoo": odoo.version.split()[0],
        "PostgreSQL": cluster.version,
        "Python": sys.version.split()[0],
        "peer": community.REQUIREMENT,
    }
