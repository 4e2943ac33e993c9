"""What is worth an alert: each rule looks at one observation of one run, and proposes one or none. Pure."""

import re
from collections.abc import Callable

from msgspec import Struct

from jupyter_ra_jobs.models import Severity
from jupyter_ra_jobs.states import RunStatus

STOP, RERUN, IGNORE = "Stop run", "Rerun", "Ignore"
"""Choices that the server itself acts on; `Ignore` only answers."""

_SIGKILL_CODE = 137  # as a shell gives it: 128 + 9
_TIME_LIMIT = "time limit"  # how the sidecar's reason begins when it ended the command itself
_NAMED = 3  # metrics named in a message
_OUT_OF_MEMORY = re.compile(
    rb"CUDA out of memory|CUDA error: out of memory|CUDA_ERROR_OUT_OF_MEMORY|HIP out of memory"
    rb"|(?:torch(?:\.cuda)?\.)?OutOfMemoryError|MPS backend out of memory|CUBLAS_STATUS_ALLOC_FAILED"
    rb"|(?:XlaRuntimeError: )?RESOURCE_EXHAUSTED: |OOM when allocating"
    rb"|DefaultCPUAllocator: can't allocate memory|^(?:numpy\S{0,40}\.)?_?(?:Array)?MemoryError\b"
    rb"|std::bad_alloc|Cannot allocate memory|oom-kill|Out of memory: Killed process",
    re.MULTILINE,
)


class Disk(Struct, frozen=True, kw_only=True):
    """A file system that a run writes to; `device` is its number, of stat(2)."""

    device: int
    path: str
    free: int
    """Bytes, for who is not root."""


class Observation(Struct, frozen=True, kw_only=True):
    """What was seen of one run, at one moment."""

    run_id: str
    status: RunStatus
    exit_code: int | None = None
    signal: str | None = None
    error: str | None = None
    stop_requested: bool = False
    log_size: int = 0
    silent_seconds: float = 0.0
    """Since the log was last written to, or since the start when it never was."""
    tail: bytes = b""
    """The log's last bytes."""
    non_finite: dict[str, int] = {}
    """Metrics that turned NaN or infinite, with the step at which they first did."""
    disks: tuple[Disk, ...] = ()


class Limits(Struct, frozen=True, kw_only=True):
    """Where a site draws the lines."""

    stalled_after: float
    """Seconds."""
    disk_low_bytes: int


class Proposal(Struct, frozen=True, kw_only=True):
    """An alert that a rule proposes. A rule raises at most one with this `key` for a run, ever."""

    rule: str
    key: str
    severity: Severity
    message: str
    choices: tuple[str, ...]
    shared: bool = False
    """About more than this run: while one with this key is pending for any run, it is not raised again."""


def non_finite(seen: Observation, limits: Limits) -> Proposal | None:
    """A metric is NaN or infinite."""
    if not seen.non_finite:
        return None
    first = sorted(seen.non_finite.items(), key=lambda item: (item[1], item[0]))
    named = ", ".join(f"{name} at step {step}" for name, step in first[:_NAMED])
    more = f" and {len(first) - _NAMED} more" if len(first) > _NAMED else ""
    return Proposal(
        rule="non_finite",
        key="",
        severity="warning",
        message=f"Not a finite number any more: {named}{more}",
        choices=(STOP, IGNORE),
    )


def stalled(seen: Observation, limits: Limits) -> Proposal | None:
    """No output for long. The key is the log's size: another silence is one after more output."""
    if seen.status is not RunStatus.RUNNING or seen.stop_requested:
        return None
    if seen.silent_seconds < limits.stalled_after:
        return None
    return Proposal(
        rule="stalled",
        key=str(seen.log_size),
        severity="warning",
        message=f"No output for {_duration(seen.silent_seconds)}",
        choices=(STOP, IGNORE),
    )


def out_of_memory(seen: Observation, limits: Limits) -> Proposal | None:
    """It failed by a SIGKILL that nobody here sent, or with words about memory at its log's end."""
    if seen.status is not RunStatus.FAILED:
        return None
    ours = seen.stop_requested or (seen.error or "").startswith(_TIME_LIMIT)
    killed = not ours and (seen.exit_code == _SIGKILL_CODE or seen.signal == "SIGKILL")
    said = _OUT_OF_MEMORY.search(seen.tail)
    if said is not None:
        message = f"Out of memory: the log's end says {said[0].decode(errors='replace').strip(' :')!r}"
    elif killed:
        message = "Ended as killed (exit code 137), and not by us: most often the machine ran out of memory"
    else:
        return None
    return Proposal(
        rule="out_of_memory", key="", severity="critical", message=message, choices=(RERUN, IGNORE)
    )


def disk_low(seen: Observation, limits: Limits) -> Proposal | None:
    """A file system that the run writes to is nearly full."""
    if seen.status is not RunStatus.RUNNING:
        return None
    for disk in seen.disks:
        if disk.free < limits.disk_low_bytes:
            return Proposal(
                rule="disk_low",
                key=str(disk.device),
                severity="critical",
                message=f"Only {_size(disk.free)} are free on the file system of {disk.path}",
                choices=(STOP, IGNORE),
                shared=True,
            )
    return None


def too_few_gpus(waiting: int, there: int) -> Proposal:
    """Of the next of so many runs in the queue that need more GPUs than there are; of no observation."""
    others = f", and {waiting - 1} more" if waiting > 1 else ""
    return Proposal(
        rule="too_few_gpus",
        key=str(there),
        severity="warning",
        message=f"This run{others} in the queue cannot start: more GPUs are asked for than this server can "
        f"give ({there}); RaJobsApp.gpus names them if they were not found",
        choices=(STOP, IGNORE),
        shared=True,
    )


Rule = Callable[[Observation, Limits], Proposal | None]

RULES: dict[str, Rule] = {rule.__name__: rule for rule in (non_finite, stalled, out_of_memory, disk_low)}
"""All of them, by name."""


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
