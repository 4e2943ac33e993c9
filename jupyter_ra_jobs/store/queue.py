"""The queue: who waits, and who may go next."""

import json

from jupyter_ra_jobs.states import ACTIVE
from jupyter_ra_jobs.store.database import Database, words

_ACTIVE = words(ACTIVE)
_POSITIONS_SHOWN = 10_000


class Queue:
    """The queued runs, those of higher priority first, then first come first."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def request_all(self, sweep_id: str | None = None) -> None:
        """Mark the queued runs as to be started: all of them, or those of one sweep."""
        of_sweep = "" if sweep_id is None else " AND sweep_id = :sweep_id"
        self._db.execute(
            f"UPDATE runs SET start_requested = 1 WHERE status = 'queued'{of_sweep}", {"sweep_id": sweep_id}
        )

    def waiting(self, limit: int) -> list[str]:
        """Queued runs that were asked to start and may as far as their sweeps go, first come first.

        Those of higher priority come before all others.
        """
        free: dict[str, int] = {
            row["sweep_id"]: row["free"]
            for row in self._db.execute(
                "SELECT runs.sweep_id, sweeps.parallel - count(*) AS free FROM runs"
                " JOIN sweeps ON sweeps.id = runs.sweep_id AND sweeps.parallel IS NOT NULL"
                f" WHERE runs.status IN {_ACTIVE} GROUP BY runs.sweep_id"
            )
        }
        full = [sweep_id for sweep_id, slots in free.items() if slots <= 0]
        queue = self._db.execute(
            "SELECT runs.id, runs.sweep_id, sweeps.parallel"
            " FROM runs INDEXED BY runs_queue LEFT JOIN sweeps ON sweeps.id = runs.sweep_id"
            " WHERE status = 'queued' AND start_requested"
            " AND (sweep_id IS NULL OR sweep_id NOT IN (SELECT value FROM json_each(?)))"
            " ORDER BY priority DESC, queued_at, runs.n",
            (json.dumps(full),),
        )
        chosen: list[str] = []
        for run_id, sweep_id, parallel in queue:
            if len(chosen) >= limit:
                break
            if parallel is not None:
                slots = free.setdefault(sweep_id, parallel)
                if slots <= 0:
                    continue
                free[sweep_id] = slots - 1
            chosen.append(run_id)
        return chosen

    def positions(self) -> dict[str, int]:
        """The places of the first of the queued runs, from 1."""
        queue = self._db.execute(
            "SELECT id FROM runs INDEXED BY runs_queue WHERE status = 'queued'"
            " ORDER BY priority DESC, queued_at, n LIMIT ?",
            (_POSITIONS_SHOWN,),
        )
        return {row["id"]: place for place, row in enumerate(queue, start=1)}
