"""What the main job costs, each figure beside its reference from the same run: `make bench`.

Everything runs on a server, a tmux and a workdir of its own, on loopback. Figures are medians unless they
say otherwise; ratios are what to quote, since machines differ. Takes about two minutes.

    python bench/core.py [NAME ...]       NAME: start, throughput, listing, pages, streams
"""

import asyncio
import json
import random
import statistics
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from common import TOKEN, Bench, fill, has_bytes, main, say, timed, until

STORED = 100_000
TEN_GB = 10 * 1000**3
STREAMS = 200


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


def listing(root: Path) -> None:
    """The list, and the server's memory, with 100,000 runs stored."""
    memory = []
    for name in ("empty", "full"):
        bench = Bench(root / f"listing-{name}")
        if name == "full":
            fill(bench.workdir, STORED)
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
        lines, rest = 0, ""
        while got := await (reader.readline() if measured else reader.read(65536)):
            if measured and got.startswith(b"data: {"):
                now = time.time()
                # An event may be cut anywhere, within a line of the log too.
                *whole, rest = (rest + (msgspec.json.decode(got[6:]).get("content") or "")).split("\n")
                late.extend(now - float(shown) for shown in whole)
                lines += len(whole)
        assert lines == 200 * measured, f"{lines} lines came"
        writer.close()

    await asyncio.gather(*(read(n % 20 == 0) for n in range(STREAMS)))
    return late


BENCHES = {"start": start, "throughput": throughput, "listing": listing, "pages": pages, "streams": streams}


if __name__ == "__main__":
    main(__doc__ or "", BENCHES)
