"""What is expected of every model, field, method and route of the addon, and who asks for it.

The tests compare these tables with the registry: what is new there and has no row here fails.
"""

import inspect

from odoo import Command
from odoo.models import LOG_ACCESS_COLUMNS
from odoo.service.model import get_public_method

from .common import JobCase

ADDON = "odoo.addons.queue_job."

OPERATIONS = ("read", "write", "create", "unlink")

MODELS = {
    "queue.job": ("read", "write"),
    "queue.job.attempt": ("read",),
    "queue.job.board": (),
    "queue.job.button": (),
    "queue.job.bulk": OPERATIONS,
    "queue.job.channel": OPERATIONS,
    "queue.job.channel.pause": OPERATIONS,
    "queue.job.failure": ("read", "write"),
    "queue.job.failure.count": ("read",),
    "queue.job.failure.mute": OPERATIONS,
    "queue.job.function": OPERATIONS,
    "queue.job.health": (),
    "queue.job.log": ("read",),
    "queue.job.metric": ("read",),
    "queue.job.metric.hour": ("read",),
    "queue.job.mixin": (),
    "queue.job.node": ("read",),
    "queue.job.progress": ("read",),
    "queue.job.pulse": ("read",),
    "queue.job.referred": (),
    "queue.job.self.test": OPERATIONS,
    "queue.job.watch": (),
    "queue.job.tray": (),
    "queue.jobs.to.cancelled": OPERATIONS,
    "queue.jobs.to.done": OPERATIONS,
    "queue.requeue.job": OPERATIONS,
}
"""What a manager of the queue may do with the records of a model."""

OPERATOR_MODELS = {
    **dict.fromkeys(MODELS, ()),
    "queue.job": ("read", "write"),
    "queue.job.attempt": ("read",),
    "queue.job.bulk": OPERATIONS,
    "queue.job.channel": ("read",),
    "queue.job.channel.pause": OPERATIONS,
    "queue.job.failure": ("read", "write"),
    "queue.job.failure.count": ("read",),
    "queue.job.failure.mute": OPERATIONS,
    "queue.job.function": ("read",),
    "queue.job.log": ("read",),
    "queue.job.metric": ("read",),
    "queue.job.metric.hour": ("read",),
    "queue.job.node": ("read",),
    "queue.job.progress": ("read",),
    "queue.job.pulse": ("read",),
    "queue.job.self.test": OPERATIONS,
    "queue.jobs.to.cancelled": OPERATIONS,
    "queue.requeue.job": OPERATIONS,
}
"""What an operator may do; of a job they write nothing by themselves, but ask for what they may."""

VIEWER_MODELS = {
    **dict.fromkeys(MODELS, ()),
    **dict.fromkeys(
        ("queue.job", "queue.job.attempt", "queue.job.log", "queue.job.progress"), ("read",)
    ),
}
"""What a viewer may do, with what is of their own jobs. Others may do nothing."""

EDITED = {"priority", "eta", "channel", "max_retries"}
"""Fields of a job that a manager may change."""

HIDDEN = {"records"}
"""Fields of a job that nobody reads."""

FOR_MANAGERS = {
    *("func_string", "args", "kwargs", "arguments", "argument", "exc_info", "frames"),
    *("identity_key", "identity_claim"),
}
"""Fields of a job that show what it was called with, or a traceback: managers read them."""

JOB_FIELDS = {
    *EDITED,
    *HIDDEN,
    *("uuid", "name", "user_id", "company_id", "state", "model_name", "method_name"),
    *("channel_method_name", "job_function_id", "func_string", "args", "kwargs", "arguments"),
    *("identity_key", "identity_claim", "identity_scope", "graph_uuid", "retry", "tries"),
    *("timeout", "attempt", "lost", "conflicts", "snoozes", "scheduled", "date_created"),
    *("date_enqueued", "date_started"),
    *("date_done", "date_cancelled", "date_notice", "exec_time", "worker_pid", "worker_host"),
    *("result", "exc_name", "exc_message", "exc_info", "failure_key", "wait_reason", "traceparent"),
    *("dependency_ids", "dependent_ids", "dependencies", "dependency_graph", "graph_jobs_count"),
    *("attempt_ids", "log_ids", "progress", "progress_text", "linked"),
    *("frames", "timeline", "payload", "can_edit"),
    *("is_live", "runs_long", "created_since", "channel_id", "argument", "record_ref"),
    *("record_link", "waited", "ran", "worker"),
    *("memory_limit", "memory_peak", "memory_added", "limits", "stopping", "stopped"),
    "on_parent_stop",
}
"""Every field of a job that is the addon's."""

OTHER_FIELDS = {
    "queue.job.attempt": {
        *("job_id", "attempt", "outcome", "date_started", "date_ended", "seconds"),
        *("worker_host", "worker_pid", "message", "exc_name", "exc_info", "failure_key"),
        *("frames", "memory_peak", "memory_added", "date_asked"),
    },
    "queue.job.board": set(),
    "queue.job.button": set(),
    "queue.job.bulk": {
        "action",
        "domain",
        "channel",
        "priority",
        "eta",
        "summary",
        "as_job",
        "running",
    },
    "queue.job.channel": {
        *("name", "complete_name", "parent_id", "job_function_ids", "removal_interval"),
        *("capacity", "throttle", "paused", "pause_reason", "paused_until", "paused_by_id"),
        *("date_paused", "configured", "capacity_in_force", "running", "waiting", "oldest"),
        *("is_applied", "is_held"),
    },
    "queue.job.channel.pause": {"channel_ids", "reason", "until"},
    "queue.job.failure": {
        *("key", "name", "exc_name", "location", "function", "state", "muted_until"),
        *("responsible_id", "returns", "first_seen", "last_seen", "count_hour", "count_day"),
        *("count_week", "trend", "failed_count", "message", "functions", "sample_traceback"),
        *("frames", "affected", "probe_number", "follow_number", "probe_state"),
    },
    "queue.job.failure.count": {"key", "hour", "number"},
    "queue.job.failure.mute": {"failure_ids", "until"},
    "queue.job.function": {
        *("name", "model_id", "method", "on_fail_method", "channel_id", "channel"),
        *("channel_source", "retry_pattern", "effective_retry_pattern", "edit_retry_pattern"),
        *("retry_pattern_source", "related_action", "edit_related_action", "allow_commit"),
        *("timeout", "effective_timeout", "memory", "effective_memory", "memory_most"),
        *("identity_scope", "calls", "success", "failures", "retries", "seconds", "time_share"),
        *("run_p50", "run_p95", "run_p99", "wait_p50", "wait_p95", "wait_p99", "durations"),
        "failure_ids",
    },
    "queue.job.health": set(),
    "queue.job.log": {"job_id", "attempt", "date", "level", "logger", "message"},
    "queue.job.metric": {
        *("minute", "channel", "function", "done", "failed", "postponed", "lost", "seconds"),
        *("waited", "failure_rate", "average_run", "average_wait", "cancelled", "memory"),
    },
    "queue.job.metric.hour": {
        *("hour", "function", "done", "failed", "postponed", "lost", "seconds", "cancelled"),
        "memory",
    },
    "queue.job.mixin": {"queue_job_count"},
    "queue.job.node": {
        *("host", "pid", "url", "slots", "standalone", "version", "channels", "problem"),
        *("date_started", "date_seen", "date_leading", "here", "leads", "revision"),
        *("status", "uptime", "silent", "running_ids", "running_count"),
    },
    "queue.job.progress": {"job_id", "attempt", "done", "total", "message", "date"},
    "queue.job.pulse": {
        *("minute", "channel", "done", "failed", "waiting", "running", "oldest"),
    },
    "queue.job.referred": set(),
    "queue.job.self.test": {"report", "can_release"},
    "queue.job.watch": {"seq", "date_until", "date_told"},
    "queue.job.tray": set(),
    "queue.jobs.to.cancelled": {"job_ids"},
    "queue.jobs.to.done": {"job_ids"},
    "queue.requeue.job": {"job_ids"},
}
"""Every field of the other models; who may write the model may write them."""

METHODS = {
    "queue.job": {
        *("requeue", "button_done", "button_cancelled", "cancel", "open_graph_jobs", "explain"),
        *("open_related_action", "related_action_open_record", "action_self_test", "write"),
        *("run_now", "open_same_function", "open_same_error", "pulse"),
        *("graph_drawing", "graph_states", "retry_branch", "cancel_rest"),
    },
    "queue.job.attempt": set(),
    "queue.job.board": {"snapshot", "watch"},
    "queue.job.button": {"count_jobs", "open_jobs"},
    "queue.job.channel": {
        *("create", "write", "action_pause", "action_resume", "overview", "for_names"),
    },
    "queue.job.bulk": {"apply"},
    "queue.job.channel.pause": {"pause"},
    "queue.job.failure": {
        *("write", "action_seen", "action_solve", "action_mute", "action_take"),
        *("action_open_jobs", "action_open_records", "action_probe", "action_probe_all"),
        *("action_retry_all", "action_cancel_all"),
    },
    "queue.job.failure.count": set(),
    "queue.job.failure.mute": {"mute"},
    "queue.job.function": {
        *("create", "write", "unlink", "job_function_name", "action_open_jobs", "action_record"),
    },
    "queue.job.health": {"self_test", "banner", "release"},
    "queue.job.log": set(),
    "queue.job.metric": set(),
    "queue.job.metric.hour": set(),
    "queue.job.node": {"action_open_jobs"},
    "queue.job.mixin": {"action_open_queue_jobs"},
    "queue.job.progress": set(),
    "queue.job.pulse": set(),
    "queue.job.referred": set(),
    "queue.job.self.test": {"release"},
    "queue.job.watch": set(),
    "queue.job.tray": {"look", "unfold"},
    "queue.jobs.to.cancelled": {"requeue", "set_cancelled"},
    "queue.jobs.to.done": {"requeue", "set_done"},
    "queue.requeue.job": {"requeue"},
}
"""Every method of the addon that can be called from outside. Managers may."""

NOT_FOR_OPERATORS = {
    "queue.job": {"button_done", "run_now"},
    "queue.job.channel": {"create", "write"},
    "queue.job.function": {"create", "write", "unlink", "job_function_name"},
    "queue.job.health": {"release"},
    "queue.job.self.test": {"release"},
    "queue.jobs.to.done": {"requeue", "set_done"},
}
"""Those of them that operators may not call."""

FOR_VIEWERS = {
    "queue.job.button": {"count_jobs", "open_jobs"},
    "queue.job": {
        "open_graph_jobs",
        "explain",
        "open_related_action",
        "related_action_open_record",
        "action_self_test",
        "write",
        "open_same_function",
        "open_same_error",
        "pulse",
        "graph_drawing",
        "graph_states",
    },
}
"""Those that viewers may call for their own jobs, to look. What opens then asks for rights."""

MIXINS = {"queue.job.mixin"}
"""Models whose methods are tried on those that inherit from them."""

WITHOUT_SECRETS = {"create", "write", "unlink", "job_function_name"}
"""Methods that are tried as operations, or make a text of what they are given."""

ROUTES = {
    "/queue_job/run": {"POST"},
    "/queue_job/publish": {"POST"},
    "/queue_job/health": {"GET"},
    "/queue_job/metrics": {"GET"},
}
"""Every route of the addon. Who signs may use the first two, who has the token the others."""


def module_models(env):
    """Return the names of the models that the addon defines."""
    return {name for name, cls in env.registry.items() if cls._original_module == "queue_job"}


def module_fields(env, model):
    """Return the names of the fields that the addon defines, or has a say in."""
    fields = env[model]._fields.items()
    names = {name for name, field in fields if "queue_job" in field._modules}
    return names - set(LOG_ACCESS_COLUMNS)


def module_methods(env, model):
    """Return the names of the methods of the addon that can be called from outside."""
    names = {
        name
        for cls in type(env[model]).mro()
        if cls.__module__.startswith(ADDON)
        for name, value in vars(cls).items()
        if callable(getattr(cls, name)) and not inspect.isclass(value)
    }
    return {name for name in names if is_public(env[model], name)}


def is_public(model, name):
    """Tell whether a method can be called from outside."""
    try:
        get_public_method(model, name)
    except Exception:
        return False
    return True


def module_routes(env):
    """Return the methods of HTTP of each route of the addon."""
    found = {}
    for rule in env["ir.http"].routing_map().iter_rules():
        endpoint = getattr(rule.endpoint, "func", rule.endpoint)
        if inspect.unwrap(endpoint).__module__.startswith(ADDON):
            found[rule.rule] = set(rule.methods) - {"OPTIONS", "HEAD"}
    return found


class SecurityCase(JobCase):
    """Those who might ask, in two companies, and a job of each company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls.env["res.company"].create({"name": "Elsewhere"})
        cls.portal = cls.make_user("portal-user", "base.group_portal")
        cls.foreign_manager = cls.make_user(
            "foreign-manager",
            "base.group_user",
            "queue_job.group_queue_job_manager",
            company_id=cls.elsewhere.id,
            company_ids=[Command.set(cls.elsewhere.ids)],
        )
        cls.strangers = (cls.env.ref("base.public_user"), cls.portal, cls.user)
        cls.operator = cls.make_user("queue-operator", "queue_job.group_queue_job_operator")
        cls.viewer = cls.make_user("queue-viewer", "queue_job.group_queue_job_viewer")
        cls.job = cls.record.with_user(cls.user).noop.delay(1, word="two").db_record()
        cls.job = cls.job.with_env(cls.env)
        cls.foreign_job = cls.record.with_company(cls.elsewhere).noop.delay().db_record()
        cls.foreign_job = cls.foreign_job.with_env(cls.env)
        cls.viewed_job = cls.record.with_user(cls.viewer).noop.delay(1, word="two").db_record()
        cls.viewed_job = cls.viewed_job.with_env(cls.env)
        cls.env.flush_all()

    @classmethod
    def make_user(cls, login, *groups, **values):
        """Return a new user, whose password is the login."""
        return cls.env["res.users"].create(
            {
                "name": login,
                "login": login,
                "password": login,
                "group_ids": [Command.set([cls.env.ref(group).id for group in groups])],
                **values,
            }
        )

    def row(self, job):
        """Return the whole row of a job, whatever the ORM believes."""
        self.env.flush_all()
        self.env.cr.execute("SELECT * FROM queue_job WHERE id = %s", (job.id,))
        return dict(
            zip(
                (column.name for column in self.env.cr.description),
                self.env.cr.fetchone(),
                strict=True,
            )
        )
