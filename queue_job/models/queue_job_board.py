from datetime import timedelta, timezone

from odoo import _, api, fields, models
from odoo.exceptions import AccessError, UserError

from ..core.channels import ROOT
from ..core.present import channels_now, per_minute
from ..core.series import (
    SPANS,
    Bucket,
    Group,
    Range,
    by_key,
    complete,
    merged,
    percentiles,
    with_the_present,
)
from ..roles import OPERATOR
from ..storage import board, dispatch, pulse, sight
from .queue_job_watch import TOPIC

RUNNING_SHOWN = 30
"""Jobs that are listed as running."""

RUNNING_READ = 500
"""Running jobs that are looked at for one that hangs."""

FAILURES_READ = 500
"""Last failed jobs that are grouped."""

FAILURES_SHOWN = 8
"""Groups of failures that are listed."""

CHANNELS_SHOWN = 40
"""Channels that are listed."""


class QueueJobBoard(models.AbstractModel):
    """What the dashboard shows.

    Jobs that are listed or grouped are those of the user's companies, by the rules of jobs. The
    figures are of the whole database, whoever looks: neither the sums of minutes nor a channel know
    of companies, and an operator cares for the queue that all companies share. They say how many,
    never which.
    """

    _name = "queue.job.board"
    _description = "Job Queue Dashboard"

    @api.model
    @api.readonly
    def snapshot(self, span="1h", group="state"):
        """Return all that the dashboard shows.

        :param str span: how far back the charts go: ``15m``, ``1h``, ``6h``, ``24h``, ``7d``
        :param str group: what they tell apart: ``state``, ``channel``, ``function``
        :raises AccessError: for anybody but an operator of the queue
        :raises UserError: when there is no such range or group
        """
        self._check_operator()
        try:
            span, group = SPANS[Range(span)], Group(group)
        except ValueError:
            raise UserError(_("There is no such range or group.")) from None
        present = self._present()
        running = self._running_jobs()
        return {
            "now": present["now"],
            "seq": board.read_seq(self.env.cr),
            "counts": self._counts(present),
            "alerts": self._alerts(present, running),
            "channels": self._channels(present),
            "running": [self._running_row(job, present["now"]) for job in running[:RUNNING_SHOWN]],
            "failures": self._failures(),
            "series": self._series(present, span, group),
            "marks": self._marks(span.since(present["now"])),
            "root": self.env.ref("queue_job.channel_root").id,
            "all_companies": len(self.env.companies) < present["companies"],
        }

    @api.model
    def watch(self):
        """Say that a dashboard is open: for a while there are messages on the bus.

        :raises AccessError: for anybody but an operator of the queue
        """
        self._check_operator()
        board.renew_watch(self.env.cr)
        return True

    @api.model
    def _publish(self):
        """Tell open dashboards the figures of this moment; nothing when nobody looks."""
        if board.read_watch(self.env.cr) <= 0:
            return False
        counts = self._counts(self._present())
        seq = board.tell(self.env.cr)
        if seq is None:
            return False
        message = {"seq": seq, "now": fields.Datetime.now().timestamp(), "counts": counts}
        self.env.ref(OPERATOR)._bus_send(TOPIC, message, subchannel=TOPIC)
        return True

    @api.model
    def _check_operator(self):
        if not self.env.su and not self.env.user.has_group(OPERATOR):
            raise AccessError(_("Only an operator of the job queue may do this."))

    # Figures

    @api.model
    def _present(self):
        """Look at what waits and runs in the whole database."""
        cr = self.env.cr
        self.env["queue.job"].flush_model()
        waiting, running = board.read_waiting(cr), sight.read_running(cr)
        in_force = self.env["queue.job.channel"]._in_force()
        strict = any(config.sequential for config in in_force.values())
        # Where no order is strict, a retry holds nothing; the figures are read each second.
        retrying = dispatch.read_held(cr) if strict else ()
        channels = channels_now(in_force, waiting, running, retrying)
        here = self.env["queue.job.node"].sudo().search([("here", "=", True)])
        return {
            "now": _epoch(self.env.cr.now()),
            "channels": channels,
            "root": next(channel for channel in channels if channel.name == ROOT),
            "later": board.read_later(cr),
            "recent": pulse.read_recent(cr),
            "slots": sum(here.filtered(lambda node: not node.problem).mapped("slots")),
            "companies": self.env["res.company"].sudo().search_count([], limit=100),
        }

    @api.model
    def _counts(self, present):
        """Return the figures of the tiles."""
        root, later, recent = present["root"], present["later"], present["recent"]
        limits = [limit for limit in (root.capacity, present["slots"]) if limit is not None]
        return {
            "waiting": root.waiting,
            "scheduled": later.scheduled,
            "parents": later.parents,
            "limit": board.COUNT_LIMIT,
            "running": root.running,
            "capacity": min(limits),
            "failed": recent.failed_day,
            "rate": round(per_minute(present["now"], recent), 1),
            "oldest": round(root.oldest, 1),
        }

    @api.model
    def _channels(self, present):
        """Return the channels: all, or those in which there is most to do."""
        rank = {channel.name: channel.waiting + channel.running for channel in present["channels"]}
        shown = sorted(rank, key=lambda name: rank[name], reverse=True)[:CHANNELS_SHOWN]
        return [
            {
                "name": channel.name,
                "waiting": channel.waiting,
                "running": channel.running,
                "capacity": channel.capacity or 0,
                "oldest": round(channel.oldest, 1),
                "paused": channel.paused,
            }
            for channel in present["channels"]
            if channel.name in shown
        ]

    # Series

    @api.model
    def _series(self, present, span, group):
        """Return the charts: a number, or nothing, for each bucket of the range."""
        now, root = present["now"], present["root"]
        found = complete(now, span, pulse.read_buckets(self.env.cr, span, now))
        live = Bucket(0, waiting=root.waiting, running=root.running, oldest=root.oldest)
        buckets = with_the_present(found, live)
        ended, depth = self._by_group(now, span, group, buckets)
        return {
            "at": [bucket.at for bucket in buckets],
            "size": span.size,
            "group": group.value,
            "throughput": [{"key": key, "data": data} for key, data in ended],
            "depth": [{"key": key, "data": data} for key, data in depth],
            "wait": percentiles(bucket.wait for bucket in buckets),
            "run": percentiles(bucket.run for bucket in buckets),
            "wait_all": _overall(bucket.wait for bucket in buckets),
            "run_all": _overall(bucket.run for bucket in buckets),
            "oldest": [bucket.oldest for bucket in buckets],
        }

    @api.model
    def _by_group(self, now, span, group, buckets):
        """Return what ended and what waited, by what the charts tell apart.

        Of what waits functions are not known: there it is told as by state.
        """
        cr = self.env.cr
        depth = [
            ("waiting", [bucket.waiting for bucket in buckets]),
            ("running", [bucket.running for bucket in buckets]),
        ]
        if group is Group.CHANNEL:
            parts = pulse.read_channels(cr, span, now)
            return by_key(now, span, parts, "ended"), by_key(now, span, parts, "waiting")
        if group is Group.FUNCTION:
            return by_key(now, span, pulse.read_functions(cr, span, now), "ended"), depth
        ended = [
            ("done", [bucket.done for bucket in buckets]),
            ("failed", [bucket.failed for bucket in buckets]),
        ]
        return ended, depth

    @api.model
    def _marks(self, since):
        """Return when runners were started and modules upgraded, which often is the reason."""
        nodes = self.env["queue.job.node"].sudo().search([("here", "=", True)])
        marks = [
            {
                "at": _epoch(node.date_started),
                "label": _(
                    "Runner started: %(host)s %(version)s",
                    host=node.host,
                    version=node.version or "",
                ),
            }
            for node in nodes
            if node.date_started and _epoch(node.date_started) >= since
        ]
        for at, names in board.read_upgrades(self.env.cr, since):
            shown = ", ".join(names[:3]) + (", …" if names[3:] else "")
            marks.append({"at": _epoch(at), "label": _("Modules upgraded: %s", shown)})
        return sorted(marks, key=lambda mark: mark["at"])

    # Jobs, by the rules that the user has

    @api.model
    def _running_jobs(self):
        return self.env["queue.job"].search_fetch(
            [("state", "=", "started")],
            ["name", "channel", "channel_method_name", "date_started", "worker_host", "worker_pid"],
            limit=RUNNING_READ,
            order="date_started, id",
        )

    @api.model
    def _running_row(self, job, now):
        return {
            "id": job.id,
            "name": job.name or job.channel_method_name or "",
            "channel": job.channel,
            "seconds": seconds_of(job, now),
            "worker": f"{job.worker_host or ''}:{job.worker_pid or ''}".strip(":"),
            "progress": round(job.progress, 1),
            "progress_text": job.progress_text or "",
        }

    @api.model
    def _failures(self):
        """Return the failed jobs that started in the last day, by exception and function.

        Among the last so many that failed at all: it looks no further back.
        """
        since = fields.Datetime.now() - timedelta(days=1)
        jobs = self.env["queue.job"].search_fetch(
            [("state", "=", "failed")],
            ["exc_name", "exc_message", "channel_method_name", "date_started"],
            limit=FAILURES_READ,
            order="id desc",
        )
        groups = jobs.filtered(lambda job: job.date_started and job.date_started >= since).grouped(
            lambda job: (job.exc_name or "", job.channel_method_name or "")
        )
        rows = [self._failure_row(*key, group) for key, group in groups.items()]
        return sorted(rows, key=lambda row: (-row["count"], -row["last"]))[:FAILURES_SHOWN]

    @api.model
    def _failure_row(self, exception, function, jobs):
        domain = [("state", "=", "failed")]
        domain += [("exc_name", "=", exception or False)]
        domain += [("channel_method_name", "=", function or False)]
        last = max(jobs, key=lambda job: job.date_started)
        return {
            "exception": exception.rpartition(".")[2] or _("No exception"),
            "function": function,
            "message": (last.exc_message or "").strip().partition("\n")[0][:200],
            "count": len(jobs),
            "last": _epoch(last.date_started),
            "action": self._list(exception.rpartition(".")[2] or _("Failed Jobs"), domain),
        }

    @api.model
    def _list(self, name, domain):
        """Return what opens a list of jobs."""
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "queue.job",
            "views": [[False, "list"], [False, "form"]],
            "domain": domain,
        }


def _epoch(at):
    """Return the seconds since 1970 of a time, which is UTC."""
    return fields.Datetime.to_datetime(at).replace(tzinfo=timezone.utc).timestamp()


def seconds_of(job, now):
    """Return for how many seconds a job has run."""
    return max(0.0, now - _epoch(job.date_started)) if job.date_started else 0.0


def _overall(counts):
    """Return the percentiles of a whole range."""
    return {name: line[0] for name, line in percentiles([merged(counts)]).items()}
