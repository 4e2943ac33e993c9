"""Calls for what a run writes: its log, metrics and artifacts."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from jupyter_ra_jobs import errors
from jupyter_ra_jobs.client.asking import FIRST_LOOK, LAST_LOOK, Asking
from jupyter_ra_jobs.client.decoding import event_of, gap_of, has_run_ended, not_ours
from jupyter_ra_jobs.client.encoding import name_in_path, number_of, run_path, whole_number
from jupyter_ra_jobs.client.steps import Answer, Emit, Emitting, Find, Flow, Next, Open, Request, Sleep
from jupyter_ra_jobs.models import Artifact, LogEvent, LogGap, LogMatches, LogPage, Message, Run, RunMetrics

T = TypeVar("T")
_PAGE, _MOST_TAIL = 100_000, 1_000_000
_PART = 4 * 1024 * 1024


class OutputCalls(Asking):
    """A run's output, as flows."""

    def log_page(self, run_id: str, *, offset: int | None = None, limit: int | None = None) -> Flow[LogPage]:
        """A page of the log by byte offset; a negative one counts from the end, none gives the end."""
        return self._ask("GET", run_path(run_id, "/logs"), LogPage, query={"offset": offset, "limit": limit})

    def tail(self, run_id: str, lines: int = 10) -> Flow[str]:
        """The last lines of the log; fewer if a line is longer than 1 MB. A line ends with `\\n`."""
        lines = whole_number("lines", lines)
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
        has_run_ended((yield from self._ask("GET", run_path(run_id), Run)))
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
        lines = whole_number("lines", lines)
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
            gap = gap_of(answer) or gap
            if gap is not None and start < gap.end and gap.start < stop:
                continue  # it grew into what we asked for, which came as zeros
            yield Emit(answer.body)
            start += len(answer.body)

    def _log_part(self, run_id: str, start: int, stop: int) -> Flow[Answer]:
        headers = {"range": f"bytes={start}-{stop - 1}", "accept-encoding": "identity"}
        return self._send(Request(method="GET", path=run_path(run_id, "/logs/download"), headers=headers))

    def _stream_log(self, run_id: str, offset: int, take: Callable[[LogEvent], Emitting[T]]) -> Emitting[T]:
        """Has `take` tell what is to be said of each event of the log's stream, over restarts, to its end."""
        has_begun = False
        while True:
            opened = time.monotonic()
            stream = Open(path=run_path(run_id, "/logs/stream"), query={"offset": str(offset)})
            yield from self._send(stream, comes_back=has_begun)
            has_begun = True
            while (data := (yield Next())) is not None:
                event = event_of(data)
                if event.type == "done":
                    return
                yield from take(event)
                offset = offset if event.next_offset is None else event.next_offset
            yield Sleep(LAST_LOOK if time.monotonic() - opened < LAST_LOOK else FIRST_LOOK)
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
        return self._ask("GET", run_path(run_id, "/logs/search"), LogMatches, query=query)

    def metrics(
        self, run_id: str, *, keys: Sequence[str] = (), points: int | None = None
    ) -> Flow[RunMetrics]:
        """The run's metrics, with `points` of each at most; all of them, or those that `keys` name."""
        query = {"keys": list(keys), "points": points}
        while True:  # the server reads its files bit by bit
            found = yield from self._ask("GET", run_path(run_id, "/metrics"), RunMetrics, query=query)
            if found.complete:
                return found
            yield Sleep(FIRST_LOOK)

    def log_metrics(self, run_id: str, rows: Sequence[Mapping[str, Any]]) -> Flow[Message]:
        """Add rows of numbers to the run's metrics; `step` or `epoch` says where they belong."""
        given = [{name: number_of(value) for name, value in row.items()} for row in rows]
        return self._ask("POST", run_path(run_id, "/metrics"), Message, body={"rows": given})

    def artifacts(self, run_id: str) -> Flow[list[Artifact]]:
        """The files that a run left behind."""
        return self._ask("GET", run_path(run_id, "/artifacts"), list[Artifact])

    def download(self, run_id: str, name: str | None, write: Callable[[bytes], object]) -> Flow[int]:
        """Hand an artifact, or without a name the log, to `write` in parts; returns how many bytes.

        Raises Conflict if the file changes meanwhile; a log may grow.
        """
        path = run_path(run_id, "/logs/download" if name is None else f"/artifacts/{name_in_path(name)}")
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
                yield Sleep(FIRST_LOOK)
                continue
            if answer.status == 416 and done == 0:  # an empty file has no first byte
                return 0
            version = answer.headers.get("etag", "")
            if answer.status == 416 or (name is not None and version != (first := first or version)):
                raise errors.Conflict(
                    f"{name or 'the log'} was changed while it was downloaded; do it again once it is written"
                )
            if "attachment" not in answer.headers.get("content-disposition", ""):
                raise not_ours(answer)
            write(answer.body)
            done += len(answer.body)
            total = int(answer.headers.get("content-range", f"/{done}").rpartition("/")[2])
            if not answer.body:  # cut between its headers and its body
                total = done
            if size == _PART:
                good = time.monotonic()
            size = _PART
        return done
