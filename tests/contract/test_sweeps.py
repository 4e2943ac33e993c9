"""The table "Existing UI: sweeps", a test a row."""

from typing import Any

from tests.conftest import wait_for
from tests.contract.rows import row
from tests.contract.shapes import SWEEP, an_id, exactly, is_run, is_sweep, text
from tests.contract.ui import UI, UNKNOWN

NOBODY = dict.fromkeys(
    ["total", "completed", "failed", "running", "launching", "ready", "queued", "canceled"], 0
)


def make(ui: UI, **more: Any) -> dict[str, Any]:
    """A new sweep of two."""
    body = {"name": "s", "base_command": "true", "parameters": {"lr": [0.1, 0.01]}}
    made: dict[str, Any] = ui.post("/sweeps", **{**body, **more})
    assert is_sweep(made)
    return made


@row("GET /sweeps")
def test_list(ui: UI) -> None:
    """A bare array, newest first."""
    older, newer = make(ui), make(ui)
    assert ui.get("/sweeps", limit=2) == [newer, older]
    assert ui.get("/sweeps")[0] == newer
    assert "limit" in ui.call("GET", "/sweeps?limit=0").error(400)


@row("POST /sweeps")
def test_create(ui: UI) -> None:
    """With all of its runs, named and with their commands as the contract says; a draft has none."""
    given: dict[str, Any] = {
        "workdir": "/",
        "goal": "a low loss",
        "ui_config": {"view": "grid"},
        "chat_session_id": "a-chat",
        "max_runs": 3,
    }
    parameters = {"lr": [0.1, 1e-5], "name": ["a b", "it's"]}
    sweep = make(ui, base_command="train {lr} # {other}", parameters=parameters, **given)
    assert exactly(sweep, SWEEP)
    assert given.items() <= sweep.items()
    assert (sweep["status"], sweep["is_wild"], sweep["parameters"]) == ("pending", False, parameters)
    assert sweep["progress"] == {**NOBODY, "total": 3, "ready": 3}
    runs = [ui.get(f"/runs/{run_id}") for run_id in sweep["run_ids"]]
    assert all(is_run(run) for run in runs)
    assert [(run["name"], run["command"]) for run in runs] == [
        ("s #1", "train 0.1 # {other} '--name=a b'"),
        ("s #2", """train 0.1 # {other} '--name=it'"'"'s'"""),
        ("s #3", "train 1e-05 # {other} '--name=a b'"),
    ]
    assert runs[0]["sweep_params"] == {"lr": 0.1, "name": "a b"}
    assert {(run["sweep_id"], run["chat_session_id"]) for run in runs} == {(sweep["id"], "a-chat")}
    plain = make(ui, base_command="train", parameters={"lr": [0.1], "epochs": [3]})
    assert ui.get(f"/runs/{plain['run_ids'][0]}")["command"] == "train --lr=0.1 --epochs=3"
    draft = make(ui, status="draft")
    assert (draft["status"], draft["run_ids"], draft["progress"]) == ("draft", [], NOBODY)
    for options in ({"auto_start": True}, {"status": "running"}):
        started = make(ui, parallel=2, **options)
        wait_for(lambda: ui.get(f"/sweeps/{started['id']}")["status"] == "completed")  # noqa: B023


@row("GET /sweeps/{id}")
def test_get(ui: UI) -> None:
    """As it stands: computed from its runs."""
    sweep = make(ui, base_command="exit {code} #", parameters={"code": [0, 3]})
    assert ui.get(f"/sweeps/{sweep['id']}") == sweep
    ui.post(f"/sweeps/{sweep['id']}/start?parallel=2")

    def ended() -> Any:
        found = ui.get(f"/sweeps/{sweep['id']}")
        assert is_sweep(found)
        return found if found["status"] not in {"pending", "running"} else None

    done = wait_for(ended)
    assert (done["status"], done["run_ids"]) == ("failed", sweep["run_ids"])
    assert done["progress"] == {**NOBODY, "total": 2, "completed": 1, "failed": 1}
    assert done["created_at"] <= done["started_at"] <= done["completed_at"]
    ui.call("GET", f"/sweeps/{UNKNOWN}").error(404)


@row("PUT /sweeps/{id}")
def test_edit(ui: UI) -> None:
    """Everything of a draft; its structure no more once it has runs: 409."""
    draft = make(ui, status="draft")
    path = f"/sweeps/{draft['id']}"
    changes: dict[str, Any] = {
        "name": "new",
        "base_command": "echo",
        "workdir": "/",
        "parameters": {"a": [1, 2, 3]},
        "max_runs": 2,
        "goal": "other",
        "ui_config": {"a": 1},
    }
    edited = ui.put(path, **changes)
    assert edited == {**draft, **changes, "total_combinations": 3}
    pending = ui.put(path, status="pending")
    assert (pending["status"], len(pending["run_ids"])) == ("pending", 2)
    for field in ("base_command", "workdir", "parameters", "max_runs"):
        assert field in ui.call("PUT", path, {field: changes[field]}).error(409)
    assert ui.put(path, name="newer")["name"] == "newer"
    assert "status" in ui.call("PUT", path, {"status": "asleep"}).error(400)


@row("POST /sweeps/{id}/start")
def test_start(ui: UI) -> None:
    """`parallel` at a time, one by default, until all are done."""
    sweep = make(ui, parameters={"n": [1, 2, 3]})
    path = f"/sweeps/{sweep['id']}"
    started = ui.post(f"{path}/start?parallel=2")
    assert exactly(started, {"message": text, "sweep_id": an_id})
    assert started == {"message": "Started 2/3 runs", "sweep_id": sweep["id"]}
    wait_for(lambda: ui.get(path)["status"] == "completed")
    one = make(ui)
    assert ui.post(f"/sweeps/{one['id']}/start")["message"] == "Started 1/2 runs"
    wait_for(lambda: ui.get(f"/sweeps/{one['id']}")["progress"]["completed"] == 2)
    assert "parallel" in ui.call("POST", f"{path}/start?parallel=0").error(400)
    ui.call("POST", f"/sweeps/{make(ui, status='draft')['id']}/start").error(409)
    ui.call("POST", f"/sweeps/{UNKNOWN}/start").error(404)


@row("POST /sweeps/{id}/runs")
def test_add_run(ui: UI) -> None:
    """As POST /runs, in the sweep."""
    sweep = make(ui)
    run = ui.post(f"/sweeps/{sweep['id']}/runs", name="one more", command="true", tags=["t"])
    assert is_run(run)
    assert (run["sweep_id"], run["status"], run["tags"]) == (sweep["id"], "ready", ["t"])
    assert ui.get(f"/sweeps/{sweep['id']}")["run_ids"] == [*sweep["run_ids"], run["id"]]
    assert "command" in ui.call("POST", f"/sweeps/{sweep['id']}/runs", {"name": "x"}).error(400)


@row("POST /sweeps/wild")
def test_wild(ui: UI) -> None:
    """An empty Sweep."""
    wild = ui.post("/sweeps/wild", name="w", goal="find it", chat_session_id="a-chat")
    assert exactly(wild, SWEEP)
    assert (wild["is_wild"], wild["run_ids"], wild["parameters"]) == (True, [], {})
    assert (wild["goal"], wild["chat_session_id"]) == ("find it", "a-chat")
    assert ui.post("/sweeps/wild", name="w", goal="")["goal"] == ""


@row("POST /sweeps/{id}/stop")
def test_stop(ui: UI) -> None:
    """A Sweep; what is active ends, what waits is taken out of the queue."""
    sweep = make(ui, base_command="exec sleep 1000 #")
    path = f"/sweeps/{sweep['id']}"
    ui.post(f"{path}/start")
    wait_for(lambda: ui.get(path)["progress"]["running"] == 1)
    stopped = ui.post(f"{path}/stop")
    assert is_sweep(stopped)
    assert (stopped["progress"]["queued"], stopped["progress"]["canceled"]) == (0, 1)
    wait_for(lambda: ui.get(path)["status"] == "canceled")
    assert ui.get(path)["progress"] == {**NOBODY, "total": 2, "canceled": 2}
