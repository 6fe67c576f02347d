"""Job functions as modules of connector have them."""

import enum

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import job, related_action
from odoo.addons.queue_job.related_action import unwrap_binding


class Direction(enum.Enum):
    """Which way a record goes."""

    IN = "in"
    OUT = "out"


class Access(enum.Flag):
    """What may be done with it."""

    READ = 1
    WRITE = 2


def open_first_argument(session, job, kind="form"):
    """Open the record that the arguments name."""
    model_name, record_id = job.args[:2]
    return {
        "type": "ir.actions.act_window",
        "res_model": model_name,
        "res_id": record_id,
        "view_mode": kind,
        "context": {"seen_by": session.uid},
    }


@job
def plain(session, model_name, *args, **kwargs):
    """Tell what it was called with

    Further lines are for those who read the code.
    """
    return session.uid, model_name, args, kwargs


@job
def without_text(session, model_name):
    return model_name


@job(default_channel="root.names", retry_pattern={1: 10, 5: 60})
def export_record(session, model_name, binding_id):
    """Export a binding"""
    raise RetryableJobError("the remote is away")


@job
@related_action(action=unwrap_binding)
def export_binding(session, model_name, binding_id):
    """Export a binding"""


@related_action(action=open_first_argument, kind="list")
@job
def import_record(session, model_name, record_id):
    """Import a record"""


@job
@related_action()
def opens_nothing(session, model_name):
    """Have no related action"""
