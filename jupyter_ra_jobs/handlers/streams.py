"""Server-sent events, in the form that the contract asks for.

Each event is a block of its own with one `data:` line; the cursor is another block, `id:`; a sign of
life is a comment block.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import msgspec
from tornado.iostream import StreamClosedError

from jupyter_ra_jobs.errors import BadInput, Busy
from jupyter_ra_jobs.handlers.base import Handler

SIGN_OF_LIFE = b": still here\n\n"


class StreamHandler(Handler):
    """A route that answers with an event stream."""

    _streaming: "asyncio.Future[None] | None" = None

    async def stream(self, events: Coroutine[Any, Any, None]) -> None:
        """Run `events`, which sends, until it is done or the reader has gone. Raises Busy."""
        slots = self.services.stream_slots
        if slots.locked():
            events.close()
            raise Busy(f"{self.services.settings.max_streams} streams are open, and more may not be at once")
        async with slots:
            await self._stream(events)

    async def _stream(self, events: Coroutine[Any, Any, None]) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Accel-Buffering", "no")  # a proxy must not hold events back
        self._streaming = asyncio.ensure_future(events)
        try:
            await self._streaming
        except (StreamClosedError, asyncio.CancelledError):
            if not self._streaming.done():  # it is we who are cancelled
                self._streaming.cancel()
                raise

    async def send(self, event: object, cursor: int | None = None) -> None:
        """One event, then where it leaves its reader; returns when the network has taken it."""
        await self.send_encoded(msgspec.json.encode(event), cursor)

    async def send_encoded(self, event: bytes, cursor: int | None = None) -> None:
        """The same for what is JSON already."""
        self.write(b"data: " + event + b"\n\n" + (b"id: %d\n\n" % cursor if cursor is not None else b""))
        await self.flush()

    async def send_sign_of_life(self) -> None:
        """So that proxies keep the connection, and we notice when it is dead."""
        self.write(SIGN_OF_LIFE)
        await self.flush()

    def cursor(self, asked: int | None = None) -> int | None:
        """Where the reader left off: a reconnecting browser's word counts more than the URL's."""
        given = self.request.headers.get("Last-Event-ID")
        if not given:
            return asked
        if not (given.isascii() and given.isdigit() and len(given) < 20):
            raise BadInput(f"Last-Event-ID: {given[:50]!r} is not a cursor of this stream")
        return int(given)

    def on_connection_close(self) -> None:
        """The reader has gone: whoever waits to write to it need not."""
        super().on_connection_close()
        if self._streaming is not None:
            self._streaming.cancel()
