"""Draws every screen in a real Chromium: light and dark, on a desk and on a phone.

A screen that does not appear, an error dialog, and whatever the browser complains about fail the
command; the pictures that could be taken are there all the same.
"""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from . import cache, chromium, demo, screens, traffic
from .devtools import Page, PageError
from .screens import Screen
from .server import LOGIN, PASSWORD, OdooServer
from .terminal import SetupError, say

FOLDER = cache.CHECKOUT / "docs" / "screenshots"

DARK_MODULE = "test_queue_job_dark"
"""Odoo's edition without a dark scheme gets one from it."""

SCHEMES = ("light", "dark")
SCHEME_COOKIE = "color_scheme"


@dataclass(frozen=True)
class Size:
    """What a page is drawn on.

    :param width: pixels
    :param height: pixels
    """

    name: str
    width: int
    height: int
    touch: bool = False


SIZES = (Size("wide", 1440, 900), Size("narrow", 375, 812, touch=True))

APP_PAGE = cache.CHECKOUT / "queue_job" / "static" / "description"
APP_PICTURES = ("dashboard-light-wide", "jobs-light-wide")
"""What the page of the addon shows, and where it finds it."""

BANKS = 120
"""Imported before anything is drawn: as many as the load needs, and no mountain in the charts."""

LIFE_SECONDS = 240.0
"""For the first job of each kind to be there."""

SCREEN_SECONDS = 45.0
"""For a screen to be there; the first one of a scheme waits for its styles to be compiled."""

RECORD_SECONDS = 90.0
"""For another job of a kind, when the last one has ended, and for what comes by itself."""

TOTAL_SECONDS = 40 * 60.0
POLL = 0.5

COLOURS = 256
MOST_BYTES = 6_000_000
"""Of all pictures: they are fetched by everybody who fetches the repository."""

TROUBLE = ".o_error_dialog, .o_notification_bar.bg-danger"
"""What Odoo shows when something went wrong."""

WEB_CLIENT = ".o_web_client .o_main_navbar"


@dataclass
class Album:
    """What was drawn, and what went wrong.

    :param folder: where pictures go
    """

    folder: Path
    taken: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, name: str, picture: bytes) -> None:
        """Keep a picture, in few colours."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        path.write_bytes(compressed(picture))
        self.taken.append(path)

    @property
    def size(self) -> int:
        """Bytes of all pictures in the folder."""
        return sum(path.stat().st_size for path in self.folder.glob("*.png"))

    def copy(self, names: Sequence[str], folder: Path) -> None:
        """Copy some pictures, as far as they were taken."""
        for path in self.taken:
            if path.stem in names:
                shutil.copy(path, folder)

    def remove_others(self) -> None:
        """Remove pictures of screens that are no more."""
        for path in set(self.folder.glob("*.png")) - set(self.taken):
            path.unlink()


def compressed(picture: bytes) -> bytes:
    """Return a picture in a palette, which a screen hardly needs more than."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    few = image.quantize(COLOURS, dither=Image.Dither.NONE)
    result = io.BytesIO()
    few.save(result, "PNG", optimize=True)
    return result.getvalue()


def run() -> int:
    """Draw the screens and return the exit status.

    ``SCREENS`` names those that are wanted, between spaces.
    """
    wanted = os.environ.get("SCREENS", "")
    try:
        chosen = screens.choose(wanted)
    except ValueError as error:
        raise SetupError(f"SCREENS: {error}") from error
    browser = chromium.folder_on_path()
    if browser is None:
        raise SetupError(f"There is no browser to draw with; {chromium.REMEDY}")
    album = Album(FOLDER)
    with demo.serving([DARK_MODULE]) as (server, url):
        Photographer(server, url, browser / chromium.NAMES[0], album).draw(chosen)
    if not wanted and not album.problems:
        album.remove_others()
    album.copy(APP_PICTURES, APP_PAGE)
    return _tell(album)


def _tell(album: Album) -> int:
    if album.size > MOST_BYTES:
        album.problems.append(f"the pictures have {album.size} bytes, {MOST_BYTES} at the most")
    for problem in album.problems:
        say(f"FAILED {problem}")
    say(f"{len(album.taken)} pictures, {album.size / 1e6:.1f} MB in {album.folder}")
    return 1 if album.problems else 0


class Photographer:
    """Draws the screens of one server, which is kept busy meanwhile.

    :param server: a running server with the example addon
    :param url: where the browser finds it
    :param browser: program to start
    :param album: where the pictures go
    """

    def __init__(self, server: OdooServer, url: str, browser: Path, album: Album) -> None:
        self.server = server
        self.url = url
        self.browser = browser
        self.album = album
        self.deadline = time.monotonic() + TOTAL_SECONDS

    def draw(self, chosen: Sequence[Screen]) -> None:
        """Draw the screens that are there."""
        there = list(self._there(chosen))
        self._import_some_banks()
        traffic.seed_history(self.server)
        with traffic.in_background(traffic.traffic(self.server)):
            self._wait(lambda: len(screens.find_records(self.server)) == len(screens.RECORDS))
            for scheme in SCHEMES:
                self._draw_scheme(there, scheme)

    def _draw_scheme(self, there: Sequence[Screen], scheme: str) -> None:
        with Page(self.browser) as page:
            self._log_in(page, scheme)
            for screen in there:
                self._draw_sizes(page, screen, scheme)

    def _there(self, chosen: Sequence[Screen]) -> Iterator[Screen]:
        for screen in chosen:
            reason = screens.missing(screen, self.server)
            if reason:
                say(f"SKIPPED {screen.name}: {reason}")
            else:
                yield screen

    def _import_some_banks(self) -> None:
        self.server.rpc(demo.MODEL, "start_demo", [BANKS])
        self._wait(lambda: int(self.server.rpc(demo.MODEL, "progress")["imported"]) >= BANKS)

    def _wait(self, look: Callable[[], bool], seconds: float = LIFE_SECONDS) -> None:
        """Wait until there is what is looked for.

        :raises SetupError: when there is none in time
        """
        deadline = min(time.monotonic() + seconds, self.deadline)
        while not look():
            if time.monotonic() > deadline:
                found = ", ".join(screens.find_records(self.server)) or "none"
                raise SetupError(f"Not every kind of job is there ({found}); {self.server.log}")
            time.sleep(POLL)

    def _log_in(self, page: Page, scheme: str) -> None:
        """Log in as a person does, by the form."""
        page.set_cookie(self.url, SCHEME_COOKIE, scheme)
        page.go(f"{self.url}/web/login")
        page.wait_for("form.oe_login_form input[name=login]", SCREEN_SECONDS)
        page.fill("input[name=login]", LOGIN)
        page.fill("input[name=password]", PASSWORD)
        page.click("form.oe_login_form button[type=submit]")
        page.wait_for(WEB_CLIENT, 3 * SCREEN_SECONDS)

    def _draw_sizes(self, page: Page, screen: Screen, scheme: str) -> None:
        if screen.held:
            screens.hold(self.server)
        try:
            for size in SIZES[: 1 if screen.wide_only else None]:
                self._draw_one(page, screen, size, f"{screen.name}-{scheme}-{size.name}")
        finally:
            if screen.held:
                screens.release(self.server)

    def _draw_one(self, page: Page, screen: Screen, size: Size, name: str) -> None:
        if time.monotonic() > self.deadline:
            raise SetupError(f"The pictures take more than {TOTAL_SECONDS:.0f} s; ask for fewer")
        page.complaints.clear()
        try:
            height = size.height if size.touch else screen.height or size.height
            page.resize(size.width, height, touch=size.touch)
            page.go(f"{self.url}/odoo/{self._path(screen)}")
            page.wait_for(screen.shows, SCREEN_SECONDS)
            for step in screen.steps:
                page.click(step.click)
                page.wait_for(step.shows, SCREEN_SECONDS)
            for selector in screen.until:
                page.wait_for(selector, RECORD_SECONDS)
            if screen.scroll:
                page.scroll_to(screen.scroll)
            self.album.add(name, page.picture())
            if page.evaluate(f"!!document.querySelector('{TROUBLE}')"):
                raise PageError("an error is shown")
        except PageError as error:
            self.album.problems.append(f"{name}: {error}; see {self._evidence(page, name)}")
        self.album.problems += [f"{name}: {complaint}" for complaint in page.complaints]
        say(name)

    def _path(self, screen: Screen) -> str:
        """Return the path with the ids of jobs that are there now."""
        names = screens.names_in(screen.path)
        if names:
            self._wait(lambda: set(names) <= set(screens.find_records(self.server)), RECORD_SECONDS)
        return screen.path.format(**screens.find_records(self.server)) if names else screen.path

    def _evidence(self, page: Page, name: str) -> Path:
        """Return a picture of what is there instead."""
        path = self.server.folder / f"{name}.png"
        path.write_bytes(page.picture())
        return path
