"""The sweeps on disk."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from jupyter_ra_jobs.errors import NotFound
from jupyter_ra_jobs.models import StoredSweep
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store.database import (
    NEXT_REV,
    Database,
    assignments,
    columns,
    to_columns,
    to_row,
    to_struct,
)

_COLUMNS = columns(StoredSweep)
_NOT_RETRIED = """NOT EXISTS (SELECT 1 FROM runs AS retry
    WHERE retry.parent_run_id = runs.id AND retry.sweep_id = runs.sweep_id)"""


class SweepCount(NamedTuple):
    """The runs of a sweep with one status: how many, how many wait to be started, from when to when."""

    status: RunStatus
    runs: int
    waiting: int
    first_started: float | None
    last_ended: float | None


class SweepTable:
    """What is stored of sweeps, and what their runs say of them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, sweep: StoredSweep, env: Mapping[str, str] | None = None) -> None:
        """Store a sweep, and the variables for its runs."""
        with self._db.transaction():
            row = to_row(sweep) | to_columns({"env": dict(env or {})}) | {"rev": self._db.rev() + 1}
            self._db.insert("sweeps", [row])
        self._db.changed()

    def env(self, sweep_id: str) -> dict[str, str]:
        """The variables for the runs of a sweep."""
        row = self._db.execute("SELECT env FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        return dict(json.loads(row["env"])) if row else {}

    def change(self, sweep_id: str, **changes: Any) -> None:
        """Set columns of a sweep; without any, it is only told again to who watches."""
        values = to_columns(changes)
        sets = ", ".join([f"rev = {NEXT_REV}", *([assignments(values)] if values else [])])
        self._db.execute(f"UPDATE sweeps SET {sets} WHERE id = :id", values | {"id": sweep_id})
        self._db.changed()

    def get(self, sweep_id: str) -> StoredSweep:
        """What is stored of a sweep, or NotFound."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no sweep {sweep_id}")
        found: StoredSweep = to_struct(row, StoredSweep)
        return found

    def some(self, sweep_ids: list[str]) -> list[StoredSweep]:
        """Those of these that there are."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM sweeps WHERE id IN (SELECT value FROM json_each(?)) ORDER BY n",
            (json.dumps(sweep_ids),),
        )
        return [to_struct(row, StoredSweep) for row in rows]

    def has(self, sweep_id: str) -> bool:
        """Whether there is such a sweep."""
        return self._db.execute("SELECT 1 FROM sweeps WHERE id = ?", (sweep_id,)).fetchone() is not None

    def page(self, limit: int = -1, id_prefix: str = "") -> list[StoredSweep]:
        """The newest sweeps first; -1 means all of them."""
        which = "n IN (SELECT n FROM sweeps WHERE id >= :from AND id < :to)" if id_prefix else "1"
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM sweeps WHERE {which} ORDER BY n DESC LIMIT :limit",
            {"from": id_prefix, "to": id_prefix + "g", "limit": limit},
        )
        return [to_struct(row, StoredSweep) for row in rows]

    def changed_since(self, rev: int, limit: int) -> list[tuple[int, str]]:
        """The ids of sweeps that were changed themselves after `rev`, oldest change first."""
        rows = self._db.execute("SELECT rev, id FROM sweeps WHERE rev > ? ORDER BY rev LIMIT ?", (rev, limit))
        return [(row["rev"], row["id"]) for row in rows]

    def run_ids(self, sweep_ids: list[str]) -> dict[str, list[str]]:
        """The ids of each sweep's runs, in the order of their creation."""
        found: dict[str, list[str]] = {}
        for sweep_id in sweep_ids:
            (ids,) = self._db.execute(  # as one text: a row each would take several times as long
                "SELECT json_group_array(id) FROM (SELECT id FROM runs WHERE sweep_id = ? ORDER BY n)",
                (sweep_id,),
            ).fetchone()
            found[sweep_id] = json.loads(ids)
        return found

    def counts(self, sweep_ids: list[str]) -> dict[str, list[SweepCount]]:
        """How the runs of each sweep stand, those aside that were retried within the sweep."""
        return {sweep_id: self._counts(sweep_id) for sweep_id in sweep_ids}

    def _counts(self, sweep_id: str) -> list[SweepCount]:
        retried = dict(
            self._db.execute(
                "SELECT tried.status, count(DISTINCT tried.id) FROM runs AS again INDEXED BY runs_retries"
                " JOIN runs AS tried ON tried.id = again.parent_run_id AND tried.sweep_id = again.sweep_id"
                " WHERE again.sweep_id = ? AND again.parent_run_id IS NOT NULL GROUP BY tried.status",
                (sweep_id,),
            ).fetchall()
        )
        rows = self._db.execute(
            "SELECT status, count(*), sum(start_requested), min(started_at), max(ended_at)"
            " FROM runs INDEXED BY runs_sweep_status WHERE sweep_id = ? GROUP BY status",
            (sweep_id,),
        )
        counts = [SweepCount(RunStatus(row[0]), row[1] - retried.get(row[0], 0), *row[2:]) for row in rows]
        return [count for count in counts if count.runs]

    def retried_as(self, run_id: str) -> str | None:
        """The newest retry of a run in its own sweep, if there is one."""
        row = self._db.execute(
            "SELECT again.id FROM runs AS again JOIN runs AS tried ON tried.id = again.parent_run_id"
            " WHERE again.parent_run_id = ? AND again.sweep_id = tried.sweep_id"
            " ORDER BY again.n DESC LIMIT 1",
            (run_id,),
        ).fetchone()
        return row["id"] if row else None

    def retryable(self, sweep_id: str) -> list[str]:
        """The failed and stopped runs of a sweep that were not retried in it yet, oldest first."""
        rows = self._db.execute(
            "SELECT id FROM runs WHERE sweep_id = ? AND status IN ('failed', 'stopped')"
            f" AND {_NOT_RETRIED} ORDER BY n",
            (sweep_id,),
        )
        return [row["id"] for row in rows]
