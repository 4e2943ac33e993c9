"""What a kernel answers to a page that can't reach the server; what a cell's value has for a page to show."""

import queue
from typing import Any

import pytest

import jupyter_ra_jobs as ra
from jupyter_ra_jobs.cells import live
from jupyter_ra_jobs.cells.runs import Run
from jupyter_ra_jobs.errors import BadInput
from tests.conftest import PATIENCE, TOKEN, Server

relay = pytest.importorskip("jupyter_ra_jobs_widget.relay", reason="anywidget is not installed")


@pytest.fixture
def client(shared_server: Server) -> Any:
    """The kernel's."""
    with ra.Client(f"http://127.0.0.1:{shared_server.port}", TOKEN) as client:
        yield client


def asked(client: ra.Client, **content: Any) -> dict[str, Any]:
    """What the page is answered."""
    said: queue.Queue[dict[str, Any]] = queue.Queue()
    relay.Relay(client, said.put).take({"id": 1, **content})
    return said.get(timeout=PATIENCE)


def test_relay(client: ra.Client, shared_server: Server) -> None:
    """Routes of ours, with their queries, their errors, and where the next page is; and the panel's code."""
    run = shared_server.create("true", name="one")["id"]
    shared_server.create("true", name="two")
    answer = asked(client, method="GET", path="/runs?limit=1&q=one")
    assert (answer["status"], run in answer["body"]) == (200, True)
    assert "link" in asked(client, method="GET", path="/runs?limit=1")["headers"]
    assert asked(client, method="POST", path=f"/runs/{run}/archive", body="{}")["status"] == 200
    assert shared_server.run(run)["is_archived"]
    assert asked(client, method="GET", path="/runs/none")["status"] == 404
    assert "export" in asked(client)["body"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/../api/kernels"),
        ("GET", "/runs/%2e%2e/%2e%2e/api/kernels"),
        ("GET", "http://other.example/"),
        ("GET", "//other.example/"),
        ("DELETE", "/runs"),
        ("GET", "/runs\r\nX: y"),
        ("GET", "/events?since=1"),
        ("GET", "/runs/none/logs/stream"),
        ("GET", "/runs/none/sidecar-logs/stream"),
        ("GET", "/runs/none/logs/download"),
        ("GET", "/runs/none/artifacts/a/b"),
    ],
)
def test_no_other_route(client: ra.Client, method: str, path: str) -> None:
    """The kernel's login is for ours alone."""
    assert asked(client, method=method, path=path).keys() == {"id", "problem"}


@pytest.mark.parametrize(
    "wrong",
    [{"path": f"/runs?q={'x' * 70_000}"}, {"path": "/runs", "body": "\ud800"}],
    ids=["long", "no text"],
)
def test_what_can_not_be_asked(client: ra.Client, wrong: dict[str, str]) -> None:
    """It is said: a page that is not answered waits for good."""
    assert "could not ask" in asked(client, method="POST", **wrong)["problem"]


def test_what_a_cell_shows(client: ra.Client, shared_server: Server) -> None:
    """A snapshot as HTML and text, and ids; no widget outside of a kernel."""
    run = Run(client.run(shared_server.create("true", name="shown")["id"]), client)
    bundle = run._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "text/html", live.MIME}
    assert bundle[live.MIME] == {"view": "run", "id": run.id}


def test_a_panel_as_text(client: ra.Client) -> None:
    """Where it begins, if that was said."""
    panel = pytest.importorskip("jupyter_ra_jobs_widget").Panel
    assert repr(panel({"view": "panel", "address": ""}, client)) == "Panel()"
    assert repr(panel({"view": "panel", "address": "#/runs/a"}, client)) == "Panel('#/runs/a')"


@pytest.mark.parametrize(
    "wrong", [{"height": "9"}, {"height": 10}, {"height": 9_999}, {"run": "a", "sweep": "b"}, {"run": 3}]
)
def test_wrong_panel(wrong: dict[str, Any]) -> None:
    """Says which."""
    with pytest.raises(BadInput, match=r"height|run"):
        ra.panel(**wrong)
