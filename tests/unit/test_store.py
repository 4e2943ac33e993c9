"""What is stored comes back, and listings show what was asked for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_ra_jobs.errors import NotFound
from jupyter_ra_jobs.models import SidecarIdentity
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store
from tests.unit.records import make_run, make_sweep

UNKNOWN = "0" * 12


def test_every_field_comes_back(store: Store, tmp_path: Path) -> None:
    """A run with all its fields filled, and with none that can be left out."""
    full = make_run(
        name="naïve 🙂\n\0 name",
        command="printf '%s' \"$X\" # \\ \t",
        workdir="/work dir/'ünï'",
        status=RunStatus.QUEUED,
        is_archived=True,
        archived_at=1.5,
        parent_run_id="a" * 12,
        origin_alert_id="alert",
        sweep_id="b" * 12,
        sweep_params={"lr": [0.1, None, {"deep": "é"}]},
        chat_session_id="chat",
        created_at=1723456789.123456,
        queued_at=2.5,
        launched_at=3.5,
        started_at=4.5,
        ended_at=5.5,
        stopped_at=6.5,
        stop_requested_at=6.0,
        tmux_window="ra-job-x",
        tmux_pane="%5",
        exit_code=-1,
        error="why",
        wandb_dir="/wandb",
        gpuwrap_config={"enabled": True, "n": 2**53},
        signal="SIGINT",
        progress=12.25,
        attach_command="tmux attach",
        tags=["one", "zwei"],
        notes="some\nlines",
        timeout_seconds=0.5,
        after=["c" * 12],
        max_retries=3,
        attempt=2,
        gpus=2,
        gpu_ids=["0", "GPU-7"],
        run_dir="computed",
        queue_position=7,
    )
    assert all(value is not None for value in msgspec.structs.asdict(full).values())
    bare = make_run()
    for run in (full, bare):
        store.add(run)
    computed = {"run_dir": str(tmp_path / "runs" / full.id), "queue_position": 1}
    assert store.run(full.id) == msgspec.structs.replace(full, **computed)
    assert store.run(bare.id) == msgspec.structs.replace(bare, run_dir=str(tmp_path / "runs" / bare.id))


def test_survives_closing(store: Store, database: Path, tmp_path: Path) -> None:
    """What a method has returned from is there for the next server."""
    run = make_run()
    store.add(run, {"X": "1"})
    store.close()
    again = Store(database, tmp_path / "runs")
    assert again.run(run.id).name == run.name
    assert again.env(run.id) == {"X": "1"}
    again.close()


def test_active_between(store: Store) -> None:
    """Whoever was active at some moment of it; its real workdir; nobody who was never launched."""
    times: dict[str, dict[str, Any]] = {
        "before": {"launched_at": 1.0, "started_at": 2.0, "ended_at": 9.9},
        "until": {"launched_at": 1.0, "started_at": 2.0, "ended_at": 10.0},
        "within": {"launched_at": 12.0, "started_at": 13.0, "ended_at": 14.0},
        "around": {"launched_at": 1.0, "started_at": 2.0, "ended_at": 99.0},
        "imported": {"started_at": 2.0, "ended_at": 99.0},
        "after": {"launched_at": 21.0, "started_at": 22.0, "ended_at": 23.0},
        "failed to launch": {"launched_at": 12.0, "ended_at": 13.0},
    }
    for name, fields in times.items():
        store.add(make_run(id=name, status=RunStatus.FAILED, **fields))
    store.add(make_run(id="running", status=RunStatus.RUNNING, launched_at=5.0, started_at=6.0))
    store.add(make_run(id="launching", status=RunStatus.LAUNCHING, launched_at=20.0))
    store.add(make_run(id="later", status=RunStatus.RUNNING, launched_at=20.1, started_at=20.2))
    store.add(make_run(id="ready"))
    found = {activity.id: activity for activity in store.active_between(10.0, 20.0, limit=99)}
    assert found.keys() == {
        "until",
        "within",
        "around",
        "imported",
        "failed to launch",
        "running",
        "launching",
    }
    assert len(store.active_between(10.0, 20.0, limit=3)) == 3
    assert (found["within"].began, found["within"].ended) == (13.0, 14.0)
    assert (found["launching"].began, found["launching"].ended) == (20.0, None)
    assert found["running"] == store.activity("running")
    assert (store.activity("ready").began, store.activity("ready").ended) == (None, None)
    store.change("running", real_workdir="/real")
    assert (found["running"].workdir, store.activity("running").workdir) == ("/somewhere", "/real")
    with pytest.raises(NotFound):
        store.activity(UNKNOWN)


def test_env_stays_inside(store: Store) -> None:
    """A run's variables may be secrets: no Run shows them, however it is read."""
    run = make_run(status=RunStatus.QUEUED)
    store.add(run, {"API_KEY": "hunter2"})
    shown = [store.run(run.id), *store.runs(limit=9), *(each for _, each in store.changed_since(0, 9))]
    assert len(shown) == 3
    assert b"hunter2" not in msgspec.json.encode(shown)
    assert store.env(run.id) == {"API_KEY": "hunter2"}


def test_tracking(store: Store) -> None:
    """What the server keeps for itself of a run that is active."""
    run = make_run(status=RunStatus.LAUNCHING, launched_at=5.0)
    store.add(run)
    store.add(make_run())
    sidecar = SidecarIdentity(pid=1, pid_start=2, pgid=3, pgid_start=4, boot_id="boot")
    assert store.change(run.id, sidecar=sidecar, token_hash="hash")
    store.note_spool(run.id, 100, 2)
    ((tracked,),) = store.active()
    assert (tracked.id, tracked.launched_at, tracked.sidecar) == (run.id, 5.0, sidecar)
    assert (tracked.spool_offset, tracked.last_seq, tracked.stop_requested_at) == (100, 2, None)
    assert store.tracking(run.id) == tracked
    assert store.token_hash(run.id) == "hash"
    assert store.request_stop(run.id)
    first = store.tracking(run.id).stop_requested_at
    assert store.request_stop(run.id)
    assert store.tracking(run.id).stop_requested_at == first


def test_unknown_ids(store: Store) -> None:
    """NotFound that names the id, whatever is asked."""
    for ask in (store.run, store.number, store.status, store.tracking):
        with pytest.raises(NotFound, match=UNKNOWN):
            ask(UNKNOWN)
    assert store.env(UNKNOWN) == {}
    assert store.token_hash(UNKNOWN) is None
    assert not store.change(UNKNOWN, name="new")
    assert not store.request_stop(UNKNOWN)


@dataclass
class Shelf:
    """Twelve runs: every status twice but the last two, every third archived, half of them of a sweep."""

    store: Store
    ids: list[str]

    def names(self, **filters: Any) -> list[int]:
        """The places of the runs that a listing shows."""
        return [self.ids.index(run.id) for run in self.store.runs(limit=99, **filters)]


@pytest.fixture
def shelf(store: Store) -> Shelf:
    """Created with a clock that goes backwards: the order of creation counts, not the time."""
    statuses = list(RunStatus)
    runs = [
        make_run(
            name=f"run {n}",
            status=statuses[n % 7],
            is_archived=n % 3 == 0,
            sweep_id="sweep" if n % 2 else None,
            created_at=1000.0 - n,
        )
        for n in range(12)
    ]
    for run in runs:
        store.add(run)
    return Shelf(store, [run.id for run in runs])


def test_listing(shelf: Shelf) -> None:
    """Newest first; each filter alone, and all together."""
    assert shelf.names() == list(range(11, -1, -1))
    assert shelf.names(archived=False) == [11, 10, 8, 7, 5, 4, 2, 1]
    assert shelf.names(status=[RunStatus.QUEUED]) == [8, 1]
    assert shelf.names(status=[RunStatus.QUEUED, RunStatus.FAILED]) == [8, 5, 1]
    assert shelf.names(status=[]) == []
    assert shelf.names(sweep_id="sweep") == [11, 9, 7, 5, 3, 1]
    assert shelf.names(sweep_id="none such") == []
    assert shelf.names(before=shelf.store.number(shelf.ids[4])) == [3, 2, 1, 0]
    assert shelf.names(ids=[shelf.ids[2], UNKNOWN, shelf.ids[9]]) == [9, 2]
    before = shelf.store.number(shelf.ids[8])
    assert shelf.names(
        archived=False, status=[RunStatus.QUEUED, RunStatus.FAILED], sweep_id="sweep", before=before
    ) == [5, 1]


def test_limit(shelf: Shelf) -> None:
    """The newest so many."""
    assert [run.id for run in shelf.store.runs(limit=2)] == [shelf.ids[11], shelf.ids[10]]


def test_counts(shelf: Shelf) -> None:
    """Each status, also those that no run has."""
    two = dict.fromkeys(["ready", "queued", "launching", "running", "finished"], 2)
    assert shelf.store.counts() == {**two, "failed": 1, "stopped": 1}
    assert shelf.store.active_count() == 4


def test_scan(store: Store) -> None:
    """Text is looked for in names and commands, its wildcards being plain letters."""
    runs = [make_run(name=name, command="true") for name in ("a_b", "axb", "100%", "back\\slash")]
    runs.append(make_run(name="other", command="echo A_B"))
    for run in runs:
        store.add(run)

    def found(text: str) -> list[str]:
        ids, low = store.scan(text, store.next_number())
        assert low == 0
        return [store.run(run_id).name for run_id in ids]

    assert found("a_b") == ["other", "a_b"]
    assert found("0%") == ["100%"]
    assert found("\\") == ["back\\slash"]
    assert found("' OR 1 --") == []


def test_queue_order(store: Store) -> None:
    """First come, first served, by the time of queueing, then of creation; who leaves moves the rest up."""
    runs = [make_run(name=str(n)) for n in range(4)]
    for run in runs:
        store.add(run)
    for n, at in ((2, 10.0), (0, 20.0), (3, 10.0), (1, 5.0)):
        store.move(runs[n].id, RunStatus.QUEUED, at=at, start_requested=int(n != 3))

    def positions() -> dict[str, int | None]:
        return {run.name: run.queue_position for run in store.runs(limit=9)}

    assert positions() == {"1": 1, "2": 2, "3": 3, "0": 4}
    assert [run.run_id for run in store.queue.next(9, [])] == [runs[n].id for n in (1, 2, 0)]
    assert [run.run_id for run in store.queue.next(1, [])] == [runs[1].id]
    store.move(runs[1].id, RunStatus.LAUNCHING)
    store.move(runs[2].id, RunStatus.STOPPED)
    assert positions() == {"1": None, "2": None, "3": 1, "0": 2}
    store.queue.request_all()
    assert [run.run_id for run in store.queue.next(9, [])] == [runs[3].id, runs[0].id]


def test_changes(store: Store) -> None:
    """Each change gets a higher number; who knows one gets each run changed since, once, as it is now."""
    first, second = make_run(name="first"), make_run(name="second")
    store.add(first)
    store.add(second)
    start = store.rev()
    assert store.changed_since(start, 9) == []
    store.change(first.id, name="renamed")
    store.move(second.id, RunStatus.QUEUED)
    store.change(first.id, notes="noted")
    (rev, changed), (newest, last) = store.changed_since(start, 9)
    assert (changed.id, changed.status) == (second.id, RunStatus.QUEUED)
    assert (last.name, last.notes) == ("renamed", "noted")
    assert start < rev < newest == store.rev()
    assert [run.id for _, run in store.changed_since(start, 1)] == [second.id]
    store.note_spool(first.id, 5, 1)
    assert store.rev() == newest


def test_tells_of_changes(database: Path, tmp_path: Path) -> None:
    """Each change rings once; what changed nothing rings not at all."""
    rung: list[None] = []
    store = Store(database, tmp_path, lambda: rung.append(None))
    run = make_run()
    store.add(run)
    store.move(run.id, RunStatus.LAUNCHING)
    store.request_stop(run.id)
    store.change(run.id, notes="x")
    assert len(rung) == 4
    store.move(run.id, RunStatus.QUEUED)
    store.change(run.id, only_from=[RunStatus.READY], notes="y")
    store.note_spool(run.id, 1, 1)
    assert len(rung) == 4
    store.close()


def test_sweeps(store: Store) -> None:
    """A sweep comes back with all its fields, and the ids of its runs in their order."""
    sweep = make_sweep(
        parameters={"lr": [0.1, 0.2]},
        method="random",
        seed=7,
        total_combinations=9,
        parallel=2,
        is_draft=True,
        started_at=1.0,
        canceled_at=2.0,
        max_runs=3,
        goal="best",
        is_wild=True,
        chat_session_id="chat",
        ui_config={"a": [1]},
        creation_context={"b": None},
    )
    assert all(value is not None for value in msgspec.structs.asdict(sweep).values())
    runs = [make_run(sweep_id=sweep.id, sweep_params={"lr": n}) for n in range(3)]
    for run in runs:
        store.add(run)
    store.sweeps.add(sweep)
    store.sweeps.add(make_sweep(id="empty"))
    empty, full = store.sweeps.page()
    assert full == sweep == store.sweeps.get(sweep.id)
    assert store.sweeps.page(limit=1) == [empty]
    assert store.sweeps.run_ids([sweep.id, empty.id]) == {sweep.id: [run.id for run in runs], empty.id: []}
    assert store.sweeps.has(sweep.id)
    assert not store.sweeps.has(UNKNOWN)
