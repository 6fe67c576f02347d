"""Procrastinate, for what Python offers outside of Odoo: the same counts of jobs, no ORM.

Run by the interpreter of the benchmark's own environment: ``elsewhere.py CONNINFO COMMAND NUMBER``.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import procrastinate

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=sys.argv[1]))

WORKERS = 2
CONCURRENCY = 2
"""Together four jobs at a time in two processes, as ``root:4`` with two workers."""


@app.task(name="noop")
async def noop() -> None:
    """Do nothing."""


async def prepare(_number: int) -> None:
    """Create the tables."""
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


async def work(_number: int) -> None:
    """Serve until ended."""
    async with app.open_async():
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await app.run_worker_async(
            concurrency=CONCURRENCY, install_signal_handlers=False, listen_notify=True
        )


async def store_all(number: int) -> None:
    """Store jobs by the quickest way there is, and print the seconds."""
    async with app.open_async():
        began = time.monotonic()
        await noop.batch_defer_async(*({} for _number in range(number)))
        sys.stdout.write(f"{time.monotonic() - began}\n")


async def store(number: int) -> None:
    """Store jobs one at a time, and print the seconds."""
    async with app.open_async():
        began = time.monotonic()
        for _number in range(number):
            await noop.defer_async()
        sys.stdout.write(f"{time.monotonic() - began}\n")


COMMANDS = {"prepare": prepare, "work": work, "store": store, "store_all": store_all}

if __name__ == "__main__":
    os.environ.setdefault("PROCRASTINATE_APP", "elsewhere.app")
    asyncio.run(COMMANDS[sys.argv[2]](int(sys.argv[3])))
