"""Nobody gets in: every route that the running server has, every method, every kind of caller.

The routes are taken from the server's own router, so that one which is added later is walked too.
"""

import contextlib
import re
import warnings
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.auth.identity import User
from jupyter_server.serverapp import JupyterServerAuthWarning, ServerApp
from tornado.routing import PathMatches, Router, Rule, RuleRouter

from jupyter_ra_jobs import bundles
from jupyter_ra_jobs.states import RunStatus
from tests.conftest import World
from tests.server.conftest import UNKNOWN, Api
from tests.server.test_access import EXECUTE, HASH, METHODS, ROUTE_LIST, WRITE
from tests.server.test_status import launched
from tests.unit.records import make_sweep

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
OPEN = {("GET", "/"), ("GET", "")}
UI = "https://ui.example:3000"
OTHER = "https://other.example"
_GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)")
_NAMED = {
    **dict.fromkeys(["run_id", "sweep_id", "alert_id"], "ID"),
    "name": "NAME",
    "sha256": "HASH",
    "bundle": "BUNDLE",
}


def rules(router: RuleRouter) -> Iterator[Rule]:
    """Every rule that leads to a handler."""
    for rule in router.rules:
        if isinstance(rule.target, RuleRouter):
            yield from rules(rule.target)
        else:
            assert not isinstance(rule.target, Router), f"{rule} hides its routes from this walk"
            yield rule


def served(serverapp: ServerApp) -> dict[str, type[Any]]:
    """Our paths in the running server, with ID and NAME for what they take, and their handlers."""
    app, found = serverapp.web_app, {}
    for rule in [*rules(app.default_router), *rules(app.wildcard_router)]:
        assert isinstance(rule.matcher, PathMatches)
        pattern = rule.matcher.regex.pattern
        below = re.match(r".*?/(?:ra-jobs|static/ra_jobs)", pattern)
        if below or rule.target.__module__.startswith("jupyter_ra_jobs"):
            assert below, f"{pattern} is a route of ours outside of our prefix"
            path = _GROUP.sub(lambda group: _NAMED[group[1]], pattern[below.end() :]).removesuffix("$")
            found[path.replace("/.*", "/no/such/route").replace("\\", "")] = rule.target
    return found


@pytest.fixture
def routes(jp_serverapp: ServerApp) -> dict[str, type[Any]]:
    """What is served."""
    return served(jp_serverapp)


def there(path: str, run_id: str) -> str:
    """The path for this run, or sweep, or alert."""
    return path.replace("ID", run_id).replace("HASH", HASH).replace("BUNDLE", bundles.entry("page"))


async def cookie(api: Api) -> str:
    """What a browser holds once it has logged in."""
    answer = await api.get("/sessions")
    jar = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
    (login,) = [f"{name}={morsel.value}" for name, morsel in jar.items() if name.startswith("username-")]
    return login


async def refused_all(
    api: Api, routes: dict[str, type[Any]], headers: dict[str, str], methods: set[str]
) -> None:
    """Every route refuses this caller, and nothing has changed; the answer tells nothing of the run."""
    run_id = (await api.create())["id"]  # one that no tick of the server changes, however long this takes
    rev = api.services.store.rev()
    for path in routes:
        for method in sorted(methods):
            if (method, path) in OPEN and "Origin" not in headers:
                continue
            for an_id in (run_id, UNKNOWN) if "ID" in path and not headers else (run_id,):
                body = b"{}" if method in CHANGING else None
                answer = await api.call(method, there(path, an_id), body, headers)
                assert answer.status == 403, (method, path, headers, answer.body)
                assert method == "HEAD" or answer.error(403)
                assert run_id.encode() not in answer.body
    assert api.services.store.rev() == rev


def test_list_of_routes(routes: dict[str, type[Any]]) -> None:
    """What runs is what the other tests know: none more, none less."""
    known = {path for _, path in ROUTE_LIST}
    assert routes.keys() == known | {"", "/no/such/route"}
    assert {(method, path) for method, path in ROUTE_LIST if method in CHANGING} == EXECUTE | WRITE


class TestStranger:
    """Somebody without a login, whichever way Jupyter is set to treat undeclared routes."""

    @pytest.fixture(params=[False, True], ids=["closed", "jupyter's default"])
    def settings(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        """With False, Jupyter itself refuses strangers on every route that does not say otherwise."""
        return {"ServerApp": {"allow_unauthenticated_access": request.param}}

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X-Auth-Token": ""},
            {"X-Auth-Token": "wrong"},
            {"Authorization": "token wrong"},
            {"Authorization": "token "},
            {"X-Research-Agent-Key": "anything"},
            {"X-RA-Run-Token": "wrong"},
            {"Cookie": "_xsrf=abc; username-127-0-0-1=forged", "X-XSRFToken": "abc"},
            {"Cookie": "_xsrf=abc", "X-XSRFToken": "abc", "Origin": OTHER},
        ],
        ids=lambda headers: " ".join(headers) or "nothing",
    )
    async def test_nothing(self, api: Api, routes: dict[str, type[Any]], headers: dict[str, str]) -> None:
        """403 on every route and method, whether there is such a run or not, or such a route."""
        await refused_all(api, routes, headers, {"GET", "HEAD", *CHANGING})

    async def test_health(self, api: Api) -> None:
        """The one answer there is, and all of it."""
        for path in ("/", ""):
            answer = await api.call("GET", path, headers={})
            assert (answer.status, answer.json.keys()) == (200, {"status", "version"})

    async def test_preflight(self, api: Api, routes: dict[str, type[Any]]) -> None:
        """Is answered everywhere: it carries no login, and its answer holds nothing."""
        for path in routes:
            headers = {"Origin": OTHER, "Access-Control-Request-Method": "POST"}
            answer = await api.call("OPTIONS", there(path, UNKNOWN), headers=headers)
            assert (answer.status, answer.body) == (204, b""), path
            assert "Access-Control-Allow-Origin" not in answer.headers

    async def test_in_the_query(self, api: Api, routes: dict[str, type[Any]]) -> None:
        """Jupyter's token may stand in a URL; a wrong one, or a run's, opens nothing there."""
        run_id = await launched(api, "secret", "ready")
        for path in routes.keys() - {"", "/"}:
            for token in ("wrong", "secret"):
                answer = await api.call("GET", f"{there(path, run_id)}?token={token}", headers={})
                answer.error(403)


async def test_declared(world: World, jp_configurable_serverapp: Any) -> None:
    """Each method says of itself whether it needs a login: Jupyter has nothing to warn of."""
    config = {
        "ServerApp": {
            "allow_unauthenticated_access": False,
            "jpserver_extensions": {"jupyter_ra_jobs": True},
        },
        "RaJobsApp": {"workdir": str(world.workdir)},
    }
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        serverapp = jp_configurable_serverapp(config=config)
    (extension,) = serverapp.extension_manager.extension_apps["jupyter_ra_jobs"]
    await extension.stop_extension()
    found = [str(each.message) for each in said if issubclass(each.category, JupyterServerAuthWarning)]
    assert not [line for text in found for line in text.splitlines() if "ra-jobs" in line]


async def test_run_token(api: Api, routes: dict[str, type[Any]]) -> None:
    """Opens the reports of its run, and no other route or method, nor another run's reports."""
    mine, other = await launched(api, "secret", "ready"), await launched(api, "another", "ready")
    token = {"X-RA-Run-Token": "secret"}
    rev = api.services.store.rev()
    for path in routes:
        for method in METHODS:
            if (method, path) not in OPEN | {("POST", "/runs/ID/status")}:
                answer = await api.call(method, there(path, mine), headers=token)
                assert answer.status == 403, (method, path)
    for an_id in (other, UNKNOWN):
        (await api.call("POST", f"/runs/{an_id}/status", {"status": "finished"}, token)).error(403)
    for headers in ({"X-Auth-Token": "secret"}, {"Authorization": "token secret"}):
        (await api.call("POST", f"/runs/{mine}/status", {"status": "finished"}, headers)).error(403)
    assert api.services.store.rev() == rev
    assert api.services.store.move(mine, RunStatus.LAUNCHING)
    answer = await api.call("POST", f"/runs/{mine}/status", {"status": "finished"}, token)
    assert (answer.status, api.services.store.status(mine)) == (200, "finished")


class OnlyRead(Authorizer):
    """A site's own rule: everybody may look, nobody may touch."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        """As Jupyter asks it."""
        return action == "read"


class TestReader:
    """Somebody who may only read."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """As a site sets it."""
        return {"ServerApp": {"authorizer_class": OnlyRead}}

    async def test_changes_nothing(self, api: Api, routes: dict[str, type[Any]]) -> None:
        """Each operation that runs or writes something is refused, before its input is looked at."""
        api.services.store.sweeps.add(make_sweep(id="a-sweep"))
        rev, walked = api.services.store.rev(), set()
        for path, handler in routes.items():
            for method in CHANGING:
                if not hasattr(getattr(handler, method.lower()), "operation"):
                    continue
                walked.add((method, path))
                for an_id in ("a-sweep", UNKNOWN):
                    for body in (
                        b"{}",
                        b"no JSON",
                        b'{"name": "x", "command": "true", "status": "finished"}',
                    ):
                        answer = await api.call(method, there(path, an_id), body)
                        answer.error(403)
        assert walked == EXECUTE | WRITE
        assert (api.services.store.rev(), api.services.store.counts()["ready"]) == (rev, 0)
        assert (await api.get("/runs")).json == []


class TestBrowser:
    """A page of another origin, in a browser that is logged in here by its cookie."""

    @pytest.fixture(params=["", UI], ids=["no allow_origin", "allow_origin"])
    def settings(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        """Without and with an origin that is allowed."""
        return {"ServerApp": {"allow_origin": request.param} if request.param else {}}

    async def test_foreign_origin(self, api: Api, routes: dict[str, type[Any]]) -> None:
        """Is refused on every route, health too, and is never named as allowed."""
        login = {"Cookie": f"{await cookie(api)}; _xsrf=abc", "X-XSRFToken": "abc", "Origin": OTHER}
        await refused_all(api, routes, login, {"GET", "HEAD", *CHANGING})
        for path in routes:
            answer = await api.call("GET", there(path, UNKNOWN), headers=login)
            assert answer.headers.get("Access-Control-Allow-Origin") in {None, UI}

    async def test_without_xsrf(self, api: Api, routes: dict[str, type[Any]]) -> None:
        """What a form of any page can send, the cookie without the token, changes nothing."""
        login = await cookie(api)
        for forged in ({}, {"X-XSRFToken": "abc"}, {"Cookie": f"{login}; _xsrf=abc", "X-XSRFToken": "xyz"}):
            await refused_all(api, routes, {"Cookie": login, **forged}, CHANGING)

    async def test_wrong_token_beside_the_cookie(self, api: Api, routes: dict[str, type[Any]]) -> None:
        """Counts for nothing: neither as a login, nor as a reason to ask for no XSRF token."""
        headers = {"Cookie": await cookie(api), "X-Auth-Token": "wrong"}
        await refused_all(api, routes, headers, CHANGING)


# -- paths ---------------------------------------------------------------------------------------------

HOSTILE = [
    "..",
    "%2e%2e",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2fetc%2fpasswd",
    "..%5c..%5cx",
    "%252e%252e%252f",
    "%00",
    "aaaaaaaaaaaa%00",
    "aaaaaaaaaaaa%0a",
    "%ff",
    "%c3%a9",
    "a%20b",
    "*",
    "$HOME",
    "x" * 65,
    "x" * 30_000,
]


@pytest.mark.parametrize("an_id", HOSTILE, ids=lambda an_id: an_id[:30])
async def test_hostile_id(api: Api, routes: dict[str, type[Any]], an_id: str) -> None:
    """No id is ever a path: 404 on every route, and nothing is made on the disk."""
    was = sorted(api.services.layout.data.rglob("*"))
    for path, handler in routes.items():
        if "ID" not in path:
            continue
        for method in ("GET", "POST", "PUT"):
            if hasattr(getattr(handler, method.lower()), "operation"):
                answer = await api.call(method, there(path, an_id), b"{}" if method != "GET" else None)
                answer.error(404)
                assert b"root:" not in answer.body
                assert len(answer.body) < 100_000
    assert sorted(api.services.layout.data.rglob("*")) == was


async def test_longest_request_line(api: Api) -> None:
    """A query beyond what an HTTP server reads is turned away with its connection; the next one is served."""
    run = await api.create()
    for path in ("/runs?q=", f"/runs/{run['id']}/logs/search?q=", "/events?since=", "/no/such/route?"):
        (await api.call("GET", path + "9" * 30_000)).error(404 if "such" in path else 400)
        with contextlib.suppress(OSError):  # it closes the connection, which shows in several ways
            assert (await api.call("GET", path + "9" * 200_000)).status >= 400
        assert (await api.get(f"/runs/{run['id']}")).json == run


class TestStreams:
    """How many may be open at once."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """Few."""
        return {"RaJobsApp": {"max_streams": 2}}

    async def test_one_too_many(self, api: Api) -> None:
        """Gets 503 and is told when to come back; a stream that ends makes room."""
        run_id = await api.create_at("running")
        path = f"/runs/{run_id}/logs/stream"
        answer = await api.call("GET", f"/events?log={run_id}&log={await api.create_at('stopped')}")
        assert "0 streams are open, and no more than 2" in answer.error(503)  # three, with the logs
        async with api.stream("/events") as events:
            await events.readuntil(b"\n\n")
            async with api.stream(path) as log:
                await log.readuntil(b"\n\n")
                for third in (path, "/events"):
                    answer = await api.call("GET", third)
                    assert "2 streams are open" in answer.error(503)
                    assert int(answer.headers["Retry-After"]) > 0
                    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
                assert (await api.get(f"/runs/{run_id}/logs")).status == 200
            while (
                await api.call("GET", f"/runs/{await api.create_at('stopped')}/logs/stream")
            ).status == 503:
                pass  # the server has not seen yet that the reader is gone
            await events.readuntil(b"\n\n")
