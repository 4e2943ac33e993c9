"""Files as attachments, whole or in ranges; of one version, or broken off."""

import asyncio
import datetime
import http.client
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from typing import Any, cast

from jupyter_server.utils import url_escape
from tornado import web
from tornado.http1connection import HTTP1Connection
from tornado.iostream import StreamClosedError

from jupyter_ra_jobs.handlers.base import Handler

_CHUNK = 256 * 1024


class DownloadHandler(Handler, web.StaticFileHandler):
    """Sends a file that is open already; where it lies is asked nobody any more. Ranges are tornado's."""

    root = ""
    _asked = (0, 0)
    """Which bytes of the file are to be sent."""

    def initialize(self) -> None:  # type: ignore[override]
        """No folder is served."""

    async def send_file(self, file: FileIO, filename: str, include_body: bool) -> None:
        """The file, or the range of it that was asked for, as it is at this moment; closes it."""
        with file:
            self._file, self._status = file, os.fstat(file.fileno())
            self.set_attachment_header(filename)
            await web.StaticFileHandler.get(self, "", include_body)
            await self._send_asked()
        if self.get_status() == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            self.write_error(self.get_status())

    def set_attachment_header(self, filename: str) -> None:
        """Jupyter's, and before it the name in ASCII for curl and others that know no `filename*`."""
        plain = re.sub(r'["\\]|[^ -~]', "_", filename)
        self.set_header(
            "Content-Disposition",
            f"attachment; filename=\"{plain}\"; filename*=utf-8''{url_escape(filename)}",
        )

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Of no use here."""
        return ""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str:
        """Whoever opened the file has seen to it."""
        return absolute_path

    def get_content_size(self) -> int:
        """In bytes; a log may have grown since."""
        return self._status.st_size

    def get_modified_time(self) -> datetime.datetime:
        """In whole seconds, as HTTP has it."""
        return datetime.datetime.fromtimestamp(int(self._status.st_mtime), datetime.timezone.utc)

    def get_content(  # type: ignore[override]
        self, abspath: str, start: int | None = None, end: int | None = None
    ) -> Iterator[bytes]:
        """Nothing yet, since tornado would read it on the event loop; `_send_asked` sends it."""
        self._asked = (start or 0, self.get_content_size() if end is None else end)
        return iter(())

    async def _send_asked(self) -> None:
        """Up to the size that the headers told, however the file grows meanwhile; no more than a chunk of it
        in memory, however slow the reader is. What the headers do not tell of is not sent: with the
        connection broken off, who reads knows that it is not whole, and can ask again."""
        at, end = self._asked
        with suppress(StreamClosedError):  # its reader has gone
            while at < end:
                # Off the event loop: a disk may take its time.
                chunk = await asyncio.to_thread(self._read, at, min(_CHUNK, end - at))
                if not chunk:
                    self.log.info("%s was broken off: the file was changed meanwhile", self.request.path)
                    cast("HTTP1Connection", self.request.connection).close()
                    return
                at += len(chunk)
                self.write(chunk)
                await self.flush()

    def _read(self, start: int, size: int) -> bytes:
        data = os.pread(self._file.fileno(), size, start)
        return data if self.is_as_told(start, start + len(data)) else b""

    def is_as_told(self, start: int, end: int) -> bool:
        """Whether what was just read from these bytes is of the file that the headers tell of. Blocks."""
        now, told = os.fstat(self._file.fileno()), self._status
        return (now.st_mtime_ns, now.st_size) == (told.st_mtime_ns, told.st_size)

    def compute_etag(self) -> str:
        """Another one after each change, so that parts of two versions are not put together.

        From what the file system says: tornado's would read the whole file for it.
        """
        status = self._status
        return f'"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"'

    def should_return_304(self) -> bool:
        """Never: a log grows several times within the second that a file's date resolves."""
        return False

    def get_content_type(self) -> str:
        """Bytes."""
        return "application/octet-stream"

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        """Bytes, but for errors."""
        if self.get_status() < http.client.BAD_REQUEST:
            kwargs["set_content_type"] = self.get_content_type()
        return super().finish(*args, **kwargs)
