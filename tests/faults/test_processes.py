"""Sidecars, tmux and commands at odds with each other, each fault alone."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.conftest import TOKEN, Server, World, wait_for
from tests.faults.catalogue.processes import ESCAPE, tmux_suspended

CGROUPS = Path("/sys/fs/cgroup")
MEMORY = 64 << 20
# Crashes as soon as it has a new window, so many times.
CRASHING = """\
set-hook -g after-new-window "run-shell 'echo >> {count}; [ $(wc -l < {count}) -gt 3 ] || kill -9 #{{pid}}'"
"""


@contextlib.contextmanager
def small_cgroup() -> Iterator[Path]:
    """A memory cgroup with 64 MB, of either version; gone afterwards."""
    unified = (CGROUPS / "cgroup.controllers").exists()
    folder = (CGROUPS if unified else CGROUPS / "memory") / f"ra-test-{time.time_ns()}"
    limits = ["memory.max", "memory.swap.max"] if unified else ["memory.limit_in_bytes"]
    try:
        folder.mkdir()
    except OSError as problem:
        pytest.skip(f"no cgroup can be made here: {problem}")
    try:
        for name in limits:
            try:
                (folder / name).write_text("0" if "swap" in name else str(MEMORY))
            except OSError as problem:
                pytest.skip(f"a cgroup's memory can't be limited here: {problem}")
        yield folder
    finally:
        wait_for(lambda: not (folder / "cgroup.procs").read_text(), "nobody is in it")
        folder.rmdir()


def test_killed_for_want_of_memory(server: Server) -> None:
    """The kernel kills the command: the run has failed, says which signal it was, and what for."""
    with small_cgroup() as folder:
        enter = f"echo $$ > {folder}/cgroup.procs && echo on && "
        alone = server.launch(f"{enter} exec {sys.executable} -c 'bytearray(1 << 29)'")
        within = server.launch(f"{enter} {sys.executable} -c 'bytearray(1 << 29)'; exit $?")
        runs = [server.ended(run_id) for run_id in (alone, within)]
    assert [(run["status"], run["exit_code"]) for run in runs] == [("failed", 137)] * 2
    assert [run["signal"] for run in runs] == ["SIGKILL", None]  # of the shell's child only the shell knows
    assert runs[0]["error"].startswith("killed by SIGKILL")
    for run in runs:
        assert "memory" in run["error"]


def test_killed_command(server: Server) -> None:
    """By somebody else: no word of memory."""
    run = server.ended(server.launch("kill -KILL $$"))
    assert (run["exit_code"], run["signal"], run["error"]) == (137, "SIGKILL", "killed by SIGKILL")


def test_sidecar_killed_at_any_moment(server: Server) -> None:
    """Before its first word, while it lets the command go, at its last word: no run starts twice."""
    panes = ["list-panes", "-s", "-t", "=research-agent", "-F", "#{window_name} #{pane_pid}"]
    killed, ids = 0, list[str]()
    for n in range(16):
        run_id = server.launch(f"echo started >> starts.{n}; echo out {n}")
        ids.append(run_id)
        pids = dict(line.split() for line in server.world.tmux(*panes).stdout.splitlines())
        if pid := pids.get(f"ra-job-{run_id}"):
            time.sleep(n * 0.005)  # each time at another moment of its life
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(int(pid)).kill()
                killed += 1
    assert killed
    for n, run_id in enumerate(ids):
        run = server.ended(run_id)
        starts = server.world.workdir / f"starts.{n}"
        if run["status"] == "finished":
            assert server.log(run_id) == b"out %d\n" % n
            assert starts.read_text() == "started\n"
        else:
            assert (run["status"], run["exit_code"]) == ("failed", None)
            assert run["error"].startswith("sidecar lost")
            assert not starts.exists() or starts.read_text() == "started\n"
    wait_for(lambda: not [p for run_id in ids for p in server.world.processes(RA_RUN_ID=run_id)])


def test_sidecar_killed_before_its_first_word(server: Server) -> None:
    """It had taken the spool: nobody can say how far it came, so the run is not started again."""
    run_id = server.create("echo never")["id"]
    run_dir = server.run_dir(run_id)
    (run_dir / "run.log").mkdir(parents=True)  # ends it right there
    assert server.post(f"/runs/{run_id}/start").status == 200
    run = server.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", None)
    assert run["error"].startswith("sidecar lost")
    assert (run_dir / "events.jsonl").read_bytes() == b""


def test_sidecar_killed_after_the_command_has_ended(server: Server) -> None:
    """The exit code died with it; what the command left behind is ended."""
    run_id = server.launch("sleep 1000 & echo done; exit 3")
    wait_for(lambda: server.log(run_id) == b"done\n", "it has written")
    server.until(run_id, "running")
    sidecar = next(
        p for p in server.world.processes(RA_RUN_ID=run_id) if str(server.run_dir(run_id)) in p.cmdline()
    )
    wait_for(lambda: [p.name() for p in sidecar.children()] != ["bash"], "the command has ended")
    sidecar.kill()
    run = server.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", None)
    assert run["error"].startswith("sidecar lost")
    assert server.log(run_id) == b"done\n"
    assert not server.world.of_run(run_id)


def test_tmux_crashes_at_each_launch(world: World) -> None:
    """A run that could not begin is launched again, several times, and begins once."""
    count = world.root / "crashes"
    (world.home / ".tmux.conf").write_text(CRASHING.format(count=count))
    server = Server(world).start()
    run_id = server.launch("echo started >> starts")
    run = server.ended(run_id)
    assert run["status"] == "finished", run
    assert (world.workdir / "starts").read_text() == "started\n"


def test_stop_while_tmux_hangs(server: Server) -> None:
    """A run whose launch hangs is stopped, and does not start once tmux goes on."""
    server.ended(server.launch("true"))
    with tmux_suspended(server.world):
        run_id = server.launch("touch started")
        assert server.run(run_id)["status"] == "launching"
        assert server.run(run_id)["tmux_window"] == f"ra-job-{run_id}"
        refused = server.post("/runs", name="another", command="true", auto_start=True)
        assert refused.status == 503
        assert "does not answer" in refused.json["message"]
        for _ in range(2):
            assert server.post(f"/runs/{run_id}/stop").status == 200
        assert server.ended(run_id)["status"] == "stopped"
    later = str(server.create("echo later")["id"])
    # As soon as the call that hung has its answer.
    wait_for(lambda: server.post(f"/runs/{later}/start").status == 200, "tmux answers")
    assert server.ended(later)["status"] == "finished"
    wait_for(lambda: server.world.windows() == ["research-agent:home"], "no window of a run is left")
    assert not (server.world.workdir / "started").exists()


def test_server_ends_while_tmux_hangs(server: Server) -> None:
    """Politely; the run that it could not launch is launched by the next one, or by tmux itself, once."""
    server.ended(server.launch("true"))
    with tmux_suspended(server.world):
        run_id = server.launch("echo started >> starts; echo out")
        server.stop()
        assert server.process is not None
        assert server.process.returncode == 0
        server.start()
        assert server.run(run_id)["status"] == "launching"
    assert server.ended(run_id)["status"] == "finished"
    assert server.log(run_id) == b"out\n"
    assert (server.world.workdir / "starts").read_text() == "started\n"


def test_stop_ends_who_escapes(world: World) -> None:
    """Deaf to all signals, double-forked, in another session: a second stop changes nothing."""
    server = Server(world, "--RaJobsApp.interrupt_grace=0.5", "--RaJobsApp.terminate_grace=0.5").start()
    run_id = server.launch(ESCAPE)
    wait_for(lambda: server.log(run_id) == b"on\n", "it is at work")
    for _ in range(2):
        assert server.post(f"/runs/{run_id}/stop").status == 200
    run = server.ended(run_id)
    assert (run["status"], run["exit_code"], run["signal"]) == ("stopped", 137, "SIGKILL")
    assert not world.of_run(run_id)


def test_tmux_has_no_secrets(server: Server) -> None:
    """The tmux server that we start, and its windows: none bears what logs in to the Jupyter server."""
    server.until(server.launch("exec sleep 1000"), "running")
    assert server.process is not None
    others = [p for p in server.world.processes() if p.pid != server.process.pid]
    assert server.world.tmux_server() in others
    assert len(others) >= 4  # tmux, its window home, sidecar, command
    for process in others:
        environ = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert TOKEN.encode() not in environ, process
        assert b"JUPYTER_TOKEN" not in environ, process
