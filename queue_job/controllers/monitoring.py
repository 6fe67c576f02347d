"""The routes that a monitoring system asks: is it well, and how much of what."""

from __future__ import annotations

import hmac

from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import NotFound, Unauthorized

from odoo import http

from .. import exposition
from ..settings import metrics_token
from ..status import read_status
from ..storage import totals

PARAMETER = "queue_job.metrics_token"
"""The system parameter with the token, where no setting of the server has one."""

UNAVAILABLE = 503
NOT_IMPLEMENTED = 501

NOT_KEPT = {"Cache-Control": "no-store"}


class MonitoringController(http.Controller):
    """Answers those who have the token; to others, and without one, there is nothing here.

    The primary is asked, never a replica: what runs is told by locks, which a replica has not.
    """

    @http.route(
        "/queue_job/health",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=False,
    )
    def health(self):
        """Answer 200 when jobs can run, and 503 with the reasons when none can."""
        _check_token()
        found = http.request.env["queue.job.health"].sudo().self_test()
        reasons = [
            {name: one[name] for name in ("problem", "message", "remedy")}
            for one in found
            if one["stops"]
        ]
        answer = {"status": "fail" if reasons else "pass", "reasons": reasons}
        status = UNAVAILABLE if reasons else 200
        return http.request.make_json_response(answer, headers=NOT_KEPT, status=status)

    @http.route(
        "/queue_job/metrics",
        type="http",
        auth="none",
        methods=["GET"],
        save_session=False,
        readonly=False,
    )
    def metrics(self):
        """Answer with all figures, in the text that Prometheus reads."""
        _check_token()
        if not exposition.is_available():
            return http.request.make_response(f"{exposition.MISSING}\n", status=NOT_IMPLEMENTED)
        cr = http.request.env.cr
        text = exposition.expose(read_status(cr, exact=False), totals.read(cr))
        headers = {"Content-Type": exposition.content_type(), **NOT_KEPT}
        return http.request.make_response(text, headers=list(headers.items()))


def _check_token() -> None:
    """See that the request carries the token of this database.

    :raises NotFound: when there is no database, or none has set a token: the routes are off
    :raises Unauthorized: when it carries another, or none
    """
    request = http.request
    if not request.db:
        raise NotFound
    parameter = request.env["ir.config_parameter"].sudo().get_param(PARAMETER)
    token = metrics_token() or (parameter or "").strip()
    if not token:
        raise NotFound
    scheme, _space, given = request.httprequest.headers.get("Authorization", "").partition(" ")
    # Bytes: letters that are not of ASCII cannot be compared in constant time as text.
    equal = hmac.compare_digest(given.strip().encode(), token.encode())
    if scheme.lower() != "bearer" or not equal:
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer", {"realm": "queue_job"}))
