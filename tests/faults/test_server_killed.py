"""The server is killed with -9: its runs go on, and the next server knows how they ended."""

import contextlib
import json
import os
import signal
import socket
import threading
from typing import Any

import pytest

from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store
from tests.conftest import PATIENCE, Server, World, wait_for
from tests.faults.catalogue.server import client, crash_while_starting, end_client

# Runs until a file `go` is there, and says so before and after.
WAITS = "echo before; until [ -e go ]; do sleep 0.02; done; echo after; exit {}"
OUTPUT = b"before\nafter\n"


def go(world: World) -> None:
    """Let all WAITS end."""
    (world.workdir / "go").touch()


def ended_on_disk(server: Server, run_id: str) -> bool:
    """Whether the spool says that the run has ended."""
    lines = (server.run_dir(run_id) / "events.jsonl").read_text().splitlines()
    return json.loads(lines[-1])["status"] != "running"


def start_without_tmux(server: Server) -> None:
    """Start a server that finds no tmux."""
    world = server.world
    path, world.env["PATH"] = world.env["PATH"], str(world.home)
    try:
        server.start()
    finally:
        world.env["PATH"] = path


def brief(run: dict[str, Any]) -> tuple[str, int]:
    """A run's status and exit code."""
    return run["status"], run["exit_code"]


def test_idle(server: Server) -> None:
    """What ended before is as it was, and what was queued still is."""
    run_id = server.launch("echo kept; exit 3")
    before = server.ended(run_id)
    queued = server.create("true")["id"]
    server.post(f"/runs/{queued}/queue")
    server.kill()
    server.start()
    assert server.run(run_id) == before
    assert server.run(queued)["status"] == "queued"
    assert server.log(run_id) == b"kept\n"


def test_run_ends_while_the_server_is_down(server: Server) -> None:
    """Status, exit code, signal, times and output are found when it is back."""
    ids = [server.launch(WAITS.format(code)) for code in (0, 3)]
    ids.append(server.launch("echo before; until [ -e go ]; do sleep 0.02; done; echo after; kill -KILL $$"))
    for run_id in ids:
        server.until(run_id, "running")
        wait_for(lambda run_id=run_id: server.log(run_id) == b"before\n", "it is at work")
    server.kill()
    go(server.world)
    for run_id in ids:
        wait_for(lambda run_id=run_id: ended_on_disk(server, run_id), "it has ended")
    server.start()
    runs = [server.ended(run_id) for run_id in ids]
    assert [brief(run) for run in runs] == [("finished", 0), ("failed", 3), ("failed", 137)]
    assert [run["signal"] for run in runs] == [None, None, "SIGKILL"]
    assert [server.log(run_id) for run_id in ids] == [OUTPUT] * 3
    for run, run_id in zip(runs, ids, strict=True):
        spooled = json.loads((server.run_dir(run_id) / "events.jsonl").read_text().splitlines()[-1])
        assert run["ended_at"] == spooled["time"]
        assert run["started_at"] < run["ended_at"]


def test_run_goes_on_and_finds_the_new_server(server: Server) -> None:
    """A run that lives is taken up; at its end its sidecar calls the server at its new port."""
    run_id = server.launch(WAITS.format(7))
    server.until(run_id, "running")
    old_port = server.port
    server.kill()
    server.start()
    assert server.port != old_port
    assert server.run(run_id)["status"] == "running"
    go(server.world)
    assert brief(server.ended(run_id)) == ("failed", 7)
    assert server.log(run_id) == OUTPUT
    said = server.run_dir(run_id).joinpath("sidecar.log").read_text()
    assert "report 2 not delivered" not in said
    assert "report 2 answered" not in said


def test_taken_up_run_can_be_stopped(server: Server) -> None:
    """The next server reaches the sidecars of the one before."""
    run_id = server.launch("echo on; exec sleep 1000")
    wait_for(lambda: server.log(run_id) == b"on\n", "it is at work")
    server.kill()
    server.start()
    assert server.post(f"/runs/{run_id}/stop").status == 200
    assert brief(server.ended(run_id)) == ("stopped", 130)


def test_stop_is_remembered(server: Server) -> None:
    """A stop that a server wrote down, and did not live to pass on, is done by the next one."""
    run_id = server.launch("echo on; exec sleep 1000")
    wait_for(lambda: server.log(run_id) == b"on\n", "it is at work")
    server.until(run_id, "running")
    server.kill()
    layout = Layout(server.world.workdir)
    store = Store(layout.database, layout.runs)
    assert store.request_stop(run_id)
    store.close()
    server.start()
    assert brief(server.ended(run_id)) == ("stopped", 130)


def test_ten_runs_and_three_crashes(server: Server) -> None:
    """Again and again, with ten runs at work: none is lost, none started twice."""
    ids = [server.launch(f"echo started >>{n}.starts; {WAITS.format(n)}") for n in range(10)]
    for run_id in ids:
        wait_for(lambda run_id=run_id: server.log(run_id) == b"before\n", "it is at work")
    for _ in range(3):
        server.kill()
        server.start()
        statuses = {run["id"]: run["status"] for run in server.get("/runs").json}
        assert statuses == dict.fromkeys(ids, "running")
    go(server.world)
    assert [server.ended(run_id)["exit_code"] for run_id in ids] == list(range(10))
    assert [server.log(run_id) for run_id in ids] == [OUTPUT] * 10
    for n in range(10):
        assert (server.world.workdir / f"{n}.starts").read_text() == "started\n"


@pytest.mark.parametrize("lead", [0, 1, 3])
def test_killed_while_launching(server: Server, lead: int) -> None:
    """Killed during ten calls of /start, after the first `lead` were answered.

    What was answered runs, once. What was not is either ready still, or runs, once.
    """
    ids = [server.create(f"echo started >>starts.{n}; echo out {n}")["id"] for n in range(6)]
    answered = []
    enough = threading.Event()

    def start(some: list[str]) -> None:
        for run_id in some:
            try:
                if server.post(f"/runs/{run_id}/start").status == 200:
                    answered.append(run_id)
            except OSError:  # the server is gone
                return
            if len(answered) >= lead:
                enough.set()

    threads = [threading.Thread(target=start, args=(ids[n::2],)) for n in range(2)]
    for thread in threads:
        thread.start()
    if lead:
        assert enough.wait(60)
    server.kill()
    for thread in threads:
        thread.join()
    server.start()
    for n, run_id in enumerate(ids):
        run = server.run(run_id)
        if run_id in answered or run["status"] != "ready":
            assert brief(server.ended(run_id)) == ("finished", 0)
            assert server.log(run_id) == b"out %d\n" % n
            assert (server.world.workdir / f"starts.{n}").read_text() == "started\n"
        else:
            assert not (server.world.workdir / f"starts.{n}").exists()
            assert server.post(f"/runs/{run_id}/start").status == 200
            assert brief(server.ended(run_id)) == ("finished", 0)


def test_claimed_but_not_launched(server: Server) -> None:
    """A run that a server had claimed when it died, and had not launched, is launched by the next."""
    run_id = server.create("echo launched")["id"]
    to_stop = server.create("echo never")["id"]
    server.kill()
    layout = Layout(server.world.workdir)
    store = Store(layout.database, layout.runs)
    for claimed in (run_id, to_stop):
        assert store.move(claimed, RunStatus.LAUNCHING)
    assert store.request_stop(to_stop)
    store.close()
    server.start()
    assert brief(server.ended(run_id)) == ("finished", 0)
    assert server.log(run_id) == b"launched\n"
    assert server.ended(to_stop)["status"] == "stopped"
    assert server.log(to_stop) == b""


def test_taken_up_without_tmux(server: Server) -> None:
    """Runs at work end right on a machine whose tmux has gone."""
    run_id = server.launch(WAITS.format(3))
    server.until(run_id, "running")
    server.kill()
    start_without_tmux(server)
    go(server.world)
    assert brief(server.ended(run_id)) == ("failed", 3)
    assert server.log(run_id) == OUTPUT


def test_claimed_and_tmux_is_gone(server: Server) -> None:
    """A server that cannot ask tmux about a claimed run serves all others; the run waits for tmux."""
    claimed = server.create("echo launched")["id"]
    at_work = server.launch(WAITS.format(6))
    server.until(at_work, "running")
    server.kill()
    layout = Layout(server.world.workdir)
    store = Store(layout.database, layout.runs)
    assert store.move(claimed, RunStatus.LAUNCHING)
    store.close()
    start_without_tmux(server)
    go(server.world)
    assert brief(server.ended(at_work)) == ("failed", 6)
    assert server.run(claimed)["status"] == "launching"
    server.kill()
    server.start()
    assert brief(server.ended(claimed)) == ("finished", 0)


@pytest.mark.parametrize("pid_reused", [False, True])
def test_port_taken_over(server: Server, pid_reused: bool) -> None:
    """Who has the port of a killed server hears nothing of its runs; nor if its pid is another's by now."""
    ids = [server.launch(WAITS.format(n)) for n in range(3)]
    for run_id in ids:
        server.until(run_id, "running")
    server.kill()
    if pid_reused:
        file = Layout(server.world.workdir).server_file
        file.write_text(json.dumps({**json.loads(file.read_text()), "pid": os.getpid()}))
    with socket.create_server(("127.0.0.1", server.port)) as thief:
        thief.setblocking(False)
        go(server.world)
        for run_id in ids:
            story = server.run_dir(run_id) / "sidecar.log"
            wait_for(lambda story=story: "report 2 not delivered" in story.read_text(), "it looked")
        # Who was about to connect as the server was killed looks again before it says anything.
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = thief.accept()
                connection.settimeout(PATIENCE)
                with connection:
                    assert connection.recv(1) == b""
    server.start()
    assert [server.ended(run_id)["exit_code"] for run_id in ids] == [0, 1, 2]
    assert [server.log(run_id) for run_id in ids] == [OUTPUT] * 3


def test_killed_while_starting(server: Server) -> None:
    """Five times, with runs to take up and one to launch: each goes on, or is launched, once."""
    at_work = [server.launch(f"echo started >>{n}.starts; {WAITS.format(n)}") for n in range(3)]
    for run_id in at_work:
        server.until(run_id, "running")
    claimed = server.create(f"echo started >>3.starts; {WAITS.format(3)}")["id"]
    server.kill()
    layout = Layout(server.world.workdir)
    store = Store(layout.database, layout.runs)
    assert store.move(claimed, RunStatus.LAUNCHING)
    store.close()
    crash_while_starting(server)
    server.start()
    server.until(claimed, "running")
    go(server.world)
    assert [server.ended(run_id)["exit_code"] for run_id in (*at_work, claimed)] == [0, 1, 2, 3]
    for n in range(4):
        assert (server.world.workdir / f"{n}.starts").read_text() == "started\n"


@pytest.mark.parametrize("auto_start", [False, True])
def test_killed_while_creating_a_sweep(server: Server, auto_start: bool) -> None:
    """One of 1,000 runs is there whole, and started if that was asked for, or not at all."""
    known: set[str] = set()
    for round_number in range(4):
        answered: list[str] = []
        written = threading.Event()

        def create(answered: list[str] = answered, written: threading.Event = written) -> None:
            more = {"auto_start": True, "parallel": 1} if auto_start else {}
            try:
                parameters = {"n": list(range(1000))}
                made = server.post("/sweeps", name="many", base_command="true", parameters=parameters, **more)
                answered.append(made.json["id"])
            except OSError:  # the server is gone
                pass
            written.set()

        creator = threading.Thread(target=create)
        creator.start()
        written.wait(0.02 * round_number)  # some moment of it, another one each time
        server.kill()
        creator.join()
        server.start()
        sweeps = {sweep["id"]: sweep for sweep in server.get("/sweeps").json}
        new = sweeps.keys() - known
        assert set(answered) <= new
        for sweep_id in new:
            progress = sweeps[sweep_id]["progress"]
            assert progress["total"] == 1000
            assert progress["ready"] == (0 if auto_start else 1000)
            assert server.post(f"/sweeps/{sweep_id}/stop").status == 200
        known |= new


def test_stopped_by_hand_meanwhile(server: Server) -> None:
    """Who has no server stops a run by a signal to its sidecar, or by its window; the next server knows."""
    ids = [server.launch("echo on; exec sleep 1000") for _ in range(2)]
    for run_id in ids:
        server.until(run_id, "running")
        wait_for(lambda run_id=run_id: server.log(run_id) == b"on\n", "it is at work")
    server.kill()
    first = json.loads((server.run_dir(ids[0]) / "events.jsonl").read_text().splitlines()[0])
    os.kill(first["sidecar"]["pid"], signal.SIGTERM)
    assert not server.world.tmux("kill-window", "-t", f"=research-agent:=ra-job-{ids[1]}").returncode
    for run_id in ids:
        wait_for(lambda run_id=run_id: ended_on_disk(server, run_id), "it has ended")
    server.start()
    assert [brief(server.ended(run_id)) for run_id in ids] == [("stopped", 130)] * 2


def test_client_killed(world: World) -> None:
    """The kernel that made the runs and watches them is killed: they go on; its streams are free again."""
    server = Server(world, "--RaJobsApp.max_streams=3").start()
    ids = [server.launch(WAITS.format(n)) for n in range(2)]
    watching = client(server, [f"/runs/{run_id}/logs/stream" for run_id in ids] + ["/events"])
    assert server.get("/events").status == 503
    end_client(watching)

    def room() -> bool:
        try:
            end_client(client(server, ["/events"]))
        except AssertionError:  # not yet
            return False
        return True

    wait_for(room, "streams are free again")
    go(world)
    assert [server.ended(run_id)["exit_code"] for run_id in ids] == [0, 1]
    assert [server.log(run_id) for run_id in ids] == [OUTPUT] * 2
