"""The commands ``python3 -m dev <command>``; the Makefile's targets are their short names."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from . import cache, venv
from .process import Ended, end_by_exception
from .terminal import SetupError, say


def demo() -> int:
    """Import a real table by jobs, and serve it."""
    from .demo import run

    return run()


def screenshots() -> int:
    """Draw every screen in a real browser, light and dark, wide and narrow."""
    from .screenshots import run

    return run()


def translations() -> int:
    """Bring the files of translations up to date with the strings of the addon."""
    from .translations import run

    return run()


def test(*kinds: str) -> int:
    """Run every kind of tests that a change has to pass."""
    from .testing import GATE, run

    return run(kinds or GATE)


def lint() -> int:
    """Check style, layout and types."""
    return test("lint")


def unit() -> int:
    """Run the tests of the pure code."""
    return test("unit")


def addons() -> int:
    """Run the addons' tests in Odoo."""
    return test("addons")


def acceptance() -> int:
    """Run the tests that start and kill real servers."""
    return test("acceptance")


def chaos() -> int:
    """Kill, cut and stop things under load, and count what suffered: half an hour."""
    sys.path.append(str(cache.CHECKOUT / "tests"))
    from chaos.run import chaos as run

    return run()


def fuzz() -> int:
    """Try everything that reads input with a hundred thousand bad ones: some minutes."""
    from .fuzz import fuzz as run

    return run()


def ha() -> int:
    """Run the tests that let Patroni change the primary."""
    return test("ha")


def bench() -> int:
    """Time this queue beside the community's: most of an hour."""
    from benchmarks.run import bench as run

    return run()


def bench_quick() -> int:
    """Time the core of that in a few minutes."""
    from benchmarks.run import bench_quick as run

    return run()


def bench_screens() -> int:
    """Time the screens with a million jobs: ten minutes."""
    from benchmarks.screens import bench_screens as run

    return run()


def shell_env() -> int:
    """Print what a shell needs to start Odoo by hand: eval "$(python3 -m dev shell-env)"."""
    from .shell import exports

    say(exports())
    return 0


COMMANDS: dict[str, Callable[[], int]] = {
    "demo": demo,
    "screenshots": screenshots,
    "translations": translations,
    "test": test,
    "lint": lint,
    "unit": unit,
    "addons": addons,
    "acceptance": acceptance,
    "chaos": chaos,
    "fuzz": fuzz,
    "ha": ha,
    "bench": bench,
    "bench-quick": bench_quick,
    "bench-screens": bench_screens,
    "shell-env": shell_env,
}


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    name = arguments[0] if len(arguments) == 1 else ""
    if name == "clean":
        from .clean import clean

        return clean()
    if name not in COMMANDS:
        say(_usage())
        return 0 if name == "help" else 2
    if not venv.is_active():
        _continue_in_environment(name)
    return COMMANDS[name]()


def _usage() -> str:
    lines = [
        f"  {name:<12} {(command.__doc__ or '').strip()}" for name, command in COMMANDS.items()
    ]
    lines.append(f"  {'clean':<12} Stop what runs and remove all that was fetched and built.")
    return "\n".join(["python3 -m dev COMMAND", *lines])


def _continue_in_environment(name: str) -> None:
    """Replace this process by the same command in the virtual environment."""
    from .odoo import remember_importable

    remember_importable()
    with cache.exclusive(cache.cache_folder() / "setup.lock"):
        python = venv.ensure()
    os.execv(python, [str(python), "-m", "dev", name])  # noqa: S606


if __name__ == "__main__":
    end_by_exception()
    try:
        sys.exit(main(sys.argv[1:]))
    except SetupError as error:
        sys.exit(f"dev: {error}")
    except Ended as end:
        sys.exit(end.status)
