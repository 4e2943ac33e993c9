"""Each fault of the catalogue in the middle of a sweep."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conftest import Server
from tests.faults import catalogue as catalogue
from tests.faults.amid import FAULTS, Amid, field


class Fields:
    """A server for one fault after the other; another one after a fault that it did not stand."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._stack = ExitStack()
        self._server: Server | None = None

    def server(self) -> Server:
        """The server of now; must be given `back`."""
        server, self._server = self._server, None
        if server is None:
            self._stack.close()
            server = self._stack.enter_context(field(self._factory.mktemp("field")))
        return server

    def back(self, server: Server) -> None:
        """It is well."""
        self._server = server

    def close(self) -> None:
        """End it."""
        self._stack.close()


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fields]:
    """One server at a time."""
    made = Fields(tmp_path_factory)
    yield made
    made.close()


@pytest.mark.parametrize("name", FAULTS)
def test_amid_a_sweep(fields: Fields, name: str) -> None:
    """Twenty runs, four at a time; the fault while they are at work. All end as they should."""
    server = fields.server()
    amid = Amid(server, f"sweep-{name}").begin()
    FAULTS[name](amid)
    amid.check()
    fields.back(server)
