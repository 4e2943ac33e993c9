"""What is about the server as a whole: health, and the contract's own description."""

from typing import Any

import msgspec
from jupyter_server.auth.decorator import allow_unauthenticated

from jupyter_ra_jobs._version import __version__
from jupyter_ra_jobs.errors import RaJobsError
from jupyter_ra_jobs.handlers.base import Handler, Operation, operation
from jupyter_ra_jobs.models import Health


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


class OpenApiHandler(Handler):
    """The contract, from the code that serves it."""

    @operation("This document", action="read", answer=dict[str, Any])
    async def get(self) -> dict[str, Any]:
        """OpenAPI 3.1."""
        from jupyter_ra_jobs.handlers import ROUTES
        from jupyter_ra_jobs.handlers.openapi import document

        return document(ROUTES)
