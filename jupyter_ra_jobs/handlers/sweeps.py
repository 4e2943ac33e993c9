"""`/sweeps` and what can be done with one."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from jupyter_ra_jobs.handlers.base import Handler, IdPrefix, Nothing, operation, statuses
from jupyter_ra_jobs.metrics import Which
from jupyter_ra_jobs.models import (
    Message,
    NewRun,
    NewSweep,
    NewWildSweep,
    Run,
    Sweep,
    SweepEdit,
    SweepRow,
    SweepStarted,
)
from jupyter_ra_jobs.run_verbs import MAX_LISTED


class SweepsQuery(Struct, frozen=True, kw_only=True):
    """Which sweeps to list."""

    limit: Annotated[int, Meta(ge=1, description="At most 1,000; a higher one is lowered.")] = 50
    id_prefix: IdPrefix | None = None


class StartQuery(Struct, frozen=True, kw_only=True):
    """How to start."""

    parallel: Annotated[int, Meta(ge=1, le=10_000, description="Runs at a time.")] = 1


class TableQuery(Struct, frozen=True, kw_only=True):
    """In which form, and which of it."""

    format: Literal["json", "csv"] = "json"
    status: Annotated[str | None, Meta(description="One status, or several with commas between.")] = None
    metrics: Annotated[Which, Meta(description="Which value of each metric.")] = "last"
    sort: Annotated[
        str | None, Meta(description="A parameter, metric or other column; else the order of creation.")
    ] = None
    order: Literal["asc", "desc"] = "asc"
    limit: Annotated[int, Meta(ge=1, description="Rows, from the first on.")] | None = None


class MemberQuery(Struct, frozen=True, kw_only=True):
    """Which sweep."""

    sweep_id: str


class SweepsHandler(Handler):
    """The collection."""

    @operation(
        "List sweeps, newest first", action="read", query=SweepsQuery, answer=list[Sweep], errors=(400,)
    )
    async def get(self, query: SweepsQuery) -> list[Sweep]:
        """Each as it stands."""
        return await self.services.sweeps.page(min(query.limit, MAX_LISTED), query.id_prefix or "")

    @operation("Create a sweep", action="execute", body=NewSweep, answer=Sweep, errors=(400, 413, 507))
    async def post(self, new: NewSweep) -> Sweep:
        """With all of its runs, unless it is a draft; whole or not at all."""
        return await self.services.sweeps.create(new)


class WildSweepHandler(Handler):
    """A sweep that begins empty."""

    @operation("Create an empty sweep", action="execute", body=NewWildSweep, answer=Sweep, errors=(400, 507))
    async def post(self, new: NewWildSweep) -> Sweep:
        """Runs are added one by one."""
        return await self.services.sweeps.create_wild(new)


class SweepHandler(Handler):
    """One sweep."""

    @operation("Get a sweep", action="read", answer=Sweep, errors=(404,))
    async def get(self, sweep_id: str) -> Sweep:
        """The sweep as it stands."""
        return self.services.sweeps.get(sweep_id)

    @operation("Edit a sweep", action="execute", body=SweepEdit, answer=Sweep, errors=(400, 404, 409))
    async def put(self, sweep_id: str, edit: SweepEdit) -> Sweep:
        """Change what the body names; its structure only while it has no runs."""
        return await self.services.sweeps.edit(sweep_id, edit)


class SweepStartHandler(Handler):
    """Run all of it."""

    @operation(
        "Start a sweep",
        action="execute",
        query=StartQuery,
        body=Nothing,
        answer=SweepStarted,
        errors=(400, 404, 409, 503),
    )
    async def post(self, sweep_id: str, query: StartQuery, _: Nothing) -> SweepStarted:
        """`parallel` at a time until all are done; a second start changes the number."""
        await self.services.launcher.check()
        message = await self.services.sweeps.start(sweep_id, query.parallel)
        return SweepStarted(message=message, sweep_id=sweep_id)


class SweepStopHandler(Handler):
    """Stop all of it."""

    @operation("Stop a sweep", action="execute", body=Nothing, answer=Sweep, errors=(404,))
    async def post(self, sweep_id: str, _: Nothing) -> Sweep:
        """What is active is stopped, the rest taken out of the queue."""
        return await self.services.sweeps.stop(sweep_id)


class SweepRetryHandler(Handler):
    """Run what went wrong again."""

    @operation(
        "Retry a sweep's failed runs", action="execute", body=Nothing, answer=Sweep, errors=(400, 404, 409)
    )
    async def post(self, sweep_id: str, _: Nothing) -> Sweep:
        """Failed and stopped cells alone, as new runs in the same sweep."""
        return await self.services.sweeps.retry(sweep_id)


class SweepRunsHandler(Handler):
    """Add to it."""

    @operation(
        "Create a run in a sweep",
        action="execute",
        body=NewRun,
        answer=Run,
        errors=(400, 404, 413, 503, 507),
    )
    async def post(self, sweep_id: str, new: NewRun) -> Run:
        """As POST /runs."""
        return await self.services.sweeps.add_run(sweep_id, new)


class SweepTableHandler(Handler):
    """What came of it."""

    @operation(
        "A sweep as a table",
        action="read",
        query=TableQuery,
        answer=list[SweepRow],
        errors=(400, 404),
        also=("text/csv",),
    )
    async def get(self, sweep_id: str, query: TableQuery) -> msgspec.Raw | None:
        """A row for each run; with `format=csv` a column for each parameter and metric.

        Rows that have nothing in the column to sort by come last, those whose metric ended as NaN among them.
        """
        wanted = statuses(query.status)
        table = await self.services.sweep_tables.shown(
            sweep_id,
            query.metrics,
            wanted,
            by=query.sort,
            descending=query.order == "desc",
            limit=query.limit,
            as_text=query.format == "csv",
        )
        if query.format == "json":
            return msgspec.Raw(table)
        await self.finish(table, set_content_type="text/csv; charset=utf-8")
        return None


class AddToSweepHandler(Handler):
    """Put a run into a sweep."""

    @operation(
        "Add a run to a sweep",
        action="execute",
        query=MemberQuery,
        body=Nothing,
        answer=Message,
        errors=(400, 404, 409),
    )
    async def post(self, run_id: str, query: MemberQuery, _: Nothing) -> Message:
        """Not while it is active in another one."""
        return Message(message=self.services.sweeps.attach(run_id, query.sweep_id))
