"""When a job ran, written down outside of every transaction.

A file for each job, in the folder that :data:`FOLDER` names. The kernel keeps it locked as long as
the job runs, and frees it when the process dies; a run that finds it locked overlaps another. It is
a file because what goes on while PostgreSQL is away is what has to be seen.
"""

import fcntl
import os
import time
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path

FOLDER = "TEST_QUEUE_JOB_WITNESS"
"""Variable of the environment; without it nothing is written."""


def witnessed(line=None):
    """Return a decorator that has the runs of a job written down.

    :param line: name of what only one job at a time may be in
    """

    def decorate(method):
        @wraps(method)
        def run(self, *args, **kwargs):
            with witness(self.env.context["job_uuid"], line):
                return method(self, *args, **kwargs)

        return run

    return decorate


@contextmanager
def witness(job, line=None):
    """Write down that a job begins, and that it ends."""
    folder = os.environ.get(FOLDER)
    if not folder:
        yield
        return
    with ExitStack() as held:
        names = [job, f"line-{line}"] if line else [job]
        alone = [_lock(held, Path(folder, name)) for name in names]
        _note(folder, job, "begin", all(alone))
        try:
            yield
        finally:
            _note(folder, job, "end", all(alone))


def _lock(held, path):
    """Lock a file for as long as ``held`` lasts; tell whether nobody had it."""
    file = held.enter_context(path.open("ab"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _note(folder, job, event, alone):
    """Add a line; one write, so that lines of two runs do not mix."""
    text = f"{event} {time.monotonic():.6f} {os.getpid()} {int(alone)}\n"
    with Path(folder, job).open("ab", buffering=0) as file:
        file.write(text.encode())
