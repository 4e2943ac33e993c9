"""Server-sent events, in the form that the contract asks for.

Each event is a block of its own with one `data:` line; the cursor is another block, `id:`; a sign of
life is a comment block.
"""

import asyncio
import re
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from tornado.iostream import IOStream, StreamClosedError

from jupyter_ra_jobs.errors import BadInput, Busy
from jupyter_ra_jobs.handlers.base import Handler

SIGN_OF_LIFE = b": still here\n\n"
_NUMBER = re.compile("[0-9]{1,19}")
_HELD_READY = 128 * 1024
"""Bytes in the kernel that a reader has no room for yet; by itself it takes 4 MB of them a connection."""


class StreamHandler(Handler):
    """A route that answers with an event stream."""

    _streaming: "asyncio.Future[None] | None" = None

    async def stream(self, events: Coroutine[Any, Any, None], logs: int = 0) -> None:
        """Run `events`, which sends, until it is done or the reader has gone. Raises Busy.

        It counts as one stream, and so does each of the logs that it tells of beside.
        """
        services, count = self.services, 1 + logs
        if services.open_streams + count > (most := services.settings.max_streams):
            events.close()
            raise Busy(f"{services.open_streams} streams are open, and no more than {most} may be at once")
        services.open_streams += count
        try:
            with self._patience():
                await self._stream(events)
        finally:
            services.open_streams -= count

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """While this lasts, a reader that takes nothing is left, and little is held ready for a slow one.

        The kernel sees to both. It closes the connection when its reader's window has been shut, or nothing
        has been acknowledged, for so long (tcp(7), TCP_USER_TIMEOUT); we see that as a reader that has gone.
        """
        connection: Any = self.request.connection
        stream: IOStream = connection.stream
        if stream.closed() or stream.socket.family == socket.AF_UNIX:  # a local reader, whom this is not for
            yield
            return
        patience = int(self.services.settings.stream_patience * 1000)
        stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience)
        stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _HELD_READY)
        try:
            yield
        finally:
            if not stream.closed():  # the next request on it may be a download, which one can pause
                stream.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 0)

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

    async def send(self, event: object, cursor: int | str | None = None) -> None:
        """One event, then where it leaves its reader; returns when the network has taken it."""
        await self.send_encoded(msgspec.json.encode(event), cursor)

    async def send_encoded(self, event: bytes, cursor: int | str | None = None) -> None:
        """The same for what is JSON already."""
        block = b"" if cursor is None else f"id: {cursor}\n\n".encode()
        self.write(b"data: " + event + b"\n\n" + block)
        await self.flush()

    async def send_sign_of_life(self) -> None:
        """So that proxies keep the connection, and we notice when it is dead."""
        self.write(SIGN_OF_LIFE)
        await self.flush()

    def cursor(self, asked: int | None = None) -> int | None:
        """Where the reader left off: a reconnecting browser's word counts more than the URL's."""
        given = self.last_event_id(_NUMBER)
        return asked if given is None else int(given)

    def last_event_id(self, form: re.Pattern[str]) -> str | None:
        """The cursor that a reconnecting browser sends, if it does. BadInput when it has not this form."""
        given = self.request.headers.get("Last-Event-ID")
        if given and not form.fullmatch(given):
            raise BadInput(f"Last-Event-ID: {given[:50]!r} is not a cursor of this stream")
        return given or None

    def on_connection_close(self) -> None:
        """The reader has gone: whoever waits to write to it need not."""
        super().on_connection_close()
        if self._streaming is not None:
            self._streaming.cancel()


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Run them all at once, to the end of the last. When one fails, or we are cancelled, none goes on."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
