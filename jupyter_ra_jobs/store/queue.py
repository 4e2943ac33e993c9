"""The queue on disk: who waits, for whom, and who may go next."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.states import ACTIVE, RunStatus
from jupyter_ra_jobs.store.database import Database, words

_ACTIVE = words(ACTIVE)
_POSITIONS_SHOWN = 2_000
_NEXT = 1e-6  # seconds; the least that is told apart in times of today
_QUEUED = "runs INDEXED BY runs_queue WHERE status = 'queued'"
PARALLEL = "(CASE sweeps.under_way WHEN 'stop' THEN 0 ELSE sweeps.parallel END)"
"""How many runs of a sweep may be active; NULL: no limit of its own."""
# As the index runs_startable has it.
_STARTABLE = "runs INDEXED BY runs_startable WHERE status = 'queued' AND start_requested AND NOT waits_for"


# Of runs that were tried again by themselves, the last try: it stands for them all.
_NEWEST_TRIES = """WITH RECURSIVE tries(asked, id) AS (
    SELECT value, value FROM json_each(?)
    UNION SELECT asked, again.id FROM tries JOIN runs AS again
    ON again.parent_run_id = tries.id AND again.attempt > 1
), newest AS (
    SELECT asked, id FROM tries WHERE NOT EXISTS (
        SELECT 1 FROM runs AS again WHERE again.parent_run_id = tries.id AND again.attempt > 1)
)"""


class Next(NamedTuple):
    """A run that may go now, with the GPUs that it gets; they are its own only once it is claimed."""

    run_id: str
    gpu_ids: list[str] | None


class _Waiting(NamedTuple):
    """A run that waits, in the order in which those go first that are smaller."""

    minus_priority: int
    queued_at: float
    n: int
    run_id: str
    sweep_id: str | None
    gpus: int | None


class Queue:
    """The queued runs, those of higher priority first, then first come first."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # -- the order ---------------------------------------------------------------------------------

    def end(self) -> float:
        """The time to queue a run with so that it comes after those that wait: now, unless the clock was set
        back since one of them was queued."""
        (newest,) = self._db.execute(
            # The last of each priority, from one to the next in the index, however many wait.
            "WITH RECURSIVE levels(priority) AS ("
            f" SELECT (SELECT max(priority) FROM {_QUEUED})"
            f" UNION ALL SELECT (SELECT max(priority) FROM {_QUEUED} AND priority < levels.priority)"
            " FROM levels WHERE levels.priority IS NOT NULL)"
            f" SELECT max((SELECT max(queued_at) FROM {_QUEUED} AND runs.priority = levels.priority))"
            " FROM levels"
        ).fetchone()
        return max(time.time(), (newest or 0.0) + _NEXT)

    # -- who may go --------------------------------------------------------------------------------

    def request_all(self) -> None:
        """Mark all queued runs as to be started."""
        self._db.execute(
            "UPDATE runs SET start_requested = 1 WHERE status = 'queued' AND NOT start_requested"
        )

    def next(self, limit: int, gpus: Sequence[str]) -> list[Next]:
        """At most `limit` runs that were asked to start and may, as far as their sweeps and `gpus` go.

        Runs that need GPUs go strictly one after the other, so that one that needs many gets them some
        day; the others pass them by. One that needs more than there are holds nobody up.
        """
        slots = self._sweep_slots()
        waiting = sorted(self._lane(False, slots, limit, len(gpus)))
        waiting += sorted(self._lane(True, slots, limit, len(gpus)))
        free = self._free(gpus) if any(run.gpus for run in waiting) else []
        chosen: list[tuple[_Waiting, list[str] | None]] = []
        for run in waiting:
            left = slots.get(run.sweep_id)
            if left is not None and left <= 0:
                continue
            wanted = run.gpus or 0
            if wanted > len(free):
                break
            chosen.append((run, free[:wanted] if run.gpus is not None else None))
            free = free[wanted:]
            if left is not None:
                slots[run.sweep_id] = left - 1
        return [Next(run.run_id, gpu_ids) for run, gpu_ids in sorted(chosen)[:limit]]

    def beyond(self, gpus: int) -> list[str]:
        """The runs that are to start and need more than so many GPUs, the next first. Costs the queue."""
        rows = self._db.execute(
            "SELECT id FROM runs WHERE status = 'queued' AND start_requested AND gpus > ?"
            " ORDER BY priority DESC, queued_at, n",
            (gpus,),
        )
        return [row["id"] for row in rows]

    def _sweep_slots(self) -> dict[str | None, int]:
        """How many more runs may be active, for each sweep with a limit that has runs waiting."""
        return {
            row["id"]: row["slots"]
            for row in self._db.execute(
                # From sweep to sweep in the index, however many runs of each wait.
                "WITH RECURSIVE waiting(id) AS ("
                f" SELECT (SELECT min(sweep_id) FROM {_STARTABLE} AND sweep_id > '')"
                f" UNION ALL SELECT (SELECT min(sweep_id) FROM {_STARTABLE} AND sweep_id > waiting.id)"
                " FROM waiting WHERE waiting.id IS NOT NULL)"
                f" SELECT waiting.id, coalesce({PARALLEL}, :unlimited) - (SELECT count(*) FROM runs"
                f" WHERE runs.sweep_id = waiting.id AND status IN {_ACTIVE}) AS slots"
                " FROM waiting LEFT JOIN sweeps ON sweeps.id = waiting.id WHERE waiting.id IS NOT NULL",
                {"unlimited": 1 << 40},
            )
        }

    def _lane(
        self, needs_gpus: bool, slots: dict[str | None, int], limit: int, most_gpus: int
    ) -> Iterator[_Waiting]:
        """The first runs of each sweep that has room, and of those without a sweep."""
        lane = f"{_STARTABLE} AND (gpus > 0) IS {{}} AND sweep_id IS ?"
        for sweep_id, most in [(None, limit), *((each, free) for each, free in slots.items() if free > 0)]:
            for flag in ["1"] if needs_gpus else ["0", "NULL"]:
                rows = self._db.execute(
                    f"SELECT -priority, queued_at, n, id, sweep_id, gpus FROM {lane.format(flag)}"
                    " AND coalesce(gpus, 0) <= ? ORDER BY priority DESC, queued_at, n LIMIT ?",
                    (sweep_id, most_gpus, min(limit, most)),
                )
                yield from (_Waiting(*row) for row in rows)

    def _free(self, gpus: Sequence[str]) -> list[str]:
        taken = {
            row["value"]
            for row in self._db.execute(
                "SELECT value FROM runs, json_each(runs.gpu_ids)"
                f" WHERE status IN {_ACTIVE} AND gpu_ids IS NOT NULL"
            )
        }
        return [gpu for gpu in gpus if gpu not in taken]

    def positions(self, run_ids: Iterable[str]) -> dict[str, int]:
        """Which places, from 1, these runs have, of those among the first 2,000 of the queue."""
        rows = self._db.execute(
            "SELECT runs.id, place FROM (SELECT n, row_number() OVER (ORDER BY priority DESC, queued_at, n)"
            " AS place FROM runs INDEXED BY runs_queue WHERE status = 'queued'"
            " ORDER BY priority DESC, queued_at, n LIMIT ?) AS queue JOIN runs USING (n)"
            " WHERE n IN (SELECT n FROM runs WHERE id IN (SELECT value FROM json_each(?)))",
            (_POSITIONS_SHOWN, json.dumps(list(run_ids))),
        )
        return {row["id"]: row["place"] for row in rows}

    # -- who waits for whom ------------------------------------------------------------------------

    def check_after(self, run_ids: Sequence[str]) -> None:
        """Raises BadInput if one of these is no run, or can never finish any more."""
        rows = self._db.execute(
            f"{_NEWEST_TRIES} SELECT asked, status FROM newest LEFT JOIN runs ON runs.id = newest.id"
            " WHERE status IS NULL OR status IN ('failed', 'stopped') LIMIT 1",
            (json.dumps(run_ids),),
        )
        for run_id, status in rows:
            if status is None:
                raise BadInput(f"after: there is no run {run_id}")
            raise BadInput(f"after: run {run_id} has {status}; rerun it, and name the new run")

    def wait(self, run_ids: Sequence[str], after: Sequence[str]) -> None:
        """Have new runs wait for those of `after` that have not finished."""
        ids = json.dumps(run_ids)
        added = self._db.execute(
            f"INSERT INTO dependencies {_NEWEST_TRIES}"
            " SELECT runs.id, waiting.value FROM runs, json_each(?) AS waiting"
            " WHERE runs.id IN (SELECT id FROM newest) AND status != 'finished'",
            (json.dumps(after), ids),
        )
        self._db.execute(
            "UPDATE runs SET waits_for = ? WHERE id IN (SELECT value FROM json_each(?))",
            (added.rowcount // len(run_ids), ids),
        )

    def status(self, run_id: str) -> RunStatus | None:
        """How the run stands; None when there is none."""
        row = self._db.execute("SELECT status FROM runs WHERE id = ?", (run_id,)).fetchone()
        return RunStatus(row["status"]) if row else None

    def retry_of(self, run_id: str) -> str | None:
        """The run that tries this one again by itself, if one does."""
        row = self._db.execute(
            "SELECT id FROM runs WHERE parent_run_id = ? AND attempt > 1", (run_id,)
        ).fetchone()
        return row["id"] if row else None

    def release(self, run_id: str, most: int) -> int:
        """A run has finished: who waited for it waits no more, so many at most; how many those were."""
        waiting = self._freed(run_id, most)
        self._db.execute(
            "UPDATE runs SET waits_for = waits_for - 1 WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(waiting),),
        )
        return len(waiting)

    def redirect(self, run_id: str, again: str, most: int) -> int:
        """Who waited for `run_id` now waits for `again`, which runs it once more; likewise."""
        waiting = self._freed(run_id, most)
        self._db.execute(
            "INSERT INTO dependencies SELECT ?, value FROM json_each(?)", (again, json.dumps(waiting))
        )
        return len(waiting)

    def abandon(self, run_id: str, most: int) -> list[str]:
        """A run can't finish any more: those that waited for it, in vain; so many at most."""
        return self._freed(run_id, most)

    def _freed(self, run_id: str, most: int) -> list[str]:
        rows = self._db.execute(
            "DELETE FROM dependencies WHERE after_id = :id AND run_id IN"
            " (SELECT run_id FROM dependencies WHERE after_id = :id LIMIT :most) RETURNING run_id",
            {"id": run_id, "most": most},
        )
        return [row["run_id"] for row in rows.fetchall()]

    def awaited(self, run_ids: Sequence[str]) -> list[str]:
        """Those of these runs for which others wait."""
        rows = self._db.execute(
            "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM dependencies WHERE after_id = value)",
            (json.dumps(run_ids),),
        )
        return [row["value"] for row in rows.fetchall()]
