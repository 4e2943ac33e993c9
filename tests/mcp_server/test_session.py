"""Whole sessions: a sweep from its making to its best run, and servers that come and go."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN, Server, World
from tests.mcp_server.agent import COMMAND, Agent, environment

Agents = Callable[..., AbstractContextManager[Agent]]
TRAIN = (
    "import json, os, sys, time\n"
    "lr = float(sys.argv[1])\n"
    "if lr > 1: sys.exit('diverged')\n"
    "with open(os.environ['RA_ARTIFACTS_DIR'] + '/metrics.jsonl', 'w') as f:\n"
    "    for step in range(5):\n"
    "        print(json.dumps({'step': step, 'val_loss': abs(lr - 0.1) + abs(step - 3) / 100}), file=f)\n"
    "while lr == 0.9 and not os.path.exists('go on'): time.sleep(0.05)\n"
)
HELLO: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def test_sweep(agent_in: Agents, server: Server) -> None:
    """Looked at beforehand, made, waited for in slices, its table, its best run, a retry, a stop."""
    (server.world.workdir / "train.py").write_text(TRAIN)
    grid = {"command": "python3 train.py {lr}", "parameters": {"lr": [0.5, 0.1, 3, 0.9]}}
    with agent_in() as agent:
        preview = agent.call("preview_sweep", **grid, show=2)
        assert preview == {
            "runs": 4,
            "total_combinations": 4,
            "commands": ["python3 train.py 0.5", "python3 train.py 0.1"],
        }
        assert agent.call("list_sweeps") == {"sweeps": []}
        made = agent.call("create_sweep", **grid, name="rates", parallel=2, goal="a low loss", start=False)
        assert (made["status"], made["progress"]["ready"]) == ("pending", 4)
        assert "start it first" in agent.refused("wait_for_sweep", sweep_id=made["id"])
        started = agent.call("start_sweep", sweep_id=made["id"], parallel=2)
        assert started["message"] == "Started 2/4 runs"

        slices = []
        while not (waited := agent.call("wait_for_sweep", sweep_id=made["id"], seconds=1))["done"]:
            slices.append(waited["message"])
            if waited["sweep"]["progress"]["running"] == 1 and waited["message"].startswith("3 of 4"):
                (server.world.workdir / "go on").touch()
        assert slices
        assert all("call wait_for_sweep again" in each for each in slices)
        assert waited["message"] == "4 of 4 have ended, 1 of them failed"
        assert waited["sweep"]["status"] == "failed"

        best = agent.call("sweep_table", sweep_id=made["id"], sort="val_loss", values="min", limit=1)
        (row,) = best["rows"]
        assert best["has_more"]
        assert row["parameters"] == {"lr": 0.1}
        assert row["metrics"] == {"val_loss": pytest.approx(0)}
        metrics = agent.call("get_metrics", run_id=row["run_id"])["metrics"]["val_loss"]
        assert metrics == pytest.approx({"last": 0.01, "min": 0, "min_step": 3, "max": 0.03, "max_step": 0})
        assert "there is no 'acc' in this table" in agent.refused(
            "sweep_table", sweep_id=made["id"], sort="acc"
        )

        (failed,) = agent.call("sweep_table", sweep_id=made["id"], status=["failed"])["rows"]
        assert agent.call("tail_log", run_id=failed["run_id"])["text"] == "diverged"
        agent.call("retry_sweep", sweep_id=made["id"])
        while not agent.call("wait_for_sweep", sweep_id=made["id"], seconds=5)["done"]:
            pass
        rows = agent.call("sweep_table", sweep_id=made["id"])["rows"]
        assert [row.get("retried", False) for row in rows] == [False, False, True, False, False]
        (listed,) = agent.call("list_sweeps")["sweeps"]
        assert listed == agent.call("get_sweep", sweep_id=made["id"])
        assert listed["goal"] == "a low loss"

        long = agent.call("create_sweep", command="sleep {s}", parameters={"s": [600, 601]})
        agent.call("stop_sweep", sweep_id=long["id"])
        while not agent.call("wait_for_sweep", sweep_id=long["id"], seconds=5)["done"]:
            pass
        assert agent.call("get_sweep", sweep_id=long["id"])["status"] == "canceled"


def test_a_large_preview(agent_in: Agents, server: Server) -> None:
    """Counts what it does not make; how many there may be, the server says."""
    large = {"command": "true", "parameters": {"a": list(range(101)), "b": list(range(100))}}
    with agent_in() as agent:
        preview = agent.call("preview_sweep", **large, show=1)
        assert (preview["runs"], preview["commands"]) == (10_100, ["true --a=0 --b=0"])
        for tool, more in (("preview_sweep", {}), ("create_sweep", {"start": False})):
            misspelt = agent.call(tool, command="echo {lrr}", parameters={"lr": [1]}, **more)
            assert misspelt["note"] == "{lrr} is no parameter and stays as it is; did you mean {lr}?"
        assert "10,000 runs in a sweep, unless" in preview["note"]
        assert "10,100 runs are more than a sweep may have" in agent.refused("create_sweep", **large)
        assert "note" not in agent.call("preview_sweep", **large, max_runs=10_000)


def test_random_preview(agent_in: Agents, server: Server) -> None:
    """With the seed that it tells, the sweep is what it showed."""
    drawn = {
        "command": "true",
        "parameters": {"lr": {"min": 1e-5, "max": 0.1, "log": True}, "n": {"min": 1, "max": 9, "int": True}},
        "method": "random",
        "max_runs": 3,
    }
    with agent_in() as agent:
        preview = agent.call("preview_sweep", **drawn)
        made = agent.call("create_sweep", **drawn, seed=preview["seed"], start=False)
        runs = agent.call("list_runs", sweep_id=made["id"])["runs"]
        assert [run["command"] for run in reversed(runs)] == preview["commands"]


def test_many_metrics(agent_in: Agents, server: Server) -> None:
    """A table has what is sorted by, and of the rest as much as fits."""
    row = json.dumps({"step": 1, **{f"m{i}": i for i in range(100)}})
    with agent_in() as agent:
        made = agent.call(
            "create_sweep",
            command=f"printf '%s\\n' '{row}' > $RA_ARTIFACTS_DIR/metrics.jsonl; true",
            parameters={"a": [1, 2]},
        )
        while not agent.call("wait_for_sweep", sweep_id=made["id"], seconds=5)["done"]:
            pass
        table = agent.call("sweep_table", sweep_id=made["id"], sort="m77")
        assert [len(each["metrics"]) for each in table["rows"]] == [20, 20]
        assert table["rows"][0]["metrics"]["m77"] == 77
        assert len(table["other_metrics"]) == 80
        named = agent.call("sweep_table", sweep_id=made["id"], metric_names=["m3"])
        assert named["rows"][0]["metrics"] == {"m3": 3}
        assert "other_metrics" not in named


def test_log_with_a_gap(agent_in: Agents, world: World) -> None:
    """Of a log that met its limit the beginning and the end are read, and where the middle was is said."""
    Server(world, "--RaJobsApp.max_log_bytes=1000000").start()
    with agent_in() as agent:
        run_id = agent.call("create_run", command="seq 1000000")["id"]
        assert agent.ended(run_id)["status"] == "finished"
        assert agent.call("tail_log", run_id=run_id, lines=2)["text"] == "999999\n1000000"
        offset, shown, more = 0, list[str](), True
        while more:
            part = agent.call("read_log", run_id=run_id, offset=offset, max_bytes=50_000)
            shown += part["text"].splitlines()
            offset, more = part["next_offset"], part["has_more_after"]
        (said,) = [number for number, line in enumerate(shown) if "bytes that were not kept" in line]
        begin, end = shown[: said - 1], shown[said + 2 :]  # beside it, numbers that were cut
        assert begin == [str(number) for number in range(1, len(begin) + 1)]
        assert end == [str(number) for number in range(1_000_001 - len(end), 1_000_001)]
        assert len(begin) > 10_000
        assert len(end) > 10_000


# -- servers that come and go ---------------------------------------------------------------------------


def test_no_server(agent_in: Agents, world: World) -> None:
    """It starts, tells its tools, says in each answer what is missing, and works once a server is there."""
    with agent_in(mode="legacy") as agent:
        assert agent.client.server_info.name == "jupyter_ra_jobs"
        assert "create_run" in agent.client.instructions
        assert len(agent.tools()) > 20
        for tool, arguments in {"list_runs": {}, "create_run": {"command": "true"}, "get_server": {}}.items():
            words = agent.refused(tool, **arguments)
            assert "no server was found" in words
            assert "jupyter ra-jobs --workdir ." in words
        Server(world).start()
        assert agent.call("list_runs") == {"runs": []}


def test_restart(agent_in: Agents, server: Server) -> None:
    """A wait goes on over a restart, on another port; while there is no server, each answer says so."""
    with agent_in() as agent:
        run = agent.call("create_run", command="until [ -e go ]; do sleep 0.1; done; echo went")
        server.until(run["id"], "running")
        server.stop()
        assert "no server" in agent.refused("list_runs")
        assert "no server" in agent.refused("wait_for_runs", run_ids=[run["id"]], seconds=1)
        assert len(agent.tools()) > 20
        waiting = agent.portal.start_task_soon(
            agent.client.call_tool, "wait_for_runs", {"run_ids": [run["id"]], "seconds": 50}
        )
        port = server.port
        server.start()
        assert server.port != port
        (server.world.workdir / "go").touch()
        result = waiting.result(60)
        if result.is_error:  # it took longer to come back than a call looks for it
            assert "no server" in result.content[0].text
        assert agent.ended(run["id"])["status"] == "finished"
        assert agent.call("tail_log", run_id=run["id"])["text"] == "went"


def test_killed(agent_in: Agents, server: Server) -> None:
    """A server that is killed while it is waited for, and comes back, is found again by the same wait."""
    with agent_in() as agent:
        run = agent.call("create_run", command="until [ -e go ]; do sleep 0.1; done")
        waiting = agent.portal.start_task_soon(
            agent.client.call_tool, "wait_for_runs", {"run_ids": [run["id"]], "seconds": 50}
        )
        server.until(run["id"], "running")
        server.kill()
        server.start()
        (server.world.workdir / "go").touch()
        result = waiting.result(60)
        assert not result.is_error, result
        assert agent.ended(run["id"])["status"] == "finished"


def test_other_workdir(agent_in: Agents, server: Server, tmp_path: Path) -> None:
    """The folder that it is started in says which server is meant; --workdir says so whatever else does."""
    folder = tmp_path / "other"
    folder.mkdir()
    other = World(folder)
    try:
        second = Server(other).start()
        there = str(second.world.workdir)
        (second.world.workdir / "sub").mkdir()
        with agent_in(cwd=second.world.workdir / "sub") as agent:
            assert agent.call("get_server")["workdir"] == there
        with agent_in() as agent:
            assert agent.call("get_server")["workdir"] == str(server.world.workdir)
        wrong = {"RA_JOBS_URL": f"http://127.0.0.1:{server.port}", "RA_JOBS_TOKEN": TOKEN}
        with agent_in("--workdir", there, cwd=Path("/"), env=wrong) as agent:
            assert agent.call("get_server")["workdir"] == there
        with agent_in(cwd=second.world.workdir, env=wrong) as agent:
            assert agent.call("get_server")["workdir"] == str(server.world.workdir)
    finally:
        other.end()


def test_wrong_token(agent_in: Agents, server: Server) -> None:
    """Told in words; what the token is, is not."""
    wrong = {"RA_JOBS_URL": f"http://127.0.0.1:{server.port}", "RA_JOBS_TOKEN": "sesame-wrong"}
    with agent_in(cwd=Path("/"), env=wrong) as agent:
        words = agent.refused("list_runs")
        assert "sesame" not in words
        assert "RA_JOBS_TOKEN" in words or "log" in words
    with agent_in(cwd=Path("/"), env={"RA_JOBS_URL": "ftp://nowhere"}) as agent:
        assert "RA_JOBS_URL" in agent.refused("list_runs")


# -- the process ----------------------------------------------------------------------------------------


def started(world: World, *arguments: str, command: list[str] | None = None) -> "subprocess.Popen[str]":
    """The process itself, with pipes."""
    pytest.importorskip("mcp", reason="the extra mcp is not installed")
    return subprocess.Popen(
        [*(command or COMMAND), *arguments],
        env=environment(world, {}),
        cwd=world.workdir,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answer(process: "subprocess.Popen[str]", message: dict[str, Any]) -> Any:
    """What it says to a message."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def test_only_protocol_on_stdout(world: World) -> None:
    """Whatever it is sent, each line that it writes is a message; at the end of stdin it ends well."""
    process = started(world)
    hello = answer(process, HELLO)
    assert hello["result"]["serverInfo"]["name"] == "jupyter_ra_jobs"
    assert process.stdin is not None
    process.stdin.write("no json\n\n{}\n")
    call = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "list_runs", "arguments": {}},
    }
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
    process.stdin.write(json.dumps(call) + "\n")
    process.stdin.flush()
    assert process.stdout is not None
    while (said := json.loads(process.stdout.readline())).get("id") != 2:
        assert said["jsonrpc"] == "2.0"
    assert said["result"]["isError"]
    out, _ = process.communicate(timeout=30)
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in out.splitlines())
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(world: World, number: signal.Signals) -> None:
    """It ends at once, without a traceback."""
    process = started(world)
    answer(process, HELLO)
    process.send_signal(number)
    out, said = process.communicate(timeout=30)
    assert out == ""
    assert "Traceback" not in said
    assert process.returncode == -number


def test_leaves_nothing(agent_in: Agents, server: Server) -> None:
    """A client that goes away during a wait takes its server of the protocol with it; the run goes on."""
    process = started(server.world)
    answer(process, HELLO)
    run_id = server.launch("sleep 600")
    wait = {"name": "wait_for_runs", "arguments": {"run_ids": [run_id], "seconds": 50}}
    assert process.stdin is not None
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}) + "\n")
    process.stdin.write(
        json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": wait}) + "\n"
    )
    process.communicate(timeout=30)
    assert server.until(run_id, "running")
    server.post(f"/runs/{run_id}/stop")
    server.ended(run_id)


@pytest.mark.parametrize("name", ["mcp", "mcp.server"])
def test_not_installed(world: World, name: str) -> None:
    """Exit code 1, and one line that says what to install. With the earlier major version too."""
    code = f"import sys; sys.modules[{name!r}] = None; from jupyter_ra_jobs.mcp_server import main; "
    done = subprocess.run(
        [sys.executable, "-c", code + "sys.exit(main([]))"],
        env=environment(world, {}),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "pip install 'jupyter_ra_jobs[mcp]'" in line


def test_options(world: World) -> None:
    """A folder that is none, and an option that there is not, are said; a token can't be given."""
    process = started(world, "--workdir", str(world.root / "nowhere"))
    out, said = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert "nowhere" in said
    process = started(world, "--token", "x")
    out, said = process.communicate(timeout=30)
    assert (process.returncode, out) == (2, "")
    assert "--token" in said


def test_as_the_command(world: World) -> None:
    """`jupyter ra-jobs mcp`, as a client's configuration has it."""
    jupyter = Path(sys.executable).with_name("jupyter-ra-jobs")
    if not jupyter.exists():
        pytest.skip("the package is not installed beside this Python")
    world.env["PATH"] = f"{jupyter.parent}{os.pathsep}{world.env['PATH']}"
    process = started(world, command=["jupyter", "ra-jobs", "mcp"])
    assert answer(process, HELLO)["result"]["capabilities"]["tools"] is not None
    process.communicate(timeout=30)
    assert process.returncode == 0
