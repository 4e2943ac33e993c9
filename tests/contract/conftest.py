"""Servers that the existing UI may call, each in a process and a world of its own."""

from collections.abc import Iterator

import pytest

from tests.conftest import Server, World
from tests.contract.ui import ORIGIN, UI


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server set up for the UI's origin, for all tests of a module."""
    made = World(tmp_path_factory.mktemp("contract"))
    yield Server(made).start(f"--ServerApp.allow_origin={ORIGIN}")
    made.end()


@pytest.fixture(scope="module")
def ui(shared_server: Server) -> UI:
    """The UI, on a page that is open."""
    return UI(shared_server)
