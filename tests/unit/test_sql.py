"""Statements are texts that stand in the source; values are bound, read from the source.

A statement that is put together from parts has a row here, which says what the parts are.
"""

import ast
import re
from pathlib import Path

import pytest

ADDON = Path(__file__).resolve().parents[2] / "queue_job"
MODULES = sorted(
    path for path in ADDON.rglob("*.py") if path.relative_to(ADDON).parts[0] != "tests"
)

RUNS_SQL = {"execute": 0, "execute_query": 0, "execute_values": 0, "SQL": 0}
"""What runs a statement, or makes one, and the place of its text among the arguments."""

PLANS = ("plans.execute", 2)
"""The function of ours that does, and the place of the text there."""

FROM_PARTS = {
    ("storage/plans.py", "f'PREPARE {name} AS {statement % places}'"): "names and texts of callers",
    ("storage/plans.py", "statement"): "the text of the caller, which is looked at there",
    ("storage/enqueue.py", "statement"): "the names of columns, which the code declares",
    ("storage/enqueue.py", "statement + ending"): "the names of columns, which the code declares",
    ("storage/connection.py", "*statement"): "the text of the caller, which is looked at there",
    ("storage/schema.py", "statement"): "each of the constants above",
    ("storage/listing.py", "statement"): "constants of the file, by the states that are asked for",
    ("storage/liveness.py", "query"): "one of the constants above",
    ("storage/steering.py", "statement"): "the names of columns, which the code declares",
    ("models/queue_job_storing.py", "query"): "the line above",
    ("models/queue_job_list.py", "condition"): "a constant of storage/searching.py",
    ("migrations/19.0.3.0.0/pre-migrate.py", "statement"): "a constant",
}
"""Statements that are no text of the source as a whole, by file; what they are made of."""

SQL_TEXT = re.compile(
    r"\b(SELECT\s.*\bFROM|INSERT\s+INTO|UPDATE\s.*\bSET|DELETE\s+FROM|PREPARE\s|LISTEN\s|NOTIFY\s"
    r"|DROP\s+(TABLE|INDEX|TRIGGER)|ALTER\s+TABLE|CREATE\s)",
    re.DOTALL,
)

MADE_IN_FUNCTIONS = {
    "storage/plans.py": 1,
    "storage/schema.py": 1,
    "jobrunner/database.py": 1,
}
"""How many texts of SQL each file makes of parts in its functions: the rows above, and two that
have nothing but constants in them."""


def is_constant_name(name):
    return name.isupper() and name.isidentifier()


def is_fixed(node):
    """Tell whether an expression is a text of the source, or made of constants alone."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (str, int))
    if isinstance(node, ast.Name):
        return is_constant_name(node.id)
    if isinstance(node, ast.Attribute):
        return is_constant_name(node.attr)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        return all(map(is_fixed, parts))
    if isinstance(node, ast.BinOp):
        return is_fixed(node.left) and is_fixed(node.right)
    if isinstance(node, ast.Call):
        return is_fixed_call(node)
    return False


def is_fixed_call(node):
    """Tell whether a call is ``TEXT.format(part=CONSTANT)``, or Odoo's SQL of a fixed text."""
    if name_of(node) == "SQL":
        return bool(node.args) and is_fixed(node.args[0])
    formats = isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    parts = [*node.args, *(keyword.value for keyword in node.keywords)]
    return formats and is_fixed(node.func.value) and all(map(is_fixed, parts))


def name_of(call):
    """Return the last name of what is called."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def statements(source):
    """Yield the expression of each statement that is run or made."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        place = RUNS_SQL.get(name_of(node))
        if ast.unparse(node.func) == PLANS[0]:
            place = PLANS[1]
        if place is not None and len(node.args) > place:
            yield node.args[place]


def made_in_functions(source):
    """Yield texts of SQL that a function makes of parts."""
    tree = ast.parse(source)
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.Lambda))]
    seen = set()
    for node in (part for function in functions for part in ast.walk(function)):
        joined = isinstance(node, ast.JoinedStr) and any(
            isinstance(part, ast.FormattedValue) for part in node.values
        )
        percent = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add))
        formats = isinstance(node, ast.Call) and name_of(node) == "format"
        if (joined or percent or formats) and SQL_TEXT.search(ast.unparse(node)):
            place = (node.lineno, node.col_offset)
            if place not in seen:
                seen.add(place)
                yield ast.unparse(node)


def relative(path):
    return str(path.relative_to(ADDON))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_statements_are_texts_of_the_source(path):
    loose = {
        ast.unparse(node)
        for node in statements(path.read_text(encoding="utf-8"))
        if not is_fixed(node)
    }
    assert loose <= {text for file, text in FROM_PARTS if file == relative(path)}


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_function_makes_sql_of_values(path):
    made = list(made_in_functions(path.read_text(encoding="utf-8")))
    assert len(made) == MADE_IN_FUNCTIONS.get(relative(path), 0), made


def test_every_row_is_still_needed():
    found = {
        (relative(path), ast.unparse(node))
        for path in MODULES
        for node in statements(path.read_text(encoding="utf-8"))
        if not is_fixed(node)
    }
    assert found == set(FROM_PARTS)


def test_constants_are_made_of_constants():
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.Assign) or not SQL_TEXT.search(ast.unparse(node.value)):
                continue
            parts = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            loose = [ast.unparse(part) for part in parts if not is_fixed(part)]
            assert loose == [], f"{relative(path)}: {loose}"


@pytest.mark.parametrize(
    "source",
    [
        'cr.execute(f"SELECT {value}")',
        'cr.execute("SELECT " + value)',
        'cr.execute("SELECT %s" % value)',
        'cr.execute("SELECT {}".format(value))',
        "cr.execute(READ.format(value=value))",
        "cr.execute(value)",
        'self.env.cr.execute(SQL(f"SELECT {value}"))',
        'plans.execute(cr, "name", f"SELECT {value}", [])',
        "env.execute_query(make(value))",
    ],
)
def test_a_statement_with_values_in_it_is_found(source):
    assert any(not is_fixed(node) for node in statements(source))


@pytest.mark.parametrize(
    "source",
    [
        'cr.execute("SELECT %s", (value,))',
        "cr.execute(READ, (value,))",
        'cr.execute(SQL("DROP INDEX %s", SQL.identifier(value)))',
        "cr.execute(dependency.SCHEMA)",
        'cr.execute(f"LISTEN {CHANNEL}")',
        "cr.execute(READ.format(part=PART))",
    ],
)
def test_a_statement_with_bound_values_is_accepted(source):
    assert all(is_fixed(node) for node in statements(source))


def test_sql_that_a_function_makes_is_found_wherever_it_goes():
    source = "def f(value):\n    text = f'UPDATE t SET a = {value}'\n    return later(text)\n"
    assert list(made_in_functions(source))
    assert list(made_in_functions("def f(v):\n    return 'DELETE FROM t WHERE id = %s' % v"))
    assert list(made_in_functions("def f(v):\n    return _('It waits for %s', v)")) == []
