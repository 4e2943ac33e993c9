"""Runs are what their caller meant, wherever the server was started and however tmux is configured."""

import subprocess
from pathlib import Path

from tests.conftest import Server, World, wait_for

HOSTILE = """
set -g remain-on-exit on
set -g destroy-unattached on
set -g detach-on-destroy off
set -g base-index 5
set -g pane-base-index 3
set -g renumber-windows on
set -g default-command "echo never"
set -g default-shell /bin/false
set -g automatic-rename on
set -g allow-rename on
set -g allow-passthrough on
set -g history-limit 0
set -g status off
set -g default-terminal dumb
set -g update-environment "PATH LD_PRELOAD"
set -g aggressive-resize on
set -g monitor-activity on
set -g remain-on-exit-format "dead"
set -s escape-time 5000
set-hook -g after-new-window "set-option -w monitor-bell on"
set-environment -g OF_TMUX yes
"""


def environment(server: Server, **given: str) -> dict[str, str]:
    """The environment of a run that was given these variables."""
    run_id = server.launch("exec env -0", env=given)
    assert server.ended(run_id)["status"] == "finished"
    return dict(line.split("=", 1) for line in server.log(run_id).decode().split("\0") if line)


def test_environment_is_not_that_of_tmux(world: World) -> None:
    """The caller's over the server's; what an older tmux server remembers reaches no run."""
    old = {**world.env, "OF_OLD_TMUX": "yes", "SHARED": "tmux", "PATH": "/usr/bin:/bin"}
    subprocess.run(["tmux", "-L", "default", "new-session", "-d", "cat"], env=old, check=True)
    world.env |= {"SHARED": "server", "OF_SERVER": "yes", "GIVEN": "server"}
    server = Server(world).start()
    seen = environment(server, GIVEN="caller", TMUX_PANE="caller", EMPTY="")
    assert "OF_OLD_TMUX" not in seen
    assert (seen["SHARED"], seen["OF_SERVER"], seen["GIVEN"]) == ("server", "yes", "caller")
    assert (seen["EMPTY"], seen["TMUX_PANE"]) == ("", "caller")
    assert seen["PATH"] == world.env["PATH"]
    assert Path(seen["RA_RUN_DIR"]).parent == world.workdir / ".agents" / "runs"
    assert seen["RA_RUN_ID"] == Path(seen["RA_RUN_DIR"]).name
    assert Path(seen["RA_ARTIFACTS_DIR"]).is_dir()


def test_hostile_tmux_configuration(world: World) -> None:
    """Under whatever ~/.tmux.conf: runs run, end, can be attached to by name, and leave no window."""
    (world.home / ".tmux.conf").write_text(HOSTILE)
    server = Server(world).start()
    assert server.ended(server.launch("exit 3"))["exit_code"] == 3
    run_id = server.launch("printf '\\033kother name\\033\\\\'; echo on; read go; echo went $go")
    run = server.until(run_id, "running")
    pane = ["capture-pane", "-p", "-t", run["tmux_pane"]]
    wait_for(lambda: "on" in world.tmux(*pane).stdout, "tmux has seen all of it")
    window = run["attach_command"].split()[-1]
    assert not world.tmux("send-keys", "-t", window, "forth", "Enter").returncode
    assert server.ended(run_id)["status"] == "finished"
    assert server.log(run_id).endswith(b"on\nforth\nwent forth\n")
    stopped = server.launch("echo on; exec sleep 1000")
    wait_for(lambda: server.log(stopped) == b"on\n", "it is at work")
    server.post(f"/runs/{stopped}/stop")
    assert server.ended(stopped)["status"] == "stopped"
    assert "OF_TMUX" not in environment(server)
    wait_for(lambda: world.windows() == ["research-agent:home"], "no window of a run is left")


def test_tmux_that_exits_unattached(world: World) -> None:
    """A tmux server that goes as soon as nobody looks takes no run with it."""
    (world.home / ".tmux.conf").write_text("set -s exit-unattached on\n")
    server = Server(world).start()
    run_id = server.launch("echo on; sleep 0.5; echo off; exit 3")
    assert server.ended(run_id)["exit_code"] == 3
    assert server.log(run_id) == b"on\noff\n"


def test_inside_an_outer_tmux(world: World) -> None:
    """A server that was started in a tmux on another socket uses the default one."""
    outer = ["tmux", "-L", "outer"]
    subprocess.run([*outer, "new-session", "-d", "cat"], env=world.env, check=True)
    shown = [*outer, "display-message", "-p", "#{socket_path},#{pid},0"]
    world.env["TMUX"] = subprocess.check_output(shown, env=world.env, text=True).strip()
    world.env["TMUX_PANE"] = "%0"
    server = Server(world).start()
    run_id = server.launch("echo $TMUX; read go")
    server.until(run_id, "running")
    assert world.windows() == ["research-agent:home", f"research-agent:ra-job-{run_id}"]
    wait_for(lambda: b"/default," in server.log(run_id), "the run's own TMUX is told")
    subprocess.run([*outer, "kill-server"], env=world.env, check=True)


def test_socket_of_its_own(world: World) -> None:
    """With tmux_socket set, runs are on that tmux server, and so is what there is to copy."""
    server = Server(world, "--RaJobsApp.tmux_socket=my own", "--RaJobsApp.tmux_session=my runs").start()
    run = server.until(server.launch("read go; echo went"), "running")
    assert not world.windows()
    assert run["attach_command"] == f"tmux -L 'my own' attach -t 'my runs:ra-job-{run['id']}'"
    shell = run["attach_command"].replace("attach", "send-keys") + " Enter"
    subprocess.run(["bash", "-c", shell], env=world.env, check=True)
    assert server.ended(run["id"])["status"] == "finished"
    subprocess.run(["tmux", "-L", "my own", "kill-server"], env=world.env, check=False)


def test_without_tmux(world: World) -> None:
    """A start is refused with 503 and a word on what to do, and the run is as it was."""
    path, world.env["PATH"] = world.env["PATH"], str(world.home)
    try:
        server = Server(world).start()
    finally:
        world.env["PATH"] = path
    run = server.create("echo later")
    started = server.post(f"/runs/{run['id']}/start")
    created = server.post("/runs", name="another", command="true", auto_start=True)
    for refused in (started, created):
        assert refused.status == 503
        assert "install" in refused.json["message"]
    assert server.get("/runs").json == [run]
    server.kill()
    server.start()
    assert server.post(f"/runs/{run['id']}/start").status == 200
    assert server.ended(run["id"])["status"] == "finished"
