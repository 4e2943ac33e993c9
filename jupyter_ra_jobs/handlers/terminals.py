"""A run's window in a terminal of Jupyter's."""

from jupyter_core.utils import ensure_async
from msgspec import Struct
from tornado import web

from jupyter_ra_jobs.errors import Unavailable
from jupyter_ra_jobs.handlers.base import Handler, Nothing, operation


class RunTerminal(Struct, frozen=True):
    """A terminal of Jupyter's, by the name that its own routes take."""

    name: str


class TerminalHandler(Handler):
    """For a person who wants to sit in front of a run."""

    @operation(
        "Open a terminal on a run's window",
        action="execute",
        body=Nothing,
        answer=RunTerminal,
        errors=(404, 409, 503),
    )
    async def post(self, run_id: str, _: Nothing) -> RunTerminal:
        """It is at `/terminals/websocket/{name}` of the server, until `DELETE /api/terminals/{name}`, which
        does nothing to the run, or until the window closes."""
        command = await self.services.terminals.command(run_id)
        manager = self.settings.get("terminal_manager")
        if manager is None:
            raise Unavailable("this server has no terminals (ServerApp.terminals_enabled)")
        allowed = self.authorizer.is_authorized(self, self.current_user, "execute", "terminals")
        if not await ensure_async(allowed):
            raise web.HTTPError(403, "you may not use the terminals of this server")
        return RunTerminal(name=await self.services.terminals.open(run_id, command, manager))
