from functools import update_wrapper

from odoo import api, models

from ..decorator import JOB_METHODS, redeclare
from ..delay import Delayable, DelayableRecordset
from ..direct import must_run_without_delay

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
        timeout=None,
        on_parent_stop=None,
    ):
        """Return these records with methods that become jobs when called.

        :param int priority: lower first; 10 when not given
        :param eta: not before: seconds from now, timedelta, or datetime (aware, or naive in UTC)
        :param int max_retries: tries allowed; 5 when not given, 0 is no limit
        :param str description: for the screen
        :param str channel: full name; the function's own when not given
        :param identity_key: text, or a function of the job that returns it; while a job with the
            same key waits, no other is stored
        :param float timeout: seconds that it may take before it is stopped
        :param str on_parent_stop: what it does when a job that it waits for is stopped: ``cancel``
            or ``wait``
        :return: an object whose methods return the stored :class:`~..job.Job`
        """
        # Tests of other addons look at what is passed on here: nothing that they do not know of.
        later = {"timeout": timeout, "on_parent_stop": on_parent_stop}
        given = {name: value for name, value in later.items() if value is not None}
        return DelayableRecordset(
            self,
            priority=priority,
            eta=eta,
            max_retries=max_retries,
            description=description,
            channel=channel,
            identity_key=identity_key,
            **given,
        )

    @api.private
    def delayable(
        self,
        priority=None,
        eta=None,
        max_retries=None,
        description=None,
        channel=None,
        identity_key=None,
        timeout=None,
        on_parent_stop=None,
    ):
        """Return a call of these records to be chosen, put in order with others, and delayed.

        The parameters are those of :meth:`with_delay`.

        :rtype: ~..delay.Delayable
        """
        return Delayable(
            self,
            priority=priority,
            eta=eta,
            max_retries=max_retries,
            description=description,
            channel=channel,
            identity_key=identity_key,
            timeout=timeout,
            on_parent_stop=on_parent_stop,
        )

    def _patch_job_auto_delay(self, method_name, context_key=None):
        """Return a method that delays itself when called; to be set on the class of the model.

        It runs at once inside of a job, where jobs are not to be delayed, and, when
        ``context_key`` is given, where the context does not have it. Options come from a method
        ``<method_name>_job_options(*args, **kwargs)``, if there is one.

        :param str method_name: the method to replace, which is kept as ``origin``
        :param str context_key: key without which it runs at once
        """
        origin = getattr(type(self), method_name)

        def auto_delay(self, *args, **kwargs):
            context = self.env.context
            asked = context.get(context_key) if context_key else True
            if context.get("job_uuid") or not asked or must_run_without_delay(self.env):
                return origin(self, *args, **kwargs)
            options = getattr(self, f"{method_name}_job_options", lambda *_a, **_k: {})
            delayed = self.with_delay(**options(*args, **kwargs))
            return getattr(delayed, method_name)(*args, **kwargs)

        auto_delay.origin = origin
        return update_wrapper(auto_delay, origin)

    def _job_store_values(self, job):
        """Hook: return values of further columns of the job's row.

        A method ``_job_store_values_for_<method>`` is for jobs of that method alone, and wins.

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
