"""`POST /runs/{id}/status`: the sidecar's callback."""

import hmac

from jupyter_server.auth.decorator import allow_unauthenticated
from msgspec import structs
from tornado import web

from jupyter_ra_jobs.handlers.base import Handler, operation
from jupyter_ra_jobs.launcher import hash_token
from jupyter_ra_jobs.models import Message, Report


class StatusHandler(Handler):
    """Takes the run's own token instead of a login, for this run's reports and nothing else."""

    @property
    def _run_token(self) -> str | None:
        return self.request.headers.get("X-RA-Run-Token")

    def check_xsrf_cookie(self) -> None:
        """A run token is no cookie: no page can make a browser send it."""
        if self._run_token is None:
            super().check_xsrf_cookie()

    @allow_unauthenticated
    async def post(self, run_id: str) -> None:
        """Take a report from who has the run's token; from anyone else only with a login."""
        if self._run_token is None:
            await self._post_logged_in(run_id)
            return
        expected = self.services.store.token_hash(run_id)
        if expected is None or not hmac.compare_digest(expected, hash_token(self._run_token)):
            raise web.HTTPError(403, "this is not the run's token")
        report = self.body(Report)
        await self.finish({"message": await self.services.reports.receive(run_id, report)})

    @operation("Report a run's status", action="execute", body=Report, answer=Message, errors=(400, 404, 409))
    async def _post_logged_in(self, run_id: str, report: Report) -> Message:
        return Message(message=await self.services.reports.receive(run_id, report))

    post.operation = structs.replace(  # type: ignore[attr-defined]
        _post_logged_in.operation,  # type: ignore[attr-defined]
        run_token=True,
    )

    def update_api_activity(self) -> None:
        """A sidecar's report is not somebody at work; that runs are active is told otherwise."""
