"""Runs, sweeps and artifacts as a notebook has them: objects that know their server."""

import contextlib
import importlib.util
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from jupyter_ra_jobs import models, within
from jupyter_ra_jobs.cells import display, plain, results
from jupyter_ra_jobs.cells.bars import bar
from jupyter_ra_jobs.cells.plain import Ranking
from jupyter_ra_jobs.cells.snapshots import Known, Listing, Shown
from jupyter_ra_jobs.client.calls import Calls
from jupyter_ra_jobs.errors import BadInput, Conflict, NotFound
from jupyter_ra_jobs.states import TERMINAL, RunStatus
from jupyter_ra_jobs.tracebacks import shortening

Which = Literal["last", "min", "max"]
_ALL = 1_000_000
_LAST_BYTES = 8000
_FEW_ROWS = 6
_MOST_NAMES = 20
_COLUMNS = [
    *("id", "name", "status", "exit_code", "error", "progress", "created_at", "started_at", "ended_at"),
    *("tags", "notes", "sweep_id", "command", "workdir"),
]


class Run(Known[models.Run]):
    """A run. What can change is asked of the server whenever it is looked at, until the run has ended."""

    _view = "run"
    _last_words: str | None = None

    # -- how it stands -----------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Twelve hex digits; for `ra.get`."""
        return self._record.id

    @property
    def record(self) -> models.Run:
        """All that the server tells of it, as it is now."""
        if self._record.status not in TERMINAL:
            self._record = self._client.run(self.id)
        return self._record

    def refresh(self) -> "Run":
        """Ask the server, also of a run that has ended, whose notes or tags somebody may have changed."""
        self._record = self._client.run(self.id)
        return self

    @property
    def name(self) -> str:
        """As it was given, or made from the command."""
        return self._record.name

    @property
    def command(self) -> str:
        """As a shell takes it."""
        return self._record.command

    @property
    def workdir(self) -> str:
        """Where it runs."""
        return self._record.workdir

    @property
    def status(self) -> RunStatus:
        """ready, queued, launching, running, finished, failed or stopped."""
        return self.record.status

    @property
    def exit_code(self) -> int | None:
        """As a shell gives it; None before the end, or where it cannot be known."""
        return self.record.exit_code

    @property
    def error(self) -> str | None:
        """Why it failed."""
        return self.record.error

    @property
    def progress(self) -> float | None:
        """0 to 100, from the last progress bar that it printed."""
        return self.record.progress

    @property
    def duration(self) -> float | None:
        """Seconds since its start, or until its end; None before it has started."""
        run = self.record
        if run.started_at is None:
            return None
        return (run.ended_at or time.time()) - run.started_at

    @property
    def retry(self) -> "Run | None":
        """The run that tries it again by itself (`max_retries`); None where there is none."""
        again = self._client.retry_of(self.record)
        return None if again is None else Run(again, self._client)

    # -- what can be done with it ------------------------------------------------------------------

    def start(self) -> "Run":
        """Start it; without a free slot it waits in the queue for one."""
        return self._now(self._client.start_run(self.id))

    def queue(self) -> "Run":
        """Put it in the queue, where it waits for `start`."""
        return self._now(self._client.queue_run(self.id))

    def stop(self) -> "Run":
        """Ask for its end; `wait` for it if that matters."""
        return self._now(self._client.stop_run(self.id))

    def rerun(self, command: str | None = None, *, start: bool = True) -> "Run":
        """A new run of the same command, or of another one in the same surroundings."""
        options = models.RerunOptions(command=command, auto_start=start)
        return Run(self._client.rerun(self.id, options), self._client)

    def archive(self) -> "Run":
        """Hide it from listings; nothing is deleted."""
        return self._now(self._client.archive_run(self.id))

    def unarchive(self) -> "Run":
        """Show it again."""
        return self._now(self._client.unarchive_run(self.id))

    def edit(self, **changes: Any) -> "Run":
        """Change its `name`, `notes`, `tags`, `priority`; `command` and `workdir` before it is launched."""
        return self._now(self._client.edit_run(self.id, models.RunEdit(**changes)))

    @shortening
    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> "Run":
        """Wait until it has ended; an interrupt ends the waiting, never the run.

        One with `max_retries` that failed is waited for until its last try has ended; returns that, else the
        run itself. A bar shows how far it is where tqdm is installed, unless `progress` says otherwise. Goes
        on over a restart of the server. Raises TimedOut after `timeout` seconds.
        """
        begin, last, left = time.monotonic(), self, timeout
        while True:
            last._wait(left, progress)
            again = last.retry
            if again is None:
                return last
            last = again
            left = None if timeout is None else max(0.0, begin + timeout - time.monotonic())

    @shortening
    def result(self, timeout: float | None = None, *, progress: bool | None = None) -> Any:
        """What the function returned, for a run of `ra.submit` or `ra.map`; waits as `wait` does.

        With `max_retries` the last try's.
        Raises what the function raised, with where it did; NoResult when it was stopped, killed or lost,
        TimedOut after `timeout` seconds.
        """
        results.check(self._record)
        return results.fetch(self._client, self.wait(timeout, progress=progress)._record)

    # -- what it wrote -----------------------------------------------------------------------------

    def tail(self, lines: int = 10) -> str:
        """The last lines of its output. A line is what ends with `\\n`, as for `tail -n`.

        Of one that was written over, as a progress bar, there is what stood there last.
        """
        return plain.folded(self._client.tail(self.id, lines))

    def follow(self, offset: int = 0) -> Iterator[str]:
        """The lines of its output, as it writes them, until it has ended.

        `offset` is the byte to begin at. Goes on over a restart of the server, with no line lost or twice.
        """
        return self._client.follow(self.id, offset=offset)

    def search(self, text: str, *, regex: bool = False, limit: int = 100) -> list[str]:
        """Lines of its output that hold `text`, newest first."""
        found = self._client.search_log(self.id, text, regex=regex, limit=limit)
        return [match.line for match in found.matches]

    def metrics(self, *keys: str) -> "Metrics":
        """Its metrics, or those that are named: `run.metrics()["val_loss"]` is a list of points.

        Raises NotFound for a name that is not among them; as long as it has none at all, none is given.
        """
        for key in keys:
            if not isinstance(key, str):
                raise BadInput(f"metrics: a name is a string, as metrics('val_loss', 'lr'), not {key!r:.100}")
        found = Metrics(self._client.metrics(self.id, keys=keys))
        if missing := [key for key in keys if key not in found]:
            known = list(Metrics(self._client.metrics(self.id, points=2)))
            missing = [key for key in missing if key not in known]  # else it has come meanwhile
            if known and missing:
                shown = ", ".join(known[:_MOST_NAMES]) + (", …" if len(known) > _MOST_NAMES else "")
                raise NotFound(f"run {self.id} has no metric {missing[0]!r:.100}; it has {shown}")
        return found

    def log_metrics(
        self, metrics: Mapping[str, Any] | None = None, /, *, step: float | None = None, **values: Any
    ) -> None:
        """Add a row of numbers to its metrics, from outside; as `ra.log_metrics` does from within."""
        self._client.log_metrics(self.id, [within.row(metrics, step, values)])

    def artifacts(self) -> "ArtifactList":
        """The files that it left behind."""
        return ArtifactList([Artifact(record, self) for record in self._client.artifacts(self.id)])

    # -- how it is shown ---------------------------------------------------------------------------

    def _line(self) -> str:
        return plain.run_line(self._look(), self._seen.at)

    def _snapshot(self) -> tuple[str, str]:
        run = self._look()
        if run.status is RunStatus.FAILED and self._last_words is None:
            with contextlib.suppress(Exception):  # then without it: what is shown never raises
                page = self._client.glance(Calls.log_page, self.id, offset=-_LAST_BYTES, limit=_LAST_BYTES)
                self._last_words = page.content
        log = self._last_words or ""
        return plain.run_text(run, log, self._seen), display.run_html(run, log, self._seen)

    def _look(self) -> models.Run:
        if self._record.status not in TERMINAL:
            self._glance(Calls.run)
        return self._record

    def _wait(self, timeout: float | None, progress: bool | None) -> None:
        with bar(self.name, 100, progress) as show:
            for run in self._client.watch_run(self.id, timeout=timeout):
                self._record = run
                show(100 if run.status is RunStatus.FINISHED else run.progress or 0, str(run.status))

    def _now(self, record: models.Run) -> "Run":
        self._record = record
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


class Artifact(Shown):
    """A file that a run left behind. One that is changed while it is fetched raises Conflict."""

    def __init__(self, record: models.Artifact, run: Run) -> None:
        self._record = record
        self._run = run

    @property
    def record(self) -> models.Artifact:
        """All that the server told of it."""
        return self._record

    @property
    def name(self) -> str:
        """Its path below the run's folder."""
        return self.record.name

    @property
    def type(self) -> models.ArtifactType:
        """checkpoint, metrics, wandb or other."""
        return self.record.type

    @property
    def size(self) -> int:
        """In bytes."""
        return self.record.size

    @property
    def certain(self) -> bool:
        """False when another run could have written it."""
        return self.record.certain

    def read(self) -> bytes:
        """All of it."""
        parts: list[bytes] = []
        self._run._client.download(self._run.id, self.name, parts.append)
        return b"".join(parts)

    def download(self, to: str | Path = ".") -> Path:
        """Write it to a file, or under its own name into a folder; a file that is there already is replaced.

        Folders in its name are made there, so that two files of one name in different folders don't meet.
        Nothing is there before it is whole.
        """
        path = Path(to).expanduser()
        if path.is_dir():
            folder, path = path, path / self.name
            if not path.parent.resolve().is_relative_to(folder.resolve()):
                raise BadInput(f"{self.name!r:.200} leads out of {folder}; name a file to write it to")
            path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.is_dir():
            raise BadInput(f"there is no folder {path.parent}; make it first")
        beside = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
        try:
            with beside.open("wb") as file:
                self._run._client.download(self._run.id, self.name, file.write)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return path


class Metrics(Shown, Mapping[str, Sequence[models.MetricPoint]]):
    """A run's metrics: the points of each by name, none that is NaN or infinite, and the `last` values."""

    def __init__(self, record: models.RunMetrics) -> None:
        self._record = record
        self._series = plain.series(record)
        self.last: dict[str, float] = dict(record.metrics or {}) | dict.fromkeys(record.non_finite, math.nan)
        """nan where the newest value is NaN or infinite."""
        self.notes = record.notes
        """What was left out, and why; which metrics are no numbers any more, and since when."""

    def __getitem__(self, name: str) -> Sequence[models.MetricPoint]:
        return self._series[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def _line(self) -> str:
        return plain.metrics_text(self._record)

    def _snapshot(self) -> tuple[str, str]:
        return self._line(), display.metrics_html(self._record)

    def to_pandas(self) -> Any:
        """A DataFrame: a column a metric, the steps as its index."""
        pandas = _pandas()
        columns = {
            name: pandas.Series({point.step: point.value for point in points}, dtype=float)
            for name, points in self._series.items()
        }
        return pandas.DataFrame(columns).rename_axis("step")


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
    def runs(self) -> "RunList":
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
        rows = _flat(self.rows(metrics))
        if importlib.util.find_spec("pandas") is None:
            return rows
        import pandas

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


class RunList(Listing[Run]):
    """Runs, shown as a table."""

    _shows = plain.runs_text, display.runs_html

    def to_pandas(self) -> Any:
        """A DataFrame: a row a run, as it stood when the list was made; times are UTC."""
        pandas = _pandas()
        rows = [{name: getattr(run._record, name) for name in _COLUMNS} for run in self]
        frame = pandas.DataFrame(rows, columns=_COLUMNS).rename(columns={"id": "run_id"}).set_index("run_id")
        frame["status"] = frame["status"].astype(str)
        for name in ("created_at", "started_at", "ended_at"):
            frame[name] = pandas.to_datetime(frame[name], unit="s", utc=True)
        return frame


class SweepList(Listing[Sweep]):
    """Sweeps, shown as a table."""

    _shows = plain.sweeps_text, display.sweeps_html


class ArtifactList(Listing[Artifact]):
    """Artifacts, shown as a table."""

    _shows = plain.artifacts_text, display.artifacts_html


def _pandas() -> Any:
    """The library; an ImportError says how to get it."""
    try:
        import pandas
    except ImportError as problem:
        raise ImportError("to_pandas() needs pandas: %pip install pandas") from problem
    return pandas


def _flat(rows: list[models.SweepRow]) -> list[dict[str, Any]]:
    """Each row in one dict, by the names that the server's own table has (its CSV, and `sort`)."""
    taken = set(models.SweepRow.__struct_fields__) - {"parameters", "metrics"}
    parameters = _columns("parameters", (name for row in rows for name in row.parameters), taken)
    metrics = _columns("metrics", (name for row in rows for name in row.metrics), taken)
    return [
        {
            "run_id": row.run_id,
            **{parameters[name]: value for name, value in row.parameters.items()},
            "status": str(row.status),
            "exit_code": row.exit_code,
            "duration": row.duration,
            **{metrics[name]: value for name, value in row.metrics.items()},
        }
        for row in rows
    ]


def _columns(kind: str, names: Iterable[str], taken: set[str]) -> dict[str, str]:
    """What the column of each name is called; takes those."""
    called: dict[str, str] = {}
    for name in dict.fromkeys(names):
        called[name] = f"{kind}.{name}" if name in taken else name
        taken.add(called[name])
    return called
