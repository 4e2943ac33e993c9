"""The contract's "alerts", a test a row."""

from typing import Any

from tests.contract.rows import row
from tests.contract.shapes import Kind, a_list, an_id, exactly, flag, nullable, one_of, text, time
from tests.contract.ui import UI, UNKNOWN

ALERT: dict[str, Kind] = {
    "id": an_id,
    "run_id": an_id,
    "timestamp": time,
    "severity": one_of("info", "warning", "critical"),
    "message": text,
    "choices": a_list(text),
    "status": one_of("pending", "resolved"),
    "response": nullable(text),
    "responded_at": nullable(time),
    "session_id": nullable(text),
    "auto_session": flag,
}
ALERT_LATER: dict[str, Kind] = {"rule": nullable(text)}


def is_alert(value: Any) -> bool:
    """An Alert."""
    return exactly(value, ALERT, ALERT_LATER)


def alert(ui: UI, alert_id: str) -> dict[str, Any]:
    """One of the list."""
    found: dict[str, Any] = next(each for each in ui.get("/alerts") if each["id"] == alert_id)
    assert is_alert(found)
    return found


def raise_one(ui: UI, run_id: str) -> str:
    """A new alert; its id."""
    made = ui.post(f"/runs/{run_id}/alerts", message="go on?", choices=["Yes", "No"])
    assert exactly(made, {"alert_id": an_id})
    return str(made["alert_id"])


@row("GET /alerts")
def test_list(ui: UI) -> None:
    """An array, newest first."""
    run = ui.create(chat_session_id="a-chat")
    older, newer = raise_one(ui, run["id"]), raise_one(ui, run["id"])
    found = ui.get("/alerts")
    assert [each["id"] for each in found[:2]] == [newer, older]
    assert all(is_alert(each) for each in found)
    assert found[0]["timestamp"] >= found[1]["timestamp"] >= run["created_at"]


@row("POST /runs/{id}/alerts")
def test_raise(ui: UI) -> None:
    """`pending` until somebody answers."""
    run = ui.create(chat_session_id="a-chat")
    body = {"message": "look", "choices": ["Yes", "No"], "severity": "critical"}
    made = ui.post(f"/runs/{run['id']}/alerts", **body)
    assert exactly(made, {"alert_id": an_id})
    raised = alert(ui, made["alert_id"])
    assert body.items() <= raised.items()
    assert (raised["run_id"], raised["session_id"]) == (run["id"], "a-chat")
    assert (raised["status"], raised["response"], raised["responded_at"]) == ("pending", None, None)
    for field, value in (("severity", "loud"), ("message", 5), ("choices", "Yes")):
        wrong = ui.call("POST", f"/runs/{run['id']}/alerts", {**body, field: value})
        assert field in wrong.error(400)
    ui.call("POST", f"/runs/{UNKNOWN}/alerts", body).error(404)


@row("POST /alerts/{id}/respond")
def test_respond(ui: UI) -> None:
    """The choice is kept, and reaches the sidecar as a file in the run dir."""
    run = ui.finished()
    alert_id = raise_one(ui, run["id"])
    path = f"/alerts/{alert_id}/respond"
    assert "Yes" in ui.call("POST", path, {"choice": "Perhaps"}).error(400)
    assert exactly(ui.post(path, choice="Yes"), {"message": text})
    answered = alert(ui, alert_id)
    assert (answered["status"], answered["response"]) == ("resolved", "Yes")
    assert answered["responded_at"] >= answered["timestamp"]
    file = ui.server.run_dir(run["id"]) / "alerts" / f"{alert_id}.response"
    assert file.read_text().strip() == "Yes"
    ui.call("POST", path, {"choice": "No"}).error(409)
    assert "choice" in ui.call("POST", path, {"choice": 5}).error(400)
    ui.call("POST", f"/alerts/{UNKNOWN}/respond", {"choice": "Yes"}).error(404)


def test_event(ui: UI) -> None:
    """`GET /events` tells of it."""
    run = ui.create()
    with ui.stream("/events?since=0") as events:
        alert_id = raise_one(ui, run["id"])
        told = next(
            event for event in events if event["type"] == "alert" and event["alert"]["id"] == alert_id
        )
    assert told == {"type": "alert", "alert": alert(ui, alert_id)}
