"""The routes for monitoring, read by Prometheus itself, with several workers and servers."""

import json
import os
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from jobs import Jobs, wait_until

from dev import prometheus
from dev.terminal import SetupError

families = pytest.importorskip("prometheus_client.parser")

MODULES = ("test_queue_job", "test_queue_job_override")
TOKEN = "a token of the test"
MONITORING = Path(__file__).parents[2] / "docs" / "monitoring"

PROMETHEUS = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: queue_job
    metrics_path: /queue_job/metrics
    authorization:
      credentials: {token}
    static_configs:
      - targets: [{target}]
        labels:
          database: production
rule_files:
  - {rules}
"""


@pytest.fixture(scope="module")
def tool():
    """Return ``promtool``, or say why there is none."""
    try:
        prometheus.program("promtool")
    except SetupError as error:
        pytest.skip(f"no Prometheus: {error}")
    return prometheus.promtool


@pytest.fixture(scope="module")
def shared(make_shared_server):
    """Return a server with two workers that has a token, for the tests of this file."""
    return make_shared_server(env={"ODOO_QUEUE_JOB_METRICS_TOKEN": TOKEN})


def get(odoo, path, token=TOKEN):
    """Return status and text of what a server answers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{odoo.url}/queue_job/{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def figures(odoo):
    """Return every value by name and labels, as Prometheus' own library reads them."""
    status, text = get(odoo, "metrics")
    assert status == 200, text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families.text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found, name, **labels):
    return found.get((f"queue_job_{name}", tuple(sorted(labels.items()))), 0)


def total(found, name):
    """Return a counter over all channels and functions."""
    return sum(number for (key, _labels), number in found.items() if key == f"queue_job_{name}")


def test_health_says_whether_jobs_can_run(shared):
    jobs = Jobs(shared)
    jobs.wait(jobs.delay("noop"))
    status, text = get(shared, "health")
    assert (status, json.loads(text)["reasons"]) == (200, [])
    jobs.sql("UPDATE ir_module_module SET state = 'to upgrade' WHERE name = 'web_tour'")
    try:
        status, text = get(shared, "health")
        assert status == 503
        (reason,) = json.loads(text)["reasons"]
        assert reason["problem"] == "held"
        assert value(figures(shared), "held") == 1
    finally:
        jobs.sql("UPDATE ir_module_module SET state = 'installed' WHERE name = 'web_tour'")


def test_who_has_not_the_token_learns_nothing(shared):
    for path in ("health", "metrics"):
        for token in ("", "another", TOKEN + "x", TOKEN[:-1], "\xe4"):
            status, text = get(shared, path, token)
            assert status == 401, (path, token)
            assert "queue_job_" not in text


def test_without_a_token_the_routes_are_off(server):
    odoo = server(MODULES)
    assert get(odoo, "metrics")[0] == 404
    assert get(odoo, "health", "")[0] == 404
    odoo.rpc("ir.config_parameter", "set_param", ["queue_job.metrics_token", "of the database"])
    wait_until(lambda: get(odoo, "health", "of the database")[0] == 200, "the routes are on")
    assert get(odoo, "metrics", "")[0] == 401


def test_figures_are_those_of_the_jobs(shared, tool):
    jobs = Jobs(shared)
    before = figures(shared)
    done = jobs.delay("noop", times=20, channel="root.counted")
    failed = jobs.delay("fail", times=2, channel="root.counted")
    retried = jobs.delay("retry_until", 2, channel="root.counted")
    later = jobs.delay("noop", eta=3600)
    jobs.wait([*done, *failed, *retried])

    def counted():
        found = figures(shared)
        grown = {name: total(found, name) - total(before, name) for name in wanted}
        return grown == wanted and found

    wanted = {"done_total": 21, "failed_total": 2, "retried_total": 1, "started_total": 24}
    found = wait_until(counted, "the leader stores what it counted")
    assert value(found, "run_seconds_count", channel="root.counted") == 24
    assert value(found, "run_seconds_bucket", channel="root.counted", le="+Inf") == 24
    assert value(found, "wait_seconds_count", channel="root.counted") == 24
    assert value(found, "run_seconds_sum", channel="root.counted") > 0
    assert value(found, "leader") == 1
    assert value(found, "workers") == value(found, "workers_free") == 2
    assert value(found, "scheduled_jobs") == len(later)
    assert value(found, "capacity", channel="root") == 4
    status, said = tool("check", "metrics", text=get(shared, "metrics")[1])
    assert status == 0, said
    jobs.sql("DELETE FROM queue_job WHERE state IN ('done', 'failed')")
    jobs.sql("DELETE FROM queue_job_metric")
    assert total(figures(shared), "done_total") == total(found, "done_total")


def test_what_waits_and_is_paused_is_shown(shared):
    jobs = Jobs(shared)
    jobs.delay("noop", channel="root.held")
    model = "queue.job.channel"
    root = shared.rpc(model, "search", [[["name", "=", "root"]]])
    ids = [shared.rpc(model, "create", [{"name": "held", "parent_id": root[0]}])]
    shared.rpc(model, "action_pause", [ids])
    held = jobs.delay("noop", times=3, channel="root.held")

    def waits():
        found = figures(shared)
        return value(found, "waiting", channel="root.held") == 3 and found

    found = wait_until(waits, "three jobs wait")
    assert value(found, "paused", channel="root.held") == 1
    assert value(found, "oldest_seconds", channel="root.held") > 0
    shared.rpc(model, "action_resume", [ids])
    jobs.wait(held)


def test_a_killed_worker_is_counted(shared):
    jobs = Jobs(shared)
    before = total(figures(shared), "lost_total")
    uuids = jobs.delay("sleep", 1, "killed")
    os.kill(jobs.worker(uuids), signal.SIGKILL)
    assert jobs.wait(uuids) == ["done"]
    wait_until(lambda: total(figures(shared), "lost_total") == before + 1, "one was lost")


def test_two_servers_say_the_same_and_counters_outlive_the_leader(server):
    env = {"ODOO_QUEUE_JOB_METRICS_TOKEN": TOKEN}
    first = server(MODULES, env=env)
    second = server(database_name=first.database, env=env)
    jobs = Jobs(first)
    jobs.wait(jobs.delay("noop", times=50))
    wait_until(lambda: total(figures(first), "done_total") == 50, "the leader stores its sums")
    assert total(figures(second), "done_total") == 50
    assert value(figures(second), "nodes") == 2
    first.stop()
    jobs = Jobs(second)
    jobs.wait(jobs.delay("noop", times=10))
    wait_until(lambda: total(figures(second), "done_total") == 60, "the next leader adds to them")


def test_prometheus_reads_it(shared, tool, tmp_path):
    rules = MONITORING / "queue_job.rules.yml"
    target = shared.url.removeprefix("http://")
    text = PROMETHEUS.format(token=TOKEN, target=target, rules=rules)
    jobs = Jobs(shared)
    with prometheus.Prometheus(tmp_path / "prometheus", text) as watching:
        wait_until(lambda: watching.value('up{job="queue_job"}') == 1, "it scrapes")
        jobs.wait(jobs.delay("noop", times=30))

        def counted():
            done = watching.value("sum(queue_job_done_total)")
            return done is not None and done == total(figures(shared), "done_total")

        wait_until(counted, "it counts the same")
        half = "histogram_quantile(0.5, sum by (le) (queue_job_run_seconds_bucket))"
        assert 0 < watching.value(half) < 60
        (group,) = watching.ask("rules")["groups"]
        assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}
        for expression in dashboard_expressions():
            watching.ask("query", query=expression)
        assert watching.value('sum(queue_job_waiting{database="production", channel=~".*"})') == 0


def dashboard_expressions():
    """Return every expression of the dashboard, with its variables filled in."""
    board = json.loads((MONITORING / "grafana.json").read_text())
    variables = {"$database": "production", "$channel": ".*", "$__rate_interval": "1m"}
    for panel in board["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for name, meaning in variables.items():
                expression = expression.replace(name, meaning)
            assert "$" not in expression
            yield expression


def test_the_rules_and_the_configuration_are_right(tool, tmp_path):
    status, said = tool("check", "rules", MONITORING / "queue_job.rules.yml")
    assert status == 0, said
    for path in MONITORING.glob("*.yml"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "queue_job.token").write_text(TOKEN)
    status, said = tool("check", "config", tmp_path / "prometheus.yml")
    assert status == 0, said
    status, said = tool("test", "rules", rule_test(tmp_path))
    assert status == 0, said


def rule_test(folder):
    """Write a test of the alerts: a queue without leader, and one that stands still."""
    path = folder / "test.yml"
    labels = {"job": "queue_job", "instance": "one", "database": "production"}
    series = [
        {"series": written("queue_job_leader", labels), "values": "0x60"},
        {
            "series": written("queue_job_oldest_seconds", channel(labels, "root.a")),
            "values": "1000x60",
        },
        {"series": written("queue_job_paused", channel(labels, "root.a")), "values": "0x60"},
        {
            "series": written("queue_job_oldest_seconds", channel(labels, "root.b")),
            "values": "1000x60",
        },
        {"series": written("queue_job_paused", channel(labels, "root.b")), "values": "1x60"},
    ]
    alerts = [
        alert("QueueJobNoLeader", [labels]),
        alert("QueueJobStuck", [channel(labels, "root.a")]),
    ]
    content = {
        "rule_files": ["queue_job.rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": alerts}],
    }
    # JSON is YAML.
    path.write_text(json.dumps(content))
    return path


def channel(labels, name):
    return {**labels, "channel": name}


def written(name, labels):
    inside = ", ".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{inside}}}"


def alert(name, found):
    """Return what is expected of an alert after half an hour; texts are not compared."""
    severity = {"QueueJobNoLeader": "critical", "QueueJobStuck": "warning"}[name]
    texts = annotations(name)
    return {
        "eval_time": "30m",
        "alertname": name,
        "exp_alerts": [
            {
                "exp_labels": {**labels, "severity": severity},
                "exp_annotations": filled(texts, labels),
            }
            for labels in found
        ],
    }


def annotations(name):
    """Return the texts of an alert as they stand in the file."""
    lines = (MONITORING / "queue_job.rules.yml").read_text().split(f"- alert: {name}\n")[1]
    texts = {}
    for line in lines.split("- alert:")[0].splitlines():
        key, _colon, text = line.strip().partition(": ")
        if key in ("summary", "description"):
            texts[key] = text.strip('"')
    return texts


def filled(texts, labels):
    """Return texts with the labels, and the age that the test has, filled in."""
    found = {}
    for key, text in texts.items():
        found[key] = text.replace("{{ $value | humanizeDuration }}", "16m 40s")
        for label, meaning in labels.items():
            found[key] = found[key].replace(f"{{{{ $labels.{label} }}}}", meaning)
    return found
