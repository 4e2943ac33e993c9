"""The runs on disk: the only SQL, and in `move()` the only writer of a status.

SQLite in WAL mode with synchronous=FULL: what a method has returned from survives a power cut. Called
from the event loop's thread alone; what a call costs grows with what it shows or adds, not with the
number of runs stored.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from jupyter_ra_jobs.errors import NotFound, RaJobsError, StorageFull, Unavailable
from jupyter_ra_jobs.models import Run, SidecarIdentity, StoredSweep, Tracking
from jupyter_ra_jobs.states import ACTIVE, TERMINAL, RunStatus, sources

SCHEMA_VERSION = 1
_BUSY_SECONDS = 0.25  # how long the event loop may stand still for another process's write
_SCAN_SECONDS = 0.004
_POSITIONS_SHOWN = 10_000

_JSON = {
    "sweep_params",
    "gpuwrap_config",
    "tags",
    "env",
    "sidecar",
    "parameters",
    "ui_config",
    "creation_context",
}
_BOOL = {"is_archived", "is_wild", "is_draft"}
_COMPUTED = {"run_dir", "queue_position"}
_RUN_COLUMNS = ", ".join(name for name in Run.__struct_fields__ if name not in _COMPUTED)
_SWEEP_COLUMNS = ", ".join(StoredSweep.__struct_fields__)
_TRACKING_COLUMNS = ", ".join(Tracking.__struct_fields__)
_ENDED = {status.value for status in TERMINAL}


def _in(statuses: Iterable[RunStatus]) -> str:
    return "(" + ", ".join(f"'{status.value}'" for status in sorted(statuses)) + ")"


_ACTIVE = _in(ACTIVE)
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
) < coalesce((SELECT parallel FROM sweeps WHERE sweeps.id = runs.sweep_id), {_UNLIMITED}))"""
_NEXT_REV = "(SELECT coalesce(max(rev), 0) + 1 FROM runs)"


class SweepCount(NamedTuple):
    """The runs of a sweep with one status: how many, how many wait to be started, from when to when."""

    status: RunStatus
    runs: int
    waiting: int
    first_started: float | None
    last_ended: float | None


class Store:
    """The database of one workdir. `runs_dir` is where the run dirs are; `changed` is told of each change."""

    def __init__(self, path: Path, runs_dir: Path, changed: Callable[[], None] = lambda: None) -> None:
        self._runs_dir = runs_dir
        self._changed = changed
        self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        with _disk_errors():
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            with self.transaction():
                self._create_or_check(path)

    def _create_or_check(self, path: Path) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            schema = resources.files("jupyter_ra_jobs").joinpath("schema.sql").read_text()
            for statement in schema.split(";\n"):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version > SCHEMA_VERSION:
            raise RaJobsError(
                f"{path} was written by a newer jupyter_ra_jobs (schema {version}, this one knows "
                f"{SCHEMA_VERSION}); install that version, or use another workdir"
            )

    def close(self) -> None:
        """Close the database; nothing may be called afterwards."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing; the write lock is taken at once, so that nobody has to be undone."""
        with _disk_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    # -- writing -----------------------------------------------------------------------------------

    def add(self, run: Run, env: Mapping[str, str] | None = None) -> None:
        """Store a new run, whatever its status is: `ready`, or further for imported ones."""
        values = _to_row(run) | {"env": json.dumps(dict(env or {}))}
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        with _disk_errors():
            self._db.execute(f"INSERT INTO runs (rev, {names}) VALUES ({_NEXT_REV}, {marks})", values)
        self._changed()

    def add_all(self, runs: list[Run], env: Mapping[str, str]) -> None:
        """Store many new runs at once; call it in a transaction."""
        if not runs:
            return
        rev, env_json = self.rev(), json.dumps(dict(env))
        rows = [_to_row(run) | {"env": env_json, "rev": rev + place} for place, run in enumerate(runs, 1)]
        marks = ", ".join(f":{name}" for name in rows[0])
        with _disk_errors():
            self._db.executemany(f"INSERT INTO runs ({', '.join(rows[0])}) VALUES ({marks})", rows)
        self._changed()

    def add_sweep(self, sweep: StoredSweep) -> None:
        """Store a sweep."""
        values = _to_row(sweep)
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        with _disk_errors():
            self._db.execute(f"INSERT INTO sweeps ({names}) VALUES ({marks})", values)

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
        """Give a run its next status; the one place where a status is written.

        True when it moved. False when the table of transitions forbids it from where the run stands
        (somebody else was quicker, or it has ended), or when `max_active` runs are active already, or for a
        launch as many of its sweep as may: the condition and the change are one statement, so of two
        callers one wins, of two servers too.
        `only_from` narrows what the table allows. `at` is the time of the status, now by default;
        `details` are further columns to set with it.
        """
        at = time.time() if at is None else at
        changes: dict[str, Any] = dict.fromkeys(_STAMPS[target], at) | details
        limit = ""
        if max_active is not None:
            limit = f" AND (SELECT count(*) FROM runs WHERE status IN {_ACTIVE}) < {max_active:d}"
        if target is RunStatus.LAUNCHING:
            limit += f" AND {_FREE_IN_SWEEP}"
        return self._update(
            changes | {"status": target.value},
            f"id = :id AND status IN {_in(sources(target) & set(only_from))}{limit}",
            {"id": run_id},
        )

    def change(self, run_id: str, *, only_from: Iterable[RunStatus] = RunStatus, **changes: Any) -> bool:
        """Set columns other than the status; False when the run is in none of `only_from`."""
        assert "status" not in changes
        return self._update(changes, f"id = :id AND status IN {_in(only_from)}", {"id": run_id})

    def request_stop(self, run_id: str) -> bool:
        """Remember that an active run is to end, and since when; False when it is not active."""
        with _disk_errors():
            done = self._db.execute(
                f"UPDATE runs SET rev = {_NEXT_REV}, stop_requested_at = coalesce(stop_requested_at, ?)"
                f" WHERE id = ? AND status IN {_in(ACTIVE)}",
                (time.time(), run_id),
            )
        return self._told(done.rowcount == 1)

    def note_spool(self, run_id: str, offset: int, last_seq: int) -> None:
        """Remember how far a run's spool was read. Shown nowhere, so no change for who watches."""
        with _disk_errors():
            self._db.execute(
                "UPDATE runs SET spool_offset = ?, last_seq = ? WHERE id = ?", (offset, last_seq, run_id)
            )

    def request_queued(self, sweep_id: str | None = None) -> None:
        """Mark the queued runs as to be started: all of them, or those of one sweep."""
        of_sweep = "" if sweep_id is None else " AND sweep_id = :sweep_id"
        with _disk_errors():
            self._db.execute(
                f"UPDATE runs SET start_requested = 1 WHERE status = 'queued'{of_sweep}",
                {"sweep_id": sweep_id},
            )

    def _update(self, changes: dict[str, Any], where: str, keys: dict[str, Any]) -> bool:
        values = {name: _to_column(name, value) for name, value in changes.items()}
        sets = ", ".join(f"{name} = :{name}" for name in values)
        with _disk_errors():
            done = self._db.execute(
                f"UPDATE runs SET rev = {_NEXT_REV}, {sets} WHERE {where}",
                values | keys,
            )
        return self._told(done.rowcount == 1)

    def _told(self, changed: bool) -> bool:
        if changed:
            self._changed()
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
    ) -> list[Run]:
        """The newest runs first; `archived` takes the archived ones too, `before` is a `number()`."""
        where, keys = ["1"], list[Any]()
        if not archived:
            where.append("NOT is_archived")
        if status is not None:
            where.append(f"status IN {_in(status)}")
        if sweep_id is not None:
            where.append("sweep_id = ?")
            keys.append(sweep_id)
        if before is not None:
            where.append("n < ?")
            keys.append(before)
        if ids is not None:
            where.append("id IN (SELECT value FROM json_each(?))")
            keys.append(json.dumps(ids))
        return self._runs(" AND ".join(where), keys, limit=limit)

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
        (count,) = self._db.execute(f"SELECT count(*) FROM runs WHERE status IN {_in(ACTIVE)}").fetchone()
        return int(count)

    def active(self) -> list[Tracking]:
        """What is known of the runs that are launching or running."""
        rows = self._db.execute(f"SELECT {_TRACKING_COLUMNS} FROM runs WHERE status IN {_in(ACTIVE)}")
        return [_to_struct(row, Tracking) for row in rows]

    def tracking(self, run_id: str) -> Tracking:
        """What the server keeps of a run for itself, or NotFound."""
        row = self._db.execute(f"SELECT {_TRACKING_COLUMNS} FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no run {run_id}")
        found: Tracking = _to_struct(row, Tracking)
        return found

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

    def env(self, run_id: str) -> dict[str, str]:
        """The variables that a run's creator gave."""
        row = self._db.execute("SELECT env FROM runs WHERE id = ?", (run_id,)).fetchone()
        return dict(json.loads(row["env"])) if row else {}

    def token_hash(self, run_id: str) -> str | None:
        """The hash of the token that a run's reports must bear; None before its launch."""
        row = self._db.execute("SELECT token_hash FROM runs WHERE id = ?", (run_id,)).fetchone()
        return row["token_hash"] if row else None

    def sweep(self, sweep_id: str) -> StoredSweep:
        """What is stored of a sweep, or NotFound."""
        row = self._db.execute(f"SELECT {_SWEEP_COLUMNS} FROM sweeps WHERE id = ?", (sweep_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no sweep {sweep_id}")
        found: StoredSweep = _to_struct(row, StoredSweep)
        return found

    def sweeps(self, limit: int = -1) -> list[StoredSweep]:
        """The newest sweeps first; -1 means all of them."""
        rows = self._db.execute(f"SELECT {_SWEEP_COLUMNS} FROM sweeps ORDER BY n DESC LIMIT ?", (limit,))
        return [_to_struct(row, StoredSweep) for row in rows]

    def change_sweep(self, sweep_id: str, **changes: Any) -> None:
        """Set columns of a sweep."""
        values = {name: _to_column(name, value) for name, value in changes.items()}
        sets = ", ".join(f"{name} = :{name}" for name in values)
        with _disk_errors():
            self._db.execute(f"UPDATE sweeps SET {sets} WHERE id = :id", values | {"id": sweep_id})
        self._changed()

    def sweep_runs(self, sweep_ids: list[str]) -> dict[str, list[str]]:
        """The ids of each sweep's runs, in the order of their creation."""
        found: dict[str, list[str]] = {sweep_id: [] for sweep_id in sweep_ids}
        for row in self._db.execute(
            "SELECT sweep_id, id FROM runs WHERE sweep_id IN (SELECT value FROM json_each(?)) ORDER BY n",
            (json.dumps(sweep_ids),),
        ):
            found[row["sweep_id"]].append(row["id"])
        return found

    def sweep_counts(self, sweep_ids: list[str]) -> dict[str, list[SweepCount]]:
        """How the runs of each sweep stand, those aside that were retried within the sweep."""
        found: dict[str, list[SweepCount]] = {sweep_id: [] for sweep_id in sweep_ids}
        for row in self._db.execute(
            "SELECT sweep_id, status, count(*), sum(start_requested), min(started_at), max(ended_at)"
            " FROM runs WHERE sweep_id IN (SELECT value FROM json_each(?))"
            " AND NOT EXISTS (SELECT 1 FROM runs AS retry"
            " WHERE retry.parent_run_id = runs.id AND retry.sweep_id = runs.sweep_id)"
            " GROUP BY sweep_id, status",
            (json.dumps(sweep_ids),),
        ):
            found[row[0]].append(SweepCount(RunStatus(row[1]), *row[2:]))
        return found

    def retryable(self, sweep_id: str) -> list[Run]:
        """The failed and stopped runs of a sweep that were not retried in it yet, oldest first."""
        rows = self._db.execute(
            f"SELECT {_RUN_COLUMNS} FROM runs WHERE sweep_id = ? AND status IN ('failed', 'stopped')"
            " AND NOT EXISTS (SELECT 1 FROM runs AS retry"
            " WHERE retry.parent_run_id = runs.id AND retry.sweep_id = runs.sweep_id) ORDER BY n",
            (sweep_id,),
        ).fetchall()
        return self._to_runs(rows)

    def move_sweep(self, sweep_id: str, source: RunStatus, target: RunStatus, **details: Any) -> int:
        """Give all runs of a sweep that are in `source` the status `target`; how many moved.

        The same as `move()` for each, in one statement.
        """
        assert source in sources(target)
        changes = {name: time.time() for name in _STAMPS[target]} | details | {"status": target.value}
        sets = ", ".join(f"{name} = :{name}" for name in changes)
        keys = {"sweep_id": sweep_id, "source": source.value, "rev": self.rev()}
        with _disk_errors():
            done = self._db.execute(
                # `n` is unique, so the revisions are.
                f"UPDATE runs SET rev = :rev + n, {sets} WHERE sweep_id = :sweep_id AND status = :source",
                changes | keys,
            )
        self._told(done.rowcount > 0)
        return done.rowcount

    def has_sweep(self, sweep_id: str) -> bool:
        """Whether there is such a sweep."""
        return self._db.execute("SELECT 1 FROM sweeps WHERE id = ?", (sweep_id,)).fetchone() is not None

    def rev(self) -> int:
        """The newest change's number."""
        (newest,) = self._db.execute("SELECT coalesce(max(rev), 0) FROM runs").fetchone()
        return int(newest)

    def changed_since(self, rev: int, limit: int) -> list[tuple[int, Run]]:
        """Runs changed after `rev`, each as it is now with its newest change's number, oldest first."""
        rows = self._db.execute(
            f"SELECT rev, {_RUN_COLUMNS} FROM runs WHERE rev > ? ORDER BY rev LIMIT ?",
            (rev, limit),
        ).fetchall()
        runs = self._to_runs(rows)
        return [(row["rev"], run) for row, run in zip(rows, runs, strict=True)]

    def _runs(self, where: str, keys: Iterable[Any], limit: int) -> list[Run]:
        rows = self._db.execute(
            f"SELECT {_RUN_COLUMNS} FROM runs WHERE {where} ORDER BY n DESC LIMIT ?",
            [*keys, limit],
        ).fetchall()
        return self._to_runs(rows)

    def _to_runs(self, rows: list[sqlite3.Row]) -> list[Run]:
        positions: dict[str, int] = {}
        if any(row["status"] == RunStatus.QUEUED.value for row in rows):
            queue = self._db.execute(
                "SELECT id FROM runs INDEXED BY runs_queue WHERE status = 'queued'"
                " ORDER BY priority DESC, queued_at, n LIMIT ?",
                (_POSITIONS_SHOWN,),
            )
            positions = {row["id"]: place for place, row in enumerate(queue, start=1)}
        return [
            _to_struct(
                row, Run, run_dir=f"{self._runs_dir}/{row['id']}", queue_position=positions.get(row["id"])
            )
            for row in rows
        ]

    # -- meta --------------------------------------------------------------------------------------

    def get_meta(self, key: str) -> str | None:
        """A note about the whole store."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row["value"] if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Keep a note about the whole store."""
        with _disk_errors():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


@contextmanager
def _disk_errors() -> Iterator[None]:
    """What SQLite says when the disk takes nothing, in our words. The statement changed nothing."""
    try:
        yield
    except sqlite3.OperationalError as problem:
        text = str(problem)
        if any(sign in text for sign in ("disk is full", "disk I/O", "readonly", "unable to open")):
            raise StorageFull(f"the run database takes nothing: {text}") from problem
        if "locked" in text:
            raise Unavailable("another process holds the run database; try again") from problem
        raise


def _to_row(record: Run | StoredSweep) -> dict[str, Any]:
    return {
        name: _to_column(name, getattr(record, name))
        for name in record.__struct_fields__
        if name not in _COMPUTED
    }


def _to_column(name: str, value: Any) -> Any:
    if name in _JSON and value is not None:
        return msgspec.json.encode(value).decode()
    if isinstance(value, RunStatus):
        return value.value
    return value


def _to_struct(row: sqlite3.Row, kind: type[Any], **more: Any) -> Any:
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
