"""Who is at work: a culler may end a server that is only looked at, never one with active runs."""

import datetime
from collections.abc import Callable

import pytest
from jupyter_server.serverapp import ServerApp

from jupyter_ra_jobs.app import RaJobsApp
from tests.server.conftest import Api, eventually
from tests.server.test_access import ROUTE_LIST
from tests.server.test_status import launched, report


@pytest.fixture
def set_idle(api: Api, jp_serverapp: ServerApp) -> Callable[[], datetime.datetime]:
    """Make Jupyter believe that nobody has called for long; since when."""

    def back() -> datetime.datetime:
        long_ago = datetime.datetime(2000, 1, 1, tzinfo=datetime.timezone.utc)
        jp_serverapp.web_app.settings["api_last_activity"] = long_ago
        return long_ago

    return back


def last_call(serverapp: ServerApp) -> datetime.datetime:
    """When somebody last called, as Jupyter has it."""
    found: datetime.datetime = serverapp.web_app.settings["api_last_activity"]
    return found


async def test_looking(api: Api, jp_serverapp: ServerApp, set_idle: Callable[[], datetime.datetime]) -> None:
    """Every GET of ours: a panel left open must not hold off a culler."""
    run_id = await api.create_at("finished")
    api.log(run_id).write_text("text\n")
    long_ago = set_idle()
    for method, path in ROUTE_LIST:
        if method == "GET" and path != "/events":
            query = "?q=text" if path.endswith("search") else ""
            assert (await api.get(path.replace("ID", run_id) + query)).status in {200, 404}
    async with api.stream("/events") as events:
        await events.readuntil(b"\n\n")
    (await api.get("/nothing")).error(404)
    assert last_call(jp_serverapp) == long_ago


async def test_acting(api: Api, jp_serverapp: ServerApp, set_idle: Callable[[], datetime.datetime]) -> None:
    """Whatever changes something is somebody at work."""
    run = await api.create()
    for method, path, body in (
        ("POST", "/runs", {"name": "x", "command": "y"}),
        ("PUT", f"/runs/{run['id']}", {"name": "new"}),
        ("POST", f"/runs/{run['id']}/archive", {}),
    ):
        long_ago = set_idle()
        assert (await api.call(method, path, body)).status == 200
        assert last_call(jp_serverapp) > long_ago


async def test_strangers_are_nobody(
    api: Api, jp_serverapp: ServerApp, set_idle: Callable[[], datetime.datetime]
) -> None:
    """Neither who isn't logged in nor a sidecar is somebody at work."""
    run_id = await launched(api, "secret")
    long_ago = set_idle()
    (await api.call("POST", "/runs", {"name": "x", "command": "y"}, headers={})).error(403)
    await report(api, run_id, "secret", status="running", seq=1)
    assert last_call(jp_serverapp) == long_ago


async def test_active_run(api: Api, app: RaJobsApp, jp_serverapp: ServerApp) -> None:
    """Counts for Jupyter's own shutdown, and, by a setting of that ending, for a hub's culler."""
    settings = jp_serverapp.web_app.settings
    assert app.current_activity() is None
    await api.services.scheduler.tick()
    assert "ra_jobs_last_activity" not in settings
    run = await api.create("read line", auto_start=True)
    await eventually(lambda: "ra_jobs_last_activity" in settings)
    assert app.current_activity() is True
    assert jp_serverapp.extension_manager.any_activity()
    was = settings["ra_jobs_last_activity"]
    assert was.tzinfo is not None
    await eventually(lambda: settings["ra_jobs_last_activity"] > was, "each tick tells it")
    assert jp_serverapp.web_app.last_activity() >= was
    await api.post(f"/runs/{run['id']}/stop")
    await api.ended(run["id"])
    assert app.current_activity() is None
    await api.services.scheduler.tick()
    was = settings["ra_jobs_last_activity"]
    await api.services.scheduler.tick()
    assert settings["ra_jobs_last_activity"] == was


@pytest.mark.parametrize("status", ["ready", "queued", "finished", "failed", "stopped"])
async def test_other_runs(api: Api, app: RaJobsApp, status: str) -> None:
    """A run that nothing happens in holds nobody."""
    await api.create_at(status)
    assert app.current_activity() is None
