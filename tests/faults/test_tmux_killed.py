"""tmux, its windows and the sidecars are killed; alone, and together with the server."""

import json
import signal
from typing import Any

import psutil
import pytest

from tests.conftest import Server, wait_for
from tests.faults.catalogue.processes import kill_tmux

WAITS = "echo before; until [ -e go ]; do sleep 0.02; done; seq 1 5000; exit {}"
OUTPUT = b"before\n" + b"".join(b"%d\n" % n for n in range(1, 5001))


def ten(server: Server) -> list[str]:
    """Ten runs at work; they end when `go` is there."""
    ids = [server.launch(WAITS.format(n)) for n in range(10)]
    for run_id in ids:
        server.until(run_id, "running")
        wait_for(lambda run_id=run_id: server.log(run_id) == b"before\n", "it is at work")
    return ids


def sidecar(server: Server, run_id: str) -> psutil.Process:
    """The sidecar of a run at work."""
    running = json.loads((server.run_dir(run_id) / "events.jsonl").read_text().splitlines()[0])
    return psutil.Process(running["sidecar"]["pid"])


def check_ten(server: Server, ids: list[str]) -> None:
    """Let them end, and see that all ended as they should, with all of their output."""
    (server.world.workdir / "go").touch()
    runs: list[dict[str, Any]] = [server.ended(run_id) for run_id in ids]
    wanted = [("failed" if n else "finished", n) for n in range(10)]
    assert [(run["status"], run["exit_code"]) for run in runs] == wanted
    assert [server.log(run_id) for run_id in ids] == [OUTPUT] * 10


@pytest.mark.parametrize("how", ["kill -9", "kill-server"])
def test_tmux_server(server: Server, how: str) -> None:
    """Ten runs go on without their windows; a new one gets a new tmux server."""
    ids = ten(server)
    if how == "kill-server":
        server.world.tmux("kill-server")
    else:
        kill_tmux(server.world)
    (server.world.workdir / "go").touch()
    later = server.launch("echo later")
    assert server.ended(later)["status"] == "finished"
    assert server.log(later) == b"later\n"
    check_ten(server, ids)


def test_tmux_and_server(server: Server) -> None:
    """Both at once, with ten runs at work, one of which ends while nobody is there."""
    ids = ten(server)
    quick = server.launch("until [ -e first ]; do sleep 0.02; done; echo quick; exit 9")
    server.until(quick, "running")
    server.kill()
    kill_tmux(server.world)
    (server.world.workdir / "first").touch()
    wait_for(lambda: server.log(quick) == b"quick\n", "it has ended")
    server.start()
    assert server.ended(quick)["exit_code"] == 9
    assert {server.run(run_id)["status"] for run_id in ids} == {"running"}
    check_ten(server, ids)


def test_killed_window(server: Server) -> None:
    """Killing a run's window stops that run, and no other."""
    stopped, other = (server.launch("echo on; exec sleep 1000") for _ in range(2))
    for run_id in (stopped, other):
        wait_for(lambda run_id=run_id: server.log(run_id) == b"on\n", "it is at work")
    assert not server.world.tmux("kill-window", "-t", f"=research-agent:=ra-job-{stopped}").returncode
    run = server.ended(stopped)
    assert (run["status"], run["exit_code"], run["signal"]) == ("stopped", 130, "SIGINT")
    assert server.run(other)["status"] == "running"


def test_killed_window_of_the_only_run(server: Server) -> None:
    """A stop too: tmux itself does not end with its last run's window."""
    run_id = server.launch("echo on; exec sleep 1000")
    wait_for(lambda: server.log(run_id) == b"on\n", "it is at work")
    assert not server.world.tmux("kill-window", "-t", f"=research-agent:=ra-job-{run_id}").returncode
    assert server.ended(run_id)["status"] == "stopped"


def test_killed_sidecar(server: Server) -> None:
    """The run has failed and says why, its processes are ended, and its output until then is there."""
    command = "trap '' INT HUP; setsid sleep 1000 & echo on; while :; do sleep 0.05; done"
    run_id = server.launch(command)
    other = server.launch("echo on; exec sleep 1000")
    for started in (run_id, other):
        wait_for(lambda started=started: server.log(started) == b"on\n", "it is at work")
        server.until(started, "running")
    sidecar(server, run_id).kill()
    run = server.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", None)
    assert run["error"].startswith("sidecar lost")
    assert not server.world.of_run(run_id)
    assert server.log(run_id) == b"on\n"
    assert server.run(other)["status"] == "running"


def test_killed_sidecar_of_a_run_to_stop(server: Server) -> None:
    """A run that was to stop, and whose sidecar did not live to do it, is stopped."""
    run_id = server.launch("trap '' INT; echo on; while :; do sleep 0.05; done")
    wait_for(lambda: server.log(run_id) == b"on\n", "it is at work")
    server.until(run_id, "running")
    process = sidecar(server, run_id)
    server.post(f"/runs/{run_id}/stop")
    process.kill()
    assert server.ended(run_id)["status"] == "stopped"
    assert not server.world.of_run(run_id)


def test_everything_at_once(server: Server) -> None:
    """Server, tmux and sidecar: what can be known is known afterwards, and nothing is left running."""
    lost = server.launch("echo on; exec sleep 1000")
    kept = server.launch(WAITS.format(4))
    for run_id in (lost, kept):
        server.until(run_id, "running")
        wait_for(lambda run_id=run_id: server.log(run_id), "it is at work")
    victim = sidecar(server, lost)
    server.kill()
    kill_tmux(server.world)
    victim.send_signal(signal.SIGKILL)
    server.start()
    run = server.ended(lost)
    assert (run["status"], run["exit_code"]) == ("failed", None)
    assert run["error"].startswith("sidecar lost")
    assert not server.world.of_run(lost)
    (server.world.workdir / "go").touch()
    assert server.ended(kept)["exit_code"] == 4
    assert server.log(kept) == OUTPUT


def test_tmux_lost_while_launching(server: Server) -> None:
    """Each run either ran, once and to its right end, or has failed, says why, and never will run."""
    ids = []
    for n in range(6):
        ids.append(server.launch(f"echo started >>starts.{n}; echo out {n}"))
        if n % 2:
            kill_tmux(server.world)
    for n, run_id in enumerate(ids):
        run = server.ended(run_id)
        starts = server.world.workdir / f"starts.{n}"
        if run["status"] == "finished":
            assert (starts.read_text(), server.log(run_id)) == ("started\n", b"out %d\n" % n)
        else:
            assert run["status"] == "failed"
            assert run["error"].startswith("sidecar lost")
            assert not starts.exists()
