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
=============================== ====================== ========================================
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from odoo.tools import config

from .core.channels import DEFAULT_CHANNELS, ChannelConfig, parse_channels

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
    """

    channels: Mapping[str, ChannelConfig]
    pattern: str
    host: str | None
    auth: tuple[str, str] | None
    slots: int
    database: Mapping[str, str]

    @property
    def url(self) -> str:
        """Scheme, host and port at which the runner itself reaches the HTTP workers."""
        return self.pattern % (self.host or "localhost")


@cache
def settings() -> Settings:
    """Return the settings, read once per process.

    :raises ChannelError: when the channel string cannot be understood
    :raises ValueError: when the number of slots is not one
    """
    section = _section()
    return Settings(
        channels=parse_channels(_channels(section)),
        pattern=_pattern(section),
        host=_host(section),
        auth=_auth(section),
        slots=_slots(section),
        database=_database(section),
    )


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


def _database(section: Mapping[str, str]) -> Mapping[str, str]:
    keys = ("host", "port", "user", "password")
    values = {key: _setting(section, f"jobrunner_db_{key}") for key in keys}
    return {key: value for key, value in values.items() if value}
