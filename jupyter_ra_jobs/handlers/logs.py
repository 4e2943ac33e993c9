"""A run's logs: pages, live streams, the whole file, and a search through it."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct
from tornado import web

from jupyter_ra_jobs.errors import NotFound
from jupyter_ra_jobs.handlers.base import Handler, operation
from jupyter_ra_jobs.handlers.downloads import DownloadHandler
from jupyter_ra_jobs.handlers.streams import StreamHandler
from jupyter_ra_jobs.logs import open_log, read_gap, read_page
from jupyter_ra_jobs.models import LogEvent, LogGap, LogMatches, LogPage
from jupyter_ra_jobs.run_verbs import MAX_LISTED
from jupyter_ra_jobs.states import TERMINAL


class PageQuery(Struct, frozen=True, kw_only=True):
    """Which bytes of the log."""

    offset: Annotated[int | None, Meta(description="In bytes; negative: from the end.")] = None
    limit: Annotated[int, Meta(ge=1)] | None = None


class StreamQuery(Struct, frozen=True, kw_only=True):
    """Where to begin."""

    offset: Annotated[int, Meta(ge=0)] | None = None


class SearchQuery(Struct, frozen=True, kw_only=True):
    """What to look for."""

    q: Annotated[str, Meta(min_length=1, max_length=1000)]
    regex: bool = False
    ignore_case: bool = True
    before: Annotated[int, Meta(ge=0)] | None = None
    limit: Annotated[int, Meta(ge=1, description="At most 1,000; a higher one is lowered.")] = 100


class LogRoute:
    """Which of a run's two logs a route is about."""

    services: Any
    which: str

    def initialize(self, which: str) -> None:
        """`log` or `sidecar_log`."""
        self.which = which

    def path_of(self, run_id: str) -> Path:
        """The log of a run that exists, else NotFound."""
        self.services.store.status(run_id)
        path: Path = getattr(self.services.layout, self.which)(run_id)
        return path

    def ended(self, run_id: str) -> bool:
        """Whether the log is complete. To be asked before its last bytes are read."""
        return self.services.store.status(run_id) in TERMINAL


class LogPageHandler(LogRoute, Handler):
    """Pages by byte offset."""

    @operation("Read a page of a log", action="read", query=PageQuery, answer=LogPage, errors=(400, 404))
    async def get(self, run_id: str, query: PageQuery) -> LogPage:
        """The characters whose first byte lies in the asked range."""
        settings = self.services.settings
        path, ended = self.path_of(run_id), self.ended(run_id)
        usual = min(settings.log_page_bytes, settings.log_page_max_bytes)
        limit = min(query.limit or usual, settings.log_page_max_bytes)
        offset = -usual if query.offset is None else query.offset
        return await asyncio.to_thread(read_page, path, offset, limit, ended=ended)


class LogStreamHandler(LogRoute, StreamHandler):
    """The log as it is written."""

    @operation(
        "Follow a log",
        action="read",
        query=StreamQuery,
        answer=LogEvent,
        errors=(400, 404),
        media_type="text/event-stream",
    )
    async def get(self, run_id: str, query: StreamQuery) -> None:
        """Ends with `done` when the run has ended and all was sent."""
        cursor = self.cursor(query.offset)
        await self.stream(self._events(run_id, self.path_of(run_id), cursor))

    async def _events(self, run_id: str, path: Path, cursor: int | None) -> None:
        streams = self.services.log_streams
        if cursor is None:  # by itself, so that a log that can't be read is a 404
            initial = await streams.initial(run_id, path)
            await self.send_encoded(*initial)
            cursor = initial.cursor
        async with aclosing(streams.events(run_id, path, cursor)) as events:
            async for told in events:
                if told is None:
                    await self.send_sign_of_life()
                else:
                    await self.send_encoded(*told)


class LogSearchHandler(LogRoute, Handler):
    """Search on the server, through the whole file."""

    @operation("Search a log", action="read", query=SearchQuery, answer=LogMatches, errors=(400, 404))
    async def get(self, run_id: str, query: SearchQuery) -> LogMatches | None:
        """Newest lines first."""
        self._search = asyncio.ensure_future(
            self.services.log_search.search(
                self.path_of(run_id),
                query.q,
                regex=query.regex,
                ignore_case=query.ignore_case,
                before=query.before,
                limit=min(query.limit, MAX_LISTED),
                budget=self.services.settings.log_search_seconds,
            )
        )
        try:
            matches: LogMatches = await self._search
        except asyncio.CancelledError:  # the caller has gone
            return None
        return matches

    def on_connection_close(self) -> None:
        """Nobody waits for the answer: stop searching."""
        super().on_connection_close()
        self._search.cancel()


class LogDownloadHandler(LogRoute, DownloadHandler):  # type: ignore[misc]
    """The file itself, or a range of it, as it is at the moment of asking."""

    @operation(
        "Download a log",
        action="read",
        answer=bytes,
        errors=(404, 416),
        media_type="application/octet-stream",
    )
    async def get(self, run_id: str, include_body: bool = True) -> None:  # type: ignore[override]
        """As an attachment, never as anything that a browser would run.

        The gap of a log that met its limit reads as zeros; the header X-RA-Log-Gap says where, as
        Content-Range would. One that grows into what is being sent breaks the connection off: the next
        answer's header tells of it.
        """
        path = self.path_of(run_id)
        file = await asyncio.to_thread(open_log, path)
        if file is None:
            raise NotFound(f"run {run_id} has no log")
        self._path, self._gap = path, await asyncio.to_thread(read_gap, path, os.fstat(file.fileno()).st_size)
        if self._gap is not None:
            self.set_header("X-RA-Log-Gap", f"bytes {self._gap.start}-{self._gap.end - 1}")
        await self.send_file(file, f"{run_id}-{path.name}", include_body)

    def is_as_told(self, start: int, end: int) -> bool:
        """Whether no output was given back to the disk before it was read; a log may grow."""
        return _cut(read_gap(self._path, end), start, end) == _cut(self._gap, start, end)

    @web.authenticated
    async def head(self, run_id: str) -> None:  # type: ignore[override]
        """The headers alone."""
        await self.get(run_id, False)


def _cut(gap: LogGap | None, start: int, end: int) -> range:
    """Which of these bytes lie in the gap."""
    return range(0) if gap is None else range(max(gap.start, start), min(gap.end, end))
