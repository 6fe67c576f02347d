"""The path from which addons take the hook that makes the queue's triggers."""

from odoo import api

from .storage import schema


def post_init_hook(env: api.Environment) -> None:
    """Create or replace the triggers of the job table, which the addon does by itself as well.

    :param env: of the database
    """
    schema.create(env.cr)
