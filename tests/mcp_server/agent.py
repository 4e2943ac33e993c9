"""An agent as the server meets it: the protocol's own client over stdio, to a process of its own."""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.conftest import RA_JOBS, World

COMMAND = [*RA_JOBS, "mcp"]
NAMES = {"JUPYTER_TOKEN", "RA_JOBS_URL", "RA_JOBS_TOKEN"}


class Agent:
    """Calls tools, and holds what comes back against what the server said of itself."""

    def __init__(self, portal: BlockingPortal, client: Any) -> None:
        self.portal = portal
        self.client = client

    def tools(self) -> dict[str, Any]:
        """What it can do, by name."""
        return {tool.name: tool for tool in self.portal.call(self.client.list_tools).tools}

    def ask(self, tool: str, **arguments: Any) -> Any:
        """The result of a call, an error too. The client itself checks it against the tool's schema."""
        return self.portal.call(self.client.call_tool, tool, arguments)

    def call(self, tool: str, **arguments: Any) -> Any:
        """What a call gives: the same as structured content and as text."""
        result = self.ask(tool, **arguments)
        (content,) = result.content
        assert not result.is_error, content.text
        assert json.loads(content.text) == result.structured_content
        return result.structured_content

    def refused(self, tool: str, **arguments: Any) -> str:
        """The words of the error that a call gives."""
        result = self.ask(tool, **arguments)
        assert result.is_error, result
        (content,) = result.content
        words = str(content.text)
        assert "Traceback" not in words
        return words

    def ended(self, run_id: str) -> Any:
        """The run, waited for as often as it takes."""
        while not (waited := self.call("wait_for_runs", run_ids=[run_id], seconds=5))["done"]:
            pass
        (run,) = waited["runs"]
        return run


def environment(world: World, given: Mapping[str, str]) -> dict[str, str]:
    """A world's, without what would lead to its server or log in there."""
    return {**{name: value for name, value in world.env.items() if name not in NAMES}, **given}


@contextlib.contextmanager
def agent(
    world: World,
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    mode: str = "auto",
    command: list[str] | None = None,
) -> Iterator[Agent]:
    """An agent whose server of the protocol is started in `cwd`, the world's workdir if it is not given."""
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    first, *rest = [*(command or COMMAND), *arguments]
    parameters = StdioServerParameters(
        command=first, args=rest, env=environment(world, env or {}), cwd=cwd or world.workdir
    )
    said = world.root / f"mcp-{os.urandom(4).hex()}.err"
    with said.open("w") as errors, start_blocking_portal() as portal:
        client = Client(stdio_client(parameters, errors), mode=mode)
        with portal.wrap_async_context_manager(client):
            yield Agent(portal, client)
    assert "Traceback" not in said.read_text(), said.read_text()
