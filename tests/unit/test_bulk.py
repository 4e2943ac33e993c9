"""What is written of thousands of runs is written in slices, and all of it, wherever a server dies."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_ra_jobs.errors import Unavailable
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Copy, Store
from jupyter_ra_jobs.store.bulk import Verb
from jupyter_ra_jobs.store.ends import SLICE
from tests.unit.records import make_run, make_sweep

MANY = 3 * SLICE + 7
MOST_ROWS = 3 * SLICE + 10
"""That one step writes: the runs, who waits for whom, and what is said of their sweep."""


@pytest.fixture
def reopened(database: Path, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """A store as the next server opens it, on what the last one left."""
    opened: list[Store] = []

    def reopen() -> Store:
        for each in opened:
            each.close()
        opened[:] = [Store(database, tmp_path / "runs")]
        return opened[0]

    yield reopen
    for each in opened:
        each.close()


def fill(
    store: Store, sweep_id: str = "sweep", status: RunStatus = RunStatus.READY, **fields: object
) -> None:
    """A sweep of many runs."""
    store.sweeps.add(make_sweep(id=sweep_id))
    copies = [Copy(f"{sweep_id}-{n:05}", "x", "true", {"n": n}) for n in range(MANY)]
    store.bulk.add(make_run(sweep_id=sweep_id, status=status, **fields), copies)


def standing(store: Store, sweep_id: str = "sweep") -> dict[str, int]:
    """How many of its runs have which status."""
    return {count.status.value: count.runs for count in store.sweeps._counts(sweep_id)}


def step(store: Store) -> bool:
    """One step; it is one transaction, and writes no more than a slice."""
    db = store._db.connection
    statements: list[str] = []
    before = db.total_changes
    db.set_trace_callback(statements.append)
    more = store.bulk.step()
    db.set_trace_callback(None)
    assert db.total_changes - before <= MOST_ROWS
    assert sum(each.startswith("BEGIN") for each in statements) <= 1
    return more


def go_on(store: Store) -> int:
    """All steps; how many they were."""
    steps = 0
    while step(store):
        steps += 1
    return steps


def test_start(reopened: Callable[[], Store]) -> None:
    """In the order of creation; a server that dies in the middle has started all in the end."""
    store = reopened()
    fill(store)
    before = store._db.connection.total_changes
    store.bulk.begin("sweep", "start")
    assert store._db.connection.total_changes - before <= MOST_ROWS
    assert step(store)
    assert standing(store) == {"queued": 2 * SLICE, "ready": MANY - 2 * SLICE}
    store = reopened()
    assert go_on(store)
    assert standing(store) == {"queued": MANY}
    assert store.sweeps._counts("sweep")[0].waiting == MANY
    chosen = store.queue.next(MANY, [])
    assert [run_id for run_id, _ in chosen] == [f"sweep-{n:05}" for n in range(MANY)]
    assert go_on(store) == 0


def test_start_asks_for_what_is_queued(store: Store) -> None:
    """What was queued without being asked to start is asked to."""
    fill(store, status=RunStatus.QUEUED, queued_at=0.0)
    store.bulk.begin("sweep", "start")
    go_on(store)
    assert store.sweeps._counts("sweep")[0].waiting == MANY


def test_stop(reopened: Callable[[], Store]) -> None:
    """From the first word on nothing of it is launched; also when the server dies then."""
    store = reopened()
    fill(store)
    store.bulk.begin("sweep", "start")
    go_on(store)
    assert store.move("sweep-00000", RunStatus.LAUNCHING)
    store.bulk.begin("sweep", "stop")
    assert store.tracking("sweep-00000").stop_requested_at is not None
    assert standing(store)["queued"] > SLICE
    for _ in range(2):
        assert store.queue.next(MANY, []) == []
        assert not store.move(f"sweep-{MANY - 1:05}", RunStatus.LAUNCHING)
        store = reopened()
    assert go_on(store)
    assert standing(store) == {"launching": 1, "stopped": MANY - 1}


def test_the_later_word_wins(store: Store) -> None:
    """What a start has not queued yet when the stop comes is not queued any more."""
    fill(store)
    store.bulk.begin("sweep", "start")
    store.bulk.begin("sweep", "stop")
    go_on(store)
    assert standing(store) == {"stopped": SLICE, "ready": MANY - SLICE}


def test_stop_of_those_that_wait_for_each_other(store: Store) -> None:
    """They are stopped, all of them; who waits for them from elsewhere has failed with them."""
    fill(store)
    last = make_run(sweep_id="sweep", after=["sweep-00000"])
    outside = make_run(after=["sweep-00001"])
    store.add(last)
    store.add(outside)
    store.bulk.begin("sweep", "start")
    go_on(store)
    store.bulk.begin("sweep", "stop")
    go_on(store)
    assert standing(store) == {"stopped": MANY + 1}
    assert store.status(outside.id) is RunStatus.FAILED


def keep(store: Store, after: list[str], status: RunStatus = RunStatus.READY) -> int:
    """Keep a sweep's runs, asked to start when they are queued; how many parts they are in."""
    start = status is RunStatus.QUEUED
    run = make_run(sweep_id="sweep", after=after, status=status, queued_at=0.0 if start else None)
    parts = range(0, MANY, SLICE)
    for at in parts:
        some = [Copy(f"{n:05}", f"#{n}", "true", {"n": n}) for n in range(at, min(at + SLICE, MANY))]
        store.bulk.keep("key", run, some, {"A": "b"}, start_requested=start)
    return len(parts)


def test_make(reopened: Callable[[], Store]) -> None:
    """Nothing is seen of them before; then all of them come, whatever happens."""
    store = reopened()
    parts = keep(store, [])
    assert (store.counts()["ready"], store.sweeps.page(), go_on(store)) == (0, [], 0)
    with store.transaction():
        store.sweeps.add(make_sweep(id="sweep"))
        store.bulk.make("sweep", "key", parts)
    step(store)
    assert 0 < store.counts()["ready"] < MANY
    store = reopened()
    store.bulk.drop_forgotten()
    assert go_on(store)
    assert store.sweeps.run_ids(["sweep"])["sweep"] == [f"{n:05}" for n in range(MANY)]
    run = store.run("00005")
    assert (run.name, run.sweep_params, store.env(run.id)) == ("#5", {"n": 5}, {"A": "b"})
    assert store._db.execute("SELECT count(*) FROM making").fetchone()[0] == 0


def test_make_what_was_forgotten(store: Store) -> None:
    """The parts of a server that died before its sweep was stored go; a sweep that lacks some is refused."""
    parts = keep(store, [])
    store.bulk.drop_forgotten()
    with pytest.raises(Unavailable):
        store.bulk.make("sweep", "key", parts)


def test_make_after_what_has_failed_meanwhile(store: Store) -> None:
    """Between the check and the last slice a run can fail: who waits for it has failed too."""
    first = make_run()
    store.add(first)
    parts = keep(store, [first.id])
    store.sweeps.add(make_sweep(id="sweep"))
    store.bulk.make("sweep", "key", parts)
    step(store)
    for status in (RunStatus.LAUNCHING, RunStatus.FAILED):
        assert store.move(first.id, status)
    go_on(store)
    assert standing(store) == {"failed": MANY}


@pytest.mark.parametrize("verb", ["start", "stop"])
def test_verb_amid_the_making(store: Store, verb: Verb) -> None:
    """It counts for the runs that are made after it too; what is to be stopped can't go meanwhile."""
    parts = keep(store, [], RunStatus.QUEUED if verb == "stop" else RunStatus.READY)
    store.sweeps.add(make_sweep(id="sweep"))
    store.bulk.make("sweep", "key", parts)
    step(store)
    store.bulk.begin("sweep", verb)
    while step(store):
        assert verb == "start" or store.queue.next(MANY, []) == []
    assert standing(store) == {"queued" if verb == "start" else "stopped": MANY}


@pytest.fixture
def other(store: Store, database: Path, tmp_path: Path) -> Iterator[Store]:
    """That of a second server."""
    with contextlib.closing(Store(database, tmp_path / "runs")) as second:
        yield second


def test_two_servers_at_once(store: Store, other: Store) -> None:
    """Both do what is to be done, in turn: it is done once, and no change has the number of another."""
    store.sweeps.add(make_sweep(id="sweep"))
    parts = keep(store, [])
    store.bulk.make("sweep", "key", parts)
    for verb, status in ((None, "ready"), ("start", "queued"), ("stop", "stopped")):
        if verb:
            store.bulk.begin("sweep", verb)
        while step(store) | step(other):
            pass
        assert standing(store) == {status: MANY}
    assert len(store.changed_since(0, 2 * MANY)) == MANY


def test_word_of_another_server(store: Store, other: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes just before a server goes on with what was said before: it wins, and nothing of it is lost."""
    fill(store)
    store.bulk.begin("sweep", "start")
    begin = store._db.transaction

    def late() -> contextlib.AbstractContextManager[None]:
        monkeypatch.undo()
        other.bulk.begin("sweep", "stop")
        return begin()

    monkeypatch.setattr(store._db, "transaction", late)
    go_on(store)
    assert standing(store) == {"stopped": SLICE, "ready": MANY - SLICE}


def test_end_is_followed_by_another_server(store: Store, other: Store) -> None:
    """The one that saw the end is gone: whoever is there does the rest."""
    first = make_run()
    store.add(first)
    fill(store, after=[first.id])
    for status in (RunStatus.LAUNCHING, RunStatus.FAILED):
        assert store.move(first.id, status)
    assert standing(store) == {"failed": SLICE, "ready": MANY - SLICE}
    assert go_on(other)
    assert standing(store) == {"failed": MANY}


def test_wait_for_what_has_failed_meanwhile(store: Store) -> None:
    """A run that is added a moment too late fails as those do that waited already."""
    first = make_run()
    store.add(first)
    for status in (RunStatus.LAUNCHING, RunStatus.FAILED):
        assert store.move(first.id, status)
    late = make_run(after=[first.id])
    store.add(late)
    go_on(store)
    assert store.status(late.id) is RunStatus.FAILED
    assert go_on(store) == 0


def test_end_amid_the_stop(store: Store) -> None:
    """Those of the sweep that waited for a run that is stopped with them are stopped, and did not fail."""
    first = make_run(sweep_id="sweep")
    store.add(first)
    fill(store, status=RunStatus.QUEUED, queued_at=0.0, after=[first.id])
    for status in (RunStatus.LAUNCHING, RunStatus.RUNNING):
        assert store.move(first.id, status)
    store.bulk.begin("sweep", "stop")
    assert store.move(first.id, RunStatus.STOPPED)
    go_on(store)
    assert standing(store) == {"stopped": MANY + 1}


@pytest.mark.parametrize("how", [RunStatus.FINISHED, RunStatus.FAILED])
@pytest.mark.parametrize("max_retries", [0, 1])
def test_end_that_many_wait_for(reopened: Callable[[], Store], how: RunStatus, max_retries: int) -> None:
    """They may go, wait for the next try, or have failed; a server that dies amid leaves none out."""
    store = reopened()
    first = make_run(max_retries=max_retries)
    store.add(first)
    fill(store, status=RunStatus.QUEUED, queued_at=0.0, after=[first.id])
    go_on(store)
    for status in (RunStatus.LAUNCHING, RunStatus.RUNNING):
        assert store.move(first.id, status)
    before = store._db.connection.total_changes
    assert store.move(first.id, how)
    assert store._db.connection.total_changes - before <= MOST_ROWS
    step(store)
    store = reopened()
    assert go_on(store)
    store.queue.request_all()
    free = len(store.queue.next(2 * MANY, []))
    if how is RunStatus.FINISHED:
        assert (standing(store), free) == ({"queued": MANY}, MANY)
    elif max_retries:
        assert (standing(store), free) == ({"queued": MANY}, 1)
        (again, _) = store.queue.next(1, [])[0]
        for status in (RunStatus.LAUNCHING, RunStatus.RUNNING, RunStatus.FINISHED):
            assert store.move(again, status)
        go_on(store)
        assert len(store.queue.next(2 * MANY, [])) == MANY
    else:
        assert standing(store) == {"failed": MANY}


def test_end_that_is_undone(store: Store) -> None:
    """What follows from an end that a transaction took back does not follow."""
    first = make_run()
    store.add(first)
    fill(store, after=[first.id])
    go_on(store)
    assert store.move(first.id, RunStatus.LAUNCHING)
    with contextlib.suppress(RuntimeError), store.transaction():
        assert store.move(first.id, RunStatus.FAILED)
        raise RuntimeError
    go_on(store)
    assert standing(store) == {"ready": MANY}
