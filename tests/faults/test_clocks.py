"""The clock is set, the machine is restarted, and process numbers are given to others."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.store import Store
from tests.conftest import Server, World, wait_for
from tests.faults.machine import HOUR, Clock, end_tmux, free_number, holder_of, rebooted

WAITS = "echo before; until [ -e go ]; do sleep 0.02; done; echo after; exit {}"
CLEANS = (
    "trap 'echo stopping; until [ -e go ]; do sleep 0.02; done; echo cleaned; exit 0' INT;"
    " echo on; while :; do sleep 0.02; done"
)
SET = pytest.mark.parametrize("ahead", [HOUR, -HOUR], ids=["forward", "back"])


@pytest.fixture
def clock(world: World) -> Clock:
    """The world's own clock; goes right."""
    return Clock(world)


def go(world: World) -> None:
    """Let all that waits end."""
    (world.workdir / "go").touch()


def at_work(server: Server, command: str, says: bytes, **more: Any) -> str:
    """A run that has said so; its id."""
    run_id = server.launch(command, **more)
    wait_for(lambda: server.log(run_id) == says, "it is at work")
    server.until(run_id, "running")
    return run_id


def identity(server: Server, run_id: str) -> dict[str, Any]:
    """What the run's sidecar said of itself and of its command."""
    first = json.loads((server.run_dir(run_id) / "events.jsonl").read_text().splitlines()[0])
    sidecar: dict[str, Any] = first["sidecar"]
    return sidecar


def check_times(run: dict[str, Any]) -> None:
    """Nothing ended before it began, nor lasted for an hour less than nothing."""
    assert run["started_at"] <= run["ended_at"], run


@SET
def test_clock_set(world: World, clock: Clock, ahead: int) -> None:
    """Under a run at work and a queue: who came first goes first, and all ends as it should."""
    server = Server(world, "--RaJobsApp.max_running=1").start()
    says = "echo {} >>order; exit {}"
    first = at_work(server, WAITS.format(3), b"before\n", timeout_seconds=HOUR / 2)
    before = [server.create(says.format(name, 0))["id"] for name in ("b2", "b1")]
    for run_id in reversed(before):
        assert server.post(f"/runs/{run_id}/start").status == 200
    clock.set(ahead)
    after = [
        server.create(says.format("a3", 4), max_retries=1)["id"],
        server.create(says.format("a4", 0))["id"],
        server.create("echo a5 >>order; exec sleep 1000", timeout_seconds=0.2)["id"],
    ]
    for run_id in after:
        assert server.post(f"/runs/{run_id}/start").status == 200
    places = [server.run(run_id)["queue_position"] for run_id in (*reversed(before), *after)]
    assert places == [1, 2, 3, 4, 5]
    assert server.run(first)["status"] == "running"
    go(world)
    ended = [server.ended(run_id) for run_id in (first, *before, *after)]
    assert [(run["status"], run["exit_code"]) for run in ended[:-1]] == [
        ("failed", 3),
        ("finished", 0),
        ("finished", 0),
        ("failed", 4),
        ("finished", 0),
    ]
    assert ended[-1]["error"].startswith("time limit")
    retry = next(run for run in server.get("/runs").json if run["parent_run_id"] == after[0])
    ended.append(server.ended(retry["id"]))
    for run in ended:
        check_times(run)
    order = (world.workdir / "order").read_text().split()
    assert order == ["b1", "b2", "a3", "a4", "a5", "a3"]
    assert server.log(first) == b"before\nafter\n"


@SET
def test_clock_set_under_a_stream(world: World, clock: Clock, ahead: int) -> None:
    """It goes on, and ends."""
    server = Server(world).start()
    run_id = at_work(server, WAITS.format(0), b"before\n")
    bodies: list[bytes] = []
    reader = threading.Thread(
        target=lambda: bodies.append(server.get(f"/runs/{run_id}/logs/stream?offset=0").body)
    )
    reader.start()
    clock.set(ahead)
    go(world)
    reader.join()
    contents = [
        json.loads(line[6:]).get("content", "") for line in bodies[0].splitlines() if line.startswith(b"data")
    ]
    assert "".join(contents) == "before\nafter\n"
    assert b'"status":"finished"' in bodies[0]


@SET
def test_duration_in_a_table(world: World, clock: Clock, ahead: int) -> None:
    """Never negative, while the run is at work and afterwards."""
    server = Server(world).start()
    sweep = server.post("/sweeps", name="s", base_command=WAITS.format(0) + " #", parameters={"x": [1]}).json
    server.post(f"/sweeps/{sweep['id']}/start")
    server.until(sweep["run_ids"][0], "running")
    clock.set(ahead)
    path = f"/sweeps/{sweep['id']}/table"
    assert server.get(path).json[0]["duration"] >= 0
    go(world)
    check_times(server.ended(sweep["run_ids"][0]))
    assert server.get(path).json[0]["duration"] >= 0


def test_clock_set_forward_is_no_silence(world: World, clock: Clock) -> None:
    """A run that has just written something is not told to have stalled for an hour."""
    server = Server(world, f"--RaJobsApp.stalled_after={HOUR / 2}").start()
    at_work(server, WAITS.format(0), b"before\n")
    noted = server.launch("kill -9 $$")  # an alert, so the observer has looked
    wait_for(lambda: [each["run_id"] for each in server.get("/alerts").json] == [noted], "it has looked")
    clock.set(HOUR)
    noted_later = server.launch("kill -9 $$")
    wait_for(lambda: noted_later in [each["run_id"] for each in server.get("/alerts").json], "it has again")
    assert {each["run_id"] for each in server.get("/alerts").json} == {noted, noted_later}


def test_clock_set_forward_during_a_stop(world: World, clock: Clock) -> None:
    """The run has as long for its end as it would have had."""
    server = Server(world, "--RaJobsApp.interrupt_grace=600").start()
    run_id = at_work(server, CLEANS, b"on\n")
    server.post(f"/runs/{run_id}/stop")
    wait_for(lambda: server.log(run_id) == b"on\nstopping\n", "it is stopping")
    clock.set(HOUR)
    for _ in range(3):  # there are ticks meanwhile
        server.ended(server.launch("true"))
    go(world)
    run = server.ended(run_id)
    assert (run["status"], run["error"]) == ("stopped", None)
    assert server.log(run_id) == b"on\nstopping\ncleaned\n"


def test_stop_an_hour_before_the_server_is_back(world: World, clock: Clock) -> None:
    """The run is asked to stop then; an hour without a server was no time to comply in."""
    options = "--RaJobsApp.interrupt_grace=600"
    server = Server(world, options).start()
    run_id = at_work(server, CLEANS, b"on\n")
    server.kill()
    layout = Layout(world.workdir)
    store = Store(layout.database, layout.runs)
    assert store.request_stop(run_id)  # the server died before it passed that on
    store.close()
    clock.set(HOUR)
    server.start()
    wait_for(lambda: server.log(run_id) == b"on\nstopping\n", "it is stopping")
    server.ended(server.launch("true"))
    go(world)
    assert server.ended(run_id)["error"] is None
    assert server.log(run_id) == b"on\nstopping\ncleaned\n"


def test_reboot(server: Server) -> None:
    """What was active has failed and says why, is retried if it may be; the queue goes on; and whoever has
    the old process numbers is left alone."""
    world = server.world
    inside = rebooted(world)
    retried = at_work(server, WAITS.format(0), b"before\n", max_retries=1)
    lost = at_work(server, WAITS.format(0), b"before\n")
    to_stop = at_work(server, WAITS.format(0), b"before\n")
    queued = server.create("echo went on")["id"]
    server.post(f"/runs/{queued}/queue")
    # Those who get the old numbers: the old processes themselves, which live on in the world of before.
    numbers = [identity(server, run_id) for run_id in (retried, lost, to_stop)]
    others = [psutil.Process(each[kind]) for each in numbers for kind in ("pid", "pgid")]
    server.kill()
    end_tmux(world)  # which continues whom it hangs up on
    for process in others:
        process.suspend()
    layout = Layout(world.workdir)
    store = Store(layout.database, layout.runs)
    assert store.request_stop(to_stop)
    store.close()
    server.inside = inside
    server.start()
    for run_id, status in ((retried, "failed"), (lost, "failed"), (to_stop, "stopped")):
        run = server.ended(run_id)
        assert (run["status"], run["exit_code"]) == (status, None)
        assert run["error"].startswith("sidecar lost: the machine was restarted")
        assert server.log(run_id) == b"before\n"
    again = [run for run in server.get("/runs").json if run["parent_run_id"]]
    assert [run["parent_run_id"] for run in again] == [retried]
    server.post(f"/runs/{queued}/start")
    go(world)
    assert server.ended(queued)["status"] == "finished"
    assert server.ended(again[0]["id"])["status"] == "finished"
    assert server.log(again[0]["id"]) == b"before\nafter\n"
    for process in others:
        assert process.status() == psutil.STATUS_STOPPED
        assert not pending(process) & {"SIGINT", "SIGTERM"}


def pending(process: psutil.Process) -> set[str]:
    """Signals that wait for a process that is suspended."""

    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    masks = [int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd"))]
    return {each.name for each in signal.Signals if any(mask >> (each - 1) & 1 for mask in masks)}


@pytest.mark.parametrize("whose", ["pid", "pgid"], ids=["sidecar", "command"])
def test_pid_given_to_another(server: Server, whose: str) -> None:
    """Who has a lost sidecar's number, or its command's, is never signalled, whatever is asked for."""
    run_id = at_work(server, WAITS.format(0), b"before\n")
    numbers = identity(server, run_id)
    server.kill()
    for kind in ("pid", "pgid"):
        free_number(psutil.Process(numbers[kind]))
    layout = Layout(server.world.workdir)
    store = Store(layout.database, layout.runs)
    assert store.request_stop(run_id)
    store.close()
    with holder_of(numbers[whose]) as innocent:
        server.start()
        run = server.ended(run_id)
        assert run["error"].startswith("sidecar lost")
        assert innocent.poll() is None
