"""What follows from a run's end for those that wait for it: at once for some, in slices for more."""

import json
import secrets
import time
from collections.abc import Iterable

from jupyter_ra_jobs.states import TERMINAL, RunStatus
from jupyter_ra_jobs.store.database import NEXT_REV, Database, words
from jupyter_ra_jobs.store.queue import Queue

SLICE = 50
"""Rows that are written in one go, which takes a few milliseconds."""
UNDER_WAY = "sweeps INDEXED BY sweeps_under_way WHERE (making IS NOT NULL OR under_way IS NOT NULL)"
_ENDED_HOW = {RunStatus.FAILED: "failed", RunStatus.STOPPED: "was stopped"}
_NOT_STARTED = words([RunStatus.READY, RunStatus.QUEUED])
# What a retry has of the run that it repeats.
_COPIED = """name, command, workdir, origin_alert_id, sweep_id, sweep_params, chat_session_id, gpuwrap_config,
    tags, notes, timeout_seconds, priority, after, max_retries, gpus, files, env"""


class Ends:
    """Who waits for a run that has ended may go, waits for its next try, or has failed with it.

    The ends from which more is to follow are on the disk, so that whichever server there is goes on.
    """

    def __init__(self, db: Database, queue: Queue) -> None:
        self._db = db
        self._queue = queue

    def follow(self, run_id: str) -> None:
        """Do what follows from this end, in the same transaction; what is too much, `step` does."""
        stopping = self._db.execute(f"SELECT 1 FROM {UNDER_WAY} AND under_way = 'stop' LIMIT 1").fetchone()
        if stopping:  # those of a sweep that wait for its others are to be stopped, not to fail with them
            self.later([run_id])
        else:
            self._settle(run_id)

    def later(self, run_ids: Iterable[str]) -> None:
        """Leave it to `step` to do what follows, from those of these that have ended."""
        self._db.execute(
            # By their ids: the plus keeps SQLite from looking through all that ever ended.
            "INSERT OR IGNORE INTO ends SELECT id FROM runs"
            f" WHERE id IN (SELECT value FROM json_each(?)) AND +status IN {words(TERMINAL)}",
            (json.dumps(list(run_ids)),),
        )

    def step(self) -> bool:
        """Do one slice of what is left; False when nothing was."""
        row = self._db.execute("SELECT run_id FROM ends LIMIT 1").fetchone()
        if row is None:
            return False
        with self._db.transaction():
            self._db.execute("DELETE FROM ends WHERE run_id = ?", (row["run_id"],))
            self._settle(row["run_id"])
        return True

    def retry(self, run_id: str) -> None:
        """Queue a new run in place of one that failed, if it may have one more and nobody stopped it."""
        again = secrets.token_hex(6)
        self._db.execute(
            f"INSERT INTO runs (rev, id, parent_run_id, status, created_at, queued_at, start_requested,"
            f" attempt, {_COPIED}) SELECT {NEXT_REV}, :again, id, 'queued', :now, :queued_at, 1,"
            f" attempt + 1, {_COPIED} FROM runs"
            " WHERE id = :id AND attempt <= max_retries AND stop_requested_at IS NULL",
            {"id": run_id, "again": again, "now": time.time(), "queued_at": self._queue.end()},
        )

    def _settle(self, run_id: str) -> None:
        ended, room = [run_id], SLICE
        while ended and room > 0:
            run_id = ended.pop()
            touched, also = self._settle_one(run_id, room)
            if touched == room:
                ended.append(run_id)
            ended += also
            room -= touched
        if ended:
            self.later(ended)

    def _settle_one(self, run_id: str, most: int) -> tuple[int, list[str]]:
        """For how many that wait something followed, and whose ends are to be followed up in turn."""
        status = self._queue.status(run_id)
        if status not in TERMINAL:  # a next try, which is to come
            return 0, []
        if status is RunStatus.FINISHED:
            return self._queue.release(run_id, most), []
        if again := self._queue.retry_of(run_id):
            return self._queue.redirect(run_id, again, most), [again]
        waiting = self._queue.abandon(run_id, most)
        why = f"run {run_id}, which had to finish first, {_ENDED_HOW[status]}"
        return len(waiting), self._queue.awaited(self._fail(waiting, why))

    def _fail(self, run_ids: list[str], why: str) -> list[str]:
        """They wait in vain; which of them have failed by that."""
        rows = self._db.execute(
            # `n` is unique, so the revisions are.
            "UPDATE runs SET rev = :rev + n, status = 'failed', ended_at = :now, error = :why"
            f" WHERE id IN (SELECT value FROM json_each(:ids)) AND +status IN {_NOT_STARTED} RETURNING id",
            {"rev": self._db.rev(), "now": time.time(), "why": why, "ids": json.dumps(run_ids)},
        ).fetchall()
        if rows:
            self._db.changed()
        return [row["id"] for row in rows]
