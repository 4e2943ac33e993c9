"""The examples of docs/functions.md, run as they stand there, each after the one before."""

import ast
import linecache
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN, Server

TEXT = (Path(__file__).parents[2] / "docs" / "functions.md").read_text()


@pytest.fixture(scope="module")
def notebook(server: Server) -> dict[str, Any]:
    """What the cells have defined so far; to cloudpickle it is a notebook's, since it is no module's."""
    return {"__name__": "__main__"}


@pytest.mark.parametrize("cell", re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL))
def test_cell(notebook: dict[str, Any], cell: str) -> None:
    """Runs; and what stands as a comment behind a value is what it shows."""
    lines, name = cell.splitlines(), f"<cell {hash(cell)}>"
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)  # as IPython does
    for node in ast.parse(cell).body:
        if not isinstance(node, ast.Expr):
            exec(compile(ast.Module([node], []), name, "exec"), notebook)
            continue
        shown = eval(compile(ast.Expression(node.value), name, "eval"), notebook)
        assert node.end_lineno is not None
        _, mark, comment = lines[node.end_lineno - 1][node.end_col_offset or 0 :].partition("#")
        if mark:
            assert repr(shown) == comment.strip(), ast.unparse(node)


def test_curl(server: Server) -> None:
    """The upload by hand."""
    (commands,) = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    (server.world.workdir / "data.csv").write_text("1\n2\n")
    url = f"http://127.0.0.1:{server.port}/ra-jobs"
    login = shlex.quote(f"Authorization: token {TOKEN}")
    script = f'set -euo pipefail; RA={url}; ra() {{ curl -sS -H {login} "$@"; }}\n{commands}'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    run = server.get("/runs").json[0]
    assert server.ended(run["id"])["status"] == "finished"
    assert server.log(run["id"]).startswith(b"2 ")
