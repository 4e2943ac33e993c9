"""The steps of the spec's verification plan that need no UI, in its words and order."""

import json

from tests.conftest import Server, World, wait_for


def test_server_workdir(world: World) -> None:
    """Start with --workdir, verify `.agents/` created there."""
    Server(world).start()
    assert (world.workdir / ".agents").stat().st_mode & 0o777 == 0o700


def test_create_run(server: Server) -> None:
    """The API returns the run, and it appears in the list; queued, it is queued."""
    run = server.create("echo hello")
    assert run["status"] == "ready"
    queued = server.post(f"/runs/{run['id']}/queue")
    assert queued.json["status"] == "queued"
    assert queued.json["message"]
    assert [shown["id"] for shown in server.get("/runs").json] == [run["id"]]


def test_start_run(server: Server) -> None:
    """A tmux window is created, and the status becomes running."""
    run = server.create("cat")
    started = server.post(f"/runs/{run['id']}/start").json
    window = f"ra-job-{run['id']}"
    assert started["tmux_window"] == window
    running = server.until(run["id"], "running")
    assert f"research-agent:{window}" in server.world.windows()
    panes = server.world.tmux("list-panes", "-a", "-F", "#{pane_id}").stdout.split()
    assert running["tmux_pane"] in panes


def test_view_logs(server: Server) -> None:
    """Going back loads more, and the stream shows live output until the end."""
    run_id = server.launch("seq 1 5000; read answer; echo got $answer")
    wait_for(lambda: server.log(run_id).endswith(b"5000\n"), "the output is there")
    last = server.get(f"/runs/{run_id}/logs?offset=-1000&limit=1000").json
    assert last["has_more_before"]
    assert not last["has_more_after"]
    earlier = server.get(f"/runs/{run_id}/logs?offset={last['offset'] - 1000}&limit=1000").json
    expected = "".join(f"{n}\n" for n in range(1, 5001))
    assert expected.endswith(earlier["content"] + last["content"])

    server.world.tmux("send-keys", "-t", f"=research-agent:=ra-job-{run_id}", "forty-two", "Enter")
    stream = server.get(f"/runs/{run_id}/logs/stream").body.decode()
    events = [json.loads(block[6:]) for block in stream.split("\n\n") if block.startswith("data: ")]
    assert events[0]["type"] == "initial"
    assert events[-1] == {"type": "done", "status": "finished"}
    shown = "".join(event.get("content", "") for event in events)
    assert shown.endswith("5000\nforty-two\ngot forty-two\n")


def test_copy_tmux_window(server: Server) -> None:
    """What there is to copy names the window, and attaches to it."""
    run = server.until(server.launch("cat"), "running")
    assert run["tmux_window"] == f"ra-job-{run['id']}"
    assert run["attach_command"] == f"tmux attach -t research-agent:{run['tmux_window']}"


def test_stop_run(server: Server) -> None:
    """The window is gone, the status stopped, the logs preserved."""
    run_id = server.launch("echo begun; exec sleep 1000")
    wait_for(lambda: server.log(run_id) == b"begun\n", "the command has begun")
    assert server.post(f"/runs/{run_id}/stop").status == 200
    stopped = server.ended(run_id)
    assert (stopped["status"], stopped["exit_code"], stopped["signal"]) == ("stopped", 130, "SIGINT")
    wait_for(lambda: not any(run_id in window for window in server.world.windows()), "the window is gone")
    assert server.get(f"/runs/{run_id}/logs").json["content"] == "begun\n"


def test_archive(server: Server) -> None:
    """The run is hidden from the default list, and nothing of it is gone."""
    run_id = server.create("true")["id"]
    assert server.post(f"/runs/{run_id}/archive").json["run"]["is_archived"]
    assert server.get("/runs").json == []
    assert [run["id"] for run in server.get("/runs?archived=true").json] == [run_id]
    assert not server.post(f"/runs/{run_id}/unarchive").json["run"]["is_archived"]
    assert [run["id"] for run in server.get("/runs").json] == [run_id]
