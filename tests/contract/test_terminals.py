"""A run's window in a terminal of Jupyter's, for a person: ours beyond the contract."""

import http.client
import json
from typing import Any

from tests.conftest import PATIENCE, TOKEN, Server, World, wait_for
from tests.contract.rows import row
from tests.contract.ui import UI, UNKNOWN

GATED = "until [ -e {gate} ]; do sleep 0.05; done"


def jupyter(server: Server, method: str, path: str) -> tuple[int, Any]:
    """A call of Jupyter's own routes for terminals."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request(
            method, f"{server.base_url}api/terminals{path}", headers={"Authorization": f"token {TOKEN}"}
        )
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body else None
    finally:
        connection.close()


@row("POST /runs/{id}/terminal")
def test_terminal(ui: UI) -> None:
    """It has the run's window and no other, and ends with it; to end it does nothing to the run."""
    world = ui.server.world
    gate = world.root / "gate"
    ui.call("POST", f"/runs/{UNKNOWN}/terminal").error(404)
    run_id = ui.create(GATED.format(gate=gate))["id"]
    assert "no window before it starts" in ui.call("POST", f"/runs/{run_id}/terminal").error(409)
    ui.post(f"/runs/{run_id}/start")
    window = ui.until(run_id, "running")["tmux_window"]
    world.tmux("set-option", "-g", "detach-on-destroy", "off")  # a user's, who is then shown another session

    def views() -> list[str]:
        return [each for each in world.windows() if "-view-" in each]

    first = ui.post(f"/runs/{run_id}/terminal")["name"]
    wait_for(lambda: [each.partition(":")[2] for each in views()] == [window], "the window is in view")
    assert jupyter(ui.server, "DELETE", f"/{first}")[0] == 204
    wait_for(lambda: not views(), "the view is gone")
    assert ui.get(f"/runs/{run_id}")["status"] == "running"

    second = ui.post(f"/runs/{run_id}/terminal")["name"]
    assert [each["name"] for each in jupyter(ui.server, "GET", "")[1]] == [second]
    wait_for(lambda: [each.partition(":")[2] for each in views()] == [window], "the window is in view again")
    gate.touch()
    ui.until(run_id, "finished")
    wait_for(lambda: jupyter(ui.server, "GET", "")[1] == [], "the terminal has ended with the window")
    assert not views()
    assert "has ended (finished)" in ui.call("POST", f"/runs/{run_id}/terminal").error(409)


def test_left_behind(ui: UI) -> None:
    """Terminals that no page shows, as after crashes of browsers, are ended before they are too many."""
    run_id = ui.create("sleep 100", auto_start=True)["id"]
    ui.until(run_id, "running")
    names = [ui.post(f"/runs/{run_id}/terminal")["name"] for _ in range(52)]

    def left() -> list[str]:
        return [each["name"] for each in jupyter(ui.server, "GET", "")[1]]

    wait_for(lambda: left() == names[2:], "the oldest two have ended")
    assert ui.get(f"/runs/{run_id}")["status"] == "running"
    ui.post(f"/runs/{run_id}/stop")
    ui.until(run_id, "stopped")
    wait_for(lambda: not left(), "all have ended with the window")


def test_window_is_gone(ui: UI) -> None:
    """Somebody killed the tmux server, and the run goes on without: there is nothing to show."""
    world = ui.server.world
    gate = world.root / "other-gate"
    run_id = ui.create(GATED.format(gate=gate), auto_start=True)["id"]
    ui.until(run_id, "running")
    world.tmux("kill-server")
    assert "gone" in ui.call("POST", f"/runs/{run_id}/terminal").error(409)
    gate.touch()
    ui.until(run_id, "finished")


def test_no_terminals(world: World) -> None:
    """A site that has turned Jupyter's off gets none of ours."""
    server = Server(world).start("--ServerApp.terminals_enabled=False")
    run_id = server.launch("sleep 100")
    server.until(run_id, "running")
    answer = server.post(f"/runs/{run_id}/terminal")
    assert answer.status == 503
    assert "has no terminals" in answer.json["message"]
    server.post(f"/runs/{run_id}/stop")
    server.ended(run_id)
