"""One loop: catch up with what the sidecars did, then start what was asked for and has a slot."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from jupyter_ra_jobs.complaints import Complaints
from jupyter_ra_jobs.errors import Conflict, FileGone, RaJobsError, Unavailable
from jupyter_ra_jobs.gpus import Gpus
from jupyter_ra_jobs.launcher import Launcher
from jupyter_ra_jobs.prometheus import TICK_SECONDS
from jupyter_ra_jobs.reports import Reports
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store

_BUSY_TICK = 1.0
_IDLE_TICK = 5.0
_AT_ONCE = 64
_CHANCES = 5
"""How often a run is launched again, `Patience.launch` apart."""
_QUEUE = "the queue waits"
_UNDER_WAY = "what is under way waits"
_SCHEDULING = "runs can't be looked after"


class Scheduler:
    """The server's heart. `on_tick` is called once a tick, with the number of active runs."""

    def __init__(
        self,
        store: Store,
        launcher: Launcher,
        reports: Reports,
        gpus: Gpus,
        log: logging.Logger,
        on_tick: Callable[[int], None],
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._reports = reports
        self._gpus = gpus
        self._log = log
        self._complaints = Complaints(log)
        self._on_tick = on_tick
        self._awake = asyncio.Event()
        self._launched_again: dict[str, int] = {}
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be something to do: tick now."""
        self._awake.set()

    async def adopt(self) -> None:
        """Take up what an earlier server left."""
        try:
            await self._go_on()
            await self._launch_again(await self._reports.reconcile(patient=False))
            self._store.bulk.drop_forgotten()
        except Exception:  # noqa: BLE001 - an edge, as in the loop: the server must come up whatever it finds
            self._log.exception("not all runs could be taken up; the first tick tries again")

    def start(self) -> None:
        """Begin to tick."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Finish the tick under way and end. By a flag: a cancel may be swallowed half-way."""
        self._ending = True
        self._awake.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._ending:
            self._awake.clear()
            busy = True
            try:
                await self.tick()
                busy = bool(self._store.active_count() or self._store.queue.next(1, self._gpus.known))
                self._complaints.over(_SCHEDULING)
            except RaJobsError as problem:  # the disk is full or away; the next tick tries again
                self._complaints.about(_SCHEDULING, problem)
            except Exception:  # noqa: BLE001 - the edge of the loop: the other runs must not stand still
                self._log.exception("a scheduler tick failed; the next one tries again")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._awake.wait(), _BUSY_TICK if busy else _IDLE_TICK)

    async def tick(self) -> None:
        """One pass: first what ended, then what can start."""
        with TICK_SECONDS.time():
            await self._launch_again(await self._reports.reconcile())
            await self._go_on()
            await self._fill()
        self._on_tick(self._store.active_count())

    async def _go_on(self) -> None:
        """What others began with thousands of runs, and could not finish: a full disk, a server that died."""
        try:
            await self._store.bulk.go_on()
            self._complaints.over(_UNDER_WAY)
        except RaJobsError as problem:
            self._complaints.about(_UNDER_WAY, problem)

    async def _launch_again(self, run_ids: list[str]) -> None:
        """Further chances: their server died between claim and launch, or tmux while a sidecar began.

        Harmless, since a sidecar leaves a run alone that another one has begun: so one that was begun has
        one chance, in case its sidecar only was late, others have a few. Those that the executor refused
        don't count: they wait until it takes one.
        """
        self._forget_who_came()
        for run_id in run_ids:
            if run_id not in self._launched_again:  # said once, however often it is tried
                self._log.info("run %s was claimed but shows no sign of life; launching it again", run_id)
            tried = self._launched_again.setdefault(run_id, 0)
            if tried == _CHANCES or (tried and await self._reports.begun(run_id)):
                del self._launched_again[run_id]
                self._reports.give_up(run_id)
                continue
            waiting = _to_be_launched(run_id)
            try:
                await self._launcher.relaunch(run_id)
            except Unavailable as problem:
                self._complaints.about(waiting, problem)
                return  # as would the others
            except FileGone as problem:
                self._store.move(run_id, RunStatus.FAILED, error=str(problem))
            except RaJobsError as problem:  # its folder takes nothing
                self._complaints.about(waiting, problem)
            else:
                self._complaints.over(waiting)
                self._launched_again[run_id] += 1

    def _forget_who_came(self) -> None:
        """Keep count of those alone that are still to be launched."""
        for run_id in list(self._launched_again):
            if self._store.status(run_id) is not RunStatus.LAUNCHING:
                del self._launched_again[run_id]
        still = {_to_be_launched(run_id) for run_id in self._launched_again}
        self._complaints.forget(_to_be_launched(""), still)

    async def _fill(self) -> None:
        """Start the runs that wait, first come first, while there are slots and the executor takes them."""
        if self._launcher.held_up and self._store.has(RunStatus.LAUNCHING):
            return  # one of those goes first, and shows whether it can
        limit = self._launcher.max_active
        free = _AT_ONCE if limit is None else min(_AT_ONCE, limit - self._store.active_count())
        # More than can go: one whose folder takes nothing must not hold up those behind it.
        waiting = self._store.queue.next(_AT_ONCE, self._gpus.known) if free > 0 else []
        self._complaints.forget(_waiting(""), {_waiting(run_id) for run_id, _ in waiting})
        for run_id, gpu_ids in waiting:
            if free <= 0:
                return
            try:
                run, env = self._store.run(run_id), self._store.env(run_id)
                prepared = await self._launcher.prepare(run, env, gpu_ids)
                if not await self._launcher.launch(run_id, prepared):
                    await asyncio.to_thread(prepared.discard)
                    return
                free -= 1
                self._complaints.over(_QUEUE)
                if self._launcher.held_up:
                    return
            except Conflict as problem:  # stopped meanwhile
                self._log.info("run %s: %s", run_id, problem)
            except Unavailable as problem:
                self._complaints.about(_QUEUE, problem)
                return
            except FileGone as problem:  # it would wait for ever
                self._store.move(run_id, RunStatus.FAILED, only_from=[RunStatus.QUEUED], error=str(problem))
            except RaJobsError as problem:  # its folder takes nothing: it waits, and the others go on
                self._complaints.about(_waiting(run_id), problem)


def _waiting(run_id: str) -> str:
    return f"a run waits: {run_id}"


def _to_be_launched(run_id: str) -> str:
    return f"a run waits to be launched: {run_id}"
