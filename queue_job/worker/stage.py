"""Where the jobs of a lease run, so that they can be interrupted from beside.

Odoo's prefork workers serve requests in a thread while their main thread waits for its end. But
Python lets signals interrupt the main thread alone, be it in a sleep, in a socket or in a loop. So
a lease runs in the main thread, and the thread that was given it looks after it meanwhile.

Elsewhere, in threaded servers, a lease runs where it is, and a further thread looks after it. An
exception reaches it there at its next step in Python, not in a sleep or a socket.
"""

from __future__ import annotations

import contextvars
import ctypes
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from odoo.service.server import WorkerHTTP
from odoo.tools import config

if os.name == "posix":
    import resource

Result = TypeVar("Result")

LOOK_SECONDS = 0.1
"""How often somebody looks after a lease that lasts."""

HAND_OVER_SECONDS = 0.01
"""After which the main thread is signalled again when it has not taken the lease: a signal that
comes after its last look at them, and before it sleeps in the kernel again, is noted and wakes
nobody."""

NUDGE_SECONDS = 4.0
"""How often the main thread is made to look at its signals: after a lease it goes back to sleep,
and misses in that moment what Odoo sends to stop the worker."""

THREAD_FACTS = ("dbname", "uid", "url", "type")
"""What Odoo keeps of a request in attributes of its thread, for its log."""

FREE_SIGNALS = getattr(signal, "SIGRTMIN", 0)
"""The first of those that neither Odoo nor Python uses; some systems have none."""

_logger = logging.getLogger(__name__)


class InPlace:
    """Runs leases in the thread that was given them."""

    can_end_worker = False
    is_alone = False

    def run(self, work: Callable[[], Result], look: Callable[[], None]) -> Result:
        """Do the work, with somebody who looks after it until it has ended.

        :param work: takes as long as it takes
        :param look: called every :data:`LOOK_SECONDS` from another thread
        """
        ended = threading.Event()
        beside = threading.Thread(target=_look_until, args=(ended, look), daemon=True)
        beside.start()
        try:
            return work()
        finally:
            ended.set()

    def interrupt(self, thread: int, error: type[BaseException]) -> None:
        """Raise an exception in a thread, at its next step in Python."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))

    def keep_alive(self) -> None:
        """Nothing can be done here about Odoo's own limits."""

    def calm(self, thread: int) -> None:
        """Take back an exception that has not been raised yet."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None)


class MainThread:
    """Runs leases in the main thread of a worker; made there, at its start.

    :param worker: Odoo's object of this process
    """

    can_end_worker = True
    is_alone = True

    HAND_OVER = FREE_SIGNALS + 5
    INTERRUPT = FREE_SIGNALS + 6

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._ident = threading.get_ident()
        self._task: Callable[[], None] | None = None
        self._error: type[BaseException] | None = None
        self._nudge_at = 0.0
        signal.signal(self.HAND_OVER, self._take_over)
        signal.signal(self.INTERRUPT, self._raise)

    def run(self, work: Callable[[], Result], look: Callable[[], None]) -> Result:
        """Do the work in the main thread, and look after it here; see :meth:`InPlace.run`."""
        ended = threading.Event()
        context = contextvars.copy_context()
        facts = vars(threading.current_thread())
        outcome: list[Any] = []

        def task() -> None:
            _describe_thread(facts)
            try:
                outcome.extend((context.run(work), None))
            except BaseException as error:
                outcome.extend((None, error))
            finally:
                _describe_thread({})
                ended.set()

        self._hand_over(task, ended)
        _look_until(ended, look)
        result, error = outcome
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def _hand_over(self, task: Callable[[], None], ended: threading.Event) -> None:
        """Give the main thread its task; return when it has it."""
        self._task = task
        while self._task is task:
            signal.pthread_kill(self._ident, self.HAND_OVER)
            ended.wait(HAND_OVER_SECONDS)

    def nudge(self) -> None:
        """Let the main thread look at its signals, but not all the time: it wakes Odoo's loop."""
        now = time.monotonic()
        if now >= self._nudge_at:
            self._nudge_at = now + NUDGE_SECONDS
            signal.pthread_kill(self._ident, self.HAND_OVER)

    def interrupt(self, _thread: int, error: type[BaseException]) -> None:
        """Raise an exception in the main thread, also in a sleep or a socket."""
        self._error = error
        signal.pthread_kill(self._ident, self.INTERRUPT)

    def keep_alive(self) -> None:
        """Put off Odoo's own limits of time, for a job that is within its own limit."""
        self._worker.multi.pipe_ping(self._worker.watchdog_pipe)
        used = resource.getrusage(resource.RUSAGE_SELF)
        _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
        soft = int(used.ru_utime + used.ru_stime + config["limit_time_cpu"])
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))

    def calm(self, _thread: int) -> None:
        """Take back an exception that has not been raised yet."""
        self._error = None

    def _take_over(self, _number: int, _frame: Any) -> None:
        task, self._task = self._task, None
        if task:
            task()

    def _raise(self, _number: int, _frame: Any) -> None:
        error, self._error = self._error, None
        if error:
            raise error


Stage = InPlace | MainThread

_of_process: dict[int, Stage] = {}


def stage() -> Stage:
    """Return where leases of this process run."""
    return _of_process.get(os.getpid()) or _IN_PLACE


_IN_PLACE = InPlace()


def install() -> None:
    """Let Odoo's HTTP workers, which are started in their main thread, run leases there.

    Also where no runner is wanted: they take leases from the runner of another server.
    """
    if "queue_job" not in config["server_wide_modules"] or not FREE_SIGNALS:
        return
    WorkerHTTP.start = _setting_up(WorkerHTTP.start)
    WorkerHTTP.check_limits = _nudging(WorkerHTTP.check_limits)


def _setting_up(start: Any) -> Any:
    @wraps(start)
    def start_with_stage(self: Any) -> None:
        start(self)
        _of_process.clear()
        _of_process[os.getpid()] = MainThread(self)

    return start_with_stage


def _nudging(check_limits: Any) -> Any:
    @wraps(check_limits)
    def check(self: Any) -> None:
        check_limits(self)
        here = stage()
        if isinstance(here, MainThread):
            here.nudge()

    return check


def _look_until(ended: threading.Event, look: Callable[[], None]) -> None:
    while not ended.wait(LOOK_SECONDS):
        try:
            look()
        except Exception:
            # The next look may do better; the job itself is not to suffer from it.
            _logger.exception("nobody could look after the running job")


def _describe_thread(facts: dict[str, Any]) -> None:
    """Let Odoo's log find in this thread what it finds in another."""
    here = vars(threading.current_thread())
    for name in THREAD_FACTS:
        here.pop(name, None)
        if name in facts:
            here[name] = facts[name]
