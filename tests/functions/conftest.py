"""This process as the kernel of a notebook that lies in a server's workdir."""

import os
from collections.abc import Iterator

import pytest

from jupyter_ra_jobs.cells import session
from tests.conftest import Server, World


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server; this process has the environment that its kernels have, and their folder."""
    world = World(tmp_path_factory.mktemp("functions"))
    was = os.getcwd()  # noqa: PTH109 - to come back to
    with pytest.MonkeyPatch.context() as ours:
        for name in os.environ.keys() - world.env.keys():
            ours.delenv(name)
        for name, value in world.env.items():
            ours.setenv(name, value)
        os.chdir(world.workdir)
        yield Server(world).start()
        os.chdir(was)
        client, session._client = session._client, None
        if client is not None:
            client.close()
        world.end()
