"""jobs.json, the earlier server's file: taken over once and whole, and written again."""

import contextlib
import json
import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs import jobs_json
from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.layout import Layout
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Copy, Store
from tests.conftest import RA_JOBS
from tests.unit.records import make_run, make_sweep
from tests.upgrade.test_upgrade import restore

GOOD = {"name": "x", "command": "y", "status": "ready"}
EARLIER: dict[str, Any] = {
    "runs": {
        "a1b2c3": {
            "id": "a1b2c3",
            "name": "second",
            "command": "python train.py --lr 0.1",
            "workdir": "/data/project",
            "status": "finished",
            "is_archived": True,
            "archived_at": 1700000200.0,
            "created_at": 1700000100.5,
            "exit_code": 0,
            "sweep_id": "sweep-1",
            "sweep_params": {"lr": 0.1},
            "run_dir": "/elsewhere/runs/a1b2c3",
            "gpuwrap_config": {"enabled": False},
            "a_field_of_theirs": [1, 2],
        },
        "old": {"name": "first", "command": "true", "status": "running", "created_at": 1700000000.0},
        "bare": {"name": "third", "command": "true", "status": "ready", "created_at": 1700000300.0},
    },
    "sweeps": {
        "sweep-1": {
            "name": "grid",
            "base_command": "python train.py",
            "parameters": {"lr": [0.1]},
            "run_ids": ["a1b2c3"],
            "status": "running",
            "created_at": 1700000050.0,
            "goal": "lower",
            "progress": {"total": 1},
        }
    },
}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A workdir with its folders."""
    made = Layout(tmp_path / "work")
    made.create()
    return made


def start(layout: Layout) -> tuple[Store, str]:
    """As a server does: open the store, take over what there is; and what it says of that."""
    store = Store(layout.database, layout.runs)
    return store, jobs_json.import_once(store, layout)


def test_import(layout: Layout) -> None:
    """Every run and sweep with its fields, in the order of their times."""
    layout.jobs_json.write_text(json.dumps(EARLIER))
    store, told = start(layout)
    assert told == f"3 runs and 1 sweeps from {layout.jobs_json}"
    third, second, first = store.runs(limit=9)
    assert [run.name for run in (first, second, third)] == ["first", "second", "third"]
    assert (second.id, second.status, second.exit_code) == ("a1b2c3", RunStatus.FINISHED, 0)
    assert (second.is_archived, second.archived_at) == (True, 1700000200.0)
    assert (second.sweep_params, second.gpuwrap_config) == ({"lr": 0.1}, {"enabled": False})
    assert second.run_dir == str(layout.run_dir("a1b2c3"))
    assert third.workdir == str(layout.workdir)
    (sweep,) = store.sweeps.page()
    assert (sweep.id, sweep.name, sweep.goal) == ("sweep-1", "grid", "lower")
    assert (sweep.parameters, store.sweeps.run_ids([sweep.id])) == ({"lr": [0.1]}, {sweep.id: ["a1b2c3"]})


@pytest.mark.parametrize("status", ["running", "launching"])
def test_active_ones_are_lost(layout: Layout, status: str) -> None:
    """Nobody supervises them any more: failed, with the reason; what was known of them stays."""
    record = {"name": "x", "command": "y", "status": status, "started_at": 5.0}
    layout.jobs_json.write_text(json.dumps({"runs": {"lost": record}}))
    store, _ = start(layout)
    run = store.run("lost")
    assert (run.status, run.started_at, run.exit_code) == (RunStatus.FAILED, 5.0, None)
    assert run.error == f"imported from jobs.json as {status}; how it ended was not recorded"
    assert store.active_count() == 0


def test_once_and_untouched(layout: Layout) -> None:
    """A second start imports nothing, whatever became of file or runs; the file stays as it was."""
    layout.jobs_json.write_text(json.dumps(EARLIER, indent=3))
    was, when = layout.jobs_json.read_bytes(), layout.jobs_json.stat().st_mtime_ns
    start(layout)[0].close()
    assert (layout.jobs_json.read_bytes(), layout.jobs_json.stat().st_mtime_ns) == (was, when)
    more = {"runs": {**EARLIER["runs"], "new": EARLIER["runs"]["bare"]}}
    layout.jobs_json.write_text(json.dumps(more))
    store, told = start(layout)
    assert told == ""
    assert len(store.runs(limit=9)) == 3
    assert len(store.sweeps.page()) == 1


def test_no_file(layout: Layout) -> None:
    """Nothing to import is no error, and one that comes later is imported then."""
    assert start(layout)[1] == ""
    layout.jobs_json.write_text(json.dumps(EARLIER))
    assert start(layout)[1]


def test_no_number(layout: Layout) -> None:
    """NaN, which Python's json writes, is read as null and costs nobody his history."""
    nan = float("nan")
    record = {**GOOD, "created_at": nan, "progress": nan, "sweep_params": {"lr": nan}}
    layout.jobs_json.write_text(json.dumps({"runs": {"a": record}}))
    store, _ = start(layout)
    run = store.run("a")
    assert (run.created_at, run.progress, run.sweep_params) == (0.0, None, {"lr": None})


def nested(depth: int) -> str:
    """Lists in lists."""
    return f'{{"runs": {{"a": {{"name": "x", "gpuwrap_config": {{"x": {"[" * depth + "]" * depth}}}}}}}}}'


MALFORMED: dict[str, Any] = {
    "no JSON": "{runs:",
    "empty": "",
    "not UTF-8": b'{"runs": {"a": {"name": "\xff"}}}',
    "a list": "[]",
    "runs a list": {"runs": [GOOD]},
    "a run no object": {"runs": {"a": 5}},
    "no name": {"runs": {"good": GOOD, "bad": {"command": "y", "status": "ready"}}},
    "no status": {"runs": {"good": GOOD, "bad": {"name": "x", "command": "y"}}},
    "a status of its own": {"runs": {"good": GOOD, "bad": {**GOOD, "status": "sleeping"}}},
    "a wrong type": {"runs": {"good": GOOD, "bad": {**GOOD, "created_at": "yesterday"}}},
    "a number beyond all": {"runs": {"good": GOOD, "bad": {**GOOD, "exit_code": 10**30}}},
    "half a character": {"runs": {"good": GOOD, "bad": {**GOOD, "name": "\ud800"}}},
    "an id that leads elsewhere": {"runs": {"good": GOOD, "../../etc": GOOD}},
    "less than no GPU": {"runs": {"good": GOOD, "bad": {**GOOD, "gpus": -1}}},
    "no path": {"runs": {"good": GOOD, "bad": {**GOOD, "workdir": "/tmp/\0"}}},
    "a sweep that never goes": {"sweeps": {"s": {"name": "x", "base_command": "y", "parallel": 0}}},
    "a bad sweep": {"runs": {"good": GOOD}, "sweeps": {"s": {"name": "x"}}},
    "too deep": nested(100_000),
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_malformed(layout: Layout, content: Any) -> None:
    """A clear error that names the file; nothing is imported, and a mended file is, later."""
    given = content if isinstance(content, str | bytes) else json.dumps(content)
    layout.jobs_json.write_bytes(given if isinstance(given, bytes) else given.encode())
    was = layout.jobs_json.read_bytes()
    store = Store(layout.database, layout.runs)
    with pytest.raises(RaJobsError, match=f"{layout.jobs_json} could not be imported: .*; mend it"):
        jobs_json.import_once(store, layout)
    assert (store.runs(limit=9), store.sweeps.page()) == ([], [])
    assert layout.jobs_json.read_bytes() == was
    store.close()
    layout.jobs_json.write_text(json.dumps(EARLIER))
    assert start(layout)[1]


def test_known_ids(layout: Layout) -> None:
    """A file with what is here already is refused in words, not by the database."""
    store = Store(layout.database, layout.runs)
    store.add(make_run(id="a"))
    layout.jobs_json.write_text(json.dumps({"runs": {"a": GOOD}}))
    with pytest.raises(RaJobsError, match="'a' is there already; mend it"):
        jobs_json.import_once(store, layout)


def test_queue_without_times(layout: Layout) -> None:
    """A queued run may lack its time, or its sweep a name: it goes all the same, and others after it."""
    queued = {**GOOD, "status": "queued", "created_at": 5.0}
    records = {
        "b": {**queued, "queued_at": 9.0},
        "a": queued,
        "c": {**queued, "queued_at": 9.5, "sweep_id": ""},
    }
    layout.jobs_json.write_text(json.dumps({"runs": records}))
    store, _ = start(layout)
    store.queue.request_all()
    assert [each.run_id for each in store.queue.next(9, [])] == ["a", "b", "c"]


def test_who_waits_for_whom(layout: Layout) -> None:
    """As before, in whatever order they come; who waits for what can't happen has failed."""
    queued = {**GOOD, "status": "queued", "queued_at": 5.0}
    records: dict[str, Any] = {
        "waits": {**queued, "created_at": 1.0, "after": ["first", "done"]},
        "goes": {**queued, "created_at": 2.0, "after": ["done"]},
        "first": {**queued, "created_at": 3.0},
        "done": {**GOOD, "status": "finished"},
        "lost": {**GOOD, "status": "running"},
        "failed": {**GOOD, "status": "failed", "max_retries": 1},
        "again": {**queued, "parent_run_id": "failed", "attempt": 2, "created_at": 9.0},
        "waits too": {**queued, "created_at": 4.0, "after": ["failed"]},
        "itself": {**queued, "after": ["itself"]},
        "one": {**queued, "after": ["other"]},
        "other": {**queued, "after": ["one"]},
        "unknown": {**queued, "after": ["nobody"]},
        "in vain": {**queued, "after": ["lost", "first"]},
        "behind": {**queued, "after": ["in vain"]},
    }
    named = {run_id.replace(" ", "-"): record for run_id, record in records.items()}
    for record in named.values():
        record["after"] = [each.replace(" ", "-") for each in record.get("after", [])]
    layout.jobs_json.write_text(json.dumps({"runs": named}))
    store, _ = start(layout)
    store.queue.request_all()

    def can_go() -> set[str]:
        return {each.run_id for each in store.queue.next(99, [])}

    assert can_go() == {"goes", "first", "again"}
    for run_id in ("first", "again"):
        for status in (RunStatus.LAUNCHING, RunStatus.RUNNING, RunStatus.FINISHED):
            assert store.move(run_id, status)
    assert can_go() == {"goes", "waits", "waits-too"}
    in_vain = {run.id for run in store.runs(limit=99) if "can't finish any more" in (run.error or "")}
    assert in_vain == {"itself", "one", "other", "unknown", "in-vain", "behind"}


def fill(store: Store) -> None:
    """Runs of every kind, and sweeps."""
    sweeps = [make_sweep(created_at=float(n), parameters={"x": [1, "é"]}) for n in range(3)]
    for sweep in sweeps:
        store.sweeps.add(sweep)
    ended = [RunStatus.FINISHED, RunStatus.FAILED, RunStatus.STOPPED]
    for n, status in enumerate([RunStatus.READY, RunStatus.QUEUED, RunStatus.QUEUED, *ended]):
        store.add(
            make_run(
                name=f"run {n} 🙂",
                status=status,
                created_at=100.0 + n,
                queued_at=200.0 - n if status is RunStatus.QUEUED else None,
                sweep_id=sweeps[n % 2].id,
                sweep_params={"x": n},
                tags=["a"],
                notes="line\nline",
                exit_code=n if status in ended else None,
                is_archived=n % 2 == 0,
            ),
            {"SECRET": "hunter2"},
        )


def test_roundtrip(layout: Layout) -> None:
    """What is exported and imported again is exported the same."""
    store, _ = start(layout)
    fill(store)
    exported = jobs_json.export(store)
    runs, sweeps = store.runs(limit=99), store.sweeps.page()
    assert [run["name"] for run in exported["runs"].values()] == [run.name for run in reversed(runs)]
    assert "hunter2" not in json.dumps(exported)
    store.close()
    for file in layout.data.glob("jobs.db*"):
        file.unlink()
    layout.jobs_json.write_text(json.dumps(exported))
    again, _ = start(layout)
    assert (again.runs(limit=99), again.sweeps.page()) == (runs, sweeps)
    assert jobs_json.export(again) == exported


def test_export_is_complete(layout: Layout) -> None:
    """Many runs, in the order of their creation."""
    store, _ = start(layout)
    with store.transaction():
        for n in range(2_345):
            store.add(make_run(name=str(n)))
    assert [run["name"] for run in jobs_json.export(store)["runs"].values()] == [str(n) for n in range(2_345)]


def export(workdir: Path) -> subprocess.CompletedProcess[str]:
    """Call the command, as a user does."""
    command = [*RA_JOBS, "export", "--workdir", str(workdir)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_export_command(layout: Layout) -> None:
    """Prints the file, while a server has the store open."""
    store, _ = start(layout)
    fill(store)
    printed = export(layout.workdir)
    assert printed.returncode == 0, printed.stderr
    assert json.loads(printed.stdout) == jobs_json.export(store)


@pytest.mark.parametrize("verb", ["export", "doctor"])
def test_nobody_reads_it(layout: Layout, verb: str) -> None:
    """As with `| head -1`: it ends quietly, with the code of the other verbs."""
    fill(start(layout)[0])
    read, write = os.pipe()
    os.close(read)
    command = [*RA_JOBS, verb, "--workdir", str(layout.workdir)]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, "Traceback" in done.stderr, "BrokenPipe" in done.stderr) == (141, False, False)


def test_export_amid_the_making(layout: Layout) -> None:
    """A sweep that a server was making is printed with all of its runs."""
    store, _ = start(layout)
    store.sweeps.add(make_sweep(id="sweep"))
    store.bulk.keep("key", make_run(sweep_id="sweep"), [Copy(f"{n:012x}", "x", "true", None) for n in (1, 2)])
    store.bulk.make("sweep", "key", 1)
    printed = json.loads(export(layout.workdir).stdout)
    assert list(printed["runs"]) == printed["sweeps"]["sweep"]["run_ids"] == [f"{n:012x}" for n in (1, 2)]


def test_export_of_a_newer_store(layout: Layout) -> None:
    """It says what is wrong, in a line."""
    store, _ = start(layout)
    store.close()
    with contextlib.closing(sqlite3.connect(layout.database)) as db:
        db.execute("PRAGMA user_version = 99")
    refused = export(layout.workdir)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{layout.database} was written by a newer jupyter_ra_jobs" in refused.stderr
    assert "Traceback" not in refused.stderr


def contents(layout: Layout) -> dict[str, bytes]:
    """All that lies in the folder of the data."""
    return {path.name: path.read_bytes() for path in layout.data.iterdir() if path.is_file()}


@pytest.mark.parametrize("killed", [False, True])
def test_export_changes_nothing(layout: Layout, killed: bool) -> None:
    """No more than it reads, of a store that a killed server left too."""
    store, _ = start(layout)
    fill(store)
    left = contents(layout)
    exported = jobs_json.export(store)
    store.close()
    if killed:
        del left["jobs.db-shm"]
        for name, content in left.items():
            (layout.data / name).write_bytes(content)
    was = contents(layout)
    assert set(was) == ({"jobs.db", "jobs.db-wal"} if killed else {"jobs.db"})
    assert json.loads(export(layout.workdir).stdout) == exported
    assert contents(layout) == was


def test_export_of_an_older_store(layout: Layout) -> None:
    """It is read as it is, and left so; only a server's start brings it to the present schema."""
    restore(1, layout.database, layout.workdir)
    was = contents(layout)
    printed = export(layout.workdir)
    assert printed.returncode == 0, printed.stderr
    assert contents(layout) == was
    store, _ = start(layout)
    assert json.loads(printed.stdout) == jobs_json.export(store)
    assert json.loads(printed.stdout)["runs"]


def test_export_of_a_broken_store(layout: Layout) -> None:
    """It says so, of the file that it was asked for."""
    layout.database.write_bytes(b"garbage" * 10_000)
    refused = export(layout.workdir)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{layout.database} is broken" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_nothing_to_export(tmp_path: Path) -> None:
    """Where there are no runs, the command says so, and leaves nothing behind."""
    nothing = export(tmp_path)
    assert (nothing.returncode, nothing.stdout) == (1, "")
    assert f"there are no runs in {tmp_path}" in nothing.stderr
    assert list(tmp_path.iterdir()) == []
