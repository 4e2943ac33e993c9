"""Searching a log, newest lines first, in a process that can be killed: `_search_worker.py` does the work."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from jupyter_ra_jobs.errors import BadInput, RaJobsError, Unavailable
from jupyter_ra_jobs.logs import open_log, read_gap
from jupyter_ra_jobs.models import LogGap, LogMatch, LogMatches

LONGEST_QUERY = 1_000
"""Characters. The worker's overlap holds a longer one easily, but nobody means to search for one."""

_WORKER = Path(__file__).with_name("_search_worker.py")
_GRACE = 2.0  # seconds beyond its budget after which a worker is killed that its own alarm did not end


class _Word(msgspec.Struct):
    """One line of a worker; it says one of these."""

    at: int | None = None
    match: LogMatch | None = None
    end: int | None = None
    bad: str | None = None
    complete: bool | None = None


@dataclass
class _Heard:
    """All that a worker said."""

    matches: list[LogMatch] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Where the lines of the matches end."""
    start: int | None = None
    at: int | None = None
    bad: str | None = None
    complete: bool | None = None

    def hear(self, word: _Word) -> None:
        if word.match is not None:
            self.matches.append(word.match)
            self.ends.append(word.end or 0)
            self.at = word.match.offset
        elif word.at is not None:
            self.start = word.at if self.start is None else self.start
            self.at = word.at
        elif word.bad is not None:
            self.bad = word.bad
        else:
            self.complete = word.complete

    def page(self, gap: LogGap | None) -> LogMatches | None:
        """What was found, or None when nothing was finished and `before` stays where it is.

        `gap` is what has gone by now. Where it came under the worker, that has met zeros: those lines are
        left out.
        """
        if self.complete is None and self.at == self.start:
            return None
        matches, complete = self.matches, bool(self.complete)
        if gap is not None:
            matches = [
                match
                for match, end in zip(matches, self.ends, strict=True)
                if end <= gap.start or match.offset >= gap.end
            ]
        next_before = None if complete else self.at
        return LogMatches(matches=matches, next_before=next_before, complete=complete, gap=gap)


class LogSearch:
    """Searches in logs, at most `workers` at once; the others wait. `close()` at the end kills them.

    A worker reads `block` bytes at a time. A line longer than that is searched in pieces of a block and
    an `overlap`, each as if it were a line; a match longer than the overlap may be missed there.
    """

    def __init__(self, workers: int = 2, *, block: int = 1 << 20, overlap: int = 1 << 16) -> None:
        self._slots = asyncio.Semaphore(workers)
        self._block = block
        self._overlap = overlap
        self._running: set[Process] = set()
        self._closed = False

    async def search(
        self,
        path: Path,
        query: str,
        *,
        regex: bool,
        ignore_case: bool,
        before: int | None,
        limit: int,
        budget: float = 10.0,
    ) -> LogMatches:
        """Up to `limit` lines that hold `query`, newest first, of those that end at `before` or earlier.

        `before` None, or beyond the end, is the end. To go on, pass `next_before` as `before`. When the
        `budget` of seconds is over, it is what was found until then, with a `next_before` to go on from.

        What is in the log's gap is not found, and ends the lines that it has cut, as the log's two ends do.
        A line ends at a newline alone; its "\\n" or "\\r\\n" is no part of it. `regex` is Python's `re`, each
        byte that is not UTF-8 being one character to it. Case is ignored as `re.IGNORECASE` does, with or
        without `regex`. A line is shown cut to 2,000 characters around the match.

        BadInput for a query that can't be used, and for a pattern that spends the whole budget on one
        line. NotFound when the log is no regular file; no file is an empty log. When the caller is
        cancelled, the worker is killed and reaped before this returns.
        """
        _check(query, regex, before, limit)
        async with self._slots:
            file = await asyncio.to_thread(open_log, path)  # a caller cancelled here lets go of it, closed
            if file is None:
                return LogMatches(matches=[], next_before=None, complete=True)
            with file:
                gap = await asyncio.to_thread(read_gap, path, os.fstat(file.fileno()).st_size)
                task = {
                    "descriptor": file.fileno(),
                    "gap": (gap.start, gap.end) if gap is not None else (0, 0),
                    "query": query,
                    "regex": regex,
                    "ignore_case": ignore_case,
                    "before": before,
                    "limit": limit,
                    "budget": budget,
                    "block": self._block,
                    "overlap": self._overlap,
                }
                arguments = [sys.executable, "-I", "-S", "-W", "ignore", str(_WORKER)]
                worker = await asyncio.create_subprocess_exec(
                    *arguments, stdin=PIPE, stdout=PIPE, pass_fds=[file.fileno()]
                )
                heard = await self._hear_out(worker, json.dumps(task).encode(), budget)
                gap = await asyncio.to_thread(read_gap, path, os.fstat(file.fileno()).st_size)
        page = heard.page(gap)
        if page is not None:
            return page
        if heard.bad is not None:
            raise BadInput(heard.bad)
        if self._closed:
            raise Unavailable("the server is closing")
        if worker.returncode in (-signal.SIGALRM, -signal.SIGKILL):
            place = "at the end" if heard.at is None else f"that ends at offset {heard.at}"
            raise BadInput(f"the pattern takes too long on the line {place}: simplify it")
        raise RaJobsError(f"the search ended with exit code {worker.returncode}")

    def close(self) -> None:
        """Kill all workers; who waits for one gets what it had found, or Unavailable."""
        self._closed = True
        for worker in self._running:
            _kill(worker)

    async def _hear_out(self, worker: Process, task: bytes, budget: float) -> _Heard:
        assert worker.stdin is not None
        assert worker.stdout is not None
        heard = _Heard()
        timer = asyncio.get_running_loop().call_later(budget + _GRACE, _kill, worker)
        self._running.add(worker)
        try:
            if self._closed:
                _kill(worker)
            worker.stdin.write(task)
            worker.stdin.close()
            async for line in worker.stdout:
                if line.endswith(b"\n"):  # the last word of a killed worker may be half a word
                    heard.hear(msgspec.json.decode(line, type=_Word))
            await worker.wait()
        finally:
            timer.cancel()
            self._running.discard(worker)
            _kill(worker)
            await worker.communicate()
        return heard


def _kill(worker: Process) -> None:
    if worker.returncode is None:
        with suppress(ProcessLookupError):
            worker.kill()


def _check(query: str, regex: bool, before: int | None, limit: int) -> None:
    if not query:
        raise BadInput("the query is empty")
    if len(query) > LONGEST_QUERY:
        raise BadInput(f"the query is longer than {LONGEST_QUERY:,} characters")
    if "\n" in query and not regex:
        raise BadInput("a search looks at one line at a time: the query can't hold a line break")
    if any("\ud800" <= c <= "\udfff" for c in query):
        raise BadInput("the query holds half a surrogate pair, which is no character")
    if before is not None and before < 0:
        raise BadInput("before can't be negative")
    if limit < 1:
        raise BadInput("limit must be at least 1")
