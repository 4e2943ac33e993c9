"""What sweeps and what runs leave behind cost, each figure beside its reference or its bar: `make bench`.

Everything runs on a server, a tmux and a workdir of its own, on loopback. Takes about three minutes.

    python bench/sweeps.py [NAME ...]       NAME: create, drain, tick, artifacts
"""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

from common import Bench, fill, main, say, timed, until

from jupyter_ra_jobs.app import RaJobsApp
from jupyter_ra_jobs.models import NewRun
from jupyter_ra_jobs.states import RunStatus

STORED = 100_000
ACTIVE = 100


def sweep_of(count: int) -> dict[str, Any]:
    """A grid of so many cells that do nothing."""
    return {"name": "bench", "base_command": "true #", "parameters": {"n": list(range(count))}}


def create(root: Path) -> None:
    """POST /sweeps with 1,000 cells."""
    with Bench(root / "create").running() as bench:
        status = statistics.median(timed(lambda: bench.call("GET", "/api/status")) for _ in range(50))
        value = statistics.median(
            timed(lambda: bench.api("POST", "/sweeps", sweep_of(1_000))) for _ in range(9)
        )
        say(
            "POST /sweeps, 1,000 runs",
            f"{value * 1e3:.0f} ms",
            f"/api/status {status * 1e3:.2f} ms",
            value / status,
            "< 150 ms",
            value < 0.150,
        )


def drain(root: Path) -> None:
    """1,000 runs of `true`, 16 at a time, until all have finished; each of them once."""
    with Bench(root / "drain", "--RaJobsApp.max_running=16").running() as bench:
        count = 1_000
        sweep_id = bench.api("POST", "/sweeps", sweep_of(count))["id"]

        def all_of_it() -> None:
            bench.api("POST", f"/sweeps/{sweep_id}/start?parallel=16")
            until(lambda: time.sleep(0.1) or bench.api("GET", "/")["counts"]["finished"] == count)

        rate = count / timed(all_of_it)
        spools = list((bench.workdir / ".agents" / "runs").glob("*/events.jsonl"))
        starts = sum(path.read_text().count('"status": "running"') for path in spools)
        assert (len(spools), starts) == (count, count), (len(spools), starts)
        bench.tmux("new-session", "-d", "-s", "reference", "sleep 600")
        bare = 200 / timed(
            lambda: [bench.tmux("new-window", "-d", "-t", "reference:", "true") for _ in range(200)]
        )
        say(
            "1,000 runs of `true`, 16 at a time, each once",
            f"{rate:.1f}/s",
            f"bare windows {bare:.0f}/s",
            rate / bare,
            ">= 20/s",
            rate >= 20,
        )


class Measured:
    """Awaits something, and adds up how long the event loop was busy with it."""

    def __init__(self, work: Awaitable[Any]) -> None:
        self.work = work
        self.longest = 0.0
        self.spent = 0.0

    def __await__(self) -> Generator[Any, None, Any]:
        steps = self.work.__await__()
        while True:
            began = time.perf_counter()
            try:
                waits_for = next(steps)
            except StopIteration as done:
                return done.value
            finally:
                step = time.perf_counter() - began
                self.spent += step
                self.longest = max(self.longest, step)
            yield waits_for


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is awaited happens in other processes
        await asyncio.sleep(0.1)


async def _ticks(bench: Bench, active: int) -> tuple[float, float]:
    """The event loop's part of a tick, median and longest step, in seconds."""
    app = RaJobsApp(tmux_session="bench", shell="sh", max_running=0, log_level="WARN")
    services = app.build(bench.workdir, lambda _: None)
    where = {"scheme": "http", "host": "127.0.0.1", "port": 9, "path": "/", "pid": os.getpid(), "version": ""}
    await services.start(where)
    try:
        for n in range(active):
            await services.runs.create(NewRun(name=f"{n}", command="exec sleep 600", auto_start=True))
        await _until(lambda: services.store.counts()["running"] == active)
        spent, longest = [], []
        for _ in range(60):
            tick = Measured(services.scheduler.tick())
            await tick
            spent.append(tick.spent)
            longest.append(tick.longest)
        return statistics.median(spent), statistics.median(longest)
    finally:
        for run in services.store.runs(limit=active, status=[RunStatus.RUNNING]):
            services.runs.stop(run.id)
        await _until(lambda: not services.store.active_count())
        await services.close()


def tick(root: Path) -> None:
    """The event loop's part of a tick, with 100,000 runs stored and 100 active."""
    bench = Bench(root / "tick")
    fill(bench.workdir, STORED)
    os.environ.update({"TMUX_TMPDIR": str(bench.root)})
    try:
        empty, _ = asyncio.run(_ticks(Bench(root / "tick-empty"), 1))
        value, longest = asyncio.run(_ticks(bench, ACTIVE))
    finally:
        bench.end_tmux()
    say(
        "a tick's part of the event loop, 100 active",
        f"{value * 1e3:.2f} ms",
        f"1 active {empty * 1e3:.2f} ms",
        value / empty,
        "<= 5 ms",
        value <= 0.005,
    )
    print(f"{'':52} its longest step {longest * 1e3:.2f} ms")


def artifacts(root: Path) -> None:
    """GET /runs/{id}/artifacts of a run that has ended, with 2,000 of them."""
    with Bench(root / "artifacts").running() as bench:
        status = statistics.median(timed(lambda: bench.call("GET", "/api/status")) for _ in range(50))
        command = "cd $RA_ARTIFACTS_DIR && seq -f model-%g.pt 2000 | xargs touch"
        run_id = bench.api("POST", "/runs", {"name": "many", "command": command, "auto_start": True})["id"]
        until(lambda: bench.api("GET", f"/runs/{run_id}")["status"] == "finished")
        found = bench.api("GET", f"/runs/{run_id}/artifacts")
        assert len(found) == 2_000, len(found)
        value = statistics.median(
            timed(lambda: bench.api("GET", f"/runs/{run_id}/artifacts")) for _ in range(30)
        )
        say(
            "GET /runs/{id}/artifacts, 2,000 of them",
            f"{value * 1e3:.1f} ms",
            f"/api/status {status * 1e3:.2f} ms",
            value / status,
            "< 50 ms",
            value < 0.050,
        )


BENCHES: dict[str, Callable[[Path], None]] = {
    "create": create,
    "drain": drain,
    "tick": tick,
    "artifacts": artifacts,
}

if __name__ == "__main__":
    main(__doc__ or "", BENCHES)
