"""A shop on a port of this machine, that answers what a test told it to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any


@dataclass
class ShopServer:
    """What the shop answers, and what it was asked.

    :param url: its address
    :param statuses: statuses of the coming answers, in order; 200 when there is none left
    :param answer: body of its answers
    :param requests: method, path and body of what it was asked
    """

    url: str
    statuses: list[int] = field(default_factory=list)
    answer: dict[str, Any] = field(default_factory=dict)
    requests: list[tuple[str, str, dict]] = field(default_factory=list)


@contextmanager
def shop_server() -> Iterator[ShopServer]:
    """Run a shop in a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length") or 0)
            asked = json.loads(self.rfile.read(length) or "{}")
            shop.requests.append((self.command, self.path, asked))
            body = json.dumps(shop.answer).encode()
            self.send_response(shop.statuses.pop(0) if shop.statuses else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_PUT(self):
            self.do_GET()

        def log_message(self, *args):
            """Keep the log for what the tests are about."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        shop = ShopServer(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield shop
        finally:
            server.shutdown()
            thread.join()


def closed_port() -> str:
    """Return an address of this machine at which nobody listens."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return f"http://127.0.0.1:{server.server_port}"
