"""Secrets stay where they belong: all that shows something of a run is searched for the tokens."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from jupyter_ra_jobs.handlers import ROUTES
from tests.conftest import TOKEN, Server, World, wait_for
from tests.server.test_access import path_of

# All that a command learns of itself and of its sidecar, its parent, without opening our files.
LOOK = """
env; for who in self $PPID; do cat /proc/$who/environ /proc/$who/cmdline; done | tr '\\0' '\\n'
tmux show-environment -g; tmux show-environment; tmux list-panes -a -F '#{pane_start_command}'
echo looked; read line
"""
ENDLESS = ("/events", "/logs/stream")


def process_table() -> bytes:
    """What every user of the machine sees."""
    return subprocess.run(["ps", "-eww", "-o", "pid,args"], capture_output=True, check=True).stdout


def environments(world: World, run_id: str) -> bytes:
    """Those of the run's processes: its sidecar, its command, and what that started."""
    found = b""
    for process in world.processes(RA_RUN_ID=run_id):
        with suppress(OSError):
            found += Path(f"/proc/{process.pid}/environ").read_bytes()
    return found


def answers(server: Server, run_id: str) -> Iterator[bytes]:
    """All that GET gives to who is logged in, and what refusals say."""
    for pattern, handler, _ in ROUTES:
        path = path_of(pattern).replace("ID", run_id).replace("NAME", "..%2Fspec.json")
        if hasattr(handler.get, "operation") and not path.endswith(ENDLESS):
            query = "?q=a&limit=1000" if path.endswith("search") else ""
            yield server.get(path + query).body
    yield server.get(f"/runs/{run_id}/logs?offset=0&limit=100000").body
    yield server.get(f"/runs/{run_id}/logs/stream").body
    for token in ("wrong", "é"):
        headers = {"X-RA-Run-Token": token.encode().decode("latin-1")}
        answer = server.request("POST", f"/runs/{run_id}/status", {"status": "finished"}, headers)
        assert answer.status == 403
        yield answer.body


@pytest.mark.parametrize("capture", ["sidecar", "pipe-pane"])
def test_tokens(world: World, capture: str) -> None:
    """The run's token is in its spec.json alone; Jupyter's in nothing of ours."""
    server = Server(world, "--debug", f"--RaJobsApp.capture={capture}").start()
    run_id = server.launch(LOOK, env={"SHOWN": "to-the-command"})
    wait_for(lambda: b"\nlooked" in server.log(run_id), "the command has looked around")
    spec = (server.run_dir(run_id) / "spec.json").read_bytes()
    token = json.loads(spec)["token"].encode()
    assert len(token) >= 43  # 32 random bytes
    seen = process_table() + environments(world, run_id)
    assert run_id.encode() in seen
    server.post(f"/runs/{run_id}/stop")
    server.ended(run_id)
    lost = server.launch("exec sleep 1000")
    server.until(lost, "running")
    for process in world.processes(RA_RUN_ID=lost):
        with suppress(ProcessLookupError):
            process.kill()
    server.ended(lost)
    server.kill()
    server.start()
    seen += b"".join(answers(server, run_id))
    for file in world.workdir.rglob("*"):
        if file.is_file() and file.name != "spec.json":
            seen += file.read_bytes()
    assert b"SHOWN=to-the-command" in seen
    assert token not in seen
    assert TOKEN.encode() not in seen + spec
    # Jupyter prints its own token as it starts; ours is not among what it says.
    assert f"/runs/{run_id}/status".encode() in server.output().encode()
    assert token not in server.output().encode()
