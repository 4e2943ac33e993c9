"""The runs on disk; `move()` is the writer of a status, beside `Bulk` and `Ends` for many at once.

Called from the event loop's thread alone; what a call costs grows with what it shows or adds, not with
the number of runs stored.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from jupyter_ra_jobs.errors import NotFound
from jupyter_ra_jobs.models import Activity, Run, Tracking
from jupyter_ra_jobs.states import ACTIVE, TERMINAL, RunStatus, sources
from jupyter_ra_jobs.store.alerts import AlertTable
from jupyter_ra_jobs.store.bulk import Bulk
from jupyter_ra_jobs.store.database import (
    NEXT_REV,
    Database,
    assignments,
    columns,
    to_columns,
    to_row,
    to_struct,
    words,
)
from jupyter_ra_jobs.store.ends import SLICE, Ends
from jupyter_ra_jobs.store.queue import PARALLEL, Queue
from jupyter_ra_jobs.store.sweeps import SweepTable

_SCAN_SECONDS = 0.004
_RUN_COLUMNS = columns(Run)
_TRACKING_COLUMNS = columns(Tracking)
_ACTIVE = words(ACTIVE)
_NOT_STARTED = {RunStatus.READY, RunStatus.QUEUED}
_ACTIVITY = f"""id, coalesce(real_workdir, workdir) AS workdir, wandb_dir,
    coalesce(started_at, launched_at) AS began,
    CASE WHEN status IN {_ACTIVE} THEN NULL
         ELSE coalesce(ended_at, stopped_at, started_at, launched_at) END AS ended"""
_UNLIMITED = 1 << 40
_STAMPS = {
    RunStatus.READY: (),
    RunStatus.QUEUED: ("queued_at",),
    RunStatus.LAUNCHING: ("launched_at",),
    RunStatus.RUNNING: ("started_at",),
    RunStatus.FINISHED: ("ended_at",),
    RunStatus.FAILED: ("ended_at",),
    RunStatus.STOPPED: ("ended_at", "stopped_at"),
}
_FREE_IN_SWEEP = f"""(sweep_id IS NULL OR (
    SELECT count(*) FROM runs AS sibling
    WHERE sibling.sweep_id = runs.sweep_id AND sibling.status IN {_ACTIVE}
) < coalesce((SELECT {PARALLEL} FROM sweeps WHERE sweeps.id = runs.sweep_id), {_UNLIMITED}))"""
_GPUS_FREE = f"""NOT EXISTS (SELECT 1 FROM runs AS other, json_each(other.gpu_ids)
    WHERE other.status IN {_ACTIVE} AND other.gpu_ids IS NOT NULL
    AND value IN (SELECT value FROM json_each(:gpus)))"""


class Store:
    """The database of one workdir. `runs_dir` is where the run dirs are; `changed` is told of each change."""

    def __init__(self, path: Path, runs_dir: Path, changed: Callable[[], None] = lambda: None) -> None:
        self._runs_dir = runs_dir
        self._db = Database(path, changed)
        self.sweeps = SweepTable(self._db)
        self.queue = Queue(self._db)
        self.alerts = AlertTable(self._db)
        self._ends = Ends(self._db, self.queue)
        self.bulk = Bulk(self._db, self.queue, self._ends)
        self.get_meta = self._db.get_meta
        self.set_meta = self._db.set_meta
        self.close = self._db.close

    def transaction(self) -> AbstractContextManager[None]:
        """All of it or nothing; within another one, a part of that."""
        return self._db.transaction()

    # -- writing -----------------------------------------------------------------------------------

    def add(self, run: Run, env: Mapping[str, str] | None = None) -> None:
        """Store a new run, which waits for those that it names in `after`."""
        row = to_row(run) | to_columns({"env": dict(env or {})})
        with self.transaction():
            self._db.insert("runs", [row | {"rev": self.rev() + 1}])
            if run.after and run.status in _NOT_STARTED:
                self.queue.wait([run.id], run.after)
                self._ends.later(run.after)  # one of them may have failed since it was checked
        self._db.changed()

    def add_all(self, runs: Sequence[Run], awaited: Mapping[str, Sequence[str]]) -> None:
        """Store runs of any status from elsewhere, and for whom each waits, whatever their order is."""
        with self.transaction():
            rev = self.rev()
            for number, run in enumerate(runs, start=1):
                self._db.insert("runs", [to_row(run) | {"rev": rev + number}])
            for run_id, after in awaited.items():
                self.queue.wait([run_id], after)
        self._db.changed()

    def move(
        self,
        run_id: str,
        target: RunStatus,
        *,
        at: float | None = None,
        only_from: Iterable[RunStatus] = RunStatus,
        max_active: int | None = None,
        **details: Any,
    ) -> bool:
        """Give a run its next status; but for `Bulk` and `Ends` the one place where a status is written.

        True when it moved. False when the table of transitions forbids it from where the run stands
        (somebody else was quicker, or it has ended), or when `max_active` runs are active already, or for a
        launch as many of its sweep as may, one of its `gpu_ids` is another's, or it waits for others to
        finish: the condition and the change are one statement, so of two callers one wins, of two servers
        too. What follows from an end is one transaction with it, for the first that wait: see `Ends`.
        `only_from` narrows what the table allows. `at` is the time of the status, now by default;
        `details` are further columns to set with it.
        """
        limit = ""
        if max_active is not None:
            limit = f" AND (SELECT count(*) FROM runs WHERE status IN {_ACTIVE}) < {max_active:d}"
        if target is RunStatus.LAUNCHING:
            limit += f" AND NOT waits_for AND {_FREE_IN_SWEEP} AND {_GPUS_FREE}"
        keys = {"id": run_id, "gpus": json.dumps(details.get("gpu_ids") or [])}
        where = f"id = :id AND status IN {words(sources(target) & set(only_from))}{limit}"
        with self.transaction():
            at = self._time(target) if at is None else at
            if target in TERMINAL:
                at = max(at, self._started_at(run_id))  # the clock may have been set back
            changes = dict.fromkeys(_STAMPS[target], at) | details | {"status": target.value}
            moved = self._update(changes, where, keys)
            if moved and target is RunStatus.FAILED:
                self._ends.retry(run_id)
            if moved and target in TERMINAL:
                self._ends.follow(run_id)
        return moved

    def _time(self, target: RunStatus) -> float:
        return self.queue.end() if target is RunStatus.QUEUED else time.time()

    def _started_at(self, run_id: str) -> float:
        row = self._db.execute("SELECT started_at FROM runs WHERE id = ?", (run_id,)).fetchone()
        return (row["started_at"] if row else None) or 0.0

    def change(self, run_id: str, *, only_from: Iterable[RunStatus] = RunStatus, **changes: Any) -> bool:
        """Set columns other than the status; False when the run is in none of `only_from`."""
        assert "status" not in changes
        return self._update(changes, f"id = :id AND status IN {words(only_from)}", {"id": run_id})

    def request_stop(self, run_id: str) -> bool:
        """Remember that an active run is to end, and since when; False when it is not active."""
        done = self._db.execute(
            f"UPDATE runs SET rev = {NEXT_REV}, stop_requested_at = coalesce(stop_requested_at, ?)"
            f" WHERE id = ? AND status IN {_ACTIVE}",
            (time.time(), run_id),
        )
        return self._told(done.rowcount == 1)

    def note_spool(self, run_id: str, offset: int, last_seq: int) -> None:
        """Remember how far a run's spool was read. Shown nowhere, so no change for who watches."""
        self._db.execute(
            "UPDATE runs SET spool_offset = ?, last_seq = ? WHERE id = ?", (offset, last_seq, run_id)
        )

    def _update(self, changes: dict[str, Any], where: str, keys: dict[str, Any]) -> bool:
        values = to_columns(changes)
        done = self._db.execute(
            f"UPDATE runs SET rev = {NEXT_REV}, {assignments(values)} WHERE {where}", values | keys
        )
        return self._told(done.rowcount == 1)

    def _told(self, changed: bool) -> bool:
        if changed:
            self._db.changed()
        return changed

    # -- reading -----------------------------------------------------------------------------------

    def run(self, run_id: str) -> Run:
        """One run, or NotFound."""
        rows = self._runs("id = ?", (run_id,), limit=1)
        if not rows:
            raise NotFound(f"there is no run {run_id}")
        return rows[0]

    def runs(
        self,
        *,
        limit: int,
        archived: bool = True,
        status: Iterable[RunStatus] | None = None,
        sweep_id: str | None = None,
        before: int | None = None,
        ids: list[str] | None = None,
        id_prefix: str | None = None,
        parent_run_id: str | None = None,
        most_bytes: int | None = None,
    ) -> list[Run]:
        """The newest runs first; `archived` takes the archived ones too, `before` is a `number()`.

        With `most_bytes` it ends with the run that brings the texts beyond that: ask again for the next ones.
        """
        where, keys = ["1"], list[Any]()
        # SQLite would look through all that ended, to find the few that are named.
        also = "" if ids is None and id_prefix is None and parent_run_id is None else "+"
        if not archived:
            where.append(f"NOT {also}is_archived")
        if status is not None:
            where.append(f"{also}status IN {words(status)}")
        if sweep_id is not None:
            where.append(f"{also}sweep_id = ?")
            keys.append(sweep_id)
        if before is not None:
            where.append(f"{also}n < ?")
            keys.append(before)
        if ids is not None:
            where.append("id IN (SELECT value FROM json_each(?))")
            keys.append(json.dumps(ids))
        if id_prefix is not None:  # by the index of ids, however many runs there are
            where.append("n IN (SELECT n FROM runs WHERE id >= ? AND id < ?)")
            keys += [id_prefix, id_prefix + "g"]
        if parent_run_id is not None:
            where.append("n IN (SELECT n FROM runs WHERE parent_run_id = ?)")
            keys.append(parent_run_id)
        return self._runs(" AND ".join(where), keys, limit=limit, most_bytes=most_bytes)

    def scan(self, text: str, before: int) -> tuple[list[str], int]:
        """Look for `text` in names and commands, case aside, in some of the runs older than `before`.

        Returns the ids found, newest first, and from where to go on (0: nothing is left). It takes a few
        milliseconds, however long the commands are; whoever wants all goes on, and lets others work between.
        """
        wanted = text.lower()
        found: list[str] = []
        until = time.monotonic() + _SCAN_SECONDS
        rows = self._db.execute(
            "SELECT n, id, name, command FROM runs WHERE n < ? ORDER BY n DESC", (before,)
        )
        for n, run_id, name, command in rows:
            if wanted in name.lower() or wanted in command.lower():
                found.append(run_id)
            if time.monotonic() > until:
                rows.close()
                return found, n
        return found, 0

    def number(self, run_id: str) -> int:
        """A run's place in the order of creation, or NotFound."""
        row = self._db.execute("SELECT n FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no run {run_id}")
        return int(row["n"])

    def next_number(self) -> int:
        """Above every run's `number()`."""
        (newest,) = self._db.execute("SELECT coalesce(max(n), 0) + 1 FROM runs").fetchone()
        return int(newest)

    def status(self, run_id: str) -> RunStatus:
        """A run's status alone, or NotFound; for who asks often."""
        row = self._db.execute("SELECT status FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no run {run_id}")
        return RunStatus(row["status"])

    def counts(self) -> dict[str, int]:
        """How many runs have each status."""
        rows = self._db.execute("SELECT status, count(*) AS count FROM runs GROUP BY status")
        return {status.value: 0 for status in RunStatus} | {row["status"]: row["count"] for row in rows}

    def active_count(self) -> int:
        """How many slots are taken."""
        (count,) = self._db.execute(f"SELECT count(*) FROM runs WHERE status IN {_ACTIVE}").fetchone()
        return int(count)

    def has(self, status: RunStatus) -> bool:
        """Whether any run has this status."""
        row = self._db.execute("SELECT 1 FROM runs WHERE status = ? LIMIT 1", (status.value,)).fetchone()
        return row is not None

    def active(self) -> Iterator[list[Tracking]]:
        """What is known of the runs that are launching or running, as they stand now.

        In slices, since to make records of a thousand rows takes a while: let others in between.
        """
        rows = self._db.execute(f"SELECT {_TRACKING_COLUMNS} FROM runs WHERE status IN {_ACTIVE}").fetchall()
        for start in range(0, len(rows), SLICE):
            yield [to_struct(row, Tracking) for row in rows[start : start + SLICE]]

    def tracking(self, run_id: str) -> Tracking:
        """What the server keeps of a run for itself, or NotFound."""
        row = self._db.execute(f"SELECT {_TRACKING_COLUMNS} FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no run {run_id}")
        found: Tracking = to_struct(row, Tracking)
        return found

    def activity(self, run_id: str) -> Activity:
        """Where and when a run was active, or NotFound."""
        row = self._db.execute(f"SELECT {_ACTIVITY} FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no run {run_id}")
        return Activity(**row)

    def active_between(self, start: float, end: float, limit: int) -> list[Activity]:
        """Runs that were active at some time between `start` and `end`, both included.

        Costs what has been active since `start`: cheap for the recent past.
        """
        rows = self._db.execute(
            f"SELECT {_ACTIVITY} FROM runs WHERE status IN {_ACTIVE} AND launched_at <= :end"
            f" UNION ALL SELECT {_ACTIVITY} FROM runs WHERE ended_at >= :start"
            " AND (launched_at <= :end OR launched_at IS NULL) LIMIT :limit",
            {"start": start, "end": end, "limit": limit},
        )
        return [Activity(**row) for row in rows]

    def env(self, run_id: str) -> dict[str, str]:
        """The variables that a run's creator gave."""
        row = self._db.execute("SELECT env FROM runs WHERE id = ?", (run_id,)).fetchone()
        return dict(json.loads(row["env"])) if row else {}

    def named_files(self, hashes: Sequence[str]) -> set[str]:
        """Those of these that any run or sweep names, or has named."""
        rows = self._db.execute(
            "SELECT sha256 FROM files WHERE sha256 IN (SELECT value FROM json_each(?))",
            (json.dumps(hashes),),
        )
        return {row["sha256"] for row in rows}

    def token_hash(self, run_id: str) -> str | None:
        """The hash of the token that a run's reports must bear; None before its launch."""
        row = self._db.execute("SELECT token_hash FROM runs WHERE id = ?", (run_id,)).fetchone()
        return row["token_hash"] if row else None

    def set_metrics(self, run_id: str, summary: dict[str, Any]) -> None:
        """Keep what was read of a run's metrics. Shown on request alone, so no change for who watches."""
        self._db.execute(
            "UPDATE runs SET metrics = :metrics WHERE id = :id",
            to_columns({"metrics": summary}) | {"id": run_id},
        )

    def metrics(self, run_ids: list[str]) -> dict[str, dict[str, Any]]:
        """What `set_metrics` kept, of those runs of which it kept something."""
        rows = self._db.execute(
            "SELECT id, metrics FROM runs"
            " WHERE id IN (SELECT value FROM json_each(?)) AND metrics IS NOT NULL",
            (json.dumps(run_ids),),
        )
        return {row["id"]: msgspec.json.decode(row["metrics"]) for row in rows}

    def rev(self) -> int:
        """The newest change's number, whatever changed."""
        return self._db.rev()

    def changed_since(self, rev: int, limit: int) -> list[tuple[int, Run]]:
        """Runs changed after `rev`, each as it is now with its newest change's number, oldest first."""
        rows = self._db.execute(
            f"SELECT rev, {_RUN_COLUMNS} FROM runs WHERE rev > ? ORDER BY rev LIMIT ?",
            (rev, limit),
        ).fetchall()
        runs = self._to_runs(rows)
        return [(row["rev"], run) for row, run in zip(rows, runs, strict=True)]

    def _runs(self, where: str, keys: Iterable[Any], limit: int, most_bytes: int | None = None) -> list[Run]:
        found = self._db.execute(
            f"SELECT {_RUN_COLUMNS} FROM runs WHERE {where} ORDER BY n DESC LIMIT ?",
            [*keys, limit],
        )
        if most_bytes is None:
            return self._to_runs(found.fetchall())
        rows, size = [], 0
        while (row := found.fetchone()) is not None:
            rows.append(row)
            size += sum(len(value) for value in row if isinstance(value, str))
            if size > most_bytes:
                found.close()
                break
        return self._to_runs(rows)

    def _to_runs(self, rows: list[sqlite3.Row]) -> list[Run]:
        queued = [row["id"] for row in rows if row["status"] == RunStatus.QUEUED.value]
        positions = self.queue.positions(queued) if queued else {}
        return [
            to_struct(
                row, Run, run_dir=f"{self._runs_dir}/{row['id']}", queue_position=positions.get(row["id"])
            )
            for row in rows
        ]
