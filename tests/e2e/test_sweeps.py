"""Sweeps from the call to the last run's end."""

import collections
from typing import Any

from tests.conftest import Server, wait_for

GRID = {"lr": [0.1, 0.01, 0.001], "seed": [1, 2]}


def make(server: Server, **more: Any) -> dict[str, Any]:
    """A sweep of six short runs."""
    answer = server.post("/sweeps", **{"name": "grid", "base_command": "echo", "parameters": GRID, **more})
    assert answer.status == 200, answer.body
    return answer.json


def until_over(server: Server, sweep_id: str) -> dict[str, Any]:
    """The sweep once all of its runs have ended."""

    def over() -> dict[str, Any] | None:
        sweep = server.get(f"/sweeps/{sweep_id}").json
        return sweep if sweep["status"] in ("completed", "failed", "canceled") else None

    return wait_for(over, "the sweep is over")


def lines(server: Server, name: str) -> list[str]:
    """What the commands wrote to a file of the workdir."""
    path = server.world.workdir / name
    return path.read_text().split() if path.exists() else []


def test_all_are_done(shared_server: Server) -> None:
    """Two at a time until all six are done; each with its own command, name and parameters."""
    sweep = make(shared_server)
    assert sweep["status"] == "pending"
    assert sweep["progress"]["ready"] == 6
    started = shared_server.post(f"/sweeps/{sweep['id']}/start?parallel=2").json
    assert started == {"message": "Started 2/6 runs", "sweep_id": sweep["id"]}
    over = until_over(shared_server, sweep["id"])
    assert over["status"] == "completed"
    assert over["progress"] == {
        "total": 6,
        "completed": 6,
        **dict.fromkeys(["failed", "running", "launching", "ready", "queued", "canceled"], 0),
    }
    runs = [shared_server.run(run_id) for run_id in over["run_ids"]]
    assert [run["name"] for run in runs] == [f"grid #{n}" for n in range(1, 7)]
    assert runs[1]["sweep_params"] == {"lr": 0.1, "seed": 2}
    assert shared_server.log(runs[1]["id"]) == b"--lr=0.1 --seed=2\n"


def test_never_more_than_parallel(server: Server) -> None:
    """However often the server dies, no more than N are active, and none runs twice."""
    command = (
        "mkdir -p active; touch active/$RA_RUN_ID; ls active | wc -l >> seen; "
        "echo $RA_RUN_ID >> ran; sleep 0.3; rm active/$RA_RUN_ID #"
    )
    sweep = make(server, base_command=command, parameters={"n": list(range(20))})
    server.post(f"/sweeps/{sweep['id']}/start?parallel=3")
    for enough in (3, 9):
        wait_for(lambda enough=enough: len(lines(server, "ran")) >= enough, "it goes on")
        server.kill()
        server.start()
    assert until_over(server, sweep["id"])["progress"]["completed"] == 20
    assert collections.Counter(lines(server, "ran")) == collections.Counter(sweep["run_ids"])
    assert max(map(int, lines(server, "seen"))) <= 3


def test_all_write_the_same_file(shared_server: Server) -> None:
    """Runs that follow each other keep their own numbers, though each writes over those of the one before."""
    command = "sleep 1; printf 'step,loss\\n1,%s\\n' {lr} > results.csv; sleep 0.3 #"
    sweep = make(shared_server, base_command=command, parameters={"lr": [1, 2, 3]}, auto_start=True)
    assert until_over(shared_server, sweep["id"])["progress"]["completed"] == 3
    table = shared_server.get(f"/sweeps/{sweep['id']}/table").json
    assert [row["metrics"] for row in table] == [{"loss": 1}, {"loss": 2}, {"loss": 3}]
    first, _, last = (shared_server.get(f"/runs/{run_id}/metrics").json for run_id in sweep["run_ids"])
    assert (first["metrics"], first["metricSeries"]) == ({"loss": 1}, {})
    assert first["notes"] == ["results.csv has changed since the run ended"]
    assert last["metricSeries"] == {"loss": [{"step": 1, "value": 3}]}
    path = f"/runs/{sweep['run_ids'][0]}/artifacts"
    assert [(each["name"], each["certain"]) for each in shared_server.get(path).json] == [
        ("results.csv", False)
    ]
    assert shared_server.get(f"{path}/results.csv").status == 409


def test_stop_and_retry(shared_server: Server) -> None:
    """A stopped sweep is canceled; a retry runs the failed and stopped cells alone, in the same sweep."""
    command = "test -e go || { [ {n} = 1 ] && exit 3; exec sleep 1000; }; echo"
    sweep = make(
        shared_server, base_command=command, parameters={"n": [1, 2, 3, 4]}, auto_start=True, parallel=2
    )
    wait_for(lambda: shared_server.get(f"/sweeps/{sweep['id']}").json["progress"]["running"] == 2)
    shared_server.post(f"/sweeps/{sweep['id']}/stop")
    over = until_over(shared_server, sweep["id"])
    assert over["status"] == "canceled"
    assert (over["progress"]["failed"], over["progress"]["canceled"]) == (1, 3)
    (shared_server.world.workdir / "go").touch()
    again = shared_server.post(f"/sweeps/{sweep['id']}/retry").json
    assert len(again["run_ids"]) == 8
    over = until_over(shared_server, sweep["id"])
    assert (over["status"], over["progress"]["completed"], over["progress"]["total"]) == ("completed", 4, 4)
    assert shared_server.post(f"/sweeps/{sweep['id']}/retry").status == 409
