"""The routes through which a jobrunner gives a lease to this worker, or news to dashboards."""

from __future__ import annotations

import time
from contextlib import contextmanager

from werkzeug.exceptions import BadRequest, Forbidden, NotFound, RequestEntityTooLarge

from odoo import SUPERUSER_ID, http

from ..core.report import read_lease, write_reports
from ..core.signature import HEADER, is_valid
from ..storage.forks import keep_from_children
from ..worker.executor import run_lease

PG_RETRY = 5
"""Seconds before the next try after a conflict, for addons that run jobs by themselves."""

DEPENDS_MAX_TRIES_ON_CONCURRENCY_FAILURE = 5
"""Kept for those who import it: dependents are released outside of any job's transaction."""

BODY_LIMIT = 65_536
"""Bytes; the longest lease needs a tenth of it. Nothing longer is read from a stranger."""

SIGNED = {
    "type": "http",
    "auth": "none",
    "methods": ["POST"],
    "csrf": False,
    "save_session": False,
    "readonly": False,
    "max_content_length": BODY_LIMIT,
}
"""How a route is opened on which a signature stands for a user."""


class RunJobController(http.Controller):
    """Runs what carries the signature of this database's jobrunner, and nothing else."""

    @http.route("/queue_job/run", **SIGNED)
    def run(self):
        """Run a lease; answer with the outcome of each job whose turn came."""
        # The object itself: the global name stands for nothing while the jobs run.
        request = http.request._get_current_object()
        jobs = self._signed_lease(request)
        _keep_from_children(request)
        with _no_request():
            reports = run_lease(request.env.cr, jobs)
        return request.make_json_response(write_reports(reports))

    @http.route("/queue_job/publish", **SIGNED)
    def publish(self):
        """Tell open dashboards what is new; the answer is that of a lease without jobs."""
        if self._signed_lease(http.request):
            raise BadRequest("jobs are sent to /queue_job/run")
        http.request.env(user=SUPERUSER_ID)["queue.job.board"]._publish()
        return http.request.make_json_response(write_reports([]))

    def _signed_lease(self, request):
        """Return the jobs of a request whose signature is right."""
        body = self._signed_body(request)
        try:
            return read_lease(body)
        except ValueError as error:
            raise BadRequest(str(error)) from error

    def _signed_body(self, request):
        """Return the body of a request whose signature is right."""
        if not request.db:
            raise NotFound
        if not 0 < (request.httprequest.content_length or 0) <= BODY_LIMIT:
            raise RequestEntityTooLarge
        body = request.httprequest.get_data(cache=False)
        secret = request.env["ir.config_parameter"].sudo().get_param("database.secret")
        signature = request.httprequest.headers.get(HEADER, "")
        if not is_valid(signature, secret, request.db, body, time.time()):
            raise Forbidden
        return body


def _keep_from_children(request):
    """Keep what the runner waits on from processes that a job forks, where Odoo's server tells."""
    connection = request.httprequest._HTTPRequest__environ.get("werkzeug.socket")
    if connection:
        keep_from_children(connection.fileno())


@contextmanager
def _no_request():
    """Hide the request from the jobs: none of them was asked for by a browser."""
    http._request_stack.push(None)
    try:
        yield
    finally:
        http._request_stack.pop()
