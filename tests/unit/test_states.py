"""The table of transitions, on a real store: what may follow what, and who wins."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_ra_jobs.states import ACTIVE, TERMINAL, RunStatus
from jupyter_ra_jobs.store import Store
from tests.unit.records import make_run

ALLOWED = {
    ("ready", "queued"),
    ("ready", "launching"),
    ("ready", "failed"),
    ("queued", "launching"),
    ("queued", "stopped"),
    ("queued", "failed"),
    ("launching", "running"),
    ("launching", "failed"),
    ("launching", "stopped"),
    ("running", "finished"),
    ("running", "failed"),
    ("running", "stopped"),
}
STAMPS: dict[str, set[str]] = {
    "ready": set(),
    "queued": {"queued_at"},
    "launching": {"launched_at"},
    "running": {"started_at"},
    "finished": {"ended_at"},
    "failed": {"ended_at"},
    "stopped": {"ended_at", "stopped_at"},
}
ALL_STAMPS = set[str]().union(*STAMPS.values())


@pytest.mark.parametrize(("before", "after"), list(itertools.product(RunStatus, RunStatus)))
def test_each_pair(store: Store, before: RunStatus, after: RunStatus) -> None:
    """What is in the table moves and gets its time; anything else leaves the run as it was."""
    run = make_run(status=before)
    store.add(run)
    was, rev = store.run(run.id), store.rev()
    moved = store.move(run.id, after, at=12.5)
    now = store.run(run.id)
    assert moved == ((before.value, after.value) in ALLOWED)
    if moved:
        assert now.status is after
        assert {name for name in ALL_STAMPS if getattr(now, name) == 12.5} == STAMPS[after.value]
        assert store.rev() > rev
    else:
        assert (now, store.rev()) == (was, rev)


def test_names_of_groups() -> None:
    """What is active, and what is over."""
    assert {"launching", "running"} == ACTIVE
    assert {"finished", "failed", "stopped"} == TERMINAL


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_end_is_an_end(store: Store, end: RunStatus) -> None:
    """However often and whatever is asked of a run that has ended, its story stays."""
    run = make_run()
    store.add(run)
    for status in (RunStatus.QUEUED, RunStatus.LAUNCHING, RunStatus.RUNNING):
        assert store.move(run.id, status)
    assert store.move(run.id, end, exit_code=3, error="the first word counts")
    ended = store.run(run.id)
    for status in RunStatus:
        assert not store.move(run.id, status, exit_code=0, error=None)
    assert not store.request_stop(run.id)
    assert store.run(run.id) == ended


def test_only_from_narrows(store: Store) -> None:
    """A caller may allow less than the table does, and never more."""
    launching, finished = make_run(status=RunStatus.LAUNCHING), make_run(status=RunStatus.FINISHED)
    store.add(launching)
    store.add(finished)
    assert not store.move(launching.id, RunStatus.STOPPED, only_from=[RunStatus.QUEUED])
    assert not store.move(finished.id, RunStatus.STOPPED, only_from=[RunStatus.FINISHED])
    assert store.move(launching.id, RunStatus.STOPPED, only_from=[RunStatus.LAUNCHING])


def test_no_such_run(store: Store) -> None:
    """Nothing moves, nothing is told."""
    assert not store.move("0" * 12, RunStatus.QUEUED)


def race(database: Path, *moves: Callable[[Store, str], bool], ids: list[str]) -> list[list[str]]:
    """Each of `moves` in a thread with a store of its own, all at once for each id; the ids each moved."""
    together = threading.Barrier(len(moves), timeout=60)
    won: list[list[str]] = [[] for _ in moves]

    def compete(move: Callable[[Store, str], bool], mine: list[str]) -> None:
        store = Store(database, database.parent)
        try:
            for run_id in ids:
                together.wait()
                if move(store, run_id):
                    mine.append(run_id)
        finally:
            store.close()

    threads = [
        threading.Thread(target=compete, args=(move, mine)) for move, mine in zip(moves, won, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return won


def add_runs(store: Store, count: int, status: RunStatus) -> list[str]:
    """This many runs; their ids."""
    runs = [make_run(status=status) for _ in range(count)]
    for run in runs:
        store.add(run)
    return [run.id for run in runs]


def test_one_of_two_wins(store: Store, database: Path) -> None:
    """Two servers that start the same runs at the same instant start each of them once."""
    ids = add_runs(store, 40, RunStatus.READY)

    def launch(mine: Store, run_id: str) -> bool:
        return mine.move(run_id, RunStatus.LAUNCHING)

    first, second = race(database, launch, launch, ids=ids)
    assert sorted(first + second) == sorted(ids)


def test_end_and_stop_at_once(store: Store, database: Path) -> None:
    """One of two ends is the run's, whole: status, exit code and reason are of the same caller."""
    ids = add_runs(store, 40, RunStatus.RUNNING)

    def finish(mine: Store, run_id: str) -> bool:
        return mine.move(run_id, RunStatus.FINISHED, exit_code=0)

    def lose(mine: Store, run_id: str) -> bool:
        return mine.move(run_id, RunStatus.FAILED, error="lost")

    finished, lost = race(database, finish, lose, ids=ids)
    assert sorted(finished + lost) == sorted(ids)
    for run_id in ids:
        run = store.run(run_id)
        expected = ("finished", 0, None) if run_id in finished else ("failed", None, "lost")
        assert (run.status, run.exit_code, run.error) == expected


def test_slots_for_two_servers(store: Store, database: Path) -> None:
    """However many ask at once, no more are active than may be."""
    ids = add_runs(store, 30, RunStatus.READY)

    def launch(mine: Store, run_id: str) -> bool:
        return mine.move(run_id, RunStatus.LAUNCHING, max_active=7)

    def launch_from_the_end(mine: Store, run_id: str) -> bool:
        return launch(mine, ids[-1 - ids.index(run_id)])

    first, second = race(database, launch, launch_from_the_end, ids=ids)
    assert len(first) + len(second) == 7 == store.active_count()
    assert store.move(first[0] if first else second[0], RunStatus.RUNNING, max_active=8)
    waiting = next(run_id for run_id in ids if store.status(run_id) is RunStatus.READY)
    assert not store.move(waiting, RunStatus.LAUNCHING, max_active=7)
