from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.queue_job.exception import NothingToDoJob
from odoo.addons.queue_job.job import CANCELLED, DONE, FAILED, identity_exact, job
from odoo.addons.queue_job.session import ConnectorSession

from ..bank_file import PATH, read_bank_file
from ..connector_jobs import a_heavy_task, import_order

SHOP_SAMPLE = 5
"""Banks that go on to the shop: enough to see retries, few enough to watch."""


class BankImport(models.Model):
    """One run of the import of the banks file."""

    _name = "queue_job_example.bank_import"
    _description = "Bank Import"
    _order = "id DESC"

    @api.model
    def _default_line_count(self):
        try:
            return len(read_bank_file())
        except FileNotFoundError as error:
            raise UserError(
                self.env._("The addons path has no %(path)s to import", path=PATH),
            ) from error

    date_started = fields.Datetime("Started", readonly=True, copy=False)
    line_count = fields.Integer("Lines", readonly=True, default=_default_line_count)
    line_done = fields.Integer("Lines Done", compute="_compute_jobs")
    line_progress = fields.Float("Progress", compute="_compute_jobs")
    job_count = fields.Integer("Jobs", compute="_compute_jobs")
    job_open = fields.Integer("Open Jobs", compute="_compute_jobs")
    job_failed = fields.Integer("Failed Jobs", compute="_compute_jobs")

    def _compute_jobs(self):
        # Everybody may see how far an import is, jobs are for managers.
        jobs = self.env["queue.job"].sudo()
        groups = jobs._read_group(
            [("bank_import_id", "in", self.ids)],
            ["bank_import_id", "method_name", "state"],
            ["__count"],
        )
        counts = {run: Counter() for run in self.ids}
        for run, method, state, count in groups:
            counts[run] += Counter({"all": count, state: count, (method, state): count})
        for run in self:
            count = counts.get(run.id, Counter())
            run.line_done = count["import_line", DONE]
            run.line_progress = 100.0 * run.line_done / (run.line_count or 1)
            run.job_count = count["all"]
            run.job_open = count["all"] - count[DONE] - count[FAILED] - count[CANCELLED]
            run.job_failed = count[FAILED]

    @api.depends("create_date")
    def _compute_display_name(self):
        for run in self:
            run.display_name = self.env._("Import %(number)s", number=run.id or "")

    def action_start(self):
        """Start the import in the background; a start that still waits is not doubled."""
        self.ensure_one()
        self.date_started = fields.Datetime.now()
        self.import_file.delay(identity_key=identity_exact)
        return True

    def action_view_jobs(self):
        """Show the jobs of the import."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Jobs of %(run)s", run=self.display_name),
            "res_model": "queue.job",
            "view_mode": "list,form",
            "domain": [("bank_import_id", "=", self.id)],
        }

    @api.private
    @job
    def import_file(self):
        """Store one job for each line of the banks file.

        All are stored in one transaction: there are as many as lines, or none.

        :raises NothingToDoJob: when the jobs of this import were stored already
        """
        if not self.exists():
            return self.env._("The import was deleted before it began")
        if self._has_line_jobs():
            raise NothingToDoJob(self.env._("The lines have their jobs already"))
        lines = read_bank_file()[: self.line_count]
        for line in lines:
            self.import_line.delay(
                line.number,
                description=self.env._("Import line %(number)s of the banks", number=line.number),
            )
        return self.env._("%(count)s lines to import", count=len(lines))

    @api.private
    @job(default_channel="root.csv", retry_pattern={1: 5, 3: 60})
    def import_line(self, number):
        """Import one line of the banks file.

        :param int number: which line; its content is read now, not when the job was stored
        :raises NothingToDoJob: when the line is imported already
        """
        if not self.exists():
            return self.env._("The import was deleted, line %(number)s is left out", number=number)
        line = read_bank_file()[number - 1]
        banks = self.env["queue_job_example.bank"]
        if banks._find(line):
            raise NothingToDoJob(self.env._("%(bank)s is imported already", bank=line.name))
        bank = banks._import(line)
        if number <= SHOP_SAMPLE:
            # Stored in the transaction that creates the bank: there is no export without it.
            bank.export_to_shop.delay(max_retries=0)
        return self.env._("Imported %(bank)s", bank=line.name)

    def _has_line_jobs(self):
        domain = [("bank_import_id", "=", self.id), ("method_name", "=", "import_line")]
        return bool(self.env["queue.job"].sudo().search_count(domain, limit=1))

    def _job_store_values(self, job):
        """Mark the jobs of an import, so that its progress is read from one small index."""
        return {**super()._job_store_values(job), "bank_import_id": self.id}

    @api.model
    def _latest(self):
        return self.search([("date_started", "!=", False)], limit=1)

    @api.model
    def start_demo(self, lines=None):
        """Start an import and a job of each other kind; join the import that is still at work.

        :param int lines: imported of the file; all, if not given
        :return: ``total``, the number of lines
        :rtype: dict
        """
        run = self._latest()
        if not run.job_open:
            run = self.create({"line_count": lines} if lines else {})
            run.action_start()
            session = ConnectorSession.from_env(self.env)
            a_heavy_task.delay(session, "res.partner", self.env.user.partner_id.id)
            import_order.delay(session, 1, priority=50)
        return {"total": run.line_count}

    @api.model
    def progress(self):
        """Return how far the latest import is; cheap, to be asked several times a second.

        :return: ``total`` lines, lines ``done``, jobs ``failed``, and banks ``imported``
        :rtype: dict
        """
        self.check_access("read")
        run = self.sudo()._latest()
        return {
            "total": run.line_count,
            "done": run.line_done,
            "failed": run.job_failed,
            "imported": self.env["queue_job_example.bank"].sudo().search_count([]),
        }
