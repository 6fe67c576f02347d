"""From a former version of this addon to this one."""

from dev import process
from dev.server import OdooServer

TIMEOUT = 300

FORMER = (
    "UPDATE ir_module_module SET latest_version = '19.0.3.2.0' WHERE name = 'queue_job'",
    "DELETE FROM ir_model_data WHERE name = 'action_queue_job_channels'",
    "DELETE FROM ir_act_client WHERE path = 'queue-channels'",
    "UPDATE ir_act_window SET path = 'queue-channels' WHERE path = 'queue-channel-records'",
)
"""What was at the address of the tree of channels before there was one."""

PATHS = "SELECT path, name->>'en_US' FROM ir_actions WHERE path IS NOT NULL"


def test_screens_may_move_to_other_addresses(odoo, cluster, database):
    name = database()
    paths = set(cluster.execute(name, PATHS))
    for statement in FORMER:
        cluster.execute(name, statement)
    assert set(cluster.execute(name, PATHS)) != paths
    upgraded = OdooServer(odoo, cluster, name)
    command = upgraded.command("-u", "queue_job", "--stop-after-init", "--workers=0", "--no-http")
    with upgraded.log.open("ab") as log:
        status = process.run(command, env=upgraded.env, timeout=TIMEOUT, output=log)
    assert status == 0, upgraded.log_text()[-3000:]
    assert set(cluster.execute(name, PATHS)) == paths
