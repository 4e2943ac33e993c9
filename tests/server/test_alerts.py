"""Alerts: raised, listed, answered, and told on the event stream."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs.rules import Proposal
from tests.server.conftest import UNKNOWN, Api
from tests.server.test_streams import next_block, next_event

KEYS = {
    "id",
    "run_id",
    "timestamp",
    "severity",
    "message",
    "choices",
    "status",
    "response",
    "responded_at",
    "session_id",
    "auto_session",
    "rule",
}


async def raise_one(api: Api, run_id: str, *choices: str, **more: Any) -> str:
    """An alert of a caller's; its id."""
    answer = await api.post(
        f"/runs/{run_id}/alerts", message="Loss spiked", choices=list(choices or ["Go on", "Wait"]), **more
    )
    assert answer.status == 200, answer.body
    assert answer.json.keys() == {"alert_id"}
    return str(answer.json["alert_id"])


async def get_one(api: Api, alert_id: str) -> dict[str, Any]:
    """An alert, from the list."""
    (found,) = [alert for alert in (await api.get("/alerts")).json if alert["id"] == alert_id]
    assert found.keys() == KEYS
    return dict(found)


def response(api: Api, run_id: str, alert_id: str) -> Path:
    """Where the answer is."""
    return api.services.layout.run_dir(run_id) / "alerts" / f"{alert_id}.response"


def proposal(rule: str = "out_of_memory", *choices: str, **more: Any) -> Proposal:
    """What a rule may say."""
    given = choices or ("Rerun", "Ignore")
    return Proposal(
        **{"rule": rule, "key": "", "severity": "critical", "message": "!", "choices": given, **more}
    )


async def test_raised(api: Api) -> None:
    """As the caller said it, with the run's chat session."""
    run = await api.create(chat_session_id="chat")
    alert_id = await raise_one(api, run["id"], "Go on", "Wait", "Go on")
    alert = await get_one(api, alert_id)
    assert alert.pop("timestamp") > run["created_at"]
    assert alert == {
        "id": alert_id,
        "run_id": run["id"],
        "severity": "warning",
        "message": "Loss spiked",
        "choices": ["Go on", "Wait"],
        "status": "pending",
        "response": None,
        "responded_at": None,
        "session_id": "chat",
        "auto_session": False,
        "rule": None,
    }


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"choices": ["a"]}, "message"),
        ({"message": "", "choices": ["a"]}, "message"),
        ({"message": " ", "choices": ["a"]}, "message"),
        ({"message": "m" * 10_001, "choices": ["a"]}, "message"),
        ({"message": "m"}, "choices"),
        ({"message": "m", "choices": []}, "choices"),
        ({"message": "m", "choices": ["a"] * 21}, "choices"),
        ({"message": "m", "choices": ["a", ""]}, "choices"),
        ({"message": "m", "choices": ["a", "\0"]}, "choices"),
        ({"message": "m", "choices": "a"}, "choices"),
        (
            {"message": "m", "choices": ["a"], "severity": "bad"},
            "severity: invalid enum value 'bad'; one of critical, info, warning is right",
        ),
    ],
)
async def test_bad_alert(api: Api, body: dict[str, Any], field: str) -> None:
    """400 that names the field; nothing is stored."""
    run = await api.create()
    message = (await api.post(f"/runs/{run['id']}/alerts", **body)).error(400)
    assert message.startswith(field)
    assert (await api.get("/alerts")).json == []


async def test_unknown(api: Api) -> None:
    """404 for a run or an alert that isn't there."""
    (await api.post(f"/runs/{UNKNOWN}/alerts", message="m", choices=["a"])).error(404)
    (await api.post(f"/alerts/{UNKNOWN}/respond", choice="a")).error(404)


async def test_list(api: Api) -> None:
    """Newest first; of one run, of one status, as many as asked for."""
    first, second = await api.create(), await api.create()
    ids = [await raise_one(api, run["id"]) for run in (first, second, first)]
    await api.post(f"/alerts/{ids[0]}/respond", choice="Wait")

    async def listed(**query: Any) -> list[str]:
        return [alert["id"] for alert in (await api.get("/alerts", **query)).json]

    assert await listed() == ids[::-1]
    assert await listed(limit=2) == ids[:0:-1]
    assert await listed(run_id=first["id"]) == [ids[2], ids[0]]
    assert await listed(status="pending") == [ids[2], ids[1]]
    assert await listed(status="resolved", run_id=first["id"]) == [ids[0]]
    assert await listed(run_id=UNKNOWN) == []
    assert "status" in (await api.get("/alerts?status=open")).error(400)
    assert "limit" in (await api.get("/alerts?limit=0")).error(400)


async def test_answered(api: Api) -> None:
    """Kept, and put where the run's command can read it, whole and for its owner alone."""
    run = await api.create()
    alert_id = await raise_one(api, run["id"], "Go on", "Čekat 🐎")
    answer = await api.post(f"/alerts/{alert_id}/respond", choice="Čekat 🐎")
    assert answer.json == {"message": "Answered: Čekat 🐎"}
    alert = await get_one(api, alert_id)
    assert (alert["status"], alert["response"]) == ("resolved", "Čekat 🐎")
    assert alert["responded_at"] >= alert["timestamp"]
    file = response(api, run["id"], alert_id)
    assert file.read_text() == "Čekat 🐎"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]


async def test_not_offered(api: Api) -> None:
    """400 that names what is; the alert waits on."""
    run = await api.create()
    alert_id = await raise_one(api, run["id"])
    message = (await api.post(f"/alerts/{alert_id}/respond", choice="Stop run")).error(400)
    assert "'Go on', 'Wait'" in message
    (await api.post(f"/alerts/{alert_id}/respond")).error(400)
    assert (await get_one(api, alert_id))["status"] == "pending"
    assert not response(api, run["id"], alert_id).exists()


async def test_answered_twice(api: Api) -> None:
    """The same again is no error, and brings a lost file back; another is 409. Of many at once one counts."""
    run = await api.create()
    alert_id = await raise_one(api, run["id"])
    answers = await asyncio.gather(
        *(api.post(f"/alerts/{alert_id}/respond", choice=choice) for choice in ["Go on", "Wait"] * 5)
    )
    assert sorted(answer.status for answer in answers) == [200] * 5 + [409] * 5
    taken = (await get_one(api, alert_id))["response"]
    file = response(api, run["id"], alert_id)
    assert file.read_text() == taken
    file.unlink()
    again = await api.post(f"/alerts/{alert_id}/respond", choice=taken)
    assert again.json == {"message": f"Answered already: {taken}"}
    assert file.read_text() == taken
    other = "Wait" if taken == "Go on" else "Go on"
    assert repr(taken) in (await api.post(f"/alerts/{alert_id}/respond", choice=other)).error(409)


async def test_stop_run(api: Api) -> None:
    """Whoever offered it: the run is stopped."""
    run = await api.create("exec sleep 1000", auto_start=True)
    await api.until(run["id"], "running")
    alert_id = await raise_one(api, run["id"], "Stop run", "Ignore")
    assert (await api.post(f"/alerts/{alert_id}/respond", choice="Stop run")).json == {"message": "Stopping"}
    assert (await api.ended(run["id"]))["status"] == "stopped"
    assert response(api, run["id"], alert_id).read_text() == "Stop run"


@pytest.mark.parametrize("status", ["ready", "finished"])
async def test_nothing_to_stop(api: Api, status: str) -> None:
    """It has ended by then, or never began: said, and resolved."""
    run_id = await api.create_at(status)
    alert_id = await raise_one(api, run_id, "Stop run")
    answer = await api.post(f"/alerts/{alert_id}/respond", choice="Stop run")
    assert answer.json["message"].startswith("Nothing to stop: run ")
    assert (await get_one(api, alert_id))["status"] == "resolved"
    assert (await api.run(run_id))["status"] == status


async def test_rerun(api: Api) -> None:
    """A rule's alert: the run is run again, and the new one says why."""
    run_id = await api.create_at("failed", command="echo again")
    assert api.services.alerts.propose(run_id, proposal())
    ((alert),) = (await api.get("/alerts")).json
    assert (alert["rule"], alert["severity"]) == ("out_of_memory", "critical")
    message = (await api.post(f"/alerts/{alert['id']}/respond", choice="Rerun")).json["message"]
    again = await api.ended(message.removeprefix("Rerun as "))
    assert (again["status"], again["parent_run_id"]) == ("finished", run_id)
    assert again["origin_alert_id"] == alert["id"]


async def test_rerun_of_a_caller(api: Api) -> None:
    """Its own business: the answer is handed on, nothing is run."""
    run_id = await api.create_at("failed")
    alert_id = await raise_one(api, run_id, "Rerun")
    assert (await api.post(f"/alerts/{alert_id}/respond", choice="Rerun")).json[
        "message"
    ] == "Answered: Rerun"
    assert len((await api.get("/runs")).json) == 1


async def test_a_server_that_dies_leaves_no_half(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer and what it asks for are one: no other process ever sees the first without the second."""
    store = api.services.store
    outside = sqlite3.connect(api.services.layout.database)
    seen: list[str] = []

    def spied(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            done = real(*arguments, **named)
            seen.extend(status for (status,) in outside.execute("SELECT status FROM alerts ORDER BY n"))
            return done

        return call

    stopped, failed = await api.create_at("running"), await api.create_at("failed")
    for owner, method in ((store.alerts, "resolve"), (store, "request_stop"), (store, "add")):
        monkeypatch.setattr(owner, method, spied(getattr(owner, method)))
    for run_id, choice in ((stopped, "Stop run"), (failed, "Rerun")):
        assert api.services.alerts.propose(run_id, proposal("stalled", choice))
        (alert,) = (await api.get("/alerts", status="pending")).json
        seen.clear()
        answers = [api.post(f"/alerts/{alert['id']}/respond", choice=choice) for _ in range(3)]
        assert [answer.status for answer in await asyncio.gather(*answers)] == [200] * 3
        assert seen[: 2 if choice == "Stop run" else 4] in (["pending"] * 2, ["resolved", "pending"] * 2)
    assert len([run for run in (await api.get("/runs")).json if run["origin_alert_id"]]) == 1
    outside.close()


async def test_what_could_not_be_done(api: Api) -> None:
    """Is not on record as done: the alert waits on."""
    run_id = await api.create_at("failed")
    folder = api.services.layout.workdir / "gone"
    folder.mkdir()
    api.services.store.change(run_id, workdir=str(folder))
    assert api.services.alerts.propose(run_id, proposal())
    folder.rmdir()
    ((alert),) = (await api.get("/alerts")).json
    assert "workdir" in (await api.post(f"/alerts/{alert['id']}/respond", choice="Rerun")).error(400)
    assert await get_one(api, alert["id"]) == alert
    folder.mkdir()
    assert (await api.post(f"/alerts/{alert['id']}/respond", choice="Rerun")).status == 200


@pytest.mark.parametrize("what", ["link", "file", "folder of that name"])
async def test_hostile_folder(api: Api, tmp_path: Path, what: str) -> None:
    """The run has put something else there: nothing is written elsewhere, and the alert is resolved."""
    run_id = await api.create_at("running")
    alert_id = await raise_one(api, run_id)
    folder = api.log(run_id).parent / "alerts"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if what == "link":
        folder.symlink_to(elsewhere)
    elif what == "file":
        folder.write_text("mine")
    else:
        (folder / f"{alert_id}.response").mkdir(parents=True)
    assert (await api.post(f"/alerts/{alert_id}/respond", choice="Wait")).status == 200
    assert (await get_one(api, alert_id))["status"] == "resolved"
    assert list(elsewhere.iterdir()) == []
    if what == "folder of that name":
        assert [path.name for path in folder.rglob("*")] == [f"{alert_id}.response"]


async def test_once(api: Api) -> None:
    """A rule says the same of a run once, and has one pending alert of it at most."""
    run_id, other = await api.create_at("running"), await api.create_at("running")
    propose = api.services.alerts.propose
    assert propose(run_id, proposal("stalled", key="5"))
    assert not propose(run_id, proposal("stalled", key="5"))
    assert not propose(run_id, proposal("stalled", key="6"))
    assert propose(other, proposal("stalled", key="5"))
    assert propose(run_id, proposal("non_finite"))
    for alert in (await api.get("/alerts")).json:
        await api.post(f"/alerts/{alert['id']}/respond", choice="Ignore")
    assert not propose(run_id, proposal("stalled", key="5"))
    assert propose(run_id, proposal("stalled", key="6"))


async def test_once_for_all_runs(api: Api) -> None:
    """What is about more than one run is pending once."""
    run_id, other = await api.create_at("running"), await api.create_at("running")
    full = proposal("disk_low", "Ignore", key="2049", shared=True)
    propose = api.services.alerts.propose
    assert propose(run_id, full)
    assert not propose(other, full)
    ((alert),) = (await api.get("/alerts")).json
    await api.post(f"/alerts/{alert['id']}/respond", choice="Ignore")
    assert propose(other, full)


async def test_on_the_stream(api: Api) -> None:
    """Alerts and runs in one order, with one cursor; who comes back misses none."""
    run = await api.create()
    async with api.stream("/events") as events:
        start = int((await next_block(events))[4:])
        alert_id = await raise_one(api, run["id"])
        event, cursor = await next_event(events)
        assert event == {"type": "alert", "alert": await get_one(api, alert_id)}
        assert cursor == start + 1
        renamed = (await api.put(f"/runs/{run['id']}", name="new")).json
        assert await next_event(events) == ({"type": "run", "run": renamed}, start + 2)
        await api.post(f"/alerts/{alert_id}/respond", choice="Wait")
        event, cursor = await next_event(events)
        assert (event["alert"]["response"], cursor) == ("Wait", start + 3)
    async with api.stream(f"/events?since={start}") as events:
        await next_block(events)
        told = [await next_event(events) for _ in range(2)]
        assert [event["type"] for event, _ in told] == ["run", "alert"]
        assert told[-1][1] == start + 3


async def test_sweeps_on_the_stream(api: Api) -> None:
    """A sweep is told when it or one of its runs changed: once for all that changed together."""
    async with api.stream("/events") as events:
        await next_block(events)
        body = {"name": "s", "base_command": "true", "parameters": {"a": [1, 2, 3]}}
        sweep = (await api.post("/sweeps", **body)).json
        told = [(await next_event(events))[0] for _ in range(4)]
        assert [event["type"] for event in told] == ["sweep", "run", "run", "run"]
        assert told[0]["sweep"] == sweep
        await api.post(f"/runs/{sweep['run_ids'][0]}/archive")
        assert [(await next_event(events))[0]["type"] for _ in range(2)] == ["sweep", "run"]
        edited = (await api.put(f"/sweeps/{sweep['id']}", goal="new")).json
        event, cursor = await next_event(events)
        assert event == {"type": "sweep", "sweep": edited}
        assert cursor == api.services.store.rev()


async def test_who_breaks_off(api: Api) -> None:
    """After any event, the cursor leads to all that was not told yet."""
    body = {"name": "s", "base_command": "true", "parameters": {"a": [1, 2, 3]}}
    sweep = (await api.post("/sweeps", **body)).json
    await raise_one(api, sweep["run_ids"][0])
    cursor, newest = 0, api.services.store.rev()
    runs, others = [], set()
    while cursor < newest:
        async with api.stream(f"/events?since={cursor}") as events:
            await next_block(events)
            for _ in range(2):  # a sweep, and one change more
                event, after = await next_event(events)
                assert after is not None
                cursor = after
                runs += [event["run"]["id"]] if event["type"] == "run" else []
                others |= {event["type"]}
                if cursor == newest:
                    break
    assert runs == sweep["run_ids"]
    assert others == {"run", "sweep", "alert"}


async def test_moved_between_sweeps(api: Api) -> None:
    """The sweep that lost a run has changed too."""
    first, second = [(await api.post("/sweeps/wild", name="w", goal="g")).json["id"] for _ in range(2)]
    run = await api.create(sweep_id=first)
    async with api.stream("/events") as events:
        await next_block(events)
        await api.post(f"/runs/{run['id']}/add-to-sweep?sweep_id={second}")
        told = [(await next_event(events))[0] for _ in range(3)]
    sweeps = {event["sweep"]["id"]: event["sweep"]["run_ids"] for event in told if event["type"] == "sweep"}
    assert sweeps == {first: [], second: [run["id"]]}
