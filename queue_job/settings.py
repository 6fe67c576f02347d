"""What the administrator sets: environment first, then ``[queue_job]`` of odoo.conf, then defaults.

=============================== ====================== ========================================
environment                     ``[queue_job]``        default
=============================== ====================== ========================================
ODOO_QUEUE_JOB_CHANNELS,        channels               ``root:1``
ODOO_CONNECTOR_CHANNELS
ODOO_QUEUE_JOB_SCHEME           scheme                 ``http``
ODOO_QUEUE_JOB_HOST             host                   Odoo's ``http_interface``, or localhost
ODOO_QUEUE_JOB_PORT             port                   Odoo's ``http_port``
ODOO_QUEUE_JOB_HTTP_AUTH_USER   http_auth_user         none
ODOO_QUEUE_JOB_HTTP_AUTH_...    http_auth_password     none
ODOO_QUEUE_JOB_SLOTS            slots                  Odoo's ``workers``, or 4 when threaded
ODOO_QUEUE_JOB_JOBRUNNER_DB_... jobrunner_db_host ...  Odoo's own, for host, port, user, password
ODOO_QUEUE_JOB_METRICS_TOKEN    metrics_token          none: the routes for monitoring are off
ODOO_QUEUE_JOB_LOG_JSON         log_json               no: Odoo's own lines
ODOO_QUEUE_JOB_TIMEOUT          timeout                none: seconds that a job may take
ODOO_QUEUE_JOB_MEMORY           memory                 none: MB that a job may take
ODOO_QUEUE_JOB_CONFLICT_LIMIT   conflict_limit         10
ODOO_QUEUE_JOB_LOST_LIMIT       lost_limit             3
=============================== ====================== ========================================
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache

from odoo.tools import config

from .core.channels import DEFAULT_CHANNELS, ChannelConfig, parse_channels
from .core.memory import check_memory
from .core.retry import CONFLICT_LIMIT, LOST_LIMIT
from .core.stop import check_timeout

SECTION = "queue_job"
PREFIX = "ODOO_QUEUE_JOB_"
OLD_CHANNELS = "ODOO_CONNECTOR_CHANNELS"
"""The name that connector gave to the channel string."""

THREADED_SLOTS = 4
"""Leases at a time on a threaded server, which does not say how many requests it can take."""

ANY_INTERFACE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, never bound to
"""Interfaces to listen on that are no address to call."""


@dataclass(frozen=True)
class Settings:
    """The settings of this process.

    :param channels: configuration by full name, parents first
    :param pattern: scheme, ``%s`` for the host, and port of this server's HTTP workers
    :param host: where they answer; ``None`` when they listen on any interface
    :param auth: user and password for a proxy in front of it
    :param slots: most leases that run at a time
    :param database: libpq parameters of direct connections that differ from Odoo's
    :param timeout: seconds that a job may take whose function has no limit; ``None`` for ever
    :param memory: MB that a job may take whose function has no limit; ``None`` for all there is
    :param conflict_limit: conflicts in a row that fail a job
    :param lost_limit: lost workers in a row that fail a job
    """

    channels: Mapping[str, ChannelConfig]
    pattern: str
    host: str | None
    auth: tuple[str, str] | None = field(repr=False)
    slots: int
    database: Mapping[str, str] = field(repr=False)
    timeout: float | None
    memory: float | None
    conflict_limit: int = CONFLICT_LIMIT
    lost_limit: int = LOST_LIMIT

    @property
    def url(self) -> str:
        """Scheme, host and port at which the runner itself reaches the HTTP workers."""
        return self.pattern % (self.host or "localhost")


@cache
def settings() -> Settings:
    """Return the settings, read once per process.

    :raises ChannelError: when the channel string cannot be understood
    :raises ValueError: when the number of slots, or a limit, is not one
    """
    section = _section()
    return Settings(
        channels=parse_channels(_channels(section)),
        pattern=_pattern(section),
        host=_host(section),
        auth=_auth(section),
        slots=_slots(section),
        database=_database(section),
        timeout=_amount(section, "timeout", check_timeout, "seconds"),
        conflict_limit=_limit(section, "conflict_limit", CONFLICT_LIMIT),
        lost_limit=_limit(section, "lost_limit", LOST_LIMIT),
        memory=_amount(section, "memory", check_memory, "MB"),
    )


@cache
def retry_limits() -> tuple[int, int]:
    """Return how many conflicts, and how many lost workers, fail a job, for who only shows them.

    What cannot be understood is the default here; that it cannot, the self-test tells.
    """
    section = _section()
    with suppress(ValueError):
        conflicts = _limit(section, "conflict_limit", CONFLICT_LIMIT)
        return conflicts, _limit(section, "lost_limit", LOST_LIMIT)
    return CONFLICT_LIMIT, LOST_LIMIT


TRUE = ("1", "true", "yes", "on")
"""What turns a setting on, in small or capital letters."""


@cache
def metrics_token() -> str:
    """Return the token for monitoring that the server was given; empty for none."""
    return _setting(_section(), "metrics_token").strip()


@cache
def logs_json() -> bool:
    """Tell whether each line of the log is to be JSON."""
    return _setting(_section(), "log_json").strip().lower() in TRUE


KEYS = (
    "channels",
    "scheme",
    "host",
    "port",
    "http_auth_user",
    "http_auth_password",
    "slots",
    "jobrunner_db_host",
    "jobrunner_db_port",
    "jobrunner_db_user",
    "jobrunner_db_password",
    "metrics_token",
    "log_json",
    "timeout",
    "conflict_limit",
    "lost_limit",
    "memory",
)
"""Of ``[queue_job]``; in the environment with :data:`PREFIX` and in capitals."""

MEANT = {"channel": "channels", "root": "channels", "db_host": "jobrunner_db_host"}
"""What is written for what, where the letters do not tell."""


def unknown_settings() -> list[tuple[str, str]]:
    """Return the settings of ours that nobody reads, each with what was probably meant."""
    names = {PREFIX + key.upper(): key for key in KEYS}
    found = [(key, _meant(key, KEYS)) for key in _section() if key not in KEYS]
    found += [
        (name, _meant(name, names))
        for name in os.environ
        if name.startswith(PREFIX) and name not in names
    ]
    return sorted(found)


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return MEANT.get(name) or (close[0] if close else "")


def _section() -> Mapping[str, str]:
    """Return ``[queue_job]`` of the configuration file, which Odoo itself does not read."""
    parser = configparser.ConfigParser(interpolation=None)
    path = config["config"]
    if path:
        parser.read(path)
    return parser[SECTION] if parser.has_section(SECTION) else {}


def _setting(section: Mapping[str, str], key: str) -> str:
    return os.environ.get(PREFIX + key.upper()) or section.get(key) or ""


def _channels(section: Mapping[str, str]) -> str:
    old = os.environ.get(OLD_CHANNELS)
    new = os.environ.get(PREFIX + "CHANNELS")
    return new or old or section.get("channels") or DEFAULT_CHANNELS


def _pattern(section: Mapping[str, str]) -> str:
    """Return the address of this server's HTTP workers with ``%s`` for the host."""
    scheme = _setting(section, "scheme") or "http"
    port = _setting(section, "port") or config["http_port"] or 8069
    return f"{scheme}://%s:{port}"


def _host(section: Mapping[str, str]) -> str | None:
    """Return the host of that address; ``None`` when the workers listen on any interface."""
    interface = config["http_interface"] or ""
    host = _setting(section, "host") or ("" if interface in ANY_INTERFACE else interface)
    return (f"[{host}]" if ":" in host else host) or None


def _auth(section: Mapping[str, str]) -> tuple[str, str] | None:
    user = _setting(section, "http_auth_user")
    return (user, _setting(section, "http_auth_password")) if user else None


def _slots(section: Mapping[str, str]) -> int:
    value = _setting(section, "slots") or config["workers"] or THREADED_SLOTS
    try:
        slots = int(value)
    except ValueError:
        slots = 0
    if slots < 1:
        raise ValueError(f"{PREFIX}SLOTS {value!r} is not a number of leases, 1 or more")
    return slots


def _amount(
    section: Mapping[str, str], key: str, check: Callable[[float], float | None], unit: str
) -> float | None:
    """Return a limit of jobs that have none of their own; ``None`` for none."""
    value = _setting(section, key)
    try:
        return check(float(value or 0))
    except ValueError:
        raise ValueError(f"{PREFIX}{key.upper()} {value!r} is not a number of {unit}") from None


def _limit(section: Mapping[str, str], key: str, default: int) -> int:
    """Return how often something may happen to a job; without end is nothing that one can ask."""
    value = _setting(section, key).strip() or str(default)
    if not (value.isascii() and value.isdigit() and len(value) < 7 and int(value)):
        raise ValueError(f"{PREFIX}{key.upper()} {value!r} is not a number of times, 1 or more")
    return int(value)


def _database(section: Mapping[str, str]) -> Mapping[str, str]:
    keys = ("host", "port", "user", "password")
    values = {key: _setting(section, f"jobrunner_db_{key}") for key in keys}
    return {key: value for key, value in values.items() if value}
