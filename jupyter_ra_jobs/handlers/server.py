"""What is about the server as a whole: health, changes, and the contract's own description."""

import asyncio
import time
from typing import Annotated, Any

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated
from msgspec import Meta, Struct

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.changes import came
from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.feed import Event
from jupyter_ra_jobs.handlers.base import Handler, Operation, operation
from jupyter_ra_jobs.handlers.streams import StreamHandler
from jupyter_ra_jobs.models import Health

_COALESCE = 0.05
_REST = 10  # times what a look took
_SIGN_OF_LIFE = 15.0
_BATCH = 100
_CATCH_UP = 1_000


class HealthHandler(Handler):
    """The one route that answers everybody."""

    @allow_unauthenticated
    async def get(self) -> None:
        """To who isn't logged in, that the server lives, and no more."""
        health = Health(status="ok", version=__version__)
        if self.current_user:
            try:
                tmux = await self.services.launcher.check()
            except RaJobsError as problem:
                tmux = f"unavailable: {problem}"
            health = msgspec.structs.replace(
                health,
                workdir=str(self.services.layout.workdir),
                tmux=tmux,
                counts=self.services.store.counts(),
            )
        self.finish(msgspec.json.encode(health))

    get.operation = Operation(  # type: ignore[attr-defined]
        summary="Health; more of it for who is logged in", action="read", answer=Health, public=True
    )


class SessionsHandler(Handler):
    """A part of the existing UI's product that is not ours."""

    @operation("Chat sessions: none here", action="read", answer=list[str])
    async def get(self) -> list[str]:
        """Empty: a failure would send the UI to its settings page."""
        return []


class EventsQuery(Struct, frozen=True, kw_only=True):
    """Where to begin."""

    since: Annotated[int, Meta(ge=0, description="A cursor of this stream; else from now on.")] | None = None


class EventsHandler(StreamHandler):
    """What changes, as it changes: one connection a tab."""

    @operation(
        "Follow all changes",
        action="read",
        query=EventsQuery,
        answer=Event,
        errors=(400,),
        media_type="text/event-stream",
    )
    async def get(self, query: EventsQuery) -> None:
        """Runs, alerts and sweeps. A slow reader gets the newest state of each, not each step of it."""
        await self.stream(self._events(self.cursor(query.since)))

    async def _events(self, cursor: int | None) -> None:
        feed, changes = self.services.feed, self.services.changes
        newest = self.services.store.rev()
        if cursor is None or cursor > newest:
            cursor = newest
        elif newest - cursor > _CATCH_UP:
            cursor = newest
            await self.send(Event(type="reset"))
        self.write(f"id: {cursor}\n\n")
        await self.flush()
        while not changes.closed:
            ring = changes.next
            looked_at = time.monotonic()
            batch = feed.since(cursor, _BATCH)
            cost = time.monotonic() - looked_at
            for event, cursor in batch:
                await self.send(event, cursor)
            if len(batch) >= _BATCH:
                continue
            if not await came(ring, _SIGN_OF_LIFE):
                await self.send_sign_of_life()
            elif not changes.closed:
                # A burst of changes is looked at once; what costs much, a sweep of 10,000 runs, more seldom.
                await asyncio.sleep(max(_COALESCE, _REST * cost))


class OpenApiHandler(Handler):
    """The contract, from the code that serves it."""

    @operation("This document", action="read", answer=dict[str, Any])
    async def get(self) -> dict[str, Any]:
        """OpenAPI 3.1."""
        from jupyter_ra_jobs.handlers import ROUTES
        from jupyter_ra_jobs.handlers.openapi import document

        return document(ROUTES)
