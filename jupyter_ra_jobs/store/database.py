"""The database file: its connection, its transactions, and the way between rows and records.

SQLite in WAL mode with synchronous=FULL: what a write has returned from survives a power cut. A file that is
broken, or no longer the one that was opened, is neither read nor written: better no word than a wrong one.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from jupyter_ra_jobs.errors import RaJobsError, StorageFull, Unavailable
from jupyter_ra_jobs.models import SidecarIdentity
from jupyter_ra_jobs.states import TERMINAL, RunStatus
from jupyter_ra_jobs.store.migrations import MIGRATIONS

SCHEMA_VERSION = 3
RESTORE = "stop the server, keep a copy of the folder, and restore a backup (docs/operations.md)"
_BUSY_SECONDS = 0.25  # how long the event loop may stand still for another process's write

_JSON = {
    "after",
    "choices",
    "creation_context",
    "env",
    "files",
    "gpu_ids",
    "gpuwrap_config",
    "metrics",
    "parameters",
    "run_options",
    "sidecar",
    "sweep_params",
    "tags",
    "ui_config",
}
_BOOL = {"is_archived", "is_wild", "is_draft"}
_ENDED = {status.value for status in TERMINAL}
COMPUTED = {"run_dir", "queue_position", "auto_session"}
_NEWEST_REV = ", ".join(
    f"coalesce((SELECT max(rev) FROM {table}), 0)" for table in ("runs", "sweeps", "alerts")
)
NEXT_REV = f"(max({_NEWEST_REV}) + 1)"
"""One sequence for all that changes, so that a cursor is one number; each maximum is an index's end."""

Values = Mapping[str, Any] | Sequence[Any]


class Database:
    """One connection, for the event loop's thread alone. `changed` is told of each change worth showing."""

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self.changed = changed
        self._path = path
        _refuse_unusable(path)
        with _disk_errors():
            self.connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        opened = path.stat()
        self._file = (opened.st_dev, opened.st_ino)
        self._size = opened.st_size
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        with self.transaction():
            self._create_or_migrate(path)

    def _check_file(self) -> None:
        """Whether the path still leads to the file that is open. SQLite itself would write on to one that
        was moved or removed, and those words would be lost with it."""
        try:
            now = self._path.stat()
        except OSError as problem:
            raise Unavailable(
                f"the run database is away ({self._path}: {problem.strerror}); all goes on when it is back"
            ) from problem
        if (now.st_dev, now.st_ino) != self._file:
            raise Unavailable(
                f"{self._path} was replaced under the server; restart the server, to work with what is there"
            )
        if now.st_size < self._size:  # it never shrinks by itself
            raise Unavailable(f"{self._path} was cut under the server; {RESTORE}")
        self._size = now.st_size

    def _create_or_migrate(self, path: Path) -> None:
        (version,) = self.execute("PRAGMA user_version").fetchone()
        if version == 0:
            schema = resources.files("jupyter_ra_jobs.store").joinpath("schema.sql").read_text()
            for statement in schema.split(";\n"):
                self.execute(statement)
            self.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version > SCHEMA_VERSION:
            raise RaJobsError(
                f"{path} was written by a newer jupyter_ra_jobs (schema {version}, this one knows "
                f"{SCHEMA_VERSION}); install that version, or use another workdir"
            )
        elif version < SCHEMA_VERSION:
            _keep_copy(path, version)
            for older in range(version, SCHEMA_VERSION):
                for statement in MIGRATIONS[older]:
                    self.execute(statement)
            self.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the database; nothing may be called afterwards."""
        self.connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; within another one, a part of that.

        The write lock is taken at once, so that nobody has to be undone.
        """
        if self.connection.in_transaction:
            yield
            return
        with _disk_errors():
            self._check_file()
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._check_file()
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        """One statement; raises StorageFull and Unavailable, and then nothing has changed."""
        with _disk_errors():
            self._check_file()
            return self.connection.cursor(_Cursor).execute(sql, values)

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Add rows that all have the same columns."""
        names, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
        with _disk_errors():
            self.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)

    def rev(self) -> int:
        """The newest change's number, whatever changed."""
        (newest,) = self.execute(f"SELECT max({_NEWEST_REV})").fetchone()
        return int(newest)

    def get_meta(self, key: str) -> str | None:
        """A note about the whole store."""
        row = self.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row["value"] if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Keep a note about the whole store."""
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _keep_copy(path: Path, version: int) -> None:
    """A copy beside the database, mode 0600, of what is committed; whoever calls holds all writers off."""
    kept = path.with_name(f"{path.name}.schema-{version}.bak")
    beside = kept.with_name(f"{kept.name}.new")
    try:
        beside.unlink(missing_ok=True)  # of a start that was killed here
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(path)) as committed, closing(sqlite3.connect(beside)) as copy:
            committed.backup(copy)
        beside.replace(kept)
    except OSError as problem:
        raise StorageFull(f"cannot write {beside}: {problem.strerror}") from problem
    finally:
        beside.unlink(missing_ok=True)


def wal_of(path: Path) -> Path:
    """The file of what was written last, which SQLite moves into the database in its time."""
    return path.with_name(path.name + "-wal")


def journal_of(path: Path) -> Path:
    """The file by which SQLite undoes a write, where there is no WAL."""
    return path.with_name(path.name + "-journal")


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing of the file, nor of what is beside it."""
    # Without a log beside it nobody has it open: then SQLite need not even make the files that readers share.
    logs = wal_of(path), journal_of(path)
    return connect_to_read(path, "mode=ro" if any(log.exists() for log in logs) else "immutable=1")


def connect_to_read(path: Path, how: str) -> sqlite3.Connection:
    """`how` is a parameter of SQLite's URIs: mode=ro, or immutable=1."""
    connection = sqlite3.connect(f"file:{quote(str(path))}?{how}", timeout=5, uri=True)
    connection.row_factory = sqlite3.Row
    return connection


def damage(connection: sqlite3.Connection) -> list[str]:
    """SQLite's own words for what is broken; empty when all is well. Reads all of it."""
    said = [row[0] for row in connection.execute("PRAGMA quick_check(10)")]
    return [] if said == ["ok"] else said


def _refuse_unusable(path: Path) -> None:
    """Raise RaJobsError for a database that can't be worked with, before anything of it is changed.

    Looked at by a connection that only reads: the last one that closes would move the log beside it, of
    another database perhaps, into it for good.
    """
    if not path.exists() or not path.stat().st_size:
        return
    for last in (False, True):  # another server may just have begun to write
        try:
            with closing(open_to_read(path)) as connection:
                broken = damage(connection)
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:  # full, read-only, held by another: opening it to write says so
            return
        except sqlite3.DatabaseError as problem:
            broken = [str(problem)]
        if not broken and tables and version == 0:
            raise RaJobsError(f"{path} is a database, but none of runs, and was left as it is; {RESTORE}")
        if not broken:
            return
        if last:
            raise RaJobsError(f"{path} is broken, and was left as it is ({broken[0]}); {RESTORE}")


class _Cursor(sqlite3.Cursor):
    """One whose later rows raise our errors too."""

    def fetchall(self) -> list[Any]:
        with _disk_errors():
            return super().fetchall()

    def fetchone(self) -> Any:
        with _disk_errors():
            return super().fetchone()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """What SQLite says when the disk takes nothing, in our words. The statement changed nothing."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        text = str(problem)
        if type(problem) is sqlite3.DatabaseError:  # its subclasses say other things than that it is broken
            raise Unavailable(f"the run database is broken: {text}; {RESTORE}") from problem
        if any(sign in text for sign in ("disk is full", "disk I/O", "readonly", "unable to open")):
            raise StorageFull(f"the run database takes nothing: {text}") from problem
        if "locked" in text:
            raise Unavailable("another process holds the run database; try again") from problem
        raise


def words(statuses: Iterable[RunStatus]) -> str:
    """Statuses as SQL has them behind IN."""
    return "(" + ", ".join(f"'{status.value}'" for status in sorted(statuses)) + ")"


def assignments(changes: Mapping[str, Any]) -> str:
    """What stands behind SET, with the values to be bound by name."""
    return ", ".join(f"{name} = :{name}" for name in changes)


def to_row(record: msgspec.Struct) -> dict[str, Any]:
    """A record as the columns that are stored of it."""
    return to_columns({n: getattr(record, n) for n in record.__struct_fields__ if n not in COMPUTED})


def to_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as SQLite takes them."""
    return {name: _to_column(name, value) for name, value in values.items()}


def _to_column(name: str, value: Any) -> Any:
    if name in _JSON and value is not None:
        return msgspec.json.encode(value).decode()
    if isinstance(value, RunStatus):
        return value.value
    return value


def columns(kind: type[msgspec.Struct]) -> str:
    """The columns of a record."""
    return ", ".join(name for name in kind.__struct_fields__ if name not in COMPUTED)


def to_struct(row: sqlite3.Row, kind: type[Any], **more: Any) -> Any:
    """A record of a row with the columns that `kind` has; a list of runs is made of many, so no detours."""
    values = dict(zip(row.keys(), row, strict=True))
    values.pop("rev", None)
    if values.get("status") in _ENDED and "attach_command" in values:
        values["attach_command"] = None  # the window is gone
    for name, read in _READ.items():
        if values.get(name) is not None:
            values[name] = read(values[name])
    return kind(**values, **more)


_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_JSON, msgspec.json.decode),
    **dict.fromkeys(_BOOL, bool),
    "status": RunStatus,
    "sidecar": msgspec.json.Decoder(SidecarIdentity).decode,
}
