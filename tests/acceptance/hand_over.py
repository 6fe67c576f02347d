"""A worker in little: its main thread waits for another, which hands it one task after the other.

Run by the interpreter that has Odoo:

- ``hand_over.py STAGE TASKS BUSY [lossy]``, with the file of the stage, how many tasks there are,
  how many processes contend for the one processor, and whether every second signal is lost. Prints
  how many tasks were done.
- ``hand_over.py STAGE stop``: a signal that stops the worker comes and wakes nobody. Prints whether
  the main thread hears of it by itself, and after a nudge.
"""

import _thread
import importlib.util
import itertools
import os
import signal
import sys
import threading

DEAF_SECONDS, TRIES, PATIENCE = 0.5, 10, 20.0


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


def run_beside(work):
    """Do the work in a thread that the main one waits for, as Odoo's workers do."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join()


def hand_over(stage, tasks, busy, lossy=""):
    if lossy:
        lose_every_second(stage)
    contend(int(busy))
    done = []

    def work():
        for number in range(int(tasks)):
            stage.run(lambda number=number: done.append(number), lambda: None)

    run_beside(work)
    print(len(done))


def stop(stage):
    heard = threading.Event()
    signal.signal(signal.SIGINT, lambda *_signalled: heard.set())

    def work():
        # Noted as if it had come, which is all that is left of one that came in the wrong moment.
        # The main thread may not sleep yet at the first.
        for _try in range(TRIES):
            heard.clear()
            _thread.interrupt_main(signal.SIGINT)
            alone = heard.wait(DEAF_SECONDS)
            if not alone:
                break
        stage.nudge()
        print(alone, heard.wait(PATIENCE))

    run_beside(work)


def main(path, *words):
    stage = load(path).MainThread(None)
    if words == ("stop",):
        stop(stage)
    else:
        hand_over(stage, *words)


main(*sys.argv[1:])
