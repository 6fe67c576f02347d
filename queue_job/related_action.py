"""Related actions for jobs of connectors, from the path where connector had them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from odoo import models

from .job import Job
from .session import ConnectorSession


def unwrap_binding(
    session: ConnectorSession,
    job: Job,
    id_pos: int = 2,
    binder_class: Callable[[ConnectorSession, str], Any] | None = None,
) -> dict[str, Any] | None:
    """Open the record that is behind the binding which a job is about.

    For a job function ``(session, model_name, binding_id, ...)``, to be used as
    ``@related_action(action=unwrap_binding)``.

    :param session: of the user who looks
    :param job: the job; its first argument is the name of the binding's model
    :param id_pos: which parameter of the function is the id of the binding; the session is the
        first, and not among the job's arguments
    :param binder_class: called with session and model, returns what has ``unwrap_model()`` and
        ``unwrap_binding(binding_id)``, which may raise ``ValueError`` when there is nothing to
        unwrap; without it the record is the one that the binding inherits by ``_inherits``
    :return: an action; ``None`` when the binding was deleted
    """
    model, binding_id = job.args[0], job.args[id_pos - 1]
    binding = session.env[model].browse(binding_id).exists()
    if not binding:
        return None
    record = _behind(session, binding, binder_class)
    return {
        "type": "ir.actions.act_window",
        "name": session.env._("Related Record"),
        "res_model": record._name,
        "res_id": record.id,
        "view_mode": "form",
    }


def _behind(
    session: ConnectorSession, binding: models.BaseModel, binder_class: Callable | None
) -> models.BaseModel:
    """Return the record of a binding, or the binding itself when there is none."""
    if binder_class is None:
        links = list(binding._inherits.values())
        return (binding[links[0]] if links else None) or binding
    binder = binder_class(session, binding._name)
    try:
        found = binder.unwrap_binding(binding.id)
        return session.env[binder.unwrap_model()].browse(getattr(found, "id", found))
    except ValueError:
        return binding
