"""docs/python.md and the README's section on notebooks: each example runs, in their order."""

import re
from importlib.util import find_spec
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook

import jupyter_ra_jobs
from jupyter_ra_jobs import errors
from tests.conftest import TOKEN, Server
from tests.notebooks.kernels import ROOT, execute, outputs

PAGE = (ROOT / "docs" / "python.md").read_text()
pytestmark = pytest.mark.skipif(
    find_spec("sklearn") is None, reason="the examples' libraries are not installed"
)


def run(text: str, server: Server) -> list[Any]:
    """The blocks of a page as cells, with their outputs."""
    here = text.replace("localhost:8888", f"127.0.0.1:{server.port}").replace("my-token", TOKEN)
    blocks = re.findall(r"```python\n(.*?)```", here, re.DOTALL)
    cells: list[Any] = execute(new_notebook(cells=[new_code_cell(block) for block in blocks]), server).cells
    return cells


@pytest.mark.timeout(400)
def test_the_page(project: Server) -> None:
    """None fails, and what it prints is what the page says."""
    shown = {cell.source: outputs(cell) for cell in run(PAGE, project)}

    def of(words: str) -> str:
        (found,) = [shows for source, shows in shown.items() if words in source]
        return found

    assert of(".follow():\n    print(line)\n") == "step 1\nstep 2\nstep 3\n"
    assert "one\n0.1\n" in of("%%run_job --follow")
    assert of("%%run_job --python").startswith("0\n1\n4\n9\n")
    assert "BadInput: the command must be a string" in of("for wrong, error in")
    assert "it goes on" in of("slow.wait(timeout=0.5)")
    assert of("async with").startswith("hello")


@pytest.mark.timeout(200)
def test_the_readme(project: Server) -> None:
    """Its section runs as it stands there."""
    section = (ROOT / "README.md").read_text().split("\n## From a notebook\n")[1].split("\n## ")[0]
    assert run(section, project)


def test_all_names_are_there() -> None:
    """Each public name, each error, and each member of what cells hold."""
    from jupyter_ra_jobs import Artifact, AsyncClient, Client, Metrics, Run, Sweep

    def missing(names: list[str]) -> list[str]:
        return [name for name in names if not re.search(rf"\b{re.escape(name)}\b", PAGE)]

    assert not missing([name for name in jupyter_ra_jobs.__all__ if not name.startswith("_")])
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert not missing([kind.__name__ for kind in kinds if kind.__module__ == errors.__name__])
    for kind in (Artifact, AsyncClient, Client, Metrics, Run, Sweep):
        assert not missing([name for name in vars(kind) if not name.startswith("_")]), kind
