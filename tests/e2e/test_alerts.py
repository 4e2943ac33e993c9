"""Progress and alerts of real runs."""

import sys
from typing import Any

import pytest

from tests.conftest import Server, World, wait_for


def alerts(server: Server, run_id: str) -> list[dict[str, Any]]:
    """A run's alerts, newest first."""
    found: list[dict[str, Any]] = server.get(f"/alerts?run_id={run_id}").json
    return found


def one_alert(server: Server, run_id: str) -> dict[str, Any]:
    """The run's alert, once there is one."""
    wait_for(lambda: alerts(server, run_id), "an alert is raised")
    (alert,) = alerts(server, run_id)
    return alert


def answer(server: Server, alert_id: str, choice: str) -> str:
    """Answer an alert; what was done."""
    done = server.post(f"/alerts/{alert_id}/respond", choice=choice)
    assert done.status == 200, done.body
    return str(done.json["message"])


def test_progress_of_tqdm(shared_server: Server) -> None:
    """A real bar: seen on its way, and complete at the run's end."""
    pytest.importorskip("tqdm")
    go = shared_server.world.workdir / "go"
    script = shared_server.world.workdir / "bar.py"
    script.write_text(
        "import pathlib, time\n"
        "from tqdm import tqdm\n"
        "for step in tqdm(range(40), desc='train', mininterval=0):\n"
        f"    while step == 20 and not pathlib.Path({str(go)!r}).exists():\n"
        "        time.sleep(0.01)\n"
    )
    run_id = shared_server.launch(f"{sys.executable} bar.py")
    wait_for(lambda: shared_server.run(run_id)["progress"] == 50, "it is half way")
    go.touch()
    assert shared_server.ended(run_id)["status"] == "finished"
    wait_for(lambda: shared_server.run(run_id)["progress"] == 100, "it is complete")


def test_command_waits_for_an_answer(shared_server: Server) -> None:
    """The command finds the answer in its run dir, whole."""
    command = (
        'while ! [ -e id ]; do sleep 0.02; done; f="$RA_RUN_DIR/alerts/$(cat id).response"; '
        'while ! [ -e "$f" ]; do sleep 0.02; done; echo "answer: $(cat "$f")"'
    )
    run_id = shared_server.launch(command)
    shared_server.until(run_id, "running")
    raised = shared_server.post(
        f"/runs/{run_id}/alerts", message="Which rate?", choices=["keep 0.1", "go to 0.01"], severity="info"
    )
    alert_id = raised.json["alert_id"]
    beside = shared_server.world.workdir / "id.new"
    beside.write_text(alert_id)
    beside.rename(shared_server.world.workdir / "id")
    assert answer(shared_server, alert_id, "go to 0.01") == "Answered: go to 0.01"
    assert shared_server.ended(run_id)["status"] == "finished"
    assert shared_server.log(run_id) == b"answer: go to 0.01\n"


def test_stop_run(shared_server: Server) -> None:
    """The choice does what it says."""
    run_id = shared_server.launch("exec sleep 1000")
    shared_server.until(run_id, "running")
    raised = shared_server.post(f"/runs/{run_id}/alerts", message="!", choices=["Stop run", "Ignore"])
    assert answer(shared_server, raised.json["alert_id"], "Stop run") == "Stopping"
    assert shared_server.ended(run_id)["status"] == "stopped"


def test_killed(shared_server: Server) -> None:
    """By nobody here: most often for want of memory. Its rerun says where it came from."""
    run_id = shared_server.launch("[ -e again ] || { touch again; kill -9 $$; }")
    assert shared_server.ended(run_id)["exit_code"] == 137
    alert = one_alert(shared_server, run_id)
    assert (alert["rule"], alert["severity"], alert["status"]) == ("out_of_memory", "critical", "pending")
    again = answer(shared_server, alert["id"], "Rerun").removeprefix("Rerun as ")
    rerun = shared_server.ended(again)
    assert (rerun["status"], rerun["origin_alert_id"]) == ("finished", alert["id"])


@pytest.fixture
def impatient(world: World) -> Server:
    """A server that takes a fifth of a second for a stall, and less to send the next signal."""
    graces = ("--RaJobsApp.interrupt_grace=0.1", "--RaJobsApp.terminate_grace=0.1")
    return Server(world, "--RaJobsApp.stalled_after=0.2", *graces).start()


def test_killed_by_us(impatient: Server) -> None:
    """At its time limit: no alert. One that ended later has been looked at, so this one has been too."""
    deaf = impatient.launch("trap '' INT TERM; while :; do echo; sleep 0.02; done", timeout_seconds=0.1)
    assert impatient.ended(deaf)["exit_code"] == 137
    one_alert(impatient, impatient.launch("kill -9 $$"))
    assert alerts(impatient, deaf) == []


def test_stalled(impatient: Server) -> None:
    """Raised once a silence, also over a restart of the server; again when there was output meanwhile."""
    server = impatient
    run_id = server.launch("echo one; while ! [ -e go ]; do sleep 0.02; done; echo two; exec sleep 1000")
    first = one_alert(server, run_id)
    assert (first["rule"], first["choices"]) == ("stalled", ["Stop run", "Ignore"])
    server.stop()
    server.start()
    answer(server, first["id"], "Ignore")
    other = server.launch("exec sleep 1000")
    one_alert(server, other)  # so the first run has been looked at since
    assert len(alerts(server, run_id)) == 1
    (server.world.workdir / "go").touch()
    wait_for(lambda: len(alerts(server, run_id)) == 2, "it is silent again")
    assert answer(server, alerts(server, run_id)[0]["id"], "Stop run") == "Stopping"
    assert server.ended(run_id)["status"] == "stopped"
