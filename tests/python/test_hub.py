"""A kernel of a JupyterHub user: a real Hub, proxy and single-user server, where they are installed."""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from jupyter_client.blocking.client import BlockingKernelClient

import jupyter_ra_jobs as ra
from jupyter_ra_jobs import errors
from tests.conftest import PATIENCE, World, free_port, wait_for
from tests.python.conftest import run_cell

MISSING = find_spec("jupyterhub") is None or shutil.which("configurable-http-proxy") is None
pytestmark = pytest.mark.skipif(MISSING, reason="jupyterhub or configurable-http-proxy is not installed")
TOKEN = "of-the-test-service"
CONFIG = """
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r}
c.Spawner.environment = {environ!r}
c.Spawner.args = ["--allow-root"]
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.JupyterHub.bind_url = "http://127.0.0.1:{port}/hubs/one"
c.JupyterHub.hub_port = {hub_port}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.JupyterHub.services = [dict(name="test", api_token={token!r}, admin=True)]
c.JupyterHub.db_url = "sqlite://"
"""


@pytest.fixture
def hub(world: World) -> httpx.Client:
    """A Hub on which the user ada has a server."""
    port, hub_port, api_port = (free_port() for _ in range(3))
    environ = {
        name: world.env[name]
        for name in (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "TMUX_TMPDIR",
            "PYTHONPATH",
        )
        if name in world.env
    }
    config = Path(world.env["JUPYTER_CONFIG_DIR"])
    config.mkdir()
    (config / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": {"jpserver_extensions": {"jupyter_ra_jobs": True}}})
    )
    file = world.root / "hub.py"
    file.write_text(
        CONFIG.format(
            home=str(world.workdir),
            environ=environ,
            python=sys.executable,
            port=port,
            hub_port=hub_port,
            api_port=api_port,
            token=TOKEN,
        )
    )
    env = {name: value for name, value in world.env.items() if name != "JUPYTER_TOKEN"}
    with (world.root / "hub.out").open("wb") as out:
        subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(file)],
            cwd=world.root,
            env=env,
            stdout=out,
            stderr=out,
        )
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}/hubs/one/",
        headers={"Authorization": f"token {TOKEN}"},
        timeout=PATIENCE,
    )

    def answers() -> bool:
        try:
            return client.get("hub/api/").status_code == 200
        except httpx.TransportError:
            return False

    wait_for(answers, "the Hub answers")
    assert client.post("hub/api/users/ada").status_code == 201
    assert client.post("hub/api/users/ada/server").status_code in (201, 202)
    wait_for(lambda: client.get("hub/api/users/ada").json()["server"], (world.root / "hub.out").read_text())
    return client


def test_kernel_of_a_hub_user(hub: httpx.Client, world: World) -> None:
    """Finds its server with no set-up, under the Hub's own login and authorizer; so do those with a URL."""
    made = hub.post("user/ada/api/kernels", json={"name": "python3"})
    assert made.status_code == 201, made.text
    file = Path(world.env["JUPYTER_RUNTIME_DIR"]) / f"kernel-{made.json()['id']}.json"
    client = BlockingKernelClient(connection_file=str(file))
    client.load_connection_file()
    client.start_channels(hb=False)  # whose one second is too short for a loaded machine
    client.wait_for_ready(timeout=PATIENCE)
    code = (
        "import os, jupyter_ra_jobs as ra\n"
        "run = ra.run('echo found ${JUPYTERHUB_API_TOKEN:-without}').wait(progress=False)\n"
        "print(run.status, run.tail(), ra.connect().address.url, os.environ['JUPYTERHUB_USER'])"
    )
    told = run_cell(client, code).split()
    assert told[:3] == ["finished", "found", "without"]
    assert told[3].endswith("/hubs/one/user/ada/ra-jobs")
    client.stop_channels()
    through_the_proxy = ra.Client(str(hub.base_url) + "user/ada/lab", TOKEN)
    assert [run.status for run in through_the_proxy.runs()] == ["finished"]
    with pytest.raises(errors.Forbidden):
        ra.Client(str(hub.base_url) + "user/ada/lab", "wrong", patience=0).runs()
    with pytest.raises((errors.Forbidden, errors.NoServer, errors.Unavailable)) as caught:
        ra.Client(str(hub.base_url) + "user/nobody/lab", TOKEN, patience=0).runs()
    assert str(caught.value)
    through_the_proxy.close()
