"""What changes, and what is written to logs: one event stream for all that a page shows."""

import asyncio
import re
import time
from collections.abc import Iterable
from contextlib import aclosing
from typing import Annotated

from msgspec import Meta, Struct

from jupyter_ra_jobs.changes import came
from jupyter_ra_jobs.errors import BadInput
from jupyter_ra_jobs.feed import Event
from jupyter_ra_jobs.handlers.base import operation
from jupyter_ra_jobs.handlers.streams import StreamHandler, together

_COALESCE = 0.05
_REST = 10  # times what a look took
_SIGN_OF_LIFE = 15.0
_BATCH = 100
_CATCH_UP = 1_000
_MOST_LOGS = 20
_RUN, _NUMBER = "[A-Za-z0-9_-]{1,64}", "[0-9]{1,19}"
_CURSOR = re.compile(f"{_NUMBER}(,{_RUN}@{_NUMBER}){{0,{_MOST_LOGS}}}")

_Log = Annotated[str, Meta(pattern=f"^{_RUN}(@{_NUMBER})?$")]


class EventsQuery(Struct, frozen=True, kw_only=True):
    """Where to begin, and which logs to tell of."""

    since: Annotated[int, Meta(ge=0, description="A cursor of this stream; else from now on.")] | None = None
    log: Annotated[
        list[_Log],
        Meta(
            max_length=_MOST_LOGS,
            description="Runs whose logs to follow too. `RUN` begins with the end of its log, "
            "`RUN@OFFSET` at that byte.",
        ),
    ] = []


class _Place(Struct):
    """How far a reader has come: in the changes, and in each log of which it was told where it is."""

    changes: int
    logs: dict[str, int]

    def __str__(self) -> str:
        """The stream's cursor, as `_CURSOR` has it."""
        return ",".join([str(self.changes), *(f"{run_id}@{offset}" for run_id, offset in self.logs.items())])


class EventsHandler(StreamHandler):
    """What changes, as it changes: one connection a tab."""

    def initialize(self) -> None:
        """The changes and each log have a task, which take turns at an event: asyncio's locks are fair."""
        self._turn = asyncio.Lock()

    @operation(
        "Follow all changes, and logs",
        action="read",
        query=EventsQuery,
        answer=Event,
        errors=(400, 404),
        media_type="text/event-stream",
    )
    async def get(self, query: EventsQuery) -> None:
        """Runs, alerts and sweeps. A slow reader gets the newest state of each, not each step of it.

        Of the logs that are asked for, all that `/runs/{run_id}/logs/stream` tells; the stream goes on when
        they are done. The `id:` holds a byte offset of each, `123,RUN@456`: who comes back with it, as
        `Last-Event-ID`, goes on there. Which logs are told of, the URL says, and where one begins that the
        `id:` does not name.
        """
        since, logs = self._left_off(query)
        for run_id in logs:
            self.services.store.status(run_id)  # else NotFound
        await self.stream(self._events(since, logs), len(logs))

    def _left_off(self, query: EventsQuery) -> tuple[int | None, dict[str, int | None]]:
        logs = _offsets(query.log)
        cursor = self.last_event_id(_CURSOR)
        if cursor is None:
            return query.since, logs
        changes, *others = cursor.split(",")
        reached = _offsets(others)
        return int(changes), {run_id: reached.get(run_id, asked) for run_id, asked in logs.items()}

    async def _events(self, since: int | None, logs: dict[str, int | None]) -> None:
        newest = self.services.store.rev()
        if since is None or since > newest:
            since = newest
        elif newest - since > _CATCH_UP:
            since = newest
            await self.send(Event(type="reset"))
        place = _Place(since, {run_id: offset for run_id, offset in logs.items() if offset is not None})
        self.write(f"id: {place}\n\n")
        await self.flush()
        await together(
            self._tell_changes(place), *(self._tell_log(place, run_id, logs[run_id]) for run_id in logs)
        )

    async def _tell_changes(self, place: _Place) -> None:
        feed, changes = self.services.feed, self.services.changes
        while not changes.closed:
            ring = changes.next
            looked_at = time.monotonic()
            batch = feed.since(place.changes, _BATCH)
            cost = time.monotonic() - looked_at
            for event, cursor in batch:
                async with self._turn:
                    place.changes = cursor
                    await self.send(event, str(place))
                await asyncio.sleep(0)  # a network that takes all at once lets nobody else have a turn
            if len(batch) >= _BATCH:
                continue
            if not await came(ring, _SIGN_OF_LIFE):
                async with self._turn:
                    await self.send_sign_of_life()
            elif not changes.closed:
                # A burst of changes is looked at once; what costs much, a sweep of 10,000 runs, more seldom.
                await asyncio.sleep(max(_COALESCE, _REST * cost))

    async def _tell_log(self, place: _Place, run_id: str, offset: int | None) -> None:
        path = self.services.layout.log(run_id)
        async with aclosing(self.services.log_streams.events(run_id, path, offset)) as events:
            async for told in events:
                if told is None:  # the changes have their own sign of life
                    continue
                async with self._turn:
                    if told.cursor is not None:
                        place.logs[run_id] = told.cursor
                    await self.send_encoded(_of_log(run_id, told.json), str(place))


def _offsets(asked: Iterable[str]) -> dict[str, int | None]:
    """By run, from `RUN` or `RUN@OFFSET`. Raises BadInput for one that is named twice."""
    offsets: dict[str, int | None] = {}
    for each in asked:
        run_id, _, offset = each.partition("@")
        if run_id in offsets:
            raise BadInput(f"log: run {run_id} is named twice")
        offsets[run_id] = int(offset) if offset else None
    return offsets


def _of_log(run_id: str, event: bytes) -> bytes:
    """An `Event` around the JSON of a log's; nothing in an id needs to be escaped."""
    return b'{"type":"log","run_id":"%s","log":%s}' % (run_id.encode(), event)
