"""`ra.serve()`: a server from a cell."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

import jupyter_ra_jobs as ra
from jupyter_ra_jobs.cells import serve, session
from jupyter_ra_jobs.client.address import read_address, server_file
from jupyter_ra_jobs.errors import BadInput, Conflict, NoServer
from tests.conftest import Server, World, wait_for


@pytest.fixture
def served(nobody: World) -> Iterator[serve.Server]:
    """A server that a cell started, here."""
    made = ra.serve()
    yield made
    if made.is_running():
        made.stop()


def test_serve(served: serve.Server, nobody: World) -> None:
    """It is there when the call returns, on loopback alone, closed, and known to `ra`."""
    address = read_address(server_file(nobody.workdir))
    assert address is not None
    assert address.pid is not None
    assert served.url == address.url
    assert served.url.startswith("http://127.0.0.1:")
    run = ra.run("echo served").wait(progress=False)
    assert run.tail() == "served\n"
    assert httpx.get(f"{served.url}/runs").status_code == 403
    process = psutil.Process(address.pid)
    assert {each.laddr.ip for each in process.net_connections() if each.status == "LISTEN"} == {"127.0.0.1"}
    assert os.getsid(address.pid) == address.pid  # an interrupt of the kernel does not come to it
    assert process.environ()["JUPYTER_TOKEN"] != address.token
    secret = [address.token, process.environ()["JUPYTER_TOKEN"]]
    told = [
        repr(served),
        str(served),
        *process.cmdline(),
        served.log.read_text(),
        repr(session.client().address),
        repr(session.client()),
        repr(ra.AsyncClient(session.client().address)),
    ]
    assert not [each for each in told if any(word in each for word in secret)]
    assert repr(session.client()) == f"<Client: {served.url}, workdir {nobody.workdir}>"
    assert repr(served) == f"<ra.serve: {served.url}, workdir {nobody.workdir}>"
    assert served.log == nobody.workdir / ".agents" / "serve.log"
    assert served.log.stat().st_mode & 0o777 == 0o600
    assert served.log.parent.stat().st_mode & 0o777 == 0o700


def test_stop(served: serve.Server, nobody: World) -> None:
    """Its runs go on; the next one takes them up."""
    run = ra.run("read line", name="goes on")
    wait_for(lambda: run.status == "running")
    served.stop()
    served.stop()  # nothing more to do
    assert not served.is_running()
    assert repr(served).endswith(", ended>")
    assert nobody.of_run(run.id)
    with pytest.raises(NoServer, match=r"ra\.serve\(\)"):
        ra.runs()
    with pytest.raises(NoServer):
        ra.runs()
    again = ra.serve()
    (same,) = ra.runs()
    assert same.stop().wait(progress=False).status == "stopped"
    again.stop()


def test_workdir_that_has_one(nobody: World) -> None:
    """It is used, and stays what it is: who started it may need it."""
    server = Server(nobody).start()
    found = ra.serve(nobody.workdir)
    assert found.url == f"http://127.0.0.1:{server.port}/ra-jobs"
    with pytest.raises(Conflict, match=r"was not started by ra\.serve"):
        found.stop()
    assert ra.runs() == []
    server.stop()
    assert not found.is_running()
    found.stop()


def test_copy_of_a_workdir(served: serve.Server, nobody: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a server of its own, whatever the copied `.agents` says; `stop()` ends that one."""
    copy = nobody.root / "copy"
    shutil.copytree(nobody.workdir, copy)
    monkeypatch.chdir(copy)
    with pytest.raises(NoServer, match=r"ra\.serve"):
        ra.connect()
    own = ra.serve()
    assert (own.workdir, own.url == served.url) == (copy, False)
    assert ra.run("pwd").wait(progress=False).tail() == f"{copy}\n"
    own.stop()
    assert served.is_running()
    assert ra.connect(workdir=nobody.workdir).address.url == served.url


def test_two_at_once(nobody: World) -> None:
    """From two kernels: there is one server."""
    with ThreadPoolExecutor() as threads:
        urls = {each.result().url for each in [threads.submit(ra.serve) for _ in range(3)]}
    assert len(urls) == 1
    ra.serve().stop()


def test_kernel_that_is_killed(nobody: World) -> None:
    """While it starts one: the next call finds that one, and so do those that follow."""
    code = "import jupyter_ra_jobs as ra; ra.serve()"
    kernel = subprocess.Popen([sys.executable, "-c", code], env=nobody.env, cwd=nobody.workdir)

    def servers() -> list[psutil.Process]:
        return [each for each in nobody.processes() if "ra.serve()" in " ".join(each.cmdline()[2:])]

    (started,) = wait_for(lambda: [each for each in servers() if each.pid != kernel.pid])
    started.suspend()
    kernel.kill()
    kernel.wait()
    with pytest.raises(NoServer, match="somebody else has been starting a server"):
        ra.serve(timeout=0.1)
    started.resume()
    for _ in range(2):
        found = ra.serve()
        assert ra.connect().address.pid == started.pid
    run = ra.run("true").wait(progress=False)
    found.stop()
    again = ra.serve()  # nothing that it has started holds the lock
    assert ra.get(run.id) == run
    again.stop()


def test_certificate_of_the_configuration(nobody: World) -> None:
    """A user's own, that nobody has signed: it is the one that counts."""
    config = Path(nobody.env["JUPYTER_CONFIG_DIR"])
    config.mkdir()
    names = {"keyfile": str(config / "key.pem"), "certfile": str(config / "own.pem")}
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=me"]
    command += ["-keyout", names["keyfile"], "-out", names["certfile"]]
    subprocess.run(command, check=True, capture_output=True)
    (config / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": names}))
    made = ra.serve()
    assert made.url.startswith("https://127.0.0.1:")
    assert ra.run("true").wait(progress=False).status == "finished"
    made.stop()


def test_outlives_the_kernel(nobody: World) -> None:
    """Its end, and an interrupt of all that belongs to it; a later kernel finds it, and may stop it."""
    code = "import jupyter_ra_jobs as ra; print(ra.serve().url, flush=True); input()"
    kernel = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env=nobody.env | {"JPY_PARENT_PID": "1"},
        cwd=nobody.workdir,
    )
    assert kernel.stdout is not None
    url = kernel.stdout.readline().strip()
    os.killpg(kernel.pid, signal.SIGINT)
    kernel.wait()
    kernel.communicate()
    found = ra.serve()
    assert found.url == url
    assert ra.run("true").wait(progress=False).status == "finished"
    found.stop()


def test_nothing_of_the_kernel_goes_along(nobody: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not its own server's secrets, and no module of the workdir in the place of a library."""
    monkeypatch.setenv("JUPYTER_TOKEN", "of another server")
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    monkeypatch.setenv("SEEN", "yes")
    (nobody.workdir / "msgspec.py").write_text("raise SystemExit('taken for the library')")
    made = ra.serve()
    address = read_address(server_file(nobody.workdir))
    assert address is not None
    environ = psutil.Process(address.pid).environ()
    assert environ["SEEN"] == "yes"
    assert "JPY_PARENT_PID" not in environ
    assert environ["JUPYTER_TOKEN"] != "of another server"
    made.stop()


def test_options(nobody: World) -> None:
    """Those of `jupyter ra-jobs`; nothing that all users of the machine would see."""
    made = ra.serve(options=["--RaJobsApp.max_running=1"])
    first, second = (ra.run("read line") for _ in range(2))
    wait_for(lambda: (first.status, second.status) == ("running", "queued"))
    second.stop()
    first.stop().wait(progress=False)
    assert ra.serve(options=["--RaJobsApp.max_running=1"]).url == made.url
    with pytest.raises(Conflict, match=r"without --RaJobsApp\.max_running=2; .*ra\.serve\('/.*'\)\.stop\(\)"):
        ra.serve(options=["--RaJobsApp.max_running=2"])
    assert made.is_running()
    made.stop()
    for mistyped, right in (("RaJobApp.shell", "RaJobsApp.shell"), ("ServerApp.prot", "ServerApp.port")):
        with pytest.raises(NoServer, match=rf"--{mistyped} is no option; did you mean --{right}\?"):
            ra.serve(options=[f"--{mistyped}=1"])
    for secret in ("--IdentityProvider.token=x", "--ServerApp.password=x"):
        with pytest.raises(BadInput, match="seen by everybody"):
            ra.serve(options=[secret])
    for wrong in ("--x=1", ["x"], [5]):
        with pytest.raises(BadInput, match="options"):
            ra.serve(options=wrong)  # type: ignore[arg-type]


def test_bad_workdir(nobody: World) -> None:
    """Says what is wrong with it."""
    with pytest.raises(BadInput, match=r"there is no folder .*/none; make it first"):
        ra.serve("none")
    with pytest.raises(BadInput, match="must be a path, not 5"):
        ra.serve(5)  # type: ignore[arg-type]
    (nobody.workdir / "file").touch()
    with pytest.raises(BadInput, match="there is no folder"):
        ra.serve("file")
    (nobody.workdir / ".agents").touch()
    with pytest.raises(BadInput, match=r"\.agents can't be used: File exists"):
        ra.serve()


def test_what_goes_wrong(nobody: World) -> None:
    """The last lines of its log say it; nothing is left."""
    with pytest.raises(
        NoServer, match=r"(?s)ended with code 1; the end of its log, .*serve\.log:\n.*shell_"
    ) as caught:
        ra.serve(options=["--RaJobsApp.max_running=shell_"])
    assert str(caught.value).count("\n") <= 21
    with pytest.raises(NoServer, match="did not start in time; `timeout` gives it more"):
        ra.serve(timeout=0.1)
    (nobody.workdir / ".agents" / "jobs.db").write_bytes(b"no database" * 1000)
    with pytest.raises(NoServer, match=r"(?s)the end of its log.*jobs\.db"):
        ra.serve()
    assert not [each for each in nobody.processes() if "ra.serve()" in " ".join(each.cmdline())]


def test_configuration_that_lets_everybody_in(nobody: World) -> None:
    """A user's own, for another server: ours does not stay open."""
    config = Path(nobody.env["JUPYTER_CONFIG_DIR"])
    config.mkdir()
    (config / "jupyter_server_config.json").write_text(json.dumps({"IdentityProvider": {"token": ""}}))
    with pytest.raises(NoServer, match="lets everybody in without a token"):
        ra.serve()
    assert not nobody.processes()
    (config / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": {"ip": "0.0.0.0", "port": 1}})
    )
    made = ra.serve()
    assert made.url.startswith("http://127.0.0.1:")
    made.stop()


def test_example_of_the_document(nobody: World) -> None:
    """docs/serve.md, as it stands."""
    text = (Path(__file__).parents[2] / "docs" / "serve.md").read_text()
    for block in text.split("```python\n")[1:]:
        exec(textwrap.dedent(block.partition("```")[0]), {})
    assert read_address(server_file(nobody.workdir)) is None
