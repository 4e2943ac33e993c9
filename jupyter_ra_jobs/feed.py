"""What changed since a cursor: the one order of runs, alerts and sweeps that event streams tell."""

import heapq
from typing import Literal

from msgspec import Struct

from jupyter_ra_jobs.models import Alert, LogEvent, Run, Sweep
from jupyter_ra_jobs.store import Store
from jupyter_ra_jobs.sweep_verbs import Sweeps


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that changed. After a `reset` the reader has missed too much: it lists everything afresh.

    One of type `log` is an event of the log of the run `run_id`; a `reset` says nothing of logs.
    """

    type: Literal["run", "alert", "sweep", "log", "reset"]
    run: Run | None = None
    alert: Alert | None = None
    sweep: Sweep | None = None
    run_id: str | None = None
    log: LogEvent | None = None


class Feed:
    """All changes in the order of their revisions, which are one sequence for all tables."""

    def __init__(self, store: Store, sweeps: Sweeps) -> None:
        self._store = store
        self._sweeps = sweeps

    def since(self, cursor: int, limit: int) -> list[tuple[Event, int]]:
        """What changed after `cursor`, `limit` changes at most, each with the cursor that it leads to.

        Each is told as it is now. A sweep changes with its runs, so it is told once for all of these, and
        before them: whoever breaks off between comes back with the old cursor, and is told again.
        """
        runs = [
            (rev, run.sweep_id, Event(type="run", run=run))
            for rev, run in self._store.changed_since(cursor, limit)
        ]
        alerts = [
            (rev, None, Event(type="alert", alert=alert))
            for rev, alert in self._store.alerts.changed_since(cursor, limit)
        ]
        sweeps = [(rev, sweep_id, None) for rev, sweep_id in self._store.sweeps.changed_since(cursor, limit)]
        changes = list(heapq.merge(runs, alerts, sweeps, key=lambda change: change[0]))[:limit]
        touched = dict.fromkeys(sweep_id for _, sweep_id, _ in changes if sweep_id is not None)
        told = [(Event(type="sweep", sweep=sweep), cursor) for sweep in self._sweeps.some(list(touched))]
        told += [(event, rev) for rev, _, event in changes if event is not None]
        if told:  # the last change may be one of a sweep, which was told already
            told[-1] = (told[-1][0], changes[-1][0])
        return told
