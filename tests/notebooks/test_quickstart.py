"""examples/quickstart.ipynb, from top to bottom, in a kernel that a real server has started."""

from importlib.util import find_spec
from typing import Any

import nbformat
import pytest

from tests.conftest import Server
from tests.notebooks.kernels import ROOT, execute, outputs

FILE = ROOT / "examples" / "quickstart.ipynb"


def test_it_has_no_outputs() -> None:
    """Those of one machine are wrong on the next."""
    for cell in nbformat.read(FILE, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.skipif(find_spec("sklearn") is None, reason="the examples' libraries are not installed")
@pytest.mark.timeout(300)
def test_from_top_to_bottom(project: Server) -> None:
    """Each cell shows what its text says."""
    done: Any = execute(nbformat.read(FILE, as_version=4), project)
    shown = {cell.source: outputs(cell) for cell in done.cells if cell.cell_type == "code"}

    def of(words: str) -> str:
        (found,) = [shows for source, shows in shown.items() if words in source]
        return found

    assert "'baseline': " in of('name="baseline"')
    assert "$ python train_digits.py --quick" in of('name="baseline"')
    assert of("run.exit_code").endswith("('finished', 0)")
    assert "final val_accuracy=" in of("run.tail(3)")
    assert of('"for i in 1 2 3;') == "step 1\nstep 2\nstep 3\n"
    assert "val_loss" in of("metrics = run.metrics()")
    assert "MetricPoint(step=" in of('metrics["val_loss"]')
    assert "best.npz" in of("run.artifacts()")
    assert "finished, " in of("run.rerun")
    assert "4 finished" in of("sweep = ra.sweep")
    assert "best by lowest val_loss" in of("sweep = ra.sweep")
    assert "val_loss" in of("sweep.table()")
    assert of("sweep.best").startswith("the best: python train_digits.py --quick --lr=")
    assert "--lr 0.1" in of("%run_job --name fast")
    assert of("%%run_job --python").startswith("0\n1\n4\n9\nRun ")
    assert "final val_accuracy=" in of("%logs")
    assert "baseline" in of('ra.runs(status="finished")')
    assert of("wider.archive()") == "False"
    html = [
        part.data.get("text/html")
        for cell in done.cells
        for part in cell.get("outputs", [])
        if "data" in part
    ]
    assert sum(1 for each in html if each and each.startswith("<div")) >= 7
