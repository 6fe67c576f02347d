"""The load of the demonstration: a round of jobs every few seconds, for as long as it is asked to.

What a round has is the example addon's business; this only says when it is time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .server import OdooServer, RpcError
from .terminal import SetupError, say

MODEL = "queue_job_example.traffic"

ROUND_SECONDS = 5.0
"""From one round to the next."""

MOST_ROUNDS = 8 * 3600 // int(ROUND_SECONDS)
"""Eight hours: a demonstration that was forgotten comes to rest."""

MOST_REFUSALS = 12
"""Rounds in a row that may fail before the server is given up: a minute."""


class Traffic:
    """Rounds of jobs, delayed by whoever calls :meth:`go_on` often enough.

    :param play: delays the jobs of the round with this number
    :param clock: seconds that never go back
    """

    def __init__(
        self, play: Callable[[int], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._play = play
        self._clock = clock
        self._due_at = clock()
        self._refused = 0
        self.rounds = 0

    @property
    def is_over(self) -> bool:
        """Whether there were as many rounds as there may be."""
        return self.rounds >= MOST_ROUNDS

    def seconds_left(self) -> float:
        """Return how long it is until the next round."""
        return max(0.0, self._due_at - self._clock())

    def go_on(self) -> None:
        """Play the next round if its time has come; those that were missed are left out.

        :raises SetupError: when the server has not taken any for too long
        """
        if self.is_over or self.seconds_left():
            return
        self._due_at = self._clock() + ROUND_SECONDS
        try:
            self._play(self.rounds)
        except (OSError, RpcError) as error:
            self._refuse(error)
        else:
            self._refused = 0
        self.rounds += 1

    def _refuse(self, error: Exception) -> None:
        """Let a server be busy, for a while."""
        self._refused += 1
        if self._refused >= MOST_REFUSALS or not isinstance(error, OSError):
            raise SetupError(f"The server takes no jobs any more ({error}); read its log")


def seed_history(server: OdooServer) -> None:
    """Give the charts of a database the day before."""
    server.rpc(MODEL, "seed_history")


def traffic(server: OdooServer) -> Traffic:
    """Return the load of a server with the example addon."""
    return Traffic(lambda number: server.rpc(MODEL, "play", [number]))


@contextmanager
def in_background(load: Traffic) -> Iterator[None]:
    """Play round after round in a thread for as long as the block takes.

    :raises SetupError: at the end, when the server has not taken the load
    """
    ended = threading.Event()
    errors: list[SetupError] = []

    def play() -> None:
        try:
            while not load.is_over and not ended.wait(load.seconds_left()):
                load.go_on()
        except SetupError as error:
            errors.append(error)

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if errors:
        raise errors[0]


def run_until_interrupt(load: Traffic) -> None:
    """Play round after round until Ctrl-C; rest when there were enough."""
    try:
        while not load.is_over:
            load.go_on()
            time.sleep(load.seconds_left())
        say("There is no new load from here on; what is there is still served")
        while True:
            time.sleep(ROUND_SECONDS)
    except KeyboardInterrupt:
        say("\nStopping")
