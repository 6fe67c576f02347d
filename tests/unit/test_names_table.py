"""``docs/names.rst`` is true: every name is in the file that it names, and every test is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "names.rst"
TEST_FILES = sorted((ROOT / "tests").rglob("test_*.py"))

LITERAL = re.compile(r"``(.+?)``", re.DOTALL)
ROW = re.compile(r"^   \* - (.*?)(?=^   \* - |^\S|\Z)", re.DOTALL | re.MULTILINE)
FIRST_WORDS = ("name", "difference")
"""What the head of a table begins with."""


def rows(text):
    """Return the rows of all tables, each as a list of cells."""
    found = [re.split(r"^     - ", row, flags=re.MULTILINE) for row in ROW.findall(text)]
    cells = [[" ".join(cell.split()) for cell in row] for row in found]
    return [row for row in cells if row[0] not in FIRST_WORDS]


def literals(cell):
    """Return what a cell has between double back quotes."""
    return [" ".join(literal.split()) for literal in LITERAL.findall(cell)]


def named_tests(source, module):
    """Return the dotted names of the tests of a module, with their class if they have one."""
    found = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.add(f"{module}.{node.name}")
        elif isinstance(node, ast.ClassDef):
            methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
            found.update(
                f"{module}.{node.name}.{method.name}"
                for method in methods
                if method.name.startswith("test_")
            )
    return found


def is_in(name, source):
    """Tell whether a name, ``Class.method`` for one of a class, stands in a file."""
    last = name.rpartition(".")[2] if re.fullmatch(r"[A-Za-z]\w*\.\w+", name) else name
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(last)}(?![A-Za-z0-9])", source) is not None


ALL_TESTS = {
    test for path in TEST_FILES for test in named_tests(path.read_text(encoding="utf-8"), path.stem)
}
ROWS = rows(TABLE.read_text(encoding="utf-8"))
PLACES = [row for row in ROWS if re.fullmatch(r"``queue_job/[\w/.]+``", row[1])]


def test_the_table_is_read():
    assert len(ROWS) > 120
    assert len(PLACES) > 90
    assert {len(row) for row in ROWS} == {3}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_every_test_that_is_named_is_there(row):
    named = literals(row[2])
    assert named, "a name without a test"
    assert [test for test in named if test not in ALL_TESTS] == []


@pytest.mark.parametrize("row", PLACES, ids=lambda row: row[0][:60])
def test_every_name_is_in_its_file(row):
    (place,) = literals(row[1])
    source = (ROOT / place).read_text(encoding="utf-8")
    assert [name for name in literals(row[0]) if not is_in(name, source)] == []


def test_every_test_of_the_names_is_in_the_table():
    folder = ROOT / "tests" / "addons" / "test_queue_job_names" / "tests"
    ours = {
        test
        for path in sorted(folder.glob("test_*.py"))
        for test in named_tests(path.read_text(encoding="utf-8"), path.stem)
    }
    named = {test for row in ROWS for test in literals(row[2])}
    assert sorted(ours - named) == []


# The checks themselves can fail


def test_a_row_is_read_with_its_cells_over_several_lines():
    text = (
        ".. list-table::\n   :header-rows: 1\n\n   * - name\n     - where\n     - tested by\n"
        "   * - ``a``,\n       ``b``\n     - ``file.py``\n     - ``test_x.test_y``\n\n"
        "After\n=====\n"
    )
    assert rows(text) == [["``a``, ``b``", "``file.py``", "``test_x.test_y``"]]
    assert literals("``a``, ``b c``") == ["a", "b c"]


def test_a_name_that_is_not_there_is_found():
    assert is_in("Job.load", "def load(")
    assert is_in("capacity", '"capacity"')
    assert not is_in("Job.load", "def loads(")
    assert not is_in("load", "unload")


def test_tests_are_found_by_class_and_by_module():
    source = (
        "def test_a(): ...\nclass TestB:\n    def test_c(self): ...\n    def helper(self): ...\n"
    )
    assert named_tests(source, "test_m") == {"test_m.test_a", "test_m.TestB.test_c"}
