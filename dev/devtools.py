"""A page in a real Chromium, driven by the DevTools protocol: goes to screens and draws them.

It speaks to one page on one thread: a command is answered before the next one is sent, and what the
page says in between, above all its complaints, is kept.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import websocket

from . import process
from .network import LOOPBACK
from .terminal import SetupError

SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--no-first-run",
    "--remote-debugging-port=0",
    # It is shown this machine's pages, and asks nobody else for anything.
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}",
)

PORT_FILE = "DevToolsActivePort"
"""What the browser writes when it listens: the port, then a path."""

START_SECONDS = 60.0
ANSWER_SECONDS = 60.0
POLL = 0.1
"""Seconds to wait for the browser and for an answer, and between two looks."""

STILL_SECONDS = 3.0
STILL_POLL = 0.25
"""Seconds in which a page may still move, as charts do when they appear, and between two looks."""


class PageError(Exception):
    """The page did not do what was asked for."""


class Page:
    """One page of a browser of its own; a context manager.

    :param browser: program to start
    :ivar complaints: what the page has written to its console as an error, and what it threw
    """

    def __init__(self, browser: Path) -> None:
        self.browser = browser
        self.complaints: list[str] = []
        self._stack = ExitStack()
        self._socket: Any = None
        self._number = 0

    def __enter__(self) -> Page:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        # Its sockets need a path that is short.
        scratch = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="queue_job-"))
        folder = Path(scratch)
        log: IO[bytes] = self._stack.enter_context((folder / "log").open("wb"))
        command = [str(self.browser), *SWITCHES, f"--user-data-dir={folder}", "about:blank"]
        child = process.serve(command, log=log, death_signal=signal.SIGKILL)
        self._stack.callback(_end, child)
        port = _wait(lambda: _port(folder / PORT_FILE), "the browser does not start")
        address = _wait(lambda: _address(port), "the browser has no page")
        self._socket = websocket.create_connection(
            address, suppress_origin=True, timeout=ANSWER_SECONDS
        )
        self._stack.callback(self._socket.close)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer.

        :raises PageError: when it is refused, or not answered in time
        """
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message))
        deadline = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = json.loads(self._socket.recv())
            except websocket.WebSocketException as error:
                raise PageError(f"{method}: {error}") from error
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise PageError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])
            self._hear(answer)
        raise PageError(f"{method} was not answered in {ANSWER_SECONDS:.0f} s")

    def _hear(self, event: dict[str, Any]) -> None:
        """Keep what the page says, if it is a complaint."""
        complaint = complaint_of(event.get("method", ""), event.get("params", {}))
        if complaint:
            self.complaints.append(complaint)

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript.

        :raises PageError: when it throws
        """
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise PageError(f"{expression}: {_thrown(answer['exceptionDetails'])}")
        return answer["result"].get("value")

    def wait(self, expression: str, what: str, patience: float = 30.0) -> None:
        """Wait until an expression holds.

        :param what: said when it does not
        :raises PageError: after ``patience`` seconds
        """
        deadline = time.monotonic() + patience
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise PageError(f"{what} in {patience:.0f} s")
            time.sleep(POLL)

    def wait_for(self, selector: str, patience: float = 30.0) -> None:
        """Wait until something on the page matches, and is seen."""
        self.wait(
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            ".some((node) => node.getClientRects().length)",
            f"{selector} is not there",
            patience,
        )

    def click(self, selector: str) -> None:
        """Click the first that matches and is seen."""
        self.wait_for(selector)
        self.evaluate(
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            ".find((node) => node.getClientRects().length).click()"
        )

    def scroll_to(self, selector: str) -> None:
        """Bring the first that matches into the middle of the page."""
        self.wait_for(selector)
        self.evaluate(
            f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})"
        )

    def fill(self, selector: str, value: str) -> None:
        """Write into the first input that matches."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{found}.value = {json.dumps(value)}")

    def go(self, url: str) -> None:
        """Load a page anew."""
        self.call("Page.navigate", url=url)

    def resize(self, width: int, height: int, *, touch: bool) -> None:
        """Give the page a size, and fingers instead of a mouse."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=touch,
        )
        self.call("Emulation.setTouchEmulationEnabled", enabled=touch)

    def set_cookie(self, url: str, name: str, value: str) -> None:
        """Set a cookie for the pages of an address."""
        self.call("Network.setCookie", url=url, name=name, value=value)

    def picture(self) -> bytes:
        """Return the page as PNG, when nothing moves on it any more, or it moves all the time."""
        deadline = time.monotonic() + STILL_SECONDS
        last, current = b"", self._picture()
        while last != current and time.monotonic() < deadline:
            time.sleep(STILL_POLL)
            last, current = current, self._picture()
        return current

    def _picture(self) -> bytes:
        answer = self.call("Page.captureScreenshot", format="png")
        return base64.b64decode(answer["data"])


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the browser, and what it has started and left behind."""
    process.stop(child)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def complaint_of(method: str, parameters: dict[str, Any]) -> str:
    """Return what an event complains about; nothing of most.

    :param method: name of the event
    """
    if method == "Runtime.exceptionThrown":
        return _thrown(parameters["exceptionDetails"])
    if method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert"):
        return " ".join(str(_said(part)) for part in parameters["args"])
    if method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
        return f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}".strip()
    return ""


def _thrown(details: dict[str, Any]) -> str:
    exception = details.get("exception", {})
    return str(exception.get("description") or exception.get("value") or details["text"])


def _said(part: dict[str, Any]) -> Any:
    return part.get("value", part.get("description", part["type"]))


def _port(path: Path) -> int | None:
    lines = path.read_text().splitlines() if path.exists() else []
    return int(lines[0]) if len(lines) > 1 else None


def _address(port: int) -> str | None:
    """Return where the page of a browser listens."""
    with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/json/list", timeout=5) as answer:
        targets = json.load(answer)
    return next((t["webSocketDebuggerUrl"] for t in targets if t["type"] == "page"), None)


def _wait(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + START_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise SetupError(f"After {START_SECONDS:.0f} s {what}; name another by CHROMIUM=/path")
        time.sleep(POLL)
    return found
