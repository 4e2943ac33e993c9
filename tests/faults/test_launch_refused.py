"""tmux takes no window: runs wait for it, and say so; none fails, and no retry is spent."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import Server, World, wait_for


@contextmanager
def tmux_refuses(world: World) -> Iterator[None]:
    """The folder of tmux's socket is none."""
    folder = world.tmux_tmpdir / f"tmux-{os.getuid()}"
    aside = folder.with_name("aside")
    if folder.exists():
        folder.rename(aside)
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        if aside.exists():
            aside.rename(folder)


def test_started_and_stopped(server: Server) -> None:
    """The caller is told; a run that has waited runs in its one try; one that is stopped never does."""
    kept = server.create("echo once >>kept; exit 3", max_retries=2)["id"]
    dropped = server.create("echo never >>dropped")["id"]
    queued = server.create("echo queued")["id"]
    with tmux_refuses(server.world):
        for run_id in (kept, dropped):
            answer = server.post(f"/runs/{run_id}/start")
            assert answer.status == 200
            assert "tmux opened no window" in answer.json["message"]
            run = answer.json["run"]
            assert (run["status"], run["error"]) == ("launching", answer.json["message"])
        assert server.post(f"/runs/{queued}/queue").status == 200
        assert server.post(f"/runs/{dropped}/stop").status == 200
        assert server.ended(dropped)["status"] == "stopped"
        wait_for(lambda: f"to be launched: {kept}" in server.output(), "it is tried again")
        assert server.run(kept)["status"] == "launching"
        assert len(server.get("/runs").json) == 3
    run = server.ended(kept)
    assert (run["status"], run["exit_code"], run["error"]) == ("failed", 3, "exit code 3")
    wait_for(lambda: len(server.get("/runs").json) == 5, "its two retries follow now")
    runs = {each["id"]: each for each in server.get("/runs").json}
    for run_id in runs.keys() - {dropped, queued}:
        assert server.ended(run_id)["exit_code"] == 3
    assert (server.world.workdir / "kept").read_text() == "once\n" * 3
    assert not (server.world.workdir / "dropped").exists()


def test_next_server(server: Server) -> None:
    """What could not be launched, the next server launches."""
    with tmux_refuses(server.world):
        run_id = server.launch("echo out", max_retries=1)
        server.kill()
        server.start()
        assert server.run(run_id)["status"] == "launching"
    run = server.ended(run_id)
    assert (run["status"], run["error"]) == ("finished", None)
    assert server.log(run_id) == b"out\n"
    assert [each["id"] for each in server.get("/runs").json] == [run_id]


def test_a_queue_waits(server: Server) -> None:
    """Of a queue of forty with a slot for each, one tries; when tmux is back, all run, once."""
    with tmux_refuses(server.world):
        made = server.post(
            "/sweeps",
            name="many",
            base_command="echo {n} >>ran.{n}",
            parameters={"n": list(range(40))},
            auto_start=True,
            parallel=40,
        )
        sweep = f"/sweeps/{made.json['id']}"
        wait_for(lambda: server.get(sweep).json["progress"]["launching"], "one is tried")
        wait_for(lambda: "launching it again" in server.output(), "and once more")
        progress = server.get(sweep).json["progress"]
        assert (progress["launching"], progress["queued"]) == (1, 39), json.dumps(progress)
    wait_for(lambda: server.get(sweep).json["progress"]["completed"] == 40, "all have finished")
    assert [(server.world.workdir / f"ran.{n}").read_text() for n in range(40)] == [
        f"{n}\n" for n in range(40)
    ]
