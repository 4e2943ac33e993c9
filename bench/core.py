"""What the main job costs, each figure beside its reference from the same run: `make bench`.

Everything runs on a server, a tmux and a workdir of its own, on loopback. Figures are medians unless they
say otherwise; ratios are what to quote, since machines differ. Takes about two minutes.

    python bench/core.py [NAME ...]       NAME: start, throughput, listing, pages, streams
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.models import Run
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store

TOKEN = "bench"
HEADERS = {"Authorization": f"token {TOKEN}"}
STORED = 100_000
TEN_GB = 10 * 1000**3
STREAMS = 200


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
            for name in ("reference", "default"):  # ours and the server's, both in our TMUX_TMPDIR
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


def start(root: Path) -> None:
    """From the call of /start to the first byte, and to the end seen over HTTP; the sidecar's memory."""
    with Bench(root / "start").running() as bench:
        bench.tmux("new-session", "-d", "-s", "reference", "sleep 600")
        bare, first_byte, to_end = [], [], []
        for n in range(25):
            out = bench.root / f"bare-{n}"

            def bare_window(out: Path = out) -> None:
                bench.tmux("new-window", "-d", "-t", "reference:", f"echo x > {out}")
                until(lambda: has_bytes(out))

            bare.append(timed(bare_window))
            run = bench.api("POST", "/runs", {"name": "first byte", "command": "echo x"})

            def to_first_byte(run: dict[str, Any] = run) -> None:
                bench.api("POST", f"/runs/{run['id']}/start")
                until(lambda: has_bytes(Path(run["run_dir"]) / "run.log"))

            first_byte.append(timed(to_first_byte))
            run = bench.api("POST", "/runs", {"name": "true", "command": "true"})

            def to_finished(run: dict[str, Any] = run) -> None:
                bench.api("POST", f"/runs/{run['id']}/start")
                until(lambda: bench.api("GET", f"/runs/{run['id']}")["status"] == "finished")

            to_end.append(timed(to_finished))
        reference = statistics.median(bare)
        for what, found, most in (
            ("POST /start to the first byte in run.log", first_byte, 8),
            ("POST /start of `true` to finished over HTTP", to_end, 15),
        ):
            value = statistics.median(found)
            shown = f"bare window {reference * 1e3:.1f} ms"
            say(
                what,
                f"{value * 1e3:.1f} ms",
                shown,
                value / reference,
                f"<= {most} x",
                value <= most * reference,
            )
        sleeper = bench.api("POST", "/runs", {"name": "rss", "command": "sleep 600", "auto_start": True})[
            "id"
        ]
        until(lambda: bench.api("GET", f"/runs/{sleeper}")["status"] == "running")
        spool = bench.workdir / ".agents" / "runs" / sleeper / "events.jsonl"
        sidecar = json.loads(spool.read_text().splitlines()[0])["sidecar"]["pid"]
        time.sleep(1)
        used = bench.rss(sidecar)
        say("resident memory of a sidecar", f"{used:.1f} MB", "15 MB", used / 15, "<= 15 MB", used <= 15)
        bench.api("POST", f"/runs/{sleeper}/stop")
        until(lambda: bench.api("GET", f"/runs/{sleeper}")["status"] == "stopped")


def throughput(root: Path) -> None:
    """200 runs of `true`, 16 at a time."""
    with Bench(root / "throughput", "--RaJobsApp.max_running=16").running() as bench:
        count = 200
        runs = [bench.api("POST", "/runs", {"name": f"t{n}", "command": "true"})["id"] for n in range(count)]

        def all_of_them() -> None:
            for run_id in runs:
                bench.api("POST", f"/runs/{run_id}/start")
            until(lambda: bench.api("GET", "/")["counts"]["finished"] == count)

        rate = count / timed(all_of_them)
        bench.tmux("new-session", "-d", "-s", "reference", "sleep 600")
        bare = count / timed(
            lambda: [bench.tmux("new-window", "-d", "-t", "reference:", "true") for _ in range(count)]
        )
        say(
            "200 runs of `true`, 16 at a time",
            f"{rate:.1f}/s",
            f"bare windows {bare:.0f}/s",
            rate / bare,
            ">= 20/s",
            rate >= 20,
        )


def stored_run(n: int, layout: Layout) -> Run:
    """One of many runs."""
    base: dict[str, Any] = dict.fromkeys(Run.__struct_fields__)
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
        "priority": 0,
    }
    return Run(**base)


def fill(workdir: Path) -> None:
    """100,000 runs."""
    layout = Layout(workdir)
    layout.create()
    store = Store(layout.database, layout.runs)
    with store.transaction():
        for n in range(STORED):
            store.add(stored_run(n, layout))
    store.close()


def listing(root: Path) -> None:
    """The list, and the server's memory, with 100,000 runs stored."""
    memory = []
    for name in ("empty", "full"):
        bench = Bench(root / f"listing-{name}")
        if name == "full":
            fill(bench.workdir)
        with bench.running():
            ours, jupyter = [], []
            for _ in range(200):
                ours.append(timed(partial(bench.api, "GET", "/runs?limit=50")))
                jupyter.append(timed(partial(bench.call, "GET", "/api/status")))
            bench.api("GET", "/runs?limit=50&q=nowhere")
            bench.api("GET", "/runs?limit=1000&status=finished")
            memory.append(bench.rss(bench.pid))
    value, reference = statistics.median(ours), statistics.median(jupyter)
    say(
        "GET /runs?limit=50 of 100,000 runs",
        f"{value * 1e3:.2f} ms",
        f"/api/status {reference * 1e3:.2f} ms",
        value / reference,
        "<= 3 x",
        value <= 3 * reference,
    )
    grown = memory[1] - memory[0]
    say(
        "server memory for 100,000 runs",
        f"{grown:.1f} MB",
        f"empty {memory[0]:.0f} MB",
        memory[1] / memory[0],
        "<= 40 MB",
        grown <= 40,
    )


def pages(root: Path) -> None:
    """Pages of a 10 GB log against those of a 10 KB one."""
    with Bench(root / "pages").running() as bench:
        logs = {}
        for size in (10_000, TEN_GB):
            run = bench.api("POST", "/runs", {"name": "log", "command": "true", "auto_start": True})
            until(lambda run=run: bench.api("GET", f"/runs/{run['id']}")["status"] == "finished")
            with (Path(run["run_dir"]) / "run.log").open("r+b") as log:
                log.truncate(size)
            logs[size] = run["id"]
        rng = random.Random(0)
        found: dict[int, list[float]] = {size: [] for size in logs}
        for _ in range(200):
            for size, run_id in logs.items():
                path = f"/runs/{run_id}/logs?offset={rng.randrange(size)}&limit=10000"
                found[size].append(timed(lambda path=path: bench.api("GET", path)))
        small, large = (statistics.median(found[size]) for size in logs)
        say(
            "a page of a 10 GB log",
            f"{large * 1e3:.2f} ms",
            f"of a 10 KB log {small * 1e3:.2f} ms",
            large / small,
            "as fast (<= 1.5 x)",
            large <= 1.5 * small,
        )


def streams(root: Path) -> None:
    """How late a printed line is on an open stream, with 200 of them open."""
    with Bench(root / "streams").running() as bench:
        printer = "import time\nfor _ in range(200): print(repr(time.time()), flush=True); time.sleep(0.037)"
        command = f"sleep 3; {sys.executable} -c '{printer}'"
        run_id = bench.api("POST", "/runs", {"name": "stream", "command": command, "auto_start": True})["id"]
        began = time.monotonic()
        late = sorted(asyncio.run(read_streams(bench.port, run_id)))
        assert time.monotonic() - began > 3, "the streams were not open before the first line"
        p50, p99 = late[len(late) // 2] * 1e3, late[len(late) * 99 // 100] * 1e3
        shown = f"{STREAMS} streams open"
        say("a printed line on a stream, p50", f"{p50:.0f} ms", shown, p50 / 60, "< 60 ms", p50 < 60)
        say("a printed line on a stream, p99", f"{p99:.0f} ms", shown, p99 / 150, "< 150 ms", p99 < 150)


async def read_streams(port: int, run_id: str) -> list[float]:
    """Read all streams to their end; the delay of each line on every twentieth, in seconds."""
    late: list[float] = []

    async def read(measured: bool) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = f"GET /ra-jobs/runs/{run_id}/logs/stream HTTP/1.0\r\nAuthorization: token {TOKEN}\r\n\r\n"
        writer.write(request.encode())
        lines = 0
        while block := await reader.read(65536):
            now = time.time()
            for line in block.split(b"\n"):
                if measured and line.startswith(b"data: {"):
                    event = msgspec.json.decode(line[6:])
                    for shown in (event.get("content") or "").splitlines():
                        late.append(now - float(shown))
                        lines += 1
        assert lines == 200 * measured, f"{lines} lines came"
        writer.close()

    await asyncio.gather(*(read(n % 20 == 0) for n in range(STREAMS)))
    return late


BENCHES = {"start": start, "throughput": throughput, "listing": listing, "pages": pages, "streams": streams}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *BENCHES], help="default: all")
    names = parser.parse_args().names or list(BENCHES)
    print(f"{'':52} {'measured':>14} {'reference':>24} {'ratio':>8}   bar")
    root = Path(tempfile.mkdtemp(prefix="ra-bench-"))
    try:
        for name in names:
            BENCHES[name](root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
