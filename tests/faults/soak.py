"""Faults again and again, several at once: `make soak`.

Each round starts up to three sweeps of twenty on one server, and does to each of them, while all are under
way, a fault of the catalogue; one that strikes a whole server (`ALONE`) has a sweep to itself. Then all must
end as they should. Every ten rounds, and when its disk is half
full, all that was ever run on a server is looked at again, at last after one more kill of it. Whatever is not
as it must be is a loss: it is told with what it needs to be tried again, its folder is kept, and the exit
code is 1.
"""

import argparse
import functools
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.conftest import Server, wait_for
from tests.faults import catalogue as catalogue
from tests.faults.amid import ALONE, FAULTS, RUNS, Amid, Fault, field

say = functools.partial(print, flush=True)
AT_ONCE, FOLLOWING, RECHECK_EVERY = 3, 0.3, 10
_KEPT = {"jobs.db", "jobs.db-wal", "jobs.db-shm", "server.json", "runs", "files"}
_KEPT_OF_RUN = {"spec.json", "run.log", "sidecar.log", "events.jsonl", "found.json", "artifacts", "wandb"}


class Usage:
    """What a server and its world take; what grows with the rounds, leaks."""

    def __init__(self, server: Server, runs: int) -> None:
        assert server.process is not None
        process = psutil.Process(server.process.pid)
        self.pid, self.runs, self.rss = process.pid, runs, process.memory_info().rss
        self.fds, self.threads = process.num_fds(), process.num_threads()
        self.processes = len(server.world.processes())
        self.strays = [path.name for path in strays(server.world.workdir / ".agents")]

    def __str__(self) -> str:
        return (
            f"{self.rss / 1e6:.0f} MB, {self.fds} fds, {self.threads} threads; "
            f"{self.processes} processes, {len(self.strays)} files that no run explains"
            f"{', as ' + ', '.join(self.strays[:3]) if self.strays else ''}; {self.runs} runs stored"
        )


def strays(data: Path) -> Iterator[Path]:
    """What lies there beyond what a server and its runs keep."""
    yield from (path for path in data.iterdir() if path.name not in _KEPT)
    for run_dir in (data / "runs").iterdir():
        yield from (path for path in run_dir.iterdir() if path.name not in _KEPT_OF_RUN)


def sidecars(server: Server) -> list[psutil.Process]:
    """Those that live; each ends with its run."""
    found = []
    for process in server.world.processes():
        with suppress(psutil.Error):  # it ended while we looked
            if "jupyter_ra_jobs_sidecar" in " ".join(process.cmdline()):
                found.append(process)
    return found


class Soak:
    """What was tried so far, and what was lost."""

    def __init__(self, faults: Mapping[str, Fault], seed: int, root: Path) -> None:
        self.faults = dict(faults)
        self.root = root
        self._seed = seed
        self._random = random.Random(seed)
        self._began = time.monotonic()
        self._tried: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._ends: Counter[str] = Counter()
        self._untried: dict[str, str] = {}
        self._grown: list[str] = []
        self.lost: list[str] = []

    def fields(self, minutes: float, rounds: int) -> None:
        """Rounds on one server after another, until time or rounds are over; at least one."""
        until = self._began + minutes * 60
        while not self._counts["rounds"] or (
            self.faults and time.monotonic() < until and self._counts["rounds"] < rounds
        ):
            self._counts["fields"] += 1
            root = self.root / f"field-{self._counts['fields']}"
            root.mkdir()
            try:
                with field(root) as server, self._kept(server):
                    self._field(server, until, rounds)
            except Exception:  # noqa: BLE001 - whatever it is, the promise was not kept; the next field begins
                self.lost.append(f"in round {self._counts['rounds']}, see {root}")
                say(f"\nLOST {self.lost[-1]}\n{traceback.format_exc()}")

    @contextmanager
    def _kept(self, server: Server) -> Iterator[None]:
        """What went wrong here can be looked at when its disk is gone."""
        try:
            yield
        except Exception:
            shutil.copytree(server.world.workdir, server.world.root / "kept", symlinks=True)
            raise
        finally:
            self._counts["server starts"] += server.starts

    def _field(self, server: Server, until: float, rounds: int) -> None:
        past: list[Amid] = []
        tmux = {""}
        used = [Usage(server, 0)]
        while True:
            self._counts["rounds"] += 1
            self._round(server, past)
            if (now := _tmux(server)) not in tmux:
                tmux.add(now)
                self._counts["tmux servers"] += 1
            used.append(Usage(server, len(past) * RUNS))
            enough = (
                time.monotonic() > until
                or self._counts["rounds"] >= rounds
                or not self.faults
                or _is_half_full(server.world.workdir)
            )
            if enough or self._counts["rounds"] % RECHECK_EVERY == 0:
                self._recheck(past)
            if enough:
                break
        server.kill()
        server.start()
        self._recheck(past)
        self._note_growth([*used, Usage(server, len(past) * RUNS)])

    def _round(self, server: Server, past: list[Amid]) -> None:
        """Some sweeps at once, a fault for each."""
        began = time.monotonic()
        number = self._counts["rounds"]
        drawn = self._draw()
        say(f"round {number}:", end=" ")
        self._counts["runs started"] += len(drawn) * RUNS
        amids = [Amid(server, f"round-{number}-{name}").begin() for name in drawn]
        for name, amid in self._random.sample(list(zip(drawn, amids, strict=True)), len(drawn)):
            self._strike(name, amid)
            while amid.is_untouched and self._random.random() < FOLLOWING:
                following = sorted(self.faults.keys() - (ALONE if len(drawn) > 1 else set()))
                if not following:  # what there was can't be done here
                    break
                self._strike(self._random.choice(following), amid)
        for amid in self._random.sample(amids, len(amids)):
            amid.check()
            self._ends.update(end.status for end in amid.ends)
        wait_for(lambda: not sidecars(server), "no sidecar is left")
        compared = sum(amid.output_bytes for amid in amids)
        past += amids
        self._counts.update({"sweeps": len(amids), "runs": len(amids) * RUNS, "bytes": compared})
        say(f"{len(amids) * RUNS} runs, {compared:,} bytes, {time.monotonic() - began:.1f} s")

    def _draw(self) -> list[str]:
        """The faults of a round: one for each of some sweeps beside each other, or one for a sweep alone."""
        if not self.faults:
            return []
        first = self._random.choice(sorted(self.faults))
        others = [] if first in ALONE else sorted(self.faults.keys() - ALONE - {first})
        more = min(len(others), self._random.randint(1, AT_ONCE) - 1)
        return [first, *self._random.sample(others, more)]

    def _strike(self, name: str, amid: Amid) -> None:
        """Do it, unless it can't be done here."""
        say(f"{name} …", end=" ")
        try:
            self.faults[name](amid)
        except pytest.skip.Exception as reason:
            self._untried[name] = str(reason)
            self.faults.pop(name)
            return
        except Exception as problem:
            raise AssertionError(f"while {name} was done") from problem
        self._tried[name] += 1

    def _recheck(self, past: list[Amid]) -> None:
        for amid in past:
            amid.recheck()
        self._counts["rechecked runs"] += len(past) * RUNS

    def _note_growth(self, used: list[Usage]) -> None:
        """The server that lived longest tells of its own growth, the first and the last of the world's."""
        by_pid: dict[int, list[Usage]] = {}
        for usage in used:
            by_pid.setdefault(usage.pid, []).append(usage)
        longest = max(by_pid.values(), key=len)
        self._grown += [
            f"field {self._counts['fields']}",
            f"  first server at begin: {used[0]}",
            f"  last server at end:    {used[-1]}",
            f"  one server over {len(longest) - 1} rounds: {longest[0]}",
            f"  {'became:':>30} {longest[-1]}",
        ]

    def summary(self) -> str:
        """All of it, as a table."""
        counts, minutes = self._counts, (time.monotonic() - self._began) / 60
        ends = ", ".join(f"{count:,} {status}" for status, count in sorted(self._ends.items()))
        rows = [
            ("seed", f"{self._seed}"),
            ("minutes", f"{minutes:.1f}"),
            ("rounds", f"{counts['rounds']:,}"),
            ("faults done", f"{sum(self._tried.values()):,}"),
            ("sweeps", f"{counts['sweeps']:,}"),
            ("runs started", f"{counts['runs started']:,}"),
            ("runs that ended right", f"{counts['runs']:,}"),
            ("their ends", ends or "none"),
            ("looked at again", f"{counts['rechecked runs']:,} times"),
            ("output compared", f"{counts['bytes']:,} bytes"),
            ("server starts", f"{counts['server starts']:,}"),
            ("tmux servers", f"{counts['tmux servers']:,}"),
            ("lost", "; ".join(self.lost) or "nothing"),
        ]
        faults = [(name, f"{count:,}") for name, count in sorted(self._tried.items())]
        faults += [(name, f"not tried here: {why}") for name, why in sorted(self._untried.items())]
        lines = [f"  {what:<44} {said}" for what, said in [*rows, ("", ""), *faults]]
        return "\n".join(["", "summary", *lines, "", "what it took", *self._grown])


def _tmux(server: Server) -> str:
    return server.world.tmux("display-message", "-p", "#{pid}").stdout.strip()


def _is_half_full(folder: Path) -> bool:
    usage = shutil.disk_usage(folder)
    return folder.is_mount() and usage.used * 2 > usage.total


def main(arguments: list[str], faults: Mapping[str, Fault] = FAULTS) -> int:
    """1 if something was lost."""
    parser = argparse.ArgumentParser("python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=10**9, help="at most so many")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the faults' order")
    parser.add_argument("--fault", action="append", choices=faults, help="these alone; as often as wanted")
    options = parser.parse_args(arguments)
    root = Path(tempfile.mkdtemp(prefix="ra-soak-"))
    chosen = {name: faults[name] for name in options.fault or faults}
    soak = Soak(chosen, options.seed, root)
    say(f"{len(chosen)} faults, seed {options.seed}, in {root}")
    try:
        soak.fields(options.minutes, options.rounds)
    except KeyboardInterrupt:
        say("\nbroken off")
    finally:
        say(soak.summary())
        if not soak.lost:
            shutil.rmtree(root)
    return 1 if soak.lost else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us gets the summary too
    sys.exit(main(sys.argv[1:]))
