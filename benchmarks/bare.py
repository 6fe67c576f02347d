"""The limit: what two Odoo processes reach in a bare loop of claim, run, complete and commit.

No runner, no request per job, no channels, no retries, nobody to compete with: each takes every
other row of a narrow table, with as little Python around the ORM call as there can be.

Run by the interpreter that has Odoo: ``bare.py CONFIGURATION ADDONS DATABASE SHARE``; it prints
when its last job was done.
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
UPDATE queue_job_bench_bare SET state = 'started' WHERE id = %s AND state = 'pending'
RETURNING id, model, method, record
"""

DONE = "UPDATE queue_job_bench_bare SET state = 'done' WHERE id = %s"


SHARE = "SELECT id FROM queue_job_bench_bare WHERE id %% 2 = %s ORDER BY id"


def drain(database: str, share: int) -> float:
    """Run every other job; return when the last one was committed."""
    registry = Registry(database)
    side = psycopg2.connect(
        **{**connection_info_for(database)[1], "options": "-c synchronous_commit=off"}
    )
    side.autocommit = True
    with side.cursor() as claim, registry.cursor() as cr:
        env = api.Environment(cr, 1, {})
        claim.execute(SHARE, (share,))
        for row in claim.fetchall():
            claim.execute(CLAIM, row)
            number, model, method, record = claim.fetchone()
            env.invalidate_all(flush=False)
            getattr(env[model].browse(record), method)()
            env.flush_all()
            cr.execute(DONE, (number,))
            cr.commit()
    return time.time()


def main() -> None:
    """Say that it is ready, begin when told to, and tell when the last job was done."""
    configuration, addons, database, share = sys.argv[1:]
    config.parse_config(["-c", configuration, "--no-http", addons])
    Registry(database)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{drain(database, int(share))}\n")


if __name__ == "__main__":
    main()
