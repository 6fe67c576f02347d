"""Sending a lease to an HTTP worker and waiting for its answer.

One thread per slot, kept for the life of the runner. A request lasts as long as the jobs in it, so
there is no limit on the wait for its answer: the end of the connection is the sign of trouble. What
asks for no job has threads of its own, and a limit.
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
from dataclasses import dataclass, field

import urllib3

from ..core.report import Report, read_reports, write_lease
from ..core.signature import HEADER, sign

_logger = logging.getLogger(__name__)

PATH = "/queue_job/run"

PUBLISH_PATH = "/queue_job/publish"
"""Where the news of open dashboards is made; it takes a lease without jobs."""

CONNECT_SECONDS = 10
"""How long a worker may take to accept a connection; the kernel does it for a busy one."""

ERRAND_SECONDS = 300
"""How long a server may take to answer what asks for no job: its workers may all be busy."""

NEWS_SECONDS = 0.05
"""How long the news of a worker's death may take to come here."""

SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 4), 3),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", 5), 1),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", 6), 3),
    # The same for what was sent and never acknowledged, of which the others know nothing.
    (socket.IPPROTO_TCP, getattr(socket, "TCP_USER_TIMEOUT", 18), 6000),
]
"""A server that vanished without a word is noticed after about 6 s, as by PostgreSQL."""


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
    :param server: address to which it was sent
    :param reports: outcomes of the jobs whose turn came; ``None`` when there is no answer
    :param problem: why there is none
    """

    lease: int
    server: str
    reports: list[Report] | None
    problem: str = ""


@dataclass(frozen=True)
class Order:
    """A lease to be sent.

    :param database: name of the database
    :param secret: its secret
    :param server: scheme, host and port of an Odoo HTTP server
    :param number: of the lease
    :param jobs: id and attempt of each; none for a greeting
    :param done: called with the answer, in the thread of the slot
    :param path: of the route
    """

    database: str
    secret: str = field(repr=False)
    server: str
    number: int
    jobs: tuple[tuple[int, int], ...]
    done: Callable[[Answer], None]
    path: str = PATH


class Dispatcher:
    """Threads that send leases.

    :param auth: user and password for a proxy in front of the servers
    :param patience: seconds to wait for an answer; ``None`` for as long as the jobs may last
    """

    def __init__(self, auth: tuple[str, str] | None, patience: float | None = None) -> None:
        self._patience = patience
        self._headers = {"Content-Type": "application/json"}
        if auth:
            self._headers |= urllib3.make_headers(basic_auth=":".join(auth))
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._threads = 0

    def grow(self, threads: int) -> None:
        """Have at least so many threads: each is taken up by a lease for as long as it lasts."""
        with self._guard:
            for number in range(self._threads, threads):
                # Daemons: when the runner stops, the jobs go on in their workers, unheard.
                name = f"queue_job slot {number}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
                self._threads += 1

    def send(self, order: Order) -> None:
        """Send a lease; the answer comes by ``order.done``."""
        self._orders.put(order)

    def _work(self) -> None:
        pool = None
        while True:
            order = self._orders.get()
            try:
                pool = pool or _pool(self._patience)
                answer = self._ask(pool, order)
            except Exception as error:
                # Whatever it is, the slot lives on, and its lease is looked after.
                _logger.exception("lease not sent")
                answer = Answer(order.number, order.server, None, repr(error))
            order.done(answer)

    def _ask(self, pool: urllib3.PoolManager, order: Order) -> Answer:
        """Return the answer of a worker, or why there is none."""
        number, url = order.number, order.server + order.path
        body = write_lease(order.jobs)
        headers = {
            **self._headers,
            "X-Odoo-Database": order.database,
            HEADER: sign(order.secret, order.database, body, time.time()),
        }
        try:
            response = pool.request("POST", url, body=body, headers=headers, redirect=False)
            if response.status != OK:
                hint = HINTS.get(response.status, "see the log of the Odoo server there")
                problem = f"{url} answered {response.status}: {hint}"
                return Answer(number, order.server, None, problem)
            return Answer(number, order.server, read_reports(json.loads(response.data)))
        except urllib3.exceptions.HTTPError as error:
            # The server whose worker this was needs a moment to learn, and to tell, how it ended.
            time.sleep(NEWS_SECONDS)
            return Answer(number, order.server, None, f"{url}: {error}")
        except (ValueError, RecursionError) as error:
            problem = f"{url} did not answer with reports: {error}"
            return Answer(number, order.server, None, problem)


def _pool(patience: float | None) -> urllib3.PoolManager:
    """Return what makes the connections of a slot.

    The workers are ours: neither a proxy nor a .netrc of the environment is between. A request is
    never sent again by itself, since the jobs in it may have been run.
    """
    return urllib3.PoolManager(
        maxsize=1,
        retries=False,
        timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=patience),
        socket_options=SOCKET_OPTIONS,
        ssl_context=ssl.create_default_context(),
    )
