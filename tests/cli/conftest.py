"""The command line as a user has it: the console script, in a shell's environment, beside a real server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PATIENCE, Server

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `jupyter` and `jupyter-ra-jobs`, as an installation of this source tree has them."""
    folder = tmp_path_factory.mktemp("bin")
    scripts = (ROOT / "pyproject.toml").read_text().split("[project.scripts]\n")[1]
    entry = re.match(r'jupyter-ra-jobs = "([\w.]+):(\w+)"\n', scripts)
    assert entry is not None
    for name, module, function in [
        ("jupyter-ra-jobs", *entry.groups()),
        ("jupyter", "jupyter_core.command", "main"),
    ]:
        script = folder / name
        script.write_text(
            f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        script.chmod(0o755)
    return folder


class Cli:
    """`jupyter-ra-jobs`, called in the workdir of a server."""

    def __init__(self, server: Server, programs: Path) -> None:
        self.server = server
        self.env = {**server.world.env, "PATH": f"{programs}:{server.world.env['PATH']}"}
        self.program = str(programs / "jupyter-ra-jobs")

    def __call__(self, *words: str, code: int = 0, **more: Any) -> str:
        """What it prints, when it exits with `code`."""
        done = self.done(*words, **more)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout.decode()

    def error(self, *words: str, code: int, **more: Any) -> str:
        """The one line that it complains with."""
        done = self.done(*words, **more)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        (line,) = done.stderr.decode().splitlines()
        return line

    def done(
        self, *words: str, env: dict[str, str] | None = None, **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """How it went."""
        return subprocess.run(
            [self.program, *words],
            env={**self.env, **(env or {})},
            capture_output=True,
            check=False,
            timeout=PATIENCE,
            **{"cwd": self.server.world.workdir, "stdin": subprocess.DEVNULL, **more},
        )

    def started(self, *words: str, **more: Any) -> subprocess.Popen[bytes]:
        """It, on its way."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        given = {"cwd": self.server.world.workdir, "env": self.env, **pipes, **more}
        return subprocess.Popen([self.program, *words], **given)

    def show(self, record_id: str) -> dict[str, Any]:
        """A record, by `show --json`."""
        shown: dict[str, Any] = json.loads(self("show", record_id, "--json"))
        return shown


@pytest.fixture
def cli(shared_server: Server, programs: Path) -> Cli:
    """The command line beside the module's server."""
    return Cli(shared_server, programs)


@pytest.fixture
def cli_of_server(server: Server, programs: Path) -> Cli:
    """The command line beside a server of the test's own."""
    return Cli(server, programs)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A pseudoterminal: our side, and the program's."""
    ours, its = os.openpty()
    yield ours, its
    os.close(ours)
    os.close(its)
