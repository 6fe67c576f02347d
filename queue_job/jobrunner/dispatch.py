"""Sending a lease to an HTTP worker and waiting for its answer.

One thread per slot, kept for the life of the runner. A request lasts as long as the jobs in it, so
there is no limit on the wait for its answer: the end of the connection is the sign of trouble.
"""

from __future__ import annotations

import json
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import urllib3

from ..core.leases import Lease
from ..core.report import Report, read_reports, write_lease
from ..core.signature import HEADER, sign

_logger = logging.getLogger(__name__)

PATH = "/queue_job/run"

CONNECT_SECONDS = 10
"""How long a worker may take to accept a connection; the kernel does it for a busy one."""

SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4), 10),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5), 5),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6), 3),
]
"""A server that vanished without a word is noticed after about 25 s."""


OK = 200

HINTS = {
    403: "is it another Odoo, with another database of this name, or is its clock wrong?",
    404: "does its dbfilter let the database through under this host name, and is queue_job among "
    "its addons?",
}
"""What to look at, by status of an answer that is none of ours."""


@dataclass(frozen=True)
class Answer:
    """What became of a lease.

    :param lease: its number
    :param reports: outcomes of the jobs whose turn came; ``None`` when there is no answer
    :param problem: why there is none
    """

    lease: int
    reports: list[Report] | None
    problem: str = ""


@dataclass(frozen=True)
class Order:
    """A lease to be sent.

    :param database: name of the database
    :param secret: its secret
    :param lease: the jobs, with their attempts
    :param done: called with the answer, in the thread of the slot
    """

    database: str
    secret: str
    lease: Lease
    done: Callable[[Answer], None]


class Dispatcher:
    """Threads that send leases.

    :param url: scheme, host and port of an Odoo HTTP server
    :param auth: user and password for a proxy in front of it
    :param threads: how many leases run at a time
    """

    def __init__(self, url: str, auth: tuple[str, str] | None, threads: int) -> None:
        self._url = url + PATH
        self._headers = {"Content-Type": "application/json"}
        if auth:
            self._headers |= urllib3.make_headers(basic_auth=":".join(auth))
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        for number in range(threads):
            # Daemons: when the runner stops, the jobs go on in their workers and nobody listens.
            name = f"queue_job slot {number}"
            threading.Thread(target=self._work, name=name, daemon=True).start()

    def send(self, order: Order) -> None:
        """Send a lease; the answer comes by ``order.done``."""
        self._orders.put(order)

    def _work(self) -> None:
        pool = _pool()
        while True:
            order = self._orders.get()
            try:
                answer = self._ask(pool, order)
            except Exception as error:
                # Whatever it is, the slot lives on, and its lease is looked after.
                _logger.exception("lease not sent")
                answer = Answer(order.lease.number, None, repr(error))
            order.done(answer)

    def _ask(self, pool: urllib3.PoolManager, order: Order) -> Answer:
        """Return the answer of a worker, or why there is none."""
        number = order.lease.number
        body = write_lease((job.id, job.attempt) for job in order.lease.jobs)
        headers = {
            **self._headers,
            "X-Odoo-Database": order.database,
            HEADER: sign(order.secret, order.database, body, time.time()),
        }
        try:
            response = pool.request("POST", self._url, body=body, headers=headers, redirect=False)
            if response.status != OK:
                hint = HINTS.get(response.status, "see the log of the Odoo server there")
                problem = f"{self._url} answered {response.status}: {hint}"
                return Answer(number, None, problem)
            return Answer(number, read_reports(json.loads(response.data)))
        except urllib3.exceptions.HTTPError as error:
            return Answer(number, None, f"{self._url}: {error}")
        except (TypeError, ValueError) as error:
            return Answer(number, None, f"{self._url} did not answer with reports: {error}")


def _pool() -> urllib3.PoolManager:
    """Return what makes the connections of a slot.

    The workers are ours: neither a proxy nor a .netrc of the environment is between. A request is
    never sent again by itself, since the jobs in it may have been run.
    """
    return urllib3.PoolManager(
        maxsize=1,
        retries=False,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=None),
        socket_options=SOCKET_OPTIONS,
        ssl_context=ssl.create_default_context(),
    )
