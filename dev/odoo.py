"""Finding Odoo 19: the user's own, else Debian's package, else a shallow clone."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import cache, debian, venv
from .process import check
from .terminal import SetupError, say

SERIES = "19.0"

DEBIAN_PACKAGES = (
    "odoo-19",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-font-awesome",
)
"""Odoo, and the packages that its links point into."""

LEFT_OUT = ("mail/static/lib/selfie_segmentation/selfie_segmentation.js",)
"""Libraries that Debian leaves out although web pages ask for them; an empty one is no error."""

REPOSITORY = "https://github.com/odoo/odoo.git"
"""Where the source is cloned from when nothing else is at hand."""

CLONE_TIMEOUT = 3600
"""Seconds: even shallow, the repository is several hundred megabytes."""

REMEDY = "name a source checkout of Odoo 19 by ODOO=/path/to/odoo"

LAUNCHER = "import odoo.cli\n\nodoo.cli.main()\n"
"""Odoo starts children by the script that started it, so that ``python -m odoo`` will not do."""


@dataclass(frozen=True)
class Odoo:
    """An Odoo that can be started.

    :param path: folder to import ``odoo`` from
    :param launcher: script that starts it
    :param version: what identifies its sources
    """

    path: Path
    launcher: Path
    version: str

    @property
    def python(self) -> Path:
        """The interpreter that has what Odoo needs."""
        return venv.python()

    def command(self) -> list[str]:
        """Return the command line that options are added to."""
        return [str(self.python), str(self.launcher)]

    @property
    def env(self) -> dict[str, str]:
        """The environment to start it in, free of the user's own Odoo and PostgreSQL settings."""
        foreign = ("PG", "ODOO")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return {
            **kept,
            "PYTHONPATH": str(self.path),
            "PYTHONUNBUFFERED": "1",
            # Odoo makes its default data folder before it reads that it has another.
            "XDG_DATA_HOME": str(cache.cache_folder() / "odoo-home"),
        }

    def addons_path(self, *extra: Path) -> list[str]:
        """Return the folders of addons: Odoo's, the checkout, and those of ``extra`` that exist."""
        folders = [self.path / "odoo" / "addons", self.path / "addons", cache.CHECKOUT, *extra]
        return [str(folder) for folder in folders if _has_addons(folder)]


def _has_addons(folder: Path) -> bool:
    return next(folder.glob("*/__manifest__.py"), None) is not None


def find() -> Odoo:
    """Return Odoo 19 from the first place that has it, fetched if need be.

    :raises SetupError: when no place has it
    """
    given = os.environ.get("ODOO")
    if given:
        return _odoo(_given(Path(given).expanduser().absolute()))
    return _odoo(_imported() or _fetched())


def _odoo(path: Path) -> Odoo:
    release = _release(path)
    if not release.startswith(SERIES):
        raise SetupError(f"{path} holds Odoo {release}, not {SERIES}; {REMEDY}")
    launcher = cache.cache_folder() / "launcher" / "odoo-bin"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    if not launcher.exists() or launcher.read_text() != LAUNCHER:
        launcher.write_text(LAUNCHER)
    return Odoo(path=path, launcher=launcher, version=f"{release} {_revision(path)}")


def _given(path: Path) -> Path:
    for candidate in (path, path.parent):
        if (candidate / "odoo" / "release.py").is_file():
            return candidate
    raise SetupError(
        f"ODOO={path} is not a source checkout, since it has no odoo/release.py; {REMEDY}"
    )


def _imported() -> Path | None:
    """Return a folder with nothing but a link to the ``odoo`` that this Python imports, if it does.

    A link, because the folder it lies in would bring every package of that Python along.
    """
    found = os.environ.get("DEV_IMPORTED_ODOO") or _importable()
    if not found:
        return None
    folder = cache.cache_folder() / f"odoo-{cache.key_of([found])}"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "odoo"
    if not link.is_symlink() or str(link.readlink()) != found:
        cache.remove(link)
        link.symlink_to(found)
    return folder


def _importable() -> str:
    """Return the folder of an importable ``odoo`` of the right series, or an empty string."""
    spec = importlib.util.find_spec("odoo")
    places = spec.submodule_search_locations if spec else None
    for place in places or ():
        if (Path(place) / "release.py").is_file() and _release(Path(place).parent).startswith(
            SERIES
        ):
            return place
    return ""


def _fetched() -> Path:
    """Return the fetched Odoo, from the first source that works."""
    failures = []
    for fetch in (_from_debian, _from_git):
        try:
            return fetch()
        except SetupError as error:
            say(f"No Odoo from here: {error}")
            failures.append(str(error))
    raise SetupError(f"Odoo {SERIES} cannot be fetched; {REMEDY} ({'; '.join(failures)})")


def _from_debian() -> Path:
    if not debian.is_available():
        raise SetupError(
            "this is no Debian, so there is no package to unpack; a git clone is tried"
        )
    root = _once("odoo-debian", _unpack_debian)
    path = root / "root" / "usr" / "lib" / "python3" / "dist-packages"
    for name in LEFT_OUT:
        (path / "odoo" / "addons" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "odoo" / "addons" / name).touch()
    return path


def _unpack_debian(folder: Path) -> None:
    say("Fetching Odoo 19 from Debian unstable (about 120 MB)")
    apt = debian.Apt(folder / "apt", [debian.source(debian.archive(), "sid")])
    apt.update()
    if not apt.version(DEBIAN_PACKAGES[0]).startswith(SERIES):
        raise SetupError(
            f"Debian unstable no longer has {DEBIAN_PACKAGES[0]}; a git clone is tried"
        )
    apt.unpack(DEBIAN_PACKAGES, folder / "root")
    cache.remove(folder / "apt")


def _from_git() -> Path:
    if not shutil.which("git"):
        raise SetupError("git is not installed; install it")
    return _once("odoo-git", _clone) / "odoo"


def _clone(folder: Path) -> None:
    say(f"Cloning Odoo {SERIES}, without its history")
    check(
        [
            "git",
            "clone",
            "--progress",
            "--depth=1",
            f"--branch={SERIES}",
            REPOSITORY,
            folder / "odoo",
        ],
        timeout=CLONE_TIMEOUT,
        remedy=REMEDY,
    )


def _once(name: str, builder: Callable[[Path], None]) -> Path:
    return cache.build(
        cache.cache_folder() / name, cache.key_of([SERIES, *DEBIAN_PACKAGES]), builder
    )


def _release(path: Path) -> str:
    """Return the version that the sources state, read without importing them."""
    tree = ast.parse((path / "odoo" / "release.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "version_info":
            elements = node.value.elts if isinstance(node.value, ast.Tuple) else []
            return ".".join(ast.unparse(element).strip("'") for element in elements[:3])
    return "without a version"


def _revision(path: Path) -> str:
    """Return what changes when the sources are updated: git's commit, or the age of a file."""
    head = path / ".git" / "logs" / "HEAD"
    if head.is_file():
        return head.read_text().splitlines()[-1].split()[1]
    return str(int((path / "odoo" / "release.py").stat().st_mtime))


def remember_importable() -> None:
    """Note the importable ``odoo`` for the environment's Python, which cannot see it."""
    if "DEV_IMPORTED_ODOO" not in os.environ and not venv.is_active():
        os.environ["DEV_IMPORTED_ODOO"] = _importable() if "odoo" not in sys.modules else ""
