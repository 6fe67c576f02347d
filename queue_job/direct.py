"""When jobs are not to be delayed but run at once, as tests and scripts ask for."""

from __future__ import annotations

import logging
import os

from odoo import api

_logger = logging.getLogger(__name__)

NO_DELAY = "QUEUE_JOB__NO_DELAY"
NO_DELAY_KEY = "queue_job__no_delay"


def must_run_without_delay(env: api.Environment) -> bool:
    """Tell whether jobs are to run at once, by environment variable or context key."""
    if os.environ.get(NO_DELAY):
        _logger.warning("%s is set: jobs run at once", NO_DELAY)
        return True
    if env.context.get(NO_DELAY_KEY):
        _logger.info("%s is set: jobs run at once", NO_DELAY_KEY)
        return True
    return False
