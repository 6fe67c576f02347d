"""The grammar of the channel string, and what it says about each channel.

A channel string is a list of entries separated by commas or new lines::

    root:4,root.csv:1,root.magento:3:throttle=0.5

Each entry is ``name[:capacity[:key[=value]]...]``. The ``root.`` prefix may be left out.

==============  =====================================================================
key             meaning
==============  =====================================================================
``capacity``    jobs that may run at a time in the channel and all below it
``sequential``  strict order, one at a time; needs a capacity of 1
``throttle``    least seconds between two starts, fractions allowed; 1 when no value
``paused``      nothing starts in the channel nor below it
==============  =====================================================================
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .quoting import shown

ROOT = "root"
DEFAULT_CHANNELS = "root:1"
"""What an installation without any setting gets, as it always was."""

KEYS = ("capacity", "sequential", "throttle", "paused")
FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
NAME_LIMIT = 200
"""Characters of a full name; the depth of the tree follows from it, and the work per job."""
NAME_PART = re.compile(r"[^\s.:,=\x00-\x1f\x7f-\x9f\ud800-\udfff]+\Z")
"""No control character and no half of a surrogate pair: neither a log nor a database takes them."""


class ChannelError(ValueError):
    """A channel string that cannot be understood; the message names the token and the remedy."""


@dataclass(frozen=True)
class ChannelConfig:
    """What the configuration says about one channel.

    :param name: full name, from ``root`` down
    :param capacity: most jobs running at a time in the channel and below; ``None`` is no limit
    :param sequential: nothing passes the first job in order, even while it waits for its retry
    :param throttle: least seconds between two starts
    :param paused: nothing starts here nor below
    """

    name: str
    capacity: int | None = None
    sequential: bool = False
    throttle: float = 0.0
    paused: bool = False


@dataclass(frozen=True)
class Override:
    """What an operator has set for a channel, until they take it back.

    :param capacity: instead of the configured one; ``None`` leaves that
    :param throttle: seconds, instead of the configured ones; ``None`` leaves those
    :param paused: nothing starts here nor below
    """

    capacity: int | None = None
    throttle: float | None = None
    paused: bool = False


def override(
    channels: Mapping[str, ChannelConfig], overrides: Mapping[str, Override]
) -> dict[str, ChannelConfig]:
    """Return a configuration with what operators have set.

    A strictly sequential channel keeps its capacity of 1.

    :param channels: configuration by full name
    :param overrides: by full name; a channel that is not configured gets what is set, and no more
    """
    changed = dict(channels)
    for name, wanted in overrides.items():
        if ROOT not in ancestors(name):
            # Of no tree: a row whose name was changed by hand.
            continue
        for above in ancestors(name):
            changed.setdefault(above, ChannelConfig(above))
        changed[name] = _overridden(changed[name], wanted)
    return dict(sorted(changed.items(), key=lambda item: item[0].split(".")))


def running_below(running: Mapping[str, int], channel: str) -> int:
    """Return how many jobs run in a channel and below it.

    :param running: jobs that run, by the channel that they are stored with
    :param channel: full name
    """
    return sum(number for name, number in running.items() if channel in ancestors(name))


def _overridden(config: ChannelConfig, wanted: Override) -> ChannelConfig:
    keeps_capacity = wanted.capacity is None or config.sequential
    return replace(
        config,
        capacity=config.capacity if keeps_capacity else wanted.capacity,
        throttle=config.throttle if wanted.throttle is None else wanted.throttle,
        paused=config.paused or wanted.paused,
    )


def full_name(name: str) -> str:
    """Return ``name`` with its ``root.`` prefix.

    :raises ChannelError: when a part of the name is empty or has a forbidden character
    """
    if len(name) > NAME_LIMIT:
        raise ChannelError(
            f"invalid channel name {shown(name)}: more than {NAME_LIMIT} characters",
        )
    parts = name.strip().split(".")
    for part in parts:
        if not NAME_PART.match(part):
            raise ChannelError(
                f"invalid channel name {shown(name)}: the part {shown(part)} must have at least "
                "one character and no space, dot, colon, comma, equals sign or control character",
            )
    if parts[0] != ROOT:
        parts.insert(0, ROOT)
    return ".".join(parts)


def ancestors(name: str) -> Iterator[str]:
    """Yield ``name`` and every channel above it, nearest first."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def parse_channels(text: str) -> dict[str, ChannelConfig]:
    """Read a channel string.

    Channels between two configured ones are added without a limit of their own; ``root``, when it
    is not named, gets a capacity of 1.

    :param text: for example ``root:4,root.csv:1``
    :return: the configuration of each channel by its full name, parents first
    :raises ChannelError: when an entry cannot be understood, naming the token and the remedy
    """
    found: dict[str, ChannelConfig] = {}
    for entry in re.split(r"[,\n]", text):
        if entry.strip():
            config = _parse_entry(entry.strip())
            if config.name in found:
                raise ChannelError(f"channel {shown(config.name)} is given twice: keep one entry")
            found[config.name] = config
    found.setdefault(ROOT, ChannelConfig(ROOT, capacity=1))
    for name in list(found):
        for above in ancestors(name):
            found.setdefault(above, ChannelConfig(above))
    return dict(sorted(found.items(), key=lambda item: item[0].split(".")))


def is_disabled(channels: Mapping[str, ChannelConfig]) -> bool:
    """Tell whether the configuration turns the jobrunner off, which ``root:0`` does."""
    return channels[ROOT].capacity == 0


def write_channels(channels: Mapping[str, ChannelConfig]) -> str:
    """Return the channel string of a configuration; what has no limit of its own is left out."""
    limited = (config for config in channels.values() if config.capacity is not None)
    return ",".join(_write_entry(config) for config in limited)


def _write_entry(config: ChannelConfig) -> str:
    """Write one ``name:capacity[:key[=value]]...``."""
    keys = [key for key in ("sequential", "paused") if getattr(config, key)]
    if config.throttle:
        keys.append(f"throttle={config.throttle!r}")
    return ":".join([config.name, str(config.capacity), *keys])


def _parse_entry(entry: str) -> ChannelConfig:
    """Read one ``name[:capacity[:key[=value]]...]``."""
    name, *tokens = (token.strip() for token in entry.split(":"))
    name = full_name(name)
    options = _read_options(entry, tokens)
    capacity = _read_capacity(name, options.get("capacity", "1"), entry)
    config = ChannelConfig(
        name=name,
        capacity=capacity,
        sequential=_read_flag(options, "sequential", entry),
        throttle=_read_throttle(options.get("throttle", "0"), entry),
        paused=_read_flag(options, "paused", entry),
    )
    if config.sequential and capacity != 1:
        raise ChannelError(
            f"sequential channel {shown(name)} in {shown(entry)} has capacity {shown(capacity)}: "
            "one at a time needs a capacity of 1",
        )
    return config


def _read_options(entry: str, tokens: list[str]) -> dict[str, str]:
    """Return the keys of an entry with their values as text; the bare second token is capacity."""
    options: dict[str, str] = {}
    for position, token in enumerate(tokens):
        key, equals, value = (part.strip() for part in token.partition("="))
        if position == 0 and not equals:
            key, value = "capacity", key
        elif not equals:
            value = "1"
        if key not in KEYS:
            raise ChannelError(
                f"unknown key {shown(key)} in {shown(entry)}: use one of {', '.join(KEYS)}",
            )
        if key in options:
            raise ChannelError(f"key {shown(key)} is given twice in {shown(entry)}: keep one")
        options[key] = value
    return options


def _read_capacity(name: str, value: str, entry: str) -> int:
    """Read a capacity; 0 is allowed for ``root`` alone, where it turns the jobrunner off."""
    try:
        capacity = int(value)
    except ValueError:
        raise ChannelError(
            f"capacity {shown(value)} in {shown(entry)} is not a whole number: write {name}:1, "
            "for example",
        ) from None
    if capacity < 1 and not (name == ROOT and capacity == 0):
        raise ChannelError(
            f"capacity {shown(value)} in {shown(entry)} is below 1: to stop a channel write "
            f"{name}:1:paused, to turn the jobrunner off write root:0",
        )
    return capacity


def _read_flag(options: dict[str, str], key: str, entry: str) -> bool:
    """Read ``sequential`` or ``paused``, which may have a value that says yes or no."""
    value = options.get(key, "0").lower()
    if value not in FLAGS:
        raise ChannelError(
            f"{key} {shown(value)} in {shown(entry)} is neither yes nor no: use 1 or 0"
        )
    return FLAGS[value]


def _read_throttle(value: str, entry: str) -> float:
    """Read seconds, fractions allowed."""
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise ChannelError(
            f"throttle {shown(value)} in {shown(entry)} is not a number of seconds: write "
            "throttle=0.5, for example",
        )
    return seconds
