"""Files that runs are given: uploaded once, by the hash of their content."""

import asyncio
from typing import Annotated

from msgspec import Meta, Struct

from jupyter_ra_jobs.files import Upload
from jupyter_ra_jobs.handlers.base import operation
from jupyter_ra_jobs.handlers.uploads import UploadHandler
from jupyter_ra_jobs.models import StoredFile


class FileQuery(Struct, frozen=True, kw_only=True):
    """What is to be uploaded, if it is not there."""

    size: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Its bytes: one of another size is not it; too many are told before they are sent."),
    ] = None


class FileHandler(UploadHandler):
    """One of them."""

    async def begin(self, length: int) -> Upload:
        """A file beside its place."""
        files = self.services.files
        files.check_size(length)
        return await asyncio.to_thread(files.begin, self.path_kwargs["sha256"])

    @operation("Is a file there?", action="read", query=FileQuery, answer=StoredFile, errors=(400, 404, 413))
    async def get(self, sha256: str, query: FileQuery) -> StoredFile:
        """Asked before an upload. One that is there is kept for a day from now on, in any case."""
        return await asyncio.to_thread(self.services.files.look, sha256, query.size)

    @operation("Upload a file", action="execute", upload=True, answer=StoredFile, errors=(404, 507))
    async def put(self, _: str, upload: Upload) -> StoredFile:
        """The body is its content, of which `sha256` is the hash in lower case (else 404); may be repeated.

        Runs that name it in `files` have a copy in the folder RA_FILES_DIR.
        """
        return await asyncio.to_thread(upload.finish)
