"""The README's examples, run as they stand there."""

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN, Server, World, wait_for

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def block(heading: str, number: int = 0) -> str:
    """A section's shell commands."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[number]


def line_with(words: str, text: str) -> str:
    """The one line that holds these words."""
    (line,) = [line for line in text.splitlines() if words in line]
    return line


class Shell:
    """bash, with what the README defines."""

    def __init__(self, server: Server) -> None:
        definitions = block("A session with curl", 1).split("\n\n")[0]
        assert "ra()" in definitions
        self.server = server
        self.definitions = definitions.replace("8899", str(server.port)).replace("my-token", TOKEN)
        self.env = server.world.env

    def run(self, *lines: str) -> str:
        """What the lines write."""
        script = "\n".join(["set -euo pipefail", self.definitions, *lines])
        done = subprocess.run(
            ["bash", "-c", script], env=self.env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def shell(world: World) -> Shell:
    """A server on the example project, and a shell to talk to it."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    shutil.copy(ROOT / "examples" / "train_digits.py", world.workdir)
    world.env["PATH"] = f"{Path(sys.executable).parent}:{world.env['PATH']}"
    return Shell(Server(world).start())


@pytest.mark.skipif(find_spec("sklearn") is None, reason="the examples' libraries are not installed")
def test_best_of_a_sweep(shell: Shell) -> None:
    """Six trainings, and the best of them by one call, by the last epoch as by the best."""
    commands = block("A sweep with curl")
    create = commands[: commands.index("id_of)") + len("id_of)")]
    sweep_id = shell.run(create, line_with("/start?", commands), "echo; echo $SWEEP").split()[-1]

    def ask(command: str) -> Any:
        return json.loads(shell.run(f"SWEEP={sweep_id}", command))

    sweep = f"/sweeps/{sweep_id}"
    wait_for(lambda: shell.server.get(sweep).json["progress"]["completed"] == 6, "all are done")
    best_line = line_with("sort=val_loss", commands)
    (best,) = ask(best_line)
    (best_epoch,) = ask(best_line.replace("&limit", "&metrics=min&limit"))
    curves = {
        run_id: [point["valLoss"] for point in ask(f"ra $RA/runs/{run_id}/metrics")["lossHistory"]]
        for run_id in ask("ra $RA/sweeps/$SWEEP")["run_ids"]
    }
    assert all(len(curve) == 10 for curve in curves.values())
    assert best["run_id"] == min(curves, key=lambda run_id: curves[run_id][-1])
    assert best["metrics"]["val_loss"] == min(curve[-1] for curve in curves.values())
    assert best_epoch["metrics"]["val_loss"] == min(min(curve) for curve in curves.values())
    assert best["metrics"].keys() == {"train_loss", "val_loss", "val_accuracy"}
    assert best["parameters"].keys() == {"lr", "hidden"}
    assert "val_loss" in shell.run(f"SWEEP={sweep_id}", line_with("format=csv", commands)).splitlines()[0]


def test_metrics(shell: Shell) -> None:
    """Rows sent, and shown."""
    add, show = block("Metrics").splitlines()
    new = """ID=$(ra $RA/runs -d '{"name": "n", "command": "true"}' | id_of)"""
    answers = shell.run(new, add, "echo", show)
    said, shown = map(json.loads, answers.splitlines())
    assert said == {"message": "2 rows added"}
    assert shown["metricSeries"] == {"val_loss": [{"step": 2, "value": 0.6}]}
    assert shown["lossHistory"] == [
        {"step": 1, "trainLoss": 0.7},
        {"step": 2, "trainLoss": 0.5, "valLoss": 0.6},
    ]
