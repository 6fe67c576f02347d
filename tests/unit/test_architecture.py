"""The layers of the addon and its measures, read from the source.

``core`` decides and knows nothing; ``storage`` speaks SQL and never decides; ``jobrunner`` has no
registry; ``models`` know no jobrunner; ``worker`` stands between the controllers and ``storage``.
"""

import ast
import statistics
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDON = ROOT / "queue_job"
MODULES = sorted(ADDON.rglob("*.py"))
MEASURED = [path for folder in (ADDON, ROOT / "dev") for path in sorted(folder.rglob("*.py"))]
DOCUMENTED = [
    path
    for path in MODULES
    if path.relative_to(ADDON).parts[0] in {"core", "storage", "jobrunner", "worker"}
]

LONGEST_FUNCTION = 50
MEDIAN_FUNCTION = 10
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
PATHS_OF_OTHERS = {ADDON / "utils.py", ADDON / "tests" / "common.py"}
"""What other addons import; they only pass names on."""
CLOCKS_AND_CHANCE = {"time", "random", "secrets"}
NOW_CALLS = {"now", "utcnow", "today"}

STANDARD_LIBRARY = set(sys.stdlib_module_names)
OURS = ("core", "storage", "jobrunner", "models", "controllers", "worker")

MAY_IMPORT = {
    "core": {"core"},
    "storage": {"core", "storage", "psycopg2", "odoo.sql_db"},
}
"""All that a layer may import beside the standard library."""

JOB = {"job", "job_life", "job_row", "job_states"}
"""The class of a job and its parts, which know records."""

NEVER_IMPORTS = {
    "jobrunner": {"models", "worker", "controllers", "wizard", "fields", "delay", *JOB},
    "models": {"jobrunner", "controllers", "worker"},
    "worker": {"jobrunner", "models", "controllers"},
    **{part: {"jobrunner", "models", "controllers", "worker"} for part in JOB},
    "controllers": {"jobrunner", "models"},
    "status": {"models", "controllers", "worker", "jobrunner", *JOB},
    "logs": {"models", "controllers", "worker", "jobrunner", *JOB},
}
"""What a layer never imports, whatever else it may."""


# Reading the source


def module_name(path):
    """Return the dotted name of a module below the addon, ``core.channels``."""
    parts = path.relative_to(ADDON).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(source, package):
    """Return what a module imports: ours by its name below the addon, others by their full name.

    :param source: text of the module
    :param package: dotted name of the package it is in, below the addon; empty for the addon
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(below_addon(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, package)
            found.update(below_addon(f"{base}.{alias.name}".strip(".")) for alias in node.names)
    return found


def absolute(node, package):
    """Return the dotted name that an ``import from`` begins with."""
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, *(node.module or "").split(".")]).strip(".")


def below_addon(name):
    return name.removeprefix("odoo.addons.queue_job.")


def package_of(path):
    return ".".join(path.relative_to(ADDON).parent.parts)


def layer_of(name):
    return name.partition(".")[0]


def is_part(name, package):
    return name == package or name.startswith(package + ".")


def wrong_imports(source, layer, package):
    """Return the imports that a layer must not have, as they stand in the source."""
    found = imports(source, package)
    if layer in MAY_IMPORT:
        allowed = MAY_IMPORT[layer] | STANDARD_LIBRARY
        found -= {name for name in found if any(is_part(name, other) for other in allowed)}
    else:
        never = NEVER_IMPORTS.get(layer, set())
        found = {name for name in found if any(is_part(name, other) for other in never)}
    return sorted(found)


def impurities(source):
    """Return the clocks and sources of chance that a module reaches for."""
    tree = ast.parse(source)
    found = {name for name in imports(source, "core") if layer_of(name) in CLOCKS_AND_CHANCE}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in NOW_CALLS:
            found.add(ast.unparse(node))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("uuid4"):
            found.add(ast.unparse(node.func))
    return sorted(found)


def functions(source):
    """Yield each function of a module with its number of lines, its decorators left out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def undocumented(source):
    """Return the public names of a module, itself among them, that have no docstring."""
    tree = ast.parse(source)
    missing = [] if ast.get_docstring(tree) or not tree.body else ["the module"]
    for node in tree.body:
        missing += undocumented_below(node)
    return missing


def undocumented_below(node):
    named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    if not named or node.name.startswith("_"):
        return []
    missing = [] if ast.get_docstring(node) else [node.name]
    if isinstance(node, ast.ClassDef):
        for child in node.body:
            missing += [f"{node.name}.{name}" for name in undocumented_below(child)]
    return missing


def by_name(paths, root=ROOT):
    """Parametrize over files, each named by its path."""
    return pytest.mark.parametrize(
        "path",
        [pytest.param(path, id=str(path.relative_to(root))) for path in paths],
    )


# The layers


@by_name(MODULES)
def test_arrows_point_down_only(path):
    layer = layer_of(module_name(path))
    assert wrong_imports(path.read_text(encoding="utf-8"), layer, package_of(path)) == []


@by_name((ADDON / "core").rglob("*.py"))
def test_the_core_imports_itself_relatively(path):
    absolute_imports = {
        name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and not node.level
        for name in [node.module]
    }
    assert {layer_of(name) for name in absolute_imports} <= STANDARD_LIBRARY


@by_name((ADDON / "core").rglob("*.py"))
def test_clock_and_chance_are_parameters_of_the_core(path):
    assert impurities(path.read_text(encoding="utf-8")) == []


def test_the_layers_are_where_they_are_looked_for():
    found = {layer_of(module_name(path)) for path in MODULES}
    assert set(OURS) <= found


# The measures


def test_no_function_is_longer_than_a_screen():
    long = [
        f"{path.relative_to(ROOT)} {name}: {lines} lines"
        for path in MEASURED
        for name, lines in functions(path.read_text(encoding="utf-8"))
        if lines > LONGEST_FUNCTION
    ]
    assert long == []


@pytest.mark.parametrize("folder", ["queue_job", "dev"])
def test_most_functions_are_short(folder):
    lengths = [
        lines
        for path in sorted((ROOT / folder).rglob("*.py"))
        for _name, lines in functions(path.read_text(encoding="utf-8"))
    ]
    assert lengths, f"no function in {folder}"
    assert statistics.median(lengths) < MEDIAN_FUNCTION


@by_name(MEASURED)
def test_the_name_of_a_module_says_what_is_in_it(path):
    vague = VAGUE_NAMES & set(path.relative_to(ROOT).with_suffix("").parts)
    assert path in PATHS_OF_OTHERS or not vague


@by_name(DOCUMENTED)
def test_every_public_name_says_what_it_is(path):
    assert undocumented(path.read_text(encoding="utf-8")) == []


# The checks themselves can fail


BAD_IMPORTS = {
    "core": ["import odoo", "from odoo import api", "import psycopg2", "from ..storage import x"],
    "storage": [
        "from odoo import models",
        "from ..jobrunner import slots",
        "from ..job import Job",
    ],
    "jobrunner": [
        "from ..models import x",
        "from .. import worker",
        "from ..controllers import x",
    ],
    "models": ["from ..jobrunner import x", "import odoo.addons.queue_job.jobrunner.slots"],
    "worker": ["from ..jobrunner.slots import Slots", "from .. import models"],
}
GOOD_IMPORTS = {
    "core": ["import math", "from collections.abc import Mapping", "from .leases import pack"],
    "storage": ["import psycopg2.extras", "from odoo.sql_db import db_connect", "from . import x"],
    "jobrunner": ["import odoo", "from ..core.leases import Lease", "from ..storage import x"],
    "models": ["from odoo import models", "from ..core import states", "from . import x"],
    "worker": ["from odoo import api", "from ..storage import outcome", "import psycopg2"],
}


@pytest.mark.parametrize(
    "layer, source",
    [(layer, source) for layer, sources in BAD_IMPORTS.items() for source in sources],
)
def test_an_import_that_points_up_is_found_wherever_it_stands(layer, source):
    hidden = f"def late():\n    if True:\n        {source}\n"
    assert wrong_imports(source, layer, layer)
    assert wrong_imports(hidden, layer, layer)


@pytest.mark.parametrize(
    "layer, source",
    [(layer, source) for layer, sources in GOOD_IMPORTS.items() for source in sources],
)
def test_an_import_that_points_down_is_accepted(layer, source):
    assert wrong_imports(source, layer, layer) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from time import monotonic",
        "import random",
        "from random import uniform",
        "import datetime as dt\nlate = lambda: dt.datetime.now()",
        "from datetime import datetime\ndefault = datetime.utcnow",
        "from datetime import date\ndate.today()",
        "import uuid\nuuid.uuid4()",
    ],
)
def test_a_hidden_clock_or_chance_is_found(source):
    assert impurities(source)


@pytest.mark.parametrize("source", ["def f(now): return now", "import datetime", "import uuid"])
def test_time_as_a_value_is_accepted(source):
    assert impurities(source) == []


def test_the_length_of_a_function_is_that_of_its_source():
    source = dedent(
        """
        @decorated
        def outer():
            '''Text.'''

            async def inner():
                return 1

            return inner
        """,
    )
    assert dict(functions(source)) == {"outer": 7, "inner": 2}


def test_a_public_name_without_docstring_is_found():
    source = dedent(
        """
        def public(): ...
        def _private(): ...
        class Public:
            def method(self): ...
            def _method(self): ...
        class _Private:
            def method(self): ...
        class Documented:
            '''Text.'''
            def __init__(self): ...
        """,
    )
    assert undocumented(source) == ["the module", "public", "Public", "Public.method"]
    assert undocumented("'''Text.'''\ndef public():\n    '''Text.'''") == []
    assert undocumented("") == []
