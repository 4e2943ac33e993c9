"""Any calls in any order, sidecars that do what they like, servers that die at any step: what must hold."""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import convert, structs

from jupyter_ra_jobs import sweep_verbs
from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.models import NewRun, NewSweep, Report, RerunOptions, Run, RunEdit, Sweep, SweepEdit
from jupyter_ra_jobs.states import ACTIVE, TERMINAL, TRANSITIONS, RunStatus
from jupyter_ra_jobs.store import bulk, ends
from tests.fuzz import profile
from tests.fuzz.sidecars import GPUS, SLOTS, Crash, Server, Sidecar, Sidecars

ENOUGH = 200
"""Ticks until all has ended, or never will."""
GARBAGE = [b"x", b"\n", b"\0\n", b'{"seq": 1, "status"', b"{}\n", b"[" * 100 + b"\n", b"\xff\xfe{\n"]

which = st.integers(0, 20)
few = st.integers(0, 2)
codes = st.sampled_from([0, 1, 137])
parallels = st.integers(1, 3)
afters = st.just([]) | st.lists(which, max_size=2)
steps = st.none() | st.none() | st.integers(0, 80)
"""How many steps the server lives on, which most calls outlive."""


def reachable(status: RunStatus) -> set[RunStatus]:
    """The statuses that may follow, sooner or later, itself included."""
    return {status}.union(*(reachable(following) for following in TRANSITIONS[status]))


class States(RuleBasedStateMachine):
    """A workdir, a server on it, and its runs."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.sidecars = Sidecars()
        self.servers = [Server(self.folder, self.sidecars)]
        self.mirror: dict[str, Run] = {}
        self.sweeps: dict[str, Sweep] = {}
        self.cursor = 0
        self.drowsy = False
        """Whether the scheduler does not come as soon as it is woken."""
        self.order: list[str] = []
        """The ids of all runs, oldest first."""
        self.unsure: set[str] = set()
        """Runs about which somebody lied."""
        self.cut: set[str] = set()
        """Runs whose command has cut the spool."""
        self.joined: set[str] = set()
        """Runs that were put into a sweep by hand."""

    @property
    def server(self) -> Server:
        """The one that lives."""
        return self.servers[-1]

    def run_id(self, index: int) -> str:
        """One of the runs."""
        return self.order[index % len(self.order)]

    def sweep_id(self, index: int) -> str:
        """One of the sweeps."""
        return list(self.sweeps)[index % len(self.sweeps)]

    def call(self, *calls: Callable[[], Any], lives: int | None = None) -> None:
        """Calls at the same time, of a server that dies after so many steps; what it refuses is refused."""

        async def one(call: Callable[[], Any]) -> None:
            try:
                answer = call()
                if isinstance(answer, Coroutine):
                    await answer
            except RaJobsError as problem:
                if type(problem) is RaJobsError:  # none of those that say what is wrong
                    raise

        async def all_of_them() -> None:
            for task in [self.server.loop.create_task(one(call)) for call in calls]:
                await task

        self.server.life.steps = lives
        try:
            self.server.do(all_of_them())
            if not self.drowsy and self.server.services.scheduler._awake.is_set():
                self.server.do(one(self.server.services.scheduler.tick))
        except Crash:
            self.server.life.over = True
        self.server.life.steps = None
        if self.server.life.over:  # it may have been a task of its own that met the end
            self.restart()

    def restart(self, lives: int | None = None) -> None:
        """The server is killed, and another one comes."""
        self.server.end()
        self.servers.append(Server(self.folder, self.sidecars))
        self.call(self.server.services.scheduler.adopt, lives=lives)

    @initialize(parallel=parallels, starts=st.booleans())
    def first_ones(self, parallel: int, starts: bool) -> None:
        """A sweep, and runs beside it, so that every call has something to be about."""
        self.create_sweep(cells=4, after=[], start=starts, parallel=parallel, retries=1, lives=None)
        self.all_holds()
        for gpus in (1, None, None):
            self.create([], bool(gpus), retries=1, gpus=gpus, priority=0, sweep=0, lives=None)

    # -- callers -----------------------------------------------------------------------------------

    @rule(
        after=afters,
        start=st.sampled_from([True, True, False]),
        retries=few,
        gpus=st.sampled_from([None, None, None, 0, 1, 2]),
        priority=few,
        sweep=st.none() | which,
        lives=steps,
    )
    def create(
        self,
        after: list[int],
        start: bool,
        retries: int,
        gpus: int | None,
        priority: int,
        sweep: int | None,
        lives: int | None,
    ) -> None:
        new = NewRun(
            name="r",
            command="c",
            auto_start=start,
            after=[self.run_id(index) for index in after] if self.order else [],
            max_retries=retries,
            gpus=gpus,
            priority=priority,
            sweep_id=self.sweep_id(sweep) if sweep is not None and self.sweeps else None,
        )
        self.call(lambda: self.server.services.runs.create(new), lives=lives)

    @rule(
        cells=st.integers(1, 4),
        after=afters,
        start=st.sampled_from([True, True, False]),
        parallel=parallels,
        retries=few,
        lives=steps,
    )
    def create_sweep(
        self, cells: int, after: list[int], start: bool, parallel: int, retries: int, lives: int | None
    ) -> None:
        new = NewSweep(
            name="s",
            base_command="c",
            parameters={"n": list(range(cells))},
            auto_start=start,
            parallel=parallel,
            after=[self.run_id(index) for index in after] if self.order else [],
            max_retries=retries,
        )
        self.call(lambda: self.server.services.sweeps.create(new), lives=lives)

    @precondition(lambda self: self.order)
    @rule(
        index=which,
        verb=st.sampled_from(["queue", "start", "start", "stop", "rerun", "archive"]),
        lives=steps,
    )
    def verb(self, index: int, verb: str, lives: int | None) -> None:
        self.call(self.verb_of(index, verb), lives=lives)

    def verb_of(self, index: int, verb: str) -> Callable[[], Any]:
        runs, run_id = self.server.services.runs, self.run_id(index)
        return {
            "queue": lambda: runs.queue(run_id),
            "start": lambda: runs.start(run_id),
            "stop": lambda: runs.stop(run_id),
            "rerun": lambda: runs.rerun(run_id, RerunOptions(auto_start=bool(index % 2))),
            "archive": lambda: runs.archive(run_id, bool(index % 3)),
        }[verb]

    @precondition(lambda self: self.order)
    @rule(index=which, priority=few, command=st.booleans(), lives=steps)
    def edit(self, index: int, priority: int, command: bool, lives: int | None) -> None:
        edit = RunEdit(priority=priority, command="d") if command else RunEdit(priority=priority)
        self.call(lambda: self.server.services.runs.edit(self.run_id(index), edit), lives=lives)

    @precondition(lambda self: self.sweeps)
    @rule(
        index=which,
        verb=st.sampled_from(["start", "stop", "retry", "cancel"]),
        parallel=parallels,
        lives=steps,
    )
    def sweep_verb(self, index: int, verb: str, parallel: int, lives: int | None) -> None:
        sweeps, sweep_id = self.server.services.sweeps, self.sweep_id(index)
        call: Callable[[], Any] = {
            "start": lambda: sweeps.start(sweep_id, parallel),
            "stop": lambda: sweeps.stop(sweep_id),
            "retry": lambda: sweeps.retry(sweep_id),
            "cancel": lambda: sweeps.edit(sweep_id, SweepEdit(status="canceled")),
        }[verb]
        self.call(call, lives=lives)

    @precondition(lambda self: self.sweeps and self.order)
    @rule(index=which, sweep=which, lives=steps)
    def add_to_sweep(self, index: int, sweep: int, lives: int | None) -> None:
        run_id, sweep_id = self.run_id(index), self.sweep_id(sweep)
        self.joined.add(run_id)
        self.call(lambda: self.server.services.sweeps.attach(run_id, sweep_id), lives=lives)

    @precondition(lambda self: self.order)
    @rule(
        index=which,
        verbs=st.lists(st.sampled_from(["start", "stop", "tick", "queue"]), min_size=2, max_size=4),
    )
    def at_once(self, index: int, verbs: list[str]) -> None:
        """Several calls for one run, each going on where another one waits."""
        tick = self.server.services.scheduler.tick
        self.call(*(tick if verb == "tick" else self.verb_of(index, verb) for verb in verbs))

    # -- the server --------------------------------------------------------------------------------

    @rule(drowsy=st.booleans())
    def scheduler_is_slow(self, drowsy: bool) -> None:
        self.drowsy = drowsy

    @rule(lives=steps)
    def tick(self, lives: int | None) -> None:
        self.call(self.server.services.scheduler.tick, lives=lives)

    @rule(lives=steps)
    def killed(self, lives: int | None) -> None:
        self.restart(lives)

    @rule(outcome=st.sampled_from(["is slow", "vanishes", "fails", "is missing"]))
    def next_launch(self, outcome: Any) -> None:
        self.sidecars.next.append(outcome)

    # -- sidecars ----------------------------------------------------------------------------------

    def at_work(self, index: int) -> tuple[str, Sidecar] | None:
        """One whose command runs."""
        found = [(run_id, one) for run_id, one in self.sidecars.commands.items() if one.runs]
        return found[index % len(found)] if found else None

    @rule(index=which)
    def slow_one_begins(self, index: int) -> None:
        slow = [
            (run_id, one)
            for run_id, launched in self.sidecars.launched.items()
            for one in launched
            if one.alive and one.spool is None
        ]
        if slow:
            self.sidecars.begin(*slow[index % len(slow)])

    @rule(index=which, code=codes)
    def command_ends(self, index: int, code: int) -> None:
        if found := self.at_work(index):
            found[1].end(code)

    @rule(index=which)
    def command_names_its_wandb_dir(self, index: int) -> None:
        if found := self.at_work(index):
            found[1].say("running", wandb_dir=f"/wandb/{len(found[1].events)}")

    @rule(index=which)
    def sidecar_is_killed(self, index: int) -> None:
        if found := self.at_work(index):
            found[1].alive = False

    @precondition(lambda self: self.sidecars.commands)
    @rule(index=which, event=which, lives=steps)
    def callback(self, index: int, event: int, lives: int | None) -> None:
        """Late, twice, out of order: but of something that was."""
        run_id, sidecar = list(self.sidecars.commands.items())[index % len(self.sidecars.commands)]
        report = convert(sidecar.events[event % len(sidecar.events)], Report)
        self.call(lambda: self.server.services.reports.receive(run_id, report), lives=lives)

    # -- who lies ----------------------------------------------------------------------------------

    @precondition(lambda self: self.order)
    @rule(
        index=which,
        status=st.sampled_from(list(RunStatus)),
        code=codes,
        seq=st.none() | st.integers(1, 5),
        lives=steps,
    )
    def forged_callback(
        self, index: int, status: RunStatus, code: int, seq: int | None, lives: int | None
    ) -> None:
        run_id = self.run_id(index)
        self.unsure.add(run_id)
        report = Report(status=status, exit_code=code, seq=seq)
        self.call(lambda: self.server.services.reports.receive(run_id, report), lives=lives)

    @rule(index=which, text=st.sampled_from(GARBAGE))
    def garbage_in_the_spool(self, index: int, text: bytes) -> None:
        if found := self.at_work(index):
            with (found[1].run_dir / "events.jsonl").open("ab") as spool:
                spool.write(text)

    @rule(index=which, keeps=st.integers(0, 400))
    def spool_cut(self, index: int, keeps: int) -> None:
        """By the command: what it is, and how it ends, is known all the same."""
        if found := self.at_work(index):
            self.cut.add(found[0])
            spool = found[1].run_dir / "events.jsonl"
            with spool.open("r+b") as file:
                file.truncate(min(keeps, spool.stat().st_size))

    @rule(index=which, status=st.sampled_from(["running", *TERMINAL]), code=codes)
    def forged_event(self, index: int, status: str, code: int) -> None:
        if found := self.at_work(index):
            self.unsure.add(found[0])
            event = {"seq": 9, "status": status, "exit_code": code}
            with (found[1].run_dir / "events.jsonl").open("ab") as spool:
                spool.write(b"\n" + json.dumps(event).encode() + b"\n")

    # -- what holds --------------------------------------------------------------------------------

    @invariant()
    def all_holds(self) -> None:
        """Looked at from another connection: what is in the file."""
        before = dict(self.mirror)
        self.follow()
        shown = self.server.services.store.runs(limit=-1)
        self.order = [run.id for run in reversed(shown)]
        runs = {run.id: run for run in shown}
        self.nothing_changes_unheard(runs)
        for run_id, was in before.items():
            self.follows_the_table(was, runs[run_id])
        self.limits_hold(before, runs)
        self.queue_is_one(shown)
        self.who_waits_waits(runs)
        self.retries_are_as_many(runs)
        self.truth_is_told(runs)

    def follow(self) -> None:
        """Read the feed, as an event stream does."""
        while told := self.server.services.feed.since(self.cursor, 3):
            for event, cursor in told:
                assert cursor >= self.cursor
                if event.run is not None:
                    self.mirror[event.run.id] = event.run
                if event.sweep is not None:
                    self.sweeps[event.sweep.id] = event.sweep
            assert told[-1][1] > self.cursor
            self.cursor = told[-1][1]

    def nothing_changes_unheard(self, runs: dict[str, Run]) -> None:
        """Who follows knows what who asks does; only places in the queue move by themselves."""
        placeless = {run_id: structs.replace(run, queue_position=None) for run_id, run in self.mirror.items()}
        assert placeless == {
            run_id: structs.replace(run, queue_position=None) for run_id, run in runs.items()
        }
        for sweep in self.server.services.sweeps.some(list(self.sweeps)):
            assert self.sweeps[sweep.id] == sweep

    def follows_the_table(self, was: Run, now: Run) -> None:
        """A run goes where the table leads; what has ended stays as it ended."""
        assert now.status in reachable(was.status)
        if was.status in TERMINAL:
            for name in ("status", "exit_code", "error", "signal", "ended_at", "started_at", "gpu_ids"):
                assert getattr(was, name) == getattr(now, name), name

    def limits_hold(self, before: dict[str, Run], runs: dict[str, Run]) -> None:
        """Of the server, of each sweep, of the GPUs."""
        active = [run for run in runs.values() if run.status in ACTIVE]
        assert len(active) <= SLOTS
        taken = [gpu for run in active for gpu in run.gpu_ids or []]
        assert len(taken) == len(set(taken))
        assert set(taken) <= set(GPUS)
        for sweep in self.sweeps.values():
            members = {run.id for run in active if run.sweep_id == sweep.id}
            # More only when somebody lowered it, or put one in; and then no other starts.
            if sweep.parallel is not None and len(members) > sweep.parallel:
                known = {run.id for run in before.values() if run.status in ACTIVE} | self.joined
                assert members <= known

    def queue_is_one(self, shown: list[Run]) -> None:
        """Each in the queue has a place of its own."""
        places = sorted(run.queue_position or 0 for run in shown if run.status is RunStatus.QUEUED)
        assert places == list(range(1, len(places) + 1))

    def tries(self, run_id: str, runs: dict[str, Run]) -> list[Run]:
        """A run, and those that were queued in its place."""
        found = [runs[run_id]]
        while again := [r for r in runs.values() if r.parent_run_id == found[-1].id and r.attempt > 1]:
            found.append(again[0])
        return found

    def who_waits_waits(self, runs: dict[str, Run]) -> None:
        """Nobody begins before those that it waits for have finished."""
        for run in runs.values():
            if run.launched_at is not None:
                for awaited in run.after:
                    assert self.tries(awaited, runs)[-1].status is RunStatus.FINISHED
        with sqlite3.connect(self.folder / ".agents" / "jobs.db") as file:
            wrong = file.execute(
                "SELECT id FROM runs WHERE status IN ('ready', 'queued') AND waits_for !="
                " (SELECT count(*) FROM dependencies WHERE run_id = runs.id)"
            ).fetchall()
        file.close()
        assert not wrong

    def retries_are_as_many(self, runs: dict[str, Run]) -> None:
        """One in place of each that failed, if it may and nobody stopped it."""
        for run in runs.values():
            again = [r for r in runs.values() if r.parent_run_id == run.id and r.attempt > 1]
            failed = run.status is RunStatus.FAILED and run.launched_at is not None
            due = failed and run.attempt <= run.max_retries and run.stop_requested_at is None
            assert len(again) == due
            assert all(r.attempt == run.attempt + 1 for r in again)

    def truth_is_told(self, runs: dict[str, Run]) -> None:
        """Who has ended did so, and as it is said."""
        for run in runs.values():
            sidecar = self.sidecars.commands.get(run.id)
            if sidecar is None or run.id in self.unsure or run.status not in TERMINAL:
                continue
            last = sidecar.events[-1]
            assert not sidecar.alive
            if last["status"] == "running":  # killed before it could say more
                assert run.error is not None
                assert "sidecar lost" in run.error or run.id in self.cut
            else:
                assert (run.status.value, run.exit_code) == (last["status"], last["exit_code"])

    def teardown(self) -> None:
        """Left alone, all that was started ends."""
        try:
            if self.mirror:
                self.all_ends()
        finally:
            for server in self.servers:
                server.end()
                server.loop.close()
            self.sidecars.close()
            shutil.rmtree(self.folder)

    def all_ends(self) -> None:
        """Nothing goes wrong any more, and every command ends."""
        self.sidecars.next.clear()
        store = self.server.services.store
        for _ in range(ENOUGH):
            for run_id, launched in list(self.sidecars.launched.items()):
                for one in launched:
                    if one.alive and one.spool is None:
                        self.sidecars.begin(run_id, one)
                    elif one.runs:
                        one.end(0)
            self.call(self.server.services.scheduler.tick)
            self.all_holds()
            if not store.active_count() and not store.queue.next(1, GPUS):
                break
        assert not store.active_count()
        assert not store.queue.next(1, GPUS)
        self.sweeps_are_whole({run.id: run for run in store.runs(limit=-1)})

    def sweeps_are_whole(self, runs: dict[str, Run]) -> None:
        """Each has a run for each of its cells, but for those that were put into another one."""
        moved = [runs[run_id].sweep_params for run_id in self.joined]
        for sweep in self.sweeps.values():
            own = [run.sweep_params for run in runs.values() if run.sweep_id == sweep.id]
            assert all({"n": n} in own + moved for n in sweep.parameters["n"])


class SlicedStates(States):
    """The same, where two runs are what a hundred are elsewhere: too many to be written in one go."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        for module, name in [
            (sweep_verbs, "_SLICE_RUNS"),
            (sweep_verbs, "_SLICE_RETRIED"),
            (bulk, "SLICE"),
            (ends, "SLICE"),
        ]:
            self.patch.setattr(module, name, 2)
        super().__init__()

    def teardown(self) -> None:
        """Left alone, all that was started ends."""
        try:
            super().teardown()
        finally:
            self.patch.undo()


TestStates = States.TestCase
TestStates.settings = profile(25, stateful_step_count=60)
TestSlicedStates = SlicedStates.TestCase
TestSlicedStates.settings = profile(25, stateful_step_count=60)


def test_spool_with_garbage_alone() -> None:
    """A sidecar that is gone with all that it said, before it was heard: its run fails, and holds no slot."""
    states = States()
    states.drowsy = True
    try:
        states.create([], True, retries=0, gpus=None, priority=0, sweep=None, lives=None)
        states.all_holds()
        states.spool_cut(0, keeps=0)
        states.garbage_in_the_spool(0, b"x\nx")
        states.sidecar_is_killed(0)
    finally:
        states.teardown()
