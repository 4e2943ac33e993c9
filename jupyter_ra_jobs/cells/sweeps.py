"""Sweeps as a notebook has them: objects that know their server."""

import contextlib
from typing import Any, Literal

from jupyter_ra_jobs import models
from jupyter_ra_jobs.cells import display, frames, plain, results
from jupyter_ra_jobs.cells.bars import bar
from jupyter_ra_jobs.cells.plain import Ranking
from jupyter_ra_jobs.cells.runs import Run, RunList
from jupyter_ra_jobs.cells.snapshots import Known, Listing
from jupyter_ra_jobs.client.calls import Calls, Which
from jupyter_ra_jobs.errors import BadInput, Conflict
from jupyter_ra_jobs.tracebacks import shortening

_ALL = 1_000_000
_FEW_ROWS = 6


class Sweep(Known[models.Sweep]):
    """A sweep. How it stands is asked of the server whenever it is looked at."""

    _view = "sweep"
    _ranking = Ranking()

    @property
    def id(self) -> str:
        """Twelve hex digits; for `ra.get`."""
        return self._record.id

    @property
    def record(self) -> models.Sweep:
        """All that the server tells of it, as it is now."""
        self._record = self._client.sweep(self.id)
        return self._record

    @property
    def name(self) -> str:
        """As it was given, or made from the command."""
        return self._record.name

    @property
    def status(self) -> models.SweepStatus:
        """draft, pending, running, completed, failed or canceled."""
        return self.record.status

    @property
    def progress(self) -> models.Progress:
        """How many of its cells stand where."""
        return self.record.progress

    @property
    def runs(self) -> RunList:
        """Its runs, in the order of creation; of one that was retried, the retries too."""
        records = self._client.runs(sweep_id=self.id, archived=True, limit=_ALL)
        return RunList([Run(record, self._client) for record in reversed(records)])

    def start(self, parallel: int = 1) -> "Sweep":
        """Run what has not run yet, so many at a time, until all are done; for what was stopped, `retry`."""
        self._client.start_sweep(self.id, parallel=parallel)
        return self

    def stop(self) -> "Sweep":
        """Stop its active runs, and start no more."""
        self._record = self._client.stop_sweep(self.id)
        return self

    def retry(self) -> "Sweep":
        """Run those again that failed or were stopped."""
        self._record = self._client.retry_sweep(self.id)
        return self

    def edit(self, **changes: Any) -> "Sweep":
        """Change its `name` or `goal`."""
        self._record = self._client.edit_sweep(self.id, models.SweepEdit(**changes))
        return self

    @shortening
    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> "Sweep":
        """Wait until all of its runs have ended; as `Run.wait`."""
        total = self._record.progress.total
        with bar(self.name, total, progress) as show:
            for sweep in self._client.watch_sweep(self.id, timeout=timeout):
                self._record = sweep
                counts = sweep.progress
                show(counts.completed + counts.failed + counts.canceled, f"{counts.running} running")
        return self

    @shortening
    def results(
        self, timeout: float | None = None, *, return_exceptions: bool = False, progress: bool | None = None
    ) -> list[Any]:
        """What the function returned for each cell, in their order, for a sweep of `ra.map`; waits for all.

        Raises what a cell raised, the first of them, with the id of its run; with `return_exceptions` the
        exceptions stand in the list. Of a cell that was retried the last try counts.
        """
        results.of_cells(self._client, self.id)  # or there is nothing to wait for
        self.wait(timeout, progress=progress)
        found: list[Any] = []
        for run in results.of_cells(self._client, self.id):
            try:
                found.append(results.fetch(self._client, run))
            except Exception as problem:
                if not return_exceptions:
                    raise
                found.append(problem)
        return found

    def rows(
        self, metrics: Which = "last", *, sort: str | None = None, order: Literal["asc", "desc"] = "asc"
    ) -> list[models.SweepRow]:
        """A record a cell: its parameters, how its run stands, and its metrics."""
        return self._client.sweep_table(self.id, metrics=metrics, sort=sort, order=order)

    def table(self, metrics: Which = "last") -> Any:
        """A row a cell: parameters, status, exit code, duration in seconds, and the metrics.

        Of those it has the last values, or their `min` or `max`. Where a name is taken, the column is
        `parameters.<name>` or `metrics.<name>`. A pandas DataFrame with the run ids as its index; without
        pandas a list of dicts.
        """
        rows = frames.rows(self.rows(metrics))
        if not frames.is_there():
            return rows
        pandas = frames.library()
        return pandas.DataFrame(rows).set_index("run_id") if rows else pandas.DataFrame()

    def best(self, metric: str, mode: Literal["min", "max"] | None = None) -> Run:
        """The run with the lowest value of a metric that any of its steps reached, or the highest.

        What came after that step does not count: it may have got worse again, or become NaN.
        Without a `mode` the name tells which is better: of a loss or an error the lowest, of an accuracy or
        a score the highest; BadInput where it tells neither. Raises Conflict when no run has that metric.
        """
        mode = plain.better(metric) if mode is None else mode
        if mode is None:
            raise BadInput(
                f"best: {metric!r:.100} does not tell which is better; say mode='min' or mode='max'"
            )
        if mode not in ("min", "max"):
            raise BadInput(f"mode: must be 'min' or 'max', not {mode!r:.100}")
        order: Literal["asc", "desc"] = "asc" if mode == "min" else "desc"
        missing = f"no run of sweep {self.id} has a value of {metric!r} yet"
        try:
            # By this name it is the metric, also where a parameter is called the same.
            found = self._client.sweep_table(
                self.id, metrics=mode, sort=f"metrics.{metric}", order=order, limit=1
            )
        except BadInput as problem:  # it names the columns that there are
            raise Conflict(f"{missing} ({problem})") from None
        if not found or found[0].metrics.get(metric) is None:
            raise Conflict(missing)
        return Run(self._client.run(found[0].run_id), self._client)

    def _line(self) -> str:
        self._glance(Calls.sweep)
        return plain.sweep_line(self._record)

    def _snapshot(self) -> tuple[str, str]:
        if self._glance(Calls.sweep):
            with contextlib.suppress(Exception):  # then as it was known
                self._ranking = self._ranked()
        args = self._record, self._ranking, self._seen
        return plain.sweep_text(*args), display.sweep_html(*args)

    def _ranked(self) -> Ranking:
        rows = self._client.glance(Calls.sweep_table, self.id, limit=_FEW_ROWS)
        best = plain.best_metric([name for row in rows for name in row.metrics])
        if best is None:
            return Ranking(rows=rows)
        metric, mode = best
        order: Literal["asc", "desc"] = "asc" if mode == "min" else "desc"
        rows = self._client.glance(
            Calls.sweep_table, self.id, metrics=mode, sort=f"metrics.{metric}", order=order, limit=_FEW_ROWS
        )
        return Ranking(rows=rows, metric=metric, mode=mode)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sweep) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


class SweepList(Listing[Sweep]):
    """Sweeps, shown as a table."""

    _shows = plain.sweeps_text, display.sweeps_html
