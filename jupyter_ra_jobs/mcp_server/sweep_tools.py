"""Tools about sweeps. A docstring here is what a language model reads."""

import asyncio
import contextlib
import secrets
from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import Field

from jupyter_ra_jobs import grids, models
from jupyter_ra_jobs.client import AsyncClient
from jupyter_ra_jobs.client.names import name_of
from jupyter_ra_jobs.errors import TimedOut
from jupyter_ra_jobs.mcp_server import arguments as given
from jupyter_ra_jobs.mcp_server.hints import ENDS, EXECUTES, READS, Told
from jupyter_ra_jobs.mcp_server.plain import shorten
from jupyter_ra_jobs.mcp_server.shapes import (
    Preview,
    SweepDetails,
    Sweeps,
    SweepStarted,
    Table,
    WaitedForSweep,
    sweep_details,
    table_row,
)

_MOST_METRICS, _MOST_NAMES = 20, 200
_LONGEST_COMMAND = 500


async def preview_sweep(
    client: AsyncClient,
    command: given.SweepCommand,
    parameters: given.Parameters,
    method: given.HowCombined = "grid",
    max_runs: given.MaxRuns = None,
    seed: given.Seed = None,
    show: Annotated[int, Field(ge=1, le=50, description="Commands to show.")] = 5,
) -> Preview:
    """What create_sweep would run with the same arguments: how many runs, and the first commands.

    Creates nothing. Look at it before you create a large sweep. Whether it takes so many runs, the server
    says when the sweep is created.
    """
    drawn = secrets.randbelow(2**31) if method == "random" and seed is None else seed
    cells, runs, total = await asyncio.to_thread(
        grids.preview, parameters, method, first=show, max_runs=max_runs, seed=drawn
    )
    commands = [shorten(grids.command(command, cell), _LONGEST_COMMAND) for cell in cells]
    preview = Preview(runs=runs, commands=commands)
    notes = _warnings(command, parameters)
    if runs > (usual := grids.USUAL_MOST):
        notes.append(f"a server takes {usual:,} runs in a sweep, unless its max_sweep_runs says otherwise")
    if notes:
        preview["note"] = "; ".join(notes)
    if total is not None:
        preview["total_combinations"] = total
    if method == "random" and drawn is not None:
        preview["seed"] = drawn
    return preview


async def create_sweep(
    client: AsyncClient,
    command: given.SweepCommand,
    parameters: given.Parameters,
    name: given.Name = "",
    parallel: given.Parallel = 1,
    method: given.HowCombined = "grid",
    max_runs: given.MaxRuns = None,
    seed: given.Seed = None,
    workdir: given.Workdir = "",
    env: given.Env = None,
    goal: given.Notes = "",
    tags: given.Tags = (),
    timeout_seconds: given.Timeout = None,
    after: given.After = (),
    max_retries: given.Retries = 0,
    gpus: given.Gpus = None,
    priority: given.Priority = 0,
    start: given.Start = True,
) -> SweepDetails:
    """Run a command once for each combination of parameters, `parallel` at a time until all are done.

    Returns at once, with the id. preview_sweep shows beforehand what it would run. Then wait_for_sweep and
    sweep_table. The options are those of create_run, said of each run.
    """
    new = models.NewSweep(
        name=name or name_of(command),
        base_command=command,
        parameters=dict(parameters),
        parallel=parallel,
        method=method,
        max_runs=max_runs,
        seed=seed,
        workdir=workdir or None,
        env=env,
        goal=goal or None,
        tags=list(tags),
        timeout_seconds=timeout_seconds,
        after=list(after),
        max_retries=max_retries,
        gpus=gpus,
        priority=priority,
        auto_start=start,
    )
    created = sweep_details(await client.create_sweep(new))
    if notes := _warnings(command, parameters):
        created["note"] = "; ".join(notes)
    return created


def _warnings(command: str, parameters: Collection[str]) -> list[str]:
    return [shorten(warning, _LONGEST_COMMAND) for warning in grids.warnings(command, parameters)[:10]]


async def list_sweeps(
    client: AsyncClient, limit: Annotated[int, Field(ge=1, le=50, description="Sweeps to list.")] = 10
) -> Sweeps:
    """List sweeps, newest first, each with how many of its runs stand where."""
    return Sweeps(sweeps=[sweep_details(sweep) for sweep in await client.sweeps(limit=limit)])


async def get_sweep(client: AsyncClient, sweep_id: given.SweepId) -> SweepDetails:
    """How a sweep stands. Its runs are in sweep_table."""
    return sweep_details(await client.sweep(sweep_id))


async def sweep_table(
    client: AsyncClient,
    sweep_id: given.SweepId,
    sort: Annotated[
        str, Field(max_length=500, description="A metric, a parameter, `duration`, …; empty: as created.")
    ] = "",
    order: Annotated[given.Order, Field(description="asc: the lowest first.")] = "asc",
    values: Annotated[
        given.Which, Field(description="Which value of each metric: the last, or the lowest or highest ever.")
    ] = "last",
    metric_names: Annotated[
        Sequence[str], Field(max_length=50, description="Only these metrics; none given: the first 20.")
    ] = (),
    status: given.Statuses = (),
    limit: Annotated[int, Field(ge=1, le=100, description="Rows.")] = 20,
) -> Table:
    """A sweep's runs as a table: parameters, status, duration and metrics of each, sorted by any of them.

    The best run: sort="val_loss", values="min", limit=1. What failed: status=["failed"], then tail_log.
    Runs without a value to sort by come last.
    """
    rows = await client.sweep_table(
        sweep_id,
        metrics=values,
        status=",".join(status) or None,
        sort=sort or None,
        order=order,
        limit=limit + 1,
    )
    names = list(dict.fromkeys(name for row in rows for name in row.metrics))
    if metric_names:
        shown = [name for name in names if name in metric_names]
    else:
        first = sort.removeprefix("metrics.")
        shown = sorted(names, key=lambda name: name != first)[:_MOST_METRICS]
    table = Table(
        rows=[
            table_row(row, {name: row.metrics[name] for name in shown if name in row.metrics})
            for row in rows[:limit]
        ],
        has_more=len(rows) > limit,
    )
    if not metric_names and len(names) > len(shown):
        table["other_metrics"] = [name for name in names if name not in shown][:_MOST_NAMES]
    return table


async def start_sweep(
    client: AsyncClient, sweep_id: given.SweepId, parallel: given.Parallel = 1
) -> SweepStarted:
    """Start a sweep that was only created; of one that runs, change how many run at a time.

    What was stopped or failed runs again by retry_sweep.
    """
    started = await client.start_sweep(sweep_id, parallel=parallel)
    return SweepStarted(message=started.message, sweep=sweep_details(await client.sweep(sweep_id)))


async def stop_sweep(client: AsyncClient, sweep_id: given.SweepId) -> SweepDetails:
    """Stop a sweep: its active runs are stopped, and the others are not started."""
    return sweep_details(await client.stop_sweep(sweep_id))


async def retry_sweep(client: AsyncClient, sweep_id: given.SweepId) -> SweepDetails:
    """Run those runs of a sweep again that failed or were stopped, as new runs of the same sweep."""
    return sweep_details(await client.retry_sweep(sweep_id))


async def wait_for_sweep(
    client: AsyncClient, sweep_id: given.SweepId, seconds: given.Seconds = 30
) -> WaitedForSweep:
    """Wait until all runs of a sweep have ended, for some seconds at most, and tell where it stands.

    If `done` is false, nothing is wrong: call it again, as often as it takes, or see sweep_table meanwhile.
    """
    sweep, done = await client.sweep(sweep_id), False
    with contextlib.suppress(TimedOut):
        async for now in client.watch_sweep(sweep_id, timeout=seconds):
            sweep = now
        done = True
    counts = sweep.progress
    ended = counts.completed + counts.failed + counts.canceled
    message = f"{ended} of {counts.total} have ended, {counts.failed} of them failed"
    if not done:
        message += f"; the wait of {seconds} seconds is over, the sweep goes on: call wait_for_sweep again"
    return WaitedForSweep(done=done, message=message, sweep=sweep_details(sweep))


TOOLS: list[Told] = [
    (preview_sweep, READS),
    (create_sweep, EXECUTES),
    (list_sweeps, READS),
    (get_sweep, READS),
    (sweep_table, READS),
    (start_sweep, EXECUTES),
    (stop_sweep, ENDS),
    (retry_sweep, EXECUTES),
    (wait_for_sweep, READS),
]
