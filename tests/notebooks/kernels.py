"""Kernels that a Jupyter server has started, as it does for a notebook."""

import http.client
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.blocking.client import BlockingKernelClient

from tests.conftest import PATIENCE, TOKEN, Server

ROOT = Path(__file__).parents[2]
NOTEBOOK = {"name": "python3", "path": "work/notebook.ipynb"}
"""One in the workdir; the server's own folder is above."""


class Outputs:
    """What a cell gave."""

    def __init__(self) -> None:
        self.printed = ""
        self.complained = ""
        self.shown: list[dict[str, str]] = []
        """MIME bundles, in their order."""
        self.error: str | None = None
        """`Name: message`."""
        self.trace = ""
        """As the cell shows it."""

    @property
    def text(self) -> str:
        """The last value, as a terminal has it."""
        return self.shown[-1]["text/plain"]

    @property
    def html(self) -> str:
        """The last value, as a notebook has it."""
        return self.shown[-1]["text/html"]

    def take(self, message: dict[str, Any]) -> None:
        """One message of the kernel."""
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "stream" and content["name"] == "stdout":
            self.printed += content["text"]
        elif kind == "stream":
            self.complained += content["text"]
        elif kind in ("execute_result", "display_data"):
            self.shown.append(content["data"])
        elif kind == "error":
            self.error = f"{content['ename']}: {content['evalue']}"
            self.trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(content["traceback"]))


class Kernel:
    """A kernel of this server; its own process, its own folder the server's."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.id: str = self._call("POST", "/api/kernels", NOTEBOOK)["id"]
        self.file = server.world.root / "runtime" / f"kernel-{self.id}.json"
        self.client = BlockingKernelClient(connection_file=str(self.file))
        self.client.load_connection_file()
        self.client.start_channels(hb=False)  # whose one second is too short for a loaded machine
        self.client.wait_for_ready(timeout=PATIENCE)

    def run(self, code: str, meanwhile: Callable[[Outputs], None] | None = None) -> Outputs:
        """What a cell gives; `meanwhile` is called after each thing that it gives."""
        outputs = Outputs()

        def take(message: dict[str, Any]) -> None:
            outputs.take(message)
            if meanwhile is not None:
                meanwhile(outputs)

        reply = self.client.execute_interactive(code, allow_stdin=False, output_hook=take, timeout=PATIENCE)
        if reply["content"]["status"] == "error" and outputs.error is None:
            outputs.error = f"{reply['content']['ename']}: {reply['content']['evalue']}"
        return outputs

    def good(self, code: str) -> Outputs:
        """What a cell gives that must not fail."""
        outputs = self.run(code)
        assert outputs.error is None, f"{code}\n{outputs.error}\n{outputs.complained}"
        return outputs

    def value(self, expression: str) -> Any:
        """A value that JSON has."""
        return json.loads(self.good(f"import json; print(json.dumps({expression}))").printed)

    def complete(self, code: str) -> list[str]:
        """What Tab would offer at the end of this."""
        reply = self.client.complete(code, reply=True, timeout=PATIENCE)
        matches: list[str] = reply["content"]["matches"]
        return matches

    def interrupt(self) -> None:
        """As by a notebook's button."""
        self._call("POST", f"/api/kernels/{self.id}/interrupt", {})

    def end(self) -> None:
        """As when a notebook is closed."""
        self.client.stop_channels()
        self._call("DELETE", f"/api/kernels/{self.id}")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return call(self.server, method, path, body)


def call(server: Server, method: str, path: str, body: Any = None) -> Any:
    """Jupyter's own API."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    try:
        connection.request(
            method,
            f"{server.base_url.rstrip('/')}{path}",
            None if body is None else json.dumps(body),
            {"Authorization": f"token {TOKEN}"},
        )
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    assert answer.status < 300, (answer.status, content)
    return json.loads(content) if content else None


class _Client(AsyncKernelClient):
    def start_channels(self, **_: Any) -> None:
        super().start_channels(hb=False)


class OfServer:
    """What nbclient takes for a kernel manager: it has the server start the kernel."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.id: str | None = None
        self.kernel_id: str | None = None

    @property
    def has_kernel(self) -> bool:
        """Whether it was started."""
        return self.id is not None

    async def start_kernel(self, **_: Any) -> None:
        """Start it."""
        self.id = self.kernel_id = call(self.server, "POST", "/api/kernels", NOTEBOOK)["id"]

    def client(self) -> AsyncKernelClient:
        """A client of it."""
        file = self.server.world.root / "runtime" / f"kernel-{self.id}.json"
        made = _Client(connection_file=str(file))
        made.load_connection_file()
        return made

    async def is_alive(self) -> bool:
        """Whether it lives."""
        return self.id is not None and any(
            kernel["id"] == self.id for kernel in call(self.server, "GET", "/api/kernels")
        )

    async def interrupt_kernel(self) -> None:
        """Interrupt it."""
        call(self.server, "POST", f"/api/kernels/{self.id}/interrupt", {})

    async def shutdown_kernel(self, now: bool = False) -> None:
        """End it."""
        if self.id is not None:
            call(self.server, "DELETE", f"/api/kernels/{self.id}")
            self.id = None

    async def cleanup_resources(self) -> None:
        """The server does."""


def execute(notebook: Any, server: Server) -> Any:
    """The notebook with its outputs, run from top to bottom in a kernel of the server."""
    from nbclient import NotebookClient

    made = NotebookClient(notebook, km=OfServer(server), timeout=PATIENCE * 2)
    return made.execute(cleanup_kc=True)


def outputs(cell: Any) -> str:
    """All that a notebook's cell shows as text."""
    return "".join(
        part.get("text") or part.get("data", {}).get("text/plain", "") for part in cell.get("outputs", [])
    )
