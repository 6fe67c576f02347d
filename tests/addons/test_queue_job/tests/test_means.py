"""What a runner works with: threads that send, the news of deaths, and what looks after it."""

import os
import queue
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from unittest.mock import patch

from odoo.tests import BaseCase, TransactionCase

from odoo.addons.queue_job.jobrunner import database, dispatch
from odoo.addons.queue_job.jobrunner.deaths import Deaths
from odoo.addons.queue_job.jobrunner.dispatch import Dispatcher, Order
from odoo.addons.queue_job.jobrunner.waker import Waker
from odoo.addons.queue_job.settings import settings
from odoo.addons.queue_job.storage.connection import FollowedConnection, connect
from odoo.addons.queue_job.storage.forks import keep_from_children, kept_from_children

NOBODY = "http://127.0.0.1:9"
"""Port 9 is that of the discard protocol, which nothing here speaks."""

PATIENCE = 10.0


class TestDispatcher(BaseCase):
    def test_a_thread_that_cannot_make_connections_lives_on(self):
        answers = queue.SimpleQueue()
        dispatcher = Dispatcher(None)
        dispatcher.grow(1)
        make = dispatch._pool
        with (
            patch.object(dispatch, "_pool", side_effect=[MemoryError("no room"), make(None)]),
            self.assertLogs(dispatch.__name__, "ERROR"),
        ):
            for number in (1, 2):
                dispatcher.send(Order("db", "secret", NOBODY, number, (), answers.put))
            first, second = (answers.get(timeout=PATIENCE) for _number in range(2))
        self.assertIn("no room", first.problem)
        self.assertIn(NOBODY, second.problem)

    def test_threads_that_did_not_start_are_not_counted(self):
        dispatcher = Dispatcher(None)
        start = threading.Thread.start
        with (
            patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start")),
            self.assertRaises(RuntimeError),
        ):
            dispatcher.grow(1)
        answers = queue.SimpleQueue()
        with patch.object(threading.Thread, "start", start):
            dispatcher.grow(1)
        dispatcher.send(Order("db", "secret", NOBODY, 1, (), answers.put))
        self.assertEqual(answers.get(timeout=PATIENCE).lease, 1)


class TestDeaths(BaseCase):
    def test_a_signal_without_a_name_is_told_by_its_number(self):
        deaths = Deaths()
        nameless = signal.SIGRTMIN + 6
        for number in (signal.SIGKILL, nameless):
            with subprocess.Popen(["sleep", "60"]) as child:
                child.send_signal(number)
                deadline = time.monotonic() + PATIENCE
                while child.pid not in deaths.known() and time.monotonic() < deadline:
                    deaths.peek(child.pid)
                    time.sleep(0.01)
            name = "SIGKILL" if number == signal.SIGKILL else f"signal {nameless}"
            self.assertEqual(deaths.known()[child.pid], name)


class TestForks(BaseCase):
    """A process that a job forks has none of the connections."""

    def setUp(self):
        super().setUp()
        self.ours, self.theirs = socket.socketpair()
        self.addCleanup(self.ours.close)
        self.addCleanup(self.theirs.close)

    def in_child(self, descriptor):
        """Return what a child has by a descriptor."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(write, bytes(Path("/proc/self/fd", str(descriptor)).readlink()))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(write)
        with os.fdopen(read) as told:
            return told.read()

    def test_a_child_has_nothing_instead_and_the_parent_what_it_had(self):
        self.assertIn("socket", self.in_child(self.ours.fileno()))
        with kept_from_children(self.ours.fileno()):
            self.assertEqual(self.in_child(self.ours.fileno()), "/dev/null")
            self.ours.send(b"x")
            self.assertEqual(self.theirs.recv(1), b"x")
        self.assertIn("socket", self.in_child(self.ours.fileno()))

    def test_what_is_closed_costs_neither_its_number_nor_the_others(self):
        number = self.ours.fileno()
        keep_from_children(number)
        keep_from_children(self.theirs.fileno())
        with tempfile.NamedTemporaryFile() as file:
            self.ours.close()
            self.assertEqual(self.in_child(self.theirs.fileno()), "/dev/null")
            os.dup2(file.fileno(), number)
            self.addCleanup(os.close, number)
            self.assertEqual(self.in_child(number), file.name)


class TestWaker(BaseCase):
    def test_a_signal_handler_may_wake_whoever_it_interrupts_there(self):
        waker = Waker()

        def wake_within():
            with waker._guard:
                waker.wake()

        thread = threading.Thread(target=wake_within, daemon=True)
        thread.start()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())
        began = time.monotonic()
        waker.wait(PATIENCE)
        self.assertLess(time.monotonic() - began, PATIENCE)
        waker.close()


class TestSilence(TransactionCase):
    """A runner's connection is cut when a statement is not answered, and for nothing else."""

    def setUp(self):
        super().setUp()
        self.runner = database.DatabaseRunner(self.env.cr.dbname, settings(), None, None)
        name = "queue_job test"
        self.link = connect(self.env.cr.dbname, settings().database, name, FollowedConnection)
        self.addCleanup(self.link.close)
        self.runner._link = self.link

    def asks(self, query):
        """Run a statement in another thread; return it, and what it came to."""
        errors = []

        def ask():
            try:
                self.link.cursor().execute(query)
            except database.psycopg2.Error as error:
                errors.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        return thread, errors

    def wait_asked(self):
        deadline = time.monotonic() + PATIENCE
        while self.link.asked is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertIsNotNone(self.link.asked)

    def test_what_is_answered_is_not_cut_however_long_the_runner_took(self):
        with patch.object(database, "MUTE_SECONDS", -1):
            self.runner.watch()
        self.link.cursor().execute("SELECT 1")
        self.assertIsNone(self.link.asked)

    def test_what_is_not_answered_is_cut(self):
        thread, errors = self.asks("SELECT pg_sleep(20)")
        self.wait_asked()
        self.runner.watch()
        self.assertTrue(thread.is_alive(), "it has its time")
        with patch.object(database, "MUTE_SECONDS", 0), self.assertLogs(database.__name__):
            self.runner.watch()
        thread.join(PATIENCE)
        self.assertFalse(thread.is_alive())
        self.assertTrue(errors)
