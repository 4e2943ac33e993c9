"""What the contract says before its tables: origins, ids and times, fields that are ignored, errors."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Server, World
from tests.contract.rows import row
from tests.contract.shapes import an_id, is_run
from tests.contract.ui import UI, UNKNOWN, NetworkError

STRANGER = "http://other.example"


@row("GET /")
def test_health(ui: UI) -> None:
    """Answers everybody, and says more to who is logged in."""
    answer = UI(ui.server, token=None).call("GET", "/")
    assert answer.json == {"status": "ok", "version": answer.json["version"]}
    assert UI(ui.server, token="wrong").get("/") == answer.json
    assert ui.get("/").keys() == {"status", "version", "workdir", "tmux", "counts"}
    assert UI(ui.server, token=None).call("GET", "").ok


@row("GET /sessions")
def test_sessions(ui: UI) -> None:
    """None, which is no failure."""
    assert ui.get("/sessions") == []


@pytest.mark.parametrize("path", ["/wild-mode", "/prompt-skills", "/models"])
def test_what_is_not_ours(ui: UI, path: str) -> None:
    """Parts of the UI's product: a 404 in our form, which its page can read."""
    ui.call("GET", path).error(404)


@row("GET /app", "GET /app.webmanifest", "GET /static/{bundle}")
def test_page(ui: UI) -> None:
    """The panel, for a browser; the script that it loads."""
    page = ui.call("GET", "/app")
    assert page.ok
    (script,) = re.findall(r'src="[^"]*/ra-jobs(/static/[^"]+)"', page.body.decode())
    assert ui.call("GET", script).ok
    assert ui.call("GET", "/app.webmanifest").json["start_url"].endswith("/ra-jobs/app")


@row("GET /panel.js")
def test_module(ui: UI) -> None:
    """The panel, for a notebook's page; the file that it is in."""
    (script,) = re.findall(r'from "\.(/static/[^"]+)"', ui.call("GET", "/panel.js").body.decode())
    assert ui.call("GET", script).ok


@row("GET /openapi.json")
def test_openapi(ui: UI) -> None:
    """The contract, from the code that serves it."""
    document = ui.get("/openapi.json")
    assert (document["openapi"], document["info"]["title"]) == ("3.1.0", "jupyter_ra_jobs")
    assert "/runs/{run_id}/logs/stream" in document["paths"]


def test_ids_and_times(ui: UI) -> None:
    """12 hex digits; seconds since the epoch, as floats."""
    before = time.time()
    run = ui.finished()
    assert an_id(run["id"])
    times = [run[name] for name in ("created_at", "launched_at", "started_at", "ended_at")]
    assert all(type(each) is float for each in times)
    times = [before, *times, time.time()]
    assert times == sorted(times)


def test_unknown_fields(ui: UI) -> None:
    """A newer UI breaks nothing; what was ignored is named in a header that its page can read."""
    body = {"name": "x", "command": "true", "colour": "red", "depth": {"of": [1]}}
    answer = ui.call("POST", "/runs", body)
    assert is_run(answer.json)
    assert answer.headers["x-ra-ignored-fields"] == "colour, depth"
    assert ui.call("GET", "/runs?colour=red").ok
    assert "x-ra-ignored-fields" not in ui.call("GET", "/runs").headers


def test_wrong_types(ui: UI) -> None:
    """400, with the field's name."""
    for field, value in (("name", 5), ("command", ["ls"]), ("auto_start", "yes"), ("workdir", {})):
        message = ui.call("POST", "/runs", {"name": "x", "command": "true", field: value}).error(400)
        assert field in message
    assert "parameters" in ui.call(
        "POST", "/sweeps", {"name": "s", "base_command": "true", "parameters": 5}
    ).error(400)
    assert "limit" in ui.call("GET", "/runs?limit=many").error(400)


def test_errors(ui: UI) -> None:
    """The proper status, and a body that says why; all of it is there for the page to read."""
    run = ui.finished()
    ui.call("POST", "/runs", b"{").error(400)
    ui.call("GET", f"/runs/{UNKNOWN}").error(404)
    ui.call("GET", f"/sweeps/{UNKNOWN}").error(404)
    ui.call("POST", f"/runs/{run['id']}/start").error(409)
    ui.call("DELETE", f"/runs/{run['id']}").error(405)
    ui.call("POST", "/runs", b" " * 3_000_000).error(413)


def test_no_token(ui: UI) -> None:
    """Jupyter's own rules: 403, for reading and for writing; a wrong token is no better."""
    for stranger in (UI(ui.server, token=None), UI(ui.server, token="wrong")):
        stranger.call("GET", "/runs").error(403)
        stranger.call("POST", "/runs", {"name": "x", "command": "true"}).error(403)
        stranger.call("GET", "/wild-mode").error(403)


def test_another_origin(ui: UI) -> None:
    """Is kept out by the browser, with the right token and without; the same calls pass from the UI's."""
    for token in (ui.token, None):
        page = UI(ui.server, origin=STRANGER, token=token)
        for method, path in (("GET", "/runs"), ("POST", "/runs"), ("GET", "/"), ("GET", "/wild-mode")):
            with pytest.raises(NetworkError):
                page.call(method, path)


@pytest.fixture(params=["any", "pattern"])
def other_site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Servers set up in the other ways that Jupyter has, one of them below a base URL as on a hub."""
    world = World(tmp_path_factory.mktemp("site"))
    if request.param == "any":
        yield Server(world).start("--ServerApp.allow_origin=*")
    else:
        pattern = r"https?://[a-z]+\.example(:\d+)?$"
        yield Server(world, base_url="/user/ada/").start(f"--ServerApp.allow_origin_pat={pattern}")
    world.end()


def test_other_sites(other_site: Server) -> None:
    """The UI works with `allow_origin=*`, with `allow_origin_pat`, and below a base URL, errors included."""
    ui = UI(other_site)
    assert UI(other_site, token=None).get("/")["status"] == "ok"
    run = ui.finished("echo hello")
    assert ui.put(f"/runs/{run['id']}", name="new")["name"] == "new"
    assert ui.get(f"/runs/{run['id']}/logs")["content"] == "hello\n"
    with ui.stream(f"/runs/{run['id']}/logs/stream") as events:
        assert [event["type"] for event in events] == ["initial", "done"]
    ui.post("/runs", name="second", command="true")
    following = ui.call("GET", "/runs?limit=1").headers["link"]
    assert following.startswith(f"<{other_site.base_url}ra-jobs/runs?limit=1&before=")
    ui.call("GET", "/wild-mode").error(404)
    ui.call("POST", "/runs", b"{").error(400)
    ui.call("POST", f"/runs/{run['id']}/start").error(409)
    UI(other_site, token=None).call("GET", "/runs").error(403)
    ui.call("POST", "/runs", b" " * 3_000_000).error(413)
