"""Bodies that are too large for memory: taken in as they come."""

import asyncio
from typing import Any, cast

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.http1connection import HTTP1Connection

from jupyter_ra_jobs.errors import BadInput, RaJobsError
from jupyter_ra_jobs.files import Upload
from jupyter_ra_jobs.handlers.base import RESOURCE, Handler, Operation

_PART = 1 << 20
_DRAINED = 4 << 20


@web.stream_request_body
class UploadHandler(Handler):
    """Takes the body of an operation declared with `upload` into what `begin` returns.

    Who may not, or sends what can't be taken, hears so before a byte is on the disk; of a short body when
    it is over, since who is still sending may not listen.
    """

    _problem: Exception | None = None
    _upload: Upload | None = None
    _closed = False

    async def begin(self, length: int) -> Upload:
        """Where a body of so many bytes goes; raises what is against it."""
        raise NotImplementedError

    async def prepare(self) -> None:  # type: ignore[override]
        """All that can be asked before the body comes."""
        self._parts = bytearray()
        what: Operation | None = getattr(getattr(self, str(self.request.method).lower()), "operation", None)
        if what is None or not what.upload:
            await super().prepare()
            return
        given = self.request.headers.get("Content-Length", "")
        length = int(given) if given.isdigit() else None
        connection = cast("HTTP1Connection", self.request.connection)
        connection.set_max_body_size(max(length or 0, _DRAINED))
        try:
            await super().prepare()
            await authorized(what.action, resource=RESOURCE)(_nothing)(self)
            if length is None:
                raise BadInput("how long the body is, in bytes, must stand in the header Content-Length")
            self._upload = await self.begin(length)
            if self._closed:
                self._discard()
        except (RaJobsError, web.HTTPError) as problem:
            if length is not None and length > _DRAINED:
                raise
            self._problem = problem

    async def data_received(self, chunk: bytes) -> None:
        """A part of the body; the next one comes when this is on its way to the disk."""
        if self._upload is None or self._problem is not None:
            return
        self._parts += chunk
        if len(self._parts) >= _PART:
            await self._write()

    async def received(self) -> Upload:
        """The upload, with the whole body; raises what kept it from being taken."""
        if self._problem is None and self._upload is not None:
            await self._write()
        if self._problem is not None:
            raise self._problem
        assert self._upload is not None
        return self._upload

    async def _write(self) -> None:
        assert self._upload is not None
        parts, self._parts = self._parts, bytearray()
        try:
            await asyncio.to_thread(self._upload.write, bytes(parts))
        except RaJobsError as problem:  # told at the body's end
            self._problem = problem

    def on_finish(self) -> None:
        """Take away what did not come to its end."""
        super().on_finish()
        self._discard()

    def on_connection_close(self) -> None:
        """Who sent it has gone."""
        super().on_connection_close()
        self._closed = True
        self._discard()

    def _discard(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:  # in a thread: to remove a large file takes a while
            asyncio.get_running_loop().run_in_executor(None, upload.discard)


async def _nothing(_: Any) -> None:
    """What is done by who may."""
