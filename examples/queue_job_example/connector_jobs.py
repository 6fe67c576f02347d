"""Jobs as connector has them: functions of a module that get a session first.

``delay`` takes a session, or an environment, in its place::

    session = ConnectorSession.from_env(self.env)
    a_heavy_task.delay(session, "res.partner", 1)
    import_order.delay(session, 1, priority=50)

A plain call, ``a_heavy_task(session, "res.partner", 1)``, runs at once.
"""

from __future__ import annotations

from odoo.addons.queue_job.exception import NothingToDoJob
from odoo.addons.queue_job.job import job
from odoo.addons.queue_job.session import ConnectorSession

from . import shop


@job
def a_heavy_task(session: ConnectorSession, model_name: str, record_id: int) -> str:
    """Count the records that refer to a record.

    :param model_name: model of the record
    :param record_id: its id; the record may be gone when the job runs
    """
    env = session.env
    record = env[model_name].browse(record_id).exists()
    if not record:
        return env._("%(model)s %(id)s was deleted", model=model_name, id=record_id)
    domain = [("ttype", "=", "many2one"), ("relation", "=", model_name), ("store", "=", True)]
    fields = env["ir.model.fields"].sudo().search(domain)
    count = sum(_count(env, field.model, field.name, record_id) for field in fields)
    return env._("%(count)s records refer to %(name)s", count=count, name=record.display_name)


def _count(env, model_name: str, field_name: str, record_id: int) -> int:
    """Return how many records of a model refer to a record; views of the database have none."""
    model = env.get(model_name)
    if model is None or model._abstract or not model._auto:
        return 0
    return model.sudo().with_context(active_test=False).search_count([(field_name, "=", record_id)])


@job(default_channel="root.shop", retry_pattern={1: 2, 5: 30})
def import_order(session: ConnectorSession, order_id: int) -> str:
    """Import the customer of an order of the shop.

    :param order_id: number of the order in the shop
    :raises NothingToDoJob: when the customer is there already
    """
    env = session.env
    order = shop.call(env, "GET", f"orders/{order_id}")
    customers = env["res.partner"]
    if customers.search([("ref", "=", order["customer_ref"])], limit=1):
        raise NothingToDoJob(env._("The customer %(ref)s is known", ref=order["customer_ref"]))
    customer = customers.create({"name": order["customer"], "ref": order["customer_ref"]})
    return env._("Imported %(customer)s", customer=customer.name)
