"""A database looked at from outside, beside a server or after one; neither it nor its folder is changed.

Not for a process that has it open itself: what is opened and closed here would cost that its locks.
"""

import fcntl
import json
import os
import shutil
import sqlite3
import stat
import struct
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from jupyter_ra_jobs.errors import RaJobsError, StorageFull, Unavailable
from jupyter_ra_jobs.models import Tracking
from jupyter_ra_jobs.states import ACTIVE, RunStatus
from jupyter_ra_jobs.store.database import (
    RESTORE,
    SCHEMA_VERSION,
    columns,
    connect_to_read,
    damage,
    journal_of,
    to_struct,
    wal_of,
    words,
)

_TRIES = 3
_FLOCK = struct.Struct("hhqqi0q")  # struct flock of fcntl(2): type, whence, start, length, pid
_LOCKS = 0x40000000, 512  # where SQLite locks a database, and how many bytes: os.h, PENDING_BYTE
_WAL_HEADER, _FRAME_HEADER = 32, 24  # bytes: https://sqlite.org/fileformat2.html#walformat


class Waiting(Struct, frozen=True, kw_only=True):
    """What a server that was killed left in the WAL."""

    size: int
    """Bytes."""
    readable: int
    """Bytes from its beginning that SQLite takes; what follows is of before, or was not written whole."""


class Looked(Struct, frozen=True, kw_only=True):
    """What was seen."""

    damage: list[str]
    """SQLite's own words; empty when all is well."""
    schema: int
    statuses: dict[str, RunStatus]
    """Of all runs."""
    begun: set[str]
    """Runs that were launched at some time."""
    active: list[Tracking]
    waiting: Waiting | None
    files: dict[str, list[str]]
    """The runs that each uploaded file is for, by its hash."""

    @property
    def is_known(self) -> bool:
        """Whether it is whole, and of this version."""
        return not self.damage and self.schema == SCHEMA_VERSION


def look(path: Path) -> Looked:
    """Read all of it. Raises sqlite3.DatabaseError when it is broken, or no database. Blocks.

    Raises OSError, StorageFull and Unavailable when it can't be read for now.
    """
    with _reading(path) as (connection, waiting):
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        broken = damage(connection)
        if broken or schema != SCHEMA_VERSION:
            return Looked(
                damage=broken, schema=schema, statuses={}, begun=set(), active=[], files={}, waiting=waiting
            )
        statuses, begun = {}, set()
        for row in connection.execute("SELECT id, status, token_hash FROM runs"):
            statuses[row["id"]] = RunStatus(row["status"])
            if row["token_hash"] is not None:
                begun.add(row["id"])
        active = connection.execute(
            f"SELECT {columns(Tracking)} FROM runs WHERE status IN {words(ACTIVE)}"
        ).fetchall()
        tracked = [to_struct(row, Tracking) for row in active]
        named = connection.execute(
            "SELECT value AS sha256, json_group_array(runs.id) AS ids FROM runs, json_each(runs.files)"
            " WHERE runs.files != '{}' GROUP BY value"
        ).fetchall()
        files = {row["sha256"]: json.loads(row["ids"]) for row in named}
        return Looked(
            damage=[],
            schema=schema,
            statuses=statuses,
            begun=begun,
            active=tracked,
            files=files,
            waiting=waiting,
        )


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """A copy of what is committed, for the caller alone, which may be written; it goes away again.

    Raises RaJobsError when the database is broken, or can't be read for now. Blocks.
    """
    with _folder_for(path) as folder:
        copy = folder / path.name
        try:
            with _reading(path) as (connection, _), closing(sqlite3.connect(copy)) as target:
                target.execute("PRAGMA synchronous = OFF")  # it is to outlive no power cut
                connection.backup(target)
        except (sqlite3.OperationalError, OSError) as problem:
            raise Unavailable(f"{path} can't be read: {problem}") from problem
        except sqlite3.DatabaseError as problem:
            raise RaJobsError(f"{path} is broken ({problem}); {RESTORE}") from problem
        yield copy


@contextmanager
def _reading(path: Path) -> Iterator[tuple[sqlite3.Connection, Waiting | None]]:
    """A connection to read all that is committed.

    While somebody has it open, it is read beside him, and the files that readers share are there. Else SQLite
    would make those to read a log: so what has one is read from a copy.
    """
    if _is_open(path):
        with closing(connect_to_read(path, "mode=ro")) as connection:
            yield connection, None
    elif not _logs(path):
        with closing(connect_to_read(path, "immutable=1")) as connection:
            yield connection, None
    else:
        with _folder_for(path) as folder:
            copy = _copy_files(path, folder)
            with closing(sqlite3.connect(copy)) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA synchronous = OFF")
                yield connection, _waiting(connection, wal_of(copy))


def _is_open(path: Path) -> bool:
    """Whether another process has it open: each holds a lock on it as long as it does. Takes none itself."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError("it is no file")
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, *_LOCKS, 0)
        kind, *_ = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, asked))
        return bool(kind != fcntl.F_UNLCK)
    finally:
        os.close(fd)


def _logs(path: Path) -> list[Path]:
    return [log for log in (wal_of(path), journal_of(path)) if log.exists() and log.stat().st_size]


@contextmanager
def _folder_for(path: Path) -> Iterator[Path]:
    """A folder that goes away, in which a copy of the database and its logs has room."""
    place = tempfile.gettempdir()
    needed = sum(file.stat().st_size for file in [path, *_logs(path)])
    if shutil.disk_usage(place).free < needed:
        raise StorageFull(
            f"{path} is read from a copy, and {place} has no room for its {needed:,} bytes; "
            "name a folder that has, by TMPDIR"
        )
    with tempfile.TemporaryDirectory(prefix="ra-jobs-") as folder:
        yield Path(folder)


def _copy_files(path: Path, folder: Path) -> Path:
    """Copy it and its logs as they are; Unavailable while somebody writes there."""
    for _ in range(_TRIES):
        was = _versions(path)
        for file in [path, *_logs(path)]:
            shutil.copyfile(file, folder / file.name)
        if not _is_open(path) and _versions(path) == was:
            return folder / path.name
        for file in folder.iterdir():
            file.unlink()
    raise Unavailable(f"{path} is being opened and closed; look again")


def _versions(path: Path) -> list[tuple[str, int, int, int]]:
    return [
        (f.name, at.st_ino, at.st_size, at.st_mtime_ns) for f in [path, *_logs(path)] for at in [f.stat()]
    ]


def _waiting(connection: sqlite3.Connection, wal: Path) -> Waiting | None:
    """How much of the log is good, by SQLite's checksums; `connection` is to a copy."""
    size = wal.stat().st_size if wal.exists() else 0
    if not size:
        return None
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    # What can be read of it is what can be moved into the database.
    _, frames, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    readable = _WAL_HEADER + frames * (_FRAME_HEADER + page) if frames > 0 else 0
    return Waiting(size=size, readable=readable)
