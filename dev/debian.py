"""Debian packages without installing them: fetched by a private ``apt``, unpacked in our folder.

The system's package sources, lists and database are only read. The addresses are those that the
system uses, so that a local mirror is honoured; Debian's own keyring decides what is genuine. Needs
no rights.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from . import cache
from .process import capture, check
from .terminal import SetupError, say

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""On every Debian; absent elsewhere, which tells the two apart."""

TOOLS = ("apt-get", "dpkg-deb")

INDEX_TIMEOUT = 300
DOWNLOAD_TIMEOUT = 1800
UNPACK_TIMEOUT = 300
QUERY_TIMEOUT = 60
"""Seconds; the longest is for more than a hundred megabytes on a slow line."""

NETWORK_REMEDY = (
    "check the network and the system's package sources (apt-get update), then try again"
)
"""What to do when a package cannot be fetched."""

LIBRARY = "lib"
"""How the names of packages begin that hold what a program needs to run."""

OWN_SUITES = ("{0}", "{0}-updates", "{0}-security")
"""Suites of Debian itself for a release; other vendors' sources are left out."""


def is_available() -> bool:
    """Tell whether this is a Debian with the tools that are needed."""
    return KEYRING.exists() and all(shutil.which(tool) for tool in TOOLS)


def codename() -> str:
    """Return the name of the running release, such as ``bookworm``."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def repositories() -> list[tuple[str, str]]:
    """Return address and suite of Debian's own archives, as the system's sources have them."""
    listing = capture(
        [
            "apt-get",
            "indextargets",
            "--no-release-info",
            "--format",
            "$(REPO_URI) $(RELEASE) $(COMPONENT)",
        ],
        timeout=QUERY_TIMEOUT,
        remedy="repair the system's package sources (apt-get indextargets)",
    )
    suites = {suite.format(codename()) for suite in OWN_SUITES}
    targets = {tuple(line.split()) for line in listing.splitlines()}
    return sorted(
        {
            (target[0], target[1])
            for target in targets
            if target[2:] == ("main",) and target[1] in suites
        }
    )


def archive() -> str:
    """Return the address of the archive that holds every release.

    :raises SetupError: when the system has no such source
    """
    for address, suite in repositories():
        if suite == codename():
            return address
    raise SetupError(
        f"The system's package sources do not name Debian {codename() or 'at all'}; add them"
    )


def source(address: str, suite: str) -> str:
    """Return a line for ``sources.list``."""
    return f"deb [signed-by={KEYRING}] {address} {suite} main"


def unpacked(package: str) -> Path:
    """Return a folder whose ``root`` holds a package of the running release, and its libraries.

    :raises SetupError: when it cannot be had
    """
    if not is_available():
        raise SetupError(f"This is no Debian to fetch {package} from; install it")
    key = cache.key_of([codename(), package])
    return cache.build(cache.cache_folder() / package, key, partial(_unpack, package))


def _unpack(package: str, folder: Path) -> None:
    say(f"Fetching {package} from Debian's packages")
    apt = Apt(folder / "apt", [source(*repository) for repository in repositories()])
    apt.update()
    missing = apt.missing([package])
    wanted = [name for name in missing if name == package or name.startswith(LIBRARY)]
    apt.unpack(wanted, folder / "root")
    cache.remove(folder / "apt")


class Apt:
    """An ``apt`` with sources, lists and cache of its own.

    :param folder: where it keeps them
    :param sources: lines of ``sources.list``
    """

    def __init__(self, folder: Path, sources: Sequence[str]) -> None:
        self.folder = folder
        for part in ("lists/partial", "cache/archives/partial", "packages"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        self._list = folder / "sources.list"
        self._list.write_text("".join(f"{line}\n" for line in sources))

    def update(self) -> None:
        """Fetch the lists of packages."""
        check(self._command("update"), timeout=INDEX_TIMEOUT, remedy=NETWORK_REMEDY)

    def version(self, package: str) -> str:
        """Return the version that would be fetched, or an empty string."""
        policy = capture(
            [*self._command("policy", tool="apt-cache"), package], timeout=QUERY_TIMEOUT, remedy=""
        )
        lines = [line.split() for line in policy.splitlines()]
        found = next((words[1] for words in lines if words[:1] == ["Candidate:"]), "")
        return "" if found == "(none)" else found

    def missing(self, packages: Sequence[str]) -> list[str]:
        """Return ``packages`` and everything they need that the system does not have."""
        plan = capture(
            [*self._command("install"), "--simulate", "--no-install-recommends", *packages],
            timeout=QUERY_TIMEOUT,
            remedy="install it from the system's own packages",
        )
        return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]

    def unpack(self, packages: Sequence[str], root: Path) -> None:
        """Fetch ``packages`` and unpack them into ``root``."""
        folder = self.folder / "packages"
        # apt downloads into the current folder, and knows no option for it.
        script = 'cd "$0" && exec "$@"'
        check(
            ["/bin/sh", "-c", script, folder, *self._command("download"), *packages],
            timeout=DOWNLOAD_TIMEOUT,
            remedy=NETWORK_REMEDY,
        )
        for package in sorted(folder.glob("*.deb")):
            check(
                ["dpkg-deb", "--extract", package, root],
                timeout=UNPACK_TIMEOUT,
                remedy="free some disk space",
            )

    def _command(self, action: str, tool: str = "apt-get") -> list[str]:
        options = {
            "Dir::Etc::sourcelist": self._list,
            "Dir::Etc::sourceparts": "-",
            "Dir::State::Lists": self.folder / "lists",
            "Dir::Cache": self.folder / "cache",
            # Another user may be unable to enter the folders of this one.
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        return [
            tool,
            *(word for name, value in options.items() for word in ("-o", f"{name}={value}")),
            action,
        ]
