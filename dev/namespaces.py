"""A network of nodes on this machine, each of which can be cut off with its connections open.

Each node is a network namespace, held by a process that ends with this one. They are joined by a
bridge, which has a namespace of its own and an interface on the host. To cut a node off is to take
its port out of the bridge: packets get lost in silence, as with a cable that was pulled somewhere
in between.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from . import process
from .terminal import SetupError

TOOLS = ("ip", "unshare", "nsenter")

NET = "198.18.{}"
"""First bytes of the networks: a range that is set apart for tests of networks."""

NETS = 256
PREFIX_LENGTH = 24
HOST_NUMBER = 1
"""The host's own number in the network."""

FIRST_NUMBER = 11
"""The number of the first node."""

COMMAND_TIMEOUT = 20
START_TIMEOUT = 10.0
POLL = 0.01
"""Seconds."""

REMEDY = "run it as root, with iproute2 and util-linux installed"


def is_available() -> bool:
    """Tell whether namespaces can be made here."""
    if os.geteuid() != 0 or not all(map(shutil.which, TOOLS)):
        return False
    with suppress(SetupError):
        _run("unshare", "--net", "true")
        return True
    return False


class _Namespace:
    """A network namespace that is there as long as its process."""

    def __init__(self) -> None:
        with Path(os.devnull).open("ab") as log:
            self._process: subprocess.Popen[bytes] = process.serve(
                ["unshare", "--net", "sleep", "infinity"], log=log, death_signal=signal.SIGKILL
            )
        self.path = f"/proc/{self._process.pid}/ns/net"
        self.pid = self._process.pid
        self._wait()
        self.run("ip", "link", "set", "lo", "up")

    def _wait(self) -> None:
        """Wait until the process has left the namespace of this one."""
        ours = Path("/proc/self/ns/net").readlink()
        deadline = time.monotonic() + START_TIMEOUT
        while Path(self.path).readlink() == ours:
            if time.monotonic() > deadline:
                raise SetupError(f"No network namespace was made; {REMEDY}")
            time.sleep(POLL)

    @property
    def prefix(self) -> list[str]:
        """What a command begins with to run in it."""
        return ["nsenter", f"--net={self.path}"]

    def run(self, *command: str) -> None:
        """Run a command in it."""
        _run(*self.prefix, *command)

    def end(self) -> None:
        """Let it go; its interfaces go with it."""
        self._process.kill()
        self._process.wait()


class Node(_Namespace):
    """A machine of its own as far as the network can tell.

    :param network: what it is joined to
    :param number: its number there
    """

    def __init__(self, network: Network, number: int) -> None:
        super().__init__()
        self.address = network.address(number)
        self._network = network
        self._port = f"port{number}"
        network.plug(self, self._port)
        self.run("ip", "addr", "add", f"{self.address}/{PREFIX_LENGTH}", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")

    def cut(self) -> None:
        """Lose every packet from and to this node from now on."""
        self._network.switch("ip", "link", "set", self._port, "nomaster")

    def join(self) -> None:
        """Undo :meth:`cut`."""
        self._network.switch("ip", "link", "set", self._port, "master", "bridge")


class Network:
    """A bridge with nodes, and an address on the host; a context manager."""

    def __init__(self) -> None:
        self._net = _unused_net()
        self.host = self.address(HOST_NUMBER)
        self.cidr = f"{self._net}.0/{PREFIX_LENGTH}"
        self._switch: _Namespace | None = None
        self._nodes: list[Node] = []

    def __enter__(self) -> Network:
        self._switch = _Namespace()
        self.switch("ip", "link", "add", "bridge", "type", "bridge")
        self.switch("ip", "link", "set", "bridge", "up")
        interface = f"queuejob{os.getpid() % 1_000_000}"
        peer = ["type", "veth", "peer", "name", "host", "netns", str(self._switch.pid)]
        _run("ip", "link", "add", interface, *peer)
        _run("ip", "addr", "add", f"{self.host}/{PREFIX_LENGTH}", "dev", interface)
        _run("ip", "link", "set", interface, "up")
        self._attach("host")
        return self

    def __exit__(self, *_exception: object) -> None:
        for member in (*self._nodes, self._switch):
            if member:
                member.end()

    def node(self) -> Node:
        """Return a new node."""
        self._nodes.append(Node(self, FIRST_NUMBER + len(self._nodes)))
        return self._nodes[-1]

    def address(self, number: int) -> str:
        """Return the address of a number in this network."""
        return f"{self._net}.{number}"

    def switch(self, *command: str) -> None:
        """Run a command where the bridge is."""
        if self._switch:
            self._switch.run(*command)

    def plug(self, node: Node, port: str) -> None:
        """Join a node by a port of this name."""
        peer = ["type", "veth", "peer", "name", "eth0", "netns", str(node.pid)]
        self.switch("ip", "link", "add", port, *peer)
        self._attach(port)

    def _attach(self, port: str) -> None:
        self.switch("ip", "link", "set", port, "up")
        self.switch("ip", "link", "set", port, "master", "bridge")


def _unused_net() -> str:
    """Return the first bytes of a network that no interface of the host is in."""
    known = process.capture(
        ["ip", "-4", "-o", "addr", "show"], timeout=COMMAND_TIMEOUT, remedy=REMEDY
    )
    for number in range(NETS):
        net = NET.format((os.getpid() + number) % NETS)
        if f"{net}." not in known:
            return net
    raise SetupError("Every network that tests may use is in use; end other tests")


def _run(*command: str) -> None:
    process.capture(command, timeout=COMMAND_TIMEOUT, remedy=REMEDY)
