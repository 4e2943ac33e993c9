"""The server and its workdir: where it is, what it holds, how the server leaves it and comes back."""

import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from jupyter_ra_jobs.client import Client, ids
from jupyter_ra_jobs.layout import Layout
from tests.conftest import RA_JOBS, TOKEN, Server, World, wait_for

POLITE = 5.0
"""Seconds within which a server that is asked to end has ended."""

OLD = {
    "runs": {
        "0123456789ab": {
            "id": "0123456789ab",
            "name": "old",
            "command": "python train.py",
            "workdir": "/somewhere",
            "status": "finished",
            "is_archived": True,
            "created_at": 1700000000.0,
            "exit_code": 0,
            "unheard_of": 1,
        },
        "cut-off_7": {
            "name": "cut off",
            "command": "sleep 1",
            "status": "running",
            "created_at": 1700000001.5,
        },
        "aaaaaaaaaaaa": {
            "name": "later",
            "command": "echo at last",
            "status": "ready",
            "created_at": 1700000002.0,
        },
    },
    "sweeps": {},
}


def test_import_of_jobs_json(world: World) -> None:
    """The earlier server's runs are there, in its order, once; its file is untouched; they can be run."""
    layout = Layout(world.workdir)
    layout.create()
    text = json.dumps(OLD)
    layout.jobs_json.write_text(text)
    server = Server(world).start()
    runs = {run["name"]: run for run in server.get("/runs?archived=true").json}
    assert list(runs) == ["later", "cut off", "old"]
    assert (runs["old"]["status"], runs["old"]["workdir"], runs["old"]["exit_code"]) == (
        "finished",
        "/somewhere",
        0,
    )
    assert runs["cut off"]["status"] == "failed"
    assert "jobs.json" in runs["cut off"]["error"]
    with Client(f"http://127.0.0.1:{server.port}", TOKEN) as client:
        assert ids.find(client, "cut-off_7", "").name == "cut off"
    assert server.post("/runs/aaaaaaaaaaaa/start").status == 200
    assert server.ended("aaaaaaaaaaaa")["status"] == "finished"
    assert server.log("aaaaaaaaaaaa") == b"at last\n"
    server.stop()
    server.start()
    assert len(server.get("/runs?archived=true").json) == 3
    assert layout.jobs_json.read_text() == text


def test_export(server: Server) -> None:
    """All runs in the form of jobs.json, beside a running server; what was exported can be imported."""
    run_id = server.launch("exit 3")
    server.ended(run_id)
    server.create("true")
    command = [*RA_JOBS, "export", "--workdir", str(server.world.workdir)]
    exported = json.loads(subprocess.check_output(command, env=server.world.env))
    assert list(exported) == ["runs", "sweeps"]
    assert exported["runs"][run_id] | {"run_dir": ""} == server.run(run_id) | {"run_dir": ""}
    other = Layout(server.world.root / "other")
    other.workdir.mkdir()
    other.create()
    other.jobs_json.write_text(json.dumps(exported))
    server.world.workdir = other.workdir
    imported = Server(server.world).start()
    assert [run["id"] for run in imported.get("/runs").json] == list(reversed(exported["runs"]))


def test_extension_of_a_plain_jupyter_server(world: World) -> None:
    """`jupyter server`, and so `jupyter lab`, picks the extension up; its root is the workdir."""
    root = world.workdir
    config = Path(__file__).parents[2] / "jupyter-config" / "jupyter_server_config.d"
    world.env["JUPYTER_CONFIG_PATH"] = str(world.root / "enabled")
    enabled = world.root / "enabled" / "jupyter_server_config.d"
    enabled.parent.mkdir()
    enabled.symlink_to(config)
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", "--ServerApp.port=0"]
    command += [f"--ServerApp.root_dir={root}", "--ServerApp.ip=127.0.0.1"]
    with (world.root / "server.out").open("ab") as out:
        process = subprocess.Popen(command, env=world.env, cwd=world.root, stdout=out, stderr=out)
    where = root / ".agents" / "server.json"
    server = Server(world)
    server.port = wait_for(lambda: json.loads(where.read_text())["port"] if where.exists() else 0, "it is up")
    wait_for(lambda: answers(server), "it answers")
    run_id = server.launch("pwd")
    assert server.ended(run_id)["status"] == "finished"
    assert server.log(run_id).decode() == f"{root}\n"
    process.terminate()
    process.wait(30)


def answers(server: Server) -> bool:
    """Whether somebody is there."""
    with contextlib.suppress(OSError):
        return server.get("/").status == 200
    return False


def test_polite_shutdown(server: Server) -> None:
    """With watchers and runs at work a server that is asked to ends at once; no answer is cut, runs go on."""
    ends: list[bytes] = []
    ids = [server.launch("echo on; until [ -e go ]; do sleep 0.02; done; echo off; exit 4") for _ in range(4)]
    for run_id in ids:
        wait_for(lambda run_id=run_id: server.log(run_id) == b"on\n", "it is at work")
        server.until(run_id, "running")
    begun = threading.Semaphore(0)

    def watch(path: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", f"/ra-jobs{path}", headers={"Authorization": f"token {TOKEN}"})
        answer = connection.getresponse()
        begun.release()
        ends.append(answer.read())  # IncompleteRead, were it cut off

    paths = [f"/runs/{run_id}/logs/stream" for run_id in ids] + ["/events"]
    watchers = [threading.Thread(target=watch, args=(path,)) for path in paths]
    for watcher in watchers:
        watcher.start()
    for _ in watchers:
        assert begun.acquire(timeout=60)
    before = time.monotonic()
    server.stop()
    assert time.monotonic() - before < POLITE
    for watcher in watchers:
        watcher.join(POLITE)
        assert not watcher.is_alive()
    assert len(ends) == len(paths)
    assert not (server.world.workdir / ".agents" / "server.json").exists()
    (server.world.workdir / "go").touch()
    server.start()
    assert [server.ended(run_id)["exit_code"] for run_id in ids] == [4] * 4
    assert [server.log(run_id) for run_id in ids] == [b"on\noff\n"] * 4


def test_workdir_that_vanished(shared_server: Server) -> None:
    """A start is refused while the run's folder is missing, the run stays ready, and runs when it is back."""
    folder = shared_server.world.workdir / "comes and goes"
    folder.mkdir()
    run_id = shared_server.create("pwd", workdir="comes and goes")["id"]
    folder.rmdir()
    refused = shared_server.post(f"/runs/{run_id}/start")
    assert refused.status == 400
    assert str(folder) in refused.json["message"]
    assert shared_server.run(run_id)["status"] == "ready"
    folder.mkdir()
    assert shared_server.post(f"/runs/{run_id}/start").status == 200
    assert shared_server.ended(run_id)["status"] == "finished"
    assert shared_server.log(run_id).decode() == f"{folder}\n"


@pytest.mark.parametrize("name", ["a b", 'it\'s; "x"', "žluť 🐎", "#{pid} %H", "$HOME `id`", "-v"])
def test_folders(shared_server: Server, name: str) -> None:
    """A run works in a folder of any name, and says what it was told to there."""
    (shared_server.world.workdir / name).mkdir()
    command = "pwd\ncat <<'END' # the end\n$x \"y\" '#'\nEND\necho ž # done"
    run_id = shared_server.launch(command, workdir=name)
    assert shared_server.ended(run_id)["status"] == "finished"
    expected = f"{shared_server.world.workdir / name}\n$x \"y\" '#'\nž\n"
    assert shared_server.log(run_id).decode() == expected
    assert shared_server.get(f"/runs/{run_id}/logs").json["content"] == expected


@pytest.mark.parametrize("name", ["a b;", "it's #{pid} %H 🐎"])
def test_workdir_of_any_name(world: World, name: str) -> None:
    """So does the server itself."""
    world.workdir = world.root / name
    world.workdir.mkdir()
    server = Server(world).start()
    for capture in ("sidecar", "pipe-pane"):
        run_id = server.launch("echo here")
        assert server.ended(run_id)["status"] == "finished"
        assert server.log(run_id) in (b"here\n", b"here\r\n")
        if capture == "sidecar":
            server.stop()
            server.start("--RaJobsApp.capture=pipe-pane")


class Beside(Server):
    """A server of ours with all extensions that are installed."""

    def program(self) -> list[str]:
        """As a user starts it."""
        return [*RA_JOBS, "--workdir", str(self.world.workdir)]


def test_beside_jupyterlab(world: World) -> None:
    """It starts from a folder outside of the workdir, which notebook_shim would have be the preferred one."""
    pytest.importorskip("notebook_shim", reason="JupyterLab is not installed")
    server = Beside(world).start()
    assert json.loads(server.get("/").body)["workdir"] == str(world.workdir)


def test_wrong_setting(world: World) -> None:
    """Nothing is started with other settings than those that were given."""
    command = [*RA_JOBS, "--workdir", str(world.workdir), "--allow-root"]
    said = subprocess.run(
        [*command, "--RaJobsApp.max_running=-1"],
        env=world.env,
        cwd=world.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert "max_running" in said.stderr.splitlines()[-1]
    assert not (world.workdir / ".agents").exists()
    assert not (world.root / ".agents").exists()


def test_open_folder_of_the_earlier_server(world: World) -> None:
    """What it left as the umask had it, only its owner can use from now on."""
    agents = world.workdir / ".agents"
    agents.mkdir()
    agents.chmod(0o777)
    (agents / "jobs.db").touch()
    (agents / "jobs.db").chmod(0o666)
    Server(world).start()
    assert agents.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in agents.glob("jobs.db*")} == {0o600}


def test_two_servers(world: World) -> None:
    """Sidecars report to the one that came last; when it has gone, to the other again."""
    file = world.workdir / ".agents" / "server.json"
    first, second = Server(world).start(), Server(world).start()
    assert json.loads(file.read_text())["port"] == second.port
    assert "another server" in second.output()
    second.kill()
    first.launch("true")  # wakes its scheduler
    wait_for(lambda: json.loads(file.read_text())["port"] == first.port, "the first says where it is")
    first.stop()
    assert not file.exists()
