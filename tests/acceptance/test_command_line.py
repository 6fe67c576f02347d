"""Every subcommand of ``odoo queue_job``, while the server runs and while it is down."""

import os
import pty
import select
import signal
import subprocess
import threading

import pytest
from commands import PATIENCE, answer, ask, command_line
from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(params=["up", "down"])
def place(request, server):
    """Return a server with jobs in its table, and those jobs; it is down or does not dispatch.

    Down it is as after a fault: the database is there, and nobody else.
    """
    odoo = server(MODULES, channels="root:0")
    jobs = Jobs(odoo)
    found = {
        "waiting": jobs.delay("noop", times=3, channel="root.a"),
        "later": jobs.delay("noop", eta=3600),
        "failed": jobs.delay("fail", times=2, channel="root.b"),
    }
    jobs.sql(
        "UPDATE queue_job SET state = 'failed', exc_name = 'builtins.ValueError', "
        "exc_message = 'the shop is closed', exc_info = 'Traceback' WHERE uuid = ANY(%s)",
        [found["failed"]],
    )
    if request.param == "down":
        odoo.stop()
    return odoo, jobs, found


def uuids(rows):
    return {row["uuid"] for row in rows}


def test_jobs_are_listed_and_shown(place):
    odoo, _jobs, found = place
    assert len(answer(odoo, "list")) == 6
    assert uuids(answer(odoo, "list", "--state", "failed")) == set(found["failed"])
    assert uuids(answer(odoo, "list", "--channel", "a", "--since", "1h")) == set(found["waiting"])
    assert uuids(answer(odoo, "list", "--exception", "SHOP")) == set(found["failed"])
    assert len(answer(odoo, "list", "--user", "admin", "--limit", "2")) == 2
    assert answer(odoo, "list", "--model", "res.partner") == []
    assert answer(odoo, "list", "--function", "nowhere") == []

    domain = '[("exc_message", "ilike", "SHOP"), ("state", "!=", "pending")]'
    assert uuids(answer(odoo, "list", "--domain", domain)) == set(found["failed"])
    newest = answer(odoo, "list", "--domain", "[]", "--limit", "2")
    assert [row["uuid"] for row in newest] == found["failed"][::-1]
    assert answer(odoo, "list", "--domain", domain, "--channel", "a") == []
    for nonsense in ('["&"]', '[["user_id.login", "=", "admin"]]', '[["state", "?", 1]]'):
        ended = ask(odoo, "list", "--domain", nonsense)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "Traceback" not in ended.stderr

    text = ask(odoo, "list", "--state", "failed").stdout
    assert found["failed"][0] in text
    assert "the shop is closed" in text
    assert "\x1b" not in text, "no colours where nobody sees them"

    shown = answer(odoo, "show", found["failed"][0])
    assert (shown["state"], shown["exc_info"]) == ("failed", "Traceback")
    assert "the shop is closed" in ask(odoo, "show", found["failed"][0]).stdout
    assert ask(odoo, "show", NOBODY).returncode == 1


def test_jobs_are_retried_and_cancelled(place):
    odoo, jobs, found = place
    assert ask(odoo, "retry").returncode == 2, "all of them only when they are meant"
    tried = answer(odoo, "retry", "--channel", "b", "--dry-run")
    assert tried == {"found": 2, "changed": 0, "dry_run": True}
    assert set(jobs.column("state", found["failed"])) == {"failed"}

    tried = answer(odoo, "retry", "--domain", '[["channel", "=", "root.b"]]', "--dry-run")
    assert tried["found"] == 2
    assert answer(odoo, "retry", found["failed"][0])["changed"] == 1
    assert jobs.column("state", found["failed"]) == ["pending", "failed"]
    assert answer(odoo, "retry", "--all")["changed"] == 1
    assert set(jobs.column("state", found["failed"])) == {"pending"}
    assert answer(odoo, "retry", NOBODY, code=1)["found"] == 0

    assert answer(odoo, "cancel", "--channel", "a", "--limit", "2")["changed"] == 2
    assert sorted(jobs.column("state", found["waiting"])) == ["cancelled", "cancelled", "pending"]
    assert answer(odoo, "cancel", *found["later"])["changed"] == 1
    assert jobs.column("state", found["later"]) == ["cancelled"]


def test_channels_are_shown_and_set(place):
    odoo, _jobs, _found = place
    by_name = {row["channel"]: row for row in answer(odoo, "channels")}
    assert (by_name["root.a"]["waiting"], by_name["root.a"]["paused"]) == (3, False)

    assert ask(odoo, "pause", "a", "--reason", "stock taking", "--until", "2h").returncode == 0
    (channel,) = answer(odoo, "channels", "show", "a")
    assert channel["paused"]
    assert channel["reason"] == "stock taking"
    assert channel["until"]
    assert "stock taking" in ask(odoo, "channels").stdout
    assert ask(odoo, "resume", "a").returncode == 0
    assert not answer(odoo, "channels", "show", "a")[0]["paused"]

    assert ask(odoo, "channels", "set", "root.a", "--capacity", "7").returncode == 0
    assert answer(odoo, "channels", "show", "a")[0]["capacity"] == 7
    assert ask(odoo, "channels", "set", "a").returncode == 2
    nowhere = ask(odoo, "pause", "nowhere")
    assert nowhere.returncode == 1
    assert "root.a" in nowhere.stderr, "it says which there are"


def test_the_queue_is_looked_at(place):
    odoo, _jobs, found = place
    now = answer(odoo, "stats", "--since", "1h", "--by", "channel")["now"]
    assert (now["waiting"], now["scheduled"], now["failed"]) == (3, 1, 2)
    assert "3 ready" in ask(odoo, "stats").stdout
    assert answer(odoo, "nodes", code=1) == [], "no runner is there"
    explained = answer(odoo, "explain", found["waiting"][0])
    assert "No runner is connected" in explained["explanation"]
    assert "no_runner" in {found["problem"] for found in answer(odoo, "self-test", code=1)}
    assert ask(odoo, "release").returncode == 0


def test_what_is_not_understood_ends_with_2(server):
    odoo = server(MODULES, channels="root:0", start=False)
    # What can be wrong is tried in tests/unit/test_command_parser.py, in no time.
    for wrong in ((), ("explain",), ("list", "--since", "yesterday")):
        assert ask(odoo, *wrong).returncode == 2, wrong
    helped = ask(odoo, "--help")
    assert helped.returncode == 0
    assert "exit codes" in helped.stdout


def test_a_database_that_is_not_there_is_named(server):
    odoo = server(MODULES, channels="root:0", start=False)
    ended = ask(odoo, "list", "--database=queue_job_nowhere")
    assert ended.returncode == 1
    assert "queue_job_nowhere" in ended.stderr
    assert "Traceback" not in ended.stderr
    ended = ask(odoo, "list", "-d", "postgres")
    assert ended.returncode == 1
    assert "not installed" in ended.stderr


def test_drain_runs_what_is_ready_and_ends(place):
    odoo, jobs, found = place
    assert answer(odoo, "retry", "--all")["changed"] == 2
    assert ask(odoo, "pause", "b").returncode == 0
    first = answer(odoo, "drain", "--limit", "1", code=1)
    assert (first["done"], first["left"], first["here"]) == (1, 2, True)
    rest = answer(odoo, "drain", "--timeout", "60")
    assert (rest["done"], rest["failed"], rest["left"], rest["paused"]) == (2, 0, 0, 2)
    assert set(jobs.column("state", found["waiting"])) == {"done"}
    assert jobs.column("state", found["later"]) == ["pending"]
    assert set(jobs.column("state", found["failed"])) == {"pending"}, "their channel is paused"
    assert ask(odoo, "resume", "b").returncode == 0
    failed = answer(odoo, "drain", code=1)
    assert (failed["done"], failed["failed"], failed["left"]) == (0, 2, 0)
    figures = answer(odoo, "stats", "--by", "channel")["channel"]
    assert {row["channel"]: row["done"] for row in figures}["root.a"] == 3


def test_drain_waits_for_servers_that_dispatch(server):
    odoo = server(MODULES)
    jobs = Jobs(odoo)
    wait_until(
        lambda: jobs.sql("SELECT id FROM queue_job_node WHERE date_leading IS NOT NULL"), "a leader"
    )
    slow = jobs.delay("sleep", 0.5, "drained", times=8)
    drained = answer(odoo, "drain", "--timeout", "60")
    assert (drained["left"], drained["here"]) == (0, False)
    assert set(jobs.column("state", slow)) == {"done"}
    assert ask(odoo, "drain", "--limit", "1").returncode == 1, "what others run has no limit"
    (node,) = answer(odoo, "nodes")
    assert node["leads"]
    assert node["slots"] == 2


def test_drain_ends_with_the_job_that_runs(server):
    odoo = server(MODULES, channels="root:0")
    jobs = Jobs(odoo)
    slow = jobs.delay("sleep", 2, "slow", times=2)
    odoo.stop()
    words, env = command_line(odoo, "root:1", "drain")
    with (odoo.folder / "drain.log").open("wb") as log:
        draining = subprocess.Popen(words, env=env, stdout=log, stderr=log)
        try:
            jobs.wait(slow[:1], ["started"], PATIENCE)
            draining.send_signal(signal.SIGTERM)
            assert draining.wait(PATIENCE) == 1
        finally:
            draining.kill()
            draining.wait()
    assert jobs.column("state", slow) == ["done", "pending"]
    assert jobs.ledger("slow") == 1


def test_a_terminal_has_colours_and_is_asked(place):
    odoo, jobs, found = place
    assert "\x1b[31m" in typed(odoo, ["list", "--state", "failed"])
    assert "\x1b" not in typed(odoo, ["list", "--state", "failed"], NO_COLOR="1")
    said = typed(odoo, ["cancel", "--channel", "a"], says="n\n")
    assert "3 jobs are cancelled?" in said
    assert set(jobs.column("state", found["waiting"])) == {"pending"}
    said = typed(odoo, ["cancel", "--channel", "a"], says="y\n")
    assert "3 of 3" in said
    assert "[####" in said, "a progress bar"
    assert set(jobs.column("state", found["waiting"])) == {"cancelled"}


def typed(odoo, words, says="", **environment):
    """Return what a command writes to a terminal."""
    given, env = command_line(odoo, "root:1", *words)
    ours, theirs = pty.openpty()
    env = {**env, "TERM": "xterm", **environment}
    running = subprocess.Popen(given, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    stop = threading.Timer(120, running.kill)
    stop.start()
    try:
        if says:
            os.write(ours, says.encode())
        text = b"".join(read_all(ours)).decode()
        running.wait()
        return text
    finally:
        stop.cancel()
        running.kill()
        running.wait()
        os.close(ours)


def read_all(terminal):
    """Yield what is written until nobody is left who could write."""
    while select.select([terminal], [], [], 120)[0]:
        try:
            found = os.read(terminal, 65_536)
        except OSError:
            return
        if not found:
            return
        yield found
