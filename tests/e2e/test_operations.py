"""docs/operations.md, done as it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Server, World

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


def lines(heading: str, world: World) -> list[str]:
    """A section's commands, for this world."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    block = "".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))
    block = block.replace("/path/to/project", str(world.workdir))
    block = block.replace("/path/to/other", str(world.root / "other"))
    return block.replace("/path/to/backup", str(world.root / "backup")).splitlines()


def shell(world: World, *script: str) -> str:
    """What the lines write."""
    done = subprocess.run(
        ["bash", "-c", "\n".join(["set -e", *script])],
        env=world.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def server(world: World) -> Server:
    """A server; the doctor is on the PATH as `jupyter ra-jobs`."""
    world.env["PATH"] = f"{Path(sys.executable).parent}:{world.env['PATH']}"
    return Server(world).start()


def test_backup_of_a_working_server(server: Server) -> None:
    """Runs that have ended, that end between the two copies, that are cut off, and that come too late."""
    world = server.world
    ended = server.launch("echo ended")
    server.ended(ended)
    ending, cut_off = server.launch("read line; exit 3"), server.launch("cat")
    server.until(ending, "running")
    server.until(cut_off, "running")
    cd, *commands, copy = lines("Backup", world)
    shell(world, cd, *commands)
    pane = server.run(ending)["tmux_pane"]
    world.tmux("send-keys", "-t", pane, "Enter")
    assert server.ended(ending)["exit_code"] == 3
    late = server.launch("true")
    server.ended(late)
    shell(world, cd, copy)
    backup = world.root / "backup"
    assert {path.stat().st_mode & 0o077 for path in (backup, backup / "jobs.db")} == {0}
    server.post(f"/runs/{cut_off}/stop")
    server.ended(cut_off)
    server.stop()

    said = shell(world, *lines("Restore", world))
    assert "fail" not in said
    assert (world.workdir / ".agents.old" / "jobs.db").exists()
    server.start()
    server.ended(cut_off)
    shown = {run["id"]: (run["status"], run["exit_code"]) for run in server.get("/runs").json}
    assert shown == {ended: ("finished", 0), ending: ("failed", 3), cut_off: ("failed", None)}
    assert "sidecar lost" in server.run(cut_off)["error"]
    assert server.get(f"/runs/{ended}/logs").json["content"] == "ended\n"
    assert server.run_dir(late).exists()
    again = server.launch("echo again")
    assert server.ended(again)["status"] == "finished"


def test_backup_of_a_killed_server(server: Server) -> None:
    """The whole folder, with what waits in its WAL."""
    world = server.world
    run_id = server.launch("echo hello")
    server.ended(run_id)
    server.kill()
    assert (world.workdir / ".agents" / "jobs.db-wal").stat().st_size > 0
    shell(world, f"cp -a {world.workdir}/.agents {world.root}/backup")
    shell(world, *lines("Restore", world))
    server.start()
    assert server.run(run_id)["status"] == "finished"


def test_export_and_import(server: Server) -> None:
    """All runs, to another workdir, whose server takes them in."""
    world = server.world
    run_id, cut_off = server.launch("exit 3"), server.launch("cat")
    server.ended(run_id)
    server.until(cut_off, "running")
    other = world.root / "other"
    other.mkdir()
    shell(world, f"cd {world.root}", *lines("Export and import", world))
    assert (other / ".agents").stat().st_mode & 0o777 == 0o700
    server.post(f"/runs/{cut_off}/stop")
    server.ended(cut_off)
    server.stop()
    world.workdir = other
    server.start()
    shown = {run["id"]: (run["status"], run["exit_code"]) for run in server.get("/runs").json}
    assert shown == {run_id: ("failed", 3), cut_off: ("failed", None)}
