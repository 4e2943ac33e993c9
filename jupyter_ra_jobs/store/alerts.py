"""The alerts on disk."""

import json
import time
from typing import Any

from jupyter_ra_jobs.errors import NotFound
from jupyter_ra_jobs.models import Alert
from jupyter_ra_jobs.store.database import NEXT_REV, Database, columns, to_row

_COLUMNS = columns(Alert)


class AlertTable:
    """What was raised, and what was answered."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, alert: Alert) -> None:
        """Store an alert that a caller raised."""
        self._add(alert, key=None, unless="0")

    def add_once(self, alert: Alert, key: str, *, shared: bool) -> bool:
        """Store an alert that a rule raised; False when that rule has said so before.

        That is: for this run the same `key` at any time, or any key that is pending. A `shared` one is about
        more than its run: said before is the same key that is pending for any run.
        """
        said = "INDEXED BY alerts_rule WHERE rule = :rule AND key = :key AND status = 'pending'"
        if not shared:
            said = (
                "INDEXED BY alerts_run WHERE run_id = :run_id AND rule = :rule"
                " AND (key = :key OR status = 'pending')"
            )
        return self._add(alert, key=key, unless=f"EXISTS (SELECT 1 FROM alerts {said})")

    def _add(self, alert: Alert, *, key: str | None, unless: str) -> bool:
        values = to_row(alert) | {"key": key}
        marks = ", ".join(f":{name}" for name in values)
        done = self._db.execute(
            f"INSERT INTO alerts (rev, {', '.join(values)}) SELECT {NEXT_REV}, {marks} WHERE NOT {unless}",
            values,
        )
        return self._told(done.rowcount == 1)

    def resolve(self, alert_id: str, response: str) -> bool:
        """Write down the answer; False when there was one already, so of two callers one wins."""
        done = self._db.execute(
            f"UPDATE alerts SET rev = {NEXT_REV}, status = 'resolved', response = ?, responded_at = ?"
            " WHERE id = ? AND status = 'pending'",
            (response, time.time(), alert_id),
        )
        return self._told(done.rowcount == 1)

    def reopen(self, alert_id: str) -> None:
        """Take the answer back: what it asked for could not be done."""
        done = self._db.execute(
            f"UPDATE alerts SET rev = {NEXT_REV}, status = 'pending', response = NULL, responded_at = NULL"
            " WHERE id = ?",
            (alert_id,),
        )
        self._told(done.rowcount == 1)

    def _told(self, changed: bool) -> bool:
        if changed:
            self._db.changed()
        return changed

    def get(self, alert_id: str) -> Alert:
        """One alert, or NotFound."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM alerts WHERE id = ?", (alert_id,)).fetchone()
        if row is None:
            raise NotFound(f"there is no alert {alert_id}")
        return _to_alert(row)

    def page(self, *, limit: int, status: str | None = None, run_id: str | None = None) -> list[Alert]:
        """The newest first."""
        wanted = {"status": status, "run_id": run_id}
        bound = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(["1", *(f"{name} = :{name}" for name in bound)])
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM alerts WHERE {where} ORDER BY n DESC LIMIT :limit",
            bound | {"limit": limit},
        )
        return [_to_alert(row) for row in rows]

    def changed_since(self, rev: int, limit: int) -> list[tuple[int, Alert]]:
        """Alerts changed after `rev`, each as it is now with its newest change's number, oldest first."""
        rows = self._db.execute(
            f"SELECT rev, {_COLUMNS} FROM alerts WHERE rev > ? ORDER BY rev LIMIT ?", (rev, limit)
        )
        return [(row["rev"], _to_alert(row)) for row in rows]


def _to_alert(row: Any) -> Alert:
    values = {name: row[name] for name in tuple(row.keys()) if name != "rev"}
    return Alert(**{**values, "choices": json.loads(row["choices"])})
