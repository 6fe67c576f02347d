"""The shop's API as jobs call it: what a call may raise is what the queue understands.

A fault of the network or of the shop passes with time: the job is to be tried again. A request
that the shop refuses will be refused again: the job fails and somebody has to look at it.
"""

from __future__ import annotations

from typing import Any

import requests

from odoo import api
from odoo.tools import config

from odoo.addons.queue_job.exception import RetryableError

TIMEOUT = 5
"""Seconds to wait for the shop. Never call without: a job that waits for ever keeps its place in
the channel for ever."""

RETRY_SECONDS = 2
"""Wait after a fault; short, because the demonstration is watched."""

SHOP_URL = "queue_job_example.shop_url"
"""Parameter that names the shop; without it, the demonstration shop in this server."""


def call(env: api.Environment, method: str, path: str, **values: Any) -> dict[str, Any]:
    """Call the shop and return its answer.

    :param method: HTTP method
    :param path: below the address of the shop
    :param values: body of the request
    :raises RetryableError: when it was a fault that passes with time
    :raises requests.HTTPError: when the shop refuses the request
    """
    try:
        response = requests.request(
            method,
            f"{_url(env)}/{path}",
            json=values or None,
            timeout=TIMEOUT,
            headers={"X-Odoo-Database": env.cr.dbname},
        )
    except (requests.ConnectionError, requests.Timeout) as error:
        message = env._("The shop cannot be reached: %(error)s", error=error)
        raise RetryableError(message, seconds=RETRY_SECONDS) from error
    if response.status_code >= requests.codes.server_error:
        message = env._("The shop is out of order: %(status)s", status=response.status_code)
        raise RetryableError(message, seconds=RETRY_SECONDS)
    response.raise_for_status()
    return response.json()


def _url(env: api.Environment) -> str:
    own = f"http://127.0.0.1:{config['http_port']}/queue_job_example/shop"
    return env["ir.config_parameter"].sudo().get_param(SHOP_URL) or own
