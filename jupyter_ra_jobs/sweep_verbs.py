"""Sweeps: the runs of one grid. How a sweep stands is computed from its runs, never stored."""

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar

from msgspec import UNSET, structs
from msgspec.json import encode as json_encode

from jupyter_ra_jobs import grids
from jupyter_ra_jobs.errors import BadInput, Conflict, RaJobsError
from jupyter_ra_jobs.gpus import Gpus
from jupyter_ra_jobs.models import (
    NewRun,
    NewSweep,
    NewWildSweep,
    Progress,
    Run,
    RunOptions,
    StoredSweep,
    Sweep,
    SweepEdit,
    SweepStatus,
)
from jupyter_ra_jobs.run_verbs import Runs, checked_command, checked_env, checked_text
from jupyter_ra_jobs.states import ACTIVE, TERMINAL, RunStatus
from jupyter_ra_jobs.store import Copy, Store, SweepCount

_MOST_BYTES = 1 << 25  # of the runs of a sweep
_MOST_AWAITED = 100_000  # dependencies of them

_T = TypeVar("_T")

# What is stored in one go, while the event loop waits: some milliseconds.
_SLICE_RUNS, _SLICE_BYTES, _SLICE_AWAITED = 100, 1 << 19, 500
_SLICE_RETRIED = 16
_STRUCTURE = {"base_command", "workdir", "parameters", "max_runs"}


class _Children(NamedTuple):
    """The runs of a sweep: what they share, what each has of its own, how many combinations there are."""

    template: Run
    env: dict[str, str]
    slices: list[list[Copy]]
    """As they are stored, each in one go."""
    total: int | None


class Sweeps:
    """The verbs of a sweep. `wake` tells the scheduler that there is something to start or stop."""

    def __init__(
        self, store: Store, runs: Runs, gpus: Gpus, *, most_runs: int, wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._runs = runs
        self._gpus = gpus
        self._most_runs = most_runs
        self._wake = wake
        self._retrying = asyncio.Lock()

    # -- looking -----------------------------------------------------------------------------------

    def get(self, sweep_id: str) -> Sweep:
        """One sweep, or NotFound."""
        return self._complete([self._store.sweeps.get(sweep_id)])[0]

    async def page(self, limit: int, id_prefix: str = "") -> list[Sweep]:
        """The newest sweeps first."""
        shown = []
        for stored in self._store.sweeps.page(limit, id_prefix):
            shown += self._complete([stored])
            await asyncio.sleep(0)  # each may have thousands of runs: let others in between
        return shown

    def some(self, sweep_ids: list[str]) -> list[Sweep]:
        """Those of these that there are, as they stand."""
        return self._complete(self._store.sweeps.some(sweep_ids)) if sweep_ids else []

    def _complete(self, stored: list[StoredSweep]) -> list[Sweep]:
        ids = [sweep.id for sweep in stored]
        run_ids, counts = self._store.sweeps.run_ids(ids), self._store.sweeps.counts(ids)
        return [assemble(sweep, run_ids[sweep.id], counts[sweep.id]) for sweep in stored]

    # -- making and changing -----------------------------------------------------------------------

    async def create(self, new: NewSweep) -> Sweep:
        """Create a sweep, and unless it is a draft all of its runs, started if asked for; whole or not.

        Raises BadInput.
        """
        await self._gpus.check(new.gpus)
        self._runs.check_files(new.files)
        env = checked_env(new.env)
        created_at, starts = time.time(), new.auto_start or new.status == "running"
        sweep = StoredSweep(
            id=secrets.token_hex(6),
            name=checked_text("name", new.name),
            base_command=checked_command(new.base_command),
            workdir=await self._runs.checked_workdir(new.workdir),
            parameters=new.parameters,
            method=new.method,
            seed=new.seed,
            max_runs=new.max_runs,
            parallel=(new.parallel or 1) if starts else new.parallel,
            started_at=created_at if starts else None,
            is_draft=new.status == "draft" and not new.auto_start,
            created_at=created_at,
            goal=new.goal,
            chat_session_id=new.chat_session_id,
            ui_config=new.ui_config,
            creation_context=new.creation_context,
            run_options=_options(new),
        )
        children = await asyncio.to_thread(self._children, sweep, env)
        sweep = structs.replace(sweep, total_combinations=children.total)
        async with self._kept(children if not sweep.is_draft else None, start=starts) as add_to:
            with self._store.transaction():
                self._runs.check_files(new.files)
                self._store.sweeps.add(sweep, env)
                add_to(sweep.id)
        await self._go_on()
        if starts:
            self._wake()
        return self.get(sweep.id)

    async def create_wild(self, new: NewWildSweep) -> Sweep:
        """An empty sweep; runs are added to it one by one."""
        sweep = StoredSweep(
            id=secrets.token_hex(6),
            name=checked_text("name", new.name),
            base_command="",
            workdir=await self._runs.checked_workdir(None),
            parameters={},
            created_at=time.time(),
            goal=new.goal,
            is_wild=True,
            chat_session_id=new.chat_session_id,
        )
        with self._store.transaction():
            self._store.sweeps.add(sweep)
        return self.get(sweep.id)

    async def edit(self, sweep_id: str, edit: SweepEdit) -> Sweep:
        """Change what the caller names; Conflict for the structure once there are runs.

        A `status` of `pending` or `running` makes a draft's runs, and starts them; `canceled` stops.
        """
        sweep = self._store.sweeps.get(sweep_id)
        changes = {name: value for name, value in structs.asdict(edit).items() if value is not UNSET}
        status = changes.pop("status", None)
        if status == "running":
            await self._check_gpus(sweep)
        if changes.keys() & _STRUCTURE:
            await self._store.bulk.go_on()  # it may just be given runs
        if changes.keys() & _STRUCTURE and self._store.sweeps.run_ids([sweep_id])[sweep_id]:
            names = ", ".join(sorted(changes.keys() & _STRUCTURE))
            raise Conflict(f"sweep {sweep_id} has runs; its {names} cannot change any more")
        if "name" in changes:
            checked_text("name", changes["name"])
        if "base_command" in changes:
            checked_command(changes["base_command"])
        if "workdir" in changes:
            changes["workdir"] = await self._runs.checked_workdir(changes["workdir"])
        edited = structs.replace(sweep, **changes)
        if status == "draft" and not sweep.is_draft:
            raise Conflict(f"sweep {sweep_id} is no draft any more")
        begins = status in ("pending", "running") and sweep.is_draft
        if status == "running" and not begins:
            self._check_runs(sweep_id)
        children: _Children | None = None
        if changes.keys() & _STRUCTURE or begins:
            if "workdir" not in changes:
                await self._runs.checked_workdir(edited.workdir)
            children = await asyncio.to_thread(self._children, edited, self._store.sweeps.env(sweep_id))
            changes["total_combinations"] = children.total
        async with self._kept(children if begins else None, start=status == "running") as add_to:
            with self._store.transaction():
                if self._store.sweeps.get(sweep_id) != sweep:
                    raise Conflict(f"sweep {sweep_id} was changed meanwhile; look at it, and try again")
                add_to(sweep_id)
                if begins:
                    changes["is_draft"] = False
                if changes:
                    self._store.sweeps.change(sweep_id, **changes)
                if status == "running":
                    self._begin(sweep_id, sweep.parallel or 1)
        await self._go_on()
        if status == "canceled":
            await self.stop(sweep_id)
        return self.get(sweep_id)

    def _children(self, sweep: StoredSweep, env: dict[str, str]) -> "_Children":
        """The sweep's runs, not stored yet; its workdir was checked. Takes its time: call it in a thread.

        BadInput when to store them would take too long.
        """
        cells, total = grids.cells(
            sweep.parameters, sweep.method, most=self._most_runs, max_runs=sweep.max_runs, seed=sweep.seed
        )
        template = self._runs.build(
            NewRun(
                name=sweep.name,
                command=sweep.base_command,
                workdir=sweep.workdir,
                chat_session_id=sweep.chat_session_id,
                **sweep.run_options,
            ),
            sweep.workdir,
        )
        if len(cells) * len(template.after) > _MOST_AWAITED:
            raise BadInput(
                f"after: {len(cells):,} runs that wait for {len(template.after):,} each are too many; "
                "have one run wait for these, and the sweep for that one"
            )
        shared = len(json_encode([env, template]))
        most = max(1, min(_SLICE_RUNS, _SLICE_AWAITED // max(1, len(template.after))))
        slices, size, of_slice = list[list[Copy]](), 0, 0
        for number, cell in enumerate(cells, start=1):
            command = checked_command(grids.command(sweep.base_command, cell))
            copy = Copy(secrets.token_hex(6), f"{sweep.name} #{number}", command, cell)
            of_copy = shared + len(command) + len(json_encode(cell))
            size, of_slice = size + of_copy, of_slice + of_copy
            if size > _MOST_BYTES:
                raise BadInput(
                    f"parameters: {len(cells):,} runs with all that each holds (command, values, env) are "
                    f"more than {_MOST_BYTES:,} bytes; put what is long into a file"
                )
            if not slices or len(slices[-1]) == most or of_slice > _SLICE_BYTES:
                slices.append([])
                of_slice = of_copy
            slices[-1].append(copy)
        return _Children(structs.replace(template, sweep_id=sweep.id), env, slices, total)

    @asynccontextmanager
    async def _kept(
        self, children: "_Children | None", *, start: bool
    ) -> AsyncIterator[Callable[[str], None]]:
        """What, in the transaction that stores their sweep, adds these runs to it.

        Many are kept beside the runs before, in slices: to add them is then one word, and the store does it
        in slices again, in `bulk.go_on`.
        """
        if children is None:
            yield lambda _: None
            return
        bulk, key = self._store.bulk, secrets.token_hex(6)
        template, env, slices, _ = children
        if start:
            template = structs.replace(template, status=RunStatus.QUEUED, queued_at=self._store.queue.end())

        def add_to(sweep_id: str) -> None:
            self._store.queue.check_after(template.after)
            if len(slices) > 1:
                bulk.make(sweep_id, key, len(slices))
            for some in slices if len(slices) == 1 else []:
                bulk.add(template, some, env, start_requested=start)

        try:
            for some in slices if len(slices) > 1 else []:
                bulk.keep(key, template, some, env, start_requested=start)
                await asyncio.sleep(0)
            yield add_to
        except BaseException:
            with contextlib.suppress(RaJobsError):  # else the next server does
                bulk.drop(key)
            raise

    # -- starting and stopping ---------------------------------------------------------------------

    async def start(self, sweep_id: str, parallel: int) -> str:
        """Run all that has not run, `parallel` at a time until all is done; says what is started now.

        A second start with another number changes it; what is active goes on, also beyond a smaller one.
        Raises Conflict for a sweep without runs, one that is stopped before this has begun, or one whose runs
        have all ended and not all finished, and BadInput for one that needs more GPUs than there are.
        """
        sweep = self._store.sweeps.get(sweep_id)
        await self._check_gpus(sweep)
        return await self._start(sweep, parallel)

    async def _check_gpus(self, sweep: StoredSweep) -> None:
        await self._gpus.check(sweep.run_options.get("gpus"))  # a server started later may have fewer

    async def _start(self, sweep: StoredSweep, parallel: int) -> str:
        sweep_id = sweep.id
        await self._store.bulk.go_on()  # a stop under way is another one's, and comes first
        if self._store.sweeps.get(sweep_id).canceled_at not in (None, sweep.canceled_at):
            raise Conflict(f"sweep {sweep_id} was stopped meanwhile; start it again")
        counts = self._check_runs(sweep_id)
        if self._is_over(sweep_id) and any(count.status != RunStatus.FINISHED for count in counts):
            raise Conflict(
                f"all runs of sweep {sweep_id} have ended; a retry runs those again that failed or were "
                "stopped"
            )
        total = sum(count.runs for count in counts)
        self._begin(sweep_id, parallel)
        await self._go_on()
        standing = Counter({count.status: count.runs for count in counts})
        active = sum(standing[status] for status in ACTIVE)
        waiting = standing[RunStatus.READY] + standing[RunStatus.QUEUED]
        return f"Started {min(waiting, max(0, parallel - active))}/{total} runs"

    def _check_runs(self, sweep_id: str) -> list[SweepCount]:
        counts = self._store.sweeps.counts([sweep_id])[sweep_id]
        if not counts:
            raise Conflict(f"sweep {sweep_id} has no runs to start")
        return counts

    def _begin(self, sweep_id: str, parallel: int) -> None:
        with self._store.transaction():
            started_at = self._store.sweeps.get(sweep_id).started_at or time.time()
            self._store.sweeps.change(sweep_id, parallel=parallel, started_at=started_at, canceled_at=None)
            self._store.bulk.begin(sweep_id, "start")
        self._wake()

    async def stop(self, sweep_id: str) -> Sweep:
        """Stop what is active, and take the rest out of the queue. What is `ready` stays so.

        A sweep whose runs have all ended stays what it has become.
        """
        self._store.sweeps.get(sweep_id)
        with self._store.transaction():
            if self._is_over(sweep_id):
                return self.get(sweep_id)
            self._store.sweeps.change(sweep_id, canceled_at=time.time())
            self._store.bulk.begin(sweep_id, "stop")
        self._wake()
        await self._go_on()
        return self.get(sweep_id)

    def _is_over(self, sweep_id: str) -> bool:
        """Whether all of its runs have ended, and none are just being made or retried."""
        counts = self._store.sweeps.counts([sweep_id])[sweep_id]
        more = self._store.bulk.is_under_way(sweep_id) or self._retrying.locked()
        return bool(counts) and all(count.status in TERMINAL for count in counts) and not more

    async def _go_on(self) -> None:
        """Do what is on the disk as to be done; what a full disk keeps from it, the scheduler does later."""
        with contextlib.suppress(RaJobsError):
            await self._store.bulk.go_on()

    async def retry(self, sweep_id: str) -> Sweep:
        """Run the failed and stopped cells again, as new runs in the sweep; Conflict when there are none.

        They wait for each other as the old ones did. Many are added in slices, the oldest first, and started
        when all are there; what a crash leaves is for the next retry. Raises what `start` does.
        """
        async with self._retrying:
            await self._check_gpus(self._store.sweeps.get(sweep_id))
            await self._store.bulk.go_on()
            sweep = self._store.sweeps.get(sweep_id)
            ended = self._store.sweeps.retryable(sweep_id)
            if not ended:
                raise Conflict(
                    f"sweep {sweep_id} has no failed or stopped runs to retry; start it for what is ready"
                )
            await self._add_again(ended)
        await self._start(sweep, sweep.parallel or 1)
        return self.get(sweep_id)

    async def _add_again(self, ended: list[str]) -> None:
        instead: dict[str, str] = {}
        order: list[tuple[int, str, str]] = []
        workdirs: dict[str, None] = {}
        for some in _slices(ended):
            for run_id in some:
                run = self._store.run(run_id)
                tries, again = self._tries(run), secrets.token_hex(6)
                workdirs[run.workdir] = None
                instead |= dict.fromkeys(tries, again)
                order.append((self._store.number(tries[-1]), run_id, again))
            await asyncio.sleep(0)
        for workdir in workdirs:
            await self._runs.checked_workdir(workdir)
        for part in _slices(sorted(order)):  # who is awaited is older
            with self._store.transaction():
                for _, run_id, again in part:
                    if self._store.sweeps.retried_as(run_id):
                        raise Conflict(
                            f"run {run_id} was retried meanwhile; look at the sweep, and try again"
                        )
                    run = self._store.run(run_id)
                    after = [instead.get(each) or self._retry_at_work(each) for each in run.after]
                    new = structs.replace(
                        self._runs.again(run), id=again, after=[each for each in after if each]
                    )
                    self._store.add(new, self._store.env(run_id))
            await asyncio.sleep(0)

    def _retry_at_work(self, run_id: str) -> str | None:
        """The newest retry in its sweep, unless that has ended."""
        newest = run_id
        while retry := self._store.sweeps.retried_as(newest):
            newest = retry
        return newest if newest != run_id and self._store.status(newest) not in TERMINAL else None

    def _tries(self, run: Run) -> list[str]:
        """It, and those in its sweep that it was a retry of: others name any of them in `after`."""
        tries, sweep_id = [run.id], run.sweep_id
        while run.parent_run_id is not None and run.parent_run_id not in tries:
            run = self._store.run(run.parent_run_id)
            if run.sweep_id != sweep_id or run.status is RunStatus.FINISHED:
                break
            tries.append(run.id)
        return tries

    # -- members -----------------------------------------------------------------------------------

    async def add_run(self, sweep_id: str, new: NewRun) -> Run:
        """A new run in the sweep."""
        self._store.sweeps.get(sweep_id)
        return await self._runs.create(structs.replace(new, sweep_id=sweep_id))

    def attach(self, run_id: str, sweep_id: str) -> str:
        """Put a run into a sweep; Conflict while it is active in another one.

        An active one goes on, and is one of those that the sweep's `parallel` allows: no other starts for it.
        """
        self._store.sweeps.get(sweep_id)
        run = self._store.run(run_id)
        if run.sweep_id == sweep_id:
            return f"Run {run_id} is in sweep {sweep_id} already"
        if run.sweep_id is not None and run.status in ACTIVE:
            raise Conflict(
                f"run {run_id} is {run.status} in sweep {run.sweep_id}; it can move when it has ended"
            )
        with self._store.transaction():
            self._store.change(run_id, sweep_id=sweep_id)
            if run.sweep_id is not None:
                self._store.sweeps.change(run.sweep_id)  # it has changed by what it lost
        return f"Run {run_id} added to sweep {sweep_id}"


def _slices(of: list[_T]) -> Iterator[list[_T]]:
    """So many at a time as are read or added one by one in some milliseconds."""
    return (of[at : at + _SLICE_RETRIED] for at in range(0, len(of), _SLICE_RETRIED))


def _options(new: NewSweep) -> dict[str, Any]:
    """What was said of how its runs run; what was not is left out."""
    said = {field.name: getattr(new, field.name) for field in structs.fields(RunOptions)}
    unsaid = structs.asdict(RunOptions())
    return {name: value for name, value in said.items() if value != unsaid[name]}


def assemble(stored: StoredSweep, run_ids: list[str], counts: list[SweepCount]) -> Sweep:
    """A sweep as it stands."""
    runs = Counter({count.status: count.runs for count in counts})
    total = sum(runs.values())
    ended = bool(total) and all(status in TERMINAL for status in runs)
    first = [count.first_started for count in counts if count.first_started is not None]
    last = [count.last_ended for count in counts if count.last_ended is not None]
    shown = {name: getattr(stored, name) for name in Sweep.__struct_fields__ if hasattr(stored, name)}
    shown |= {
        "run_ids": run_ids,
        "status": _status(
            stored, runs, waiting=any(count.waiting for count in counts if count.status is RunStatus.QUEUED)
        ),
        "started_at": stored.started_at or min(first, default=None),
        "completed_at": max(last, default=None) if ended else None,
        "progress": Progress(
            total=total,
            completed=runs[RunStatus.FINISHED],
            failed=runs[RunStatus.FAILED],
            running=runs[RunStatus.RUNNING],
            launching=runs[RunStatus.LAUNCHING],
            ready=runs[RunStatus.READY],
            queued=runs[RunStatus.QUEUED],
            canceled=runs[RunStatus.STOPPED],
        ),
    }
    return Sweep(**shown)


def _status(stored: StoredSweep, runs: Counter[RunStatus], *, waiting: bool) -> SweepStatus:
    total = sum(runs.values())
    if waiting or any(runs[status] for status in ACTIVE):
        return "running"
    if stored.canceled_at is not None:
        return "canceled"
    if not total:
        return "draft" if stored.is_draft else "pending"
    if runs[RunStatus.READY] + runs[RunStatus.QUEUED]:
        return "pending"
    if runs[RunStatus.FAILED]:
        return "failed"
    return "canceled" if runs[RunStatus.STOPPED] == total else "completed"
