"""A database looked at from outside, beside a server or after one, without changing what it holds."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from jupyter_ra_jobs.models import Tracking
from jupyter_ra_jobs.states import ACTIVE, RunStatus
from jupyter_ra_jobs.store.database import SCHEMA_VERSION, columns, to_struct, words


class Looked(Struct, frozen=True, kw_only=True):
    """What was seen."""

    damage: list[str]
    """SQLite's own words; empty when all is well."""
    schema: int
    statuses: dict[str, RunStatus]
    """Of all runs."""
    active: list[Tracking]

    @property
    def is_known(self) -> bool:
        """Whether it is whole, and of this version."""
        return not self.damage and self.schema == SCHEMA_VERSION


def wal_of(path: Path) -> Path:
    """The file of what was written last, which SQLite moves into the database in its time."""
    return path.with_name(path.name + "-wal")


def look(path: Path) -> Looked:
    """Read all of it. Raises sqlite3.DatabaseError when it is broken, or no database. Blocks."""
    # Without a log beside it nobody has it open: then SQLite need not even make the files that readers share.
    how = "mode=ro" if wal_of(path).exists() else "immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{how}", timeout=5, uri=True)
    connection.row_factory = sqlite3.Row
    try:
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        said = [row[0] for row in connection.execute("PRAGMA quick_check(10)")]
        damage = [] if said == ["ok"] else said
        if damage or schema != SCHEMA_VERSION:
            return Looked(damage=damage, schema=schema, statuses={}, active=[])
        runs = connection.execute("SELECT id, status FROM runs")
        statuses = {row["id"]: RunStatus(row["status"]) for row in runs}
        active = connection.execute(
            f"SELECT {columns(Tracking)} FROM runs WHERE status IN {words(ACTIVE)}"
        ).fetchall()
        tracked = [to_struct(row, Tracking) for row in active]
        return Looked(damage=[], schema=schema, statuses=statuses, active=tracked)
    finally:
        connection.close()
