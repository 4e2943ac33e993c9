"""A database looked at from outside, beside a server or after one, without changing what it holds."""

from contextlib import closing
from pathlib import Path

from msgspec import Struct

from jupyter_ra_jobs.models import Tracking
from jupyter_ra_jobs.states import ACTIVE, RunStatus
from jupyter_ra_jobs.store.database import SCHEMA_VERSION, columns, damage, open_to_read, to_struct, words


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


def look(path: Path) -> Looked:
    """Read all of it. Raises sqlite3.DatabaseError when it is broken, or no database. Blocks."""
    with closing(open_to_read(path)) as connection:
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        broken = damage(connection)
        if broken or schema != SCHEMA_VERSION:
            return Looked(damage=broken, schema=schema, statuses={}, active=[])
        runs = connection.execute("SELECT id, status FROM runs")
        statuses = {row["id"]: RunStatus(row["status"]) for row in runs}
        active = connection.execute(
            f"SELECT {columns(Tracking)} FROM runs WHERE status IN {words(ACTIVE)}"
        ).fetchall()
        tracked = [to_struct(row, Tracking) for row in active]
        return Looked(damage=[], schema=schema, statuses=statuses, active=tracked)
