"""No call is forgotten: each of the OpenAPI document is a row here, with a test of its own."""

import importlib
import re
from pathlib import Path

from tests.contract.rows import ROWS
from tests.contract.ui import DOCUMENT

BEYOND = {"GET /sweeps/{id}/table", "POST /sweeps/{id}/retry"}
"""Ours, and called by no UI but our own: tests/server/ is about these."""


def test_each_call_has_its_test() -> None:
    """A new route needs a test in this folder that is marked with `@row`, or a place in BEYOND."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"{__package__}.{path.stem}")
    served = {
        f"{method.upper()} {re.sub(r'{[a-z]+_id}', '{id}', path)}"
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }
    assert ROWS.keys() - served == set()
    assert served - ROWS.keys() == BEYOND
