"""The table of the screens: where each is, and how it is seen that it is there.

A screen that this version of the addon does not have is left out, and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .server import OdooServer

HOME = "queue_job.home"
ELSEWHERE = "a copy/0"
"""The parameter that says where the database lives, and what no database's home is."""

RECORDS: dict[str, list[Any]] = {
    "failed": [("state", "=", "failed"), ("method_name", "=", "fetch_statement")],
    "running": [
        ("state", "=", "started"),
        ("method_name", "=", "report"),
        # It is to be seen how far it is, and not to end before it was.
        ("date_started", "<", "-5S"),
        ("date_started", ">", "-25S"),
    ],
    "graph": [("method_name", "=", "close"), ("graph_uuid", "!=", False)],
    "retried": [("state", "=", "done"), ("attempt", ">", 1), ("channel", "=", "root.shop")],
    # Not one that waits for its retry, for two seconds.
    "scheduled": [
        ("state", "=", "pending"),
        ("scheduled", "=", True),
        ("method_name", "=", "send_statement"),
    ],
}
"""Jobs that a path may name, the latest of each; there are all of them before anything is drawn."""

PREFERRED: dict[str, list[Any]] = {
    # Of such a graph something runs: it has the colours of all states.
    "graph": [*RECORDS["graph"], ("state", "=", "wait_dependencies")],
}
"""Jobs that are taken instead, when there is one at that moment."""


@dataclass(frozen=True)
class Step:
    """A click, and what is there after it.

    :param click: selector
    :param shows: selector
    """

    click: str
    shows: str


@dataclass(frozen=True)
class Screen:
    """One screen.

    :param name: of its pictures
    :param path: below ``/odoo/``; ``{failed}`` is the id of such a job, see :data:`RECORDS`
    :param shows: selector of what is there when the screen is
    :param steps: clicks before the picture is taken
    :param view: kind of a view that the action has to have
    :param needs: XML id of what has to be there, beside the action that the path names
    :param scroll: selector of what is brought into the middle
    :param until: selectors of what has to be there as well, and comes by itself
    :param height: pixels of its wide picture; as many as a desk has if not given
    :param wide_only: whether Odoo shows it on a desk alone
    :param held: whether the database is held meanwhile, as a copy of another
    """

    name: str
    path: str
    shows: str
    steps: tuple[Step, ...] = ()
    view: str = ""
    needs: str = ""
    scroll: str = ""
    until: tuple[str, ...] = ()
    height: int = 0
    wide_only: bool = False
    held: bool = False

    @property
    def action(self) -> str:
        """The path of the action alone."""
        return self.path.partition("?")[0].partition("/")[0]


CARD = ".o_kanban_record:not(.o_kanban_ghost)"
LIST = f".o_content .o_data_row, .o_content {CARD}"
"""On a phone Odoo shows cards where there are any."""
FORM = ".o_form_view .o_form_sheet"
NOTEBOOK = ".o_form_view .o_notebook"
SYSTRAY = "button.o_queue_job_tray"
GRAPH = ".o_queue_job_graph"
GRAPH_ALONE = f".o_queue_job_graph_action {GRAPH}"
LIVE = ".o_queue_job_refresh .text-success"
"""The green dot of a screen that hears of what happens."""
ALERT = ".o_queue_job_alerts [data-kind=oldest]"
"""A wave of statements makes one each minute."""
EVENT = ".fc-event"
NEXT_WEEK = Step(".o_calendar_button_next", EVENT)
"""Of this week there may be nothing left."""


def _page(kind: str, name: str, shows: str) -> Screen:
    """Return a page of the notebook below a job."""
    return Screen(
        f"job-{name}",
        f"queue-jobs/{{{kind}}}",
        FORM,
        (Step(f".nav-link[name={name}]", shows),),
        scroll=NOTEBOOK,
        wide_only=True,
    )


SCREENS = (
    Screen(
        "dashboard",
        "queue",
        ".o_queue_job_board_content canvas",
        until=(LIVE, ALERT),
        height=1300,
    ),
    Screen("jobs", "queue-jobs", LIST),
    Screen("jobs-kanban", "queue-jobs?view_type=kanban", CARD, view="kanban"),
    Screen(
        "jobs-calendar",
        "queue-jobs?view_type=calendar",
        ".o_calendar_renderer .fc",
        (NEXT_WEEK,),
        view="calendar",
        scroll=EVENT,
        wide_only=True,
    ),
    Screen(
        "jobs-graph",
        "queue-jobs?view_type=graph",
        ".o_graph_canvas_container canvas",
        wide_only=True,
    ),
    Screen("jobs-pivot", "queue-jobs?view_type=pivot", ".o_pivot table", wide_only=True),
    Screen(
        "jobs-retry",
        "queue-jobs",
        LIST,
        (
            Step("thead .o_list_record_selector input", ".o_control_panel .fa-repeat"),
            Step(".o_control_panel .fa-repeat", ".modal .o_queue_job_summary"),
        ),
        wide_only=True,
    ),
    Screen("job-failed", "queue-jobs/{failed}", FORM),
    Screen(
        "traceback",
        "queue-jobs/{failed}",
        ".o_queue_job_traceback",
        scroll=".o_queue_job_traceback",
    ),
    Screen("job-running", "queue-jobs/{running}", FORM),
    Screen("job-retried", "queue-jobs/{retried}", FORM),
    _page("retried", "attempts", "[name=attempt_ids] .o_data_row"),
    _page("running", "log", "[name=log_ids] .o_data_row"),
    _page("retried", "result", ".tab-pane.active [name=result]"),
    Screen("job-scheduled", "queue-jobs/{scheduled}", FORM),
    _page("scheduled", "call", ".tab-pane.active .o_queue_job_payload"),
    Screen("job-in-graph", "queue-jobs/{graph}", FORM),
    Screen(
        "graph",
        "queue-jobs/{graph}",
        FORM,
        (Step(".nav-link[name=dependencies]", GRAPH), Step(f"{GRAPH} .fa-expand", GRAPH_ALONE)),
        needs="queue_job.action_queue_job_graph",
    ),
    Screen("failures", "queue-failures", LIST),
    Screen(
        "failure",
        "queue-failures",
        LIST,
        (Step(f".o_data_row .o_data_cell, {CARD}", FORM),),
    ),
    Screen(
        "channels",
        "queue-channels",
        ".o_queue_job_channels td.o_name",
    ),
    Screen(
        "channel-pause",
        "queue-channels",
        ".o_queue_job_channels td.o_name",
        (Step(".o_pause_button[aria-label$=mail]", ".modal #queue_job_pause_reason"),),
        wide_only=True,
    ),
    Screen("functions", "queue-functions", LIST),
    Screen("workers", "queue-nodes", LIST),
    Screen("analysis", "queue-analysis", ".o_graph_canvas_container canvas"),
    Screen(
        "scheduled",
        "queue-scheduled",
        ".o_calendar_renderer .fc",
        (NEXT_WEEK,),
        scroll=EVENT,
        wide_only=True,
    ),
    Screen(
        "settings",
        "settings",
        ".settings_tab",
        (Step(".settings_tab .tab[data-key=queue_job]", ".app_settings_block"),),
        needs="queue_job.view_queue_job_settings",
    ),
    Screen(
        "systray",
        "queue-jobs",
        LIST,
        (Step(SYSTRAY, ".o_queue_job_tray_menu .o_queue_job_tray_count"),),
    ),
    Screen("self-test-banner", "queue-jobs", ".o_queue_job_banner", held=True, wide_only=True),
    Screen(
        "self-test",
        "queue-jobs",
        LIST,
        (Step("button[name=action_self_test]", ".modal .alert-danger"),),
        held=True,
        wide_only=True,
    ),
)


def missing(screen: Screen, server: OdooServer) -> str:
    """Return what a server lacks of a screen, in words; nothing when it is all there."""
    if screen.action != "settings" and not _has_action(server, screen.action):
        return f"no action has the path {screen.action}"
    if screen.view and not _has_view(server, screen):
        return f"the action has no {screen.view}"
    if screen.needs and not _has_record(server, screen.needs):
        return f"there is no {screen.needs}"
    return ""


def _has_action(server: OdooServer, path: str) -> bool:
    return bool(server.rpc("ir.actions.actions", "search_count", [[("path", "=", path)]]))


def _has_view(server: OdooServer, screen: Screen) -> bool:
    domain = [("path", "=", screen.action), ("view_mode", "like", screen.view)]
    return bool(server.rpc("ir.actions.act_window", "search_count", [domain]))


def _has_record(server: OdooServer, xml_id: str) -> bool:
    module, _dot, name = xml_id.partition(".")
    domain = [("module", "=", module), ("name", "=", name)]
    return bool(server.rpc("ir.model.data", "search_count", [domain]))


def find_records(server: OdooServer) -> dict[str, int]:
    """Return the latest job of each kind that there is."""
    latest = {name: _latest(server, domain) for name, domain in RECORDS.items()}
    wanted = {name: _latest(server, domain) for name, domain in PREFERRED.items()}
    return {name: wanted.get(name) or number for name, number in latest.items() if number}


def _latest(server: OdooServer, domain: list[Any]) -> int:
    ids = server.rpc("queue.job", "search", [domain], {"limit": 1, "order": "id DESC"})
    return int(ids[0]) if ids else 0


def names_in(path: str) -> list[str]:
    """Return the names of the jobs that a path names."""
    return [name for name in RECORDS if f"{{{name}}}" in path]


def choose(wanted: str) -> tuple[Screen, ...]:
    """Return the screens that are wanted.

    :param wanted: names between spaces; all screens when there is none
    :raises ValueError: when a screen has no such name
    """
    names = wanted.split()
    unknown = set(names) - {screen.name for screen in SCREENS}
    if unknown:
        raise ValueError(f"no screen is called {', '.join(sorted(unknown))}")
    return tuple(screen for screen in SCREENS if not names or screen.name in names)


def hold(server: OdooServer) -> None:
    """Hold a database as if it were a copy of another."""
    server.rpc("ir.config_parameter", "set_param", [HOME, ELSEWHERE])


def release(server: OdooServer) -> None:
    """Let its jobs run again."""
    server.rpc("queue.job.health", "release", [])
