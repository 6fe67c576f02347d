"""Sessions that each commit one delayed job after the other, for a time.

Run by the interpreter that has Odoo: ``sessions.py CONFIGURATION ADDONS DATABASE THREADS SECONDS``;
it says that it is ready, begins when told to, and prints how many jobs were committed.
"""

from __future__ import annotations

import sys
import threading
import time

from odoo import api
from odoo.modules.registry import Registry
from odoo.tools import config


def commit_jobs(database: str, deadline: float, counts: list[int]) -> None:
    """Commit jobs until the time is up, and note how many."""
    count = 0
    with Registry(database).cursor() as cr:
        while time.monotonic() < deadline:
            env = api.Environment(cr, 1, {})
            env["queue_job_bench.record"].browse(1).with_delay(channel="root.held").noop()
            cr.commit()
            env.invalidate_all()
            count += 1
    counts.append(count)


def main() -> None:
    """Run the threads of this process."""
    configuration, addons, database, threads, seconds = sys.argv[1:]
    config.parse_config(["-c", configuration, "--no-http", addons])
    Registry(database)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    counts: list[int] = []
    deadline = time.monotonic() + float(seconds)
    running = [
        threading.Thread(target=commit_jobs, args=(database, deadline, counts))
        for _number in range(int(threads))
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    sys.stdout.write(f"{sum(counts)}\n")


if __name__ == "__main__":
    main()
