"""The limit: what two Odoo processes reach in a bare loop of claim, run, complete and commit.

No runner, no request per job, no channels, no retries: a table with one index, and as little Python
around the ORM call as there can be. Run by the interpreter that has Odoo:
``bare.py CONFIGURATION ADDONS DATABASE``; it prints when its last job was done.
"""

from __future__ import annotations

import sys
import time

import psycopg2

from odoo import api
from odoo.modules.registry import Registry
from odoo.sql_db import connection_info_for
from odoo.tools import config

CLAIM = """
UPDATE queue_job_bench_bare SET state = 'started'
 WHERE id = (SELECT id FROM queue_job_bench_bare WHERE state = 'pending'
              ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, model, method, record
"""

DONE = "UPDATE queue_job_bench_bare SET state = 'done' WHERE id = %s"


def drain(database: str) -> float:
    """Run jobs until there are none; return when the last one was committed."""
    registry = Registry(database)
    side = psycopg2.connect(
        **{**connection_info_for(database)[1], "options": "-c synchronous_commit=off"}
    )
    side.autocommit = True
    with side.cursor() as claim, registry.cursor() as cr:
        env = api.Environment(cr, 1, {})
        while True:
            claim.execute(CLAIM)
            job = claim.fetchone()
            if job is None:
                return time.time()
            number, model, method, record = job
            env.invalidate_all(flush=False)
            getattr(env[model].browse(record), method)()
            env.flush_all()
            cr.execute(DONE, (number,))
            cr.commit()


def main() -> None:
    """Say that it is ready, begin when told to, and tell when the last job was done."""
    configuration, addons, database = sys.argv[1:]
    config.parse_config(["-c", configuration, "--no-http", addons])
    Registry(database)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{drain(database)}\n")


if __name__ == "__main__":
    main()
