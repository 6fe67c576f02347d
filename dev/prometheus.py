"""Prometheus and its ``promtool``: the system's, else Debian's, unpacked and not installed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import debian, process
from .network import LOOPBACK, free_port
from .terminal import SetupError

PACKAGE = "prometheus"
START_TIMEOUT = 30
STOP_TIMEOUT = 10
ASK_TIMEOUT = 10
TOOL_TIMEOUT = 60
POLL = 0.1
"""Seconds."""


def program(name: str = PACKAGE) -> Path:
    """Return ``prometheus`` or ``promtool``.

    :raises SetupError: when it is neither installed nor to be had
    """
    installed = shutil.which(name)
    if installed:
        return Path(installed)
    return debian.unpacked(PACKAGE) / "root" / "usr" / "bin" / name


def promtool(*words: str | Path, text: str | None = None) -> tuple[int, str]:
    """Run ``promtool``; return its exit status and what it said.

    :param text: for its standard input
    """
    ended = subprocess.run(
        [str(program("promtool")), *map(str, words)],
        input=text,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TOOL_TIMEOUT,
        check=False,
    )
    return ended.returncode, ended.stdout


class Prometheus:
    """A server on a free port, in a process that ends with this one; a context manager.

    :param folder: its home
    :param configuration: text of its configuration file
    """

    def __init__(self, folder: Path, configuration: str) -> None:
        self.home = folder
        self.home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._configuration = configuration
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Prometheus:
        path = self.home / "prometheus.yml"
        path.write_text(self._configuration)
        command = [
            str(program()),
            f"--config.file={path}",
            f"--storage.tsdb.path={self.home / 'data'}",
            f"--web.listen-address={LOOPBACK}:{self.port}",
        ]
        with (self.home / "prometheus.log").open("ab") as log:
            self._process = process.serve(
                command, log=log, death_signal=signal.SIGTERM, env=dict(os.environ)
            )
        try:
            self._wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None:
            process.stop(self._process, stop_signal=signal.SIGTERM, grace=STOP_TIMEOUT)

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the data that its API answers with."""
        query = urllib.parse.urlencode(parameters)
        url = f"http://{LOOPBACK}:{self.port}/api/v1/{path}?{query}"
        with urllib.request.urlopen(url, timeout=ASK_TIMEOUT) as answer:
            return json.load(answer)["data"]

    def value(self, expression: str) -> float | None:
        """Return what an expression comes to now; ``None`` when there is nothing yet."""
        found = self.ask("query", query=expression)["result"]
        return float(found[0]["value"][1]) if found else None

    def log_text(self) -> str:
        """Return its log so far."""
        return (self.home / "prometheus.log").read_text(errors="replace")

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            with suppress(OSError):
                url = f"http://{LOOPBACK}:{self.port}/-/ready"
                with urllib.request.urlopen(url, timeout=ASK_TIMEOUT):
                    return
            if self._process and self._process.poll() is not None:
                break
            time.sleep(POLL)
        raise SetupError(f"Prometheus did not start: {self.log_text()[-1000:]}")
