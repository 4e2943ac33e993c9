"""Agents for tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.conftest import Server, World
from tests.mcp_server import agent as agents

WHY = "the extra mcp is not installed"


@pytest.fixture(scope="module")
def shared_agent(shared_server: Server) -> Iterator[agents.Agent]:
    """One for all tests of a module, at the module's server."""
    pytest.importorskip("mcp", reason=WHY)
    with agents.agent(shared_server.world) as made:
        yield made


@pytest.fixture
def agent_in(world: World) -> Callable[..., AbstractContextManager[agents.Agent]]:
    """Makes agents in a world of the test's own, as `agents.agent` does."""
    pytest.importorskip("mcp", reason=WHY)
    return partial(agents.agent, world)
