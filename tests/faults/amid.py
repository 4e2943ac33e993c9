"""Faults in the middle of a sweep: twenty runs, four at a time; whatever happens, each must end as it should.

A fault is a function that takes an `Amid` and does to it what happens to real people; it leaves a server
that answers. `Amid.check` then lets the runs end and looks at everything that was promised. Both the tests
and the soak (`make soak`) draw from the same catalogue.
"""

import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.conftest import Server, World, wait_for

RUNS, PARALLEL, DONE_BEFORE = 20, 4, 6
DISK_BYTES = 96 * 1024 * 1024

# Says when it was at work, by a clock that nobody sets; waits in the middle of its output.
WORK = """\
n=$1
read -r up _ < /proc/uptime
echo "$RA_RUN_ID $up" >> began.$n
echo "begin $n"
seq 1 2000
if [ $n -ge %d ]; then until [ -e go ]; do sleep 0.05; done; fi
seq 2000 -1 1
printf 'no newline at the end \\303\\251'
read -r up _ < /proc/uptime
echo "$RA_RUN_ID $up" >> ended.$n
exit $((n %% 3))
"""


def _head(n: int) -> bytes:
    return b"begin %d\n" % n + b"".join(b"%d\n" % i for i in range(1, 2001))


def _output(n: int) -> bytes:
    return _head(n) + b"".join(b"%d\n" % i for i in range(2000, 0, -1)) + "no newline at the end é".encode()


class End(NamedTuple):
    """How a run must have ended."""

    status: str
    exit_code: int | None
    error: str = ""
    """What its error begins with."""
    whole: bool = True
    """Whether all of its output is there; else a beginning of it, of what it wrote before it was struck."""


def _ends() -> list[End]:
    return [End("failed" if n % 3 else "finished", n % 3) for n in range(RUNS)]


class Amid:
    """A sweep under way, and what must become of each of its runs.

    `ids[n]` is the run that ends with exit code n % 3. When `begin` returns, six have ended, four wait in
    the middle of their output until `go`, and ten are in the queue.
    """

    def __init__(self, server: Server, folder: str) -> None:
        self.server = server
        self.world = server.world
        self.folder = self.world.workdir / folder
        self.folder.mkdir()
        (self.folder / "work.sh").write_text(WORK % DONE_BEFORE)
        self.sweep_id = ""
        self.ids: list[str] = []
        self.ends: list[End] = _ends()

    def begin(self) -> "Amid":
        """Create and start the sweep, and wait until it is in the middle."""
        made = self.server.post(
            "/sweeps",
            name="amid",
            base_command="sh work.sh {n} #",
            parameters={"n": list(range(RUNS))},
            workdir=str(self.folder),
        )
        assert made.status == 200, made.body
        self.sweep_id, self.ids = made.json["id"], made.json["run_ids"]
        assert self.server.post(f"/sweeps/{self.sweep_id}/start?parallel={PARALLEL}").status == 200
        wait_for(self._in_the_middle, "six have ended and four wait")
        return self

    def _in_the_middle(self) -> bool:
        waiting = range(DONE_BEFORE, DONE_BEFORE + PARALLEL)
        return self.progress()["running"] == PARALLEL and all(
            self.server.log(self.ids[n]) == _head(n) for n in waiting
        )

    @property
    def is_untouched(self) -> bool:
        """Whether another fault can follow: the four wait still, each in its window, and all are
        to end as they would have."""
        return (
            self.ends == _ends()
            and not (self.folder / "go").exists()
            and all(self.server.run(run_id)["status"] == "running" for run_id in self.at_work)
            and all((self.server.run_dir(run_id) / "events.jsonl").exists() for run_id in self.at_work)
            and {f"research-agent:ra-job-{run_id}" for run_id in self.at_work} <= set(self.world.windows())
        )

    @property
    def at_work(self) -> list[str]:
        """The four runs that wait, after `begin` and until `go`."""
        return self.ids[DONE_BEFORE : DONE_BEFORE + PARALLEL]

    def progress(self) -> dict[str, int]:
        """How many of the runs have which status."""
        answer = self.server.get(f"/sweeps/{self.sweep_id}")
        assert answer.status == 200, answer.body
        counts: dict[str, int] = answer.json["progress"]
        return counts

    def go(self) -> None:
        """Let the runs go on to their ends."""
        (self.folder / "go").touch()

    def expect(self, run_id: str, end: End) -> None:
        """This run is struck by the fault itself, and ends so."""
        self.ends[self.ids.index(run_id)] = end

    def sidecar(self, run_id: str) -> psutil.Process:
        """The sidecar of a run at work."""
        first = (self.server.run_dir(run_id) / "events.jsonl").read_text().splitlines()[0]
        return psutil.Process(json.loads(first)["sidecar"]["pid"])

    def ended_on_disk(self, run_id: str) -> bool:
        """Whether the run's spool says that it has ended, whatever the server knows."""
        spool = self.server.run_dir(run_id) / "events.jsonl"
        return spool.exists() and b'"exit_code"' in spool.read_bytes()

    def check(self) -> None:
        """Let all end; then each has its status, its exit code and every byte, and was begun once."""
        self.go()
        wait_for(self._over, f"all have ended: {self.progress()}")
        self.recheck()
        self._check_parallel()
        wait_for(self._nobody_left, "no process is left")  # a sidecar tells of the end, then goes

    def _nobody_left(self) -> bool:
        return not [p for run_id in self.ids for p in self.world.processes(RA_RUN_ID=run_id)]

    def recheck(self) -> None:
        """What is on record of the runs is what it must be; also long after."""
        for n, run_id in enumerate(self.ids):
            run, end = self.server.run(run_id), self.ends[n]
            assert (run["status"], run["exit_code"]) == (end.status, end.exit_code), (n, run)
            assert (run["error"] or "").startswith(end.error), (n, run)
            log, whole = self.server.log(run_id), _output(n)
            assert log == whole if end.whole else whole.startswith(log), (n, len(log), len(whole))
            # Without a log it may have begun: of one that was removed, a killed sidecar can put nothing back.
            assert len(self._said("began", n, run_id)) in ([1] if log else [0, 1]), (n, run)

    @property
    def output_bytes(self) -> int:
        """How much output was checked."""
        return sum(len(self.server.log(run_id)) for run_id in self.ids)

    def _over(self) -> bool:
        progress = self.progress()
        active = progress["running"] + progress["launching"]
        assert active <= PARALLEL, progress
        return active + progress["queued"] + progress["ready"] == 0

    def _said(self, what: str, n: int, run_id: str) -> list[float]:
        path = self.folder / f"{what}.{n}"
        said = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [float(up) for by, up in said if by == run_id]

    def _check_parallel(self) -> None:
        """By the runs' own words: never more than four were at work at one time."""
        steps: list[tuple[float, int]] = []
        for n, run_id in enumerate(self.ids):
            if ended := self._said("ended", n, run_id):
                steps += [(self._said("began", n, run_id)[0], 1), (ended[0], -1)]
        at_once = list(itertools.accumulate(step for _, step in sorted(steps)))
        assert max(at_once) <= PARALLEL, steps


# -- the catalogue -------------------------------------------------------------------------------------

Fault = Callable[[Amid], None]
FAULTS: dict[str, Fault] = {}
ALONE: set[str] = set()
"""Those that strike, or look at, all that is on the server: no other sweep can be beside theirs."""


def fault(inject: Fault) -> Fault:
    """Enter a fault into the catalogue; its name is how the table in docs/reliability.md calls it."""
    assert inject.__name__ not in FAULTS
    FAULTS[inject.__name__] = inject
    return inject


def alone(inject: Fault) -> Fault:
    """No other sweep can be beside this fault's."""
    ALONE.add(inject.__name__)
    return inject


# -- a place for them ----------------------------------------------------------------------------------


@contextmanager
def field(root: Path) -> Iterator[Server]:
    """A running server whose workdir is a disk of its own, where that can be mounted; empty afterwards."""
    world = World(root)
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", str(world.workdir)]
    mounted = not subprocess.run(["mount", *options], check=False, capture_output=True).returncode
    try:
        yield Server(world).start()
    finally:
        world.end()
        if mounted:
            subprocess.run(["umount", "--lazy", str(world.workdir)], check=True)


@contextmanager
def full_disk(world: World) -> Iterator[None]:
    """The workdir's disk takes not one byte more; with room again afterwards."""
    if not world.workdir.is_mount():
        pytest.skip("a tmpfs may not be mounted here")
    ballast = world.workdir / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()
