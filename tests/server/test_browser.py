"""What browsers ask for: preflights, CORS headers, and cookies that other pages can't misuse."""

from http.cookies import SimpleCookie
from typing import Any

import pytest

from tests.server.conftest import UNKNOWN, Answer, Api
from tests.server.test_access import ROUTE_LIST

UI = "https://ui.example:3000"
OTHER = "https://other.example"
PATHS = [*sorted({path for _, path in ROUTE_LIST}), "", "/wild-mode"]


async def preflight(api: Api, path: str, origin: str) -> Answer:
    """As a browser asks, before it sends the existing UI's headers: without any login."""
    asked = "content-type,x-auth-token,x-research-agent-key"
    headers = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
        "Origin": origin,
    }
    return await api.call("OPTIONS", path.replace("ID", UNKNOWN), headers=headers)


def listed(answer: Answer, what: str) -> set[str]:
    """What a preflight's answer allows of these."""
    return {name.strip() for name in answer.headers[f"Access-Control-Allow-{what}"].lower().split(",")}


async def errors(api: Api, origin: str) -> dict[int, Answer]:
    """One error of each kind, as a page of this origin gets it; by status."""
    login = {**api.login, "Origin": origin}
    running = await api.create_at("running")
    return {
        400: await api.call("POST", "/runs", b"{", login),
        403: await api.call("GET", "/runs", headers={"Origin": origin}),
        404: await api.call("GET", f"/runs/{UNKNOWN}", headers=login),
        405: await api.call("DELETE", "/runs", headers=login),
        409: await api.call("POST", f"/runs/{running}/start", {}, login),
        413: await api.call("POST", "/runs", b" " * 3_000_000, login),
    }


class TestAllowedOrigin:
    """With `allow_origin`, the UI's origin may call, and reads every answer."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """As a site sets it."""
        return {"ServerApp": {"allow_origin": UI}}

    async def test_preflight(self, api: Api) -> None:
        """Succeeds on every route, for the headers that the UI sends."""
        for path in PATHS:
            answer = await preflight(api, path, UI)
            assert (answer.status, answer.body) == (204, b""), path
            assert answer.headers["Access-Control-Allow-Origin"] == UI
            assert listed(answer, "Headers") >= {"content-type", "x-auth-token", "x-research-agent-key"}
            assert listed(answer, "Methods") >= {"get", "post", "put"}

    async def test_errors(self, api: Api) -> None:
        """Without the header a browser would show them as a network failure."""
        for status, answer in (await errors(api, UI)).items():
            answer.error(status)
            assert answer.headers.get_list("Access-Control-Allow-Origin") == [UI]

    async def test_unknown_route(self, api: Api) -> None:
        """Neither is this one a network failure."""
        answer = await api.call("GET", "/wild-mode", headers={**api.login, "Origin": UI})
        answer.error(404)
        assert answer.headers["Access-Control-Allow-Origin"] == UI

    async def test_answers(self, api: Api) -> None:
        """And what the page may read of an answer's headers."""
        for _ in range(2):
            await api.create()
        answer = await api.call("GET", "/runs?limit=1", headers={**api.login, "Origin": UI})
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, UI)
        exposed = {
            name.strip() for name in answer.headers["Access-Control-Expose-Headers"].lower().split(",")
        }
        assert {"link", "x-ra-ignored-fields", "content-disposition"} <= exposed
        assert "Link" in answer.headers

    async def test_health(self, api: Api) -> None:
        """The UI's health check sends no token."""
        answer = await api.call("GET", "/", headers={"Origin": UI})
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, UI)

    async def test_other_origin(self, api: Api) -> None:
        """Is refused without a token, and never named as allowed: a browser hands it nothing."""
        assert (await preflight(api, "/runs", OTHER)).headers["Access-Control-Allow-Origin"] == UI
        for login in ({}, await cookies(api)):
            answer = await api.call("GET", "/runs", headers={**login, "Origin": OTHER})
            answer.error(403)
            assert answer.headers["Access-Control-Allow-Origin"] == UI


class TestAllowedPattern:
    """The same with `allow_origin_pat`: the origin that asked is named."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """As a site sets it."""
        return {"ServerApp": {"allow_origin_pat": r"https://[a-z]+\.example:3000$"}}

    async def test_origin(self, api: Api) -> None:
        """In preflights, answers and errors."""
        assert (await preflight(api, "/runs", UI)).headers["Access-Control-Allow-Origin"] == UI
        for status, answer in (await errors(api, UI)).items():
            answer.error(status)
            assert answer.headers["Access-Control-Allow-Origin"] == UI
        assert "Access-Control-Allow-Origin" not in (await preflight(api, "/runs", OTHER)).headers


async def cookies(api: Api) -> dict[str, str]:
    """The header of somebody who is logged in by cookie alone: Jupyter sets one for who came with a token."""
    answer = await api.get("/sessions")
    jar = SimpleCookie("; ".join(answer.headers.get_list("Set-Cookie")))
    login = [f"{name}={morsel.value}" for name, morsel in jar.items() if name.startswith("username-")]
    assert login
    return {"Cookie": "; ".join(login)}


async def test_foreign_origin(api: Api) -> None:
    """With no allow_origin, only who has the token comes from elsewhere: a cookie or nothing is refused."""
    await api.create()
    for headers in ({}, await cookies(api)):
        for method, path in (("GET", "/runs"), ("POST", "/runs"), ("GET", "/events")):
            body = {"name": "x", "command": "y"} if method == "POST" else None
            answer = await api.call(method, path, body, {**headers, "Origin": OTHER})
            answer.error(403)
            assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Allow-Origin" not in (await preflight(api, "/runs", OTHER)).headers
    allowed = await api.call("GET", "/runs", headers={**api.login, "Origin": OTHER})
    assert (allowed.status, allowed.headers["Access-Control-Allow-Origin"]) == (200, OTHER)
    assert len(allowed.json) == 1


async def test_cookie_of_our_own_page(api: Api) -> None:
    """Reads with the cookie; to change anything it shows the XSRF token as well."""
    run = await api.create()
    login = await cookies(api)
    assert (await api.call("GET", "/runs", headers=login)).json == [run]
    for method, path, body in (
        ("POST", "/runs", {"name": "x", "command": "y"}),
        ("PUT", f"/runs/{run['id']}", {"name": "new"}),
        ("POST", f"/runs/{run['id']}/start", None),
        ("POST", f"/runs/{run['id']}/archive", {}),
        ("POST", f"/runs/{run['id']}/status", {"status": "running"}),
    ):
        assert "_xsrf" in (await api.call(method, path, body, login)).error(403)
        wrong = {"Cookie": f"{login['Cookie']}; _xsrf=abc", "X-XSRFToken": "other"}
        (await api.call(method, path, body, wrong)).error(403)
    assert (await api.get("/runs")).json == [run]
    right = {"Cookie": f"{login['Cookie']}; _xsrf=abc", "X-XSRFToken": "abc"}
    answer = await api.call("PUT", f"/runs/{run['id']}", {"name": "new"}, right)
    assert (answer.status, answer.json["name"]) == (200, "new")


async def test_no_sniffing(api: Api) -> None:
    """No answer can be taken for a page."""
    run = await api.create()
    for path in ("/", "/runs", f"/runs/{run['id']}", f"/runs/{UNKNOWN}", "/nothing"):
        answer = await api.get(path)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
