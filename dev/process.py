"""Child processes: each has a time limit, and none outlives this process.

A child that serves (PostgreSQL, Odoo) runs in a session of its own, so that Ctrl-C reaches this
process alone and children are stopped in the right order. Where the kernel can, it also signals
them when this process is killed outright.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NoReturn

from .terminal import SetupError

PR_SET_PDEATHSIG = 1
"""``prctl`` option of Linux: the signal this process gets when the thread that started it ends."""

STOP_GRACE = 20.0
"""Seconds for a child to end by itself once asked; Odoo gives its own workers about ten."""

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a terminal, a service manager and a closing terminal send."""

Command = Sequence[str | os.PathLike[str]]


def tied_to_parent(death_signal: int) -> Callable[[], None] | None:
    """Return what a child runs before ``exec`` to get ``death_signal`` when its parent is killed.

    It holds for the thread that starts the child: start servers from the main thread.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def serve(
    command: Command,
    *,
    log: IO[bytes],
    death_signal: int,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, with its output in ``log``.

    :param user: account to run as, which only root may choose
    """
    return subprocess.Popen(
        command,
        cwd="/",
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=tied_to_parent(death_signal),  # noqa: PLW1509 - no threads here
        **as_user(user),
    )


def as_user(user: str | None) -> dict[str, Any]:
    """Return the ``Popen`` arguments that drop every right of root."""
    return {} if user is None else {"user": user, "group": _group(user), "extra_groups": []}


def _group(user: str) -> int:
    import pwd  # not on every system, and only root needs it

    return pwd.getpwnam(user).pw_gid


def run(
    command: Command,
    *,
    timeout: float,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | None = None,
) -> int:
    """Run to the end and return the exit status; neither the child nor its own outlive this call.

    :raises SetupError: when it takes longer than ``timeout`` seconds
    """
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
        preexec_fn=tied_to_parent(signal.SIGTERM),  # noqa: PLW1509 - no threads here
    ) as process:
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise SetupError(
                f"{_name(command)} took more than {timeout:.0f} s; try again"
            ) from None
        finally:
            stop(process)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def check(
    command: Command, *, timeout: float, remedy: str, env: Mapping[str, str] | None = None
) -> None:
    """Run with its output shown.

    :param remedy: what the user can do when it fails
    :raises SetupError: when it does not end with status 0
    """
    status = run(command, timeout=timeout, env=env)
    if status:
        raise SetupError(f"{_name(command)} ended with status {status}; {remedy}")


def capture(
    command: Command,
    *,
    timeout: float,
    remedy: str,
    user: str | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run silently and return what it printed.

    :raises SetupError: with the tail of its complaint, when it does not end with status 0
    """
    try:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            cwd="/",
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            **as_user(user),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{_name(command)} could not run ({error}); {remedy}") from error
    if done.returncode:
        complaint = (done.stderr or done.stdout).strip()[-500:]
        raise SetupError(f"{_name(command)} failed ({complaint}); {remedy}")
    return done.stdout


def stop(
    process: subprocess.Popen[bytes],
    *,
    stop_signal: int = signal.SIGTERM,
    grace: float = STOP_GRACE,
) -> None:
    """Ask the process to end, wait, then kill it. A process that ended already is only reaped."""
    if process.poll() is not None:
        return
    process.send_signal(stop_signal)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Ended(KeyboardInterrupt):
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.status = 128 + number


def end_by_exception() -> None:
    """Turn the signals that end a process into :class:`Ended`, so that every ``finally`` runs.

    Only the first one counts: make repeats the terminal's, and a second one would cut the clean-up
    short. SIGINT is among them because a shell ignores it for commands in the background.
    """
    for number in END_SIGNALS:
        signal.signal(number, _end)


def _end(number: int, _frame: object) -> NoReturn:
    for other in END_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Ended(number)


def _name(command: Command) -> str:
    return Path(command[0]).name
