"""A worker in little: its main thread waits for another, which hands it one task after the other.

Run by the interpreter that has Odoo: ``hand_over.py STAGE TASKS BUSY [lossy]``, with the file of
the stage, how many tasks there are, how many processes contend for the one processor, and whether
every second signal is lost. Prints how many tasks were done.
"""

import importlib.util
import itertools
import os
import signal
import sys
import threading


def load(path):
    """Return the module of a file, without the addon around it."""
    spec = importlib.util.spec_from_file_location("stage", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def contend(processes):
    """Share one processor with others, which end when this process does."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    parent = os.getpid()
    for _process in range(processes):
        if os.fork() == 0:
            while os.getppid() == parent:
                pass
            os._exit(0)


def lose_every_second(stage):
    """Let every second signal come at the moment at which it wakes nobody."""
    numbers = itertools.count()

    def hear(*signalled):
        if next(numbers) % 2:
            stage._take_over(*signalled)

    signal.signal(stage.HAND_OVER, hear)


def main(path, tasks, busy, lossy=""):
    stage = load(path).MainThread(None)
    if lossy:
        lose_every_second(stage)
    contend(int(busy))
    done = []

    def hand_over():
        for number in range(int(tasks)):
            stage.run(lambda number=number: done.append(number), lambda: None)

    thread = threading.Thread(target=hand_over, daemon=True)
    thread.start()
    thread.join()
    print(len(done))


main(*sys.argv[1:])
