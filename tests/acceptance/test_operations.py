"""``docs/operations.rst`` can be followed word by word: its commands, in their order."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from commands import PATIENCE
from jobs import Jobs, wait_until

from dev import prometheus
from dev.terminal import SetupError

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "operations.rst"
MODULES = ("test_queue_job", "test_queue_job_override")

EXAMPLE_UUID = "01890a5d-ac96-774b-bcce-b302099a8057"
EXAMPLE_TOKEN = "5a86c1f0e4b94f0f9a6f"

INSTALL_PATIENCE = 400
"""Seconds, for what installs or upgrades."""


def commands():
    """Yield the commands of the document, in their order."""
    for line in DOCUMENT.read_text().splitlines():
        found = re.match(r"\s*\$ (.*)", line)
        if found:
            yield found[1]


class Administrator:
    """Who types them.

    :param odoo: the server that the document speaks of
    """

    def __init__(self, odoo):
        self.odoo = odoo
        self.uuid = ""

    def follow(self, line):
        """Do what a line says; return what it wrote."""
        words = shlex.split(line)
        if words[0] == "odoo" and not {"queue_job", "--stop-after-init"} & set(words):
            return self.start()
        if words[0] == "odoo" and "--stop-after-init" in words:
            self.odoo.stop()
        return self.run(self.words(words))

    def start(self):
        """Start the server, and wait until its runner leads."""
        self.odoo.start()
        self.odoo.wait_ready()
        jobs = Jobs(self.odoo)
        jobs.wait(jobs.delay("noop"), patience=60) if not self.is_paused(jobs) else None
        return ""

    def is_paused(self, jobs):
        return jobs.sql("SELECT EXISTS (SELECT FROM queue_job_channel WHERE paused)") == [(True,)]

    def words(self, words):
        """Return the same words for the place where the test is."""
        meanings = {
            "production": self.odoo.database,
            EXAMPLE_UUID: self.uuid,
            "docs/monitoring/queue_job.rules.yml": str(
                ROOT / "docs" / "monitoring" / "queue_job.rules.yml"
            ),
        }
        words = [meanings.get(word, word) for word in words]
        words = [word.replace("http://localhost:8069", self.odoo.url) for word in words]
        if words[0] != "odoo":
            return words
        program = self.odoo.command()
        at = program.index("-c")
        words[words.index("odoo.conf")] = program[at + 1]
        path = ",".join(str(folder) for folder in self.odoo.odoo.addons_path(*self.odoo.addons))
        return [*program[:at], f"--addons-path={path}", *words[1:]]

    def run(self, words):
        """Run a command; nothing of what is documented may be misunderstood, or break."""
        if words[0] == "promtool":
            words[0] = str(prometheus.program("promtool"))
        env = {**os.environ, **self.odoo.env}
        patience = INSTALL_PATIENCE if "--stop-after-init" in words else PATIENCE
        ended = subprocess.run(
            words, env=env, capture_output=True, text=True, timeout=patience, check=False
        )
        assert ended.returncode == 0, (words, ended.stdout, ended.stderr)
        assert "Traceback" not in ended.stderr
        return ended.stdout


@pytest.fixture
def administrator(server):
    """Return who has a server that is down, with jobs in its table."""
    try:
        prometheus.program("promtool")
    except SetupError as error:
        pytest.skip(f"no promtool: {error}")
    settings = {"metrics_token": EXAMPLE_TOKEN}
    return Administrator(server(MODULES, settings=settings, channels="root:2", start=False))


def test_the_commands_can_be_typed(administrator):
    said = {}
    for line in commands():
        print(f"$ {line}")
        if "--since 24h" in line and "list --state failed" in line and not administrator.uuid:
            administrator.uuid = failed_job(administrator.odoo)
        said.setdefault(line, []).append(administrator.follow(line))
    told = {line.split(" -c ")[0]: texts for line, texts in said.items()}
    assert "All is well" in told["odoo queue_job self-test"][-1]
    health, metrics = (texts[0] for line, texts in said.items() if line.startswith("curl"))
    assert json.loads(health)["status"] == "pass"
    assert "queue_job_leader 1.0" in metrics
    retried = told["odoo queue_job retry --exception ValueError --since 24h --yes"][0]
    assert "1 of 1 jobs retried" in retried
    shown = told[f"odoo queue_job show {EXAMPLE_UUID}"][0]
    assert administrator.uuid in shown
    assert "paused until" in told["odoo queue_job channels"][1]


def failed_job(odoo):
    """Return a job that failed with what the document speaks of."""
    jobs = Jobs(odoo)
    uuids = jobs.delay("fail", "it is a ValueError")
    assert jobs.wait(uuids) == ["failed"]
    wait_until(lambda: jobs.one("exc_message", uuids), "it says why")
    return uuids[0]


def test_every_subcommand_is_in_the_document():
    text = DOCUMENT.read_text()
    source = (ROOT / "queue_job" / "commands" / "parser.py").read_text()
    names = re.findall(r'Subcommand\("([a-z-]+)"', source)
    assert len(names) > 10
    assert [name for name in names if f"``{name}" not in text] == []


def test_every_figure_and_alert_is_in_the_document():
    text = DOCUMENT.read_text()
    rules = (ROOT / "docs" / "monitoring" / "queue_job.rules.yml").read_text()
    alerts = re.findall(r"alert: (\w+)", rules)
    assert alerts
    assert [name for name in alerts if not re.search(rf"^{name} ", text, re.MULTILINE)] == []
    board = (ROOT / "docs" / "monitoring" / "grafana.json").read_text()
    used = set(re.findall(r"queue_job_[a-z_]+", rules + board))
    used = {re.sub("_(bucket|count|sum)$", "", name) for name in used}
    assert [name for name in sorted(used) if f"``{name}``" not in text] == []
