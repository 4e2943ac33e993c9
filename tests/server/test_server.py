"""What is about the server as a whole: health, neighbours' routes, unknown ones, the contract's document."""

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs import __version__
from jupyter_ra_jobs.handlers import ROUTES
from jupyter_ra_jobs.handlers.openapi import document
from jupyter_ra_jobs.states import RunStatus
from tests.conftest import World
from tests.server.conftest import Api


async def test_health(api: Api, world: World) -> None:
    """To everybody that it lives; to who is logged in what it works with."""
    assert (await api.call("GET", "/", headers={})).json == {"status": "ok", "version": __version__}
    await api.create()
    shown = (await api.get("/")).json
    assert shown.keys() == {"status", "version", "workdir", "tmux", "counts"}
    assert shown["workdir"] == str(world.workdir)
    assert shown["tmux"].startswith("tmux 3.")
    assert shown["counts"] == {**{status.value: 0 for status in RunStatus}, "ready": 1}


async def test_health_with_a_wrong_token(api: Api) -> None:
    """No more than without one."""
    answer = await api.call("GET", "/", headers={"X-Auth-Token": "wrong"})
    assert (answer.status, answer.json.keys()) == (200, {"status", "version"})


async def test_health_without_slash(api: Api) -> None:
    """The base URL itself does too."""
    assert (await api.call("GET", "", headers={})).json["status"] == "ok"


async def test_health_without_tmux(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The server lives, and says what it lacks; a start says so too, and leaves the run as it was."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (await api.get("/")).json["tmux"].startswith("unavailable: tmux is not installed")
    run = await api.create()
    assert "tmux is not installed" in (await api.post(f"/runs/{run['id']}/start")).error(503)
    assert await api.run(run["id"]) == run
    answer = await api.post("/runs", name="x", command="true", auto_start=True)
    assert "tmux is not installed" in answer.error(503)
    assert len((await api.get("/runs")).json) == 1


async def test_sessions(api: Api) -> None:
    """The existing UI asks for them as it loads."""
    answer = await api.get("/sessions")
    assert (answer.status, answer.json) == (200, [])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
async def test_unknown_route(api: Api, method: str) -> None:
    """404 in the form of errors, to who is logged in."""
    for path in ("/wild-mode", "/models", "/prompt-skills", "/runs/", "/runs/a/b/c", "/runs/%2e%2e/x", "/x/"):
        assert f"no route {method}" in (await api.call(method, path)).error(404)
        (await api.call(method, path, headers={})).error(403)


async def test_method_that_a_route_lacks(api: Api) -> None:
    """405 in the form of errors, and the methods that there are."""
    run = await api.create()
    for method, path, there in (
        ("DELETE", f"/runs/{run['id']}", "GET, PUT, OPTIONS"),
        ("PATCH", "/runs", "GET, POST, OPTIONS"),
        ("TRACE", f"/runs/{run['id']}/start", "POST, OPTIONS"),
        ("POST", f"/runs/{run['id']}/logs/download", "GET, HEAD, OPTIONS"),
    ):
        answer = await api.call(method, path, {})
        answer.error(405)
        assert answer.headers["Allow"] == there
    assert await api.run(run["id"]) == run


async def test_openapi(api: Api) -> None:
    """The document that docs/openapi.json holds."""
    assert (await api.get("/openapi.json")).json == json.loads(json.dumps(document(ROUTES)))


class TestBrokenStart:
    """When the parts can't be built, each route says why, and the rest of Jupyter works."""

    @pytest.fixture
    def settings(self, world: World) -> dict[str, Any]:
        """A jobs.json that is none."""
        agents = world.workdir / ".agents"
        agents.mkdir()
        (agents / "jobs.json").write_text("{runs:")
        return {}

    async def test_says_why(self, jp_fetch: Any, jp_serverapp: Any) -> None:
        """503 with the reason, from health too; to who isn't logged in, only that the server lives."""
        answer = await jp_fetch("ra-jobs", "runs", raise_error=False)
        assert answer.code == 503
        said = json.loads(answer.body)
        assert "jobs.json could not be imported" in said["message"]
        assert said["detail"] == said["message"]
        assert (await jp_fetch("ra-jobs", "/", raise_error=False)).code == 503
        stranger = {"Authorization": "token none"}
        health = await jp_fetch("ra-jobs", "/", headers=stranger)
        assert json.loads(health.body) == {"status": "ok", "version": __version__}
        assert (await jp_fetch("api", "status")).code == 200
