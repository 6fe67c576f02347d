import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg2
from psycopg2 import errorcodes

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import date_utils

from ..core.selection import SelectionError, pinned, read_domain
from ..core.states import FINAL, JobState, sources
from ..current import current_job
from ..decorator import job

AT_ONCE = 1_000
"""Jobs that are changed while the user waits; more are changed by a job."""

BATCH = 1_000
"""Jobs that are changed in a transaction: some fifty milliseconds, in which the runner may want
them as well."""

MOST_COUNTED = 100_000
"""Jobs that are counted for the preview."""

SMALLEST_BATCH = 20
"""Jobs of a batch that is not made smaller any more, however often the engine is faster."""

CONFLICT_TRIES = 100
"""Times that a batch is begun anew because the engine has changed a job of it meanwhile."""

CONFLICT_PAUSE_SECONDS = 0.1
"""Longest pause before that: the jobs of a lease are through after two of them, or run for long."""

OLDEST_FIRST, NEWEST_FIRST = "id", "id DESC"

CONFLICTS = (errorcodes.SERIALIZATION_FAILURE, errorcodes.DEADLOCK_DETECTED)

NOTHING = '[[0, "=", 1]]'
"""The filter that no job matches, as JSON."""

WAITING = (JobState.WAIT_DEPENDENCIES, JobState.PENDING, JobState.FAILED)
"""States in which a job may be moved to another place in the queue."""


@dataclass(frozen=True)
class Action:
    """Something that can be done to many jobs.

    :param states: those in which a job is changed
    :param apply: called with the jobs and a value
    :param field: of the wizard, which has the value
    :param managers: whether it is for managers only
    :param order: of the batches. The oldest of those that wait are what workers start next: who
        begins with the newest has done nearly all when they meet
    """

    states: tuple[JobState, ...]
    apply: Callable
    field: str = ""
    managers: bool = False
    order: str = NEWEST_FIRST

    def beyond(self, last):
        """Return the domain of what comes after a job in the order.

        :param last: id of the job; ``False`` before the first
        """
        if not last:
            return Domain.TRUE
        return Domain("id", ">" if self.order == OLDEST_FIRST else "<", last)


ACTIONS = {
    # Ended jobs conflict with nobody, and run again in the order in which they were stored.
    "retry": Action(
        tuple(sources(JobState.PENDING) & FINAL),
        lambda jobs, _value: jobs.requeue(),
        order=OLDEST_FIRST,
    ),
    "cancel": Action(
        tuple(sources(JobState.CANCELLED)), lambda jobs, _value: jobs.button_cancelled()
    ),
    "done": Action(
        tuple(sources(JobState.DONE) - {JobState.STARTED}),
        lambda jobs, _value: jobs.button_done(),
        managers=True,
    ),
    "channel": Action(
        WAITING, lambda jobs, value: jobs.write({"channel": value}), "channel", managers=True
    ),
    "priority": Action(
        WAITING, lambda jobs, value: jobs.write({"priority": value}), "priority", managers=True
    ),
    "eta": Action(WAITING, lambda jobs, value: jobs.write({"eta": value}), "eta", managers=True),
}


class QueueJobBulk(models.TransientModel):
    """Something to be done to a selection of jobs, or to all that match a filter.

    It is done in the rights of who asks for it, also when it is many and a job does it.
    """

    _name = "queue.job.bulk"
    _description = "Act on Many Jobs"

    action = fields.Selection(
        [
            ("retry", "Retry"),
            ("cancel", "Cancel"),
            ("done", "Set to Done"),
            ("channel", "Move to a Channel"),
            ("priority", "Set the Priority"),
            ("eta", "Set the Time"),
        ],
        required=True,
        default="retry",
    )
    domain = fields.Char(required=True, default=NOTHING, help="Which jobs: a filter, as JSON")
    channel = fields.Char("To Channel", default="root")
    priority = fields.Integer("To Priority", default=10, help="Lower first")
    eta = fields.Datetime("Not Before", help="Empty: as soon as possible")
    summary = fields.Char(compute="_compute_summary")
    as_job = fields.Boolean(compute="_compute_summary")
    running = fields.Char(compute="_compute_summary", help="What becomes of those that run")

    @api.depends("action", "domain")
    def _compute_summary(self):
        for bulk in self:
            jobs, domain = self.env["queue.job"], Domain(bulk._read_domain())
            chosen = jobs.search_count(domain, limit=MOST_COUNTED + 1)
            fitting = jobs.search_count(domain & bulk._fitting(), limit=MOST_COUNTED + 1)
            bulk.as_job = fitting > AT_ONCE
            bulk.summary = bulk._summary(chosen, fitting)
            bulk.running = bulk._running(domain) if bulk.action == "cancel" else False

    def _summary(self, chosen, fitting):
        """Say how many jobs there are, and how many of them will change."""
        if not fitting:
            return _("None of the %s chosen jobs is in a state for this.", self._number(chosen))
        if fitting == chosen:
            return _("%s jobs will be changed.", self._number(fitting))
        return _(
            "%(fitting)s of the %(chosen)s chosen jobs will be changed; the others are in another "
            "state.",
            fitting=self._number(fitting),
            chosen=self._number(chosen),
        )

    def _running(self, domain):
        """Say how many of the jobs run, which are stopped before they are cancelled."""
        runs = Domain("state", "=", JobState.STARTED.value)
        count = self.env["queue.job"].search_count(domain & runs, limit=MOST_COUNTED + 1)
        if not count:
            return False
        return _(
            "%s of them run: they are asked to stop, which takes a second or so, and their work is "
            "rolled back.",
            self._number(count),
        )

    def _number(self, count):
        shown = self.env["ir.qweb.field.integer"].value_to_html(min(count, MOST_COUNTED), {})
        return _("more than %s", shown) if count > MOST_COUNTED else shown

    def _read_domain(self):
        """Return the filter, as a list.

        :raises UserError: when it asks for more than plain fields of jobs
        """
        try:
            read = read_domain(self.domain or NOTHING, self.env["queue.job"]._fields)
            Domain(read)  # Whether each connective has its conditions.
        except (SelectionError, ValueError) as error:
            raise UserError(
                _("This filter cannot be used for acting on all jobs: %s.", error)
            ) from error
        return read

    def _fitting(self):
        """Return the domain of the jobs to which the action can be done."""
        action = self.action or "retry"
        domain = Domain("state", "in", [state.value for state in ACTIONS[action].states])
        # Said once more in the words of the partial indexes: several states imply none of them.
        return domain if action == "retry" else domain & Domain("is_live", "=", True)

    def apply(self):
        """Do it, or have a job do it when it is much.

        :return: an action: the list again, or the job
        :raises AccessError: when the user may not
        """
        self.ensure_one()
        self.env["queue.job"].check_access("write")
        self._check_action(self.action)
        domain = self._settled()
        found = self.env["queue.job"].search_fetch(
            domain, ["state"], limit=AT_ONCE + 1, order=ACTIONS[self.action].order
        )
        if len(found) > AT_ONCE:
            return self._delay(domain)
        stopped = found.filtered(lambda job: job.state == JobState.STARTED)
        self._act(found, self.action, self._value())
        return self._tell(len(found) - len(stopped), len(stopped))

    def _settled(self):
        """Return the filter as it is meant at this moment, whenever it is applied.

        It leaves out jobs that are stored from now on, and for a retry those that fail again.
        """
        domain = Domain(pinned(self._read_domain(), self._moment)) & self._fitting()
        newest = self.env["queue.job"].sudo().search([], order="id DESC", limit=1)
        domain &= Domain("id", "<=", newest.id)
        if self.action == "retry":
            now = fields.Datetime.to_string(fields.Datetime.now())
            not_again = Domain("date_started", "=", False) | Domain("date_started", "<=", now)
            domain &= not_again
        return domain

    def _moment(self, name, text):
        """Return the time that a text stands for, in a condition on one."""
        if self.env["queue.job"]._fields[name].type != "datetime":
            return text
        try:
            moment = date_utils.parse_date(text, self.env)
        except ValueError as error:
            raise UserError(_("%s is no time.", text)) from error
        return fields.Datetime.to_string(fields.Datetime.to_datetime(moment))

    def _value(self):
        field = ACTIONS[self.action].field
        value = self[field] if field else False
        return self.env["queue.job"]._full_channel(value) if field == "channel" else value

    @api.model
    def _check_action(self, action):
        if ACTIONS[action].managers and self.env["queue.job"]._only_operates():
            raise AccessError(_("Only a manager of the job queue may do this."))

    def _delay(self, domain):
        """Have a job do it; return the action that shows the job."""
        labels = dict(self._fields["action"]._description_selection(self.env))
        delayed = self.browse()._change_all.delay(
            self.action,
            list(domain),
            self._value(),
            description=_("%s: all jobs that match a filter", labels[self.action]),
            priority=0,
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": "queue.job",
            "res_id": delayed.db_record().id,
            "views": [(False, "form")],
            "target": "current",
        }

    def _tell(self, number, asked=0):
        """Return the action that says that it is done.

        :param number: jobs that were changed
        :param asked: jobs that run, and were asked to stop
        """
        texts = [_("%s jobs were changed.", self._number(number))] if number or not asked else []
        if asked:
            texts.append(_("%s jobs that run were asked to stop.", self._number(asked)))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": " ".join(texts),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    @job
    def _change_all(self, action, domain, value):
        """Do an action to all jobs that match a filter, batch by batch.

        It can run again after any end: what was changed does not match any more, or becomes what
        it is. Each job is looked at once.

        :param str action: key of :data:`ACTIONS`
        :param list domain: settled
        :param value: of the action
        :return: text
        """
        self._check_action(action)
        jobs, domain = self.env["queue.job"], Domain(domain)
        total, changed, size, last = jobs.search_count(domain), 0, BATCH, False
        while True:
            rest = domain & ACTIONS[action].beyond(last)
            number, last, size = self._change_batch(action, rest, value, size)
            if not number:
                return _(
                    "%(changed)s of %(total)s jobs were changed.", changed=changed, total=total
                )
            changed += number
            current_job(self.env).progress(changed, max(total, changed), _("jobs changed"))

    def _change_batch(self, action, domain, value, size):
        """Change the first jobs of those that match, in a transaction of its own within a job.

        A conflict undoes the whole batch, and is the rarer the smaller that is.

        :param size: how many at the most; fewer after conflicts
        :return: how many, the id of the last, and the size of the next batch
        """
        for _number in range(CONFLICT_TRIES):
            try:
                jobs, order = self.env["queue.job"], ACTIONS[action].order
                found = jobs.search_fetch(domain, ["state"], limit=size, order=order)
                last = found[-1:].id
                self._act(found._in_batches(), action, value)
                self.env.flush_all()
                self._commit()
                return len(found), last, min(2 * size, BATCH)
            except psycopg2.OperationalError as error:
                if error.pgcode not in CONFLICTS or not current_job(self.env):
                    raise
                conflict = error
                self.env.cr.rollback()
                self.env.invalidate_all()
                size = min(size, max(size // 2, SMALLEST_BATCH))
                time.sleep(random.uniform(0, CONFLICT_PAUSE_SECONDS))
        raise conflict

    def _commit(self):
        """Keep a batch, if this is a job; every job may commit."""
        if current_job(self.env):
            self.env.cr.commit()
            self.env.invalidate_all()

    @api.model
    def _act(self, found, action, value):
        if found:
            ACTIONS[action].apply(found.with_context(tracking_disable=True), value)
