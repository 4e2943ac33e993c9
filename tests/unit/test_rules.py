"""Each rule: when it speaks, and when it must not."""

from typing import Any

import pytest

from jupyter_ra_jobs.rules import (
    RULES,
    Disk,
    Limits,
    Observation,
    disk_low,
    non_finite,
    out_of_memory,
    stalled,
)
from jupyter_ra_jobs.states import RunStatus

LIMITS = Limits(stalled_after=1800, disk_low_bytes=2**30)


def seen(**fields: Any) -> Observation:
    """A run that is well, but for these fields."""
    return Observation(**{"run_id": "a-run", "status": RunStatus.RUNNING, **fields})


def failed(**fields: Any) -> Observation:
    """One that failed."""
    return seen(**{"status": RunStatus.FAILED, "exit_code": 1, **fields})


@pytest.mark.parametrize("name", RULES)
def test_nothing_to_say(name: str) -> None:
    """A run that is well raises nothing, while it runs and when it has ended."""
    well = {"tail": b"Epoch 3/10 loss 0.3 memory 97%", "log_size": 30, "silent_seconds": 10.0}
    for status in RunStatus:
        assert RULES[name](seen(status=status, **well), LIMITS) is None


def test_non_finite() -> None:
    """The first ones are named."""
    found = non_finite(seen(non_finite={"d": 9, "loss": 3, "b": 4, "a": 4}), LIMITS)
    assert found is not None
    assert (
        found.message == "Not a finite number any more: loss at step 3, a at step 4, b at step 4 and 1 more"
    )
    assert (found.severity, found.choices) == ("warning", ("Stop run", "Ignore"))


def test_stalled() -> None:
    """Once a silence: another one is known by the log's size."""
    first = stalled(seen(log_size=5, silent_seconds=1800), LIMITS)
    assert first is not None
    assert first.message == "No output for 30 min"
    later = stalled(seen(log_size=5, silent_seconds=9000), LIMITS)
    assert later is not None
    assert (later.key, later.message) == (first.key, "No output for 2 h 30 min")
    again = stalled(seen(log_size=6, silent_seconds=1800), LIMITS)
    assert again is not None
    assert again.key != first.key


@pytest.mark.parametrize(
    "why_not",
    [{"silent_seconds": 1799.0}, {"stop_requested": True}, {"status": RunStatus.FINISHED}],
    ids=["too short", "being stopped", "ended"],
)
def test_not_stalled(why_not: dict[str, Any]) -> None:
    """Only a run that is to go on can stall."""
    assert stalled(seen(**{"silent_seconds": 1e6, **why_not}), LIMITS) is None


MESSAGES = [
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB",
    "torch.OutOfMemoryError: CUDA out of memory.",
    "RuntimeError: CUDA error: out of memory",
    "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 1073741824 bytes.",
    "tensorflow.errors_impl.ResourceExhaustedError: OOM when allocating tensor with shape[9]",
    "Traceback (most recent call last):\n  File x\nMemoryError",
    "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7.28 TiB for an array",
    "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.",
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "OSError: [Errno 12] Cannot allocate memory",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_out_of_memory_by_words(message: str) -> None:
    """What the libraries say, wherever in the last lines."""
    found = out_of_memory(failed(tail=f"step 3\n{message}\nbye\n".encode()), LIMITS)
    assert found is not None
    assert (found.severity, found.choices) == ("critical", ("Rerun", "Ignore"))
    # One that got over it is no case.
    assert out_of_memory(seen(status=RunStatus.FINISHED, tail=message.encode()), LIMITS) is None
    assert out_of_memory(seen(tail=message.encode()), LIMITS) is None


def test_out_of_memory_by_signal() -> None:
    """A SIGKILL that nobody here sent."""
    assert out_of_memory(failed(exit_code=137), LIMITS) is not None
    assert out_of_memory(failed(exit_code=137, signal="SIGKILL"), LIMITS) is not None
    assert out_of_memory(failed(exit_code=137, signal="SIGKILL", stop_requested=True), LIMITS) is None
    ended = "time limit of 5 seconds reached"
    assert out_of_memory(failed(exit_code=137, signal="SIGKILL", error=ended), LIMITS) is None
    assert out_of_memory(failed(exit_code=130, signal="SIGINT"), LIMITS) is None


def test_disk_low() -> None:
    """The first file system that is nearly full; for all runs on it one alert."""
    roomy = Disk(device=1, path="/data", free=2**40)
    full = Disk(device=2, path="/data/.agents", free=2**29)
    found = disk_low(seen(disks=(roomy, full)), LIMITS)
    assert found is not None
    assert (found.key, found.shared, found.severity) == ("2", True, "critical")
    assert found.message == "Only 512 MiB are free on the file system of /data/.agents"
    assert disk_low(seen(disks=(roomy,)), LIMITS) is None
    assert disk_low(failed(disks=(full,)), LIMITS) is None
