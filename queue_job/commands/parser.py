"""What can be typed after ``odoo queue_job``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

from .when import read_future, read_past

STATES = (
    "wait_dependencies",
    "pending",
    "enqueued",
    "started",
    "done",
    "cancelled",
    "failed",
)
"""As they are stored; not imported, so that help needs nothing but Python."""

LIST_LIMIT = 40
"""Jobs that ``list`` shows when nobody says how many."""

ODOO_OPTIONS = (
    ("-c", "--config"),
    ("-r", "--db_user"),
    ("-w", "--db_password"),
    ("--db_host",),
    ("--db_port",),
    ("--db_sslmode",),
    ("--db-filter",),
    ("--db-template",),
    ("--addons-path",),
    ("--data-dir",),
    ("--load",),
    ("--workers",),
    ("--logfile",),
    ("--log-level",),
    ("--log-handler",),
    ("--limit-time-cpu",),
    ("--limit-time-real",),
    ("--limit-memory-hard",),
    ("--limit-memory-soft",),
    ("--max-cron-threads",),
    ("--http-interface",),
    ("-p", "--http-port"),
    ("--gevent-port",),
)
"""Options of Odoo whose value may stand behind a space; others are written ``--name=value``."""

DOMAIN_HELP = """a filter of plain fields, as the screens have it: [("priority", "<", 5)]; loads
the registry of Odoo, which takes some seconds"""

LIST_EPILOG = """A filter looks at all jobs that wait, run or have failed, and of those that are
done or cancelled at the newest 50,000; with --limit 0 at the whole table. --since goes by the
numbers of the jobs, which are in the order in which they were made."""

EPILOG = """
Options of the Odoo server follow, such as -c odoo.conf -d DATABASE.
exit codes: 0 done; 1 something is wrong, or was not all done; 2 not understood
"""


@dataclass(frozen=True)
class Subcommand:
    """What a subcommand is.

    :param name: as it is typed
    :param handler: module of this package and function in it
    :param says: one line of help
    :param options: adds what it takes to a parser
    """

    name: str
    handler: str
    says: str
    options: Callable[[argparse.ArgumentParser], None]


def _none(parser: argparse.ArgumentParser) -> None:
    """Take nothing beyond what every subcommand takes."""


def _filters(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which jobs")
    group.add_argument("--state", action="append", choices=STATES, help="may be given again")
    group.add_argument("--channel", help="and the channels below it")
    group.add_argument("--function", help="part of the name")
    group.add_argument("--model")
    group.add_argument("--user", help="login")
    group.add_argument(
        "--since", type=_past, help="made since then: 2h, 7d, 2026-01-31T12:00 (UTC)"
    )
    group.add_argument("--exception", help="part of its name or message")
    group.add_argument("--domain", help=DOMAIN_HELP)


def _list(parser: argparse.ArgumentParser) -> None:
    _filters(parser)
    parser.epilog = LIST_EPILOG
    parser.add_argument(
        "--limit", type=_number, default=LIST_LIMIT, help=f"default: {LIST_LIMIT}; 0 for all"
    )


def _one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uuid", metavar="UUID")


def _many(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("uuids", metavar="UUID", nargs="*")
    _filters(parser)
    parser.add_argument("--all", action="store_true", help="all that can be, without a filter")
    parser.add_argument("--limit", type=_number, default=0, help="at most so many")
    parser.add_argument("--dry-run", action="store_true", help="only say how many there are")
    parser.add_argument("--yes", action="store_true", help="do not ask, on a terminal")


def _channels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="CHANNEL", nargs="+")


def _pause(parser: argparse.ArgumentParser) -> None:
    _channels(parser)
    parser.add_argument("--reason", default="", help="what the screens say")
    parser.add_argument(
        "--until", type=_future, help="end it by itself: 30m, 2h, 2026-01-31T12:00 (UTC)"
    )


def _channel_actions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("show", "set"), nargs="?", default="show")
    parser.add_argument("name", metavar="CHANNEL", nargs="?")
    parser.add_argument("--capacity", type=_number, help="jobs at a time; 0: as configured")
    parser.add_argument("--throttle", type=_seconds, help="seconds; 0: as configured")


def _stats(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=_past, default="24h", help="default: 24h")
    parser.add_argument("--by", choices=("channel", "function"), default="function")


def _drain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timeout", type=_seconds, help="start nothing after so many seconds")
    parser.add_argument("--limit", type=_number, default=0, help="run so many jobs at the most")
    parser.add_argument("--channels", help="channel string, instead of the server's")


SUBCOMMANDS = (
    Subcommand("list", "jobs:list_jobs", "the newest jobs that match", _list),
    Subcommand("show", "jobs:show", "all that is stored of a job", _one),
    Subcommand("explain", "jobs:explain", "say why a job does not run", _one),
    Subcommand("retry", "jobs:retry", "run jobs again: failed ones, unless named", _many),
    Subcommand("cancel", "jobs:cancel", "give jobs up: waiting ones, unless named", _many),
    Subcommand("pause", "channels:pause", "let nothing start in channels", _pause),
    Subcommand("resume", "channels:resume", "let jobs start again", _channels),
    Subcommand("channels", "channels:channels", "show channels, or set one", _channel_actions),
    Subcommand("stats", "overview:stats", "what ran, from the figures kept", _stats),
    Subcommand("nodes", "overview:nodes", "the servers that are there", _none),
    Subcommand("self-test", "overview:self_test", "1 when something stops all jobs", _none),
    Subcommand("release", "overview:release", "let the jobs of a copied database run", _none),
    Subcommand("run", "runner:run", "dispatch, beside servers that have it turned off", _none),
    Subcommand("drain", "drain:drain", "run what is ready, and end", _drain),
)


def make_parser(program: str) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    :param program: what stands before the subcommand
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description="Run the jobrunner alone, or ask and steer a queue",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    below = parser.add_subparsers(metavar="SUBCOMMAND", dest="subcommand", required=True)
    for subcommand in SUBCOMMANDS:
        one = below.add_parser(
            subcommand.name, help=subcommand.says, description=subcommand.says, allow_abbrev=False
        )
        one.set_defaults(handler=subcommand.handler)
        subcommand.options(one)
        _common(one)
    return parser


def parse(program: str, args: list[str]) -> argparse.Namespace:
    """Return what was typed; ``odoo`` holds the options of the Odoo server.

    Ends the process with 2, and a line that says why, when it cannot be understood.
    """
    parser = make_parser(program)
    options, others = parser.parse_known_args(args)
    words = [word for word in others if not word.startswith("-")]
    # Behind an option there may be more of what a subcommand takes any number of.
    many = next((vars(options)[name] for name in ("uuids", "names") if name in options), None)
    if words and many is None:
        parser.error(f"nobody reads {' '.join(words)}; write options of Odoo as --name=value")
    if many is not None:
        many.extend(words)
    options.odoo = _odoo_options(options) + [word for word in others if word.startswith("-")]
    return options


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for machines")
    group = parser.add_argument_group("Odoo")
    group.add_argument("-d", "--database", metavar="DB")
    for names in ODOO_OPTIONS:
        group.add_argument(*names, dest=_place(names), metavar="…", help=argparse.SUPPRESS)


def _place(names: tuple[str, ...]) -> str:
    return f"odoo{names[-1].replace('-', '_')}"


def _odoo_options(options: argparse.Namespace) -> list[str]:
    given = [(names[-1], getattr(options, _place(names))) for names in ODOO_OPTIONS]
    written = [f"{name}={value}" for name, value in given if value is not None]
    return written + ([f"--database={options.database}"] if options.database else [])


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _past(text: str) -> datetime:
    try:
        return read_past(text, _now())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _future(text: str) -> datetime:
    try:
        return read_future(text, _now())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
