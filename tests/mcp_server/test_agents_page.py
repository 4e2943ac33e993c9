"""docs/agents.md says what the server does."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.mcp_server.agent import Agent

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "agents.md").read_text()


def test_set_up(agent_in: Callable[..., AbstractContextManager[Agent]], server: Server) -> None:
    """The configuration starts it, at the right server; the table lists its tools, no more and no less."""
    if not Path(sys.executable).with_name("jupyter-ra-jobs").exists():
        pytest.skip("the package is not installed beside this Python")
    (given,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    config = json.loads(given)["mcpServers"]["ra-jobs"]
    workdir = str(server.world.workdir)
    words = [workdir if word == "/path/to/project" else word for word in (config["command"], *config["args"])]
    assert workdir in words
    server.world.env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{server.world.env['PATH']}"
    with agent_in(command=words, cwd=Path("/")) as agent:
        assert agent.call("get_server")["workdir"] == workdir
        assert re.findall(r"^\| `(\w+)` \| \w", PAGE, re.MULTILINE) == list(agent.tools())


def test_session(agent_in: Callable[..., AbstractContextManager[Agent]], server: Server) -> None:
    """Each call of the example gives something."""
    if find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed, which the example needs")
    shutil.copy(ROOT / "examples" / "train_digits.py", server.world.workdir)
    (session,) = re.findall(r"```\n(.*?)```", PAGE.split("\n## A session\n")[1], re.DOTALL)
    ids = {"SWEEP": "", "RUN": ""}
    given = {}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with agent_in() as agent:
        for line in session.splitlines():
            tool, _, text = line.partition(" ")
            for word, its in ids.items():
                text = text.replace(f'"{word}"', json.dumps(its))
            arguments = json.loads(text)
            if tool.startswith("create"):  # the Python of the tests, where the example finds its libraries
                arguments["env"] = {"PATH": path}
            given[tool] = agent.call(tool, **arguments)
            while not given[tool].get("done", True):
                given[tool] = agent.call(tool, **arguments)
            if tool.startswith("create"):
                ids["SWEEP" if tool == "create_sweep" else "RUN"] = given[tool]["id"]
            if tool == "sweep_table":
                ids["RUN"] = given[tool]["rows"][0]["run_id"]
    assert given["preview_sweep"]["runs"] == 4
    assert given["wait_for_sweep"]["sweep"]["status"] == "completed"
    assert given["sweep_table"]["rows"][0]["metrics"]["val_loss"] > 0
    assert len(given["get_metrics"]["metrics"]["val_loss"]["series"]) > 1
    assert given["tail_log"]["text"]
    assert given["wait_for_runs"]["runs"][0]["status"] == "finished"
    assert given["search_log"]["matches"]
