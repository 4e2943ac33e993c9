"""One loop that looks at what active runs leave on disk: progress, and whatever a rule should know.

It is apart from the scheduler's, so that a slow disk delays no launch and no status: its looks are made in a
thread of its own, and it writes to the store once a pass. A quick look at all logs comes every second,
the slow ones (artifacts, metrics, free space) every ten. A run that has ended gets a last look of each kind,
and at once: the next run may write to the same files. What a server did not get to before its own end is
left to who asks for it.
"""

import asyncio
import contextlib
import logging
import math
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Struct

from jupyter_ra_jobs.complaints import Complaints
from jupyter_ra_jobs.errors import NotFound, RaJobsError
from jupyter_ra_jobs.folders import Folders
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.logs import open_log
from jupyter_ra_jobs.models import Run
from jupyter_ra_jobs.progress import TAIL, Epoch, look
from jupyter_ra_jobs.rules import Disk, Limits, Observation, Proposal, Rule
from jupyter_ra_jobs.states import TERMINAL, RunStatus
from jupyter_ra_jobs.store import Store, in_slices

_CLOSE_SECONDS = 5.0
_CLOSE_LOOKS = 4  # at a time: each may walk a large folder
_AT_ONCE = 1_000  # runs in a pass
_PROGRESS = "progress is not kept"
_ALERTS = "alerts wait"
_LOOKING = "what the runs leave can't be looked at"
_GAP = 0.2  # seconds between two passes at least: ends that come in a rush are looked at together


class Summary(Protocol):
    """What a look at a run's metrics tells."""

    @property
    def non_finite(self) -> dict[str, int]:
        """Metrics that turned NaN or infinite, with the step at which they first did."""


class CloseLooks(Struct, frozen=True, kw_only=True):
    """What else is looked at, seldom: each takes a run's id, and may take its time."""

    artifacts: Callable[[str], Awaitable[object]] | None = None
    metrics: Callable[[str], Awaitable[Summary]] | None = None


class Watching(Struct, frozen=True, kw_only=True):
    """What is watched for, and how often: seconds between two quick looks, and between two slow ones."""

    rules: tuple[Rule, ...]
    limits: Limits
    quick: float = 1.0
    slow: float = 10.0


class _Seen(NamedTuple):
    """What the looks at a log have given so far."""

    size: int = -1
    written_at: float = 0.0
    silent_since: float = -math.inf
    """By the monotonic clock: nobody sets that."""
    tail: bytes = b""
    percent: float | None = None
    epoch: Epoch | None = None


class _Watched:
    """What is known of one run between two passes."""

    def __init__(self, run: Run, log: Path) -> None:
        self.run = run
        self.log = log
        self.running_since = _on_monotonic_clock(run.started_at or time.time())
        self.seen = _Seen()
        self.shown = run.progress
        self.non_finite: dict[str, int] = {}
        self.disks: tuple[Disk, ...] = ()
        self.told: set[tuple[str, str]] = set()
        self.looked_closely_at = 0.0
        self.one_at_a_time = asyncio.Lock()

    @property
    def ended(self) -> bool:
        return self.run.status in TERMINAL

    @property
    def news(self) -> bool:
        """Whether another whole percent is to be shown; at the end, the last fraction too."""
        percent = self.seen.percent
        if percent is None or percent == self.shown:
            return False
        return self.shown is None or self.ended or int(percent) != int(self.shown)

    def observation(self) -> Observation:
        """What the rules are given."""
        return Observation(
            run_id=self.run.id,
            status=self.run.status,
            exit_code=self.run.exit_code,
            signal=self.run.signal,
            error=self.run.error,
            stop_requested=self.run.stop_requested_at is not None,
            log_size=max(self.seen.size, 0),
            silent_seconds=time.monotonic() - max(self.seen.silent_since, self.running_since),
            tail=self.seen.tail,
            non_finite=self.non_finite,
            disks=self.disks,
        )


class Observer:
    """Watches the runs that run. `propose` is given what a rule has to say of a run, each thing once.

    Use it from one event loop; `close()` at the end.
    """

    def __init__(
        self,
        store: Store,
        layout: Layout,
        folders: Folders,
        watching: Watching,
        propose: Callable[[str, Proposal], object],
        close_looks: CloseLooks,
        log: logging.Logger,
    ) -> None:
        self._store = store
        self._layout = layout
        self._folders = folders
        self._watching = watching
        self._propose = propose
        self._close_looks = close_looks
        self._log = log
        self._complaints = Complaints(log)
        self._watched: dict[str, _Watched] = {}
        self._noted: dict[str, None] = {}
        self._shared: set[str] = set()  # what was told of more than one run, and still is so
        self._disks_at = 0.0
        self._slots = asyncio.Semaphore(_CLOSE_LOOKS)
        self._closer: set[asyncio.Task[None]] = set()
        self._awake = asyncio.Event()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ra-jobs-observer")

    def note(self, run_id: str) -> None:
        """This run has started or ended; a pass comes at once."""
        self._noted[run_id] = None
        self._awake.set()

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Finish the pass under way; looks that take their time are given up."""
        self._ending.set()
        self._awake.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_CLOSE_SECONDS)
            self._task.cancel()  # a file system that never answers holds its thread, not us
        for task in self._closer:
            task.cancel()
        await asyncio.gather(*self._closer, return_exceptions=True)
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        gap = min(_GAP, self._watching.quick)
        while not self._ending.is_set():
            self._awake.clear()
            try:
                await self.look()
                self._complaints.over(_LOOKING)
            except RaJobsError as problem:  # the disk is full or away; the next pass tries again
                self._complaints.about(_LOOKING, problem)
            except Exception:  # noqa: BLE001 - the edge of the loop: the next pass may do better
                self._log.exception("a look at what the runs leave failed; the next one tries again")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ending.wait(), gap)
            idle = not (self._watched or self._noted)
            with contextlib.suppress(asyncio.TimeoutError):  # idle: nothing runs, so nothing is looked at
                await asyncio.wait_for(self._awake.wait(), None if idle else self._watching.quick - gap)

    async def look(self) -> None:
        """One pass over the runs that run, and those that have ended since the last one."""
        watched = await self._choose()
        if not watched:
            return
        wants = [(each.log, each.seen) for each in watched]
        folders = self._folders_due(watched)
        disks = await self._folders.look_at_all(folders, _disk)
        loop = asyncio.get_running_loop()
        seen = await loop.run_in_executor(self._thread, _look, wants)
        for each, what in zip(watched, seen, strict=True):
            each.seen = what
            if folders:
                here = (disks.get(Path(each.run.workdir)), disks.get(self._layout.data))
                each.disks = tuple(disk for disk in here if disk is not None)
        self._write_progress([each for each in watched if each.news])
        shared = {key for each in watched for key in self._apply_rules(each)}
        if folders:
            self._shared &= shared
        for each in watched:
            self._look_closely_if_due(each)

    async def _choose(self) -> list[_Watched]:
        """Whom to look at; who has ended is let go, and looked at a last time."""
        chosen: list[_Watched] = []
        async for running in in_slices(self._store, limit=_AT_ONCE, status=[RunStatus.RUNNING]):
            for run in running:
                watched = self._watched.get(run.id) or _Watched(run, self._layout.log(run.id))
                watched.run = run
                chosen.append(watched)
        before, self._watched = self._watched, {each.run.id: each for each in chosen}
        gone = [run_id for run_id in {**before, **self._noted} if run_id not in self._watched]
        self._noted = dict.fromkeys(gone[_AT_ONCE:])
        if gone:
            async for ended in in_slices(self._store, ids=gone[:_AT_ONCE], status=TERMINAL):
                for run in ended:
                    watched = before.get(run.id) or _Watched(run, self._layout.log(run.id))
                    watched.run = run
                    chosen.append(watched)
        return chosen

    def _folders_due(self, watched: list[_Watched]) -> set[Path]:
        now = time.monotonic()
        if now < self._disks_at:
            return set()
        self._disks_at = now + self._watching.slow
        return {self._layout.data, *(Path(each.run.workdir) for each in watched if not each.ended)}

    def _write_progress(self, watched: list[_Watched]) -> None:
        if not watched:
            return
        try:
            with self._store.transaction():
                for each in watched:
                    self._store.change(each.run.id, progress=each.seen.percent)
            self._complaints.over(_PROGRESS)
        except RaJobsError as problem:
            self._complaints.about(_PROGRESS, problem)
            return
        for each in watched:
            each.shown = each.seen.percent

    def _apply_rules(self, watched: _Watched) -> set[str]:
        """Propose what was not proposed yet; returns what concerns more than this run."""
        observation, shared = watched.observation(), set()
        for rule in self._watching.rules:
            proposal = rule(observation, self._watching.limits)
            if proposal is None:
                continue
            if proposal.shared:
                shared.add(proposal.key)
                if proposal.key in self._shared:
                    continue
            elif (proposal.rule, proposal.key) in watched.told:
                continue
            try:
                self._propose(watched.run.id, proposal)
                self._complaints.over(_ALERTS)
            except RaJobsError as problem:
                self._complaints.about(_ALERTS, problem)
                continue
            watched.told.add((proposal.rule, proposal.key))
            if proposal.shared:
                self._shared.add(proposal.key)
        return shared

    # -- looks that take their time ----------------------------------------------------------------

    def _look_closely_if_due(self, watched: _Watched) -> None:
        now = time.monotonic()
        if not watched.ended:
            due = watched.looked_closely_at + self._watching.slow
            if now < due or watched.one_at_a_time.locked():
                return
        watched.looked_closely_at = now
        task = asyncio.get_running_loop().create_task(self._look_closely(watched))
        self._closer.add(task)
        task.add_done_callback(self._closer.discard)

    async def _look_closely(self, watched: _Watched) -> None:
        async with watched.one_at_a_time, self._slots:
            run_id = watched.run.id
            try:
                if self._close_looks.artifacts is not None:
                    await self._close_looks.artifacts(run_id)
                if self._close_looks.metrics is not None:
                    watched.non_finite = dict((await self._close_looks.metrics(run_id)).non_finite)
            except RaJobsError as problem:
                self._complaints.about(_LOOKING, problem)
                return
            except Exception:  # noqa: BLE001 - the edge of a task: the next look may do better
                self._log.exception("run %s: a close look at what it leaves failed", run_id)
                return
            if watched.non_finite:
                self._apply_rules(watched)


def _look(logs: list[tuple[Path, _Seen]]) -> list[_Seen]:
    """At all logs of a pass, in one go. Blocks."""
    return [_look_at(path, before) for path, before in logs]


def _disk(folder: Path) -> Disk:
    """The file system that a folder is on. Blocks."""
    free = os.statvfs(folder)
    return Disk(device=folder.stat().st_dev, path=str(folder), free=free.f_bavail * free.f_frsize)


def _look_at(path: Path, before: _Seen) -> _Seen:
    """One look at a log; its tail is read only if its size has changed."""
    try:
        file = open_log(path)
        if file is None:
            return before
        with file:
            status = os.fstat(file.fileno())
            silent_since = before.silent_since
            if status.st_mtime != before.written_at:
                silent_since = _on_monotonic_clock(status.st_mtime)
            if status.st_size == before.size:
                return before._replace(written_at=status.st_mtime, silent_since=silent_since)
            tail = os.pread(file.fileno(), TAIL, max(0, status.st_size - TAIL))
    except (OSError, NotFound):  # the run has put something else there
        return before
    percent, epoch = look(tail, before.epoch)
    known = before.percent if percent is None else percent
    return _Seen(status.st_size, status.st_mtime, silent_since, tail, known, epoch)


def _on_monotonic_clock(moment: float) -> float:
    """A moment of the wall clock, as it stands now: so a later setting of it makes no silence longer."""
    return time.monotonic() - max(0.0, time.time() - moment)
