"""What the measurements share: a server, a tmux and a workdir of their own, and how a row is printed."""

import argparse
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec import structs

from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.models import Run
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store

TOKEN = "bench"
HEADERS = {"Authorization": f"token {TOKEN}"}


def say(what: str, value: str, reference: str, ratio: float, bar: str, met: bool) -> None:
    """A row of the result."""
    print(
        f"{what:52} {value:>14} {reference:>24} {ratio:8.2f}   {bar:22} {'ok' if met else 'MISSED'}",
        flush=True,
    )


class Bench:
    """A server in a folder of its own."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        self.workdir = root / "work"
        self.workdir.mkdir(parents=True)
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "TMUX"))},
            "HOME": str(root),
            "TMUX_TMPDIR": str(root),
            "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
            "JUPYTER_TOKEN": TOKEN,
        }
        self.options = options
        self.port = 0

    @contextlib.contextmanager
    def running(self) -> Iterator["Bench"]:
        """Start, and stop with all that runs."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "jupyter_ra_jobs", "--workdir", str(self.workdir), "--allow-root"]
        command += [f"--ServerApp.port={self.port}", "--ServerApp.ip=127.0.0.1", *self.options]
        with (self.root / "server.out").open("wb") as out:
            process = subprocess.Popen(command, env=self.env, cwd=self.root, stdout=out, stderr=out)
        self.pid = process.pid
        try:
            until(self.answers)
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
            yield self
        finally:
            process.terminate()
            process.wait()
            self.end_tmux()

    def end_tmux(self) -> None:
        """Ours and the server's, both in our TMUX_TMPDIR."""
        for name in ("reference", "default"):
            subprocess.run(
                ["tmux", "-L", name, "kill-server"], env=self.env, capture_output=True, check=False
            )

    def answers(self) -> bool:
        """Whether the server does."""
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
            connection.request("GET", "/ra-jobs/")
            return connection.getresponse().status == 200
        return False

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A request on a connection that is kept."""
        self.connection.request(method, path, None if body is None else json.dumps(body), HEADERS)
        return json.loads(self.connection.getresponse().read())

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """The same, below our prefix."""
        return self.call(method, f"/ra-jobs{path}", body)

    def tmux(self, *arguments: str) -> None:
        """A tmux command of ours."""
        subprocess.run(
            ["tmux", "-L", "reference", *arguments], env=self.env, capture_output=True, check=False
        )

    def rss(self, pid: int) -> float:
        """Resident memory of a process, in MB of 10^6 bytes."""
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        raise AssertionError(pid)


def until(condition: Callable[[], Any], patience: float = 120) -> Any:
    """The first true value."""
    end = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < end, condition
        time.sleep(0.001)
    return value


def has_bytes(path: Path) -> bool:
    """Whether something was written."""
    return path.exists() and path.stat().st_size > 0


def timed(act: Callable[[], Any]) -> float:
    """Seconds."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def stored_run(n: int, layout: Layout) -> Run:
    """One of many runs."""
    base: dict[str, Any] = {field.name: None for field in structs.fields(Run) if field.required}
    run_id = f"{n:012x}"
    base |= {
        "id": run_id,
        "name": f"sweep #{n}",
        "command": f"python train.py --lr=0.{n} --seed={n}",
        "workdir": str(layout.workdir),
        "status": RunStatus.FINISHED,
        "is_archived": False,
        "created_at": time.time(),
        "started_at": time.time(),
        "ended_at": time.time(),
        "run_dir": str(layout.run_dir(run_id)),
        "exit_code": 0,
        "tags": ["bench"],
    }
    return Run(**base)


def fill(workdir: Path, count: int) -> None:
    """So many runs that have finished."""
    layout = Layout(workdir)
    layout.create()
    store = Store(layout.database, layout.runs)
    with store.transaction():
        for n in range(count):
            store.add(stored_run(n, layout))
    store.close()


def main(description: str, benches: dict[str, Callable[[Path], None]]) -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *benches], help="default: all")
    names = parser.parse_args().names or list(benches)
    print(f"{'':52} {'measured':>14} {'reference':>24} {'ratio':>8}   bar")
    root = Path(tempfile.mkdtemp(prefix="ra-bench-"))
    try:
        for name in names:
            benches[name](root)
    finally:
        shutil.rmtree(root, ignore_errors=True)
