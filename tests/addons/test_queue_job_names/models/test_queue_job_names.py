from odoo import fields, models

from odoo.addons.queue_job.exception import FailedJobError, RetryableJobError


class TestQueueJobNames(models.Model):
    _name = "test.queue.job.names"
    _description = "Delays Jobs as Addons for the Community's Queue Do"

    name = fields.Char()
    value = fields.Integer()
    failure = fields.Char()

    def _register_hook(self):
        super()._register_hook()
        cls = type(self)
        cls.post_by_itself = self._patch_job_auto_delay("post_by_itself")
        cls.post_when_asked = self._patch_job_auto_delay("post_when_asked", "names_in_background")

    def do(self, *args, **kwargs):
        """Do something

        The second paragraph is for those who read the code.
        """
        for record in self:
            record.value += 1
        return args, kwargs

    def undocumented(self):
        return True

    def post_by_itself(self, value):
        """Delay itself"""
        self.write({"value": value})
        return value

    def post_by_itself_job_options(self, value):
        return {"priority": 3, "description": f"Posted {value}", "identity_key": f"post-{value}"}

    def post_when_asked(self, value):
        """Delay itself when the context says so"""
        self.write({"value": value})
        return value

    def fail(self, message="no reason"):
        """Fail"""
        raise FailedJobError(message)

    def come_back(self, seconds=None, ignore_retry=False):
        """Ask to be tried again"""
        raise RetryableJobError("not yet", seconds=seconds, ignore_retry=ignore_retry)

    def note_failure(self, **details):
        """Keep what a failed job says"""
        self.write({"failure": f"{details['exc_name']}: {details['exc_message']}"})

    def _job_store_values(self, job):
        values = super()._job_store_values(job)
        return {**values, "names_info": "general", "names_source": self._name}

    def _job_store_values_for_do(self, job):
        return {"names_info": f"special {job.method_name}"}

    def _job_prepare_context_before_enqueue_keys(self):
        return (*super()._job_prepare_context_before_enqueue_keys(), "names_kept")


class TestQueueJobNamesBinding(models.Model):
    _name = "test.queue.job.names.binding"
    _inherits = {"test.queue.job.names": "odoo_id"}
    _description = "Binds a Record to a Remote"

    odoo_id = fields.Many2one("test.queue.job.names", required=True, ondelete="cascade")
    external_id = fields.Char()
