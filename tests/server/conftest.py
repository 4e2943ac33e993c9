"""The extension in a Jupyter server inside the test's own process, on a real tmux and a real disk."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import jsonschema
import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders

from jupyter_ra_jobs.app import RaJobsApp
from jupyter_ra_jobs.handlers import ROUTES
from jupyter_ra_jobs.handlers.openapi import document
from jupyter_ra_jobs.services import Services
from jupyter_ra_jobs.states import RunStatus
from tests.conftest import PATIENCE, World

UNKNOWN = "0" * 12
DOCUMENT = document(ROUTES)


class Answer(NamedTuple):
    """What a request gave."""

    status: int
    headers: HTTPHeaders
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)

    def error(self, status: int) -> str:
        """The message of an error that has this status, and the contract's form."""
        assert self.status == status, self.body
        assert self.headers["Content-Type"] == "application/json"
        assert self.json.keys() == {"message", "reason", "detail"}
        assert all(isinstance(part, str) and part for part in self.json.values())
        assert self.json["detail"] == self.json["message"]
        return str(self.json["message"])


class Api:
    """Our routes, called over HTTP; what they answer is held against the OpenAPI document."""

    def __init__(self, app: RaJobsApp, client: AsyncHTTPClient, base_url: str, login: dict[str, str]) -> None:
        assert app.services is not None
        self.services: Services = app.services
        self.settings: dict[str, Any] = app.settings
        self.client = client
        self.prefix = f"{base_url}ra-jobs"
        self.login = login

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Any request, logged in unless `headers` say otherwise; `body` is JSON, or bytes as they are."""
        response = await self.client.fetch(
            self.prefix + path,
            method=method,
            body=body if isinstance(body, bytes | None) else json.dumps(body).encode(),
            headers=self.login if headers is None else headers,
            allow_nonstandard_methods=True,
            raise_error=False,
            follow_redirects=False,
            request_timeout=PATIENCE,
        )
        answer = Answer(response.code, response.headers, response.body or b"")
        if answer.headers.get("Content-Type") == "application/json":
            self._check(method, path, answer)
        return answer

    def _check(self, method: str, path: str, answer: Answer) -> None:
        plain = re.sub(r"(?<=^/runs/)[^/]+", "{run_id}", path.partition("?")[0])
        plain = re.sub(r"(?<=^/sweeps/)(?!wild)[^/]+", "{sweep_id}", plain)
        plain = re.sub(r"(?<=^/alerts/)[^/]+", "{alert_id}", plain)
        plain = re.sub(r"(?<=^/files/)[^/]+", "{sha256}", plain)
        operation = DOCUMENT["paths"].get(plain, {}).get(method.lower())
        if operation is not None and answer.status == 200:
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            jsonschema.validate(answer.json, {**schema, "components": DOCUMENT["components"]})

    async def get(self, path: str, **query: Any) -> Answer:
        """GET."""
        return await self.call("GET", path + ("?" + urlencode(query) if query else ""))

    async def post(self, path: str, **body: Any) -> Answer:
        """POST."""
        return await self.call("POST", path, body)

    async def put(self, path: str, **body: Any) -> Answer:
        """PUT."""
        return await self.call("PUT", path, body)

    async def send(
        self, path: str, headers: dict[str, str]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A GET on a connection of its own, in HTTP/1.0, so that nothing is chunked."""
        port = self.client.get_http_port()  # type: ignore[attr-defined]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
        lines = [f"GET {self.prefix}{path} HTTP/1.0", f"Host: 127.0.0.1:{port}"]
        lines += [f"{name}: {value}" for name, value in {**self.login, **headers}.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        return reader, writer

    @asynccontextmanager
    async def stream(self, path: str, **headers: str) -> AsyncIterator[asyncio.StreamReader]:
        """The body of an event stream, byte for byte as it comes; leaving it closes the connection."""
        reader, writer = await self.send(path, headers)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            assert head.startswith("HTTP/1.1 200 OK\r\n"), head
            assert "\r\nContent-Type: text/event-stream\r\n" in head
            yield reader
        finally:
            writer.close()
            await writer.wait_closed()

    async def amid(self, path: str, change: Callable[[], object]) -> tuple[int, int]:
        """A download, and what happens amid it: how many bytes were announced, and how many came.

        What is announced must be more than the buffers on the way hold, 50 MB.
        """
        reader, writer = await self.send(path, {})
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            change()
            announced = re.search(r"Content-Length: (\d+)", head)
            assert announced is not None, head
            return int(announced[1]), len(await reader.read())
        finally:
            writer.close()
            await writer.wait_closed()

    async def run(self, run_id: str) -> dict[str, Any]:
        """A run as it is now."""
        answer = await self.get(f"/runs/{run_id}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    async def create(self, command: str = "true", **more: Any) -> dict[str, Any]:
        """A new run."""
        answer = await self.post("/runs", **{"name": "test", "command": command, **more})
        assert answer.status == 200, answer.body
        made: dict[str, Any] = answer.json
        return made

    async def create_at(self, status: str, **more: Any) -> str:
        """A new run that the store has brought to this status, without a process; its id."""
        run_id: str = (await self.create(**more))["id"]
        ways = {
            "ready": "",
            "queued": "queued",
            "launching": "launching",
            "running": "launching running",
            "finished": "launching running finished",
            "failed": "launching running failed",
            "stopped": "launching running stopped",
        }
        for step in ways[status].split():
            assert self.services.store.move(run_id, RunStatus(step))
        return run_id

    async def until(self, run_id: str, *statuses: str) -> dict[str, Any]:
        """The run once it has one of these statuses."""
        await eventually(lambda: self.services.store.status(run_id) in statuses, f"{run_id} is {statuses}")
        return await self.run(run_id)

    async def ended(self, run_id: str) -> dict[str, Any]:
        """The run once it has ended."""
        return await self.until(run_id, "finished", "failed", "stopped")

    def log(self, run_id: str) -> Path:
        """Where a run's log is; its folder is made."""
        path: Path = self.services.layout.log(run_id)
        path.parent.mkdir(exist_ok=True)
        return path

    def keep(self, run_id: str, name: str, content: bytes = b"kept") -> Path:
        """A file that a run has in its artifacts folder."""
        path: Path = self.services.layout.artifacts(run_id) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path


async def eventually(condition: Callable[[], Any], what: str = "") -> None:
    """Wait until `condition` is true, while the server in this process goes on."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"never came true: {what or condition}"
        await asyncio.sleep(0.01)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world that this process itself is in."""
    root = tmp_path / "world"
    root.mkdir()
    made = World(root)
    with pytest.MonkeyPatch.context() as ours:  # not the test's own, which it may undo
        ours.setenv("TMUX_TMPDIR", str(made.tmux_tmpdir))
        ours.delenv("TMUX", raising=False)
        yield made
    made.end()


@pytest.fixture
def settings() -> dict[str, Any]:
    """What a test configures: `{"RaJobsApp": {...}, "ServerApp": {...}}`."""
    return {}


@pytest.fixture
def jp_server_config(world: World, settings: dict[str, Any]) -> dict[str, Any]:
    """The server's configuration, for pytest-jupyter."""
    extensions = {"jupyter_ra_jobs": True, "jupyter_server_terminals": False}
    return {
        **settings,
        "ServerApp": {"jpserver_extensions": extensions, **settings.get("ServerApp", {})},
        "RaJobsApp": {"workdir": str(world.workdir), **settings.get("RaJobsApp", {})},
    }


@pytest.fixture
def app(jp_serverapp: ServerApp, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[RaJobsApp]:
    """The extension, started as a server starts it."""
    (extension,) = jp_serverapp.extension_manager.extension_apps["jupyter_ra_jobs"]
    jp_asyncio_loop.run_until_complete(extension._start_jupyter_server_extension(jp_serverapp))
    yield extension
    jp_asyncio_loop.run_until_complete(extension.stop_extension())


@pytest.fixture
def api(
    app: RaJobsApp, http_server_client: AsyncHTTPClient, jp_base_url: str, jp_auth_header: dict[str, str]
) -> Api:
    """The routes of a running server."""
    return Api(app, http_server_client, jp_base_url, jp_auth_header)
