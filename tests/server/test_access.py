"""Who may do what, and what the site's authorizer is asked. Who may nothing: test_walk.py."""

import hashlib
import re
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.auth.identity import User

from jupyter_ra_jobs import bundles
from jupyter_ra_jobs.handlers import ROUTES
from tests.server.conftest import Api
from tests.unit.records import make_sweep

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SERVED = [
    (method, pattern)
    for pattern, handler, _ in ROUTES
    for method in METHODS
    if any(
        method.lower() in vars(kind)
        for kind in handler.__mro__
        if kind.__module__.startswith("jupyter_ra_jobs")
    )
]
# Everything else is for who may read.
EXECUTE = {
    ("POST", "/runs"),
    ("PUT", "/files/HASH"),
    ("PUT", "/runs/ID"),
    *(("POST", f"/runs/ID/{verb}") for verb in ("queue", "start", "stop", "rerun", "status", "terminal")),
    ("POST", "/runs/ID/add-to-sweep"),
    ("POST", "/sweeps"),
    ("POST", "/sweeps/wild"),
    ("PUT", "/sweeps/ID"),
    ("POST", "/alerts/ID/respond"),
    *(("POST", f"/sweeps/ID/{verb}") for verb in ("start", "stop", "retry", "runs")),
}
WRITE = {
    *(("POST", f"/runs/ID/{verb}") for verb in ("archive", "unarchive", "alerts", "metrics")),
    ("POST", "/cluster"),
    ("POST", "/cluster/detect"),
}
ENDLESS = "/events"
HASH = hashlib.sha256(b"{}").hexdigest()
"""Of a file with the content that the tests here send."""


def path_of(pattern: str) -> str:
    """A route's path, with ID for the run's or the sweep's, NAME for an artifact's, HASH for a file's,
    BUNDLE for one of the panel's."""
    path = re.sub(r"\(\?P<\w+_id>[^)]*\)", "ID", pattern).replace("(?P<name>.+)", "NAME")
    path = re.sub(r"\(\?P<bundle>[^)]*\)", "BUNDLE", path)
    return re.sub(r"\(\?P<sha256>[^)]*\)", "HASH", path)


ROUTE_LIST = [(method, path_of(pattern)) for method, pattern in SERVED]


def test_list_of_routes() -> None:
    """The tests below know what is served."""
    assert len(ROUTE_LIST) == len(set(ROUTE_LIST)) >= 20
    assert {route for route in ROUTE_LIST if route[0] not in {"GET", "HEAD"}} == EXECUTE | WRITE


CLOSED = [route for route in ROUTE_LIST if route[1] != "/"]


@pytest.mark.parametrize("method", METHODS)
async def test_token_of_the_existing_ui(api: Api, method: str) -> None:
    """X-Auth-Token is Jupyter's token; no XSRF cookie is asked for then."""
    run = await api.create()
    token = api.login["Authorization"].removeprefix("token ")
    headers = {"X-Auth-Token": token, "X-Research-Agent-Key": "anything"}
    path, body, expected = {
        "GET": ("/runs", None, 200),
        "HEAD": (f"/runs/{run['id']}/logs/download", None, 404),
        "POST": (f"/runs/{run['id']}/queue", {}, 200),
        "PUT": (f"/runs/{run['id']}", {"name": "new"}, 200),
        "PATCH": ("/runs", {}, 405),
        "DELETE": (f"/runs/{run['id']}", None, 405),
    }[method]
    assert (await api.call(method, path, body, headers)).status == expected
    # Where both are sent, Jupyter's own header counts.
    both = {"X-Auth-Token": token, "Authorization": "token wrong"}
    assert (await api.call(method, path, body, both)).status == 403


class Some(Authorizer):
    """Lets everybody do what `may` holds."""

    may: frozenset[str] = frozenset()
    asked: list[tuple[str, str]] = []

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        """As Jupyter asks it."""
        self.asked.append((action, resource))
        return action in self.may


class TestAuthorizer:
    """A site's own authorizer is asked, with the action and the resource that the route is about."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """The authorizer, set as a site does it."""
        return {"ServerApp": {"authorizer_class": Some}}

    @pytest.fixture(autouse=True)
    def nothing_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A list for each test."""
        monkeypatch.setattr(Some, "asked", [])

    async def call_all(self, api: Api, may: str, monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, str]]:
        """Call every route as somebody with these rights; those that were refused."""
        monkeypatch.setattr(Some, "may", frozenset(["execute"]))
        ended = await api.create_at("stopped")
        api.log(ended).write_text("text\n")
        api.keep(ended, "NAME")
        assert (await api.call("PUT", f"/files/{HASH}", b"{}")).status == 200
        Some.asked.pop()
        api.services.store.sweeps.add(make_sweep(id="a-sweep"))
        monkeypatch.setattr(Some, "may", frozenset(may.split()))
        refused = set()
        for method, path in CLOSED:
            if path == ENDLESS and "read" in may:
                async with api.stream(path) as events:
                    assert await events.readuntil(b"\n\n")
                continue
            query = "?q=text" if path.endswith("search") else ""
            body = {"status": "finished"} if path.endswith("status") else {}
            there = path.replace("ID", "a-sweep" if path.startswith("/sweeps") else ended) + query
            there = there.replace("HASH", HASH).replace("BUNDLE", bundles.entry("page"))
            answer = await api.call(method, there, body if method in {"POST", "PUT"} else None)
            assert answer.status in {200, 400, 403, 404, 409}, (method, path, answer.body)
            assert method != "GET" or answer.status == (200 if "read" in may else 403) or "sidecar" in path
            if answer.status == 403:
                refused.add((method, path))
        return refused

    async def test_who_may_read(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """Sees everything, changes nothing."""
        refused = await self.call_all(api, "read", monkeypatch)
        assert refused == EXECUTE | WRITE
        (run,) = api.services.store.runs(limit=9)
        assert (run.status, run.name, run.is_archived) == ("stopped", "test", False)

    async def test_who_may_write(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """Archives; whatever could make a command run, or say that it did, is more than that."""
        assert await self.call_all(api, "read write", monkeypatch) == EXECUTE

    async def test_who_may_only_execute(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """No action stands for another."""
        refused = await self.call_all(api, "execute", monkeypatch)
        assert refused == set(CLOSED) - EXECUTE

    async def test_what_is_asked(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each call asks once, with the resource named, whichever route was called before."""
        await self.call_all(api, "read write execute", monkeypatch)
        assert {resource for _, resource in Some.asked} == {"jupyter_ra_jobs:runs"}
        created, *asked = [action for action, _ in Some.asked]
        expected = [
            "execute" if route in EXECUTE else "write" if route in WRITE else "read" for route in CLOSED
        ]
        assert (created, asked) == ("execute", expected)
