"""Real servers on real tmux, each in a world of its own that is empty again afterwards."""

import contextlib
import http.client
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import psutil
import pytest

pytest_plugins = ["pytest_jupyter.jupyter_server"]

# Who starts us in the background may have us ignore it, and what we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

T = TypeVar("T")
# As `python -m jupyter_ra_jobs`, without an optional part of jsonschema that takes 1.5 s to import, 70 % of a
# server's start: the syntax of international URIs, which nothing here checks.
RA_JOBS = [
    sys.executable,
    "-c",
    "import runpy, sys; sys.modules['rfc3987_syntax'] = None; "
    "runpy.run_module('jupyter_ra_jobs', run_name='__main__', alter_sys=True)",
]
# JupyterLab's extensions, which the tests of the panel need, would have each server take 3 s more to start.
OTHERS = ("jupyter_lsp", "jupyterlab", "notebook", "notebook_shim")
ALONE = [f"--ServerApp.jpserver_extensions={name}=False" for name in OTHERS]
TOKEN = "a-test-token"
PATIENCE = 60.0
"""Seconds until a condition counts as never met; long, since a loaded machine is slow, not wrong."""


def wait_for(condition: Callable[[], T], what: str = "", patience: float = PATIENCE) -> T:
    """The first true value of `condition`; looks again and again until then."""
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"never came true in {patience:g} s: {what or condition}")
        time.sleep(0.01)


class World:
    """A folder with a home, a workdir and a tmux socket folder, and whatever was started in it."""

    living: ClassVar[set["World"]] = set()

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workdir = root / "work"
        self.home = root / "home"
        # A socket's path may have 107 bytes at most, so not below pytest's long ones.
        self.tmux_tmpdir = Path(f"/tmp/ra-test-{os.getpid()}-{os.urandom(4).hex()}")
        for folder in (self.workdir, self.home, self.tmux_tmpdir):
            folder.mkdir(mode=0o700)
        self.living.add(self)
        self.env = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("JUPYTER", "JPY_", "RA_", "TMUX", "PYTHONUNBUFFERED"))
            },
            "HOME": str(self.home),
            "TMUX_TMPDIR": str(self.tmux_tmpdir),
            "JUPYTER_CONFIG_DIR": str(root / "config"),
            "JUPYTER_DATA_DIR": str(root / "data"),
            "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
            "JUPYTER_TOKEN": TOKEN,
        }

    def tmux(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call tmux on this world's server."""
        return subprocess.run(
            ["tmux", "-L", "default", *arguments], env=self.env, capture_output=True, text=True, check=False
        )

    def tmux_server(self) -> psutil.Process:
        """The process of this world's tmux server."""
        return psutil.Process(int(self.tmux("display-message", "-p", "#{pid}").stdout))

    def windows(self) -> list[str]:
        """The windows there are, as `session:window`."""
        return self.tmux("list-windows", "-a", "-F", "#{session_name}:#{window_name}").stdout.splitlines()

    def processes(self, **variables: str) -> list[psutil.Process]:
        """Whatever was started in this world and still lives: it bears its tmux folder, and `variables`."""
        wanted = {"TMUX_TMPDIR": str(self.tmux_tmpdir), **variables}
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if (
                    process.pid != os.getpid()
                    and process.status() != psutil.STATUS_ZOMBIE
                    and wanted.items() <= process.environ().items()
                ):
                    found.append(process)
        return found

    def of_run(self, run_id: str) -> list[psutil.Process]:
        """What lives of a run, apart from its sidecar, which ends a moment after the run has."""
        found = []
        for process in self.processes(RA_RUN_ID=run_id):
            with contextlib.suppress(psutil.Error):  # it ended while we looked
                if not any(word.endswith("jupyter_ra_jobs_sidecar") for word in process.cmdline()):
                    found.append(process)
        return found

    def find(self, *command: str) -> list[psutil.Process]:
        """Those that run exactly this command."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):  # it ended while we looked
                if process.cmdline() == list(command):
                    found.append(process)
        return found

    def end(self) -> None:
        """End what was started here, and take the socket folder away."""
        self.tmux("kill-server")
        for number in (signal.SIGTERM, signal.SIGKILL):
            left = self.processes()
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(number)
            psutil.wait_procs(left, timeout=10)
        assert not self.processes()
        self.living.remove(self)
        for leftover in sorted(self.tmux_tmpdir.rglob("*"), reverse=True):
            leftover.rmdir() if leftover.is_dir() else leftover.unlink()
        self.tmux_tmpdir.rmdir()


class Answer(NamedTuple):
    """What a request gave."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


def _in_turn() -> Iterator[int]:
    """The thousand ports of this worker of xdist, none again soon, from any of them on: another suite may be
    running beside."""
    begin = 10_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 20 * 1_000
    first = secrets.randbelow(1_000)
    return itertools.cycle([begin + (first + n) % 1_000 for n in range(1_000)])  # a list, since threads ask


_PORTS = _in_turn()


def free_port() -> int:
    """Nobody's, and none that the kernel may give to somebody who connects, before a server has it.

    Nor one that another worker gives to a server meanwhile, or that the server before had.
    """
    for port in _PORTS:
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise AssertionError("not reached")


class Server:
    """A Jupyter server with the extension, as a process of its own."""

    def __init__(self, world: World, *options: str, base_url: str = "/") -> None:
        self.world = world
        self.options = (f"--ServerApp.base_url={base_url}", *options)
        self.base_url = base_url
        self.inside: list[str] = []
        """The command that it is started by, if it is not by itself; it must become it by exec."""
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.starts = 0

    def start(self, *options: str, port: int = 0) -> "Server":
        """Start it, and wait until it answers; on a free port, or on this one."""
        self.spawn(*options, port=port)
        wait_for(self._answers, "the server answers")
        return self

    def spawn(
        self, *options: str, prefix: Sequence[str] = (), env: dict[str, str] | None = None, port: int = 0
    ) -> None:
        """Start it, and wait for nothing; `prefix` is a command that starts it."""
        self.port = port or free_port()
        command = [*self.inside, *self.program()]
        command += ["--allow-root", "--no-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0"]
        command += [f"--ServerApp.port={self.port}", *self.options, *options]
        with (self.world.root / "server.out").open("ab") as out:
            self.starts += 1
            self.process = subprocess.Popen(
                [*prefix, *command],
                env=env or self.world.env,
                cwd=self.world.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def program(self) -> list[str]:
        """What is started, with the options that it alone has."""
        return [*RA_JOBS, "--workdir", str(self.world.workdir), *ALONE]

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output()
        with contextlib.suppress(OSError):
            file = self.world.workdir / ".agents" / "server.json"
            return json.loads(file.read_text())["port"] == self.port and self.get("/").status == 200
        return False

    def output(self) -> str:
        """What it said."""
        return (self.world.root / "server.out").read_text()

    def kill(self) -> None:
        """As a crash: kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Politely."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(30)

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Any request, logged in unless `headers` say otherwise; `body` is JSON, or bytes as they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        try:
            sent = {"Authorization": f"token {TOKEN}"} if headers is None else headers
            connection.request(method, f"{self.base_url}ra-jobs{path}", data, sent)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """GET."""
        return self.request("GET", path)

    def post(self, path: str, **body: Any) -> Answer:
        """POST."""
        return self.request("POST", path, body)

    def run(self, run_id: str) -> dict[str, Any]:
        """A run as it is now."""
        answer = self.get(f"/runs/{run_id}")
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.json
        return found

    def create(self, command: str, **more: Any) -> dict[str, Any]:
        """A new run."""
        answer = self.post("/runs", **{"name": "test", "command": command, **more})
        assert answer.status == 200, answer.body
        made: dict[str, Any] = answer.json
        return made

    def launch(self, command: str, **more: Any) -> str:
        """A new run, started; its id."""
        return str(self.create(command, auto_start=True, **more)["id"])

    def until(self, run_id: str, *statuses: str) -> dict[str, Any]:
        """The run once it has one of these statuses."""

        def there() -> dict[str, Any] | None:
            run = self.run(run_id)
            return run if run["status"] in statuses else None

        return wait_for(there, f"run {run_id} is {statuses}, not {self.run(run_id)}")

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run once it has ended."""
        return self.until(run_id, "finished", "failed", "stopped")

    def run_dir(self, run_id: str) -> Path:
        """Where the run's files are."""
        return self.world.workdir / ".agents" / "runs" / run_id

    def log(self, run_id: str) -> bytes:
        """The run's output, from the disk."""
        path = self.run_dir(run_id) / "run.log"
        return path.read_bytes() if path.exists() else b""


@pytest.fixture(autouse=True, scope="session")
def _nobodys_tmux(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whoever forgets to say which tmux server is meant gets an empty folder for it, and is found out."""
    folder = tmp_path_factory.mktemp("nobodys-tmux")
    with pytest.MonkeyPatch.context() as ours:
        ours.setenv("TMUX_TMPDIR", str(folder))
        yield
    assert not list(folder.iterdir()), "a test has touched the default tmux server"


def _started_here() -> set[psutil.Process]:
    """What this process has started and still lives, but for what a living world will end."""
    folders = {str(world.tmux_tmpdir) for world in World.living}
    found = set()
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it ended while we looked
            if (
                process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get("TMUX_TMPDIR") not in folders
            ):
                found.add(process)
    return found


@pytest.fixture(autouse=True)
def _no_process_stays() -> Iterator[None]:
    """A process that a test leaves behind is found out there, not by whichever test it disturbs later."""
    before = _started_here()
    yield
    left: set[psutil.Process] = set()

    def none_left() -> bool:
        left.clear()
        left.update(_started_here() - before)
        return not left

    with contextlib.suppress(AssertionError):
        wait_for(none_left, patience=10)
    assert not left, [(process, process.cmdline()) for process in left]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world for one test."""
    made = World(tmp_path)
    yield made
    made.end()


@pytest.fixture
def server(world: World) -> Server:
    """A running server for one test; its world ends it."""
    return Server(world).start()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server for all tests of a module that do not harm it."""
    made = World(tmp_path_factory.mktemp("shared"))
    yield Server(made).start()
    made.end()
