"""A log as events for one reader: where it begins, what is written, how it ends."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import msgspec

from jupyter_ra_jobs.changes import Changes
from jupyter_ra_jobs.errors import NotFound
from jupyter_ra_jobs.logs import Chunk, LogWatcher, Lost, read_page
from jupyter_ra_jobs.models import LogEvent
from jupyter_ra_jobs.states import TERMINAL
from jupyter_ra_jobs.store import Store


class Told(NamedTuple):
    """A LogEvent as JSON, and the byte that it leads its reader to, if it leads anywhere."""

    json: bytes
    cursor: int | None = None


class LogStreams:
    """What all streams that tell of logs have in common."""

    def __init__(self, store: Store, watcher: LogWatcher, changes: Changes, *, begin_bytes: int) -> None:
        self._store = store
        self._watcher = watcher
        self._changes = changes
        self._begin_bytes = begin_bytes

    async def initial(self, run_id: str, path: Path) -> Told:
        """The log's end, to begin with. OSError or NotFound when it can't be read."""
        ended, size = self._ended(run_id), self._begin_bytes
        page = await asyncio.to_thread(read_page, path, -size, size, ended=ended)
        event = LogEvent(
            type="initial",
            content=page.content,
            offset=page.offset,
            next_offset=page.next_offset,
            gap=page.gap,
        )
        return Told(msgspec.json.encode(event), page.next_offset)

    async def events(self, run_id: str, path: Path, cursor: int | None) -> AsyncGenerator[Told | None, None]:
        """All from the byte `cursor` on, or from an `initial`; None after each 15 s without anything.

        The last one is `done` or `error`; neither comes when the server ends, for the reader goes on with
        the next one.
        """
        if self._changes.closed:
            return
        try:
            if cursor is None:
                initial = await self.initial(run_id, path)
                cursor = initial.cursor
                yield initial
            async for chunk in self._watcher.follow(path, cursor or 0, lambda: self._ended(run_id)):
                yield None if chunk is None else _told(chunk)
        except (OSError, NotFound) as problem:
            yield Told(msgspec.json.encode(LogEvent(type="error", error=str(problem))))
            return
        if not self._changes.closed:
            yield Told(msgspec.json.encode(LogEvent(type="done", status=self._store.status(run_id))))

    def _ended(self, run_id: str) -> bool:
        """Whether the log is complete. To be asked before its last bytes are read."""
        return self._store.status(run_id) in TERMINAL


def _told(chunk: Chunk | Lost) -> Told:
    if isinstance(chunk, Lost):
        gap = LogEvent(type="gap", offset=chunk.offset, next_offset=chunk.next_offset)
        return Told(msgspec.json.encode(gap), chunk.next_offset)
    # Its JSON is encoded once, however many read it.
    return Told(b'{"type":"delta",' + chunk.json[1:], chunk.next_offset)
