"""A browser for the tests that need one: the user's, the system's, or Debian's, unpacked.

Without one those tests are skipped, which is said and counted.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from . import cache, debian
from .process import capture
from .terminal import SetupError, say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Commands that Odoo's test framework can drive."""

PACKAGES = ("chromium", "fonts-roboto-unhinted", "fonts-dejavu-core", "fontconfig-config")
"""The browser, and letters for it to draw."""

REMEDY = "install the package chromium or name a browser by CHROMIUM=/path"

VERSION_TIMEOUT = 60
"""Seconds for the browser to state its version, which shows that all its libraries are there."""

WRAPPER = """#!/bin/sh
# The browser with libraries, fonts and a home of its own.
here={here}
export LD_LIBRARY_PATH="{libraries}"
export FONTCONFIG_FILE="$here/fonts.conf"
export HOME="$here/home"
unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME
exec "$here/root/usr/lib/chromium/chromium" --no-sandbox --disable-gpu --disable-quic \\
    --no-first-run --disable-background-networking --disable-component-update --disable-sync "$@"
"""

FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>{here}/root/usr/share/fonts</dir>
  <cachedir>{here}/home/fontconfig</cachedir>
  <alias><family>sans-serif</family><prefer><family>Roboto</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


def folder_on_path() -> Path | None:
    """Return a folder for ``PATH`` with a working browser called ``chromium``, or ``None``."""
    for find in (_given, _installed, _unpacked):
        browser = find()
        if browser and _works(browser):
            return _linked(browser)
    say(f"NO CHROMIUM: tests in the browser are skipped; {REMEDY}")
    return None


def _given() -> Path | None:
    given = os.environ.get("CHROMIUM")
    return Path(given).expanduser() if given else None


def _installed() -> Path | None:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def _works(browser: Path) -> bool:
    try:
        capture([browser, "--version"], timeout=VERSION_TIMEOUT, remedy="another one is tried")
    except SetupError as error:
        say(str(error))
        return False
    return True


def _linked(browser: Path) -> Path:
    """Return a folder that holds only a link called ``chromium``, the name that Odoo looks for."""
    folder = cache.cache_folder() / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / NAMES[0]
    if not link.is_symlink() or link.readlink() != browser:
        cache.remove(link)
        link.symlink_to(browser)
    return folder


def _unpacked() -> Path | None:
    """Return the browser unpacked from the running release's packages, fetched once."""
    if not debian.is_available():
        return None
    folder = cache.cache_folder() / "chromium"
    try:
        cache.build(
            folder,
            cache.key_of([debian.codename(), WRAPPER, FONTS, *PACKAGES, str(folder)]),
            _unpack,
        )
    except SetupError as error:
        say(f"Chromium cannot be had from Debian: {error}")
        return None
    return folder / NAMES[0]


def _unpack(folder: Path) -> None:
    say("Fetching Chromium from Debian's packages (about 100 MB)")
    apt = debian.Apt(
        folder / "apt", [debian.source(*repository) for repository in debian.repositories()]
    )
    apt.update()
    apt.unpack(apt.missing(PACKAGES), folder / "root")
    cache.remove(folder / "apt")
    _write_wrapper(folder, folder.with_name(folder.name.removesuffix(cache.PARTIAL)))


def _write_wrapper(folder: Path, place: Path) -> None:
    """Write the script that starts the browser, for the ``place`` that the folder will have."""
    (folder / "home").mkdir()
    libraries = sorted({path.parent for path in (folder / "root" / "usr" / "lib").rglob("*.so*")})
    paths = ":".join(str(place / path.relative_to(folder)) for path in libraries)
    (folder / "fonts.conf").write_text(FONTS.format(here=place))
    wrapper = folder / NAMES[0]
    wrapper.write_text(WRAPPER.format(here=f"'{place}'", libraries=paths))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
