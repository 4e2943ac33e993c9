"""What can be done with a run: queue, start, stop, rerun, archive; and what its status forbids."""

import asyncio
from typing import Any

import pytest

from tests.server.conftest import Api, eventually
from tests.server.test_runs import ALWAYS

STATUSES = ["ready", "queued", "launching", "running", "finished", "failed", "stopped"]


async def refused(api: Api, verb: str, status: str) -> str:
    """Try a verb on a run of this status: 409, and nothing has changed; what the error says."""
    run_id = await api.create_at(status)
    was, rev = await api.run(run_id), api.services.store.rev()
    message = (await api.post(f"/runs/{run_id}/{verb}")).error(409)
    assert run_id in message
    assert (await api.run(run_id), api.services.store.rev()) == (was, rev)
    return message


async def test_queue(api: Api) -> None:
    """The run, with a message; its place in the queue; and it stays there until it is started."""
    first, second = await api.create(), await api.create()
    queued = (await api.post(f"/runs/{second['id']}/queue")).json
    assert queued.keys() == ALWAYS | {"queued_at", "message"}
    assert (queued["status"], queued["queue_position"], queued["message"]) == ("queued", 1, "Run queued")
    assert (await api.post(f"/runs/{first['id']}/queue")).json["queue_position"] == 2
    await api.services.scheduler.tick()
    assert (await api.run(second["id"]))["status"] == "queued"


@pytest.mark.parametrize("status", STATUSES[1:])
async def test_queue_refused(api: Api, status: str) -> None:
    """Only from `ready`."""
    assert status in await refused(api, "queue", status)


@pytest.mark.parametrize("first", ["", "queue"])
async def test_start(api: Api, first: str) -> None:
    """From `ready` or `queued`: the window, and the run as it then is."""
    run_id = (await api.create("echo hello"))["id"]
    if first:
        assert (await api.post(f"/runs/{run_id}/{first}")).status == 200
    started = (await api.post(f"/runs/{run_id}/start")).json
    assert started.keys() == {"message", "tmux_window", "run"}
    assert (started["message"], started["tmux_window"]) == ("Run started", f"ra-job-{run_id}")
    assert started["run"]["status"] in {"launching", "running", "finished"}
    assert started["run"]["attach_command"] == f"tmux attach -t research-agent:ra-job-{run_id}"
    done = await api.ended(run_id)
    assert (done["status"], done["exit_code"], done["signal"], done["error"]) == ("finished", 0, None, None)
    assert done["created_at"] <= done["launched_at"] <= done["started_at"] <= done["ended_at"]
    assert done["tmux_pane"].startswith("%")


async def test_auto_start(api: Api) -> None:
    """Created and started in one call."""
    run = await api.create("exit 3", auto_start=True)
    assert run["status"] in {"launching", "running", "failed"}
    done = await api.ended(run["id"])
    assert (done["status"], done["exit_code"], done["error"]) == ("failed", 3, "exit code 3")


@pytest.mark.parametrize("status", STATUSES[2:])
async def test_start_refused(api: Api, status: str) -> None:
    """A run runs once."""
    assert status in await refused(api, "start", status)


async def test_start_at_the_same_instant(api: Api) -> None:
    """One of ten callers starts it, the others get a 409; one window, one output."""
    run_id = (await api.create("echo once"))["id"]
    answers = await asyncio.gather(*(api.post(f"/runs/{run_id}/start") for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 9
    await api.ended(run_id)
    assert api.log(run_id).read_text() == "once\n"
    beside = [path.name for path in api.log(run_id).parent.glob("spec.json*")]
    assert beside == ["spec.json"]


async def test_start_where_the_workdir_is_gone(api: Api) -> None:
    """400, and the run stays as it was: it can be started once the folder is back."""
    folder = api.services.layout.workdir / "sub"
    folder.mkdir()
    run = await api.create(workdir="sub")
    folder.rmdir()
    assert "workdir: " in (await api.post(f"/runs/{run['id']}/start")).error(400)
    assert await api.run(run["id"]) == run
    folder.mkdir()
    assert (await api.post(f"/runs/{run['id']}/start")).status == 200
    assert (await api.ended(run["id"]))["status"] == "finished"


class TestOneSlot:
    """What is started while no slot is free waits its turn."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """One slot."""
        return {"RaJobsApp": {"max_running": 1}}

    async def test_waits(self, api: Api) -> None:
        """`queued` with no window yet; started when the slot is free, first come first served."""
        first = await api.create("read line", auto_start=True)
        await api.until(first["id"], "running")
        second = (await api.create())["id"]
        started = (await api.post(f"/runs/{second}/start")).json
        assert "No slot is free" in started["message"]
        assert (started["tmux_window"], started["run"]["status"]) == (None, "queued")
        assert not list(api.services.layout.run_dir(second).glob("spec.json*"))
        third = await api.create(auto_start=True)
        assert (third["status"], third["queue_position"]) == ("queued", 2)
        assert (await api.post(f"/runs/{second}/start")).json["run"]["queue_position"] == 1
        await api.post(f"/runs/{first['id']}/stop")
        done = [await api.ended(run_id) for run_id in (first["id"], second, third["id"])]
        assert [run["status"] for run in done] == ["stopped", "finished", "finished"]
        assert done[0]["ended_at"] <= done[1]["launched_at"] <= done[1]["ended_at"] <= done[2]["launched_at"]

    async def test_all_at_the_same_instant(self, api: Api) -> None:
        """None takes away the folder of another; it has none as it waits, and in the end all is there."""
        first = await api.create("read line", auto_start=True)
        await api.until(first["id"], "running")
        second = (await api.create("touch $RA_ARTIFACTS_DIR/made"))["id"]
        answers = await asyncio.gather(*(api.post(f"/runs/{second}/start") for _ in range(30)))
        assert {answer.status for answer in answers} == {200}
        assert not api.services.layout.run_dir(second).exists()
        await api.post(f"/runs/{first['id']}/stop")
        assert (await api.ended(second))["status"] == "finished"
        assert (api.services.layout.artifacts(second) / "made").exists()

    async def test_queue_alone_does_not_start(self, api: Api) -> None:
        """A free slot is no reason: `queued` waits for /start."""
        waiting = await api.create_at("queued")
        done = await api.create(auto_start=True)
        await api.ended(done["id"])
        await api.services.scheduler.tick()
        assert (await api.run(waiting))["status"] == "queued"


class TestAutoStartQueued:
    """Where the site says so, the queue drains by itself."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """The setting."""
        return {"RaJobsApp": {"auto_start_queued": True, "max_running": 1}}

    async def test_drains(self, api: Api) -> None:
        """Each in its turn."""
        ids = [(await api.create())["id"] for _ in range(3)]
        for run_id in ids:
            assert (await api.post(f"/runs/{run_id}/queue")).status == 200
        done = [await api.ended(run_id) for run_id in ids]
        assert [run["status"] for run in done] == ["finished"] * 3
        assert done[0]["launched_at"] < done[1]["launched_at"] < done[2]["launched_at"]


async def test_stop_running(api: Api) -> None:
    """At once an answer, `stopped` when the processes have ended; twice is no error."""
    run = await api.create("echo begun; exec sleep 1000", auto_start=True)
    path = f"/runs/{run['id']}"
    log = api.log(run["id"])
    await eventually(lambda: log.exists() and log.read_text() == "begun\n")
    await api.until(run["id"], "running")
    stopping = (await api.post(f"{path}/stop")).json
    assert stopping.keys() == {"message", "run"}
    assert (stopping["message"], stopping["run"]["status"]) == ("Stopping", "running")
    assert (await api.post(f"{path}/stop")).status == 200
    stopped = await api.ended(run["id"])
    assert (stopped["status"], stopped["exit_code"], stopped["signal"]) == ("stopped", 130, "SIGINT")
    assert stopped["stopped_at"] == stopped["ended_at"]
    again = (await api.post(f"{path}/stop")).json
    assert (again["message"], again["run"]) == ("Stopped already", stopped)


async def test_stop_queued(api: Api) -> None:
    """Out of the queue, and never started."""
    run_id = await api.create_at("queued")
    answer = (await api.post(f"/runs/{run_id}/stop")).json
    assert (answer["message"], answer["run"]["status"]) == ("Removed from the queue", "stopped")
    assert not api.services.layout.run_dir(run_id).exists()
    assert (await api.post(f"/runs/{run_id}/stop")).status == 200


async def test_stop_at_the_instant_of_its_start(api: Api) -> None:
    """Whether launching or running yet: it ends, stopped."""
    run_id = (await api.create("exec sleep 1000"))["id"]
    start, stop = await asyncio.gather(api.post(f"/runs/{run_id}/start"), api.post(f"/runs/{run_id}/stop"))
    assert start.status == 200
    assert stop.status in {200, 409}  # 409: it came before the start, when there was nothing to stop
    assert (await api.post(f"/runs/{run_id}/stop")).status == 200
    assert (await api.ended(run_id))["status"] == "stopped"


@pytest.mark.parametrize("status", ["ready", "finished", "failed"])
async def test_stop_refused(api: Api, status: str) -> None:
    """Nothing runs."""
    await refused(api, "stop", status)


@pytest.mark.parametrize("status", STATUSES)
async def test_rerun(api: Api, status: str) -> None:
    """A new run, whatever became of the first, which stays as it is."""
    run_id = await api.create_at(
        status, command="echo $X", tags=["t"], env={"X": "1"}, chat_session_id="c", timeout_seconds=60
    )
    was = await api.run(run_id)
    answer = await api.post(f"/runs/{run_id}/rerun")
    assert answer.status == 200
    new = answer.json
    assert (new["name"], new["parent_run_id"], new["status"]) == ("test (Rerun)", run_id, "ready")
    same = ("command", "workdir", "tags", "chat_session_id", "timeout_seconds")
    assert {name: new[name] for name in same} == {name: was[name] for name in same}
    assert api.services.store.env(new["id"]) == {"X": "1"}
    assert new["id"] != run_id
    assert await api.run(run_id) == was


async def test_rerun_otherwise(api: Api) -> None:
    """Another command, and started at once."""
    first = await api.create("false", gpuwrap_config={"a": 1})
    given = {"command": "echo other", "origin_alert_id": "alert", "gpuwrap_config": {"b": 2}}
    new = (await api.post(f"/runs/{first['id']}/rerun", **given, auto_start=True)).json
    assert {name: new[name] for name in given} == given
    done = await api.ended(new["id"])
    assert done["status"] == "finished"
    assert (await api.get(f"/runs/{new['id']}/logs")).json["content"] == "other\n"
    again = (await api.post(f"/runs/{new['id']}/rerun")).json
    assert (again["name"], again["parent_run_id"]) == ("test (Rerun) (Rerun)", new["id"])
    assert (again["origin_alert_id"], again["gpuwrap_config"]) == (None, {"b": 2})


async def test_rerun_of_the_longest_name(api: Api) -> None:
    """A name that fits still fits with its addition."""
    first = await api.create(name="x" * 500)
    answer = await api.post(f"/runs/{first['id']}/rerun")
    assert answer.status == 200
    assert answer.json["name"].endswith("xxx (Rerun)")


@pytest.mark.parametrize("status", STATUSES)
async def test_archive(api: Api, status: str) -> None:
    """Hidden from the default list and back, as often as one likes; all else stays."""
    run_id = await api.create_at(status)
    was = await api.run(run_id)
    archived = (await api.post(f"/runs/{run_id}/archive")).json
    assert archived.keys() == {"message", "run"}
    assert archived["run"] == {**was, "is_archived": True, "archived_at": archived["run"]["archived_at"]}
    assert (await api.post(f"/runs/{run_id}/archive")).json["run"] == archived["run"]
    assert (await api.get("/runs")).json == []
    assert (await api.get("/runs?archived=true")).json == [archived["run"]]
    for _ in range(2):
        assert (await api.post(f"/runs/{run_id}/unarchive")).json["run"] == was
    assert (await api.get("/runs")).json == [was]
