"""A kernel of a real server, for the tests of a module."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, World
from tests.notebooks.kernels import ROOT, Kernel


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on the example project."""
    made = World(tmp_path_factory.mktemp("project"))
    made.env["PATH"] = f"{Path(sys.executable).parent}:{made.env['PATH']}"
    shutil.copy(ROOT / "examples" / "train_digits.py", made.workdir)
    yield Server(made).start()
    made.end()


@pytest.fixture(scope="module")
def kernel(project: Server) -> Iterator[Kernel]:
    """A kernel that this server has started."""
    made = Kernel(project)
    made.good("import jupyter_ra_jobs as ra\n%load_ext jupyter_ra_jobs")
    yield made
    made.end()
