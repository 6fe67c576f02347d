from odoo import _, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import config
from odoo.tools.translate import LazyTranslate

from ..core.channels import ROOT, ChannelError, is_disabled
from ..core.diagnosis import Facts, Finding, NodeFacts, Problem, diagnose
from ..core.hold import Hold
from ..durations import seconds_between
from ..roles import MANAGER, OPERATOR
from ..settings import settings, unknown_settings
from ..storage import home, sight

LOAD = "--load=base,rpc,web,queue_job"
"""What an Odoo needs to have a runner."""

RELEASABLE = (Hold.COPIED.value, Hold.NEUTRALIZED.value)
"""What an administrator can end; the change of modules ends by itself."""

_lt = LazyTranslate(__name__)

MESSAGES = {
    Problem.NOT_LOADED: _lt("This server does not load queue_job at its start."),
    Problem.BAD_SETTINGS: _lt("The settings cannot be used: %(hint)s"),
    Problem.UNKNOWN_SETTING: _lt("Nobody reads the setting %(subject)s."),
    Problem.TURNED_OFF: _lt("The runner of this server is turned off by root:0."),
    Problem.NO_RUNNER: _lt("No job will run: no runner is connected to this database."),
    Problem.NO_LEADER: _lt("No job will run: no runner leads yet."),
    Problem.STALE_RUNNER: _lt("The runner on %(subject)s has been silent for %(number)s s."),
    Problem.HELD: _lt("No job will run: %(hold)s."),
    Problem.UNREACHABLE: _lt("The leader cannot use the workers at %(subject)s: %(hint)s"),
    Problem.ONE_AT_A_TIME: _lt(
        "One job runs at a time, with %(number)s workers there to run them."
    ),
    Problem.MORE_THAN_WORKERS: _lt(
        "The root channel may run %(number)s jobs, and there are %(limit)s workers."
    ),
    Problem.TIME_LIMIT: _lt("A job took %(number)s s; Odoo ends a worker after %(limit)s s."),
    Problem.VERSIONS: _lt("The nodes run different versions: %(subject)s."),
}

REMEDIES = {
    Problem.NOT_LOADED: _lt("Start Odoo with %(load)s"),
    Problem.BAD_SETTINGS: _lt("Correct the setting, and start Odoo again"),
    Problem.UNKNOWN_SETTING: _lt("Take it away, or write %(hint)s"),
    Problem.TURNED_OFF: _lt("ODOO_CONNECTOR_CHANNELS=root:2, or odoo queue_job run beside it"),
    Problem.NO_RUNNER: _lt("Start Odoo with %(load)s, and read its log"),
    Problem.NO_LEADER: _lt("Wait a second; then read the log of the runner"),
    Problem.STALE_RUNNER: _lt("Read its log; kill it, and its server starts another"),
    Problem.HELD: _lt("Release the database, if its jobs are to run here"),
    Problem.UNREACHABLE: _lt(
        "Set ODOO_QUEUE_JOB_HOST and ODOO_QUEUE_JOB_PORT of that server to where its workers answer"
    ),
    Problem.ONE_AT_A_TIME: _lt("ODOO_CONNECTOR_CHANNELS=root:%(slots)s"),
    Problem.MORE_THAN_WORKERS: _lt("Start Odoo with --workers=%(number)s"),
    Problem.TIME_LIMIT: _lt("limit_time_real = %(double)s"),
    Problem.VERSIONS: _lt("Nothing, if an upgrade is on its way"),
}


class QueueJobHealth(models.AbstractModel):
    """The self-test: what is wrong with this installation, and what to do about it."""

    _name = "queue.job.health"
    _description = "Job Queue Self-Test"

    def init(self):
        """Note where the database lives, when it was not noted before."""
        if not home.is_known(self.env.cr):
            self._settle()

    @api.model
    def release(self):
        """Let the jobs of a copied, restored or neutralised database run here.

        :raises AccessError: for anybody but a manager of the queue
        """
        if not self._is_manager():
            raise AccessError(_("Only a manager of the job queue may do this."))
        self._settle()
        return True

    @api.model
    def self_test(self):
        """Return what is wrong, what stops everything first.

        :return: a list of ``{"problem", "stops", "releasable", "message", "remedy"}``; empty when
            all is well
        :raises AccessError: for anybody but an operator or manager of the queue
        """
        if not self._is_manager() and not self.env.user.has_group(OPERATOR):
            raise AccessError(_("Only an operator of the job queue may do this."))
        return [
            {
                "problem": finding.problem.value,
                "stops": finding.stops,
                "releasable": finding.hint in RELEASABLE and self._is_manager(),
                "message": self._message(finding),
                "remedy": self._remedy(finding),
            }
            for finding in diagnose(self._facts())
        ]

    @api.model
    def banner(self):
        """Return what the list of jobs has to say: what stops everything, or nothing."""
        return [found for found in self.self_test() if found["stops"]]

    def _is_manager(self):
        return self.env.su or self.env.user.has_group(MANAGER)

    def _settle(self):
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param(home.KEY, home.read_home(self.env.cr))

    def _facts(self):
        """Look at this server, and at what the runners have told of themselves."""
        here = self.env["queue.job.node"].sudo().search([("here", "=", True)])
        leads = any(here.mapped("leads"))
        channels = self.env["queue.job.channel"]._in_force()
        error, turned_off = "", False
        try:
            turned_off = is_disabled(settings().channels)
        except (ChannelError, ValueError) as wrong:
            error = str(wrong)
        return Facts(
            loaded="queue_job" in config["server_wide_modules"],
            settings_error=error,
            unknown=tuple(unknown_settings()),
            turned_off=turned_off,
            nodes=tuple(self._node_facts(node) for node in here),
            hold=home.read_hold(self.env.cr),
            capacity=channels[ROOT].capacity if leads else None,
            limit=config["limit_time_real"] if config["workers"] else 0,
            longest=sight.read_longest(self.env.cr),
        )

    def _node_facts(self, node):
        return NodeFacts(
            host=node.host,
            url=node.url,
            slots=node.slots,
            silent=seconds_between(node.date_seen, fields.Datetime.now()),
            leads=node.leads,
            version=node.version or "",
            problem=node.problem or "",
        )

    def _message(self, finding: Finding):
        """Say what is wrong."""
        return self.env._(MESSAGES[finding.problem]) % self._values(finding)

    def _remedy(self, finding: Finding):
        """Say what to do about it."""
        return self.env._(REMEDIES[finding.problem]) % self._values(finding)

    def _values(self, finding: Finding):
        try:
            hold = self.env["queue.job"]._hold_text(Hold(finding.hint))
        except ValueError:
            hold = ""
        return {
            "subject": finding.subject,
            "hint": finding.hint,
            "number": round(finding.number),
            "limit": round(finding.limit),
            "double": 2 * round(finding.number),
            "slots": max(1, round(finding.number) - 1),
            "load": LOAD,
            "hold": hold,
        }


class QueueJob(models.Model):
    _inherit = "queue.job"

    def action_self_test(self):
        """Open what the self-test finds."""
        test = self.env["queue.job.self.test"].create({})
        return {
            "type": "ir.actions.act_window",
            "name": _("Self-Test"),
            "res_model": test._name,
            "res_id": test.id,
            "view_mode": "form",
            "target": "new",
        }
