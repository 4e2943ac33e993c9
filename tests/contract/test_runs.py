"""The table "Existing UI: runs", a test a row."""

from typing import Any

from tests.contract.rows import row
from tests.contract.shapes import RUN, exactly, is_run, text
from tests.contract.ui import UI, UNKNOWN

NULL_AT_FIRST = {
    "parent_run_id",
    "origin_alert_id",
    "sweep_id",
    "sweep_params",
    "chat_session_id",
    "tmux_window",
    "tmux_pane",
    "exit_code",
    "error",
    "wandb_dir",
    "gpuwrap_config",
    "signal",
    "progress",
    "attach_command",
    "queue_position",
    "notes",
}


@row("GET /runs")
def test_list(ui: UI) -> None:
    """A bare array, newest first; archived ones on demand; older ones by the Link header."""
    first, second, third = (ui.create(name=f"listed {n}", tags=["listed"])["id"] for n in range(3))
    ui.post(f"/runs/{second}/archive")

    def listed(**query: Any) -> list[str]:
        runs = ui.get("/runs", q="listed", **query)
        assert all(is_run(run) for run in runs)
        return [run["id"] for run in runs]

    assert listed() == listed(archived="false", limit=50) == [third, first]
    assert listed(archived="true") == [third, second, first]
    assert listed(limit=1) == [third]
    assert listed(before=third) == [first]
    assert listed(status="ready,queued") == [third, first]
    assert listed(status="running") == listed(sweep_id=UNKNOWN) == []
    link = ui.call("GET", "/runs?q=listed&limit=1").headers["link"]
    assert link == f'</ra-jobs/runs?limit=1&q=listed&before={third}>; rel="next"'
    assert "link" not in ui.call("GET", "/runs?q=listed&limit=2").headers
    assert first in [run["id"] for run in ui.get("/runs")]
    again = ui.post(f"/runs/{first}/rerun")["id"]
    assert [run["id"] for run in ui.get("/runs", parent_run_id=first)] == [again]
    assert ui.get("/runs", parent_run_id=UNKNOWN) == []


@row("POST /runs")
def test_create(ui: UI) -> None:
    """`ready`, with null for what there is nothing to say about; or started."""
    run = ui.post("/runs", name="new", command="echo x")
    assert exactly(run, RUN)
    assert {name for name, value in run.items() if value is None} == NULL_AT_FIRST
    assert (run["status"], run["is_archived"], run["tags"]) == ("ready", False, [])
    assert run["workdir"] == str(ui.server.world.workdir)
    assert run["run_dir"] == f"{run['workdir']}/.agents/runs/{run['id']}"
    given: dict[str, Any] = {
        "name": "all",
        "command": "true",
        "workdir": "/",
        "parent_run_id": run["id"],
        "origin_alert_id": "an-alert",
        "chat_session_id": "a-chat",
        "gpuwrap_config": {"enabled": True, "retries": 2},
        "tags": ["a"],
        "notes": "why",
        "timeout_seconds": 60.0,
    }
    made = ui.post("/runs", **given, auto_start=False, env={"SECRET": "hunter2"})
    assert given.items() <= made.items()
    assert "hunter2" not in str(made)
    started = ui.post("/runs", name="started", command="true", auto_start=True)
    assert is_run(started)
    assert started["status"] in {"queued", "launching", "running", "finished"}
    sweep = ui.post("/sweeps/wild", name="s", goal="g")
    assert ui.create(sweep_id=sweep["id"])["sweep_id"] == sweep["id"]


@row("GET /runs/{id}")
def test_get(ui: UI) -> None:
    """A Run, as it is now: with its times and its window once it was launched."""
    busy = ui.until(ui.create("exec sleep 1000", auto_start=True)["id"], "running")
    assert is_run(busy)
    assert busy["attach_command"] == f"tmux attach -t research-agent:ra-job-{busy['id']}"
    ui.post(f"/runs/{busy['id']}/stop")
    run = ui.finished("exit 0")
    assert is_run(run)
    assert run.keys() == RUN.keys() | {"launched_at", "started_at", "ended_at"}
    assert (run["exit_code"], run["error"], run["signal"]) == (0, None, None)
    assert run["tmux_window"] == f"ra-job-{run['id']}"
    assert run["tmux_pane"].startswith("%")
    assert run["attach_command"] is None  # its window is gone
    failed = ui.until(ui.create("kill -INT $$; sleep 60", auto_start=True)["id"], "failed")
    assert (failed["exit_code"], failed["signal"]) == (130, "SIGINT")
    assert text(failed["error"])


@row("PUT /runs/{id}")
def test_edit(ui: UI) -> None:
    """What the body names; 409 for command or workdir while it is active."""
    run = ui.create()
    changes = {"name": "new", "command": "echo new", "workdir": "/", "tags": ["t"], "notes": "n"}
    assert ui.put(f"/runs/{run['id']}", **changes) == {**run, **changes}
    busy = ui.until(ui.create("exec sleep 1000", auto_start=True)["id"], "running")
    assert busy["id"] in ui.call("PUT", f"/runs/{busy['id']}", {"command": "true"}).error(409)
    ui.call("PUT", f"/runs/{busy['id']}", {"workdir": "/"}).error(409)
    assert ui.put(f"/runs/{busy['id']}", name="busy") == {**busy, "name": "busy"}
    ui.post(f"/runs/{busy['id']}/stop")


@row("POST /runs/{id}/queue")
def test_queue(ui: UI) -> None:
    """The Run, with a message beside; from `ready` alone."""
    run = ui.create()
    queued = ui.post(f"/runs/{run['id']}/queue")
    assert text(queued.pop("message"))
    assert is_run(queued)
    assert (queued["status"], queued["queue_position"]) == ("queued", 1)
    ui.call("POST", f"/runs/{run['id']}/queue").error(409)
    ui.post(f"/runs/{run['id']}/stop")


@row("POST /runs/{id}/start")
def test_start(ui: UI) -> None:
    """From `ready` or `queued`; the window's name comes along."""
    for before in ([], ["queue"]):
        run = ui.create()
        for verb in before:
            ui.post(f"/runs/{run['id']}/{verb}")
        started = ui.post(f"/runs/{run['id']}/start")
        assert exactly(started, {"message": text, "tmux_window": text, "run": is_run})
        assert started["tmux_window"] == f"ra-job-{run['id']}"
        ui.until(run["id"], "finished")
        ui.call("POST", f"/runs/{run['id']}/start").error(409)


@row("POST /runs/{id}/stop")
def test_stop(ui: UI) -> None:
    """From queued or active; twice is no error; from any other status it is."""
    queued, busy = ui.create(), ui.create("exec sleep 1000", auto_start=True)
    ui.post(f"/runs/{queued['id']}/queue")
    ui.until(busy["id"], "running")
    for run in (queued, busy):
        stopped = ui.post(f"/runs/{run['id']}/stop")
        assert exactly(stopped, {"message": text, "run": is_run})
        assert ui.call("POST", f"/runs/{run['id']}/stop").ok
        ended = ui.until(run["id"], "stopped")
        assert is_run(ended)
        assert ended["stopped_at"] >= ended["created_at"]
        assert ui.call("POST", f"/runs/{run['id']}/stop").ok
    ui.call("POST", f"/runs/{ui.create()['id']}/stop").error(409)
    ui.call("POST", f"/runs/{ui.finished()['id']}/stop").error(409)


@row("POST /runs/{id}/rerun")
def test_rerun(ui: UI) -> None:
    """A new Run, with the body that the UI sends and with none."""
    run = ui.create("echo old", gpuwrap_config={"a": 1}, chat_session_id="a-chat")
    again = ui.post(f"/runs/{run['id']}/rerun")
    assert is_run(again)
    assert (again["name"], again["parent_run_id"]) == ("a run (Rerun)", run["id"])
    for same in ("command", "workdir", "gpuwrap_config", "chat_session_id"):
        assert again[same] == run[same]
    assert (again["status"], again["id"] != run["id"]) == ("ready", True)
    given = {"command": "echo new", "origin_alert_id": "an-alert", "gpuwrap_config": {"b": 2}}
    other = ui.post(f"/runs/{run['id']}/rerun", **given, auto_start=True)
    assert given.items() <= other.items()
    assert ui.until(other["id"], "finished")["parent_run_id"] == run["id"]


@row("POST /runs/{id}/archive")
def test_archive(ui: UI) -> None:
    """Hidden from the default list, and nothing else."""
    run = ui.create()
    archived = ui.post(f"/runs/{run['id']}/archive")
    assert exactly(archived, {"message": text, "run": is_run})
    assert archived["run"] == {**run, "is_archived": True, "archived_at": archived["run"]["archived_at"]}


@row("POST /runs/{id}/unarchive")
def test_unarchive(ui: UI) -> None:
    """As before."""
    run = ui.create()
    ui.post(f"/runs/{run['id']}/archive")
    shown = ui.post(f"/runs/{run['id']}/unarchive")
    assert exactly(shown, {"message": text, "run": is_run})
    assert shown["run"] == run


@row("POST /runs/{id}/status")
def test_status(ui: UI) -> None:
    """The sidecar's callback: a message, whatever was known before; an ended run stays as it is."""
    busy = ui.until(ui.create("exec sleep 1000", auto_start=True)["id"], "running")
    said = ui.post(f"/runs/{busy['id']}/status", status="running", wandb_dir="/w", tmux_pane="%9")
    assert exactly(said, {"message": text})
    assert ui.get(f"/runs/{busy['id']}")["wandb_dir"] == "/w"
    assert "status" in ui.call("POST", f"/runs/{busy['id']}/status", {"status": "asleep"}).error(400)
    ui.post(f"/runs/{busy['id']}/stop")
    run = ui.finished()
    assert exactly(
        ui.post(f"/runs/{run['id']}/status", status="failed", exit_code=1, error="late"), {"message": text}
    )
    assert ui.get(f"/runs/{run['id']}") == run


@row("POST /runs/{id}/add-to-sweep")
def test_add_to_sweep(ui: UI) -> None:
    """A message; 409 while it is active in another sweep."""
    first, second = (ui.post("/sweeps/wild", name="s", goal="g")["id"] for _ in range(2))
    run = ui.create("exec sleep 1000")
    path = f"/runs/{run['id']}/add-to-sweep?sweep_id="
    assert exactly(ui.post(path + first), {"message": text})
    assert ui.get(f"/sweeps/{first}")["run_ids"] == [run["id"]]
    ui.post(f"/runs/{run['id']}/start")
    ui.until(run["id"], "running")
    ui.call("POST", path + second).error(409)
    ui.post(f"/runs/{run['id']}/stop")
    ui.until(run["id"], "stopped")
    assert ui.call("POST", path + second).ok
    ui.call("POST", path + UNKNOWN).error(404)
    assert "sweep_id" in ui.call("POST", path.partition("?")[0]).error(400)


def test_unknown(ui: UI) -> None:
    """404 from every call about a run that isn't there."""
    for verb in ("queue", "start", "stop", "rerun", "archive", "unarchive"):
        assert UNKNOWN in ui.call("POST", f"/runs/{UNKNOWN}/{verb}").error(404)
    assert UNKNOWN in ui.call("PUT", f"/runs/{UNKNOWN}", {"name": "x"}).error(404)
    assert UNKNOWN in ui.call("POST", f"/runs/{UNKNOWN}/status", {"status": "running"}).error(404)
