"""What happens to tmux, its windows, the sidecars and the commands."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.conftest import World, wait_for
from tests.faults.amid import PARALLEL, Amid, End, alone, fault

LOST = End("failed", None, "sidecar lost", whole=False)
INTERRUPTED = End("stopped", 130, whole=False)
KILLED = End("failed", 137, "killed by SIGKILL", whole=False)

# Deaf to whatever can be ignored, in a session of its own, its parents gone.
ESCAPE = """\
trap '' HUP INT QUIT TERM USR1 USR2 PIPE ALRM
(setsid sh -c 'while :; do sleep 0.1; done' &)
echo on
while :; do sleep 0.1; done
"""
MANY = "for n in $(seq 200); do sleep 1000 & done; echo on; wait"
DAEMON = (
    "setsid sh -c 'sleep 1000 & echo $! > daemon' <&- >&- 2>&- & until [ -s daemon ]; do sleep 0.02; done"
)


def kill_tmux(world: World) -> None:
    """As a crash: kill -9 of the tmux server; returns when it is gone."""
    tmux = world.tmux_server()
    tmux.kill()
    wait_for(lambda: tmux not in world.processes(), "tmux is gone")


@contextmanager
def tmux_suspended(world: World) -> Iterator[psutil.Process]:
    """The tmux server takes calls, and answers none."""
    server = world.tmux_server()
    server.suspend()
    try:
        yield server
    finally:
        with suppress(psutil.NoSuchProcess):
            server.resume()


def begin_without_tmux(amid: Amid) -> list[str]:
    """Start runs until the server says that tmux does not answer; those that are to be launched still."""
    begun = list[str]()

    def refused() -> bool:
        answer = amid.server.post("/runs", name="meanwhile", command="echo launched", auto_start=True)
        if answer.status == 200:
            begun.append(answer.json["id"])
            return False
        assert answer.status == 503, answer.body
        assert "tmux does not answer" in answer.json["message"]
        return True

    wait_for(refused, "the server knows that tmux hangs")
    return begun


def suspended(amid: Amid, run_id: str) -> psutil.Process:
    """The run's sidecar, for good: tmux would continue it, so tmux goes first."""
    kill_tmux(amid.world)
    sidecar = amid.sidecar(run_id)
    sidecar.suspend()
    wait_for(lambda: sidecar.status() == psutil.STATUS_STOPPED, "it is suspended")
    return sidecar


@fault
def sidecar_killed(amid: Amid) -> None:
    """kill -9 of one, while its command writes."""
    struck = amid.at_work[0]
    amid.sidecar(struck).kill()
    amid.expect(struck, LOST)


@fault
def all_sidecars_killed(amid: Amid) -> None:
    """kill -9 of every one there is."""
    for run_id in amid.at_work:
        amid.sidecar(run_id).kill()
        amid.expect(run_id, LOST)


@fault
@alone
def sidecar_suspended(amid: Amid) -> None:
    """SIGSTOP; nobody takes its run for lost; SIGCONT."""
    struck = amid.at_work[0]
    sidecar = suspended(amid, struck)
    amid.go()
    for run_id in amid.at_work[1:]:
        amid.server.ended(run_id)
    assert amid.server.run(struck)["status"] == "running"
    sidecar.resume()


@fault
@alone
def suspended_sidecar_stopped(amid: Amid) -> None:
    """SIGSTOP, then a stop of its run."""
    struck = amid.at_work[0]
    suspended(amid, struck)
    assert amid.server.post(f"/runs/{struck}/stop").status == 200
    assert amid.server.post(f"/runs/{struck}/stop").status == 200
    amid.server.ended(struck)
    amid.expect(struck, INTERRUPTED)


@fault
def command_killed(amid: Amid) -> None:
    """kill -9 of the command, as the out-of-memory killer does."""
    struck = amid.at_work[0]
    for process in amid.sidecar(struck).children():
        process.kill()
    amid.expect(struck, KILLED)


@fault
def command_kills_its_sidecar(amid: Amid) -> None:
    """By the pid of its parent."""
    run = amid.server.ended(amid.server.launch("echo on; kill -KILL $PPID; sleep 1000"))
    assert (run["status"], run["exit_code"]) == ("failed", None)
    assert run["error"].startswith("sidecar lost")


@fault
def command_kills_its_window(amid: Amid) -> None:
    """From within: a stop of itself."""
    run = amid.server.ended(amid.server.launch("tmux kill-window -t $TMUX_PANE; exec sleep 1000"))
    assert (run["status"], run["exit_code"]) == ("stopped", 130)


@fault
def command_suspends_its_sidecar(amid: Amid) -> None:
    """SIGSTOP; tmux, its parent, continues it."""
    run_id = amid.server.launch("echo on; kill -STOP $PPID; echo off; exit 3")
    run = amid.server.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", 3)
    assert amid.server.log(run_id) == b"on\noff\n"


@fault
def commands_that_will_not_end(amid: Amid) -> None:
    """One deaf to every signal, double-forked, in another session; 200 children; a daemon: all are ended."""
    server = amid.server
    stubborn = {server.launch(ESCAPE): 137, server.launch(MANY, workdir=str(amid.folder)): 130}
    daemon = server.launch(DAEMON, workdir=str(amid.folder))
    for run_id in stubborn:
        wait_for(lambda run_id=run_id: server.log(run_id) == b"on\n", "it is at work")
        assert server.post(f"/runs/{run_id}/stop").status == 200
    amid.go()  # the queue does not wait for them
    assert server.ended(daemon)["status"] == "finished"
    for run_id in [*stubborn, daemon]:
        server.ended(run_id)
        left = amid.world.of_run(run_id)
        assert not left, [process.as_dict(["cmdline", "status", "create_time"]) for process in left]
    assert {run_id: server.run(run_id)["exit_code"] for run_id in stubborn} == stubborn
    assert {server.run(run_id)["status"] for run_id in stubborn} == {"stopped"}


@fault
def memory_refused(amid: Amid) -> None:
    """`ulimit -v`: the command gets no more memory, and says so."""
    python = f"{sys.executable} -c 'bytearray(1 << 40)'"
    run_id = amid.server.launch(f"ulimit -v 2000000; {python}")
    run = amid.server.ended(run_id)
    assert (run["status"], run["exit_code"]) == ("failed", 1)
    assert amid.server.log(run_id).endswith(b"MemoryError\n")


@fault
def window_killed(amid: Amid) -> None:
    """By hand: a stop of that run."""
    struck = amid.at_work[0]
    assert not amid.world.tmux("kill-window", "-t", f"=research-agent:=ra-job-{struck}").returncode
    amid.server.ended(struck)
    amid.expect(struck, INTERRUPTED)


@fault
def all_windows_killed(amid: Amid) -> None:
    """All those of runs, by hand: a stop of each."""
    for run_id in amid.at_work:
        assert not amid.world.tmux("kill-window", "-t", f"=research-agent:=ra-job-{run_id}").returncode
        amid.expect(run_id, INTERRUPTED)
    for run_id in amid.at_work:
        amid.server.ended(run_id)


@fault
@alone
def session_killed(amid: Amid) -> None:
    """`kill-session` of the only one, with which tmux ends: the runs go on."""
    tmux = amid.world.tmux_server()
    assert not amid.world.tmux("kill-session", "-t", "=research-agent").returncode
    wait_for(lambda: tmux not in amid.world.processes(), "tmux is gone")


@fault
@alone
def session_killed_beside_another(amid: Amid) -> None:
    """`kill-session` where tmux lives on: all its windows were killed by hand, a stop of each run."""
    world = amid.world
    assert not world.tmux("new-session", "-d", "-s", "other", "cat").returncode
    assert not world.tmux("kill-session", "-t", "=research-agent").returncode
    for run_id in amid.at_work:
        amid.server.ended(run_id)
        amid.expect(run_id, INTERRUPTED)
    world.tmux("kill-session", "-t", "=other")


@fault
@alone
def tmux_killed(amid: Amid) -> None:
    """kill -9 of the tmux server."""
    kill_tmux(amid.world)


@fault
@alone
def tmux_kill_server(amid: Amid) -> None:
    """`tmux kill-server`."""
    amid.world.tmux("kill-server")


@fault
@alone
def tmux_killed_again_and_again(amid: Amid) -> None:
    """kill -9 of the tmux server as soon as it has a new window, for several launches."""
    amid.go()
    queued = amid.ids[-10:]
    for _ in range(4):
        wait_for(lambda: any(name[-12:] in queued for name in amid.world.windows()), "it launches")
        amid.world.tmux_server().kill()


@fault
@alone
def tmux_suspended_a_while(amid: Amid) -> None:
    """SIGSTOP of the tmux server while runs end and others are to start; a stop works; SIGCONT."""
    server = amid.server
    sleeping = server.launch("exec sleep 1000")
    server.until(sleeping, "running")
    with tmux_suspended(amid.world):
        amid.go()
        for run_id in amid.at_work:
            assert server.ended(run_id)["status"] in ("finished", "failed")
        begun = begin_without_tmux(amid)
        assert server.post(f"/runs/{sleeping}/stop").status == 200
        assert server.ended(sleeping)["status"] == "stopped"
        progress = amid.progress()
        assert progress["launching"] <= PARALLEL, progress
        assert not progress["running"], progress
    for run_id in begun:
        assert server.ended(run_id)["status"] == "finished"
        assert server.log(run_id) == b"launched\n"


@fault
@alone
def tmux_suspended_and_killed(amid: Amid) -> None:
    """SIGSTOP of the tmux server, a launch that hangs on it, then kill -9."""
    with tmux_suspended(amid.world) as tmux:
        begun = begin_without_tmux(amid)
        tmux.kill()
    for run_id in begun:
        assert amid.server.ended(run_id)["status"] == "finished"


@fault
@alone
def server_tmux_and_sidecar_killed(amid: Amid) -> None:
    """All at once."""
    struck = amid.at_work[0]
    sidecar, tmux = amid.sidecar(struck), amid.world.tmux_server()
    amid.server.kill()
    tmux.kill()
    sidecar.kill()
    amid.server.start()
    amid.expect(struck, LOST)
