"""The records: what the contract shows, what callers send, what the sidecar reports.

All are frozen `msgspec` structs: one definition gives the JSON, its validation and its JSON Schema. A
field without a default is always in the JSON (null when unknown), one with a default only when it has
a value, as the contract's `?` asks. Times are seconds since the epoch.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jupyter_ra_jobs.states import RunStatus

Name = Annotated[str, Meta(min_length=1, max_length=500)]
Command = Annotated[str, Meta(min_length=1, description="As a shell takes it: `bash -c COMMAND`.")]
Reference = Annotated[str, Meta(max_length=500)]
Tag = Annotated[str, Meta(min_length=1, max_length=100)]
Notes = Annotated[str, Meta(max_length=100_000)]
_MOST = 2**63 - 1  # SQLite's largest integer
Priority = Annotated[int, Meta(ge=-1000, le=1000, description="Higher ones leave the queue first.")]
# The run can write its own spool: what no process can be must not come as far as a system call.
_Pid = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_Ticks = Annotated[int, Meta(ge=0, le=_MOST)]
MOST_FILES = 64
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Seconds = Annotated[float, Meta(gt=0, le=1e9)]
ArtifactType = Literal["checkpoint", "metrics", "other", "wandb"]
ClusterType = Literal["unknown", "slurm", "local_gpu", "kubernetes", "ray", "shared_head_node"]
ClusterStatus = Literal["unknown", "healthy", "degraded", "offline"]
SweepStatus = Literal["draft", "pending", "running", "completed", "failed", "canceled"]


class Run(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command, run once."""

    id: str
    name: str
    command: str
    workdir: str
    status: RunStatus
    is_archived: bool
    archived_at: float | None = None
    parent_run_id: str | None
    origin_alert_id: str | None
    sweep_id: str | None
    sweep_params: dict[str, Any] | None
    chat_session_id: str | None
    created_at: float
    queued_at: float | None = None
    launched_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    stopped_at: float | None = None
    stop_requested_at: float | None = None
    tmux_window: str | None
    tmux_pane: str | None
    run_dir: str
    exit_code: int | None
    error: str | None
    wandb_dir: str | None
    gpuwrap_config: dict[str, Any] | None
    signal: str | None
    progress: float | None
    attach_command: str | None
    queue_position: int | None
    tags: list[str]
    notes: str | None
    timeout_seconds: float | None = None
    priority: int = 0
    after: list[str] = []
    max_retries: int = 0
    attempt: int = 1
    gpus: int | None = None
    gpu_ids: list[str] | None = None
    files: dict[str, str] = {}


class Progress(Struct, frozen=True, kw_only=True):
    """How many cells of a sweep stand where; a cell that was retried stands where its last run does."""

    total: int
    completed: int
    failed: int
    running: int
    launching: int
    ready: int
    queued: int
    canceled: int


class StoredSweep(Struct, frozen=True, kw_only=True):
    """What is stored of a sweep: what somebody said. How it stands is asked of its runs."""

    id: str
    name: str
    base_command: str
    workdir: str
    parameters: dict[str, Any]
    method: Literal["grid", "random", "zip"] = "grid"
    seed: int | None = None
    max_runs: int | None = None
    total_combinations: int | None = None
    parallel: int | None = None
    is_draft: bool = False
    created_at: float
    started_at: float | None = None
    canceled_at: float | None = None
    goal: str | None = None
    is_wild: bool = False
    chat_session_id: str | None = None
    ui_config: dict[str, Any] | None = None
    creation_context: dict[str, Any] | None = None
    run_options: dict[str, Any] = {}


class Sweep(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The runs of one grid. `status`, `progress` and the times are computed from them."""

    id: str
    name: str
    base_command: str
    workdir: str
    parameters: dict[str, Any]
    run_ids: list[str]
    status: SweepStatus
    created_at: float
    started_at: float | None = None
    completed_at: float | None = None
    max_runs: int | None
    goal: str | None
    is_wild: bool
    chat_session_id: str | None
    ui_config: dict[str, Any] | None
    creation_context: dict[str, Any] | None
    progress: Progress
    parallel: int | None
    method: Literal["grid", "random", "zip"]
    seed: int | None
    total_combinations: int | None
    run_options: dict[str, Any] = {}


class RunOptions(Struct, frozen=True, kw_only=True):
    """How a run runs: said of one run, or of all runs of a sweep."""

    tags: list[Tag] = []
    timeout_seconds: Seconds | None = None
    priority: Priority = 0
    after: Annotated[list[str], Meta(max_length=1000, description="Runs that must have finished first.")] = []
    max_retries: Annotated[int, Meta(ge=0, le=100, description="How often to run again what failed.")] = 0
    gpus: Annotated[int, Meta(ge=0, le=1024, description="GPUs of its own; 0 hides all.")] | None = None
    files: Annotated[
        dict[str, Sha256],
        Meta(
            max_length=MOST_FILES,
            description="Copied to RA_FILES_DIR: by name, the SHA-256 of files that were PUT to /files.",
        ),
    ] = {}

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Without the values of the environment: they may be secrets, and a traceback is sent around."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        if fields.get("env"):
            fields["env"] = dict.fromkeys(fields["env"], "…")
        return list(fields.items())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"


class NewSweep(RunOptions, frozen=True, kw_only=True):
    """What a caller says of a sweep to create."""

    name: Name
    base_command: Command
    workdir: str | None = None
    parameters: dict[str, Any]
    max_runs: Annotated[int, Meta(ge=1)] | None = None
    auto_start: bool = False
    goal: Notes | None = None
    status: Literal["draft", "pending", "running"] = "pending"
    ui_config: dict[str, Any] | None = None
    creation_context: dict[str, Any] | None = None
    chat_session_id: Reference | None = None
    parallel: Annotated[int, Meta(ge=1)] | None = None
    method: Literal["grid", "random", "zip"] = "grid"
    seed: int | None = None
    env: dict[str, str] | None = None


class SweepRow(Struct, frozen=True, kw_only=True):
    """One cell of a sweep's table. `duration` is in seconds, up to now while it runs."""

    run_id: str
    name: str
    parameters: dict[str, Any]
    status: RunStatus
    exit_code: int | None
    duration: float | None
    retried: bool
    """Whether a later run of the sweep stands in its place."""
    metrics: dict[str, float | None]


class NewWildSweep(Struct, frozen=True, kw_only=True):
    """An empty sweep, for runs that are added one by one."""

    name: Name
    goal: Notes
    chat_session_id: Reference | None = None


class SweepEdit(Struct, frozen=True, kw_only=True):
    """What a caller changes of a sweep; what is left out stays."""

    name: Name | UnsetType = UNSET
    base_command: Command | UnsetType = UNSET
    workdir: str | UnsetType = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET
    max_runs: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET
    goal: Notes | UnsetType | None = UNSET
    status: Literal["draft", "pending", "running", "canceled"] | UnsetType = UNSET
    ui_config: dict[str, Any] | UnsetType | None = UNSET


class SweepStarted(Struct, frozen=True, kw_only=True):
    """The answer to a start."""

    message: str
    sweep_id: str


class NewRun(RunOptions, frozen=True, kw_only=True):
    """What a caller says of a run to create."""

    name: Name
    command: Command
    workdir: str | None = None
    sweep_id: str | None = None
    parent_run_id: str | None = None
    origin_alert_id: Reference | None = None
    chat_session_id: Reference | None = None
    auto_start: bool = False
    gpuwrap_config: dict[str, Any] | None = None
    env: dict[str, str] | None = None
    notes: Notes | None = None


class RunEdit(Struct, frozen=True, kw_only=True):
    """What a caller changes of a run; what is left out stays."""

    name: Name | UnsetType = UNSET
    command: Command | UnsetType = UNSET
    workdir: str | UnsetType = UNSET
    tags: list[Tag] | UnsetType = UNSET
    notes: Notes | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET


class RerunOptions(Struct, frozen=True, kw_only=True):
    """How a rerun differs from the run that it repeats."""

    command: Command | None = None
    auto_start: bool = False
    origin_alert_id: Reference | None = None
    gpuwrap_config: dict[str, Any] | None = None


class SidecarIdentity(Struct, frozen=True, kw_only=True):
    """Which processes a run is, beyond doubt: a pid alone may have been given to another process.

    The start times are clock ticks since boot, field 22 of proc(5)'s `stat`; `boot_id` is
    `/proc/sys/kernel/random/boot_id`.
    """

    pid: _Pid
    pid_start: _Ticks
    pgid: _Pid
    pgid_start: _Ticks
    boot_id: str


class Report(Struct, frozen=True, kw_only=True):
    """One event: a line of the spool, and the body of the sidecar's callback."""

    status: RunStatus
    seq: Annotated[int, Meta(ge=1, le=_MOST)] | None = None
    time: float | None = None
    exit_code: Annotated[int, Meta(ge=-_MOST, le=_MOST)] | None = None
    signal: Annotated[str, Meta(max_length=100)] | None = None
    error: str | None = None
    tmux_pane: Annotated[str, Meta(max_length=100)] | None = None
    wandb_dir: Annotated[str, Meta(max_length=4096)] | None = None
    sidecar: SidecarIdentity | None = None


class Tracking(Struct, frozen=True, kw_only=True):
    """What the server keeps of a run for itself; never shown."""

    id: str
    status: RunStatus
    launched_at: float | None
    stop_requested_at: float | None
    spool_offset: int
    last_seq: int
    sidecar: SidecarIdentity | None


class Activity(Struct, frozen=True, kw_only=True):
    """Where and when a run was active, for whoever asks what it may have written; never shown."""

    id: str
    workdir: str
    """Its real path, as it was at the launch."""
    wandb_dir: str | None
    """What the run said, whatever that was."""
    began: float | None
    """None before the launch."""
    ended: float | None
    """None while it is active."""


class Artifact(Struct, frozen=True, kw_only=True):
    """A file that a run left behind. `certain` is false when another run could have written it."""

    name: str
    path: str
    type: ArtifactType
    size: int
    modified_at: float
    certain: bool


class StoredFile(Struct, frozen=True, kw_only=True):
    """A file that runs can be given; `size` is in bytes."""

    sha256: str
    size: int


class RunMessage(Struct, frozen=True, kw_only=True):
    """An answer that says what was done, with the run as it now is."""

    message: str
    run: Run


class RunStarted(Struct, frozen=True, kw_only=True):
    """The answer to a start; `tmux_window` is null while the run waits for a free slot."""

    message: str
    tmux_window: str | None
    run: Run


class Message(Struct, frozen=True, kw_only=True):
    """An answer that only says what was done."""

    message: str


class LogGap(Struct, frozen=True):
    """The bytes of a log, from `start` up to `end`, that were given back to the disk (`max_log_bytes`)."""

    start: int
    end: int


class LogPage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A piece of a log. All numbers are bytes of the file, whatever `content` decodes to.

    `gap` is there once the log has one, wherever the page is. Nothing in the gap is content: a page that lies
    in it is empty, `offset` is where the gap starts, and `next_offset` where it ends.
    """

    content: str
    offset: int
    total_size: int
    has_more_before: bool
    has_more_after: bool
    next_offset: int
    gap: LogGap | None = None


class LogMatch(Struct, frozen=True, kw_only=True):
    """One line that a search found; `offset` is the byte at which the line begins."""

    offset: int
    line: str


class LogMatches(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of found lines, newest first; `complete` when the log's beginning was reached.

    `gap` is there once the log has one: in it nothing is found.
    """

    matches: list[LogMatch]
    next_before: int | None
    complete: bool
    gap: LogGap | None = None


class LogEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of a log stream.

    One of type `gap` stands for the bytes between its offsets, which were given back to the disk before the
    reader came to them. The field `gap`, in `initial`, says to which bytes of the log that has happened.
    """

    type: Literal["initial", "delta", "gap", "done", "error"]
    content: str | None = None
    offset: int | None = None
    next_offset: int | None = None
    gap: LogGap | None = None
    status: RunStatus | None = None
    error: str | None = None


Severity = Literal["info", "warning", "critical"]
AlertStatus = Literal["pending", "resolved"]
Choice = Annotated[str, Meta(min_length=1, max_length=200)]


class Alert(Struct, frozen=True, kw_only=True):
    """Something that somebody should decide; `rule` is null when a caller raised it."""

    id: str
    run_id: str
    timestamp: float
    severity: Severity
    message: str
    choices: list[str]
    status: AlertStatus
    response: str | None
    responded_at: float | None
    session_id: str | None
    auto_session: bool = False
    rule: str | None


class NewAlert(Struct, frozen=True, kw_only=True):
    """What a caller says of an alert to raise."""

    message: Annotated[str, Meta(min_length=1, max_length=10_000)]
    choices: Annotated[list[Choice], Meta(min_length=1, max_length=20)]
    severity: Severity = "warning"


class AlertRaised(Struct, frozen=True, kw_only=True):
    """The answer to a new alert."""

    alert_id: str


class AlertAnswer(Struct, frozen=True, kw_only=True):
    """What somebody decided: one of the alert's choices."""

    choice: str


class Cluster(Struct, frozen=True, kw_only=True):
    """What the runs run on, as somebody said or as it was detected; `confidence` is 0..1."""

    type: ClusterType = "unknown"
    status: ClusterStatus = "unknown"
    source: Literal["unset", "manual", "detected"] = "unset"
    label: str = "Unknown"
    description: str = "Nobody has said what this server's runs run on, and it was not detected."
    head_node: str | None = None
    node_count: int | None = None
    gpu_count: int | None = None
    notes: str | None = None
    confidence: float | None = None
    details: dict[str, Any] = {}
    last_detected_at: float | None = None
    updated_at: float | None = None


class ClusterEdit(Struct, frozen=True, kw_only=True):
    """What somebody says of the cluster; what is left out stays."""

    type: ClusterType | UnsetType = UNSET
    status: ClusterStatus | UnsetType = UNSET
    label: Annotated[str, Meta(min_length=1, max_length=500)] | UnsetType = UNSET
    description: Notes | UnsetType = UNSET
    head_node: Annotated[str, Meta(max_length=500)] | UnsetType | None = UNSET
    node_count: Annotated[int, Meta(ge=0, le=_MOST)] | UnsetType | None = UNSET
    gpu_count: Annotated[int, Meta(ge=0, le=_MOST)] | UnsetType | None = UNSET
    notes: Notes | UnsetType | None = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class RunSummary(Struct, frozen=True, kw_only=True):
    """How many runs there are, and how many have which status; `total` counts the stopped ones too."""

    total: int
    running: int
    launching: int
    queued: int
    ready: int
    failed: int
    finished: int


class ClusterState(Struct, frozen=True, kw_only=True):
    """The cluster, and what runs on it."""

    cluster: Cluster
    run_summary: RunSummary


class MetricPoint(Struct, frozen=True, kw_only=True, gc=False):
    """A value, and the step at which it was reached."""

    step: int | float
    value: float


class LossPoint(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True, rename="camel"):
    """The training loss at a step, and the validation loss where it was taken."""

    step: int | float
    train_loss: float
    val_loss: float | None = None


class RunMetrics(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The metrics of a run; the first four are all there, or without any metrics none.

    `metrics` holds the last values, without those that are no finite numbers. `complete` false: there is more
    to read, so ask again. `notes` say what was left out. `nonFinite` has, of the metrics that were asked for,
    those whose newest value is NaN or infinite, and the first step at which one was; some have no point.
    """

    metric_series: dict[str, list[MetricPoint]] | UnsetType = UNSET
    metric_keys: list[str] | UnsetType = UNSET
    loss_history: list[LossPoint] | UnsetType = UNSET
    metrics: dict[str, float] | UnsetType = UNSET
    complete: bool = True
    notes: list[str] = []
    non_finite: dict[str, int] = {}


class MetricRows(Struct, frozen=True, kw_only=True):
    """Rows of metrics to add: numbers by name, and the step as `step` or `epoch`."""

    rows: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=10_000)]


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That the server lives; all but the first two only for who is logged in."""

    status: str
    version: str
    workdir: str | None = None
    tmux: str | None = None
    counts: dict[str, int] | None = None


class ErrorBody(Struct, frozen=True, kw_only=True):
    """The body of every error; `detail` equals `message`."""

    message: str
    reason: str
    detail: str
