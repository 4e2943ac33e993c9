"""Kernels and clients on real servers."""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from jupyter_client.blocking.client import BlockingKernelClient

from jupyter_ra_jobs.cells import session
from jupyter_ra_jobs.client import AsyncClient, Client
from jupyter_ra_jobs.client.address import Address, read_address, server_file
from jupyter_ra_jobs.models import NewRun, Run
from tests.conftest import PATIENCE, TOKEN, Server, World, wait_for

ROOT = Path(__file__).parents[2]


def address_of(server: Server) -> Address:
    """Where this very server says it is."""
    assert server.process is not None
    pid = server.process.pid

    def said() -> Address | None:
        assert server.process is not None
        assert server.process.poll() is None, server.output()
        found = read_address(server_file(server.world.workdir))
        return found if found is not None and found.pid == pid else None

    return wait_for(said, "the server says where it is")


class Jupyter:
    """Jupyter's own API of a server, whatever it listens on."""

    def __init__(self, server: Server, *, token: str | None = TOKEN, password: str | None = None) -> None:
        self.server = server
        self.address = address_of(server)
        transport = httpx.HTTPTransport(uds=self.address.socket, verify=False)
        base = self.address.url.removesuffix("ra-jobs")
        self.http = httpx.Client(base_url=base, transport=transport, timeout=PATIENCE)
        if token is not None:
            self.http.headers["Authorization"] = f"token {token}"
        wait_for(self._answers, "Jupyter answers")
        if password is not None:
            self.http.get("login")
            xsrf = self.http.cookies["_xsrf"]
            self.http.headers["X-XSRFToken"] = xsrf
            done = self.http.post("login", data={"password": password, "_xsrf": xsrf})
            assert done.status_code == 302, done.text

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.http.get("ra-jobs/").status_code == 200
        return False

    @contextlib.contextmanager
    def kernel(self, folder: str = "") -> Iterator[Callable[[str], str]]:
        """A kernel that this server started, as a page would have it; gives a function that runs a cell."""
        body = {"name": "python3", **({"path": folder} if folder else {})}
        made = self.http.post("api/kernels", json=body)
        assert made.status_code == 201, made.text
        kernel_id = made.json()["id"]
        file = self.server.world.root / "runtime" / f"kernel-{kernel_id}.json"
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels(hb=False)  # whose one second is too short for a loaded machine
        try:
            client.wait_for_ready(timeout=PATIENCE)
            yield lambda code: run_cell(client, code)
        finally:
            client.stop_channels()
            self.http.delete(f"api/kernels/{kernel_id}")


def run_cell(client: BlockingKernelClient, code: str) -> str:
    """What a cell prints; an error in it is one here."""
    printed: list[str] = []

    def hook(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, output_hook=hook, timeout=PATIENCE)
    content = reply["content"]
    assert content["status"] == "ok", "\n".join(content.get("traceback", [str(content)]))
    return "".join(printed)


class Both:
    """A client of either kind, called in the same way."""

    def __init__(self, kind: type[Client] | type[AsyncClient], **options: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.client = kind(**options)
        self.is_awaited = kind is AsyncClient

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            given = found(*arguments, **named)
            if inspect.isawaitable(given):
                return self.loop.run_until_complete(cast("Awaitable[Any]", given))
            return self._each(given) if inspect.isasyncgen(given) else given

        return call

    def _each(self, given: AsyncIterator[Any]) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self.loop.run_until_complete(anext(given))
                except StopAsyncIteration:
                    return
        finally:
            self.loop.run_until_complete(given.aclose())  # type: ignore[attr-defined]

    def launch(self, command: str, **more: Any) -> Run:
        """A new run, started."""
        made: Run = self.create_run(NewRun(name="test", command=command, auto_start=True, **more))
        return made

    def ended(self, run_id: str) -> Run:
        """The run once it has ended."""
        *_, last = self.watch_run(run_id)
        ended: Run = last
        return ended

    def end(self) -> None:
        """Nothing of it is left."""
        self.close()
        self.loop.close()


KINDS = [pytest.param(Client, id="blocking"), pytest.param(AsyncClient, id="awaiting")]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> type[Client] | type[AsyncClient]:
    """Each kind of client."""
    found: type[Client] | type[AsyncClient] = request.param
    return found


@pytest.fixture
def both(kind: type[Client] | type[AsyncClient], shared_server: Server) -> Iterator[Both]:
    """A client of each kind, on a server that all tests of a module share."""
    made = Both(kind, workdir=shared_server.world.workdir)
    yield made
    made.end()


@pytest.fixture
def own(kind: type[Client] | type[AsyncClient], server: Server) -> Iterator[Both]:
    """A client of each kind, on a server of the test's own."""
    made = Both(kind, workdir=server.world.workdir)
    yield made
    made.end()


@pytest.fixture
def nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A process that knows of no server, in a workdir that has none."""
    for name in ("JPY_PARENT_PID", "RA_JOBS_URL", "RA_JOBS_TOKEN", "JUPYTER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "TMUX_TMPDIR", "HOME"):
        monkeypatch.setenv(name, world.env[name])
    monkeypatch.chdir(world.workdir)
    monkeypatch.setattr(session, "_client", None)
    yield world
    if session._client is not None:
        session._client.close()


@pytest.fixture
def cells(nobody: World, shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """This process as a kernel in the workdir of a running server; that server."""
    monkeypatch.chdir(shared_server.world.workdir)
    return shared_server
