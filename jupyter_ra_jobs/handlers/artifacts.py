"""A run's artifacts: their list, and the files."""

from tornado import web

from jupyter_ra_jobs.handlers.base import Handler, operation
from jupyter_ra_jobs.handlers.downloads import DownloadHandler
from jupyter_ra_jobs.models import Artifact


class ArtifactsHandler(Handler):
    """What a run left behind."""

    @operation("List a run's artifacts", action="read", answer=list[Artifact], errors=(404,))
    async def get(self, run_id: str) -> list[Artifact]:
        """What the run kept itself first, then what was found, the newest first.

        When a bound kept some from being found, the header X-RA-Scan-Incomplete names it.
        """
        record = await self.services.artifacts.listing(run_id)
        if record.left_out:
            self.set_header("X-RA-Scan-Incomplete", ", ".join(record.left_out))
        return record.artifacts


class ArtifactHandler(DownloadHandler):
    """One of them."""

    @operation(
        "Download an artifact",
        action="read",
        answer=bytes,
        errors=(400, 404, 409, 416),
        media_type="application/octet-stream",
    )
    async def get(self, run_id: str, name: str, include_body: bool = True) -> None:  # type: ignore[override]
        """As an attachment, never as anything that a browser would run. `name` may hold slashes.

        409 for a file outside of the run's own folders that was changed after the run's end: perhaps by
        another run. The message says where it lies.
        """
        file = await self.services.artifacts.open(run_id, name)
        await self.send_file(file, name.rpartition("/")[2], include_body)

    @web.authenticated
    async def head(self, run_id: str, name: str) -> None:  # type: ignore[override]
        """The headers alone."""
        await self.get(run_id, name, False)
