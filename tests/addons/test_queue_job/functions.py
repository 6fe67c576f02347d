"""Module-level job functions, in connector's words and in Odoo's."""

from odoo.addons.queue_job.job import job


@job
def a_heavy_task(session, model_name, record_id):
    """Touch a record

    The first line of this text names the job.
    """
    record = session.env[model_name].browse(record_id)
    session.env["test.queue.job.ledger"].note("heavy", f"{session.uid} {record.id}")
    return record.display_name


@job(default_channel="root.order", retry_pattern={1: 10, 5: (60, 90)})
def import_order(session, order_id):
    """Import an order."""
    return f"{order_id} by {session.uid}"


@job
def takes_an_env(env, number):
    """Return what the environment says."""
    return f"{env.uid} {number}"
