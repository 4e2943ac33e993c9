"""A sweep as a table: a row for each run, sorted by whatever it shows, and as CSV."""

import asyncio
import csv
import io
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec
from msgspec import UNSET

from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.grids import as_argument
from jupyter_ra_jobs.metrics import Metrics, Which
from jupyter_ra_jobs.models import Run, SweepRow
from jupyter_ra_jobs.states import RunStatus
from jupyter_ra_jobs.store import Store, in_slices

_NAMED = 50  # columns that an error names

Column = Callable[[SweepRow], Any]
"""What a row has in a column; UNSET when it has nothing there."""


class SweepTables:
    """The tables of sweeps of `most_runs` runs at most."""

    def __init__(self, store: Store, metrics: Metrics, *, most_runs: int) -> None:
        self._store = store
        self._metrics = metrics
        self._most_runs = most_runs

    async def rows(
        self, sweep_id: str, which: Which = "last", status: Collection[RunStatus] | None = None
    ) -> list[SweepRow]:
        """A row for each run, or each of these statuses, in the order of creation, with the `which` values
        of its metrics: None for one that ended as no finite number."""
        self._store.sweeps.get(sweep_id)
        runs = list[Run]()
        async for some in in_slices(self._store, limit=self._most_runs, sweep_id=sweep_id):
            runs += some
        runs.reverse()
        metrics = await self._metrics.of_runs(runs, which)
        rows = await asyncio.to_thread(_rows, runs, metrics)
        return [row for row in rows if status is None or row.status in status]

    async def shown(
        self,
        sweep_id: str,
        which: Which,
        status: Collection[RunStatus] | None,
        *,
        by: str | None,
        descending: bool,
        limit: int | None,
        as_text: bool,
    ) -> bytes:
        """The table as JSON or CSV, sorted `by` a column. A large one takes seconds, in a thread."""
        rows = await self.rows(sweep_id, which, status)
        return await asyncio.to_thread(_written, rows, by, descending, limit, as_text)


def _rows(runs: list[Run], metrics: dict[str, dict[str, float | None]]) -> list[SweepRow]:
    now = time.time()
    retried = {run.parent_run_id for run in runs}
    return [
        SweepRow(
            run_id=run.id,
            name=run.name,
            parameters=run.sweep_params or {},
            status=run.status,
            exit_code=run.exit_code,
            # It may have started before the clock was set back.
            duration=max(0.0, (run.ended_at or now) - run.started_at) if run.started_at else None,
            retried=run.id in retried,
            metrics=metrics.get(run.id, {}),
        )
        for run in runs
    ]


def _written(
    rows: list[SweepRow], by: str | None, descending: bool, limit: int | None, as_text: bool
) -> bytes:
    shown = rows if by is None else sort(rows, by, descending=descending)
    if as_text:
        return as_csv(shown[:limit], rows).encode()
    # Row by row: to encode it all at once keeps the event loop's thread waiting.
    return b"[" + b",".join(msgspec.json.encode(row) for row in shown[:limit]) + b"]"


def columns(rows: Iterable[SweepRow]) -> dict[str, Column]:
    """The table's columns by name: what all runs have, then the parameters, then the metrics.

    One whose name is taken is called `parameters.<name>` or `metrics.<name>`.
    """
    rows = list(rows)
    maps = ("parameters", "metrics")
    found: dict[str, Column] = {name: _fixed(name) for name in SweepRow.__struct_fields__ if name not in maps}
    for where in maps:
        for key in dict.fromkeys(key for row in rows for key in getattr(row, where)):
            found[key if key not in found else f"{where}.{key}"] = _getter(where, key)
    return found


def sort(rows: list[SweepRow], by: str, *, descending: bool) -> list[SweepRow]:
    """The rows by a column, numbers before texts; those without a value last. BadInput for no column."""
    known = columns(rows)
    where, _, key = by.partition(".")
    column = known.get(by)
    if column is None and where in ("parameters", "metrics"):
        column = known.get(key)
    if column is None:
        names = ", ".join(list(known)[:_NAMED])
        raise BadInput(f"sort: there is no {by[:100]!r} in this table; there are {names}")
    valued = [(value, row) for row in rows if (value := column(row)) is not UNSET]
    valued.sort(key=lambda pair: _order(pair[0]), reverse=descending)
    return [row for _, row in valued] + [row for row in rows if column(row) is UNSET]


def as_csv(rows: list[SweepRow], of: Iterable[SweepRow]) -> str:
    """Some rows as CSV, with the columns of all."""
    shown = columns(of)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(shown)
    for row in rows:
        writer.writerow([_cell(column(row)) for column in shown.values()])
    return text.getvalue()


def _fixed(name: str) -> Column:
    def value(row: SweepRow) -> Any:
        found = getattr(row, name)
        return UNSET if found is None else found

    return value


def _getter(where: str, key: str) -> Column:
    def value(row: SweepRow) -> Any:
        found = getattr(row, where).get(key, UNSET)
        return UNSET if found is None and where == "metrics" else found

    return value


def _order(value: Any) -> tuple[bool, float, str]:
    if isinstance(value, int | float):
        return False, value, ""
    return True, 0.0, value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _cell(value: Any) -> str:
    return "" if value is UNSET else as_argument(msgspec.to_builtins(value))
