from odoo import api, models

from ..decorator import JOB_METHODS, redeclare
from ..delay import DelayableRecordset

CONTEXT_KEYS = ("tz", "lang", "allowed_company_ids", "force_company", "active_test")
"""What a job keeps of the caller's context."""


class Base(models.AbstractModel):
    _inherit = "base"

    def _register_hook(self):
        """Let jobs stay jobs when another addon overrides their method without the decorator."""
        super()._register_hook()
        for name in JOB_METHODS:
            if hasattr(type(self), name):
                redeclare(type(self), name)

    @api.private
    def with_delay(
        self,
        priority=None,
        eta=None,
        max_retries=None,
        description=None,
        channel=None,
        identity_key=None,
    ):
        """Return these records with methods that become jobs when called.

        :param int priority: lower first; 10 when not given
        :param eta: not before: seconds from now, timedelta, or datetime (aware, or naive in UTC)
        :param int max_retries: tries allowed; 5 when not given, 0 is no limit
        :param str description: for the screen
        :param str channel: full name; the function's own when not given
        :param identity_key: text, or a function of the job that returns it; while a job with the
            same key waits, no other is stored
        :return: an object whose methods return the stored :class:`~..job.Job`
        """
        return DelayableRecordset(
            self,
            priority=priority,
            eta=eta,
            max_retries=max_retries,
            description=description,
            channel=channel,
            identity_key=identity_key,
        )

    def _job_store_values(self, job):
        """Hook: return values of further columns of the job's row.

        :param job: the :class:`~..job.Job` about to be stored
        :rtype: dict
        """
        return {}

    def _job_prepare_context_before_enqueue_keys(self):
        """Hook: return the keys that a job keeps of the context."""
        return CONTEXT_KEYS

    def _job_prepare_context_before_enqueue(self):
        """Return the part of the context that is stored with a job."""
        keys = self._job_prepare_context_before_enqueue_keys()
        return {key: value for key, value in self.env.context.items() if key in keys}
