"""What sidecars say: read from their spools, hinted at by their callbacks. And what they no longer can.

The spool is the truth. A callback makes the server read it at once; its own words count only when the
spool does not have them (yet): a full disk, a file system that lags.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

from jupyter_ra_jobs_sidecar import procs
from msgspec import Struct, structs

from jupyter_ra_jobs import spools
from jupyter_ra_jobs.complaints import Complaints
from jupyter_ra_jobs.errors import BadInput, Conflict, RaJobsError
from jupyter_ra_jobs.executors.base import Executor
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.models import Report, SidecarIdentity, Tracking
from jupyter_ra_jobs.prometheus import LOST_SIDECARS, REPORTS
from jupyter_ra_jobs.spools import REPORTABLE
from jupyter_ra_jobs.states import ACTIVE, TERMINAL, RunStatus
from jupyter_ra_jobs.store import Store

_MAX_ERROR = 10_000


class Patience(Struct, frozen=True, kw_only=True):
    """How long the server waits, in seconds, before it takes silence for an end.

    Counted from when this server first sees what it waits for, by a clock that nobody sets.
    """

    launch: float
    """From the claim to the sidecar's first word, or a window of its own."""
    stop: float
    """From the request to stop to the sidecar's last word."""


class _Wait(NamedTuple):
    """What the server waits for of a run; another launch or request to stop is another wait."""

    run_id: str
    what: Literal["launch", "stop"]
    asked_at: float | None


class _CaughtUp(NamedTuple):
    """What a look at some spools left to do."""

    behind: list[Tracking]
    """Active runs whose spools have more."""
    unread: set[str]
    """Runs whose spools can't be read for now, as on a file system that fails or is away."""


class Reports:
    """Brings the store up to what the sidecars did. `noted` is told of each run whose status that changed."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        layout: Layout,
        patience: Patience,
        log: logging.Logger,
        noted: Callable[[str], None],
    ) -> None:
        self._store = store
        self._executor = executor
        self._layout = layout
        self._patience = patience
        self._log = log
        self._noted = noted
        # Ending takes seconds: nobody else's work shall wait behind it.
        self._enders = ThreadPoolExecutor(8, thread_name_prefix="ra-jobs-end")
        self._burying: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[_Wait, float] = {}
        self._complaints = Complaints(log)
        self._strange: set[str] = set()

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._burying.values(), return_exceptions=True)
        self._enders.shutdown()

    # -- a callback --------------------------------------------------------------------------------

    async def receive(self, run_id: str, report: Report) -> str:
        """Take a report from outside; says what became of it. Raises BadInput, Conflict, NotFound."""
        if report.status not in REPORTABLE:
            known = ", ".join(sorted(REPORTABLE))
            raise BadInput(f"status: {report.status} is not reported; one of {known} is")
        REPORTS.inc()
        await self._catch_up([self._store.tracking(run_id)])
        before = self._store.tracking(run_id)
        if report.seq is not None and report.seq <= before.last_seq:
            return "Known already"
        if before.status in TERMINAL:
            return f"Ignored: the run has ended, {before.status}"
        if not self._apply(before, report):
            raise Conflict(f"run {run_id} is {before.status}; it cannot be reported as {report.status}")
        if report.seq is not None:
            self._store.note_spool(run_id, before.spool_offset, report.seq)
        return "Noted"

    # -- a look at all active runs -----------------------------------------------------------------

    async def reconcile(self, *, patient: bool = True) -> list[str]:
        """Read what was spooled, pass on requests to stop, and end what nobody supervises any more.

        Returns the runs in `launching` of which nothing is heard or seen, once their patience is over
        (at once when not `patient`, as at a server's start): launch them again, or `give_up`.
        """
        active = await self._active()
        self._note_waits(active)
        self._strange &= {t.id for t in active}
        if not active:
            return []
        # A launch gets its time; meanwhile nobody need ask the executor, which costs a fork.
        due = [t for t in active if t.sidecar or not patient or self._launch_is_overdue(t)]
        # Asked before the spools are read: a sidecar that is gone then has said all that it will say.
        living = await asyncio.to_thread(self._executor.alive, [(t.id, t.sidecar) for t in due])
        unread = (await self._catch_up(active)).unread
        silent = []
        still_active = {t.id: t for t in await self._active()}
        for was in due:
            t = still_active.get(was.id)
            if t is None or t.id in self._burying:
                continue
            if t.id in unread and t.id not in living:
                continue  # its last word may be there: it is lost only when the spool says nothing
            if t.stop_requested_at is not None and t.sidecar is None:
                # A window, or an executor that can't say, is no reason to wait: see `_take_spool`.
                self._bury(t, "stopped before it was launched")
            elif t.id in living:
                await self._pass_on_stop(t)
            elif t.sidecar != was.sidecar:
                continue  # it spoke up between the two looks
            elif t.sidecar is not None:
                self._bury(t, _why_lost(t.sidecar))
            else:
                silent.append(t.id)
        return silent

    async def begun(self, run_id: str) -> bool:
        """Whether a sidecar has the run's spool, or had it, so that no other will start the run."""
        return await asyncio.to_thread(os.path.lexists, self._layout.spool(run_id))

    async def _active(self) -> list[Tracking]:
        found: list[Tracking] = []
        for some in self._store.active():
            found += some
            await asyncio.sleep(0)
        return found

    def give_up(self, run_id: str) -> None:
        """Take a run that was launched in vain for what it is: failed."""
        self._bury(
            self._store.tracking(run_id), "sidecar lost: it never reported that the command had started"
        )

    def _note_waits(self, active: list[Tracking]) -> None:
        """Remember since when we wait. The store's times can't tell: somebody may have set the clock, or no
        server was there to pass the request on."""
        now = time.monotonic()
        waits = [_launch_of(t) for t in active if t.sidecar is None]
        waits += [_stop_of(t) for t in active if t.stop_requested_at is not None]
        self._waiting = {wait: self._waiting.get(wait, now) for wait in waits}

    def _waited(self, wait: _Wait) -> float:
        now = time.monotonic()
        return now - self._waiting.get(wait, now)

    def _launch_is_overdue(self, t: Tracking) -> bool:
        return self._waited(_launch_of(t)) > self._patience.launch

    async def _pass_on_stop(self, t: Tracking) -> None:
        if t.stop_requested_at is None or t.sidecar is None:
            return
        overdue = self._waited(_stop_of(t)) > self._patience.stop
        if overdue and await asyncio.to_thread(self._executor.command_lives, t.sidecar):
            self._bury(t, "the sidecar did not stop the run in time, so the server ended it")
        else:  # its command has ended: then it waits for the disk, with the end and the last bytes in hand
            await asyncio.to_thread(self._executor.stop, t.id, t.sidecar)

    def _bury(self, t: Tracking, why: str) -> None:
        """End a run's processes, then give it its status; in the background, since that takes seconds."""
        self._log.warning("run %s: %s", t.id, why)
        task = asyncio.get_running_loop().create_task(self._end_lost(t, why))
        self._burying[t.id] = task
        task.add_done_callback(lambda done: self._buried(t.id, done))

    async def _end_lost(self, t: Tracking, why: str) -> None:
        if t.sidecar is None:
            await asyncio.to_thread(self._take_spool, t.id)
            if not await self._read_to_end(t.id) or self._store.tracking(t.id).sidecar is not None:
                return  # it has just begun after all: the next look sees it
        await asyncio.get_running_loop().run_in_executor(self._enders, self._executor.end, t.id, t.sidecar)
        if not await self._read_to_end(t.id):  # a last word from a sidecar ended for deafness
            return  # who knows what it says; the next look does
        stopped = t.stop_requested_at is not None
        status = RunStatus.STOPPED if stopped else RunStatus.FAILED
        if self._store.move(t.id, status, only_from=ACTIVE, error=why):
            LOST_SIDECARS.inc()
            self._noted(t.id)

    def _take_spool(self, run_id: str) -> None:
        """Have the spool, unless a sidecar has it, so that one that comes late leaves the run alone: what is
        on record as never started must not start. Blocks."""
        with contextlib.suppress(FileExistsError, FileNotFoundError):  # without a run dir nothing can start
            self._layout.spool(run_id).touch(mode=0o600, exist_ok=False)

    def _buried(self, run_id: str, task: "asyncio.Task[None]") -> None:
        del self._burying[run_id]
        if task.cancelled() or (problem := task.exception()) is None:
            return
        if isinstance(problem, RaJobsError):  # the disk is full or away; the next look tries again
            self._complaints.about("a run could not be ended", problem)
        else:
            self._log.error("run %s could not be ended; trying again", run_id, exc_info=problem)

    # -- the spool ---------------------------------------------------------------------------------

    async def _read_to_end(self, run_id: str) -> bool:
        """Read a spool from its beginning, the last time that it is asked: the command may have cut it, and
        an event may lie before the offset then. One that is met again changes nothing.

        False when it can't be read for now.
        """
        t = self._store.tracking(run_id)
        self._store.note_spool(run_id, 0, t.last_seq)
        behind, unread = [structs.replace(t, spool_offset=0)], set[str]()
        while behind and not unread:
            behind, unread = await self._catch_up(behind)
        return not unread

    async def _catch_up(self, runs: list[Tracking]) -> "_CaughtUp":
        """Apply what the spools of these runs hold beyond what was read before, a piece of each."""
        wanted = [(t.id, self._layout.spool(t.id), t.spool_offset) for t in runs]
        pieces, unread = await asyncio.to_thread(spools.read_on, wanted)
        for t in runs:
            what = f"the spool of run {t.id} can't be read"
            if problem := unread.get(t.id):
                self._complaints.about(what, problem)
            else:
                self._complaints.over(what)
        behind = []
        for piece in pieces:
            applied = self._apply_piece(piece)
            t = self._store.tracking(piece.run_id)
            if (piece.more or not applied) and t.status in ACTIVE:
                behind.append(t)
            await asyncio.sleep(0)  # a transaction each: when a thousand end at once, others are let in
        return _CaughtUp(behind, set(unread))

    def _apply_piece(self, piece: spools.Piece) -> bool:
        """False when somebody else read it meanwhile: applied now, it would be out of order."""
        run_id = piece.run_id
        with self._store.transaction():
            t = self._store.tracking(run_id)
            if t.spool_offset != piece.wanted:
                return False
            last_seq = t.last_seq
            for report in piece.events:
                assert report.seq is not None
                last_seq = max(last_seq, report.seq)
                # Whatever was POSTed before: a line of the spool counts. Twice does no harm.
                self._apply(self._store.tracking(run_id), report)
            self._store.note_spool(run_id, piece.offset, last_seq)
        if piece.strange and run_id not in self._strange:  # once, or a run could fill the server's log
            self._strange.add(run_id)
            self._log.error("run %s: its spool has lines that are no events; they are passed over", run_id)
        return True

    # -- applying ----------------------------------------------------------------------------------

    def _apply(self, t: Tracking, report: Report) -> bool:
        """Bring one report into the store; False when the run's status forbids it."""
        details = {
            name: value
            for name in ("tmux_pane", "wandb_dir", "sidecar")
            if (value := getattr(report, name)) is not None
        }
        if report.status is RunStatus.RUNNING:
            if t.status is RunStatus.RUNNING:
                return not details or self._store.change(t.id, only_from=ACTIVE, **details)
            if not self._store.move(t.id, RunStatus.RUNNING, at=report.time, error=None, **details):
                return False
            self._noted(t.id)
            return True
        if t.status is RunStatus.LAUNCHING and report.status is RunStatus.FINISHED:
            self._store.move(t.id, RunStatus.RUNNING, at=report.time)  # its `running` was lost on the way
        error = report.error[:_MAX_ERROR] if report.error else None
        moved = self._store.move(
            t.id,
            report.status,
            at=report.time,
            only_from=ACTIVE,
            exit_code=report.exit_code,
            signal=report.signal,
            error=error,
            **details,
        )
        if moved:
            self._log.info("run %s %s (exit code %s)", t.id, report.status, report.exit_code)
            self._noted(t.id)
        return moved


def _launch_of(t: Tracking) -> _Wait:
    return _Wait(t.id, "launch", t.launched_at)


def _stop_of(t: Tracking) -> _Wait:
    return _Wait(t.id, "stop", t.stop_requested_at)


def _why_lost(sidecar: SidecarIdentity) -> str:
    if sidecar.boot_id != procs.boot_id():
        return "sidecar lost: the machine was restarted while the run was active"
    return f"sidecar lost: process {sidecar.pid} ended without a last word"
