"""An address that moves: what a virtual IP or a load balancer in front of PostgreSQL does.

Whoever connects reaches the server that it leads to at that moment. When it moves, connections
through it are broken off.
"""

from __future__ import annotations

import asyncio
import threading
import urllib.request
from collections.abc import Mapping
from contextlib import suppress

from .network import LOOPBACK, free_port
from .proxy import Listener, Reader, Writer, pump

LOOK_SECONDS = 0.25
"""How often a follower asks the nodes which of them leads."""

LOOK_TIMEOUT = 1.0
"""Seconds a node has for the answer."""

OK = 200


class MovingAddress(Listener):
    """A port of the loopback interface that leads to another.

    :param target: the port that it leads to; ``None`` for nowhere
    """

    def __init__(self, target: int | None = None) -> None:
        super().__init__(free_port())
        self.target = target
        self._writers: set[Writer] = set()

    def move(self, target: int | None) -> None:
        """Lead to another port from now on, and break off what is connected to the one before."""
        if target != self.target:
            self.target = target
            self.loop.call_soon_threadsafe(self._break_off)

    def _break_off(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def handle(self, reader: Reader, writer: Writer) -> None:
        """Pass one connection on until either side ends it or the address moves."""
        with suppress(OSError):
            if self.target is not None:
                server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self.target)
                pair = {writer, server_writer}
                self._writers |= pair
                try:
                    await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))
                finally:
                    self._writers -= pair
        writer.close()


class Follower:
    """Moves an address to the node that says of itself that it leads; a context manager.

    :param address: what is moved
    :param nodes: by port of PostgreSQL, the address that answers 200 where it is the primary
    """

    def __init__(self, address: MovingAddress, nodes: Mapping[int, str]) -> None:
        self._address = address
        self._nodes = nodes
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Follower:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            leading = [port for port, url in self._nodes.items() if answers(url)]
            self._address.move(leading[0] if len(leading) == 1 else None)


def answers(url: str) -> bool:
    """Tell whether an address answers with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=LOOK_TIMEOUT) as answer:  # noqa: S310
            return bool(answer.status == OK)
    except OSError:
        return False
