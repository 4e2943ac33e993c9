"""Tools about runs: look, make, start, stop, wait. A docstring here is what a language model reads."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from jupyter_ra_jobs import models
from jupyter_ra_jobs.client import AsyncClient
from jupyter_ra_jobs.client.names import name_of
from jupyter_ra_jobs.errors import TimedOut
from jupyter_ra_jobs.mcp_server import arguments as given
from jupyter_ra_jobs.mcp_server.hints import CHANGES, ENDS, EXECUTES, READS, Told
from jupyter_ra_jobs.mcp_server.shapes import RunDetails, Runs, Waited, run_details, run_row
from jupyter_ra_jobs.states import TERMINAL


async def list_runs(
    client: AsyncClient,
    status: given.Statuses = (),
    search: Annotated[str, Field(max_length=500, description="Part of a name or a command.")] = "",
    sweep_id: Annotated[str, Field(max_length=100, description="Only runs of this sweep.")] = "",
    archived: Annotated[bool, Field(description="Archived runs too.")] = False,
    limit: Annotated[int, Field(ge=1, le=100, description="Runs to list.")] = 20,
    before: Annotated[str, Field(max_length=100, description="A run's id: only runs older than it.")] = "",
) -> Runs:
    """List runs, newest first, a short row each.

    Look here before you start something that may be running already.
    """
    found, wanted = list[models.Run](), given.statuses(status)
    while len(found) < limit:  # a page may be shorter than asked for, though there are more
        page = await client.runs(
            status=wanted or None,
            q=search or None,
            sweep_id=sweep_id or None,
            archived=archived,
            limit=limit - len(found),
            before=found[-1].id if found else before or None,
        )
        if not page:
            return Runs(runs=[run_row(run) for run in found])
        found += page
    return Runs(runs=[run_row(run) for run in found], next_before=found[-1].id)


async def get_run(client: AsyncClient, run_id: given.RunId) -> RunDetails:
    """All about one run: status, exit code, why it failed, progress, times, folders, options."""
    return run_details(await client.run(run_id))


async def create_run(
    client: AsyncClient,
    command: given.Command,
    name: given.Name = "",
    workdir: given.Workdir = "",
    env: given.Env = None,
    tags: given.Tags = (),
    timeout_seconds: given.Timeout = None,
    after: given.After = (),
    max_retries: given.Retries = 0,
    gpus: given.Gpus = None,
    priority: given.Priority = 0,
    notes: given.Notes = "",
    start: given.Start = True,
) -> RunDetails:
    """Run a shell command in the background, and watch it: for trainings, builds, all that takes long.

    Returns at once, with the id. The run goes on whatever becomes of you, and everything it prints is kept.
    Then wait_for_runs, tail_log, get_metrics. Without a free slot it is `queued`, and starts by itself. It
    can leave files in $RA_ARTIFACTS_DIR, and metrics as JSON Lines in $RA_ARTIFACTS_DIR/metrics.jsonl. For
    one command with many values use create_sweep.
    """
    new = models.NewRun(
        name=name or name_of(command),
        command=command,
        workdir=workdir or None,
        env=env,
        tags=list(tags),
        timeout_seconds=timeout_seconds,
        after=list(after),
        max_retries=max_retries,
        gpus=gpus,
        priority=priority,
        notes=notes or None,
        auto_start=start,
    )
    return run_details(await client.create_run(new))


async def start_run(client: AsyncClient, run_id: given.RunId) -> RunDetails:
    """Start a run that was only created. One that has ended can't be started: rerun it."""
    return run_details(await client.start_run(run_id))


async def stop_run(client: AsyncClient, run_id: given.RunId) -> RunDetails:
    """Stop a run and all that it started: SIGINT, then SIGTERM, then SIGKILL. Its output stays.

    Returns at once; wait_for_runs tells when it has ended. A queued one leaves the queue.
    """
    return run_details(await client.stop_run(run_id))


async def rerun(
    client: AsyncClient,
    run_id: given.RunId,
    command: Annotated[str, Field(description="Another command in its place; empty: the same.")] = "",
    start: given.Start = True,
) -> RunDetails:
    """Run it again, as a new run with a new id and the same folder, environment and options."""
    options = models.RerunOptions(command=command or None, auto_start=start)
    return run_details(await client.rerun(run_id, options))


async def archive_run(
    client: AsyncClient,
    run_id: given.RunId,
    archived: Annotated[bool, Field(description="false: show it again.")] = True,
) -> RunDetails:
    """Hide a run from lists. Nothing is deleted, and one that runs goes on."""
    verb = client.archive_run if archived else client.unarchive_run
    return run_details(await verb(run_id))


async def wait_for_runs(
    client: AsyncClient,
    run_ids: Annotated[Sequence[str], Field(min_length=1, max_length=20, description="Ids of runs.")],
    seconds: given.Seconds = 30,
    until: Annotated[
        Literal["all", "any"], Field(description="Until all of them have ended, or until any has.")
    ] = "all",
) -> Waited:
    """Wait until runs have ended, for some seconds at most, and tell where each stands.

    If `done` is false, nothing is wrong: call it again, as often as it takes, or look at tail_log meanwhile.
    Runs that only were created have no end: start them first.
    """
    ids = list(dict.fromkeys(run_ids))
    seen = dict(zip(ids, await asyncio.gather(*map(client.run, ids)), strict=True))
    watchers = [asyncio.ensure_future(_watch(client, run_id, seconds, seen)) for run_id in ids]
    try:
        waiting = set(watchers)
        while waiting and not (until == "any" and _ended(seen)):
            ended, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for watcher in ended:
                watcher.result()  # raises what went wrong
    finally:
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    ended_now = _ended(seen)
    done = ended_now == len(ids) or (until == "any" and ended_now > 0)
    message = f"{ended_now} of {len(ids)} have ended"
    if not done:
        message += f"; the wait of {seconds} seconds is over, the runs go on: call wait_for_runs again"
    return Waited(done=done, message=message, runs=[run_row(run) for run in seen.values()])


async def _watch(client: AsyncClient, run_id: str, seconds: float, seen: dict[str, models.Run]) -> None:
    with contextlib.suppress(TimedOut):
        async for run in client.watch_run(run_id, timeout=seconds):
            seen[run_id] = run


def _ended(seen: dict[str, models.Run]) -> int:
    return sum(run.status in TERMINAL for run in seen.values())


TOOLS: list[Told] = [
    (list_runs, READS),
    (get_run, READS),
    (create_run, EXECUTES),
    (start_run, EXECUTES),
    (rerun, EXECUTES),
    (stop_run, ENDS),
    (archive_run, CHANGES),
    (wait_for_runs, READS),
]
