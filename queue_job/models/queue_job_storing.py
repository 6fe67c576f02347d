from itertools import groupby

from psycopg2.errors import UniqueViolation

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL, ormcache
from odoo.tools.misc import clean_context

from .. import bulk, tracing
from ..core.codec import DamagedError
from ..delay import delay_call
from ..fields import parse
from ..storage import enqueue, schema


class QueueJob(models.Model):
    """How a job is stored, and read as it is stored."""

    _inherit = "queue.job"

    @api.model
    def _delay(self, func, args, kwargs, options):
        """Store a job, in this transaction.

        :param func: bound method, or a module-level job function
        :param tuple args: its arguments
        :param dict kwargs: its keyword arguments
        :param dict options: options of the queue
        :return: the job, or the one with the same identity key that waits already
        :rtype: Job
        """
        return delay_call(self.env, func, args, kwargs, options)

    @api.model
    def _delay_each(self, method, args, kwargs, options):
        """Store a job for each record of a method; see :func:`~..bulk.delay_each`."""
        return bulk.delay_each(method, args, kwargs, options)

    @api.model
    def _delay_many(self, function, items, kwargs, options):
        """Store a job for each item; see :func:`~..bulk.delay_many`."""
        return bulk.delay_many(function, self.env, items, kwargs, options)

    @api.model
    def _insert(self, jobs):
        """Store new jobs in this transaction: by one statement, or by the ORM if addons extend it.

        :param jobs: list of :class:`~..job.Job`
        :return: the id of each by its uuid; one whose identity is claimed already is missing
        :rtype: dict
        """
        with tracing.storing(jobs):
            return self._insert_followed(jobs)

    @api.model
    def _insert_followed(self, jobs):
        if not self._is_extended("create"):
            rows = [job._store_values(create=True) for job in jobs]
            types = self._column_types() if len(rows) > 1 else {}
            return enqueue.insert(self.env.cr, rows, types)
        numbers = {}
        for env, group in groupby(jobs, lambda job: job.env):
            # In the context of the caller, whom the extension may ask for more than the job keeps.
            model = self.with_env(env).sudo().with_context(clean_context(env.context))
            records = model._create_jobs([model._orm_values(job) for job in group])
            numbers.update((record.uuid, record.id) for record in records)
        return numbers

    @api.model
    @ormcache()
    def _column_types(self):
        """Return the type in the database of each column, by its name."""
        stored = (field for field in self._fields.values() if field.column_type)
        return {field.name: field.column_type[1] for field in stored}

    def _create_jobs(self, vals_list):
        """Create the records of jobs by the ORM.

        :raises ConcurrencyError: when another transaction has just claimed the identity of one, so
            that Odoo asks again and finds it
        """
        try:
            records = self.create(vals_list)
            records.flush_recordset()
        except UniqueViolation as error:
            if error.diag.constraint_name != schema.IDENTITY_INDEX:
                raise
            raise ConcurrencyError(str(error)) from error
        # The database has its say in the columns of a job.
        records.invalidate_recordset()
        return records

    @api.model
    def _orm_values(self, job):
        """Return the values of a new job for ``create``: as those that extend it expect them."""
        values = job._store_values(create=True)
        return {**values, "records": job.recordset, "args": job.args, "kwargs": job.kwargs}

    def _stored(self, name):
        """Return a serialized field in JSON terms: decoding may need what is gone.

        :raises DamagedError: when it cannot be read
        """
        return parse(self._stored_text(name))

    def _stored_text(self, name):
        """Return a serialized field as JSON text."""
        self.ensure_one()
        # The statement asks nobody.
        self._origin.check_access("read")
        query = SQL(
            "SELECT %s::text FROM queue_job WHERE id = %s", SQL.identifier(name), self._origin.id
        )
        rows = self.env.execute_query(query) if self.ids else ()
        return rows[0][0] if rows else None

    @api.model
    @ormcache("user")
    def _check_user(self, user):
        """See that the user in whose rights a job is to run is there.

        :raises DamagedError: when there is none, which is not remembered
        """
        if not self.env["res.users"].sudo().browse(user).exists():
            raise DamagedError(f"there is no user {user} to run it as")
