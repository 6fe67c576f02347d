"""One address for the browser: pages from Odoo's workers, websockets from its server of websockets.

The two listen on ports of their own, and a page can reach one only. A connection goes where its
first request points; browsers never change from pages to a websocket on one connection.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TypeVar

from .network import LOOPBACK

WEBSOCKET = b" /websocket"
"""How the path of a websocket follows the method in the first line of a request."""

HEAD_END = b"\r\n\r\n"
CHUNK = 65536
"""Bytes that are passed on at once."""

START_TIMEOUT = 10
"""Seconds for the thread to listen, or to end."""

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
AnyListener = TypeVar("AnyListener", bound="Listener")


class Listener:
    """Takes connections in a thread of this process; a context manager.

    :param port: where it listens
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self: AnyListener) -> AnyListener:
        self._thread.start()
        self._listening.wait(START_TIMEOUT)
        return self

    def __exit__(self, *_exception: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(START_TIMEOUT)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        starting = asyncio.start_server(self._serve, LOOPBACK, self.port)
        server = self.loop.run_until_complete(starting)
        self._listening.set()
        self.loop.run_forever()
        server.close()
        self.loop.run_until_complete(self._break_off_all())
        self.loop.close()

    async def _break_off_all(self) -> None:
        """End every connection, so that none outlives this."""
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: Reader, writer: Writer) -> None:
        # Cancelled at the end only, and then it is no error.
        with suppress(asyncio.CancelledError):
            await self.handle(reader, writer)

    async def handle(self, reader: Reader, writer: Writer) -> None:
        """Serve one connection."""
        raise NotImplementedError


class Proxy(Listener):
    """A reverse proxy.

    :param port: where it listens
    :param pages: port of Odoo's workers
    :param websockets: port of Odoo's server of websockets
    """

    def __init__(self, port: int, *, pages: int, websockets: int) -> None:
        super().__init__(port)
        self.pages = pages
        self.websockets = websockets

    @property
    def url(self) -> str:
        """The address for the browser."""
        return f"http://{LOOPBACK}:{self.port}"

    async def handle(self, reader: Reader, writer: Writer) -> None:
        """Pass one connection on, in both directions, until either side ends it."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(HEAD_END)
            port = self.websockets if WEBSOCKET in head.partition(b"\r\n")[0] else self.pages
            server_reader, server_writer = await asyncio.open_connection(LOOPBACK, port)
            server_writer.write(head)
            await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))
        writer.close()


async def pump(reader: Reader, writer: Writer) -> None:
    """Pass on what comes, then the end of it."""
    try:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
