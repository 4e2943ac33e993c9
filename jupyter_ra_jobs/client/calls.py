"""All calls of the HTTP API, each written once, for the blocking and the awaiting client.

Methods are flows (`steps`). What a call gives is a record of `models`, as the contract has it. Errors are
those of `errors`, with the server's words.
"""

import math
import numbers
import operator
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import msgspec

from jupyter_ra_jobs import errors
from jupyter_ra_jobs.client.contents import Content
from jupyter_ra_jobs.client.steps import (
    Answer,
    Body,
    Broken,
    Do,
    Emit,
    Emitting,
    Find,
    Flow,
    Next,
    Open,
    Query,
    Request,
    Send,
    Sleep,
    Tell,
    Unreachable,
)
from jupyter_ra_jobs.models import (
    Alert,
    AlertRaised,
    Artifact,
    ClusterState,
    ErrorBody,
    Health,
    LogEvent,
    LogGap,
    LogMatches,
    LogPage,
    Message,
    NewAlert,
    NewRun,
    NewSweep,
    NewWildSweep,
    RerunOptions,
    Run,
    RunEdit,
    RunMessage,
    RunMetrics,
    RunStarted,
    StoredFile,
    Sweep,
    SweepEdit,
    SweepRow,
    SweepStarted,
)
from jupyter_ra_jobs.states import TERMINAL, RunStatus

T = TypeVar("T")
Which = Literal["last", "min", "max"]

_BY_STATUS: dict[int, type[errors.RaJobsError]] = {
    kind.status: kind
    for kind in (
        errors.BadInput,
        errors.Conflict,
        errors.Forbidden,
        errors.NotFound,
        errors.StorageFull,
        errors.TooLarge,
        errors.Unavailable,
    )
}
# Those of proxies.
_BY_STATUS |= {401: errors.Forbidden} | dict.fromkeys([424, 502, 504], errors.Unavailable)
_SWEEP_ENDED = {"completed", "failed", "canceled"}
_FIRST_LOOK, _LAST_LOOK = 0.05, 1.0
_PAGE, _MOST_TAIL = 100_000, 1_000_000
_HOW_TO_LOG_IN = "give it as RA_JOBS_TOKEN, to ra.connect, or on a command line by --token-file"
_ASKED_BYTES = 100_000  # less is sent as fast as it is asked for
_PART = 4 * 1024 * 1024
_REUNION = 600.0  # seconds for which who watches a run, or follows it, waits for a server that went away
_FIRST_PATIENCE = 5.0  # the same for one that was never reached: it may not be there at all
_UNTOLD = 2.0  # seconds for which nobody is told that it is away: it may be restarting
_SOON = 5.0  # nor when the call will be over anyhow in so few
_AWAY = {424, 502, 503, 504}
_MOST_LISTED = 1_000  # by one request
_ALL = 1_000_000
_MOST_PAUSE = 5.0
_NO_JSON = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class Calls:
    """Every call as a flow. `patience` is for how many seconds a server that is away is looked for again,
    `seconds` how long an answer may take, if not as long as the client allows any."""

    def __init__(self, patience: float, seconds: float | None = None) -> None:
        self.patience = patience
        self._reached = False
        self.seconds = seconds

    # -- runs --------------------------------------------------------------------------------------

    def health(self) -> Flow[Health]:
        """Whether the server lives; its version, workdir and tmux, and how many runs have which status."""
        return self._ask("GET", "/", Health)

    def runs(
        self,
        *,
        status: str | Iterable[str] | None = None,
        sweep_id: str | None = None,
        id_prefix: str | None = None,
        parent_run_id: str | None = None,
        q: str | None = None,
        archived: bool = False,
        limit: int = 50,
        before: str | None = None,
    ) -> Flow[list[Run]]:
        """Runs, newest first, as many as asked for; `archived` takes the archived ones too, `q` is looked for
        in name and command, `before` is a run's id: the ones older than that. Those of a `parent_run_id` run
        it again."""
        found: list[Run] = []
        more = True
        limit = _whole("limit", limit)
        statuses = _statuses(status)
        while more:
            query = {
                "status": statuses,
                "sweep_id": sweep_id,
                "id_prefix": id_prefix,
                "parent_run_id": parent_run_id,
                "q": q,
                "archived": archived,
                "limit": min(limit - len(found), _MOST_LISTED),
                "before": before,
            }
            request = Request(method="GET", path="/runs", query=_query(query), seconds=self.seconds)
            answer = yield from self._send(request)
            page = _decoded(answer, list[Run])
            found += page
            more = bool(page) and len(found) < limit and 'rel="next"' in answer.headers.get("link", "")
            before = page[-1].id if page else None
        return found

    def run(self, run_id: str) -> Flow[Run]:
        """A run as it is now."""
        return self._ask("GET", _run(run_id), Run)

    def put_file(self, content: "bytes | str | os.PathLike[str]") -> Flow[str]:
        """Upload a file of this machine, by its path, or bytes; gives the SHA-256 that `files` of a run name.

        Nothing large is sent that the server has already.
        """
        given = Content(content)
        sha256: str = yield Do(given.digest)
        path = f"/files/{sha256}"
        if given.size > _ASKED_BYTES:
            try:
                yield from self._ask("GET", path, StoredFile, query={"size": given.size})
            except errors.NotFound:
                pass
            else:
                return sha256
        yield from self._send(Send(path=path, size=given.size, parts=given.parts))
        return sha256

    def create_run(self, new: NewRun) -> Flow[Run]:
        """A new run, started if `auto_start` says so."""
        return self._ask("POST", "/runs", Run, body=new)

    def edit_run(self, run_id: str, edit: RunEdit) -> Flow[Run]:
        """Change what is said of a run; its command and workdir only before it is launched."""
        return self._ask("PUT", _run(run_id), Run, body=edit)

    def queue_run(self, run_id: str) -> Flow[Run]:
        """Put a run in the queue, where it waits to be started."""
        return self._ask("POST", _run(run_id, "/queue"), Run)

    def start_run(self, run_id: str) -> Flow[Run]:
        """Start a run; without a free slot it waits in the queue for one."""
        return _part("run", self._ask("POST", _run(run_id, "/start"), RunStarted))

    def stop_run(self, run_id: str) -> Flow[Run]:
        """Ask for a run's end; returns at once, the run ends within its grace times."""
        return _part("run", self._ask("POST", _run(run_id, "/stop"), RunMessage))

    def rerun(self, run_id: str, options: RerunOptions) -> Flow[Run]:
        """A new run of the same command, or of the one that is given."""
        return self._ask("POST", _run(run_id, "/rerun"), Run, body=options)

    def retry_of(self, run: Run) -> Flow[Run | None]:
        """The run that was made, with its end, to try it again by itself; None where there is none."""
        if run.status is not RunStatus.FAILED or run.attempt > run.max_retries:
            return None
        again = yield from self.runs(parent_run_id=run.id, archived=True, limit=_ALL)
        # Not those that somebody reran.
        return next((each for each in again if each.parent_run_id == run.id and each.attempt > 1), None)

    def archive_run(self, run_id: str) -> Flow[Run]:
        """Hide a run from listings; nothing is deleted."""
        return _part("run", self._ask("POST", _run(run_id, "/archive"), RunMessage))

    def unarchive_run(self, run_id: str) -> Flow[Run]:
        """Show it again."""
        return _part("run", self._ask("POST", _run(run_id, "/unarchive"), RunMessage))

    def watch_run(self, run_id: str, *, timeout: float | None = None) -> Emitting[Run]:
        """The run, again whenever it has changed, until it has ended.

        Raises Conflict for one that nobody has started, TimedOut after `timeout` seconds.
        """
        return self._watch(_run(run_id), Run, _run_ended, f"run {run_id}", timeout)

    # -- what a run writes -------------------------------------------------------------------------

    def log_page(self, run_id: str, *, offset: int | None = None, limit: int | None = None) -> Flow[LogPage]:
        """A page of the log by byte offset; a negative one counts from the end, none gives the end."""
        return self._ask("GET", _run(run_id, "/logs"), LogPage, query={"offset": offset, "limit": limit})

    def tail(self, run_id: str, lines: int = 10) -> Flow[str]:
        """The last lines of the log; fewer if a line is longer than 1 MB. A line ends with `\\n`."""
        lines = _whole("lines", lines)
        page = yield from self.log_page(run_id)  # its end, as much of it as the server gives at once
        floor = page.gap.end if page.gap else 0  # where it begins, as far as lines hang together
        if page.offset < floor:
            length = max(1, page.next_offset - floor)
            page = yield from self.log_page(run_id, offset=floor, limit=length)
        text, begin, step = page.content, page.offset, _PAGE
        while begin > floor and text.count("\n") <= lines and len(text) < _MOST_TAIL:
            start = max(floor, begin - step)
            page = yield from self.log_page(run_id, offset=start, limit=begin - start)
            if page.total_size < begin or (page.gap and page.gap.end > floor):  # it was cut meanwhile
                break
            if page.next_offset < begin:  # the server's pages are shorter
                step = max(1, page.next_offset - start)
                continue
            text, begin = page.content + text, page.offset
        kept = text.removesuffix("\n").split("\n")[-lines:] if text and lines > 0 else []
        return "\n".join(kept) + ("\n" if kept and text.endswith("\n") else "")

    def follow(self, run_id: str, *, offset: int = 0) -> Emitting[str]:
        """The log's lines from a byte offset on, without their `\\n`, as they are written, until the end.

        Goes on after a restart of the server, with no line lost or twice. Bytes that were given back to the
        disk (`max_log_bytes`) are told of by a line of ours. Raises Conflict for a run that nobody has
        started.
        """
        _run_ended((yield from self.run(run_id)))
        parts: list[str] = []

        def take(event: LogEvent) -> Emitting[str]:
            nonlocal parts
            if event.type == "gap":
                yield Emit(f"{''.join(parts)}[… {(event.next_offset or 0) - (event.offset or 0):,} bytes …]")
                parts = []
            first, *lines = (event.content or "").split("\n")
            parts.append(first)
            for line in lines:
                yield Emit("".join(parts))
                parts = [line]

        yield from self._stream_log(run_id, offset, take)
        if last := "".join(parts):
            yield Emit(last)

    def follow_bytes(self, run_id: str, *, offset: int = 0) -> Emitting[bytes | LogGap]:
        """As `follow`, but the log's bytes as they are; what was given back to the disk is a LogGap."""

        def take(event: LogEvent) -> Emitting[bytes | LogGap]:
            start, end = event.offset or 0, event.next_offset or 0
            if event.type == "gap":
                yield Emit(LogGap(start, end))
                return
            text = event.content or ""
            if "\ufffd" in text:  # stands for bytes that are no UTF-8: ask for those themselves
                yield from self._log_parts(run_id, start, end, event.gap)
            else:
                yield Emit(text.encode())

        yield from self._stream_log(run_id, offset, take)

    def log_bytes(self, run_id: str, *, offset: int = 0) -> Emitting[bytes | LogGap]:
        """The log's bytes from an offset to its present end; what was given back to the disk is a LogGap."""
        page = yield from self.log_page(run_id, offset=-1, limit=1)
        yield from self._log_parts(run_id, offset, page.total_size, page.gap)

    def tail_offset(self, run_id: str, lines: int) -> Flow[int]:
        """The byte at which the log's last `lines` lines begin, or what is left of it after its gap."""
        lines = _whole("lines", lines)
        page = yield from self.log_page(run_id, offset=-1, limit=1)
        begin = page.gap.end if page.gap is not None else 0
        end = page.total_size
        stop = end - 1  # a newline at the very end begins no line
        while lines > 0 and end > begin:
            start = max(begin, end - _PAGE)
            part = (yield from self._log_part(run_id, start, end)).body
            newline = part.rfind(b"\n", 0, stop - start)
            while newline >= 0:
                lines -= 1
                if lines == 0:
                    return start + newline + 1
                newline = part.rfind(b"\n", 0, newline)
            end = stop = start
        return begin if lines > 0 else end

    def _log_parts(self, run_id: str, start: int, end: int, gap: LogGap | None) -> Emitting[bytes | LogGap]:
        while start < end:
            if gap is not None and gap.start <= start < gap.end:
                yield Emit(LogGap(start, min(end, gap.end)))
                start = gap.end
                continue
            stop = min(end, start + _PART)
            if gap is not None and start < gap.start:
                stop = min(stop, gap.start)
            answer = yield from self._log_part(run_id, start, stop)
            gap = _gap_of(answer) or gap
            if gap is not None and start < gap.end and gap.start < stop:
                continue  # it grew into what we asked for, which came as zeros
            yield Emit(answer.body)
            start += len(answer.body)

    def _log_part(self, run_id: str, start: int, stop: int) -> Flow[Answer]:
        headers = {"range": f"bytes={start}-{stop - 1}", "accept-encoding": "identity"}
        return self._send(Request(method="GET", path=_run(run_id, "/logs/download"), headers=headers))

    def _stream_log(self, run_id: str, offset: int, take: Callable[[LogEvent], Emitting[T]]) -> Emitting[T]:
        """Has `take` tell what is to be said of each event of the log's stream, over restarts, to its end."""
        has_begun = False
        while True:
            opened = time.monotonic()
            stream = Open(path=_run(run_id, "/logs/stream"), query={"offset": str(offset)})
            yield from self._send(stream, comes_back=has_begun)
            has_begun = True
            while (data := (yield Next())) is not None:
                event = _event(data)
                if event.type == "done":
                    return
                yield from take(event)
                offset = offset if event.next_offset is None else event.next_offset
            yield Sleep(_LAST_LOOK if time.monotonic() - opened < _LAST_LOOK else _FIRST_LOOK)
            yield Find()

    def search_log(
        self,
        run_id: str,
        q: str,
        *,
        regex: bool = False,
        ignore_case: bool = True,
        before: int | None = None,
        limit: int = 100,
    ) -> Flow[LogMatches]:
        """Lines of the log that hold `q`, newest first; `before` is a byte offset to go on from."""
        query = {"q": q, "regex": regex, "ignore_case": ignore_case, "before": before, "limit": limit}
        return self._ask("GET", _run(run_id, "/logs/search"), LogMatches, query=query)

    def metrics(
        self, run_id: str, *, keys: Sequence[str] = (), points: int | None = None
    ) -> Flow[RunMetrics]:
        """The run's metrics, with `points` of each at most; all of them, or those that `keys` name."""
        query = {"keys": list(keys), "points": points}
        while True:  # the server reads its files bit by bit
            found = yield from self._ask("GET", _run(run_id, "/metrics"), RunMetrics, query=query)
            if found.complete:
                return found
            yield Sleep(_FIRST_LOOK)

    def log_metrics(self, run_id: str, rows: Sequence[Mapping[str, Any]]) -> Flow[Message]:
        """Add rows of numbers to the run's metrics; `step` or `epoch` says where they belong."""
        given = [{name: _number(value) for name, value in row.items()} for row in rows]
        return self._ask("POST", _run(run_id, "/metrics"), Message, body={"rows": given})

    def artifacts(self, run_id: str) -> Flow[list[Artifact]]:
        """The files that a run left behind."""
        return self._ask("GET", _run(run_id, "/artifacts"), list[Artifact])

    def download(self, run_id: str, name: str | None, write: Callable[[bytes], object]) -> Flow[int]:
        """Hand an artifact, or without a name the log, to `write` in parts; returns how many bytes.

        Raises Conflict if the file changes meanwhile; a log may grow.
        """
        path = _run(run_id, "/logs/download" if name is None else f"/artifacts/{_artifact(name)}")
        done, total, first = 0, 1, ""
        size, good = _PART, time.monotonic()
        while done < total:
            headers = {"range": f"bytes={done}-{done + size - 1}", "accept-encoding": "identity"}
            request = Request(method="GET", path=path, headers=headers)
            try:
                answer = yield from self._send(request, or_else=416, once=name is not None)
            except errors.ConnectionLost:
                if name is None or time.monotonic() - good > self.patience:
                    raise
                # The server breaks off what is changed meanwhile. A byte that it tells whole has a version.
                size = 1
                yield Sleep(_FIRST_LOOK)
                continue
            if answer.status == 416 and done == 0:  # an empty file has no first byte
                return 0
            version = answer.headers.get("etag", "")
            if answer.status == 416 or (name is not None and version != (first := first or version)):
                raise errors.Conflict(
                    f"{name or 'the log'} was changed while it was downloaded; do it again once it is written"
                )
            if "attachment" not in answer.headers.get("content-disposition", ""):
                raise _not_ours(answer)
            write(answer.body)
            done += len(answer.body)
            total = int(answer.headers.get("content-range", f"/{done}").rpartition("/")[2])
            if not answer.body:  # cut between its headers and its body
                total = done
            if size == _PART:
                good = time.monotonic()
            size = _PART
        return done

    # -- sweeps ------------------------------------------------------------------------------------

    def sweeps(self, *, limit: int = 50, id_prefix: str | None = None) -> Flow[list[Sweep]]:
        """Sweeps, newest first, 1,000 at most."""
        return self._ask("GET", "/sweeps", list[Sweep], query={"limit": limit, "id_prefix": id_prefix})

    def sweep(self, sweep_id: str) -> Flow[Sweep]:
        """A sweep as it stands."""
        return self._ask("GET", _sweep(sweep_id), Sweep)

    def create_sweep(self, new: NewSweep) -> Flow[Sweep]:
        """A new sweep with all of its runs, whole or not at all."""
        return self._ask("POST", "/sweeps", Sweep, body=new)

    def create_wild_sweep(self, new: NewWildSweep) -> Flow[Sweep]:
        """An empty sweep, for runs that are added one by one."""
        return self._ask("POST", "/sweeps/wild", Sweep, body=new)

    def edit_sweep(self, sweep_id: str, edit: SweepEdit) -> Flow[Sweep]:
        """Change what is said of a sweep; its structure only while it is a draft."""
        return self._ask("PUT", _sweep(sweep_id), Sweep, body=edit)

    def add_run(self, sweep_id: str, new: NewRun) -> Flow[Run]:
        """A new run in a sweep."""
        return self._ask("POST", _sweep(sweep_id, "/runs"), Run, body=new)

    def start_sweep(self, sweep_id: str, *, parallel: int = 1) -> Flow[SweepStarted]:
        """Run what has not run yet, so many at a time, until all are done."""
        query = {"parallel": parallel}
        return self._ask("POST", _sweep(sweep_id, "/start"), SweepStarted, query=query)

    def stop_sweep(self, sweep_id: str) -> Flow[Sweep]:
        """Stop its active runs, and start no more."""
        return self._ask("POST", _sweep(sweep_id, "/stop"), Sweep)

    def retry_sweep(self, sweep_id: str) -> Flow[Sweep]:
        """Run those again that failed or were stopped."""
        return self._ask("POST", _sweep(sweep_id, "/retry"), Sweep)

    def sweep_table(
        self,
        sweep_id: str,
        *,
        metrics: Which = "last",
        status: str | None = None,
        sort: str | None = None,
        order: Literal["asc", "desc"] = "asc",
        limit: int | None = None,
    ) -> Flow[list[SweepRow]]:
        """A row a cell: its parameters, how its run stands, and its metrics."""
        query = {"metrics": metrics, "status": status, "sort": sort, "order": order, "limit": limit}
        return self._ask("GET", _sweep(sweep_id, "/table"), list[SweepRow], query=query)

    def watch_sweep(self, sweep_id: str, *, timeout: float | None = None) -> Emitting[Sweep]:
        """The sweep, again whenever it has changed, until it has ended; as `watch_run`."""
        return self._watch(_sweep(sweep_id), Sweep, _sweep_ended, f"sweep {sweep_id}", timeout)

    # -- alerts, cluster ---------------------------------------------------------------------------

    def alerts(
        self, *, status: str | None = None, run_id: str | None = None, limit: int = 100
    ) -> Flow[list[Alert]]:
        """Alerts, newest first."""
        return self._ask(
            "GET", "/alerts", list[Alert], query={"status": status, "run_id": run_id, "limit": limit}
        )

    def raise_alert(self, run_id: str, new: NewAlert) -> Flow[AlertRaised]:
        """Ask somebody to decide something about a run."""
        return self._ask("POST", _run(run_id, "/alerts"), AlertRaised, body=new)

    def respond(self, alert_id: str, choice: str) -> Flow[Message]:
        """Answer an alert by one of its choices."""
        path = f"/alerts/{_id(alert_id)}/respond"
        return self._ask("POST", path, Message, body={"choice": choice})

    def cluster(self) -> Flow[ClusterState]:
        """What the runs run on."""
        return self._ask("GET", "/cluster", ClusterState)

    # -- beneath -----------------------------------------------------------------------------------

    def relay(self, request: Request) -> Flow[Answer]:
        """A request that somebody else has made, sent once, and the answer as it is."""
        for is_last in (False, True):
            try:
                answer: Answer = yield request
            except Unreachable as unreachable:
                if is_last:
                    raise errors.NoServer(str(unreachable)) from unreachable
                yield Find()
            except Broken as broken:
                raise errors.ConnectionLost(f"the server went away before it answered ({broken})") from broken
            else:
                return answer
        raise AssertionError("not reached")

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[T],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        patience: float | None = None,
        comes_back: bool = False,
        seconds: float | None = None,
    ) -> Flow[T]:
        encoded = None if body is None else _encoded(body)
        seconds = self.seconds if seconds is None else seconds
        request = Request(method=method, path=path, query=_query(query or {}), body=encoded, seconds=seconds)
        answer = yield from self._send(request, patience=patience, comes_back=comes_back)
        return _decoded(answer, kind)

    def _send(
        self,
        step: Request | Send | Open,
        *,
        patience: float | None = None,
        comes_back: bool = False,
        or_else: int | None = None,
        once: bool = False,
    ) -> Flow[Answer]:
        """Send, again while the server is away; what may have been done already is sent once alone.

        A server that has answered, and `comes_back`, is waited for much longer, also where it says itself
        that it can't work. An answer of status `or_else` is none of an error; one that
        breaks off is not asked for again with `once`. Who waits is told of a server
        that is away for longer than a moment, and that it is back.
        """
        repeatable = isinstance(step, Open | Send) or step.method in {"GET", "PUT"}
        begin, pause, is_told = time.monotonic(), 0.1, False
        while True:
            try:
                answer: Answer = yield step
                self._reached = True
                problem = _problem(answer)
                if problem is None or answer.status == or_else:
                    if is_told:
                        yield Tell(f"the server is back, after {time.monotonic() - begin:.0f} s")
                    return _checked(answer, step)
                ours = _said(answer) is not None  # else a proxy speaks, for a server that is away
                away = answer.status in _AWAY if ours == comes_back else comes_back
                later = answer.headers.get("retry-after", "")
                # Of ours it says that nothing was done; a proxy does not know that.
                busy = ours and later and answer.status == errors.Busy.status
                if not (busy or (repeatable and (away or later))):
                    raise problem
                pause, why = max(pause, _seconds(later)), str(problem)
            except Unreachable as unreachable:
                why = str(unreachable)
                problem = errors.NoServer(f"{unreachable}; is it running? `jupyter ra-jobs` starts one")
            except Broken as broken:
                why = f"the server went away before it answered ({broken})"
                problem = errors.ConnectionLost(
                    f"the server went away before it answered ({broken}); whether it did what was asked, "
                    "a look at the runs tells"
                )
                if once or not repeatable:
                    raise problem from broken
            waited = time.monotonic() - begin
            left = self._patience(patience, comes_back) - waited
            if left <= 0:
                raise problem
            if not is_told and waited >= _UNTOLD and left > _SOON:
                is_told = True
                until = time.strftime("%H:%M:%S", time.localtime(time.time() + left))
                runs = "; runs go on without it" if comes_back else ""
                yield Tell(f"{why}{runs}; it is looked for until {until}")
            spread = random.uniform(0.5, 1)  # noqa: S311 - so that many do not come at once
            yield Sleep(min(left, pause * spread, math.inf if is_told else max(_UNTOLD - waited, 0.1)))
            pause = min(2 * pause, _MOST_PAUSE)
            yield Find()

    def _patience(self, asked: float | None, comes_back: bool) -> float:
        """Seconds for which to look for a server that is away."""
        most = self.patience if asked is None else min(asked, self.patience)
        if comes_back:
            most = max(self.patience, _REUNION) if asked is None else asked
        return most if self._reached else min(most, _FIRST_PATIENCE)

    def _watch(
        self, path: str, kind: type[T], ended: Callable[[T], bool], name: str, timeout: float | None
    ) -> Emitting[T]:
        if isinstance(timeout, bool) or not isinstance(timeout, numbers.Real | None):
            raise errors.BadInput(f"timeout: must be a number of seconds, not {timeout!r:.100}")
        until = None if timeout is None else time.monotonic() + timeout
        last: T | None = None
        pause = _FIRST_LOOK
        known = self._reached  # or what is waited for may not be there at all
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            seconds = None if left is None else max(1.0, left)
            try:
                now = yield from self._ask(
                    "GET", path, kind, patience=left, comes_back=known, seconds=seconds
                )
                known = True
            except (errors.NoServer, errors.ConnectionLost, errors.Unavailable) as away:
                if not known or until is None:
                    raise
                raise errors.TimedOut(
                    f"{name} was not seen to end within {round(timeout, 2):g} seconds: {away}"
                ) from away
            if now != last:
                yield Emit(now)
                last, pause = now, _FIRST_LOOK
            if ended(now):
                return
            if until is not None and until <= time.monotonic():
                raise errors.TimedOut(f"{name} has not ended after {round(timeout, 2):g} seconds; it goes on")
            yield Sleep(pause if until is None else min(pause, max(0.0, until - time.monotonic())))
            pause = min(1.5 * pause, _LAST_LOOK)


# -- what is sent -----------------------------------------------------------------------------------


def _run(run_id: str, verb: str = "") -> str:
    return f"/runs/{_id(run_id)}{verb}"


def _sweep(sweep_id: str, verb: str = "") -> str:
    return f"/sweeps/{_id(sweep_id)}{verb}"


def _id(given: object) -> str:
    if not isinstance(given, str) or not given or given in {".", ".."}:
        raise errors.BadInput(f"an id is a string of twelve hex digits, not {given!r:.100}")
    return quote(given, safe="", errors="replace")


def _artifact(given: object) -> str:
    if not isinstance(given, str) or not given:
        raise errors.BadInput(f"an artifact's name is a string, not {given!r:.100}; artifacts() lists them")
    if {".", ".."} & set(given.split("/")):  # of an URL those are no names, but ways to another place
        raise errors.NotFound(f"there is no artifact {given!r:.100}; artifacts() lists them")
    return quote(given, safe="/", errors="replace")


def _whole(name: str, given: object) -> int:
    try:
        return operator.index(given)  # type: ignore[arg-type]
    except TypeError:
        raise errors.BadInput(f"{name}: must be a whole number, not {given!r:.100}") from None


def _statuses(given: object) -> str | None:
    if given is None or isinstance(given, str):
        return given
    if not isinstance(given, Iterable):
        raise errors.BadInput(f"status: must be a status, or several in a list, not {given!r:.100}")
    return ",".join(map(str, given))


def _query(given: Mapping[str, Any]) -> Query:
    return {name: _words(value) for name, value in given.items() if value is not None}


def _words(value: Any) -> str | list[str]:
    if isinstance(value, bool):
        return str(value).lower()
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)


def _encoded(body: Any) -> Body:
    try:
        return Body(msgspec.json.encode(body, enc_hook=_plain))
    except (TypeError, OverflowError, RecursionError, UnicodeError) as problem:
        raise errors.BadInput(f"this can't be sent as JSON: {problem}") from problem


def _plain(value: Any) -> Any:
    """A number of NumPy or of a tensor library as Python's own."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "size", None) == 1:
        return item()
    raise TypeError(f"{type(value).__name__} is no JSON type")


def _number(value: Any) -> Any:
    """JSON has no NaN: the server takes it, and the infinities, as texts."""
    if hasattr(value, "item") and not isinstance(value, int | float):
        value = value.item()
    return _NO_JSON.get(str(value), value) if isinstance(value, float) else value


# -- what comes back --------------------------------------------------------------------------------


def _part(name: str, flow: Flow[Any]) -> Flow[Any]:
    answer = yield from flow
    return getattr(answer, name)


def _gap_of(answer: Answer) -> LogGap | None:
    """What a download's header says of the log's gap."""
    said = re.fullmatch(r"bytes (\d+)-(\d+)", answer.headers.get("x-ra-log-gap", ""))
    return LogGap(int(said[1]), int(said[2]) + 1) if said else None


def _decoded(answer: Answer, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise _not_ours(answer) from problem


def _event(data: bytes) -> LogEvent:
    try:
        event = msgspec.json.decode(data, type=LogEvent)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise errors.Unavailable(f"an event of the log is not ours: {problem}") from problem
    if event.type == "error":
        raise errors.NotFound(event.error or "the log cannot be read")
    return event


def _checked(answer: Answer, step: Request | Send | Open) -> Answer:
    """An answer to what was asked for: another service may say 200 to everything."""
    kind = answer.headers.get("content-type", "")
    if isinstance(step, Open) and not kind.startswith("text/event-stream"):
        raise _not_ours(answer)
    return answer


def _not_ours(answer: Answer) -> errors.NoServer:
    kind = answer.headers.get("content-type", "no content type")
    return errors.NoServer(
        f"what answers at {answer.url} is not jupyter_ra_jobs (HTTP status {answer.status}, {kind}); is this "
        "the URL of the Jupyter server, with its base URL, and has that loaded jupyter_ra_jobs?"
    )


def _run_ended(run: Run) -> bool:
    if run.status is RunStatus.READY:
        raise errors.Conflict(
            f"run {run.id} has not been started, so there is no end to wait for; start it first"
        )
    return run.status in TERMINAL


def _sweep_ended(sweep: Sweep) -> bool:
    if sweep.status in ("draft", "pending"):
        raise errors.Conflict(
            f"sweep {sweep.id} is {sweep.status}, so there is no end to wait for; start it first"
        )
    return sweep.status in _SWEEP_ENDED


def _problem(answer: Answer) -> errors.RaJobsError | None:
    """The error that an answer tells of; also one that a proxy or Jupyter itself wrote."""
    if answer.status < 300:
        return None
    said = _said(answer)
    kind = _BY_STATUS.get(answer.status, errors.RaJobsError)
    if said is not None:
        more = f"; {_HOW_TO_LOG_IN}" if said.startswith("not logged in") else ""
        return kind(said + more)
    if answer.status < 400:
        to = answer.headers.get("location", "elsewhere")
        if "login" in to or "oauth" in to:
            return errors.Forbidden(f"{answer.url} wants a login by the server's token; {_HOW_TO_LOG_IN}")
        return errors.NoServer(
            f"{answer.url} has moved (HTTP status {answer.status}) to {to.partition('?')[0]}; use that"
        )
    if answer.status == 404:
        return _not_ours(answer)
    return kind(f"HTTP status {answer.status} from {answer.url}, which is no answer of jupyter_ra_jobs")


def _said(answer: Answer) -> str | None:
    """The message of an error of ours; None for one that somebody else wrote."""
    try:
        return msgspec.json.decode(answer.body, type=ErrorBody).message
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _seconds(retry_after: str) -> float:
    return min(float(retry_after), _MOST_PAUSE) if retry_after.isdecimal() else 0.0
