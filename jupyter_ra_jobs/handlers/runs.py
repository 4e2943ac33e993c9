"""`/runs` and what can be done with one."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from jupyter_ra_jobs.handlers.base import Handler, IdPrefix, Nothing, operation, statuses
from jupyter_ra_jobs.models import NewRun, RerunOptions, Run, RunEdit, RunMessage, RunStarted
from jupyter_ra_jobs.run_verbs import MAX_LISTED
from jupyter_ra_jobs.states import RunStatus


class RunsQuery(Struct, frozen=True, kw_only=True):
    """Which runs to list."""

    archived: Annotated[bool, Meta(description="The archived ones too.")] = False
    limit: Annotated[int, Meta(ge=1, description="At most 1,000; a higher one is lowered.")] = 50
    status: Annotated[str | None, Meta(description="One status, or several with commas between.")] = None
    sweep_id: str | None = None
    id_prefix: IdPrefix | None = None
    parent_run_id: Annotated[str | None, Meta(description="Those that run this one again.")] = None
    q: Annotated[str, Meta(max_length=500, description="Part of a name or command.")] | None = None
    before: Annotated[str | None, Meta(description="The last run of the page before.")] = None


class QueuedRun(Run, frozen=True, kw_only=True, omit_defaults=True):
    """A run, with a word on what was done."""

    message: str


class RunsHandler(Handler):
    """The collection."""

    @operation("List runs, newest first", action="read", query=RunsQuery, answer=list[Run], errors=(400,))
    async def get(self, query: RunsQuery) -> list[Run]:
        """A page of runs; where older ones follow, the Link header says how to get them.

        It has less than `limit` when its commands are very long.
        """
        runs, more = await self.services.runs.page(
            limit=min(query.limit, MAX_LISTED),
            archived=query.archived,
            status=statuses(query.status),
            sweep_id=query.sweep_id,
            id_prefix=query.id_prefix,
            parent_run_id=query.parent_run_id,
            text=query.q,
            before=query.before,
        )
        if more:
            arguments = [
                (name, value)
                for name in sorted(self.request.query_arguments.keys() & set(query.__struct_fields__))
                for value in self.get_query_arguments(name, strip=False)
                if name != "before"
            ]
            following = urlencode([*arguments, ("before", runs[-1].id)])
            self.set_header("Link", f'<{self.request.path}?{following}>; rel="next"')
        return runs

    @operation("Create a run", action="execute", body=NewRun, answer=Run, errors=(400, 503))
    async def post(self, new: NewRun) -> Run:
        """A run that is `ready`, or started at once with `auto_start`."""
        return await self.services.runs.create(new)


class RunHandler(Handler):
    """One run."""

    @operation("Get a run", action="read", answer=Run, errors=(404,))
    async def get(self, run_id: str) -> Run:
        """The run as it is now."""
        return self.services.runs.get(run_id)

    @operation("Edit a run", action="execute", body=RunEdit, answer=Run, errors=(400, 404, 409))
    async def put(self, run_id: str, edit: RunEdit) -> Run:
        """Change what the body names."""
        return await self.services.runs.edit(run_id, edit)


class QueueHandler(Handler):
    """`ready` to `queued`."""

    @operation("Queue a run", action="execute", body=Nothing, answer=QueuedRun, errors=(404, 409))
    async def post(self, run_id: str, _: Nothing) -> dict[str, object]:
        """The queued run, with a message beside its fields."""
        return _with_message(self.services.runs.queue(run_id), "Run queued")


class StartHandler(Handler):
    """Start, or wait for a slot."""

    @operation(
        "Start a run",
        action="execute",
        body=Nothing,
        answer=RunStarted,
        errors=(400, 404, 409, 503, 507),
    )
    async def post(self, run_id: str, _: Nothing) -> RunStarted:
        """The run, launched; or queued, if no slot is free."""
        run = await self.services.runs.start(run_id)
        message = "Run started"
        if run.status is RunStatus.QUEUED:
            message = "No slot is free: the run starts when one is"
        elif run.status is RunStatus.LAUNCHING and run.error:
            message = run.error
        return RunStarted(
            message=message,
            tmux_window=run.tmux_window,
            run=run,
        )


class StopHandler(Handler):
    """Stop what is queued or active."""

    @operation("Stop a run", action="execute", body=Nothing, answer=RunMessage, errors=(404, 409))
    async def post(self, run_id: str, _: Nothing) -> RunMessage:
        """An active run ends within its grace times; its status follows."""
        message, run = self.services.runs.stop(run_id)
        return RunMessage(message=message, run=run)


class RerunHandler(Handler):
    """Run it again, as a new run."""

    @operation("Rerun a run", action="execute", body=RerunOptions, answer=Run, errors=(400, 404, 503, 507))
    async def post(self, run_id: str, options: RerunOptions) -> Run:
        """The new run."""
        return await self.services.runs.rerun(run_id, options)


class ArchiveHandler(Handler):
    """Hide a run from the default list."""

    @operation("Archive a run", action="write", body=Nothing, answer=RunMessage, errors=(404,))
    async def post(self, run_id: str, _: Nothing) -> RunMessage:
        """The archived run."""
        return RunMessage(message="Run archived", run=self.services.runs.archive(run_id, True))


class UnarchiveHandler(Handler):
    """Show it again."""

    @operation("Unarchive a run", action="write", body=Nothing, answer=RunMessage, errors=(404,))
    async def post(self, run_id: str, _: Nothing) -> RunMessage:
        """The run, as before."""
        return RunMessage(message="Run unarchived", run=self.services.runs.archive(run_id, False))


def _with_message(run: Run, message: str) -> dict[str, object]:
    shown: dict[str, object] = msgspec.to_builtins(run)
    return {**shown, "message": message}
