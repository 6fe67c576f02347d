"""A line to PostgreSQL that can fall silent: what is sent arrives nowhere, and no end is seen.

The kernel of this machine acknowledges what the relay does not read, so that neither side's
keepalive notices anything: worse than a network that is cut, where nothing is acknowledged.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from dev.network import LOOPBACK, free_port

CHUNK = 65536
"""Bytes that are passed on at once."""

START_TIMEOUT = 10
"""Seconds for the thread to listen, or to end."""


class Relay:
    """Passes connections on to another port; runs in a thread of its own.

    :param target: port of PostgreSQL
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._flowing: asyncio.Event
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._listening.wait(START_TIMEOUT)

    def close(self) -> None:
        """End the thread, and all connections with it."""
        self.drop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_TIMEOUT)

    def stall(self) -> None:
        """Pass nothing on, in neither direction, and accept what comes without serving it."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def resume(self) -> None:
        """Pass on again, beginning with what was held up."""
        self._loop.call_soon_threadsafe(self._flowing.set)

    def drop(self) -> None:
        """End every connection, then serve new ones."""
        self._loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._flowing.set()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._listening.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        self._flowing = asyncio.Event()
        self._flowing.set()
        await asyncio.start_server(self._pass, LOOPBACK, self.port)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, in both directions, until either side ends it."""
        self._writers.add(writer)
        await self._flowing.wait()
        with suppress(OSError):
            beyond, back = await asyncio.open_connection(LOOPBACK, self._target)
            self._writers.add(back)
            await asyncio.gather(self._pump(reader, back), self._pump(beyond, writer))
            self._writers.discard(back)
        writer.close()
        self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        await self._flowing.wait()
        writer.close()
