"""How long the event loop stands still, at the longest, in calls that touch many runs; beside an idle loop's.

Everything runs on a server, a tmux and a workdir of its own, on loopback. Takes some minutes. In the
server's process a watch (`loop_watch.py`) times each step of the loop; a figure is the median of five calls'
longest steps.

    python bench/loop.py [NAME ...]       NAME: idle, sweep, dependents, listing, sweeps, counts, active
"""

import os
import statistics
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import HEADERS, Bench, fill, main, say, stored_run, timed, until
from msgspec import structs

from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.models import SidecarIdentity
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store

SIZES = (1_000, 10_000)
TIMES = 5
BAR = 0.010
_WATCH = ["--ServerApp.jpserver_extensions=loop_watch=True"]


class Watched(Bench):
    """A server whose loop is watched; `what` names a folder of its own."""

    def __init__(self, root: Path, what: str, *options: str) -> None:
        super().__init__(root / what, *_WATCH, *options)
        here = str(Path(__file__).parent)
        self.env["PYTHONPATH"] = os.pathsep.join([here, self.env.get("PYTHONPATH", "")])
        self.idle = 0.0

    def steps(self) -> tuple[float, float]:
        """The longest step since the last call, in seconds: by the clock, and the processor's part of it."""
        longest = self.call("GET", "/loop-watch")
        return longest["wall"], longest["cpu"]

    def look(self, act: Callable[[], Any]) -> tuple[float, float]:
        """The longest step while something is done."""
        self.steps()
        act()
        return self.steps()

    def gets(self, path: str) -> list[tuple[float, float]]:
        """A look at each of five GETs."""
        return [self.look(lambda: self._get(path)) for _ in range(TIMES)]

    def _get(self, path: str) -> None:
        self.connection.request("GET", path, None, HEADERS)
        self.connection.getresponse().read()

    def measure_idle(self) -> None:
        """What other processes do to a loop that has nothing to do."""
        self.idle = statistics.median(self.look(lambda: threading.Event().wait(1))[0] for _ in range(TIMES))

    def show(self, what: str, looks: list[tuple[float, float]]) -> None:
        """A row."""
        wall, cpu = (statistics.median(each) for each in zip(*looks, strict=True))
        say(
            what,
            f"{wall * 1e3:.1f} ms",
            f"idle {self.idle * 1e3:.1f} ms",
            wall / self.idle,
            f"<= 10 ms (cpu {cpu * 1e3:.1f})",
            wall <= BAR,
        )


def idle(root: Path) -> None:
    """Nothing."""
    with Watched(root, "idle").running() as bench:
        bench.measure_idle()
        bench.show("nothing, for a second", [bench.look(lambda: threading.Event().wait(1))])


def _sweep(count: int, **more: Any) -> dict[str, Any]:
    return {"name": "b", "base_command": "sleep 900 #", "parameters": {"n": list(range(count))}, **more}


def sweep(root: Path) -> None:
    """A sweep is created, looked at, started, stopped, and retried."""
    for count in SIZES:
        with Watched(root, f"sweep-{count}", "--RaJobsApp.max_running=1").running() as bench:
            bench.measure_idle()
            verbs: dict[str, list[tuple[float, float]]] = {}
            for _ in range(TIMES):
                _verbs(bench, count, verbs)
            for name, looks in verbs.items():
                bench.show(f"{name}, {count:,} runs", looks)


def _verbs(bench: Watched, count: int, looks: dict[str, list[tuple[float, float]]]) -> None:
    def verb(method: str, path: str, body: Any = None) -> Any:
        bench.steps()
        answer = bench.api(method, path, body)
        name = f"{method} {path.replace(str(answer.get('id')), '{id}')}" if isinstance(answer, dict) else path
        looks.setdefault(name.replace(at, "…"), []).append(bench.steps())
        return answer

    at = "?"
    made = verb("POST", "/sweeps", _sweep(count))
    assert len(made["run_ids"]) == count, made
    at = f"/sweeps/{made['id']}"
    verb("GET", at)
    verb("POST", f"{at}/start?parallel=1")
    verb("POST", f"{at}/stop")
    _until_idle(bench)
    verb("POST", f"{at}/retry")
    verb("GET", f"{at}/table")
    bench.api("POST", f"{at}/stop")
    _until_idle(bench)


def _until_idle(bench: Bench) -> None:
    until(lambda: not bench.api("GET", "/")["counts"]["running"])


def dependents(root: Path) -> None:
    """A run ends for which many wait."""
    for count in SIZES:
        with Watched(root, f"after-{count}", "--RaJobsApp.max_running=1").running() as bench:
            bench.measure_idle()
            for how, command in (("finishes", "true"), ("fails", "false")):
                looks = [_end_of_one(bench, count, command) for _ in range(TIMES)]
                bench.show(f"a run {how}, {count:,} wait for it", looks)


def _end_of_one(bench: Watched, count: int, command: str) -> tuple[float, float]:
    first = bench.api("POST", "/runs", {"name": "first", "command": command})["id"]
    made = bench.api("POST", "/sweeps", _sweep(count, after=[first]))["id"]
    bench.api("POST", f"/sweeps/{made}/start?parallel=1")
    looked = bench.look(lambda: _run_it(bench, first))
    bench.api("POST", f"/sweeps/{made}/stop")
    _until_idle(bench)
    return looked


def _run_it(bench: Bench, run_id: str) -> None:
    bench.api("POST", f"/runs/{run_id}/start")
    until(lambda: bench.api("GET", f"/runs/{run_id}").get("ended_at"))
    threading.Event().wait(0.5)  # what follows from the end


def listing(root: Path) -> None:
    """GET /runs, a page of 1,000: of short commands, and of the longest."""
    for what, length in (("short", 0), ("120 KB", 120_000)):
        bench = Watched(root, f"listing-{length}")
        layout = Layout(bench.workdir)
        layout.create()
        store = Store(layout.database, layout.runs)
        with store.transaction():
            for n in range(1_000):
                run = stored_run(n, layout)
                store.add(structs.replace(run, command=run.command + " " + "x" * length))
        store.close()
        with bench.running():
            bench.measure_idle()
            bench.show(f"GET /runs?limit=1000, {what} commands", bench.gets("/ra-jobs/runs?limit=1000"))
            bench.show(f"GET /runs?q=, {what} commands", bench.gets("/ra-jobs/runs?limit=1000&q=zz"))


def sweeps(root: Path) -> None:
    """GET /sweeps, a page of 1,000 of small ones."""
    with Watched(root, "sweeps").running() as bench:
        bench.measure_idle()
        for _ in range(1_000):
            bench.api("POST", "/sweeps", _sweep(10))
        bench.show("GET /sweeps?limit=1000, 10 runs each", bench.gets("/ra-jobs/sweeps?limit=1000"))


def counts(root: Path) -> None:
    """What counts all runs there are, with 100,000 stored."""
    bench = Watched(root, "counts")
    fill(bench.workdir, 100_000)
    with bench.running():
        bench.measure_idle()
        for path in ("/ra-jobs/", "/ra-jobs/cluster", "/metrics"):
            bench.show(f"GET {path}, 100,000 stored", bench.gets(path))


def active(root: Path) -> None:
    """What a tick and a pass ask of the store, with 1,000 active: in this process, without a server."""
    layout = Layout(root / "active")
    layout.workdir.mkdir(parents=True)
    layout.create()
    store = Store(layout.database, layout.runs)
    identity = dict.fromkeys(SidecarIdentity.__struct_fields__, 1) | {"boot_id": "of another day"}
    with store.transaction():
        for n in range(1_000):
            run = structs.replace(stored_run(n, layout), status=RunStatus.RUNNING, ended_at=None)
            store.add(run)
            store.change(run.id, sidecar=identity)
    one: dict[str, Any] = {"limit": 100, "status": [RunStatus.RUNNING], "most_bytes": 1 << 20}
    for what, ask in (
        ("store.active()", lambda: next(iter(store.active()))),
        ("store.runs(status=running)", lambda: store.runs(**one)),
    ):
        value = statistics.median(timed(ask) for _ in range(TIMES * 5))
        say(
            f"a slice of {what}, 1,000 active",
            f"{value * 1e3:.1f} ms",
            "",
            value / BAR,
            "<= 10 ms",
            value <= BAR,
        )
    store.close()


BENCHES: dict[str, Callable[[Path], None]] = {
    "idle": idle,
    "sweep": sweep,
    "dependents": dependents,
    "listing": listing,
    "sweeps": sweeps,
    "counts": counts,
    "active": active,
}

if __name__ == "__main__":
    main(__doc__ or "", BENCHES)
