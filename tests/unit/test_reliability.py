"""docs/reliability.md names tests that there are, and every fault that is tested."""

import ast
import re
from pathlib import Path

from tests.faults import catalogue as catalogue
from tests.faults.amid import FAULTS

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"`([a-z_]+)`")


def rows() -> list[list[str]]:
    """The cells of the fault tables."""
    lines = (ROOT / "docs/reliability.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [row for row in cells if len(row) == 3 and row[0] != "fault" and set(row[0]) != {"-"}]


def all_tests() -> dict[str, Path]:
    """Each test function's file."""
    return {
        node.name: path
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_each_row_has_its_tests() -> None:
    """No row without a test, none with one that is not there."""
    known = all_tests().keys() | FAULTS.keys()
    assert rows()
    for row in rows():
        names = NAME.findall(row[2])
        assert names, row
        assert not [name for name in names if name not in known], row


def test_each_fault_has_its_row() -> None:
    """What is tested is told."""
    named = {name for row in rows() for name in NAME.findall(row[2])}
    tested = {name for name, path in all_tests().items() if path.parent.name == "faults"}
    assert not (tested | FAULTS.keys()) - {"test_amid_a_sweep"} - named
