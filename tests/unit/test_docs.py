"""The documents say what the code says."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from jupyter_ra_jobs.app import RaJobsApp
from jupyter_ra_jobs.handlers import ROUTES
from jupyter_ra_jobs.handlers.openapi import document

DOCS = Path(__file__).parents[2] / "docs"
SETTINGS = RaJobsApp.class_own_traits(config=True)


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_is_documented(name: str) -> None:
    """By its help, and by a row of docs/configuration.md that begins with its name and default."""
    assert SETTINGS[name].help
    default = SETTINGS[name].default()
    shown = json.dumps(default) if isinstance(default, str) else repr(default)
    assert f"| `RaJobsApp.{name}` | `{shown}` | " in (DOCS / "configuration.md").read_text()


def test_no_other_setting_is_documented() -> None:
    """What is gone from the code is gone from the page."""
    rows = [line for line in (DOCS / "configuration.md").read_text().splitlines() if "| `RaJobsApp." in line]
    assert len(rows) == len(SETTINGS)


def test_openapi_is_current() -> None:
    """If not: python -m jupyter_ra_jobs.handlers.openapi > docs/openapi.json"""
    assert json.loads((DOCS / "openapi.json").read_text()) == json.loads(json.dumps(document(ROUTES)))


def test_openapi_is_valid() -> None:
    """By the specification's own schema and rules."""
    validate(document(ROUTES), cls=OpenAPIV31SpecValidator)


def operations() -> dict[str, dict[str, Any]]:
    """What the document says of each operation."""
    paths = document(ROUTES)["paths"]
    return {f"{method} {path}": what for path, methods in paths.items() for method, what in methods.items()}


def test_openapi_holds_all_routes() -> None:
    """Every method of every handler, each with words of its own."""
    methods = {
        (pattern, name)
        for pattern, kind, _ in ROUTES
        for name in ("get", "put", "post")
        if name in vars(kind)
    }
    assert len(operations()) == len(methods)
    for what in operations().values():
        assert what["summary"]
        assert what["description"]
