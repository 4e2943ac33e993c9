"""The owner's token: in files that our user alone can read, taken by our routes in place of Jupyter's."""

import contextlib
import getpass
import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_server.auth import Authorizer, IdentityProvider
from jupyter_server.auth.identity import User

from jupyter_ra_jobs.handlers import base
from tests.server.conftest import Api


def token_of(api: Api) -> str:
    """As a kernel finds it."""
    token: str = json.loads(api.services.layout.server_file.read_text())["token"]
    return token


def login(token: str) -> dict[str, str]:
    """By a header."""
    return {"Authorization": f"token {token}"}


class Noting(Authorizer):
    """Asks itself who may, and notes who asked."""

    may = True
    users: list[str] = []

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        """As Jupyter asks it."""
        self.users.append(f"{user.username} {action} {resource}")
        return self.may


class SingleSignOn(IdentityProvider):
    """Knows people by what a proxy says of them; of tokens it knows nothing."""

    def get_user(self, handler: Any) -> User | None:
        """Who the proxy says it is."""
        name = handler.request.headers.get("X-Forwarded-User")
        return User(name) if name else None


async def test_logs_in(api: Api) -> None:
    """For everything, where Jupyter's own token is another; X-Auth-Token takes it too; no cookie is set."""
    token = token_of(api)
    assert len(token) >= 43  # 32 random bytes
    assert login(token) != api.login
    made = await api.call("POST", "/runs", {"name": "x", "command": "true"}, login(token))
    assert made.status == 200
    assert "Set-Cookie" not in made.headers
    for headers in (login(token), {"X-Auth-Token": token}):
        assert (await api.call("GET", f"/runs/{made.json['id']}", headers=headers)).status == 200
    stop = await api.call("POST", f"/runs/{made.json['id']}/stop", {}, login(token))
    assert stop.status == 409


@pytest.mark.parametrize(
    "spoilt",
    [lambda token: token[:-1], lambda token: token + "x", lambda token: "", lambda token: token.swapcase()],
)
async def test_wrong_one(api: Api, spoilt: Any) -> None:
    """Is none."""
    answer = await api.call("GET", "/runs", headers=login(spoilt(token_of(api))))
    assert "not logged in" in answer.error(403)


@pytest.mark.parametrize("given", ["é", "\xff\xfe", "token", "token ", "", "token \udcff", "Basic x"])
async def test_garbage(api: Api, given: str) -> None:
    """Any bytes at all may come."""
    raw = given.encode("utf-8", "surrogateescape").decode("latin-1")
    (await api.call("GET", "/runs", headers={"Authorization": raw})).error(403)


async def test_not_in_a_url(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stand in histories there; our log leaves it out, whatever comes of the request."""
    caplog.set_level("DEBUG")
    token = token_of(api)
    for query in (f"?token={token}", f"?token={token}&limit=1"):
        (await api.call("GET", f"/runs{query}", headers={})).error(403)
    (await api.call("POST", f"/runs?token={token}", {"name": "x", "command": "true"}, {})).error(403)
    jupyters = api.login["Authorization"].removeprefix("token ")
    (await api.get("/runs", token=jupyters, limit="x")).error(400)
    monkeypatch.delattr(type(api.services.runs), "page")
    (await api.get("/runs", token=jupyters)).error(500)
    assert "403 GET /" in caplog.text
    assert "Uncaught exception GET /" in caplog.text
    assert token not in caplog.text
    assert jupyters not in caplog.text


async def test_not_in_a_cookie(api: Api) -> None:
    """A page of another origin would have it sent by the browser."""
    token = token_of(api)
    for name in ("token", "_xsrf", "username-localhost"):
        headers = {"Cookie": f"{name}={token}"}
        (await api.call("GET", "/runs", headers=headers)).error(403)


async def test_page_of_another_origin(api: Api) -> None:
    """Has no token; and were it told one, its browser would not send that for it."""
    evil = {"Origin": "https://evil.example"}
    (await api.call("GET", "/runs", headers=evil)).error(403)
    (await api.call("POST", "/runs", {"name": "x", "command": "true"}, evil)).error(403)
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    preflight = await api.call("OPTIONS", "/runs", headers=evil | asks)
    assert "Access-Control-Allow-Origin" not in preflight.headers


async def test_foreign_host(api: Api) -> None:
    """A name that leads to this machine (DNS rebinding) is refused before anything is asked."""
    headers = {"Host": "evil.example", **login(token_of(api))}
    assert (await api.call("GET", "/runs", headers=headers)).status == 403


async def test_is_of_our_routes_alone(api: Api, jp_base_url: str) -> None:
    """To Jupyter's own it is no token: kernels, files and terminals are not what it is for."""
    for path in ("api/kernels", "api/contents", "api/sessions"):
        response = await api.client.fetch(
            jp_base_url + path, headers=login(token_of(api)), raise_error=False, follow_redirects=False
        )
        assert response.code == 403


async def test_is_another_one_each_time(api: Api) -> None:
    """And shown nowhere: not by an answer, nor in the store, nor to a run."""
    token = token_of(api)
    other = api.services.owners_token
    assert other == token
    run = await api.create("env; cat /proc/$PPID/environ /proc/$PPID/cmdline", auto_start=True)
    await api.ended(run["id"])
    seen = api.log(run["id"]).read_bytes()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            seen += " ".join(process.cmdline()).encode(errors="replace")
    for path in ("/", "/runs", f"/runs/{run['id']}", "/openapi.json", "/cluster", "/alerts"):
        seen += (await api.get(path)).body
    for file in api.services.layout.data.rglob("*"):
        if file.is_file() and file != api.services.layout.server_file:
            seen += file.read_bytes()
    assert b"RA_RUN_ID" in seen
    assert token.encode() not in seen


async def test_files(api: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """For our user alone, whatever the umask; a runtime dir that takes nothing is said, and no more."""
    folder = tmp_path / "another"
    folder.mkdir()
    before = os.umask(0)
    try:
        api.services._tell_kernels(folder)
    finally:
        os.umask(before)
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["token"] == token_of(api)
    assert api.services.layout.server_file.stat().st_mode & 0o777 == 0o600
    with caplog.at_level("WARNING"):
        api.services._tell_kernels(Path("/proc/self"))
        api.services._tell_kernels(folder / "none")
    said = [record.getMessage() for record in caplog.records if "kernels can't find" in record.getMessage()]
    assert len(said) == 2
    assert token_of(api) not in caplog.text


class TestAuthorizer:
    """A site's authorizer is asked about the owner as about anybody."""

    @pytest.fixture
    def settings(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """Set as a site does it."""
        monkeypatch.setattr(Noting, "users", [])
        return {"ServerApp": {"authorizer_class": Noting}}

    async def test_is_asked(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """By the name of our user, whom it may refuse."""
        headers = login(token_of(api))
        assert (await api.call("GET", "/runs", headers=headers)).status == 200
        assert Noting.users == [f"{getpass.getuser()} read jupyter_ra_jobs:runs"]
        monkeypatch.setattr(Noting, "may", False)
        (await api.call("GET", "/runs", headers=headers)).error(403)

    async def test_user_without_a_name(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """As a container may have it, with a uid that is in no list."""

        def unknown() -> str:
            raise KeyError("getpwuid(): uid not found: 1000660000")

        monkeypatch.setattr(base.getpass, "getuser", unknown)  # type: ignore[attr-defined]
        base._users_name.cache_clear()
        try:
            assert (await api.call("GET", "/runs", headers=login(token_of(api)))).status == 200
            assert Noting.users == [f"{os.geteuid()} read jupyter_ra_jobs:runs"]
        finally:
            base._users_name.cache_clear()


class TestSingleSignOn:
    """Where people are known by something else than a token, kernels still are by theirs."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        """Set as a site does it."""
        return {"ServerApp": {"identity_provider_class": SingleSignOn}}

    async def test_owner(self, api: Api) -> None:
        """And nobody else is."""
        assert (await api.call("GET", "/runs", headers=login(token_of(api)))).status == 200
        assert (await api.call("GET", "/runs", headers={"X-Forwarded-User": "ada"})).status == 200
        (await api.call("GET", "/runs", headers={})).error(403)
        (await api.call("GET", "/runs", headers=login("wrong"))).error(403)
