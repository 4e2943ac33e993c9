"""Logs by byte offset: pages of a file, and following it while it grows.

Offsets count the file's bytes, whatever they decode to. A *unit* is what one shown character comes from:
a UTF-8 character, or the bytes that `bytes.decode("utf-8", "replace")` shows as one U+FFFD. No page and no
chunk splits a unit, so that pieces put end to end are the whole file decoded. Units are found from the
few bytes around, so that a page of 10 GB costs what a page of 10 KB does: a byte outside 0x80-0xBF always
begins one, and the three bytes before another say whether it belongs to theirs.

A log that met its limit has a *gap*: its sidecar gave those bytes back to the disk. What is before the gap
reads as a file that ends there, what is behind it as one that begins there. The sidecar says so before it
does it: whoever looks for the gap *after* reading never takes a hole's zeros for output.
"""

import asyncio
import codecs
import errno
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from io import FileIO
from pathlib import Path
from typing import NamedTuple

import msgspec
from jupyter_ra_jobs_sidecar import spec

from jupyter_ra_jobs.errors import BadInput, NotFound
from jupyter_ra_jobs.models import LogGap, LogPage

CHUNK = 65_536
"""Bytes that a follower is given at most at once, but for the last character's rest."""

_LONGEST = 4  # bytes of the longest unit
_LONGEST_RECORD = 256  # bytes of what is said of a gap
_REFUSED = frozenset({errno.ELOOP, errno.ENXIO, errno.ENOTDIR, errno.EACCES, errno.EPERM})


def open_log(path: Path) -> FileIO | None:
    """The file, open to read, or None when there is none yet. NotFound when it is no regular file.

    A run can put anything where its log was. Without O_NONBLOCK a fifo would hold this thread for good; a
    link is not followed, since the server would show what it leads to under the log's name.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _REFUSED:
            raise NotFound(f"{path.name} can't be read: {error.strerror}") from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotFound(f"{path.name} is not a regular file")
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb", buffering=0)


def read_gap(path: Path, size: int) -> LogGap | None:
    """Which part of a log of `size` bytes is not there any more, if one is. Blocks."""
    try:
        record = open_log(path.with_name(path.name + spec.GAP))
        if record is None:
            return None
        with record:
            said = msgspec.json.decode(record.read(_LONGEST_RECORD), type=LogGap)
    except (OSError, NotFound, msgspec.DecodeError):  # it is not from our sidecar
        return None
    gap = LogGap(max(said.start, 0), min(said.end, size))
    return gap if gap.start < gap.end else None


def read_page(path: Path, offset: int, limit: int, *, ended: bool) -> LogPage:
    """The characters whose first byte lies in [offset, offset + limit). Blocks: call it in a thread.

    A negative `offset` counts from the end; one beyond the end is the end. The page's own `offset` is where
    its content really begins. While the log has not `ended`, a character of which only the first bytes are
    there is left out, as if the file stopped before it. No file is an empty page. BadInput for a limit
    below 1.

    Bytes in the gap are no content. A page that reaches into it goes on, by `next_offset`, behind it; one
    that lies in it is empty, and reaches from its start to its end. So it takes one step to walk over it,
    either way, and who trusts in numbers of their own meets each kept character once all the same.
    """
    if limit < 1:
        raise BadInput("limit must be at least 1")
    file = open_log(path)
    if file is None:
        return _page([], 0, 0, 0, None)
    with file:
        descriptor = file.fileno()
        size = os.fstat(descriptor).st_size
        if not ended:
            size -= _unfinished(descriptor, size)
        begin = min(offset if offset >= 0 else max(0, size + offset), size)
        base = max(0, begin - _LONGEST + 1)
        until = min(begin + limit + _LONGEST - 1, size)
        data = os.pread(descriptor, until - base, base)
    if len(data) < until - base:  # cut while we looked
        size = base + len(data)
        begin = min(begin, size)
    end = min(begin + limit, size)
    gap = read_gap(path, size)
    kept = [(0, size)] if gap is None else [(0, gap.start), (gap.end, size)]
    pieces = [
        _piece(data, base, low, high, max(begin, low), min(end, high))
        for low, high in kept
        if max(begin, low) < min(end, high)
    ]
    return _page(pieces, begin, end, size, gap)


class _Piece(NamedTuple):
    """Adjoining characters, and where their bytes are."""

    content: str
    start: int
    stop: int


def _piece(data: bytes, base: int, low: int, high: int, begin: int, end: int) -> _Piece:
    """The characters whose first byte lies in [begin, end), of a file that is [low, high) and no more.

    `data` holds what lies at `base`: these bytes, three before them and three after, where the file does.
    """
    base, data = max(base, low), data[max(0, low - base) : high - base]
    start, stop = _align(data, begin - base), _align(data, end - base)
    return _Piece(data[start:stop].decode("utf-8", "replace"), base + start, base + stop)


def _page(pieces: list[_Piece], begin: int, end: int, size: int, gap: LogGap | None) -> LogPage:
    start, stop = (pieces[0].start, pieces[-1].stop) if pieces else (begin, begin)
    if gap is not None and begin < gap.end and end > gap.start:
        start, stop = start if pieces else gap.start, max(stop, gap.end)
    return LogPage(
        content="".join(piece.content for piece in pieces),
        offset=start,
        total_size=size,
        has_more_before=start > 0,
        has_more_after=stop < size,
        next_offset=stop,
        gap=gap,
    )


def _unfinished(descriptor: int, size: int) -> int:
    """How many of the last bytes begin a character whose rest has not been written."""
    tail = os.pread(descriptor, min(size, _LONGEST - 1), max(0, size - _LONGEST + 1))
    return len(tail) - codecs.utf_8_decode(tail, "replace", False)[1]


def _align(data: bytes, at: int) -> int:
    """The first unit at or after `at`; `data` holds three bytes before it and after, where the file does."""
    for lead in range(at - 1, max(at - _LONGEST, -1), -1):
        if data[lead] & 0xC0 != 0x80:
            return max(at, lead + _unit_length(data[lead : lead + _LONGEST]))
    return at


def _unit_length(data: bytes) -> int:
    """Bytes of the unit that `data` begins with, as Python's own decoder has it."""
    try:
        return len(data.decode()[0].encode())
    except UnicodeDecodeError as error:
        return error.end if error.start == 0 else len(data[: error.start].decode()[0].encode())


class Chunk(msgspec.Struct, frozen=True, dict=True):
    """A piece of a growing log; all who wait at the same offset are given the same object."""

    content: str
    offset: int
    next_offset: int

    @cached_property
    def json(self) -> bytes:
        """The three fields as a JSON object, encoded once for all readers."""
        return msgspec.json.encode(self)


class Lost(msgspec.Struct, frozen=True):
    """Bytes that were given back to the disk before their reader came to them; it goes on behind them."""

    offset: int
    next_offset: int


class _Seen(NamedTuple):
    """What one look at a log from one cursor gave."""

    chunk: Chunk | Lost | None
    cursor: int
    more: bool  # there is more to read at once
    last: bool  # the log ended, and this is its end


_Want = tuple[Path, int, bool]  # a log, a cursor in it, and whether it had ended before the look


def _look(wants: Iterable[_Want]) -> list[_Seen | OSError | NotFound]:
    """Everything that a tick reads, in one go; what fails for one log is that log's. Blocks."""
    return [_look_at(*want) for want in wants]


def _look_at(path: Path, cursor: int, ended: bool) -> _Seen | OSError | NotFound:
    try:
        if _has_nothing_new(path, cursor):
            return _Seen(None, max(cursor, 0), more=False, last=ended)
        page = read_page(path, cursor, CHUNK, ended=ended)
        gap, at = page.gap, cursor if cursor >= 0 else page.offset
        if gap is not None and gap.start <= at < gap.end:
            return _Seen(Lost(at, gap.end), gap.end, more=True, last=False)
        if gap is not None and at < gap.start < page.next_offset:  # up to there first
            page = read_page(path, at, gap.start - at, ended=ended)
    except (OSError, NotFound) as error:
        return error
    chunk = Chunk(page.content, page.offset, page.next_offset) if page.content else None
    return _Seen(chunk, page.next_offset, page.has_more_after, last=ended and not page.has_more_after)


def _has_nothing_new(path: Path, cursor: int) -> bool:
    """Most looks find it so: this way they open nothing."""
    try:
        status = path.lstat()
    except FileNotFoundError:  # not there yet, or removed: it will be put back, with what was read before
        return True
    except OSError:  # opening it says what is wrong
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == cursor


class Follower(AsyncIterator[Chunk | Lost | None]):
    """One reader of a growing log, for one task. While its caller is busy elsewhere, it is a number."""

    def __init__(
        self, watcher: "LogWatcher", path: Path, offset: int, ended: Callable[[], bool], keepalive: float
    ) -> None:
        self.path = path
        self.hurry = True  # look without waiting for the next tick
        self._watcher = watcher
        self._cursor = offset
        self._ended = ended
        self._keepalive = keepalive
        self._quiet_until = 0.0
        self._finished = False
        self._answer: asyncio.Future[_Seen | None] | None = None

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> Chunk | Lost | None:
        if self._finished:
            raise StopAsyncIteration
        loop = asyncio.get_running_loop()
        self._quiet_until = loop.time() + self._keepalive
        self._answer = loop.create_future()
        self._watcher.add(self)
        try:
            seen = await self._answer
        finally:
            self._watcher.discard(self)
        if seen is None:
            return None
        # Moved only now, so that a caller that was cancelled finds the same bytes when it asks again.
        self._cursor, self.hurry, self._finished = seen.cursor, seen.more, seen.last
        if seen.chunk is None:
            raise StopAsyncIteration
        return seen.chunk

    def want(self, ended: dict[Path, bool]) -> _Want:
        """What to look at for it. Asks whether the run ended, so it must come before the look.

        `ended` is what others who follow the same log have asked already.
        """
        if self.path not in ended:
            ended[self.path] = self._ended()
        return self.path, self._cursor, ended[self.path]

    def take(self, seen: _Seen | Exception, now: float) -> None:
        """Hand over what a look found; with nothing new it goes on waiting."""
        if self._answer is None or self._answer.done():  # its caller has gone
            return
        if isinstance(seen, Exception):
            self._answer.set_exception(seen)
        elif seen.chunk is not None or seen.last:
            self._answer.set_result(seen)
        elif now >= self._quiet_until:
            self._cursor = seen.cursor
            self._answer.set_result(None)
        else:
            self._cursor = seen.cursor
            return
        self._watcher.discard(self)  # at once: a tick before its task runs would look from the old cursor

    def end(self) -> None:
        """There will be no more."""
        self.take(_Seen(None, self._cursor, more=False, last=True), 0.0)


class LogWatcher:
    """The one loop that polls all logs somebody follows, and runs only while somebody does.

    It polls, since inotify sees nothing on NFS. A tick is one hop into one thread of its own, however many
    read: nobody else's slow work delays it there. Use it from one event loop; `close()` at the end.
    """

    def __init__(self, interval: float = 0.05) -> None:
        self._interval = interval
        self._waiting: set[Follower] = set()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ra-jobs-logs")
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def follow(
        self, path: Path, offset: int, ended: Callable[[], bool], *, keepalive: float = 15.0
    ) -> Follower:
        """Iterate over the log's `Chunk`s as they come, and over None after each `keepalive` silent seconds.

        `offset` is taken as `read_page` takes it: to show the end first, read a page and follow from its
        `next_offset`. It ends when `ended()` and everything was given, or at `close()`. `ended` is asked at
        every tick, on the event loop, of one of those who follow a log: it must be cheap, and say the same.
        A log that isn't there, not yet or since somebody removed it, is waited for, and followed on from
        where its reader was. One that was cut is followed from its new end; that shows in the chunks'
        offsets. Who comes to the gap, or is so slow that the gap comes to them, is given a `Lost` in its
        place. One that was replaced by a longer file can't be told from one that grew. NotFound when it is
        no regular file.
        """
        return Follower(self, path, offset, ended, keepalive)

    def wake(self, path: Path) -> None:
        """Look at this log now: its run has just reported something."""
        for follower in self._waiting:
            if follower.path == path:
                follower.hurry = True
                self._wake.set()

    def close(self) -> None:
        """End every follower, also those that come later."""
        self._closed = True
        for follower in list(self._waiting):
            follower.end()
        self._wake.set()
        self._thread.shutdown(wait=False)

    def add(self, follower: Follower) -> None:
        """The follower waits from now on."""
        if self._closed:
            follower.end()
            return
        self._waiting.add(follower)
        if follower.hurry:
            self._wake.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._poll())

    def discard(self, follower: Follower) -> None:
        """The follower has what it waited for, or waits no more."""
        self._waiting.discard(follower)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while not self._closed:
                if loop.time() < due:
                    followers = [follower for follower in self._waiting if follower.hurry]
                    if followers:
                        await self._serve(followers)
                    else:
                        await self._sleep_until(due)
                elif self._waiting:
                    await self._serve(list(self._waiting))
                    due = loop.time() + self._interval  # from the tick's end: a slow disk gets its rest
                else:
                    return  # nobody came back for a whole interval
        except Exception as error:  # noqa: BLE001 - the loop's edge: whoever waits is told, or would wait for ever
            for follower in list(self._waiting):
                follower.take(error, 0.0)
        finally:
            self._task = None

    async def _serve(self, followers: list[Follower]) -> None:
        loop = asyncio.get_running_loop()
        groups: dict[_Want, list[Follower]] = {}
        ended: dict[Path, bool] = {}
        for follower in followers:
            follower.hurry = False
            try:
                want = follower.want(ended)
            except Exception as error:  # noqa: BLE001 - the caller's own function, so the caller gets it
                follower.take(error, 0.0)
            else:
                groups.setdefault(want, []).append(follower)
        found = await loop.run_in_executor(self._thread, _look, list(groups))
        now = loop.time()
        for group, seen in zip(groups.values(), found, strict=True):
            for follower in group:
                follower.take(seen, now)

    async def _sleep_until(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        self._wake.clear()
        timer = loop.call_at(due, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
