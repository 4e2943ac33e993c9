"""`start`, `queue`, `stop`, `retry`, `archive`, `attach`: several runs at once, ids cut short, windows."""

import os
import subprocess
from pathlib import Path

import psutil

from tests.cli.conftest import Cli
from tests.conftest import Server, wait_for


def test_several(cli: Cli) -> None:
    """Each that can be is; the exit code is that of the first that can't."""
    ids = [cli("run", "--no-start", "exec sleep 1000").strip() for _ in range(3)]
    assert cli("queue", *ids[:2]).splitlines() == [f"{ids[0]} queued", f"{ids[1]} queued"]
    lines = cli("start", *ids).splitlines()
    assert [line.split()[0] for line in lines] == ids
    for run_id in ids:
        cli.server.until(run_id, "running")
    done = cli.done("stop", ids[0], "0" * 12, ids[1][:7], "nonsense")
    assert done.returncode == 4
    assert done.stdout.decode() == f"{ids[0]} stopping\n{ids[1]} stopping\n"
    first, second = done.stderr.decode().splitlines()
    assert "there is no run and no sweep 000000000000" in first
    assert "'nonsense' is no id" in second
    assert "cannot be queued" in cli.error("queue", ids[2], code=1)
    cli("stop", ids[2])
    for run_id in ids:
        cli("wait", run_id, code=130)


def test_sweeps_too(cli: Cli) -> None:
    """A sweep is started, so many at a time, and stopped, but has no place in the queue."""
    sweep_id = cli("sweep", "--no-start", "-p", "a=0:3", "exec sleep 100{a}").strip()
    assert cli("start", sweep_id, "--parallel", "2") == f"{sweep_id} sweep running\n"
    assert cli.show(sweep_id)["parallel"] == 2
    assert cli("stop", sweep_id) in [f"{sweep_id} sweep {status}\n" for status in ("stopping", "canceled")]
    told = cli.error("wait", sweep_id, code=1)
    assert f"sweep {sweep_id} canceled" in told
    for verb in ("queue", "logs", "attach", "rerun", "archive"):
        assert "is a sweep; name one of its runs" in cli.error(verb, sweep_id, code=2)
    assert "a retry runs those again" in cli.error("start", sweep_id, code=1)
    assert cli("retry", sweep_id) == f"{sweep_id} sweep running\n"
    cli("stop", sweep_id)
    cli.error("wait", sweep_id, code=1)
    ready = cli("run", "--no-start", "true").strip()
    assert f"is a run; `jupyter ra-jobs rerun {ready}`" in cli.error("retry", ready, code=2)


def test_prefix(cli: Cli) -> None:
    """As long as one alone begins so; else the ones that do are named."""
    by_prefix: dict[str, list[str]] = {}
    sweep = cli.show(cli("sweep", "--no-start", "-p", "a=0:2000", "true").strip())
    for run_id in sweep["run_ids"]:
        by_prefix.setdefault(run_id[:4], []).append(run_id)
    several = next(ids for ids in by_prefix.values() if len(ids) > 1)
    told = cli.error("show", several[0][:4], code=2)
    assert all(f"run {run_id} (" in told for run_id in several)
    assert told.endswith("write more of the id")
    assert cli.show(several[0][:11])["id"] == several[0]
    assert cli.show(sweep["id"][:11])["id"] == sweep["id"]
    assert "the first 4 may do" in cli.error("show", several[0][:3], code=4)
    answer = cli.server.get(f"/runs?id_prefix={several[0][:4]}")
    assert {run["id"] for run in answer.json} >= set(several)
    assert [found["id"] for found in cli.server.get(f"/sweeps?id_prefix={sweep['id'][:8]}").json] == [
        sweep["id"]
    ]
    assert cli.server.get("/runs?id_prefix=xyz").status == 400


def attached(cli: Cli, run_id: str, its: int) -> subprocess.Popen[bytes]:
    """The program in a terminal of its own."""
    return subprocess.Popen(
        [cli.program, "attach", run_id[:8]],
        stdin=its,
        stdout=its,
        stderr=its,
        env={**cli.env, "TERM": "xterm", "TMUX": "inside,another,0"},
        cwd=cli.server.world.workdir,
        start_new_session=True,
    )


def test_attach(server: Server, cli_of_server: Cli, terminal: tuple[int, int]) -> None:
    """The program becomes tmux in front of the run's window; keys reach the command."""
    cli, (ours, its) = cli_of_server, terminal
    run_id = cli("run", "read line; echo got $line").strip()
    cli.server.until(run_id, "running")
    program = attached(cli, run_id, its)
    clients = ["list-clients", "-F", "#{client_pid} #{window_name}"]
    wait_for(lambda: f"{program.pid} ra-job-{run_id}" in server.world.tmux(*clients).stdout, "it is attached")
    assert psutil.Process(program.pid).name().startswith("tmux")
    os.write(ours, b"hello\r")
    server.ended(run_id)
    assert b"got hello" in server.log(run_id)
    server.world.tmux("kill-server")
    program.wait(60)


def test_nothing_to_attach_to(cli: Cli) -> None:
    """Not started, ended, no terminal, or perhaps elsewhere: each is said, with what helps."""
    ready = cli("run", "--no-start", "true").strip()
    assert f"`jupyter ra-jobs start {ready}` starts it" in cli.error("attach", ready, code=1)
    ended = cli("run", "--wait", "true").strip()
    assert f"has ended (finished); `jupyter ra-jobs logs {ended}`" in cli.error("attach", ended, code=1)
    runs = cli("run", "exec sleep 1000").strip()
    cli.server.until(runs, "running")
    assert "tmux needs a terminal" in cli.error("attach", runs, code=1)
    elsewhere = {
        "RA_JOBS_URL": f"http://127.0.0.1:{cli.server.port}",
        "RA_JOBS_TOKEN": cli.env["JUPYTER_TOKEN"],
    }
    told = cli.error("attach", runs, code=1, env=elsewhere)
    assert f"it may be elsewhere; there: tmux attach -t research-agent:ra-job-{runs}" in told
    cli("stop", runs)


def test_window_of_another_tmux(cli: Cli, terminal: tuple[int, int], tmp_path: Path) -> None:
    """Whoever has another TMUX_TMPDIR than the server is asked about it."""
    run_id = cli("run", "exec sleep 1000").strip()
    cli.server.until(run_id, "running")
    _, its = terminal
    done = subprocess.run(
        [cli.program, "attach", run_id],
        stdin=its,
        stdout=its,
        stderr=subprocess.PIPE,
        env={**cli.env, "TMUX_TMPDIR": str(tmp_path)},
        cwd=cli.server.world.workdir,
        check=False,
    )
    assert done.returncode == 1
    assert b"is TMUX_TMPDIR the server's?" in done.stderr
    cli("stop", run_id)
