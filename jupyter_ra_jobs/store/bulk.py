"""What is written of thousands of runs: in slices, each a transaction, so that others are let in between.

What is to be done is on the disk before it begins, so that a server that dies leaves nothing half done: the
next one goes on.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from jupyter_ra_jobs.errors import Unavailable
from jupyter_ra_jobs.models import Run
from jupyter_ra_jobs.states import ACTIVE
from jupyter_ra_jobs.store.database import Database, to_columns, to_row, words
from jupyter_ra_jobs.store.ends import SLICE, UNDER_WAY, Ends
from jupyter_ra_jobs.store.queue import Queue

Verb = Literal["start", "stop"]

_ACTIVE = f"status IN {words(ACTIVE)}"
_QUEUE = "status = 'queued', queued_at = :now, start_requested = 1"
_REQUEST = "start_requested = 1"
_REQUEST_STOP = "stop_requested_at = :now"
_STOP = "status = 'stopped', ended_at = :now, stopped_at = :now"


class Copy(NamedTuple):
    """How one of many new runs differs from the others."""

    id: str
    name: str
    command: str
    sweep_params: dict[str, Any] | None


class Bulk:
    """The verbs of whole sweeps."""

    def __init__(self, db: Database, queue: Queue, ends: Ends) -> None:
        self._db = db
        self._queue = queue
        self._ends = ends

    async def go_on(self) -> None:
        """Do all that is under way, whoever began it; others are let in between. Two at once do no harm."""
        while self.step():  # noqa: ASYNC110 - nothing is waited for
            await asyncio.sleep(0)

    def step(self) -> bool:
        """Do the next slice of what is under way; False when nothing is."""
        if self._under_way() is None:
            return self._ends.step()
        with self._db.transaction():
            row = self._under_way()  # once more: another server may have said another word since
            if row is not None and row["making"] is not None:
                self._make(row["id"], row["making"])
            elif row is not None:
                self._go_on(row["id"], row["under_way"])
        return True

    def is_under_way(self, sweep_id: str) -> bool:
        """Whether runs of this sweep are still to be made, started or stopped."""
        row = self._db.execute(f"SELECT 1 FROM {UNDER_WAY} AND id = ?", (sweep_id,)).fetchone()
        return row is not None

    def _under_way(self) -> Any:
        return self._db.execute(
            f"SELECT id, making, under_way FROM {UNDER_WAY} ORDER BY n LIMIT 1"
        ).fetchone()

    # -- making runs -------------------------------------------------------------------------------

    def add(
        self,
        run: Run,
        copies: Sequence[Copy],
        env: Mapping[str, str] | None = None,
        *,
        start_requested: bool = False,
    ) -> None:
        """Store new runs that differ from `run` in what a `Copy` says; all of them or none.

        One statement, however many: a thousand take some milliseconds.
        """
        with self._db.transaction():
            self._insert(_shared(run, env, start_requested), _written(copies))
        self._db.changed()

    def keep(
        self,
        key: str,
        run: Run,
        copies: Sequence[Copy],
        env: Mapping[str, str] | None = None,
        *,
        start_requested: bool = False,
    ) -> None:
        """The same for a part of those that `make` is to store, once all parts are kept under `key`."""
        self._db.execute(
            "INSERT INTO making (key, shared, copies) VALUES (?, ?, ?)",
            (key, json.dumps(_shared(run, env, start_requested)), _written(copies)),
        )

    def drop(self, key: str) -> None:
        """Nothing comes of these parts."""
        self._db.execute("DELETE FROM making WHERE key = ?", (key,))

    def drop_forgotten(self) -> None:
        """Drop all parts of which nothing can come any more, since their server died while it kept them."""
        self._db.execute(
            "DELETE FROM making WHERE key NOT IN (SELECT making FROM sweeps WHERE making IS NOT NULL)"
        )

    def make(self, sweep_id: str, key: str, parts: int) -> None:
        """Have `step` store the runs whose parts were kept: from here on all of them will be."""
        (kept,) = self._db.execute("SELECT count(*) FROM making WHERE key = ?", (key,)).fetchone()
        if kept != parts:
            raise Unavailable("another server that was started meanwhile cleared this away; try again")
        self._db.execute("UPDATE sweeps SET making = ? WHERE id = ?", (key, sweep_id))

    def _make(self, sweep_id: str, key: str) -> None:
        part = self._db.execute(
            "SELECT n, shared, copies FROM making WHERE key = ? ORDER BY n LIMIT 1", (key,)
        ).fetchone()
        if part is None:
            self._db.execute("UPDATE sweeps SET making = NULL WHERE id = ?", (sweep_id,))
            return
        self._insert(json.loads(part["shared"]), part["copies"])
        self._db.execute("DELETE FROM making WHERE n = ?", (part["n"],))
        self._db.changed()

    def _insert(self, shared: Mapping[str, Any], copies: str) -> None:
        self._db.execute(
            f"INSERT INTO runs (rev, {', '.join(Copy._fields)}, {', '.join(shared)})"
            " SELECT :rev + key + 1, value ->> 0, value ->> 1, value ->> 2,"
            " nullif(value -> 3, 'null'),"
            f" {', '.join(f':{name}' for name in shared)} FROM json_each(:copies)",
            {**shared, "rev": self._db.rev(), "copies": copies},
        )
        after = json.loads(shared["after"])
        if after:
            self._queue.wait([copy[0] for copy in json.loads(copies)], after)
            self._ends.later(after)  # one of them may have failed since it was checked

    # -- starting and stopping ---------------------------------------------------------------------

    def begin(self, sweep_id: str, verb: Verb) -> None:
        """Start or stop all of a sweep: the first now, in the caller's transaction, the others by `step`.

        A start queues what is `ready`; a stop takes the rest out of the queue, from which nothing of the
        sweep is launched meanwhile. The later of two verbs wins.
        """
        with self._db.transaction():
            self._db.execute("UPDATE sweeps SET under_way = ? WHERE id = ?", (verb, sweep_id))
            self._go_on(sweep_id, verb)

    def _go_on(self, sweep_id: str, verb: Verb) -> None:
        room = SLICE
        if verb == "start":
            room -= len(self._write(sweep_id, "status = 'ready'", _QUEUE, room))
            room -= len(self._write(sweep_id, "status = 'queued' AND start_requested = 0", _REQUEST, room))
        else:
            room -= len(
                self._write(sweep_id, f"{_ACTIVE} AND stop_requested_at IS NULL", _REQUEST_STOP, room)
            )
            stopped = self._write(sweep_id, "status = 'queued'", _STOP, room)
            room -= len(stopped)
            self._ends.later(self._queue.awaited(stopped))
        if room:  # nothing was left; but what is still being made is to go the same way
            self._db.execute(
                "UPDATE sweeps SET under_way = NULL WHERE id = ? AND making IS NULL", (sweep_id,)
            )

    def _write(self, sweep_id: str, where: str, changes: str, most: int) -> list[str]:
        """Change at most so many of a sweep's runs, by an index that finds those that are left; their ids."""
        now = self._queue.end() if changes == _QUEUE else time.time()
        rows = self._db.execute(
            # `n` is unique, so the revisions are.
            f"UPDATE runs SET rev = :rev + n, {changes} WHERE n IN (SELECT n FROM runs"
            f" INDEXED BY runs_sweep_status WHERE sweep_id = :sweep_id AND {where} LIMIT :most) RETURNING id",
            {"rev": self._db.rev(), "now": now, "sweep_id": sweep_id, "most": most},
        ).fetchall()
        if rows:
            self._db.changed()
        return [row["id"] for row in rows]


def _shared(run: Run, env: Mapping[str, str] | None, start_requested: bool) -> dict[str, Any]:
    """The columns that do not differ."""
    row = to_row(run) | to_columns({"env": dict(env or {})})
    shared = {name: value for name, value in row.items() if name not in Copy._fields}
    return shared | {"start_requested": int(start_requested)}


def _written(copies: Sequence[Copy]) -> str:
    return msgspec.json.encode(copies).decode()
