"""What tools give: compact, with what is unknown left out. Times are ISO 8601 in UTC, durations seconds."""

import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, cast

import msgspec
from pydantic import Field
from typing_extensions import NotRequired, TypedDict

from jupyter_ra_jobs import models
from jupyter_ra_jobs.mcp_server.plain import plain, shorten

_LONG, _VALUES = 300, 20


class RunRow(TypedDict):
    """A run, in short."""

    id: str
    name: str
    status: Annotated[
        str,
        Field(
            description="ready (not started), queued, launching, running; ended: finished, failed, stopped."
        ),
    ]
    command: str
    created_at: str
    duration_seconds: NotRequired[float]
    exit_code: NotRequired[int]
    error: NotRequired[Annotated[str, Field(description="Why it failed, or can't start for now.")]]
    progress: NotRequired[Annotated[float, Field(description="0 to 100, from its last progress bar.")]]
    queue_position: NotRequired[int]
    stopping: NotRequired[Annotated[bool, Field(description="Its stop was asked for, and is under way.")]]
    sweep_id: NotRequired[str]
    sweep_params: NotRequired[dict[str, Any]]
    parent_run_id: NotRequired[Annotated[str, Field(description="The run that it repeats.")]]
    tags: NotRequired[list[str]]
    is_archived: NotRequired[bool]


class RunDetails(RunRow):
    """A run, with all that is useful to know."""

    workdir: str
    run_dir: Annotated[str, Field(description="Its own folder, on the server's machine.")]
    started_at: NotRequired[str]
    ended_at: NotRequired[str]
    signal: NotRequired[str]
    notes: NotRequired[str]
    timeout_seconds: NotRequired[float]
    priority: NotRequired[int]
    after: NotRequired[list[str]]
    max_retries: NotRequired[int]
    attempt: NotRequired[int]
    gpus: NotRequired[int]
    gpu_ids: NotRequired[list[str]]
    attach_command: NotRequired[Annotated[str, Field(description="For a person: puts them in front of it.")]]


class Runs(TypedDict):
    """A page of runs, newest first."""

    runs: list[RunRow]
    next_before: NotRequired[Annotated[str, Field(description="For list_runs: `before` of the next page.")]]


class Waited(TypedDict):
    """Where runs stand after a wait."""

    done: Annotated[bool, Field(description="Whether what was waited for has come about.")]
    message: str
    runs: list[RunRow]


class LogPart(TypedDict):
    """A part of a log."""

    text: str
    run_status: str
    next_offset: Annotated[int, Field(description="For read_log: the byte to read on from.")]
    total_size: Annotated[int, Field(description="Bytes of the log as it was kept.")]
    has_more_before: Annotated[bool, Field(description="Whether there is more before this part.")]
    has_more_after: Annotated[bool, Field(description="Whether more is there already.")]


class Match(TypedDict):
    """A line that was found."""

    offset: Annotated[int, Field(description="The byte at which it begins; read_log reads there.")]
    line: str


class Matches(TypedDict):
    """Lines that were found, newest first."""

    matches: list[Match]
    complete: Annotated[bool, Field(description="Whether the beginning of the log was reached.")]
    next_before: NotRequired[Annotated[int, Field(description="To go on from, as `before`.")]]


class Metric(TypedDict):
    """One metric. The step is where the value was reached."""

    last: Annotated[float | None, Field(description="null: the newest value is NaN or infinite.")]
    min: NotRequired[float]
    min_step: NotRequired[float]
    max: NotRequired[float]
    max_step: NotRequired[float]
    series: NotRequired[Annotated[list[list[float]], Field(description="[step, value], thinned out.")]]


class Metrics(TypedDict):
    """A run's metrics by name."""

    metrics: dict[str, Metric]
    others: NotRequired[Annotated[list[str], Field(description="Names of metrics left out here; name them.")]]
    notes: NotRequired[Annotated[list[str], Field(description="What was left out, and why.")]]


class ArtifactRow(TypedDict):
    """A file that a run left."""

    name: str
    type: str
    size: int
    modified_at: str
    path: Annotated[str, Field(description="On the server's machine.")]
    certain: Annotated[bool, Field(description="False when another run could have written it.")]


class Artifacts(TypedDict):
    """Files that a run left."""

    artifacts: list[ArtifactRow]
    left_out: NotRequired[Annotated[int, Field(description="How many more there are.")]]


class Text(TypedDict):
    """A part of a text file."""

    text: str
    size: Annotated[int, Field(description="Bytes of the file.")]
    next_offset: NotRequired[Annotated[int, Field(description="The byte to read on from, if there is more.")]]


class Progress(TypedDict):
    """How many runs of a sweep stand where."""

    total: int
    completed: int
    failed: int
    running: int
    launching: int
    ready: int
    queued: int
    canceled: int


class SweepDetails(TypedDict):
    """A sweep as it stands."""

    id: str
    name: str
    status: Annotated[
        str, Field(description="draft, pending (not started), running; ended: completed, failed, canceled.")
    ]
    command: str
    parameters: Annotated[dict[str, Any], Field(description="Of long lists the first values.")]
    method: str
    progress: Progress
    workdir: str
    created_at: str
    parallel: NotRequired[int]
    started_at: NotRequired[str]
    completed_at: NotRequired[str]
    seed: NotRequired[int]
    max_runs: NotRequired[int]
    total_combinations: NotRequired[int]
    goal: NotRequired[str]
    note: NotRequired[Annotated[str, Field(description="When created: what may not be as it was meant.")]]


class Sweeps(TypedDict):
    """Sweeps, newest first."""

    sweeps: list[SweepDetails]


class SweepStarted(TypedDict):
    """A sweep that was started."""

    message: str
    sweep: SweepDetails


class WaitedForSweep(TypedDict):
    """Where a sweep stands after a wait."""

    done: Annotated[bool, Field(description="Whether all of its runs have ended.")]
    message: str
    sweep: SweepDetails


class Preview(TypedDict):
    """What a sweep would run."""

    runs: Annotated[int, Field(description="How many runs there would be.")]
    total_combinations: NotRequired[int]
    commands: Annotated[list[str], Field(description="The commands of the first ones.")]
    seed: NotRequired[Annotated[int, Field(description="What drew these; give it to create_sweep.")]]
    note: NotRequired[str]


class TableRow(TypedDict):
    """A run of a sweep."""

    run_id: str
    name: str
    status: str
    parameters: dict[str, Any]
    metrics: Annotated[dict[str, float | None], Field(description="null: it ended as NaN or infinite.")]
    exit_code: NotRequired[int]
    duration_seconds: NotRequired[float]
    retried: NotRequired[Annotated[bool, Field(description="A later run stands in its place.")]]


class Table(TypedDict):
    """A sweep's runs with what came of them."""

    rows: list[TableRow]
    has_more: Annotated[bool, Field(description="Whether there are more rows than `limit`.")]
    other_metrics: NotRequired[Annotated[list[str], Field(description="Metrics left out here; name them.")]]


class AlertRow(TypedDict):
    """Something that somebody should decide."""

    id: str
    run_id: str
    raised_at: str
    severity: str
    message: str
    choices: list[str]
    status: str
    response: NotRequired[str]
    rule: NotRequired[str]


class Alerts(TypedDict):
    """Alerts, newest first."""

    alerts: list[AlertRow]


class Said(TypedDict):
    """What was done."""

    message: str


class ServerState(TypedDict):
    """The server, its machine, and what runs there."""

    version: str
    workdir: Annotated[str, Field(description="Where relative paths of runs begin.")]
    runs: Annotated[dict[str, int], Field(description="How many runs have which status.")]
    cluster: Annotated[dict[str, Any], Field(description="What the runs run on, as far as it is known.")]


def run_row(run: models.Run) -> RunRow:
    """A run in a list."""
    row = RunRow(
        id=run.id,
        name=shorten(run.name, _LONG),
        status=str(run.status),
        command=shorten(run.command, _LONG),
        created_at=moment(run.created_at),
    )
    _fill(
        row,
        duration_seconds=_duration(run),
        exit_code=run.exit_code,
        error=None if run.error is None else plain(shorten(run.error, 2_000)),
        progress=run.progress,
        queue_position=run.queue_position,
        stopping=(run.stop_requested_at is not None and run.ended_at is None) or None,
        sweep_id=run.sweep_id,
        sweep_params=None if run.sweep_params is None else _few(run.sweep_params),
        parent_run_id=run.parent_run_id,
        tags=run.tags or None,
        is_archived=run.is_archived or None,
    )
    return row


def run_details(run: models.Run) -> RunDetails:
    """A run by itself."""
    row = {**run_row(run), "workdir": run.workdir, "run_dir": run.run_dir}
    details = cast(RunDetails, row | {"command": shorten(run.command, 10_000)})
    _fill(
        details,
        started_at=_moment(run.started_at),
        ended_at=_moment(run.ended_at),
        signal=run.signal,
        notes=None if run.notes is None else shorten(run.notes, 5_000),
        timeout_seconds=run.timeout_seconds,
        priority=run.priority or None,
        after=run.after[:50] or None,
        max_retries=run.max_retries or None,
        attempt=run.attempt if run.attempt > 1 else None,
        gpus=run.gpus,
        gpu_ids=run.gpu_ids,
        attach_command=run.attach_command,
    )
    return details


def sweep_details(sweep: models.Sweep) -> SweepDetails:
    """A sweep; its runs are in its table."""
    details = SweepDetails(
        id=sweep.id,
        name=shorten(sweep.name, _LONG),
        status=sweep.status,
        command=shorten(sweep.base_command, 2_000),
        parameters=_few(sweep.parameters),
        method=sweep.method,
        progress=msgspec.to_builtins(sweep.progress),
        workdir=sweep.workdir,
        created_at=moment(sweep.created_at),
    )
    _fill(
        details,
        parallel=sweep.parallel,
        started_at=_moment(sweep.started_at),
        completed_at=_moment(sweep.completed_at),
        seed=sweep.seed,
        max_runs=sweep.max_runs,
        total_combinations=sweep.total_combinations,
        goal=None if sweep.goal is None else shorten(sweep.goal, 2_000),
    )
    return details


def table_row(row: models.SweepRow, metrics: Mapping[str, float | None]) -> TableRow:
    """A row of a table, with those metrics."""
    shown = TableRow(
        run_id=row.run_id,
        name=shorten(row.name, _LONG),
        status=str(row.status),
        parameters=_few(row.parameters),
        metrics=dict(metrics),
    )
    duration = None if row.duration is None else round(row.duration, 2)
    _fill(shown, exit_code=row.exit_code, duration_seconds=duration, retried=row.retried or None)
    return shown


def alert_row(alert: models.Alert) -> AlertRow:
    """An alert."""
    row = AlertRow(
        id=alert.id,
        run_id=alert.run_id,
        raised_at=moment(alert.timestamp),
        severity=alert.severity,
        message=plain(shorten(alert.message, 2_000)),
        choices=alert.choices,
        status=alert.status,
    )
    _fill(row, response=alert.response, rule=alert.rule)
    return row


def artifact_row(artifact: models.Artifact) -> ArtifactRow:
    """A file."""
    return ArtifactRow(
        name=artifact.name,
        type=artifact.type,
        size=artifact.size,
        modified_at=moment(artifact.modified_at),
        path=artifact.path,
        certain=artifact.certain,
    )


def moment(seconds: float) -> str:
    """A time as people write it."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else moment(seconds)


def _duration(run: models.Run) -> float | None:
    if run.started_at is None:
        return None
    return round(max(0.0, (run.ended_at or time.time()) - run.started_at), 2)


def _few(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters, with what is long cut short."""
    return {name: _short(value) for name, value in list(values.items())[:50]}


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return shorten(value, _LONG)
    if isinstance(value, list) and len(value) > _VALUES:
        return [*map(_short, value[:_VALUES]), f"… {len(value) - _VALUES:,} more"]
    return value


def _fill(row: Any, **known: Any) -> None:
    """Put in what is known."""
    row.update({name: value for name, value in known.items() if value is not None})
