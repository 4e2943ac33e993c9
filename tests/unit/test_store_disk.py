"""The store and its file: schemas, transactions, full disks, and what a query has to look at."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs.errors import RaJobsError, StorageFull
from jupyter_ra_jobs.states import TERMINAL, RunStatus
from jupyter_ra_jobs.store import SCHEMA_VERSION, Copy, Store
from tests.unit.disk import no_file_grows_beyond
from tests.unit.records import make_run, make_sweep

MANY = 100_000


def test_newer_schema_is_refused(store: Store, database: Path, tmp_path: Path) -> None:
    """A server that is too old says so, and leaves the file as it is."""
    store.add(make_run())
    store.close()
    with closing(sqlite3.connect(database)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    was = database.read_bytes()
    with pytest.raises(RaJobsError, match=f"newer jupyter_ra_jobs .schema {SCHEMA_VERSION + 1}"):
        Store(database, tmp_path)
    assert database.read_bytes() == was


def test_durable_and_concurrent(store: Store, database: Path) -> None:
    """WAL, so that readers and a second server go on; every commit synced."""
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert tuple(store._db.connection.execute("PRAGMA synchronous").fetchone()) == (2,)


def test_transaction_is_all_or_nothing(store: Store, database: Path, tmp_path: Path) -> None:
    """What fails half-way leaves nothing, neither here nor for another server."""
    first, second = make_run(), make_run()

    def half_of_it() -> None:
        with store.transaction():
            store.add(first)
            store.set_meta("key", "value")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_of_it()
    assert (store.runs(limit=9), store.get_meta("key")) == ([], None)

    other = Store(database, tmp_path)
    with store.transaction():
        store.add(first)
        store.add(second)
        assert other.runs(limit=9) == []
    assert len(other.runs(limit=9)) == 2
    other.close()


def test_same_id_twice(store: Store) -> None:
    """The first stays; nothing is overwritten."""
    run = make_run(name="first")
    store.add(run)
    with pytest.raises(sqlite3.IntegrityError):
        store.add(make_run(id=run.id, name="second"))
    assert [shown.name for shown in store.runs(limit=9)] == ["first"]


@contextmanager
def no_page_is_left(store: Store) -> Iterator[None]:
    """SQLite's own words for a full disk."""
    (pages,) = store._db.connection.execute("PRAGMA page_count").fetchone()
    store._db.connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    store._db.connection.execute("PRAGMA max_page_count = 1000000")


def writes(store: Store, run_id: str) -> list[Callable[[], Any]]:
    """Each way to write that needs room on the disk."""
    much = "x" * 100_000
    return [
        lambda: store.add(make_run(notes=much)),
        lambda: store.add(make_run(), {"X": much}),
        lambda: store.change(run_id, notes=much),
        lambda: store.move(run_id, RunStatus.QUEUED, notes=much),
        lambda: store.set_meta("key", much),
    ]


def test_full_disk(store: Store, database: Path, tmp_path: Path) -> None:
    """StorageFull, the store as it was, readable meanwhile and writable afterwards."""
    run = make_run()
    store.add(run)
    was = store.runs(limit=9)
    for full in (lambda: no_file_grows_beyond(50_000), lambda: no_page_is_left(store)):
        with full():
            for write in writes(store, run.id):
                with pytest.raises(StorageFull, match="takes nothing"):
                    write()
                with pytest.raises(StorageFull), store.transaction():
                    write()
                assert store.runs(limit=9) == was
        other = Store(database, tmp_path / "runs")
        assert other.runs(limit=9) == was
        other.close()
    for write in writes(store, run.id):
        write()
    assert len(store.runs(limit=9)) == 3


def test_no_room_for_a_store(tmp_path: Path) -> None:
    """A first start on a full disk says so."""
    with no_file_grows_beyond(2_000), pytest.raises(StorageFull):
        Store(tmp_path / "jobs.db", tmp_path)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """100,000 runs: all but a few have ended, every tenth is archived, every hundredth is of one sweep."""
    folder = tmp_path_factory.mktemp("crowded")
    store = Store(folder / "jobs.db", folder / "runs")
    statuses = ("finished", "failed", "stopped")
    rows = (
        (n, f"{n:012x}", n, f"run {n}", statuses[n % 3], n % 10 == 0, "sweep" if n % 100 == 0 else None)
        for n in range(1, MANY + 1)
    )
    with closing(sqlite3.connect(folder / "jobs.db")) as db, db:
        db.executemany(
            "INSERT INTO runs (n, id, rev, name, status, is_archived, sweep_id, command, workdir, created_at,"
            " launched_at, ended_at) VALUES (?1, ?, ?, ?, ?, ?, ?, 'true', '/', 0, ?1, ?1 + 0.5)",
            rows,
        )
    # Old ones: whoever walks the table from its new end meets them last.
    for n, status in ((2, "queued"), (3, "queued"), (4, "launching"), (5, "running")):
        with closing(sqlite3.connect(folder / "jobs.db")) as db, db:
            db.execute(
                "UPDATE runs SET status = ?, queued_at = n, start_requested = 1, ended_at = NULL WHERE n = ?",
                (status, n),
            )
    yield store
    store.close()


def plans_of(store: Store, ask: Callable[[], Any]) -> str:
    """What SQLite says of how it answers each statement that `ask` sends."""
    statements: list[str] = []
    store._db.connection.set_trace_callback(statements.append)
    try:
        ask()
    finally:
        store._db.connection.set_trace_callback(None)
    steps = []
    for sql in statements:
        # Python 3.10 hands over the statement without its values; a plan does not depend on them.
        plan = store._db.connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?")).fetchall()
        steps += [row["detail"] for row in plan]
    return "\n".join(steps)


LISTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "shown": ({"archived": False}, "INDEX runs_shown"),
    "next page": ({"archived": False, "before": 50_000}, "INDEX runs_shown"),
    "one status": ({"status": [RunStatus.RUNNING]}, "INDEX runs_status "),
    "one status, shown": ({"archived": False, "status": [RunStatus.RUNNING]}, "INDEX runs_status_shown"),
    "the queue, with positions": ({"status": [RunStatus.QUEUED]}, "INDEX runs_queue"),
    "a sweep": ({"sweep_id": "sweep"}, "INDEX runs_sweep"),
}


@pytest.mark.parametrize(("filters", "index"), LISTINGS.values(), ids=LISTINGS)
def test_listing_uses_an_index(crowded: Store, filters: dict[str, Any], index: str) -> None:
    """In the order of the index: nothing is sorted."""
    plan = plans_of(crowded, lambda: crowded.runs(limit=50, **filters))
    assert index in plan + " "
    assert "TEMP B-TREE" not in plan


QUERIES: dict[str, tuple[Callable[[Store], Any], str]] = {
    "waiting": (lambda store: store.queue.next(5, []), "INDEX runs_startable"),
    "positions": (lambda store: store.queue.positions([f"{2:012x}"]), "COVERING INDEX runs_queue"),
    "active": (lambda store: list(store.active()), "INDEX runs_status "),
    "active count": (Store.active_count, "COVERING INDEX runs_status "),
    "active lately": (lambda store: store.active_between(MANY - 9, MANY, limit=99), "INDEX runs_ended"),
    "changes": (lambda store: store.changed_since(MANY - 10, 99), "INDEX runs_rev"),
    "one run": (lambda store: store.run(f"{MANY:012x}"), "INDEX sqlite_autoindex_runs"),
}


@pytest.mark.parametrize(("ask", "index"), QUERIES.values(), ids=QUERIES)
def test_query_uses_an_index(crowded: Store, ask: Callable[[Store], Any], index: str) -> None:
    """What the scheduler and the streams ask all the time."""
    plan = plans_of(crowded, lambda: ask(crowded))
    assert index in plan.replace("\n", " \n") + " "
    assert "SCAN runs\n" not in plan + "\n"


LISTED: dict[str, dict[str, Any]] = {
    **{name: filters for name, (filters, _) in LISTINGS.items()},
    "all": {},
    "two statuses": {"status": [RunStatus.RUNNING, RunStatus.QUEUED]},
    "two common ones": {"status": [RunStatus.FINISHED, RunStatus.FAILED]},
    "a sweep's running": {"sweep_id": "sweep", "status": [RunStatus.RUNNING]},
    "those that begin so": {"id_prefix": f"{MANY:012x}"[:11], "status": TERMINAL},
    "those that run it again": {"parent_run_id": f"{MANY:012x}", "status": TERMINAL, "archived": False},
    "those named that have ended": {"ids": [f"{n:012x}" for n in (99, MANY)], "status": TERMINAL},
}


def fail_with(store: Store) -> None:
    """A run fails for which another waits."""
    store.queue.wait([f"{2:012x}"], [f"{5:012x}"])
    assert store.move(f"{5:012x}", RunStatus.FAILED)
    assert store.status(f"{2:012x}") is RunStatus.FAILED


WORK: dict[str, Callable[[Store], Any]] = {
    **{name: partial(Store.runs, limit=50, **filters) for name, filters in LISTED.items()},
    **{name: ask for name, (ask, _) in QUERIES.items()},
    "move": lambda store: store.move(f"{4:012x}", RunStatus.QUEUED),
    "move into a slot": lambda store: store.move(f"{2:012x}", RunStatus.LAUNCHING, max_active=1),
    "change": lambda store: store.change(f"{MANY:012x}", notes="x"),
    "fail with another": fail_with,
    "follow ends": lambda store: store.bulk._ends.later([f"{n:012x}" for n in range(10, 20)]),
    "rev": Store.rev,
}


@pytest.mark.parametrize("ask", WORK.values(), ids=WORK)
def test_work_does_not_grow_with_history(crowded: Store, ask: Callable[[Store], Any]) -> None:
    """In steps of SQLite's machine: a look at each of 100,000 runs would take several times as many."""
    looked: list[None] = []
    crowded._db.connection.set_progress_handler(lambda: looked.append(None), 100)
    try:
        ask(crowded)
    finally:
        crowded._db.connection.set_progress_handler(None, 0)
    assert len(looked) * 100 < MANY / 4


def test_a_full_sweep_costs_no_look_at_its_queue(store: Store) -> None:
    """However many of its runs wait: a tick asks for those that may go, and passes from sweep to sweep."""
    store.sweeps.add(make_sweep(id="full", parallel=1))
    store.sweeps.add(make_sweep(id="free", parallel=5))
    waiting = {"status": RunStatus.QUEUED, "queued_at": 0.0}
    with store.transaction():
        for sweep_id, gpus in (("full", None), ("full", 1), ("free", None)):
            copies = [Copy(f"{sweep_id}-{gpus}-{n}", "x", "true", None) for n in range(5_000)]
            store.bulk.add(make_run(sweep_id=sweep_id, gpus=gpus, **waiting), copies)
        store.queue.request_all()
    (first, _) = store.queue.next(1, [])[0]
    store.change(first, sweep_id="full")
    assert store.move(first, RunStatus.LAUNCHING)
    looked: list[None] = []
    store._db.connection.set_progress_handler(lambda: looked.append(None), 100)
    assert len(store.queue.next(16, ["0"])) == 5
    assert len(looked) * 100 < 5_000
