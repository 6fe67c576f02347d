"""Who may have a job run: what is signed, for this database, lately; no secret is in any log."""

import json
import threading
import time
import urllib.error
import urllib.request

import pytest
from core.report import write_lease
from core.signature import HEADER, VALID_SECONDS, sign
from jobs import Jobs, wait_until

MODULES = ("test_queue_job", "test_queue_job_override")

TIMEOUT = 60


def secret_of(cluster, database):
    query = "SELECT value FROM ir_config_parameter WHERE key = 'database.secret'"
    return cluster.execute(database, query)[0][0]


def post(odoo, body, signature, database=None, path="/queue_job/run"):
    """Post to a signed route; return the status and the answer."""
    headers = {"Content-Type": "application/json", HEADER: signature}
    headers["X-Odoo-Database"] = database or odoo.database
    request = urllib.request.Request(f"{odoo.url}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(errors="replace")


@pytest.fixture(scope="module")
def jobs(make_shared_server):
    """Return the jobs of a server whose runner is turned off: nobody else sends a lease."""
    return Jobs(make_shared_server(channels="root:0", workers=3))


class Request:
    """A lease of one job, as a runner would send it.

    :param jobs: of the server
    :param method: of the job
    """

    def __init__(self, jobs, method, *args):
        self.jobs = jobs
        self.uuids = jobs.delay(method, *args)
        self.give(1)
        number = jobs.one("id", self.uuids)
        self.body = write_lease([(number, 1)])
        self.secret = secret_of(jobs.server.cluster, jobs.server.database)
        self.signature = self.sign()

    def give(self, attempt):
        """Give the job to a worker, as the runner does."""
        self.jobs.sql(
            "UPDATE queue_job SET state = 'enqueued', attempt = %s WHERE uuid = %s",
            [attempt, *self.uuids],
        )

    def sign(self, **changes):
        parts = {
            "secret": self.secret,
            "database": self.jobs.server.database,
            "body": self.body,
            "now": time.time(),
            **changes,
        }
        return sign(**parts)

    def send(self, signature=None):
        return post(self.jobs.server, self.body, signature or self.signature)

    @property
    def state(self):
        return self.jobs.one("state", self.uuids)


def outcomes(answer):
    status, reports = answer
    assert status == 200, reports
    return [row[1] for row in reports["jobs"]]


def test_what_is_signed_runs(jobs):
    request = Request(jobs, "write_value", 5)
    assert outcomes(request.send()) == ["done"]
    assert request.state == "done"


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "guess"},
        {"secret": ""},
        {"database": "another"},
        {"body": b'{"jobs": []}'},
        {"now": -VALID_SECONDS - 60},
        {"now": VALID_SECONDS + 60},
        {"now": 10**15},
    ],
    ids=str,
)
def test_what_is_signed_otherwise_does_not_run(jobs, changes):
    request = Request(jobs, "noop")
    if "now" in changes:
        changes = {"now": time.time() + changes["now"]}
    status, text = request.send(request.sign(**changes))
    assert status == 403
    assert request.secret not in text
    assert request.state == "enqueued"
    assert outcomes(request.send()) == ["done"], "the good one is not spoilt by it"


def test_a_replay_runs_nothing_twice(jobs):
    """Whoever overhears a request may send it again for some minutes: nothing comes of it."""
    before = jobs.ledger("write")
    request = Request(jobs, "write_value", 1)
    assert outcomes(request.send()) == ["done"]
    for _again in range(5):
        assert outcomes(request.send()) == ["taken"]
    assert jobs.ledger("write") == before + 1


def test_a_replay_of_an_attempt_runs_no_later_one(jobs):
    """The job is requeued, and given to a worker again: that is another attempt."""
    before = jobs.ledger("write")
    request = Request(jobs, "write_value", 1)
    assert outcomes(request.send()) == ["done"]
    number = jobs.one("id", request.uuids)
    jobs.server.rpc("queue.job", "requeue", [[number]])
    assert outcomes(request.send()) == ["taken"], "it waits"
    request.give(2)
    assert outcomes(request.send()) == ["taken"], "it is another's"
    assert request.state == "enqueued"
    assert jobs.one("attempt", request.uuids) == 2
    assert jobs.ledger("write") == before + 1


def test_replays_while_the_job_runs_neither_start_nor_disturb_it(jobs):
    request = Request(jobs, "sleep", 2, "replayed")
    first = []
    sender = threading.Thread(target=lambda: first.append(request.send()))
    sender.start()
    wait_until(lambda: request.state == "started", "it runs")
    for _again in range(5):
        assert outcomes(request.send()) == ["taken"]
    assert request.state == "started"
    sender.join(TIMEOUT)
    assert outcomes(first[0]) == ["done"]
    assert jobs.ledger("replayed") == 1


def test_of_many_at_once_one_runs(jobs):
    before = jobs.ledger("write")
    request = Request(jobs, "write_value", 3)
    answers = []
    senders = [
        threading.Thread(target=lambda: answers.append(request.send())) for _sender in range(8)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(TIMEOUT)
    found = sorted(outcome for answer in answers for outcome in outcomes(answer))
    assert found == ["done"] + ["taken"] * 7
    assert jobs.ledger("write") == before + 1


def test_a_replay_of_what_was_taken_back_does_not_run(jobs):
    request = Request(jobs, "write_value", 4)
    number = jobs.one("id", request.uuids)
    jobs.server.rpc("queue.job", "button_cancelled", [[number]])
    assert outcomes(request.send()) == ["taken"]
    assert request.state == "cancelled"


def test_a_lease_names_a_job_twice_and_one_that_is_not_there(jobs):
    request = Request(jobs, "noop")
    number = jobs.one("id", request.uuids)
    request.body = write_lease([(number, 1), (number, 1), (2**31 - 1, 1)])
    assert outcomes(request.send(request.sign())) == ["done", "taken"]


def test_a_copy_of_the_database_is_not_meant(server, database, cluster):
    """A copy has the same secret, under another name."""
    names = [database(MODULES, name="signed_a"), database(MODULES, name="signed_b")]
    options = ["-d", ",".join(names), "--db-filter", "^signed_[ab]$"]
    odoo = server(database_name=names[0], workers=1, channels="root:0", options=options)
    assert secret_of(cluster, names[0]) == secret_of(cluster, names[1]), "both are copies"
    request = Request(Jobs(odoo), "noop")
    assert post(odoo, request.body, request.signature, names[1])[0] == 403
    assert outcomes(request.send()) == ["done"]


def test_a_request_is_bounded_however_it_comes(jobs):
    request = Request(jobs, "noop")
    request.body = b" " * 70_000
    assert request.send(request.sign())[0] == 413
    request.body = write_lease([(number, 1) for number in range(1, 20_000)])
    assert request.send(request.sign())[0] == 413
    chunked = urllib.request.Request(
        f"{jobs.server.url}/queue_job/run",
        data=iter([b" " * 1000] * 200),
        headers={HEADER: request.signature, "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(chunked, timeout=TIMEOUT)
    with refused.value as error:
        assert error.code in (403, 411, 413)
    assert outcomes(Request(jobs, "noop").send()) == ["done"]


def test_no_secret_is_in_a_log(server, own_cluster, template):
    """With everything logged that Odoo and the queue have to say, and failures of every kind."""
    cluster = own_cluster()
    template.create_on(cluster, "secrets", MODULES)
    password = "a-password-of-the-proxy"
    odoo = server(
        cluster=cluster,
        database_name="secrets",
        workers=2,
        options=["--log-level=debug_sql", "--log-handler=urllib3:DEBUG"],
        env={
            "ODOO_QUEUE_JOB_HTTP_AUTH_USER": "proxy",
            "ODOO_QUEUE_JOB_HTTP_AUTH_PASSWORD": password,
        },
    )
    jobs = Jobs(odoo)
    secret = secret_of(cluster, "secrets")
    jobs.wait(jobs.delay("noop", times=5) + jobs.delay("fail", "x"))
    body = write_lease([(1, 1)])
    for bad in ("x", sign(secret, "secrets", body, 0), sign("guess", "secrets", body, time.time())):
        assert post(odoo, body, bad)[0] == 403
    good = sign(secret, "secrets", b"{}", time.time())
    assert post(odoo, b"{}", good)[0] == 400
    (row,) = odoo.rpc("ir.config_parameter", "search", [[["key", "=", "database.secret"]]])
    odoo.rpc("ir.config_parameter", "write", [[row], {"value": "another-secret"}])
    jobs.wait(jobs.delay("noop", times=5))
    log = odoo.log_text()
    assert "/queue_job/run" in log, "it is there to be looked at"
    for hidden in (secret, password, good.partition(".")[2], HEADER):
        assert hidden not in log
    assert not cluster.password or cluster.password not in log
