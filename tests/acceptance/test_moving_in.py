"""Moving a database over from the community's addon of the same name, and back out again.

Its real addon is fetched from PyPI, installed, given jobs of every kind, and killed in the midst of
them; then ours takes its place by ``-u queue_job``. Where it cannot be fetched, this is skipped.
"""

import json
from textwrap import dedent

import pytest
from jobs import wait_until

from dev import cache, process
from dev import community as dev_community
from dev.postgres import OWN_PREFIX
from dev.server import SERVER_WIDE, OdooServer
from dev.terminal import SetupError

UPGRADE_TIMEOUT = 600

DATABASE = f"{OWN_PREFIX}moving"

LEAVING = cache.CHECKOUT / "queue_job" / "migrations" / "leaving.sql"

HOOK = (
    "from odoo.addons.queue_job.post_init_hook import post_init_hook\n"
    "post_init_hook(env)\nenv.cr.commit()\n"
)
"""What the community's addon does when it is installed, but not when it is put back."""

HISTORY = 20_000
"""Finished jobs that are just there."""

ADDON = {
    "__init__.py": "from . import models\n",
    "__manifest__.py": """
        {
            "name": "An addon that uses jobs",
            "author": "Somebody else",
            "version": "19.0.1.0.0",
            "license": "LGPL-3",
            "depends": ["queue_job"],
            "data": ["ir.model.access.csv", "data.xml", "views.xml"],
        }
        """,
    "models.py": """
        import time

        from odoo import fields, models

        from odoo.addons.queue_job.delay import chain, group
        from odoo.addons.queue_job.exception import RetryableJobError
        from odoo.addons.queue_job.job import identity_exact


        class MovingThing(models.Model):
            _name = "moving.thing"
            _description = "Has jobs"

            name = fields.Char()
            text = fields.Char()

            def note(self, text, day=None, moment=None, others=None):
                \"\"\"Write down what was asked for\"\"\"
                parts = [text, day, moment, others and sorted(others.mapped("name"))]
                self.create({"name": "note", "text": " ".join(str(p) for p in parts if p)})

            def note_dict(self, first, second=None):
                \"\"\"Write down dicts as they come\"\"\"
                self.note(f"{first} {second}")

            def fail(self):
                raise ValueError("no such thing")

            def come_back(self):
                raise RetryableJobError("not now", seconds=36000)

            def last(self):
                \"\"\"Last as long as the parameter says\"\"\"
                self.note("lasting")
                seconds = self.env["ir.config_parameter"].sudo().get_param("moving_in.seconds")
                time.sleep(float(seconds))

            def uuids(self, **calls):
                return {name: call._generated_job.uuid for name, call in calls.items()}

            def delay_to_end(self):
                day, moment = fields.Date.to_date("2024-02-29"), fields.Datetime.to_datetime(
                    "2024-02-29 12:30:00")
                done = self.with_delay(description="a good one").note(
                    "done", day, moment=moment, others=self)
                calls = {
                    "parent_done": self.delayable().note("parent_done"),
                    "parent_failed": self.delayable().fail(),
                    "child_of_failed": self.delayable().note("child_of_failed"),
                    "chain_1": self.delayable().note("chain_1"),
                    "chain_2": self.delayable().note("chain_2"),
                }
                chain(group(calls["parent_done"], calls["parent_failed"]),
                      calls["child_of_failed"]).delay()
                chain(calls["chain_1"], calls["chain_2"]).delay()
                return {
                    "done": done.uuid,
                    "failed": self.with_delay().fail().uuid,
                    "postponed": self.with_delay(max_retries=0).come_back().uuid,
                    "to_be_cancelled": self.with_delay(eta=86400).note("never").uuid,
                    "to_be_set_done": self.with_delay(eta=86400).note("never").uuid,
                    **self.uuids(**calls),
                }

            def delay_to_wait(self):
                held = {"channel": "root.held"}
                calls = {
                    "held_parent": self.delayable(**held).note("held_parent"),
                    "held_child": self.delayable().note("held_child"),
                    "held_sibling": self.delayable().note("held_sibling"),
                    "held_grandchild": self.delayable().note("held_grandchild"),
                }
                chain(calls["held_parent"],
                      group(calls["held_child"], calls["held_sibling"]),
                      calls["held_grandchild"]).delay()
                when = fields.Datetime.to_datetime("2024-12-31 23:00:00")
                things = self.search([("name", "!=", "note")])
                return {
                    "pending": self.with_delay(priority=3, **held).note(
                        "pending", when.date(), moment=when, others=things).uuid,
                    "ordered": self.with_delay(**held).note_dict(
                        {"zz": 1, "a": [{"é": 1e20, "b": {}}]}, second={"y": {"bb": 1, "c": 2}}
                    ).uuid,
                    "no_root": self.with_delay(channel="held").note("no_root").uuid,
                    "tomorrow": self.with_delay(eta=86400).note("tomorrow").uuid,
                    "soon": self.with_delay(eta=1, **held).note("soon").uuid,
                    "keyed": self.with_delay(identity_key="one", **held).note("keyed").uuid,
                    "exact": self.with_delay(identity_key=identity_exact, **held).note(
                        "exact").uuid,
                    **self.uuids(**calls),
                }

            def delay_lasting(self, times, key=None):
                return [
                    self.with_delay(identity_key=key).last().uuid for _number in range(times)
                ]

            def delay_keyed(self, key):
                held = self.with_delay(identity_key=key, channel="root.held")
                return held.note("keyed " + key).uuid

            def delay_own_graph(self):
                \"\"\"For the way back\"\"\"
                later = {"eta": 2, "channel": "root.held"}
                calls = {
                    "own_parent": self.delayable(**later).note("own_parent"),
                    "own_child": self.delayable().note("own_child", others=self),
                    "own_tuple": self.delayable().note(("a", "b")),
                }
                chain(calls["own_parent"], group(calls["own_child"], calls["own_tuple"])).delay()
                dicts = self.delayable().note_dict({"zz": 1, "a": 2}, second=(1e20,))
                calls.update({"own_dict": dicts, "own_first": self.delayable(**later).note("1")})
                chain(calls["own_first"], dicts).delay()
                return {
                    "own_set": self.with_delay(**later).note({"a"}).uuid,
                    "own_tomorrow": self.with_delay(eta=86400).note("own_tomorrow").uuid,
                    **self.uuids(**calls),
                }

            def vacuum(self):
                self.env["queue.job"].sudo()._gc_old_jobs()
                return True


        class QueueJob(models.Model):
            _inherit = "queue.job"

            moving_note = fields.Char()


        class QueueJobFunction(models.Model):
            _inherit = "queue.job.function"

            moving_note = fields.Char()
        """,
    "ir.model.access.csv": """
        id,name,model_id:id,group_id:id,perm_read,perm_write,perm_create,perm_unlink
        access_moving_thing,moving.thing,model_moving_thing,base.group_user,1,1,1,1
        """,
    "data.xml": """
        <odoo>
            <record id="channel_held" model="queue.job.channel">
                <field name="name">held</field>
                <field name="parent_id" ref="queue_job.channel_root"/>
            </record>
            <record id="channel_later" model="queue.job.channel">
                <field name="name">later</field>
                <field name="parent_id" ref="queue_job.channel_root"/>
            </record>
            <record id="function_come_back" model="queue.job.function">
                <field name="model_id" ref="model_moving_thing"/>
                <field name="method">come_back</field>
                <field name="channel_id" ref="channel_later"/>
                <field name="retry_pattern" eval="{1: 10, 5: [20, 30]}"/>
                <field name="related_action"
                       eval="{'func_name': 'related_action_open_record', 'kwargs': {}}"/>
            </record>
        </odoo>
        """,
    "views.xml": """
        <odoo>
            <record id="view_queue_job_form" model="ir.ui.view">
                <field name="model">queue.job</field>
                <field name="inherit_id" ref="queue_job.view_queue_job_form"/>
                <field name="arch" type="xml">
                    <xpath expr="//header" position="inside">
                        <button name="open_related_action" string="Mine" type="object"/>
                    </xpath>
                    <xpath expr="//header/button[@name='requeue']" position="after">
                        <button name="open_related_action" string="Mine" type="object"/>
                    </xpath>
                    <xpath expr="//sheet//group" position="inside">
                        <field name="moving_note"/>
                    </xpath>
                    <xpath expr="//div[@name='button_box']" position="inside">
                        <button name="open_graph_jobs" string="Mine" type="object"/>
                    </xpath>
                    <field name="name" position="attributes">
                        <attribute name="class">moving</attribute>
                    </field>
                    <field name="channel" position="after"><field name="moving_note"/></field>
                    <field name="priority" position="after"><field name="moving_note"/></field>
                    <field name="eta" position="after"><field name="moving_note"/></field>
                    <field name="company_id" position="after"><field name="moving_note"/></field>
                    <field name="job_function_id" position="after">
                        <field name="moving_note"/>
                    </field>
                    <field name="user_id" position="after"><field name="moving_note"/></field>
                    <field name="uuid" position="after"><field name="moving_note"/></field>
                    <field name="date_done" position="after"><field name="moving_note"/></field>
                    <xpath expr="//field[@name='result']" position="before">
                        <field name="moving_note"/>
                    </xpath>
                    <xpath expr="//notebook" position="inside">
                        <page string="Mine"><field name="moving_note"/></page>
                    </xpath>
                </field>
            </record>
            <record id="view_queue_job_tree" model="ir.ui.view">
                <field name="model">queue.job</field>
                <field name="inherit_id" ref="queue_job.view_queue_job_tree"/>
                <field name="arch" type="xml">
                    <field name="name" position="after"><field name="moving_note"/></field>
                    <field name="state" position="after"><field name="moving_note"/></field>
                    <field name="company_id" position="before"><field name="moving_note"/></field>
                    <field name="channel" position="before"><field name="moving_note"/></field>
                </field>
            </record>
            <record id="view_queue_job_search" model="ir.ui.view">
                <field name="model">queue.job</field>
                <field name="inherit_id" ref="queue_job.view_queue_job_search"/>
                <field name="arch" type="xml">
                    <field name="name" position="after"><field name="moving_note"/></field>
                    <xpath expr="//filter[@name='failed']" position="after">
                        <filter name="noted" string="Noted"
                                domain="[('moving_note', '!=', False)]"/>
                    </xpath>
                    <xpath expr="//filter[@name='group_by_channel']" position="after">
                        <filter name="by_note_2" string="N" context="{'group_by': 'moving_note'}"/>
                    </xpath>
                </field>
            </record>
            <record id="view_queue_job_function_form" model="ir.ui.view">
                <field name="model">queue.job.function</field>
                <field name="inherit_id" ref="queue_job.view_queue_job_function_form"/>
                <field name="arch" type="xml">
                    <field name="channel_id" position="after"><field name="moving_note"/></field>
                </field>
            </record>
            <record id="view_queue_job_function_tree" model="ir.ui.view">
                <field name="model">queue.job.function</field>
                <field name="inherit_id" ref="queue_job.view_queue_job_function_tree"/>
                <field name="arch" type="xml">
                    <field name="name" position="after"><field name="moving_note"/></field>
                </field>
            </record>
            <record id="view_queue_job_channel_form" model="ir.ui.view">
                <field name="model">queue.job.channel</field>
                <field name="inherit_id" ref="queue_job.view_queue_job_channel_form"/>
                <field name="arch" type="xml">
                    <field name="removal_interval" position="after"><field name="name"/></field>
                </field>
            </record>
        </odoo>
        """,
}
"""A dependent addon that runs with either."""


class Move:
    """A database on its way between two addons of the same name."""

    def __init__(self, odoo, cluster, community, folder):
        self.odoo = odoo
        self.cluster = cluster
        self.community = community
        self.folder = folder
        self.server = None
        self.uuids = {}

    def sql(self, statement, parameters=None):
        """Run a statement beside Odoo."""
        return self.cluster.execute(DATABASE, statement, parameters)

    def rows(self, where="true"):
        """Return jobs by their numbers."""
        found = self.sql(f"SELECT to_jsonb(queue_job) FROM queue_job WHERE {where}")
        return {row["id"]: row for (row,) in found}

    def state(self, *names):
        """Return the states of jobs by their names here."""
        wanted = [self.uuids[name] for name in names]
        found = dict(self.sql("SELECT uuid, state FROM queue_job WHERE uuid = ANY(%s)", [wanted]))
        return [found[uuid] for uuid in wanted]

    def notes(self):
        """Return the texts that jobs wrote down, with how often they did."""
        rows = self.sql("SELECT text, count(*) FROM moving_thing WHERE name = 'note' GROUP BY text")
        return dict(rows)

    def use_community(self, channels):
        """Name the community's server, not started."""
        addons = [*self._odoo_addons(), self.community / "addons", self.folder]
        path = f"{self.odoo.path}:{self.community / 'libraries'}"
        return self._make(addons, {"PYTHONPATH": path, "ODOO_QUEUE_JOB_CHANNELS": channels})

    def use_ours(self, channels="root:2"):
        """Name our server, not started."""
        addons = [*self._odoo_addons(), cache.CHECKOUT, self.folder]
        return self._make(addons, {"ODOO_CONNECTOR_CHANNELS": channels})

    def _odoo_addons(self):
        return [self.odoo.path / "odoo" / "addons", self.odoo.path / "addons"]

    def _make(self, addons, env):
        self.stop()
        option = "--addons-path=" + ",".join(map(str, addons))
        self.server = OdooServer(
            self.odoo, self.cluster, DATABASE, load=SERVER_WIDE, env=env, options=[option]
        )
        return self.server

    def start(self):
        """Start the server and wait for it."""
        self.server.start()
        self.server.wait_ready()

    def stop(self):
        """End the server, if there is one, and show its log."""
        if self.server:
            self.server.stop()
            print(f"--- {self.server.log}\n{self.server.log_text()[-6000:]}")

    def upgrade(self):
        """Put the addon of the server over the database, and return the log of that."""
        return self._run(
            self.server.command("-u", "queue_job", "--stop-after-init", "--workers=0", "--no-http")
        )

    def run_shell(self, text):
        """Type a text into Odoo's shell, and return the log up to its end."""
        source = self.folder / "typed"
        source.write_text(text)
        launcher = len(self.odoo.command())
        command = self.server.command("--no-http")
        command.insert(launcher, "shell")
        return self._run(["sh", "-c", 'exec "$@" < "$0"', str(source), *command])

    def _run(self, command):
        with self.server.log.open("ab") as log:
            status = process.run(command, timeout=UPGRADE_TIMEOUT, env=self.server.env, output=log)
        assert status == 0, self.server.log_text()[-6000:]
        return self.server.log_text()

    def until(self, condition, what, patience=60):
        """Wait for jobs."""
        wait_until(condition, what, patience)


@pytest.fixture(scope="module")
def community(request):
    """Return a folder with the community's addon and what it imports."""
    try:
        return dev_community.folder()
    except SetupError as error:
        reason = f"NOT TESTED: {dev_community.REQUIREMENT} cannot be had ({error})"
        request.config.pluginmanager.getplugin("terminalreporter").write_line(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def move(odoo, cluster, template, community, tmp_path_factory):
    """Return a database with the community's addon, jobs of every kind, and no server."""
    folder = tmp_path_factory.mktemp("addons")
    for name, text in ADDON.items():
        path = folder / "moving_in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text).lstrip())
    template.copy(template.base(), DATABASE)
    made = Move(odoo, cluster, community, folder)
    try:
        made.use_community("root:4,root.held:1:paused").init(["moving_in"])
        fill(made)
        yield made
    finally:
        made.stop()
        template.drop(DATABASE)


def fill(move):
    """Let the community's addon store and run jobs, and kill it in the midst of them."""
    move.start()
    rpc = move.server.rpc
    thing = rpc("moving.thing", "create", [{"name": "thing"}])
    rpc("moving.thing", "create", [{"name": "other"}])
    rpc("ir.config_parameter", "set_param", ["moving_in.seconds", "600"])
    move.uuids.update(rpc("moving.thing", "delay_to_end", [[thing]]))
    ends = {"done": 4, "failed": 2}
    move.until(lambda: counted(move, ends), f"{ends}, there are {counts(move)}")
    move.until(lambda: in_time(move, "postponed"), "a job that comes back")
    for name, button in (("cancelled", "button_cancelled"), ("set_done", "button_done")):
        uuid = move.uuids[name] = move.uuids.pop(f"to_be_{name}")
        rpc("queue.job", button, [rpc("queue.job", "search", [[("uuid", "=", uuid)]])])
    move.uuids.update(rpc("moving.thing", "delay_to_wait", [[thing]]))
    configure(move, rpc)
    # Two workers have a job each; the runner has given away a third that none has taken.
    move.uuids["started"] = rpc("moving.thing", "delay_lasting", [[thing], 1, "two"])[0]
    move.until(lambda: move.state("started") == ["started"], "a job that runs")
    move.uuids["same"] = rpc("moving.thing", "delay_keyed", [[thing], "two"])
    lasting = rpc("moving.thing", "delay_lasting", [[thing], 2])
    move.uuids.update(zip(("lasting_1", "lasting_2"), lasting, strict=True))
    move.until(lambda: counts(move).get("enqueued") == 1, f"one waits, there are {counts(move)}")
    move.server.kill()
    make_odd_rows(move)


def counts(move):
    """Return the number of jobs by state."""
    return dict(move.sql("SELECT state, count(*) FROM queue_job GROUP BY state"))


def in_time(move, name):
    """Tell whether a job waits for its time."""
    where = f"uuid = '{move.uuids[name]}' AND state = 'pending' AND eta > now() + interval '1 hour'"
    return bool(move.rows(where))


def counted(move, wanted):
    return all(counts(move).get(state) == number for state, number in wanted.items())


def configure(move, rpc):
    """Store what the screens of the community's addon let users store."""
    channel = rpc("queue.job.channel", "search", [[("name", "=", "held")]])
    rpc("queue.job.channel", "write", [channel, {"removal_interval": 5}])
    for channel_id in (channel[0], False):
        values = {
            "name": "<moving.thing>.fail",
            "edit_retry_pattern": "{0: 7, 5: [2, 1], 9: 99999999}",
            "edit_related_action": "{'enable': False}",
        }
        values.update({"channel_id": channel_id} if channel_id else {})
        rpc("queue.job.function", "create", [values])
    cron = rpc(
        "ir.cron",
        "create",
        [
            {
                "name": "of an older version",
                "model_id": rpc("ir.model", "search", [[("model", "=", "queue.job")]])[0],
                "state": "code",
                "code": "model.requeue_stuck_jobs()",
            }
        ],
    )
    rpc(
        "ir.model.data",
        "create",
        [
            {
                "module": "queue_job",
                "name": "ir_cron_queue_job_garbage_collector",
                "model": "ir.cron",
                "res_id": cron,
                "noupdate": True,
            }
        ],
    )


def make_odd_rows(move):
    """Store what its code would not, but its table allows, and history."""
    done, pending = move.uuids["done"], move.uuids["pending"]
    move.uuids["empty"] = copy_job(move, "empty", pending, uuid="empty-uuid")
    move.uuids["old"] = copy_job(move, "old", done, uuid="old-uuid")
    move.sql(
        "UPDATE queue_job SET channel = NULL, priority = NULL, retry = NULL, max_retries = NULL "
        "WHERE name = 'empty'"
    )
    move.sql("UPDATE queue_job SET date_done = now() - interval '40 days' WHERE name = 'old'")
    copy_job(move, "zero", done)
    text = json.dumps(["zero \0 and half \ud800", {"key": [1]}])
    move.sql("UPDATE queue_job SET args = to_jsonb(%s::text) WHERE name = 'zero'", [text])
    move.sql("UPDATE queue_job_channel SET removal_interval = -1 WHERE name = 'later'")
    copy_job(move, "history", done, times=HISTORY)
    copy_job(move, "the same uuid", done, uuid=done)


def copy_job(move, name, source, uuid=None, times=1):
    """Copy a row of the job table, beside its graph."""
    own = ("id", "uuid", "name", "dependencies", "graph_uuid")
    columns = ", ".join(
        column
        for (column,) in move.sql(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'queue_job'"
        )
        if column not in own
    )
    move.sql(
        f"INSERT INTO queue_job (uuid, name, {columns}) "
        f"SELECT COALESCE(%s, gen_random_uuid()::text), %s, {columns} "
        "FROM queue_job CROSS JOIN generate_series(1, %s) WHERE uuid = %s",
        [uuid, name, times, source],
    )
    return uuid


@pytest.fixture(scope="module")
def before(move):
    """Return the rows as the community's addon left them, by their numbers."""
    return move.rows()


@pytest.fixture(scope="module")
def moved(move, before):
    """Return the log of putting our addon over the database."""
    move.use_ours()
    return move.upgrade()


@pytest.fixture(scope="module")
def running(move, moved):
    """Return the database with our server on it, and its log so far."""
    move.sql("UPDATE ir_config_parameter SET value = '0' WHERE key = 'moving_in.seconds'")
    move.use_ours()
    move.start()
    return move


@pytest.fixture(scope="module")
def moved_back(move, running):
    """Return the log of putting the community's addon back, over jobs of ours."""
    thing = move.sql("SELECT id FROM moving_thing WHERE name = 'thing'")[0][0]
    rpc = move.server.rpc
    move.uuids.update(rpc("moving.thing", "delay_own_graph", [[thing]]))
    rpc("ir.config_parameter", "set_param", ["moving_in.seconds", "600"])
    move.uuids["own_lasting"] = rpc("moving.thing", "delay_lasting", [[thing], 1])[0]
    move.until(lambda: move.state("own_lasting") == ["started"], "a job that runs")
    move.server.kill()
    move.sql("UPDATE ir_config_parameter SET value = '0' WHERE key = 'moving_in.seconds'")
    move.sql(LEAVING.read_text())
    move.use_community("root:2")
    move.upgrade()
    return move.run_shell(HOOK)


def lines(log, *levels):
    """Return what a log says of the database at these levels."""
    marks = [f" {level} {DATABASE} " for level in levels]
    return [line for line in log.splitlines() if any(mark in line for mark in marks)]


ODD = ("the same uuid", "zero")
"""Finished jobs of which something had to be changed."""

# Before


def test_the_community_left_jobs_in_every_state(before):
    states = {row["state"] for row in before.values()}
    assert states == {
        "wait_dependencies",
        "pending",
        "enqueued",
        "started",
        "done",
        "cancelled",
        "failed",
    }


# Moved, nothing runs yet


def test_the_upgrade_has_nothing_to_complain_of(moved):
    assert lines(moved, "WARNING", "ERROR", "CRITICAL") == []


def test_nothing_of_a_job_is_lost(move, before, moved):
    """Every column of every row is as it was, but for those that say where an unfinished one is."""
    changed = {
        "state",
        "date_enqueued",
        "date_started",
        "channel",
        "priority",
        "retry",
        "max_retries",
        "uuid",
    }
    after = move.rows()
    assert after.keys() == before.keys()
    for number, old in before.items():
        different = {name for name in old if not same(old[name], after[number][name])}
        if old["uuid"] == move.uuids["ordered"] or old["name"] == "zero":
            different -= {"args", "kwargs"}
        assert different <= changed
        if old["state"] in ("done", "cancelled", "failed") and old["name"] not in ODD:
            assert not different


def same(old, new):
    """Compare values of which the community's addon stores some as text inside of JSON."""
    if isinstance(old, str) and not isinstance(new, str) and new is not None:
        old = json.loads(old)
    return old == (pytest.approx(new) if isinstance(new, float) else new)


def test_every_row_has_what_our_engine_needs(move, moved):
    assert move.sql(
        "SELECT count(*) FROM queue_job WHERE attempt IS NULL OR lost IS NULL OR scheduled IS NULL "
        "OR channel IS NULL OR priority IS NULL OR retry IS NULL"
    ) == [(0,)]
    assert move.sql("SELECT count(*) - count(DISTINCT uuid) FROM queue_job") == [(0,)]


def test_arguments_that_postgresql_cannot_hold_are_readable(move, moved):
    (row,) = move.rows("name = 'zero'").values()
    assert row["args"] == ["zero \ufffd and half \ufffd", {"key": [1]}]


def test_what_a_worker_had_waits_again(move, moved):
    assert move.state("started", "lasting_1", "lasting_2") == ["pending"] * 3
    assert counts(move).keys() == {"wait_dependencies", "pending", "done", "cancelled", "failed"}


def test_jobs_with_a_time_are_scheduled(move, before, moved):
    rows = {row["uuid"]: row["scheduled"] for row in move.rows().values()}
    names = ("tomorrow", "postponed", "pending", "keyed", "soon")
    assert [rows[move.uuids[name]] for name in names] == [True, True, False, False, False]
    assert [
        row["attempt"] for row in move.rows(f"uuid = '{move.uuids['postponed']}'").values()
    ] == [1]


def test_one_job_claims_an_identity(move, moved):
    rows = {row["uuid"]: row["identity_claim"] for row in move.rows().values()}
    exact = rows[move.uuids["exact"]]
    assert len(exact) == 40
    assert [rows[move.uuids[name]] for name in ("keyed", "started", "same", "done")] == [
        "one",
        "two",
        None,
        None,
    ]


def test_channels_have_full_names(move, moved):
    rows = {row["uuid"]: row["channel"] for row in move.rows().values()}
    assert [rows[move.uuids[name]] for name in ("no_root", "empty", "pending", "tomorrow")] == [
        "root.held",
        "root",
        "root.held",
        "root",
    ]
    assert move.sql("SELECT complete_name, removal_interval FROM queue_job_channel ORDER BY 1") == [
        ("root", 30),
        ("root.held", 5),
        ("root.later", 0),
    ]


def edges(move):
    """Return the edges of graphs by names: parent, child, open."""
    names = {uuid: name for name, uuid in move.uuids.items()}
    rows = move.sql(
        "SELECT parent.uuid, child.uuid, open FROM queue_job_dependency "
        "JOIN queue_job parent ON parent.id = parent_id JOIN queue_job child ON child.id = child_id"
    )
    return {(names[parent], names[child], opened) for parent, child, opened in rows}


def test_dependencies_are_edges(move, moved):
    assert edges(move) == {
        ("chain_1", "chain_2", False),
        ("parent_done", "child_of_failed", False),
        ("parent_failed", "child_of_failed", True),
        ("held_parent", "held_child", True),
        ("held_parent", "held_sibling", True),
        ("held_child", "held_grandchild", True),
        ("held_sibling", "held_grandchild", True),
    }


def test_job_functions_are_there_once_with_their_settings(move, moved):
    rows = move.sql(
        "SELECT f.name, related_action, c.complete_name FROM queue_job_function f "
        "LEFT JOIN queue_job_channel c ON c.id = channel_id WHERE f.name LIKE '<moving%' ORDER BY 1"
    )
    assert rows == [
        (
            "<moving.thing>.come_back",
            {"func_name": "related_action_open_record", "kwargs": {}},
            "root.later",
        ),
        ("<moving.thing>.fail", {"enable": False}, "root.held"),
    ]


def test_the_table_is_as_in_a_new_database(move, moved, template):
    """But for the column that is kept, and those of the dependent addon."""
    fresh = template.with_modules(("queue_job",))
    columns = (
        "SELECT table_name, column_name, udt_name, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_name LIKE 'queue\\_%'"
    )
    indexes = "SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'queue\\_%'"
    constraints = (
        "SELECT conname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint "
        "JOIN pg_class ON pg_class.oid = conrelid WHERE relname LIKE 'queue\\_%'"
    )
    triggers = (
        "SELECT tgname, pg_get_triggerdef(pg_trigger.oid), prosrc FROM pg_trigger "
        "JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid "
        "WHERE relname LIKE 'queue\\_%' AND NOT tgisinternal"
    )
    kept = ("dependencies", "moving_note")
    for query, own in ((columns, kept), (indexes, ()), (constraints, ()), (triggers, ())):
        found = {row for row in move.sql(query) if not set(row) & set(own)}
        assert found == set(move.cluster.execute(fresh, query))


def test_nothing_is_left_of_what_only_the_community_had(move, moved):
    assert move.sql("SELECT to_regclass('queue_job_lock')") == [(None,)]
    assert move.sql("SELECT count(*) FROM ir_model WHERE model = 'queue.job.lock'") == [(0,)]
    names = move.sql("SELECT name FROM ir_model_data WHERE module = 'queue_job'")
    old = [name for (name,) in names if "lock" in name or "ir_cron" in name]
    assert {name.removesuffix("_ir_actions_server") for name in old} == {"ir_cron_failures"}
    assert move.sql("SELECT count(*) FROM ir_cron WHERE cron_name LIKE 'of an older%'") == [(0,)]


# Running


def test_waiting_jobs_run_to_their_end(running):
    names = (
        "pending",
        "ordered",
        "no_root",
        "soon",
        "keyed",
        "exact",
        "same",
        "started",
        "lasting_1",
        "lasting_2",
        "empty",
    )
    running.until(lambda: set(running.state(*names)) == {"done"}, f"all of {names} are done")
    notes = running.notes()
    assert notes["pending 2024-12-31 2024-12-31 23:00:00 ['other', 'thing']"] >= 1
    assert notes["done 2024-02-29 2024-02-29 12:30:00 ['thing']"] == 1
    assert notes["lasting"] == 3
    assert notes["{'zz': 1, 'a': [{'é': 1e+20, 'b': {}}]} {'y': {'bb': 1, 'c': 2}}"] == 1
    assert {notes[text] for text in ("no_root", "soon", "keyed", "exact", "keyed two")} == {1}


def test_a_graph_goes_on(running):
    names = ("held_parent", "held_child", "held_sibling", "held_grandchild")
    running.until(lambda: set(running.state(*names)) == {"done"}, "the graph is done")
    assert {running.notes()[name] for name in names} == {1}
    assert running.state("child_of_failed") == ["wait_dependencies"]


def test_what_has_its_time_later_waits(running):
    assert running.state("tomorrow", "postponed") == ["pending", "pending"]


def test_a_failed_parent_set_to_done_frees_its_child(running):
    parent = numbers(running, "parent_failed")
    running.server.rpc("queue.job", "button_done", [parent])
    running.until(lambda: running.state("child_of_failed") == ["done"], "the child is done")


def test_a_failed_job_of_the_community_is_run_again(running):
    running.server.rpc("queue.job", "requeue", [numbers(running, "failed")])
    running.until(lambda: running.state("failed") == ["failed"], "it has failed again")
    row = running.sql(
        "SELECT retry, exc_message FROM queue_job WHERE uuid = %s", [running.uuids["failed"]]
    )
    assert row == [(1, "no such thing")]


def numbers(move, *names):
    """Return the numbers of jobs."""
    return move.server.rpc(
        "queue.job", "search", [[("uuid", "in", [move.uuids[name] for name in names])]]
    )


def test_an_identity_that_waits_keeps_others_out(running):
    """The one that waits since before the move counts."""
    thing = numbers_of_things(running)
    running.sql(
        "UPDATE queue_job SET identity_key = 'kept', identity_claim = 'kept' WHERE uuid = %s",
        [running.uuids["tomorrow"]],
    )
    uuid = running.server.rpc("moving.thing", "delay_keyed", [thing, "kept"])
    assert uuid == running.uuids["tomorrow"]


def numbers_of_things(move):
    return move.server.rpc("moving.thing", "search", [[("name", "=", "thing")]])


def test_history_is_readable(running):
    rpc = running.server.rpc
    names = [
        name for name, field in rpc("queue.job", "fields_get").items() if field["type"] != "binary"
    ]
    found = rpc("queue.job", "search", [[("name", "!=", "history")]])
    jobs = {job["uuid"]: job for job in rpc("queue.job", "read", [found, names])}
    assert set(running.uuids.values()) <= set(jobs)
    failed = jobs[running.uuids["parent_failed"]]
    assert failed["message_ids"]
    done = jobs[running.uuids["done"]]
    assert "2024-02-29" in done["arguments"]
    assert done["name"] == "a good one"
    assert jobs[running.uuids["chain_2"]]["dependencies"] == {
        "depends_on": [running.uuids["chain_1"]],
        "reverse_depends_on": [],
    }
    action = rpc("queue.job", "open_related_action", [numbers(running, "done")])
    assert action["res_model"] == "moving.thing"


def test_retry_patterns_are_readable(running):
    found = running.server.rpc(
        "queue.job.function",
        "search_read",
        [[("name", "like", "<moving.thing>%")], ["name", "edit_retry_pattern"]],
    )
    assert {row["name"]: row["edit_retry_pattern"] for row in found} == {
        "<moving.thing>.come_back": "{1: 10.0, 5: (20.0, 30.0)}",
        "<moving.thing>.fail": "{1: 7.0, 5: (1.0, 2.0), 9: 31622400.0}",
    }


def test_views_of_dependent_addons_still_fit(running):
    for model, kinds in (
        ("queue.job", ("form", "list", "search")),
        ("queue.job.function", ("form", "list")),
        ("queue.job.channel", ("form",)),
    ):
        views = running.server.rpc(
            model, "get_views", [], {"views": [(False, kind) for kind in kinds]}
        )["views"]
        for kind in kinds:
            assert model == "queue.job.channel" or "moving_note" in views[kind]["arch"]


def test_old_history_is_removed(running):
    running.server.rpc("moving.thing", "vacuum", [[]])
    assert running.sql("SELECT count(*) FROM queue_job WHERE name = 'old'") == [(0,)]
    assert running.sql("SELECT count(*) FROM queue_job WHERE name = 'history'") == [(HISTORY,)]


def test_our_server_has_nothing_to_complain_of(running):
    """But for the job that was asked to fail once more, and that JSON-RPC has its day."""
    complaints = lines(running.server.log_text(), "WARNING", "ERROR", "CRITICAL")
    expected = (f"job {running.uuids['failed']} <moving.thing>.fail failed", "jsonrpc")
    assert [line for line in complaints if not any(text in line for text in expected)] == []


# Back out


def test_the_way_back_has_nothing_to_complain_of(moved_back):
    assert lines(moved_back, "ERROR", "CRITICAL") == []


def test_the_community_takes_its_place_again(move, moved_back):
    assert move.sql("SELECT latest_version FROM ir_module_module WHERE name = 'queue_job'") == [
        ("19.0.2.4.0",)
    ]
    assert counts(move)["done"] > HISTORY
    assert move.state("own_lasting", "own_set") == ["pending", "failed"]


def test_the_community_runs_what_ours_left(move, moved_back):
    move.start()
    names = ("own_parent", "own_child", "own_tuple", "own_lasting", "own_dict")
    move.until(lambda: set(move.state(*names)) == {"done"}, f"all of {names} are done")
    assert move.notes()["own_child ['thing']"] == 1
    assert move.notes()["['a', 'b']"] == 1
    assert move.notes()["{'a': 2, 'zz': 1} [100000000000000000000]"] == 1
    assert move.state("own_tomorrow", "tomorrow", "postponed") == ["pending"] * 3
    found = move.server.rpc("queue.job", "search", [[("name", "!=", "history")]])
    names = ["state", "dependencies", "args", "kwargs", "records", "graph_jobs_count", "exc_info"]
    assert len(move.server.rpc("queue.job", "read", [found, names])) == len(found)


def test_moving_in_once_more(move, moved_back):
    move.use_ours()
    assert lines(move.upgrade(), "WARNING", "ERROR", "CRITICAL") == []
    assert ("own_parent", "own_child", False) in edges(move)
    assert ("chain_1", "chain_2", False) in edges(move)
    assert move.state("tomorrow", "postponed") == ["pending", "pending"]
