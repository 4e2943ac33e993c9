"""Runs as a notebook has them: objects that know their server."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_ra_jobs import models, within
from jupyter_ra_jobs.cells import display, frames, plain, results
from jupyter_ra_jobs.cells.bars import bar
from jupyter_ra_jobs.cells.outputs import Artifact, ArtifactList, Metrics
from jupyter_ra_jobs.cells.snapshots import Known, Listing
from jupyter_ra_jobs.client.calls import Calls
from jupyter_ra_jobs.errors import BadInput, NotFound
from jupyter_ra_jobs.states import TERMINAL, RunStatus
from jupyter_ra_jobs.tracebacks import shortening

_LAST_BYTES = 8000
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

    def metrics(self, *keys: str) -> Metrics:
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

    def artifacts(self) -> ArtifactList:
        """The files that it left behind."""
        found = self._client.artifacts(self.id)
        return ArtifactList([Artifact(record, self.id, self._client) for record in found])

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


class RunList(Listing[Run]):
    """Runs, shown as a table."""

    _shows = plain.runs_text, display.runs_html

    def to_pandas(self) -> Any:
        """A DataFrame: a row a run, as it stood when the list was made; times are UTC."""
        pandas = frames.library()
        rows = [{name: getattr(run._record, name) for name in _COLUMNS} for run in self]
        frame = pandas.DataFrame(rows, columns=_COLUMNS).rename(columns={"id": "run_id"}).set_index("run_id")
        frame["status"] = frame["status"].astype(str)
        for name in ("created_at", "started_at", "ended_at"):
            frame[name] = pandas.to_datetime(frame[name], unit="s", utc=True)
        return frame
