"""A store of each released schema, made by that version, is opened, migrated and served by this one."""

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jupyter_ra_jobs.errors import StorageFull
from jupyter_ra_jobs.store import SCHEMA_VERSION, Store, database
from jupyter_ra_jobs.store.migrations import MIGRATIONS
from tests.conftest import Server, World
from tests.unit.disk import no_file_grows_beyond
from tests.upgrade.dump import HERE, WORKDIR, answers

RELEASED = {1: "1261ddf35204f021", 2: "8e2fa9854622f9a9", 3: "31763962885a4ceb"}
"""Of each schema: the hash of what schema.sql says, so that nobody changes one that users have."""


def saved(version: int, suffix: str, workdir: Path) -> str:
    """What a version left for us, as if it had been made in this workdir."""
    return (HERE / f"schema-{version}.{suffix}").read_text().replace(WORKDIR, str(workdir))


def restore(version: int, path: Path, workdir: Path) -> Path:
    """The database that a version left."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with closing(sqlite3.connect(path)) as db:
        db.executescript(saved(version, "sql", workdir))
    return path


def test_a_released_schema_stays() -> None:
    """Changed it? Then it is the next one: CONTRIBUTING.md, "The store's schema"."""
    schema = Path(database.__file__).with_name("schema.sql").read_text()
    words = " ".join(re.sub("--.*", "", schema).split())
    assert hashlib.sha256(words.encode()).hexdigest()[:16] == RELEASED[SCHEMA_VERSION]
    assert list(RELEASED) == list(range(1, SCHEMA_VERSION + 1))
    assert list(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def shape(path: Path) -> dict[str, Any]:
    """The tables and indices of a database, in whatever order their columns came."""
    with closing(sqlite3.connect(path)) as db:
        found: dict[str, Any] = {}
        for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_master").fetchall():
            columns = db.execute(f"PRAGMA table_xinfo({name})").fetchall()
            found[name] = (
                " ".join(str(sql).split()) if kind == "index" else {row[1]: row[2:] for row in columns}
            )
        return found


@pytest.mark.parametrize("version", RELEASED)
def test_migrated_schema(version: int, tmp_path: Path) -> None:
    """It is that of a new database."""
    old = restore(version, tmp_path / "old.db", tmp_path)
    for path in (old, tmp_path / "new.db"):
        Store(path, tmp_path).close()
    assert shape(old) == shape(tmp_path / "new.db")


def known(of: list[dict[str, Any]], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`more`, with no more in each than `of` has."""
    return [{key: new[key] for key in old} for old, new in zip(of, more, strict=True)]


OPEN = ("running", "claimed", "on its way #1", "on its way #2", "on its way #3")
"""Runs that were to go on, and do, or are lost with their sidecars."""


@pytest.mark.parametrize("version", RELEASED)
def test_released_schema(version: int, world: World) -> None:
    """Whatever had ended, or not begun, is served as that version served it; the rest comes to its end."""
    restore(version, world.workdir / ".agents" / "jobs.db", world.workdir)
    (world.workdir / ".agents" / "runs").mkdir()
    was = json.loads(saved(version, "json", world.workdir))
    server = Server(world).start()
    open_then = {run["id"]: run["name"] for run in was["runs"] if run["name"] in OPEN}
    for run_id in open_then:
        server.ended(run_id)
    now = answers(server)
    for listed in ("runs", "shown"):
        then, later = ([run for run in said[listed] if run["id"] not in open_then] for said in (was, now))
        assert known(then, later) == then
    assert known(was["alerts"], now["alerts"]) == was["alerts"]
    assert [sweep["id"] for sweep in now["sweeps"]] == [sweep["id"] for sweep in was["sweeps"]]
    ends = {run["name"]: (run["status"], run["error"] or "") for run in now["runs"]}
    for lost in ("running", "on its way #1"):
        assert ends[lost][0] == "failed"
        assert ends[lost][1].startswith("sidecar lost")
    for launched in ("claimed", "on its way #2", "on its way #3"):
        assert ends[launched] == ("finished", "")
    assert {run["status"] for run in now["runs"]} == {"ready", "queued", "finished", "failed", "stopped"}


# -- the way to a next schema --------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of the present schema, which is an old one in these tests."""
    return restore(SCHEMA_VERSION, tmp_path / "jobs.db", tmp_path)


def content(path: Path) -> list[str]:
    """All of it."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [str(db.execute("PRAGMA user_version").fetchone()), *db.iterdump()]


@pytest.fixture
def next_schema(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that lead to it, to be given."""
    statements: list[str] = []
    monkeypatch.setattr(database, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setitem(MIGRATIONS, SCHEMA_VERSION, statements)
    return statements


def test_migration(old: Path, next_schema: list[str], tmp_path: Path) -> None:
    """It is done once; the old database is kept beside, for its owner alone."""
    next_schema += [
        "ALTER TABLE runs ADD COLUMN colour TEXT",
        "UPDATE runs SET colour = 'red' WHERE exit_code",
    ]
    was = content(old)
    store = Store(old, tmp_path)
    assert len(store.runs(limit=99)) == len([line for line in was if line.startswith('INSERT INTO "runs"')])
    store.close()
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("SELECT count(*) > 0 FROM runs WHERE colour = 'red'").fetchone() == (1,)
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)
    kept = tmp_path / f"jobs.db.schema-{SCHEMA_VERSION}.bak"
    assert content(kept) == was
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.unlink()
    Store(old, tmp_path).close()
    assert {path.name for path in tmp_path.iterdir()} == {"jobs.db"}


def test_migration_of_what_was_written_last(old: Path, next_schema: list[str], tmp_path: Path) -> None:
    """What a killed server left in the write-ahead log is in the copy too."""
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("INSERT INTO meta VALUES ('last', 'word')")
        db.commit()
        for name in ("jobs.db", "jobs.db-wal"):
            (tmp_path / "killed").mkdir(exist_ok=True)
            (tmp_path / "killed" / name).write_bytes((tmp_path / name).read_bytes())
    killed = tmp_path / "killed" / "jobs.db"
    store = Store(killed, tmp_path)
    assert store.get_meta("last") == "word"
    store.close()
    assert any("'word'" in line for line in content(Path(f"{killed}.schema-{SCHEMA_VERSION}.bak")))


def test_migration_that_fails(old: Path, next_schema: list[str], tmp_path: Path) -> None:
    """All or nothing: the old version can go on."""
    next_schema += ["DELETE FROM runs", "DELETE FROM what_is_not_there"]
    was = content(old)
    with pytest.raises(sqlite3.OperationalError, match="what_is_not_there"):
        Store(old, tmp_path)
    assert content(old) == was


def test_no_room_for_a_migration(old: Path, next_schema: list[str], tmp_path: Path) -> None:
    """Without room for the copy nothing is begun, and no part of a copy stays."""
    next_schema += ["DELETE FROM runs"]
    was = content(old)
    with no_file_grows_beyond(20_000), pytest.raises(StorageFull):
        Store(old, tmp_path)
    assert content(old) == was
    assert not list(tmp_path.glob("*.bak*"))
    Store(old, tmp_path).close()
    assert content(old) != was
