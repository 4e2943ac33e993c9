"""What happens to the Jupyter server, and to whoever calls it."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import psutil

from tests.conftest import TOKEN, Server, wait_for
from tests.faults.amid import PARALLEL, Amid, End, alone, fault

# Opens a stream of each path that it is given, and reads none of them to its end.
CLIENT = """\
import http.client, sys
port, token, *paths = sys.argv[1:]
streams = []
for path in paths:
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    connection.request("GET", path, headers={"Authorization": f"token {token}"})
    streams.append(connection.getresponse())
print("open", [stream.status for stream in streams], flush=True)
sys.stdin.read()
"""
STOPPED = End("stopped", 130, whole=False)


def client(server: Server, paths: list[str]) -> "subprocess.Popen[bytes]":
    """A process that holds these streams open; returns when it does."""
    urls = [f"{server.base_url}ra-jobs{path}" for path in paths]
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(server.port), TOKEN, *urls],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"open {[200] * len(paths)}\n".encode()
    return process


def end_client(process: "subprocess.Popen[bytes]") -> None:
    """As a crash: kill -9."""
    process.kill()
    process.communicate()


def crash_while_starting(server: Server) -> None:
    """Start it five times, and kill it as soon as it lives, has the store open, or says where it is."""
    database = str(server.world.workdir / ".agents" / "jobs.db")

    def lives(process: psutil.Process) -> bool:
        return process.is_running()

    def has_the_store(process: psutil.Process) -> bool:
        return any(file.path == database for file in process.open_files())

    def has_announced(process: psutil.Process) -> bool:
        file = server.world.workdir / ".agents" / "server.json"
        return bool(json.loads(file.read_text())["pid"] == process.pid)

    for there in (lives, has_the_store, has_announced, has_the_store, has_announced):
        server.spawn()
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        wait_for(lambda: there(process), f"the server {there.__name__}")  # noqa: B023
        server.kill()


@fault
def server_killed(amid: Amid) -> None:
    """kill -9; the next one is on another port."""
    amid.server.kill()
    amid.server.start()


@fault
def server_away_while_runs_end(amid: Amid) -> None:
    """kill -9; what was at work ends before the next server is there."""
    amid.server.kill()
    amid.go()
    for run_id in amid.at_work:
        wait_for(lambda run_id=run_id: amid.ended_on_disk(run_id), "it has ended")
    amid.server.start()


@fault
def server_killed_while_launching(amid: Amid) -> None:
    """kill -9 at the sight of a run that is claimed, and perhaps launched; three times."""
    amid.go()
    for _ in range(3):
        wait_for(lambda: amid.progress()["launching"] or not amid.progress()["queued"], "one is claimed")
        amid.server.kill()
        amid.server.start()


@fault
def server_killed_with_reports_under_way(amid: Amid) -> None:
    """It accepts the sidecars' calls, is too slow to read them, and is killed with -9."""
    assert amid.server.process is not None
    server = psutil.Process(amid.server.process.pid)
    sidecars = {amid.sidecar(run_id).pid for run_id in amid.at_work}
    server.suspend()
    amid.go()

    def calling() -> bool:
        calls = [each for each in psutil.net_connections("tcp") if each.pid in sidecars]
        return any(each.raddr and each.raddr.port == amid.server.port for each in calls)

    wait_for(calling, "a sidecar calls")
    amid.server.kill()
    amid.server.start()


@fault
def server_killed_again_and_again(amid: Amid) -> None:
    """kill -9, and five more times while it comes up, before it answers."""
    amid.server.kill()
    crash_while_starting(amid.server)
    amid.server.start()


@fault
def server_killed_while_creating(amid: Amid) -> None:
    """kill -9 in the middle of a POST of another sweep, of 1,000 runs: that is there whole, or not at all."""
    before = {sweep["id"] for sweep in amid.server.get("/sweeps").json}
    wal = amid.world.workdir / ".agents" / "jobs.db-wal"
    size = wal.stat().st_size

    def create() -> None:
        try:
            amid.server.post("/sweeps", name="other", base_command="true", parameters={"n": [*range(1000)]})
        except OSError:  # the server is gone
            return

    creator = threading.Thread(target=create)
    creator.start()
    wait_for(lambda: wal.stat().st_size != size or not creator.is_alive(), "it is being written")
    amid.server.kill()
    creator.join()
    amid.server.start()
    for sweep in amid.server.get("/sweeps").json:
        assert sweep["id"] in before or sweep["progress"]["ready"] == 1000, sweep["progress"]


@fault
def server_restarted(amid: Amid) -> None:
    """A polite end, and a new start."""
    amid.server.stop()
    amid.server.start()


@fault
def two_servers(amid: Amid) -> None:
    """Another server on the same workdir schedules too; then it is killed with -9."""
    other = Server(amid.world).start()
    ended = amid.progress()
    amid.go()
    wait_for(lambda: amid.progress() != ended, "runs end, and others are launched")
    other.kill()
    file = amid.world.workdir / ".agents" / "server.json"
    wait_for(lambda: json.loads(file.read_text())["port"] == amid.server.port, "the first says where it is")


@fault
def stopped_while_the_server_is_away(amid: Amid) -> None:
    """No server: one run is stopped by SIGTERM to its sidecar, one by killing its window."""
    by_signal, by_window = amid.at_work[:2]
    amid.server.kill()
    amid.sidecar(by_signal).send_signal(signal.SIGTERM)
    assert not amid.world.tmux("kill-window", "-t", f"=research-agent:=ra-job-{by_window}").returncode
    for run_id in (by_signal, by_window):
        amid.expect(run_id, STOPPED)
        wait_for(lambda run_id=run_id: amid.ended_on_disk(run_id), "it is stopped")
    amid.server.start()


@fault
def server_killed_after_a_stop(amid: Amid) -> None:
    """Two runs are stopped, one of them twice, and the server is killed with -9 as it has said so."""
    first, second = amid.at_work[:2]
    for run_id in (first, second, first):
        assert amid.server.post(f"/runs/{run_id}/stop").status == 200
    amid.server.kill()
    for run_id in (first, second):
        amid.expect(run_id, STOPPED)
    amid.server.start()


@fault
def readers_killed(amid: Amid) -> None:
    """The kernel and the browser that watch it are killed with -9, in the middle of all their streams."""
    paths = [f"/runs/{run_id}/logs/stream" for run_id in amid.at_work]
    watching = client(amid.server, [*paths, "/events"])
    amid.go()
    wait_for(lambda: amid.progress()["running"] + amid.progress()["queued"] < PARALLEL + 10, "it goes on")
    end_client(watching)


@fault
@alone
def tmux_refuses(amid: Amid) -> None:
    """tmux can be reached no more, as when its socket folder is lost; then again."""
    folder = amid.world.tmux_tmpdir / f"tmux-{os.getuid()}"
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.touch()
    amid.go()
    wait_for(lambda: amid.progress()["launching"] == 1, "the next one can't be launched")
    for run_id in amid.at_work:
        wait_for(lambda run_id=run_id: amid.ended_on_disk(run_id), "what was at work goes on")
    folder.unlink()
    aside.rename(folder)


@fault
def started_again(amid: Amid) -> None:
    """The sweep and each of its runs are started once more, by four at once."""

    def start() -> None:
        answer = amid.server.post(f"/sweeps/{amid.sweep_id}/start?parallel={PARALLEL}")
        assert answer.status == 200, answer
        for run_id in amid.ids:
            answer = amid.server.post(f"/runs/{run_id}/start")
            assert answer.status in {200, 409}, answer

    with ThreadPoolExecutor(4) as callers:
        for done in [callers.submit(start) for _ in range(4)]:
            done.result()
